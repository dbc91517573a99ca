//! How far a search for remedies gets within its limit, and what is said of what lies beyond it.

use super::known::Known;
use super::layers::{TINY, asked};
use super::least::Judge;
use super::remedies::lopsided;
use super::remedy::{Remedy, Tried};
use super::search::{Search, TUBES_MAX, tubes};
use super::steps::Most;
use super::walk::walked;
use super::*;
use crate::planner::StageKind;

const DICE: Dice = Dice { replications: 30, seed: 1 };

fn report_with(text: &str, limit: impl Fn(u64) -> u64) -> Report {
    let (_folder, args) = asked(text);
    let mut report = filing::report_of(&args);
    let silent = Progress::silent();
    let mut layers = Layers::without_remedy(&report.city, DICE, &silent).expect("a round");
    let search = Search::new(limit(layers.round.model.tubes()), &silent);
    layers.remedy = Some(remedy::find(&report.city, &layers, DICE, &search));
    report.layers = Ok(layers);
    report
}

fn remedy_of(report: &Report) -> (Known, &Remedy) {
    let layers = report.layers.as_ref().expect("a round");
    let remedy = layers.remedy.as_ref().expect("it is late");
    (Known::of(layers, remedy), remedy)
}

/// Where the limit comes before the most that is tried could be, nobody knows whether more is enough: that is said, not that it
/// is not.
#[test]
fn what_was_not_tried_is_not_said_to_be_too_little() {
    let whole = report_with(&lopsided(), |_| TUBES_MAX);
    let (known, remedy) = remedy_of(&whole);
    assert_eq!((known, remedy.searched.left_out), (Known::NotEnough, 0));
    assert!(remedy.beyond.is_some() && remedy.more.is_none());
    let cut = report_with(&lopsided(), |_| 0);
    let (known, remedy) = remedy_of(&cut);
    assert!(remedy.beyond.is_none() && remedy.searched.left_out > 0);
    assert_eq!(known, Known::Unknown);
    let text = |lang| text::report(&cut, Some(lang));
    let unknown = [
        (
            text(Lang::En),
            "it was seen whether more units, desks and vehicles are enough: that is not known",
        ),
        (text(Lang::Zh), "更多设备、采样台和车辆是否足够，尚不清楚"),
    ];
    for (said, words) in unknown {
        // In the answer, and in the section of the measures.
        assert_eq!(said.matches(words).count(), 2, "{said}");
        for claim in ["eight times one more", "的 8 倍", "Nothing that was tried helps"] {
            assert!(!said.contains(claim), "{claim}\n{said}");
        }
    }
    let key = |report: &Report| json::report(report)["layers"]["remedy"]["units_and_desks"].clone();
    assert_eq!([key(&whole), key(&cut)], ["not_enough", "unknown"]);
    // What few replications find in the way that is not searched is no word on the rest of it.
    let found = report_with(TINY, |_| TUBES_MAX);
    assert_eq!((remedy_of(&found).0, key(&found)), (Known::Enough, "enough".into()));
}

#[test]
fn the_most_that_is_tried_is_tried_with_as_many_replications_as_the_limit_leaves() {
    // Half of the limit is for units and desks: one try of 30, and what is left for four times the cost.
    for (rounds, seen) in [(120, true), (70, true), (60, false)] {
        let report = report_with(&lopsided(), |tubes| 2 * tubes * rounds);
        let (known, remedy) = remedy_of(&report);
        assert_eq!(remedy.beyond.is_some(), seen, "{rounds}");
        assert_eq!(known == Known::NotEnough, seen, "{rounds}");
    }
}

#[test]
fn near_its_limit_a_search_goes_on_by_the_longest_steps() {
    let (_folder, args) = asked(TINY);
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    let layers = Layers::without_remedy(&city, DICE, &Progress::silent()).expect("a round");
    let model = &layers.round.model;
    let extractors = |tries: u64| {
        let silent = Progress::silent();
        let search = Search::new(u64::MAX, &silent);
        let finishes = Tried::of(&layers, model, DICE, &search).finishes;
        let search = Search::new(tries * tubes(model, DICE), &silent);
        let mut judge = Judge::new(&layers, DICE, finishes, 0, &search);
        let up = walked(&Most::of(model), model.clone(), &mut judge, model.target);
        let units =
            |model: &planner::model::Model| model.labs[0].stages[StageKind::Extract.index()].units;
        (units(model), units(&up))
    };
    let (now, few) = extractors(3);
    let (_, many) = extractors(100);
    assert!(few >= 2 * now && many > now && many < few, "{now} {few} {many}");
}
