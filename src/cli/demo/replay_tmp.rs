use super::played;
use crate::city_file;
use crate::domain::words::Time;
use crate::forecaster::{self, History, Record};
use crate::planner;
use crate::planner::forecast::Situation;
use crate::planner::model::{Model, Stage, Street, Takes};
use crate::planner::round::Doubt;
use crate::store::ForecastLines;
use serde_json::{Value, json};
use std::path::PathBuf;

fn street(s: &Street) -> Value {
    json!([
        s.persons,
        s.pool,
        s.desks,
        s.desk_rate,
        s.desk_spread,
        s.open,
        s.hours,
        s.ramp,
        s.ramp_speed,
        s.late_share,
        s.late_mean,
        s.box_tubes,
        s.box_time,
        s.vehicles,
        s.vehicle_tubes,
        s.trip_hold,
        s.handling,
        s.travel,
        s.travel_spread,
        s.travel_max,
        s.lab
    ])
}
fn stage(s: &Stage) -> Value {
    json!([
        s.units,
        s.batch,
        s.run,
        s.run_spread,
        u8::from(s.takes == Takes::Box),
        s.hold,
        s.rests,
        s.failures_per_day,
        s.repair
    ])
}
fn model(m: &Model) -> Value {
    json!({"midnight": m.midnight_offset, "target": m.target,
        "streets": m.streets.iter().map(street).collect::<Vec<_>>(),
        "labs": m.labs.iter().map(|l| l.stages.iter().map(stage).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "recall": [m.recall.prevalence, m.recall.correlation, m.recall.cluster, f64::from(m.recall.delay), m.recall.delay_spread, f64::from(m.recall.travel), f64::from(m.recall.hold)]})
}
fn doubt(d: &Doubt) -> Value {
    json!([
        d.desk_rate,
        d.desk_rate_city,
        d.lab_pace,
        d.lab_derate,
        d.turnout,
        d.turnout_city,
        d.late_share,
        d.late_mean,
        d.travel,
        d.prevalence.0,
        d.prevalence.1
    ])
}
fn readings(s: &Situation) -> Value {
    s.readings
        .iter()
        .map(|r| {
            json!([
                r.at,
                r.streets
                    .iter()
                    .map(|s| json!([
                        s.collected,
                        s.sent,
                        s.delivered,
                        s.resulted,
                        s.singles_waiting,
                        s.singles_sent
                    ]))
                    .collect::<Vec<_>>(),
                r.labs
                    .iter()
                    .map(|l| json!([
                        l.received,
                        l.plated,
                        l.resulted,
                        l.plates,
                        l.plates_done,
                        l.recalls_open,
                        l.recalls_closed,
                        l.recollections_open,
                        l.singles_waiting,
                        l.singles_plated,
                        l.boxes_sent
                    ]))
                    .collect::<Vec<_>>()
            ])
        })
        .collect()
}

#[test]
fn dump() {
    let Ok(what) = std::env::var("REPLAY") else { return };
    for one in what.split(',') {
        let mut parts = one.split(':');
        let (city, people, dir) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let mut city = city_file::builtin(city).unwrap();
        if people != "0" {
            city = city.scaled(people.parse().unwrap());
        }
        let before = planner::solve(&city, city.target_h);
        let filled = planner::fill(&city, &before);
        let after = planner::solve(&filled, city.target_h);
        let plan = played::plan(&filled, &after);
        let texts = ForecastLines::read(&PathBuf::from(dir).join("data")).unwrap().texts;
        let held = forecaster::held(&texts);
        let finish = held[0].finish.unwrap();
        let mut history = History::new(1000);
        let mut opened = 0;
        for r in texts.iter().filter_map(|t| Record::read(t)) {
            if let Record::Reading { opened_at, tally, .. } = r {
                history.take(plan.whose.reading(&tally).0);
                opened = opened_at;
            }
        }
        let told: Vec<_> = held[0].forecasts.iter().map(|f| f.at).collect();
        let round = plan.round_opened(Time(opened), 10, &history).unwrap();
        let out = json!({"finish": finish, "told": told, "model": model(&round.model), "doubt": doubt(&round.doubt), "readings": readings(history.situation())});
        std::fs::write(format!("{dir}.json"), out.to_string()).unwrap();
    }
}
