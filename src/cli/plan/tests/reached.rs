//! What can be reached by more units and desks is found, with its people; where no number does it, that is said with what
//! binds then.

use super::enough::enough;
use super::layers::{TINY, asked};
use super::people;
use super::remedies::lopsided;
use super::search::{Search, TUBES_MAX};
use super::*;
use crate::planner::fluid::Held;
use crate::planner::model::HOUR;
use crate::planner::round::Round;

const DICE: Dice = Dice { replications: 30, seed: 1 };

fn layers_of(city: &City) -> Layers {
    Layers::without_remedy(city, DICE, &Progress::silent()).expect("a round")
}

/// Chifeng, to be done in a day.
fn chifeng() -> City {
    let mut city = city_file::builtin("chifeng").expect("a city");
    city.target_h = 24;
    city
}

/// The city with half as many desks again, and four times the units, each with their people.
fn larger(city: &City) -> City {
    let mut larger = city.clone();
    for have in larger.districts.iter_mut().map(|district| &mut district.have) {
        for n in [&mut have.sites, &mut have.desks, &mut have.samplers, &mut have.registrars] {
            *n = *n * 3 / 2;
        }
    }
    for stage in larger.labs.iter_mut().flat_map(|lab| &mut lab.stages) {
        stage.units *= 4;
        stage.staff *= 4;
    }
    larger
}

#[test]
fn where_a_larger_city_is_in_time_a_remedy_is_found_and_its_people_are_enough() {
    let city = chifeng();
    let (now, then) = (layers_of(&city), layers_of(&larger(&city)));
    assert!(!now.in_time() && then.in_time(), "{} {}", now.finish(), then.finish());
    let silent = Progress::silent();
    let remedy = remedy::find(&city, &now, DICE, &Search::new(TUBES_MAX, &silent));
    let more = remedy.more.expect("a remedy");
    assert!(more.outcome.finish() <= now.round.model.target && remedy.beyond.is_none(), "{more:?}");
    assert_eq!(remedy.searched.left_out, 0);
    // Less than the larger city has.
    let units = |city: &City| -> u64 {
        city.labs.iter().flat_map(|lab| &lab.stages).map(|stage| stage.units).sum()
    };
    let added: u64 = more.units.iter().map(|units| u64::from(units.more)).sum();
    assert!(added < units(&larger(&city)) - units(&city), "{added}");
    // With what is told, people included, so many units and desks work as it counts on.
    let told = people::carried_out(&city, &now, &more);
    let carried = layers_of(&told);
    assert!(carried.in_time(), "{}", carried.finish());
    let round = carried.round;
    for units in &more.units {
        let works = round.model.labs[units.lab].stages[units.stage.index()].units;
        assert_eq!(works, units.now + units.more, "{units:?}");
    }
    let desks = |round: &Round| round.model.streets.iter().map(|s| u64::from(s.desks)).sum::<u64>();
    let more_desks: u64 = more.desks.iter().map(|desks| u64::from(desks.more)).sum();
    assert!(desks(&round).abs_diff(desks(&now.round) + more_desks) <= 5, "rounded where divided");
    // And one person fewer is one unit fewer.
    let first = more.units.iter().find(|units| people::of_units(&city, units).people > 0);
    let first = first.expect("units with people");
    let mut fewer = told.clone();
    fewer.labs[first.lab].stages[first.stage.index()].staff -= 1;
    let works =
        Round::of(&fewer).expect("a round").model.labs[first.lab].stages[first.stage.index()].units;
    assert!(works < first.now + first.more, "{first:?}");
}

#[test]
fn where_no_number_is_enough_the_fixed_times_are_told() {
    // Late comers come until the sites close at 22:00, 16 hours after the start; way and runs take more than four.
    let (_folder, args) = asked(TINY);
    let hurry = PlanArgs { target: Some(20), replications: 20, ..args };
    let told = |lang| answer(&PlanArgs { lang: Some(lang), ..hurry.clone() }).expect("an answer").0;
    for (said, words) in [
        (
            told(Lang::En),
            "What binds are fixed times, whatever the numbers: people still come to the streets of L",
        ),
        (told(Lang::En), " at 22:00 (late comers come until the sites close)"),
        (told(Lang::Zh), "受限于固定时间，与数量无关："),
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let (text, code) = answer(&PlanArgs { json: true, ..hurry }).expect("an answer");
    assert_eq!(code, EXIT_NO);
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let most = &json["layers"]["remedy"]["most_tried"];
    assert_eq!(most["held_by"], "way", "{most}");
    let hours = |key: &str| most[key]["hours"].as_f64().expect("hours");
    assert_eq!(hours("sampled"), 16.0);
    assert!(hours("delivered") + hours("chain") > 20.0, "{most}");
    assert!(most["finish_hours"].as_f64().expect("hours") > 20.0);
}

#[test]
fn where_a_lab_has_more_than_it_can_take_whatever_is_added_that_is_told() {
    let (_folder, args) = asked(&lopsided());
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    let layers = layers_of(&city);
    let silent = Progress::silent();
    let found = enough(&layers, &layers.round.model, DICE, &Search::new(TUBES_MAX, &silent));
    let beyond = found.beyond.expect("beyond");
    assert!(found.least.is_none() && beyond.lab == 0 && beyond.flow.held != Held::Way);
    assert!(beyond.finish > 24 * HOUR);
}
