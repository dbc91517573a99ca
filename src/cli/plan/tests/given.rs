//! Vehicles and desks that the search for remedies gives, takes away, deals out and moves: each step alone, by the flows.

use super::anew::anew;
use super::grow::{Grown, dealt_evenly, grown};
use super::layers::{TINY, asked};
use super::least::{CHECKS_MAX, Judge, TRIES_MAX, lowered, one_by_one};
use super::remedies::with_streets;
use super::remedy::{More, Outcome, Vehicles};
use super::search::{Search, TUBES_MAX};
use super::steps::Most;
use super::vehicles::waiting;
use super::walk::walked;
use super::*;
use crate::planner::model::{DAY, Model, Ms, Street};
use crate::planner::{StageKind, fluid};

const FLOWS: Dice = Dice { replications: 0, seed: 1 };

fn round_of(text: &str) -> (City, Layers) {
    let (_folder, args) = asked(text);
    let city = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city");
    let layers = Layers::without_remedy(&city, FLOWS, &Progress::silent()).expect("a round");
    (city, layers)
}

fn finishes(model: &Model) -> Vec<Vec<Ms>> {
    let end = |lab| vec![fluid::end_of_lab(model, lab, &model.labs[lab])];
    (0..model.labs.len()).map(end).collect()
}

/// So many more vehicles, by street of the round.
fn more_vehicles(layers: &Layers, list: &[(usize, u32)]) -> More {
    let now = |street: usize| layers.round.model.streets[street].vehicles;
    let row = |&(street, more): &(usize, u32)| Vehicles { street, now: now(street), more };
    let vehicles = list.iter().map(row).collect();
    let outcome = Outcome { fluid: 0, simulated: None, in_time: None };
    let (desks, units, held) = (Vec::new(), Vec::new(), Vec::new());
    More { desks, vehicles, units, held, outcome, least: false, paired: None }
}

/// Desks and vehicles that the flows ask for in the east, and whether its lab grows, by what there is of each.
#[test]
fn the_flows_give_what_is_short_and_nothing_else() {
    let (_, layers) = round_of(&waiting(40, 2));
    for (days, extractors, desks, vehicles, expected) in [
        (1, 9, 75, 20, (75, 20, false)),
        (1, 9, 75, 4, (75, 5, false)),
        (1, 2, 75, 4, (75, 5, true)),
        // More desks fill more tubes in the same time: that takes vehicles, too.
        (1, 9, 20, 4, (33, 6, false)),
        (1, 2, 20, 20, (33, 20, true)),
        // There would be time to wait for a vehicle.
        (2, 1, 75, 4, (75, 5, true)),
    ] {
        let mut model = Model { target: days * DAY, ..layers.round.model.clone() };
        model.streets[0] = Street { desks, vehicles, ..model.streets[0] };
        model.labs[0].stages[StageKind::Extract.index()].set_units(extractors);
        let Grown { model: then, held, all } = grown(&model);
        let case = (days, extractors, desks, vehicles);
        assert!(all && held.is_empty() && fluid::ends_of(&then).1 <= model.target, "{case:?}");
        let street = then.streets[0];
        let given = (street.desks, street.vehicles, then.labs[0] != model.labs[0]);
        assert_eq!(given, expected, "{case:?}");
    }
}

/// The parts of a divided street have as many for their people as the part that has most.
#[test]
fn what_is_given_to_a_part_of_a_street_is_dealt_to_its_other_parts() {
    let (_, layers) = round_of(&waiting(40, 2));
    let mut now = layers.round.model.clone();
    let part = |persons: u32, whole| Street {
        persons,
        desks: persons / 500,
        vehicles: 2,
        part_of: Some(whole),
        ..now.streets[0]
    };
    now.streets = vec![part(10_000, 5), part(20_000, 5), part(20_000, 6)];
    let with = |desks: u32, vehicles: u32| {
        let mut more = now.clone();
        more.streets[0].desks += desks;
        more.streets[0].vehicles += vehicles;
        dealt_evenly(&now, &more).streets
    };
    assert_eq!(with(0, 0), now.streets);
    let vehicles: Vec<u32> = with(0, 4).iter().map(|street| street.vehicles).collect();
    assert_eq!(vehicles, [6, 12, 2]);
    let desks: Vec<u32> = with(10, 0).iter().map(|street| street.desks).collect();
    assert_eq!(desks, [30, 60, 40]);
}

