//! Whatever the order of arrival: scripts of facts about few tubes, boxes, plates and people, so
//! that they collide a lot, told in another order, twice, and in batches of any size.

use super::ledger::Ledger;
use super::notebook::Notebook;
use crate::domain::Time;
use crate::domain::boxes::BoxRecord;
use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::discrepancy::{Discrepancies, Discrepancy};
use crate::domain::fact::Event;
use crate::domain::plate::PlateRecord;
use crate::domain::tube::{Origin, TubeRecord, TubeView};
use crate::domain::words::{NeedReason, Status};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::{BTreeMap, BTreeSet};

fn code(letters: &'static str, max: u8) -> impl Strategy<Value = String> + Clone {
    (1..=max).prop_map(move |n| format!("{letters}{n}"))
}

fn words(
    one: impl Strategy<Value = String>,
    count: std::ops::RangeInclusive<usize>,
    between: &'static str,
) -> impl Strategy<Value = String> {
    prop::collection::vec(one, count).prop_map(move |words| words.join(between))
}

/// A line of a script without its time and fact id.
fn fact() -> impl Strategy<Value = String> {
    let tube = || code("T", 4);
    let single = || (4_u8..=6).prop_map(|n| format!("T{n}"));
    let person = || code("P", 4);
    let lab = || code("L", 2);
    let container = || code("B", 2);
    let plate = || code("PL", 2);
    let desk = || code("desk D", 2);
    let tubes = || words(tube(), 1..=3, " ");
    let members = words(person(), 1..=3, ",");
    let reading = prop::sample::select(vec!["pos", "one", "grey", "inv", "neg", "neg", "neg"]);
    let readings = (reading.clone(), reading.clone(), reading)
        .prop_map(|(a, b, c)| format!("A1={a} A2={b} A3={c}"));
    let well = (1..=3, tube()).prop_map(|(column, tube)| format!("A{column}={tube}"));
    let kit = || prop::sample::select(vec!["K1", "K1", "K2", "K3"]);
    let runs = words(code("R", 3), 1..=2, ",");
    let call =
        || prop::sample::select(vec!["positive", "single-target", "grey", "invalid", "negative"]);
    let void = prop::sample::select(vec!["misread T2", "damaged"]);
    let lot = prop::sample::select(vec!["", "", "", " !LotExpired"]);
    let bare = prop::sample::select(vec!["", "", "", " bare"]);
    let controls = prop::sample::select(vec!["", "", "", " controls failed"]);
    prop_oneof![
        4 => (desk(), tube(), members, lot)
            .prop_map(|(d, t, m, lot)| format!("{d} collect {t} pool 2 members {m}{lot}")),
        // Single tubes that come to a result, so that recalls are closed, too.
        3 => (desk(), single(), code("P", 3))
            .prop_map(|(d, t, p)| format!("{d} collect {t} pool 1 members {p}")),
        2 => (single(), call()).prop_map(|(t, c)| format!("amend {t} {c}")),
        3 => (desk(), tube(), person(), prop::sample::select(vec![1, 10]))
            .prop_map(|(d, t, p, pool)| format!("{d} swab {t} {p} pool {pool}")),
        1 => (tube(), person()).prop_map(|(t, p)| format!("withdraw {t} {p}")),
        2 => (tube(), person(), person()).prop_map(|(t, a, b)| format!("correct {t} {a} {b}")),
        2 => (tube(), 0..4).prop_map(|(t, n)| format!("seal {t} {n}")),
        2 => (container(), tubes()).prop_map(|(b, t)| format!("pack {b} {t}")),
        1 => (container(), lab()).prop_map(|(b, l)| format!("hand {b} {l}")),
        2 => (container(), lab(), words(tube(), 0..=3, " "))
            .prop_map(|(b, l, t)| format!("box {b} {l} {t}")),
        2 => (tube(), lab()).prop_map(|(t, l)| format!("receive {t} {l}")),
        1 => (tube(), lab()).prop_map(|(t, l)| format!("reject {t} leaking by {l}")),
        1 => tube().prop_map(|t| format!("lose {t}")),
        1 => (tube(), void).prop_map(|(t, how)| format!("void {t} {how}")),
        4 => (plate(), lab(), kit(), words(well, 1..=3, " "), bare)
            .prop_map(|(pl, l, k, w, bare)| format!("load {pl} {l} kit {k} {w}{bare}")),
        5 => (plate(), code("R", 3), readings, prop::sample::select(vec!["K1", "K1", "K2"]), controls)
            .prop_map(|(pl, r, w, k, controls)| format!("run {pl} {r} kit {k} {w}{controls}")),
        1 => (plate(), kit()).prop_map(|(pl, k)| format!("reassess {pl} {k}")),
        2 => (tube(), runs, prop::option::weighted(0.3, call()))
            .prop_map(|(t, r, c)| format!("review {t} {r} {}", c.unwrap_or(""))),
        1 => (tube(), call()).prop_map(|(t, c)| format!("amend {t} {c}")),
        4 => (lab(), tubes()).prop_map(|(l, t)| format!("release {l} {t}")),
    ]
}

