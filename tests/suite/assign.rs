//! The assignment of streets to labs: against the answers of another solver, and by the clock. Both need what the
//! planner itself may not touch, a file and a clock.

use std::time::{Duration, Instant};

use crate::common::witness;

use swabline::planner::Words;
use swabline::planner::assign::{
    Lab, Options, Problem, Standing, Street, Way, bound, example, redispatch, shares, solve,
};

/// A city, and what another solver says of it.
#[derive(Default)]
struct Case {
    name: String,
    hours: f64,
    streets_in_cut: usize,
    labs_in_cut: usize,
    minutes_saved: f64,
    gap_max: f64,
    problem: Problem,
    /// By lab: tubes per hour of one more unit.
    more: Vec<f64>,
}

/// The cities of a file as `tests/oracle/assign.py` writes it.
fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |i: usize| words[i].parse::<f64>().unwrap();
        if words[0] == "city" {
            cases.push(Case { name: words[1].to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a city comes first");
        match words[0] {
            "answer" => {
                case.hours = number(1);
                case.streets_in_cut = words[2].parse().unwrap();
                case.labs_in_cut = words[3].parse().unwrap();
                case.minutes_saved = number(4);
                case.gap_max = number(5);
            }
            "lab" => {
                case.more.push(number(3));
                case.problem.labs.push(Lab {
                    name: Words::default(),
                    code: format!("L{}", case.problem.labs.len()),
                    rate: number(1),
                    head_start_h: number(2),
                    outside: false,
                });
            }
            "street" => {
                let way = |word: &&str| {
                    let parts: Vec<&str> = word.split(':').collect();
                    Way {
                        lab: parts[0].parse().unwrap(),
                        minutes: parts[1].parse().unwrap(),
                        km: parts[2].parse().unwrap(),
                    }
                };
                case.problem.streets.push(Street {
                    name: Words::default(),
                    code: format!("S{}", case.problem.streets.len()),
                    tubes: words[1].parse().unwrap(),
                    ways: words[2..].iter().map(way).collect(),
                });
            }
            other => panic!("a line begins with {other}"),
        }
    }
    cases
}

#[test]
fn another_solver_gives_the_same_bound_cut_and_price() {
    let Some(path) = witness(
        "SWABLINE_ASSIGN_ORACLE",
        "the assignment of streets to labs against HiGHS",
        "run deploy/bootstrap.sh --oracles, write a file with tests/oracle/assign.py, and set it to its path",
    ) else {
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = read(&text);
    assert!(!cases.is_empty(), "{path} holds no city");
    for case in cases {
        let Case { name, problem, .. } = &case;
        let answer = solve(problem, &Options::default(), None).unwrap();
        let [cut] = &answer.bound.cuts[..] else {
            panic!("{name}: {} cuts", answer.bound.cuts.len())
        };
        // The other solver tells the price of a little more; of a whole unit more, each little part saves less than the one before.
        let saved_with = |share: f64| {
            let of = |&lab: &usize| {
                let mut faster = problem.clone();
                faster.labs[lab].rate += case.more[lab] * share;
                60.0 * (answer.bound.hours - bound(&faster).unwrap().hours) / share
            };
            cut.labs.iter().map(of).fold(0.0, f64::max)
        };
        let (saved, whole_unit) = (saved_with(1e-3), saved_with(1.0));
        println!(
            "{name}: T* {:.5} h ({:.5}), cut {} × {}, {saved:.3} min ({:.3}), one-to-one gap {:.3} %\n{}\n{}",
            answer.bound.hours,
            case.hours,
            cut.streets.len(),
            cut.labs.len(),
            case.minutes_saved,
            100.0 * answer.whole.gap,
            answer.words.zh,
            answer.words.en,
        );
        assert!((answer.bound.hours - case.hours).abs() < 1e-3, "{name}");
        assert_eq!((cut.streets.len(), cut.labs.len()), (case.streets_in_cut, case.labs_in_cut));
        assert!((saved - case.minutes_saved).abs() < 0.01, "{name}");
        // It ends where another set of streets becomes the reason.
        assert!(whole_unit > 0.0 && whole_unit <= saved * 1.001, "{name}: {whole_unit} min");
        assert!((-1e-9..=case.gap_max).contains(&answer.whole.gap), "{name}");
    }
}

#[test]
fn a_large_city_is_assigned_in_time() {
    let options = Options::default();
    let timed = |name: &str, most: Duration, act: &mut dyn FnMut()| {
        // The best of three: what else the machine does is not ours.
        let run = |act: &mut dyn FnMut()| {
            let start = Instant::now();
            act();
            start.elapsed()
        };
        let best = (0..3).map(|_| run(act)).min().unwrap();
        println!("{name}: {:.1} ms", best.as_secs_f64() * 1000.0);
        assert!(best < most, "{name} took {best:?}, more than {most:?}");
    };
    for (streets, labs) in [(261, 40), (1500, 120)] {
        let city = example(streets, labs, 7);
        let name = |what: &str| format!("{streets} × {labs}, {what}");
        let answer = solve(&city, &options, None).unwrap();
        println!("{}: {:.3} %", name("one-to-one gap"), 100.0 * answer.whole.gap);
        timed(&name("bound and cut"), Duration::from_millis(200), &mut || {
            bound(&city).unwrap();
        });
        timed(&name("least tube-km"), Duration::from_secs(1), &mut || {
            shares(&city, &options).unwrap();
        });
        timed(&name("all, one-to-one included"), Duration::from_secs(2), &mut || {
            solve(&city, &options, None).unwrap();
        });
        // Half is sent, every lab has three hours of work, one is at half its rate and one cannot work.
        let mut left = city.clone();
        left.streets.iter_mut().for_each(|street| street.tubes /= 2);
        left.labs[0].rate *= 0.5;
        left.labs[1].rate = 0.0;
        let backlog: Vec<u64> = left.labs.iter().map(|lab| (lab.rate * 3.0) as u64).collect();
        let standing = Standing {
            left: &left,
            backlog: &backlog,
            current: &answer.whole.lab_of,
            penalty_min: 10.0,
        };
        timed(&name("re-dispatch"), Duration::from_secs(1), &mut || {
            redispatch(&standing, &options).unwrap();
        });
    }
}
