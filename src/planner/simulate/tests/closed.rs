//! A stage against the closed forms of queues. No seed is chosen: of the 95 % intervals of 20 runs (batch means, the first
//! tenth cut off) at least 16 must hold the closed form, which of true intervals fails once in 400 times; and the mean of
//! all 20 must be within 3 %.

use super::*;
use crate::planner::tests::queueing::{batch_means, bulk_service, mdc_queue, mmc};

const RUNS: u64 = 20;
const BATCHES: usize = 20;
/// Mean service time.
const SERVICE: Ms = 10_000;

/// Times of customers who come at random, `gap` ms apart on average.
fn at_random(dice: Stream, gap: f64, customers: u64) -> impl Iterator<Item = Ms> {
    (0..customers).scan(0.0, move |at, k| {
        *at += dice.exponential(k) * gap;
        Some(*at as Ms)
    })
}

/// The estimates of `RUNS` runs, against what is exact.
#[track_caller]
fn holds(what: &str, exact: f64, run: impl Fn(Stream) -> Vec<f64>) {
    let mut covered = 0;
    let mut sum = 0.0;
    for seed in 0..RUNS {
        let samples = run(Stream::of(seed, 0, Cause::Example, 0));
        let warm = &samples[samples.len() / 10..];
        let (mean, half) = batch_means(warm, BATCHES).expect("enough samples");
        covered += u64::from((mean - exact).abs() <= half);
        sum += mean;
    }
    let mean = sum / RUNS as f64;
    let off = (mean / exact - 1.0).abs();
    assert!(covered >= 16, "{what}: {covered} of {RUNS} intervals hold {exact}; mean {mean}");
    assert!(off < 0.03, "{what}: {mean} instead of {exact}");
}

#[test]
fn a_stage_with_fixed_run_times_queues_as_crommelin_says() {
    for (units, rho, queue) in
        [(1, 0.8, 1.6), (2, 0.8, 1.445_25), (5, 0.8, 1.156_24), (5, 0.9, 3.495_13)]
    {
        assert!((mdc_queue(units as usize, rho) - queue).abs() < 1e-5);
        let stage = stage(units, 1, SERVICE, Takes::Fill);
        let come = f64::from(units) * rho;
        holds(&format!("M/D/{units}, {rho}"), queue, |dice| {
            let times = at_random(dice, f64::from(SERVICE) / come, 60_000);
            let lots: Vec<_> = times.map(|at| lot(at, 1)).collect();
            let (out, _) = through(&stage, 0, &lots);
            // Little: the queue is the wait by the rate.
            let wait = |(come, left): (&(usize, Lot), &(usize, Lot))| {
                f64::from(left.1.ready - SERVICE - come.1.ready) / f64::from(SERVICE)
            };
            lots.iter().zip(&out).map(wait).map(|wait| wait * come).collect()
        });
    }
}

/// The run time of a box is in proportion to its tubes: boxes of exponentially many tubes make the service of M/M/c.
#[test]
fn a_stage_with_exponential_run_times_waits_as_erlang_says() {
    /// Mean tubes of a box; as whole numbers, 1000.5.
    const TUBES: u32 = 1000;
    for (units, rho, wait) in [
        (1, 0.8, 4.0),
        (2, 0.75, 1.285_714),
        (5, 0.8, 0.554_113),
        (10, 0.9, 0.668_732),
        (20, 0.95, 0.755_401),
    ] {
        assert!((mmc(units, rho).wait - wait).abs() < 1e-6);
        let stage = stage(units, TUBES, SERVICE, Takes::Box);
        let service = f64::from(SERVICE) * (1.0 + 0.5 / f64::from(TUBES));
        holds(&format!("M/M/{units}, {rho}"), wait, |dice| {
            let gap = service / (f64::from(units) * rho);
            let size = dice.below(1);
            let tubes = |k: usize| (size.exponential(k as u64) * f64::from(TUBES)).ceil() as u32;
            let times = at_random(dice, gap, 150_000);
            let lots: Vec<_> = times.enumerate().map(|(k, at)| lot(at, tubes(k))).collect();
            let (out, _) = through(&stage, 0, &lots);
            let wait = |(come, left): (&(usize, Lot), &(usize, Lot))| {
                assert_eq!(come.1.tubes, left.1.tubes, "first come, first served");
                let ran = f64::from(come.1.tubes) * f64::from(SERVICE / TUBES);
                (f64::from(left.1.ready) - ran - f64::from(come.1.ready)) / f64::from(SERVICE)
            };
            lots.iter().zip(&out).map(wait).collect()
        });
    }
}

/// One unit that fills runs of 94 and waits for nobody starts every run time, for with 84.6 tubes by run it is never left
/// without any: Bailey's server.
#[test]
fn a_stage_that_fills_runs_of_94_queues_as_bailey_says() {
    const BATCH: u32 = 94;
    let run = 94_000;
    let stage = stage(1, BATCH, run, Takes::Fill);
    let known = bulk_service(BATCH as usize, 0.9);
    let services = 10_000;
    let of = |dice: Stream, what: fn(u64, u32) -> f64| {
        let customers = (f64::from(BATCH) * 0.9) as u64 * services;
        let lots: Vec<_> =
            at_random(dice, f64::from(run) / 84.6, customers).map(|at| lot(at, 1)).collect();
        let (out, _) = through(&stage, 0, &lots);
        let (mut come, mut gone) = (0usize, 0u64);
        let mut last = out[0].1.ready - run;
        let of_run = |(_, batch): &(usize, Lot)| {
            let start = batch.ready - run;
            assert!(start == last, "a server that starts every run time");
            last = batch.ready;
            while lots.get(come).is_some_and(|(_, lot)| lot.ready <= start) {
                come += 1;
            }
            let before = come as u64 - gone;
            gone += u64::from(batch.tubes);
            what(before, batch.tubes)
        };
        // When nobody comes any more it is another queue.
        out[..out.len() - 100].iter().map(of_run).collect()
    };
    holds("Bailey, queue before", known.queue_before, |dice| of(dice, |before, _| before as f64));
    holds("Bailey, not full", known.not_full, |dice| {
        of(dice, |_, tubes| f64::from(u8::from(tubes < BATCH)))
    });
}
