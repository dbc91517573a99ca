//! The rule by which plates are closed, against a lab in which somebody decides it: plates that are closed stay as they
//! are, and whoever leads the lab looks at the queues before one is closed that is not full. Slow, plain, minute by minute.

use std::collections::VecDeque;

use super::*;
use crate::planner::city::StageKind;
use crate::planner::model::{Lab, MINUTE};

/// Tubes of a full plate.
const FULL: u32 = 94;

/// A stage behind the filling of plates.
struct Room {
    units: usize,
    run: Ms,
    /// Plates that wait, and when each came.
    waiting: VecDeque<Ms>,
    /// When each run that goes on ends.
    running: Vec<Ms>,
}

/// Whether a plate that is closed now would be taken when it comes to each room: the plates ahead of it by the pace of the
/// room, against its way.
fn taken_at_once(fill: &Stage, rooms: &[Room]) -> bool {
    let (mut way, mut ahead) = (fill.run, 0);
    rooms.iter().all(|room| {
        ahead += room.waiting.len();
        let over = (ahead + room.running.len() + 1).saturating_sub(room.units);
        let wait = over as f64 * f64::from(room.run) / room.units as f64;
        let taken = wait <= f64::from(way);
        way += room.run;
        ahead += room.running.len();
        taken
    })
}

/// When the last of these tubes leaves a lab whose plates are filled at `fill`; `looks`: whether its leader looks at the
/// queues, or closes every plate that has waited long enough.
fn led(lab: &Lab, tubes: &[(Ms, u32)], looks: bool) -> Ms {
    let [_, fill, behind @ ..] = &lab.stages;
    let room = |s: &Stage| Room {
        units: s.units as usize,
        run: s.run,
        waiting: VecDeque::new(),
        running: Vec::new(),
    };
    let mut rooms: Vec<Room> = behind.iter().map(room).collect();
    let mut filling: Vec<Ms> = Vec::new();
    let mut coming: VecDeque<(Ms, u32)> = tubes.iter().copied().collect();
    let mut waiting: VecDeque<Ms> = VecDeque::new();
    let (mut now, mut last) = (0, 0);
    loop {
        while coming.front().is_some_and(|lot| lot.0 <= now) {
            let (at, n) = coming.pop_front().expect("one is there");
            waiting.extend((0..n).map(|_| at));
        }
        // What is done goes on to the next room; runs that end now make room.
        let mut done = take_done(&mut filling, now);
        for room in &mut rooms {
            room.waiting.extend(done);
            done = take_done(&mut room.running, now);
            while room.running.len() < room.units && room.waiting.pop_front().is_some() {
                room.running.push(now + room.run);
            }
        }
        last = done.into_iter().max().unwrap_or(last);
        while filling.len() < fill.units as usize {
            let full = waiting.len() >= FULL as usize;
            let held = waiting.front().is_some_and(|at| at + fill.hold <= now);
            if !full && !(held && (!looks || taken_at_once(fill, &rooms))) {
                break;
            }
            waiting.drain(..waiting.len().min(FULL as usize));
            filling.push(now + fill.run);
        }
        let idle = |room: &Room| room.waiting.is_empty() && room.running.is_empty();
        if coming.is_empty() && waiting.is_empty() && filling.is_empty() && rooms.iter().all(idle) {
            return last;
        }
        now += MINUTE;
    }
}

/// Takes out the runs that have ended.
fn take_done(running: &mut Vec<Ms>, now: Ms) -> Vec<Ms> {
    let done = running.iter().copied().filter(|end| *end <= now).collect();
    running.retain(|end| *end > now);
    done
}

/// A lab by chance and tubes that come to its filling of plates over some hours.
fn by_chance(seed: u64) -> (Lab, Vec<(Ms, u32)>) {
    let dice = Stream::of(seed, 0, Cause::Example, 1);
    let even = |k: u64, from: f64, to: f64| from + (to - from) * dice.unit(k);
    let hours = even(0, 6.0, 16.0);
    let tubes = even(1, 300.0, 4_000.0);
    let lots = (0..).map(|k| (even(100 + 2 * k, 0.0, hours), even(101 + 2 * k, 1.0, 49.0) as u32));
    let mut sum = 0;
    let mut lots: Vec<(Ms, u32)> = lots
        .take_while(|(_, n)| {
            sum += n;
            f64::from(sum) < tubes
        })
        .map(|(at, n)| ((at * 60.0) as Ms * MINUTE, n))
        .collect();
    lots.sort_unstable();
    let stages = [1, 35, 45, 34, 11, 97, 5].into_iter().zip(10..).map(|(minutes, k)| {
        // Each would be done in 4 to 24 hours, with full plates.
        let hours = even(k, 4.0, 24.0);
        let units = tubes / f64::from(FULL) * f64::from(minutes) / 60.0 / hours;
        stage(units.ceil() as u32, FULL, minutes * MINUTE, Takes::Fill)
    });
    let mut lab = Lab { stages: stages.collect::<Vec<_>>().try_into().expect("seven") };
    lab.stages[StageKind::Inactivate.index()].hold = 30 * MINUTE;
    (lab, lots)
}

/// Of 400 labs, against a leader who looks: 12 minutes earlier on average, nine of ten within 42 minutes, all within 125. What
/// is left is what such a leader does not foresee. Against one who closes every plate that has waited long enough: 69
/// minutes earlier on average, up to 13 hours.
#[test]
fn plates_are_closed_as_whoever_leads_a_lab_closes_them() {
    const LABS: u64 = 200;
    let minutes = |a: Ms, b: Ms| (f64::from(a) - f64::from(b)) / f64::from(MINUTE);
    let (mut off, mut blind) = (Vec::new(), 0.0);
    for seed in 0..LABS {
        let (lab, lots) = by_chance(seed);
        let model = Model { streets: Vec::new(), labs: vec![lab.clone()], ..example::city(1) };
        let mut start = Start::whole(&model);
        start.labs[0].waiting[StageKind::Inactivate.index()] = lots.clone();
        let ours = Simulation::new(&model, &start).run(3, 0, &mut Scratch::default()).finish;
        off.push(minutes(ours, led(&lab, &lots, true)));
        blind += minutes(led(&lab, &lots, false), ours) / LABS as f64;
    }
    let mean = off.iter().sum::<f64>() / LABS as f64;
    let near = off.iter().filter(|off| off.abs() <= 45.0).count();
    assert!(mean.abs() < 20.0, "{mean}: {off:?}");
    assert!(near >= 180, "{near}: {off:?}");
    assert!(blind > 45.0, "{blind}");
}
