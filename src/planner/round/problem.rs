//! Which street may send to which lab, and how fast each lab is: the problem that an assignment solves.

use super::labs::lab_rate;
use super::streets::Source;
use crate::planner::assign;
use crate::planner::city::City;
use crate::planner::model::{HOUR, Lab, Ms, Takes};

pub(super) fn problem(city: &City, labs: &[Lab], sources: &[Source]) -> assign::Problem {
    let norm = &city.norm;
    let door_h = (norm.box_s.value / 2
        + norm.transport.travel_s.value
        + norm.transport.handling_s.value) as f64
        / 3600.0;
    // A lab that no street reaches within the norm's limit has its first box when the nearest one's is there.
    let mut nearest = vec![f64::INFINITY; labs.len()];
    for way in sources.iter().filter(|s| s.model.persons > 0).flat_map(|s| &s.ways) {
        nearest[way.lab] = nearest[way.lab].min(way.minutes);
    }
    let farther_h = |lab: usize| match nearest[lab] * 60.0 > norm.transport_s.value as f64 {
        true if nearest[lab].is_finite() => {
            nearest[lab] / 60.0 - norm.transport.travel_s.value as f64 / 3600.0
        }
        _ => 0.0,
    };
    let labs = city.labs.iter().zip(labs).enumerate().map(|(at, (named, lab))| {
        let (rate, slowest) = lab_rate(lab);
        let stage = &lab.stages[slowest.index()];
        let way: Ms =
            lab.stages.iter().map(|s| if s.takes == Takes::Box { s.run / 9 } else { s.run }).sum();
        assign::Lab {
            code: named.code.clone(),
            name: named.name.clone(),
            rate,
            // The run of the slowest stage is counted by its rate.
            head_start_h: door_h
                + farther_h(at)
                + f64::from(way.saturating_sub(stage.run)) / f64::from(HOUR),
            outside: named.outside,
        }
    });
    let streets = sources.iter().map(|source| assign::Street {
        code: city.districts.get(source.district).map_or_else(String::new, |d| {
            if d.code == source.of.code {
                d.code.clone()
            } else {
                format!("{}/{}", d.code, source.of.code)
            }
        }),
        name: source.of.name.clone(),
        tubes: source.model.tubes(),
        ways: source.ways.clone(),
    });
    assign::Problem { streets: streets.collect(), labs: labs.collect() }
}
