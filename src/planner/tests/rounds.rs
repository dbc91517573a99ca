//! The built-in cities, whole, through every layer.

use crate::cli::city_file;
use crate::planner::model::HOUR;
use crate::planner::round::Round;
use crate::planner::simulate::{Scratch, Simulation, Start};
use crate::planner::{fill, fluid, solve};

#[test]
fn every_built_in_city_with_its_shortages_filled_is_reckoned_by_all_layers() {
    for (name, _) in city_file::BUILTIN {
        let city = city_file::builtin(name).expect("built in");
        let plan = solve(&city, city.target_h);
        let filled = fill(&city, &plan);
        for city in [&city, &filled] {
            match Round::of(city) {
                Ok(round) => {
                    if name == "qujing" || name == "jiyuan" {
                        eprintln!(
                            "{} {:?}",
                            round.assignment.words.en,
                            round
                                .problem
                                .labs
                                .iter()
                                .map(|l| (l.code.clone(), l.rate as u32, l.head_start_h))
                                .collect::<Vec<_>>()
                        );
                        for l in &round.model.labs {
                            eprintln!(
                                "{:?}",
                                l.stages.clone().map(|s| (
                                    s.units,
                                    s.batch,
                                    s.run / 60000,
                                    (s.working_share() * 100.0) as u32
                                ))
                            );
                        }
                    }
                    let flow = fluid::city(&round.model);
                    let start = Start::whole(&round.model);
                    let out =
                        Simulation::new(&round.model, &start).run(1, 0, &mut Scratch::default());
                    let h = |ms: u32| f64::from(ms) / f64::from(HOUR);
                    eprintln!(
                        "{name}: rules {:?} min, fluid {:.2} h sampled {:.1} delivered {:.1}, simulated {:.2} h sampled {:.2} closed {:.2} T* {:.2}",
                        plan.verdict.minutes,
                        h(flow.finish),
                        h(flow.sampled),
                        h(flow.delivered),
                        h(out.finish),
                        h(out.sampled),
                        h(out.closed),
                        round.assignment.bound.hours
                    );
                }
                Err(e) => eprintln!("{name}: {e}"),
            }
        }
    }
}