/// A script: every line has its time, of a few minutes only, and a fact id that tells nothing of
/// the order.
fn script() -> impl Strategy<Value = Vec<String>> {
    let line = (0..20_u8, 1..4_u8, fact());
    prop::collection::vec(line, 1..60).prop_map(|lines| {
        let lines = lines.into_iter().enumerate();
        lines.map(|(n, (minute, s, fact))| format!("09:{minute:02} {fact} as S{s}/{n}")).collect()
    })
}

/// How a script is delivered.
#[derive(Clone, Debug)]
struct Delivery {
    /// Lines in their order of arrival, some of them again.
    order: Vec<usize>,
    /// Sizes of the batches, used over and over.
    batches: Vec<usize>,
    /// Discrepancies of arrival, stamped on the lines over and over.
    stamps: Vec<Option<Discrepancy>>,
    tubes_max: usize,
}

fn delivery(lines: usize) -> impl Strategy<Value = Delivery> {
    let again = prop::collection::vec(0..lines, 0..=lines / 2);
    let order = again.prop_map(move |again| (0..lines).chain(again).collect::<Vec<_>>());
    // Of laboratories that are made up by the thousand, which ones are counted is a matter of arrival, and meant to be.
    let of_arrival: Vec<_> =
        of_arrival().iter().filter(|one| *one != Discrepancy::LabsTooMany).collect();
    let stamp = prop::option::of(prop::sample::select(of_arrival));
    (
        order.prop_shuffle(),
        prop::collection::vec(1..12_usize, 1..5),
        prop::collection::vec(stamp, 1..9),
        prop::sample::select(vec![0, 2, usize::MAX]),
    )
        .prop_map(|(order, batches, stamps, tubes_max)| Delivery {
            order,
            batches,
            stamps,
            tubes_max,
        })
}

fn delivered_script() -> impl Strategy<Value = (Vec<String>, Delivery)> {
    script().prop_flat_map(|lines| {
        let count = lines.len();
        (Just(lines), delivery(count))
    })
}

fn deliver(events: &[Event], how: &Delivery, each_batch: impl Fn(&Ledger)) -> Ledger {
    let mut ledger = Ledger::keeping(how.tubes_max);
    let mut rest = how.order.as_slice();
    let mut sizes = how.batches.iter().cycle();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(rest.len().min(*sizes.next().expect("a cycle")));
        let batch: Vec<Event> = batch
            .iter()
            .map(|line| {
                let mut event = events[*line].clone();
                event.stamps.recorded_at = Time(rest.len() as i64);
                event.stamps.flags = event
                    .stamps
                    .flags
                    .with(how.stamps[line % how.stamps.len()].into_iter().collect());
                event
            })
            .collect();
        ledger.commit(&batch);
        each_batch(&ledger);
        rest = after;
    }
    ledger
}

/// What must not depend on the order of arrival.
#[derive(Debug, PartialEq)]
struct Outcome {
    views: BTreeMap<String, TubeView>,
    tubes: BTreeMap<String, TubeRecord>,
    boxes: BTreeMap<String, BoxRecord>,
    plates: BTreeMap<String, PlateRecord>,
    people: String,
    cells: BTreeMap<CellKey, Figures>,
    odd: BTreeMap<String, Discrepancies>,
}

fn of_arrival() -> Discrepancies {
    Discrepancy::ALL.iter().copied().filter(|one| one.is_of_arrival()).collect()
}

fn outcome(ledger: &Ledger) -> Outcome {
    let calm = |origin: &mut Origin| {
        origin.seq = 0;
        origin.flags = origin.flags.without(of_arrival());
    };
    let mut tubes: BTreeMap<_, _> =
        ledger.tubes.iter().map(|(code, record)| (code.to_string(), record.clone())).collect();
    tubes.values_mut().flat_map(|r| &mut r.marks).for_each(|mark| calm(&mut mark.origin));
    let mut boxes: BTreeMap<_, _> =
        ledger.boxes.iter().map(|(code, record)| (code.to_string(), record.clone())).collect();
    boxes.values_mut().flat_map(|r| &mut r.marks).for_each(|mark| calm(&mut mark.origin));
    let mut plates: BTreeMap<_, _> =
        ledger.plates.iter().map(|(code, record)| (code.to_string(), record.clone())).collect();
    plates.values_mut().flat_map(|r| &mut r.marks).for_each(|mark| calm(&mut mark.origin));
    let mut cells = ledger.cells.clone();
    for one in of_arrival().iter() {
        let counter = Counter::discrepancy(one.number());
        cells.values_mut().for_each(|figures| figures.count(counter, -figures.get(counter)));
    }
    let odd = ledger
        .odd
        .iter()
        .map(|((kind, code), set)| (format!("{kind:?} {code}"), set.without(of_arrival())));
    let views = ledger.views().into_iter().map(|(code, mut view)| {
        view.discrepancies = view.discrepancies.without(of_arrival());
        (code.to_string(), view)
    });
    Outcome {
        views: views.collect(),
        tubes,
        boxes,
        plates,
        people: format!("{:#?}", ledger.people),
        cells: cells.into_iter().filter(|(_, figures)| !figures.is_zero()).collect(),
        odd: odd.filter(|(_, set)| !set.is_empty()).collect(),
    }
}

