//! Late comers: in the flows and in the simulation they come until the same hour, and where chance makes that the hour of
//! another day, the answer says so.

use crate::planner::example;
use crate::planner::fluid;
use crate::planner::model::{DAY, HOUR, MINUTE, Model, Ms};
use crate::planner::simulate::{Scratch, Simulation, Start};
use crate::planner::study::study;
use crate::planner::{Words, late_words};

/// One street whose people, late ones left out, keep its 30 desks busy for so many hours.
fn street(hours: f64, late_share: f64) -> Model {
    let mut model = example::city(1);
    let mut street = example::street(1, 30, 0);
    // The ramp loses 17 minutes; a desk's mean speed is a little over that in the middle.
    let main = (hours - 0.28) * street.desk_rate * street.mean_speed() * 30.0;
    street.persons = (main / (1.0 - late_share)) as u32;
    (street.late_share, street.vehicles) = (late_share, 60);
    model.streets = vec![street];
    assert_eq!(model.check(), Ok(()));
    model
}

#[test]
fn both_layers_let_late_comers_come_until_the_sites_close() {
    // The queue is gone on the first day, or on the second.
    for (hours, closing) in [(9.0, 16 * HOUR), (19.0, DAY + 16 * HOUR)] {
        let model = street(hours, 0.1);
        let start = Start::whole(&model);
        let run = Simulation::new(&model, &start).run(3, 0, &mut Scratch::default());
        let flows = fluid::ends_of(&model).0;
        for sampled in [run.sampled, flows] {
            assert!(sampled.abs_diff(closing) <= MINUTE, "{hours}: {sampled}");
        }
    }
}

/// The last swab of the flows, P90 of that of 60 replications with everything in doubt, and what is said.
fn told(model: &Model) -> (Ms, Ms, Option<Words>) {
    let study = study(model, Some(&example::DOUBT), 1, 60, &|_| true);
    let flows = fluid::ends_of(model).0;
    (flows, study.sampled.p90, late_words(model, flows, &study))
}

#[test]
fn why_an_end_of_the_simulation_stands_at_a_closing_hour_is_said() {
    // At mean speed the queue is gone after 13 hours; slow draws have it on the second day.
    let (flows, p90, words) = told(&street(13.0, 0.1));
    assert_eq!((flows, p90), (16 * HOUR, DAY + 16 * HOUR));
    let words = words.expect("it is said");
    assert_eq!(
        words.en,
        "At P90 the last swab stands at a closing hour, 22:00 on day 2 (40.0 h after the start): where queues last into another \
         day, late comers may come until the sites close; at mean speed, as in the flows, it is 22:00 on day 1 (16.0 h after the \
         start)."
    );
    assert_eq!(
        words.zh,
        "P90 的最后采样停在采样点关闭时刻第 2 天 22:00（开始后 40.0 小时）：采样偏慢时排队拖到另一天，晚到者可一直来到当天关闭；\
         流体层按平均速度第 1 天 22:00（开始后 16.0 小时）采完。"
    );
}

#[test]
fn an_end_on_the_same_day_or_without_late_comers_is_not_explained() {
    let (flows, p90, words) = told(&street(5.0, 0.1));
    assert!(p90.abs_diff(flows) <= MINUTE && words.is_none(), "{flows} {p90} {words:?}");
    let (flows, p90, words) = told(&street(13.0, 0.0));
    assert!(flows < DAY && p90 > DAY && words.is_none(), "{flows} {p90} {words:?}");
}

#[test]
fn an_end_on_the_morning_of_the_next_day_is_told_as_one() {
    let mut found = study(&street(13.0, 0.1), None, 1, 2, &|_| true);
    found.sampled.p90 = DAY + 3 * HOUR;
    let words = late_words(&street(13.0, 0.1), 16 * HOUR, &found).expect("it is said");
    let said = "At P90 the last swab is at 09:00 on day 2 (27.0 h after the start): where sampling is slow, those of the queue";
    assert!(words.en.starts_with(said), "{}", words.en);
    assert!(
        words.zh.starts_with("P90 的最后采样在第 2 天 09:00（开始后 27.0 小时）：采样偏慢时"),
        "{}",
        words.zh
    );
}