/// Where vehicles are too few they are what is given, not units and not desks.
#[test]
fn where_vehicles_are_late_the_steps_give_vehicles() {
    let (_, layers) = round_of(&waiting(2, 2));
    let (model, silent) = (&layers.round.model, Progress::silent());
    let search = Search::new(TUBES_MAX, &silent);
    let mut judge = Judge::new(&layers, FLOWS, finishes(model), TRIES_MAX, &search);
    assert!(judge.finish() > model.target);
    let then = walked(&Most::of(model), model.clone(), &mut judge, model.target);
    assert!(judge.finish() <= model.target);
    assert!(then.streets[0].vehicles > 2 && then.labs == model.labs, "{:?}", then.streets[0]);
    assert_eq!(then.streets[0].desks, model.streets[0].desks);
}

/// Of vehicles that were given no more stay than are needed, on the way down and at the end, one by one.
#[test]
fn vehicles_that_are_not_needed_are_taken_away() {
    let (_, layers) = round_of(&waiting(2, 2));
    let (model, silent) = (&layers.round.model, Progress::silent());
    let search = Search::new(TUBES_MAX, &silent);
    let with = |vehicles: u32| {
        let mut more = model.clone();
        more.streets[0].vehicles = vehicles;
        more
    };
    let in_time = |vehicles: u32| fluid::ends_of(&with(vehicles)).1 <= model.target;
    let least = (2..).find(|vehicles| in_time(*vehicles)).expect("a number");
    assert!(least > 2);
    let judge = |from: &Model, tries| Judge::new(&layers, FLOWS, finishes(from), tries, &search);
    let (many, few) = (with(64), with(least + 3));
    let down = lowered(model, many.clone(), &mut judge(&many, TRIES_MAX), model.target);
    assert_eq!(down, with(least));
    let (down, proven) = one_by_one(model, few.clone(), &mut judge(&few, CHECKS_MAX), model.target);
    assert_eq!((down, proven), (with(least), true));
}

/// Vehicles are their district's: what two of its streets are given comes together.
#[test]
fn vehicles_of_several_streets_are_added_to_their_district() {
    for text in [with_streets(&waiting(7, 2)), with_streets(TINY)] {
        let (city, layers) = round_of(&text);
        let before = city.fleet_of(&city.districts[0]).vehicles;
        let with = people::carried_out(&city, &layers, &more_vehicles(&layers, &[(0, 1), (1, 2)]));
        assert_eq!(with.fleet_of(&with.districts[0]).vehicles, before + 3);
        assert_eq!(with.fleet_of(&with.districts[1]), city.fleet_of(&city.districts[1]));
    }
}

/// One vehicle more is not enough; what the city that has it takes besides is told with it.
#[test]
fn what_a_city_takes_besides_is_added_to_the_vehicles_that_were_found() {
    let (city, layers) = round_of(&waiting(2, 2));
    let silent = Progress::silent();
    let search = Search::new(TUBES_MAX, &silent);
    let found = anew(&city, &layers, &more_vehicles(&layers, &[(0, 1)]), FLOWS, &search);
    let found = found.expect("more than the one");
    let [row] = &found.vehicles[..] else { panic!("{found:?}") };
    let in_time = |more: u32| {
        let with = people::carried_out(&city, &layers, &more_vehicles(&layers, &[(0, more)]));
        Layers::without_remedy(&with, FLOWS, &silent).expect("a round").in_time()
    };
    assert!(row.now == 2 && in_time(row.more) && !in_time(row.more - 1), "{found:?}");
    assert!(found.outcome.finish() <= layers.round.model.target);
}

/// Tubes that are moved take vehicles and desks of their street with them: the parts have no more of them than the whole had.
#[test]
fn vehicles_and_desks_are_divided_with_the_tubes_of_a_street() {
    let text = waiting(40, 2).replace("extract = { units = 9,", "extract = { units = 2,");
    let (city, layers) = round_of(&text);
    let (before, target) = (&layers.round.model, layers.round.model.target);
    let parts = moving::parts(&city, &layers, target, false).expect("the west has room");
    let then = moving::carried_out(&city, &layers, &parts);
    assert!(then.streets.len() > before.streets.len());
    for of in [|street: &Street| street.vehicles, |street: &Street| street.desks] {
        let sum = |model: &Model| model.streets.iter().map(of).sum::<u32>();
        assert_eq!(sum(&then), sum(before));
    }
}

/// Whether a lab has room or too much to do is the lab's, with however few vehicles: half a vehicle drives as a whole one.
#[test]
fn few_vehicles_do_not_hide_that_a_lab_has_too_much_to_do() {
    for vehicles in [4, 10, 40] {
        let text = waiting(vehicles, 2).replace("extract = { units = 9,", "extract = { units = 2,");
        let (city, layers) = round_of(&text);
        let found = moving::parts(&city, &layers, layers.round.model.target, false);
        let tubes: u64 = found.iter().flatten().map(|part| part.tubes()).sum();
        assert!(tubes > 0, "{vehicles} vehicles: {found:?}");
    }
}