/// 256 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn order_repetition_and_batches_change_nothing((lines, how) in delivered_script()) {
        let events = Notebook::read(&lines.join("\n"));
        let one = outcome(&Ledger::of(&events));
        let other = outcome(&deliver(&events, &how, |_| ()));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn figures_add_up_after_every_batch((lines, how) in delivered_script()) {
        deliver(&Notebook::read(&lines.join("\n")), &how, Ledger::must_add_up);
    }

    #[test]
    fn what_is_told_again_leaves_no_trace((lines, how) in delivered_script()) {
        let events = Notebook::read(&lines.join("\n"));
        let mut ledger = deliver(&events, &how, |_| ());
        let before = format!("{:?}", (&ledger.tubes, &ledger.boxes, &ledger.plates, &ledger.people));
        let (cells, odd) = (ledger.cells.clone(), ledger.odd.clone());
        ledger.commit(&events);
        let after = format!("{:?}", (&ledger.tubes, &ledger.boxes, &ledger.plates, &ledger.people));
        prop_assert_eq!(before, after);
        prop_assert_eq!((cells, odd), (ledger.cells, ledger.odd));
    }

    #[test]
    fn nobody_vanishes(lines in script()) {
        let events = Notebook::read(&lines.join("\n"));
        let ledger = Ledger::of(&events);
        for (code, view) in ledger.views() {
            // Who was collected and never taken back or corrected away is in the tube.
            let of_tube = |event: &&Event| event.fact.body.tube() == Some(code);
            let collected = events.iter().filter(of_tube).flat_map(|event| event.fact.body.people());
            let named_in = |verb: &str, person: &str| lines.iter().any(|line| {
                line.contains(&format!(" {verb} {code} ")) && line.contains(&format!(" {person} "))
            });
            for person in collected.collect::<BTreeSet<_>>() {
                let name = format!("P{}", person.0[15]);
                if !named_in("withdraw", &name) && !named_in("correct", &name) {
                    prop_assert!(view.members.contains(&person), "{} has lost {}", code, name);
                }
            }
            // Whoever is in a tube that has ended without a result has a need, or the swabs are
            // elsewhere.
            let ended = matches!(view.status, Status::Rejected | Status::Lost | Status::Reused);
            for person in view.members.iter().filter(|_| ended) {
                let record = ledger.people.get(person);
                let tubes: Vec<_> = record.iter().flat_map(|r| r.needs()).map(|n| n.tube).collect();
                prop_assert!(tubes.contains(&code), "{:?} of {} has no need", person, code);
            }
        }
    }
}

/// A property over scripts that never meet a rule would prove nothing of it.
#[test]
fn the_scripts_reach_every_status_need_and_discrepancy() {
    let mut runner = TestRunner::deterministic();
    let (mut statuses, mut needs, mut closed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut odd = Discrepancies::NONE;
    for _ in 0..1_500 {
        let lines = script().new_tree(&mut runner).expect("a script").current();
        let ledger = Ledger::of(&Notebook::read(&lines.join("\n")));
        statuses.extend(ledger.views().values().map(|view| view.status));
        odd = ledger.odd.values().fold(odd, |all, set| all.with(*set));
        for need in ledger.people.values().flat_map(|record| record.needs()) {
            needs.insert(need.reason);
            closed.extend(need.closed_by.map(|_| need.reason));
        }
    }
    assert_eq!(Vec::from_iter(statuses), Status::ALL);
    assert_eq!(Vec::from_iter(needs), NeedReason::ALL);
    assert_eq!(Vec::from_iter(closed), NeedReason::ALL);
    use Discrepancy::*;
    // Stamped by the writer, or never stored: the scripts do not make them.
    let elsewhere = [
        BarcodeMalformed,
        BarcodeCheckDigit,
        IdentityCheckDigit,
        KitExpired,
        PoolSizeUnknown,
        PersonInTwoTubes,
    ];
    let wanted =
        Discrepancy::ALL.iter().filter(|one| !one.is_of_arrival() && !elsewhere.contains(one));
    let unmet: Vec<_> = wanted.filter(|one| !odd.has(**one)).collect();
    assert!(unmet.is_empty(), "no script meets {unmet:?}");
}
