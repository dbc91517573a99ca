//! Why the layers lie apart: the effect that was put in is the one that is found.

use crate::planner::apart::{Effect, flows_and_rules, simulation_and_flows};
use crate::planner::model::{HOUR, MINUTE, Model};
use crate::planner::round::Doubt;
use crate::planner::{example, fluid, study};

/// Nothing in doubt.
const SURE: Doubt = Doubt {
    desk_rate: 0.0,
    desk_rate_city: 0.0,
    lab_pace: 0.0,
    turnout: 0.0,
    turnout_city: 0.0,
    late_share: 0.0,
    late_mean: 0.0,
    travel: 0.0,
    prevalence: (0.0, 0.0),
    ..example::DOUBT
};

/// A city in which nothing goes by chance that can be left out.
fn calm() -> Model {
    let mut model = example::city(2);
    model.recall.prevalence = 0.0;
    for street in &mut model.streets {
        (street.late_share, street.desk_spread, street.travel_spread) = (0.0, 0.0, 0.0);
    }
    for stage in model.labs.iter_mut().flat_map(|lab| &mut lab.stages) {
        (stage.run_spread, stage.failures_per_day) = (0.0, 0.0);
    }
    model
}

#[test]
fn the_effect_that_makes_the_round_late_is_found() {
    // The labs keep up with whatever comes.
    let plenty = Model { labs: vec![example::lab([200; 7]), example::lab([200; 7])], ..calm() };
    for (model, doubt, effect) in [
        (plenty, Doubt { desk_rate: 0.4, ..SURE }, Effect::DeskSpeed),
        (calm(), Doubt { lab_pace: 0.3, lab_derate: 0.7, ..SURE }, Effect::LabPace),
        (calm(), Doubt { turnout: 0.5, ..SURE }, Effect::Turnout),
    ] {
        let study = study::study(&model, Some(&doubt), 1, 20, &|_| true);
        let flow = fluid::city(&model).finish;
        let apart = simulation_and_flows(&model, &doubt, (&study, 1), flow, &|| true)
            .expect("a small city");
        assert_eq!(apart.replications, 20);
        assert_eq!(apart.by[0].0, effect, "{apart:?}");
        let by = apart.by[0].1;
        assert!(by > i64::from(HOUR) && by > apart.gap / 2, "{apart:?}");
        assert!(apart.left.abs() < by && apart.by[1].1 < by / 2, "{apart:?}");
        assert!(apart.words().en.starts_with(&effect.name().en), "{:?}", apart.words());
    }
    // Where nothing goes by chance, what is left out changes nothing.
    let model = calm();
    let (study, flow) = (study::study(&model, Some(&SURE), 1, 20, &|_| true), fluid::city(&model));
    let apart = |go_on| simulation_and_flows(&model, &SURE, (&study, 1), flow.finish, &|| go_on);
    let told = apart(true).expect("a small city");
    assert!(told.by.iter().all(|(_, by)| *by == 0), "{told:?}");
    assert!(
        told.words().en.starts_with("nothing that was tried alone accounts for much of it"),
        "{told:?}"
    );
    assert_eq!(apart(false), None);
}

#[test]
fn what_the_arithmetic_leaves_out_is_told_of_the_flows() {
    let labs = vec![example::lab([200; 7]), example::lab([200; 7])];
    let mut model = Model { labs, ..calm() };
    model.streets.iter_mut().for_each(|street| street.late_share = 0.2);
    let flow = fluid::city(&model).finish;
    let one = vec!["one"; model.streets.len()];
    let apart = flows_and_rules(&model, &SURE, &one, 5 * HOUR, flow);
    assert_eq!(apart.by[0].0, Effect::LateComers, "{apart:?}");
    assert!(apart.by[0].1 > i64::from(30 * MINUTE) && apart.replications == 0);
    assert_eq!(apart.gap, i64::from(flow) - i64::from(5 * HOUR));
    // A street with half of the desks of the others, of one district; by itself it is a district's only one.
    model.streets.iter_mut().for_each(|street| street.late_share = 0.0);
    model.streets[0].desks /= 2;
    let flow = fluid::city(&model).finish;
    let each: Vec<String> = (0..model.streets.len()).map(|i| i.to_string()).collect();
    let each: Vec<&str> = each.iter().map(String::as_str).collect();
    for (districts, first) in [(&one, true), (&each, false)] {
        let apart = flows_and_rules(&model, &SURE, districts, 5 * HOUR, flow);
        let uneven = apart.by.iter().find(|(effect, _)| *effect == Effect::Uneven);
        let by = uneven.expect("it is tried").1;
        assert_eq!(by > i64::from(HOUR), first, "{apart:?}");
        assert!(first || by == 0, "{apart:?}");
    }
}
