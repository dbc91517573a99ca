//! Nothing is lost and nothing is made, whatever the model.

use proptest::prelude::*;

use super::*;
use crate::planner::city::StageKind;
use crate::planner::model::{HORIZON_MS, HOUR, MINUTE, RECALL_MIN};

/// Changes of a stage, by chance: (what it takes, wells, failures a day, spread, patience in quarters of an hour).
type Twist = (usize, usize, f64, f64, u32);

/// Cities by chance, and then everything about their labs, pools and recalls by chance.
fn models() -> impl Strategy<Value = Model> {
    let twist = (0usize..2, 0usize..4, 0.0..3.0, 0.0..0.5, 0u32..5);
    let twists = prop::collection::vec(twist, 7..20);
    (any::<u64>(), -6.0..-1.5, 0.0..0.5, 1.0..4.0, twists, 0usize..4).prop_map(
        |(seed, prevalence, correlation, cluster, twists, plain): (
            u64,
            f64,
            f64,
            f64,
            Vec<Twist>,
            usize,
        )| {
            let mut model = example::by_chance(seed);
            let recall = &mut model.recall;
            recall.prevalence = 10f64.powf(prevalence);
            (recall.correlation, recall.cluster) = (correlation, cluster);
            for (street, k) in model.streets.iter_mut().zip(0..) {
                street.persons /= 3;
                street.pool = [street.pool, 1, 5, 20][k % 4];
                street.box_tubes = [94, 20, 200][k % 3];
                street.late_share *= [1.0, 0.0, 5.0][k % 3];
            }
            // A quarter of the cities keep their labs.
            let stages = model.labs.iter_mut().flat_map(|lab| &mut lab.stages);
            for (stage, twist) in stages.zip(twists.iter().cycle()).filter(|_| plain > 0) {
                let &(takes, wells, failures, spread, hold) = twist;
                stage.takes = [Takes::Box, Takes::Fill][takes];
                stage.batch = [94, 32, 96, 384][wells];
                (stage.failures_per_day, stage.run_spread) = (failures, spread);
                stage.hold = hold * 15 * MINUTE;
            }
            model
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_tube_comes_out_once_and_time_adds_up(model in models(), seed in any::<u64>()) {
        prop_assume!(model.check().is_ok());
        let run = replication(&model, seed, 0);
        for (street, done) in model.streets.iter().zip(&run.streets) {
            prop_assert_eq!(done.tubes, street.tubes());
            prop_assert!(done.sampled <= done.delivered);
        }
        for (tubes, lab) in model.tubes_by_lab().into_iter().zip(&run.labs) {
            let back: u64 = lab.called_back.iter().map(|(_, tubes)| u64::from(*tubes)).sum();
            prop_assert_eq!(back, lab.recalled);
            let mut last = 0;
            for passed in &lab.stages {
                prop_assert!(passed.adds_up());
                prop_assert_eq!(passed.tubes_in, tubes + lab.recalled);
                prop_assert_eq!(passed.tubes_out, tubes + lab.recalled);
                prop_assert!(passed.last >= last, "a stage that ends before the one before it");
                last = passed.last;
            }
            prop_assert_eq!(lab.results.last().map_or(0, |(_, tubes)| *tubes), tubes);
            prop_assert!(lab.results.is_sorted() && lab.finish <= lab.closed);
            prop_assert_eq!(lab.closed, last);
        }
        // A first result is of a tube that was brought.
        for (street, finish) in run.streets.iter().zip(&run.street_finish) {
            prop_assert!(street.delivered <= *finish && *finish <= run.finish);
        }
        let closed = run.labs.iter().map(|lab| lab.closed).max();
        prop_assert_eq!(Some(run.closed), closed);
    }

    #[test]
    fn single_tubes_come_back_after_their_pools_result(model in models(), seed in any::<u64>()) {
        prop_assume!(model.check().is_ok());
        for lab in replication(&model, seed, 0).labs {
            let first = lab.results.first().map_or(0, |(at, _)| *at);
            prop_assert!(lab.called_back.iter().all(|(at, _)| *at >= first + RECALL_MIN));
        }
    }
}

#[test]
fn a_lot_without_tubes_passes_and_stops_nothing() {
    for takes in [Takes::Box, Takes::Fill] {
        let (out, passed) = through(&stage(1, 94, HOUR, takes), 0, &[lot(0, 0), lot(1, 94)]);
        assert_eq!((out.len(), passed.runs), (1, 1), "{takes:?}");
        assert_eq!(out[0].1.tubes, 94);
    }
}

/// Rounds that pass the check and that chance makes longer: slow plates, slow desks, hardly a vehicle, hardly anybody
/// who is not called back.
#[test]
fn what_is_not_done_by_the_horizon_is_told_there_and_nothing_is_lost() {
    type Change<'c> = &'c dyn Fn(&mut Model);
    let changes: [Change; 4] = [
        &|m| m.labs[0].stages[StageKind::Pcr.index()].run *= 80,
        &|m| m.streets[0].desk_rate /= 1e4,
        &|m| {
            m.streets[0].vehicles = 1;
            (m.streets[0].vehicle_tubes, m.streets[0].box_tubes) = (1, 1);
            m.streets[0].handling = HORIZON_MS / 1000;
        },
        &|m| {
            m.recall.prevalence = 0.5;
            m.labs[0].stages[StageKind::Pcr.index()].run *= 12;
        },
    ];
    for (row, change) in changes.into_iter().enumerate() {
        let mut model = example::city(1);
        change(&mut model);
        let run = replication(&model, 3, 0);
        let lab = &run.labs[0];
        assert_eq!(run.closed, HORIZON_MS, "row {row}");
        assert!(row == 3 || run.finish == HORIZON_MS, "row {row}");
        assert!(run.sampled <= run.delivered && run.delivered <= HORIZON_MS, "row {row}");
        let left: u64 = lab.stages.iter().map(|passed| passed.tubes_left).sum();
        let out = lab.stages[StageKind::COUNT - 1].tubes_out;
        assert!(left > 0 && lab.stages.iter().all(Passed::adds_up), "row {row}");
        assert_eq!(left + out, model.tubes() + lab.recalled, "row {row}");
        assert_eq!(lab.results.last().map(|last| last.1), Some(model.tubes()), "row {row}");
        assert!(lab.results.iter().all(|(at, _)| *at <= HORIZON_MS), "row {row}");
    }
}
