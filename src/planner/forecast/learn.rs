//! What the round so far says of the numbers that were in doubt.
//!
//! Three things are learned, each from what shows it best:
//! - the speed of desks, street by street, from the tubes that were filled while people still queued; streets that have
//!   shown little lean on the others (normal with known variances, in logarithms);
//! - how many come late and how late, for the whole city, from the tubes filled so far against what the desks could have
//!   filled (a grid, because the two hang together);
//! - the pace of each lab, from the tubes that went on plates and were resulted in each half hour, against what the fluid
//!   makes of the tubes that really came to its door (a grid, with heavy tails: an hour in which a lab stood still says
//!   nothing of its pace). Tubes and not plates: how full plates are says whether others waited, not how fast a lab is.

use super::situation::Situation;
use crate::planner::city::StageKind;
use crate::planner::fluid::{self, Replay};
use crate::planner::model::{HOUR, Lab, Model, Ms, Street};
use crate::planner::round::Doubt;
use crate::planner::simulate::Stream;

/// Share of the people who do not come late up to which a street is surely still in its queue.
const IN_QUEUE: f64 = 0.75;
/// Points of the grids, in standard deviations.
const LATE_GRID: [f64; 11] = [-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
const TAIL_GRID: [f64; 5] = [-1.8, -0.9, 0.0, 0.9, 1.8];
const PACE_GRID: [f64; 13] =
    [-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0];
/// A reading of the pace is taken for so long.
const WINDOW: Ms = HOUR / 2;

/// What is believed after the round so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belief {
    /// By street: mean and standard deviation of the logarithm of its desks' speed over the model's.
    pub desks: Vec<(f64, f64)>,
    /// (logit offset of the late share, ln of the factor of the tail's mean, weight), weights sum to 1.
    pub late: Vec<(f64, f64, f64)>,
    /// By lab: how fast it may be; weights sum to 1.
    pub pace: Vec<Vec<Pace>>,
}

/// A pace of a lab, and what would be where in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pace {
    /// Natural logarithm of the factor of its pace.
    pub ln: f64,
    /// Probability.
    pub weight: f64,
    /// The lab now, at that pace.
    pub replay: Replay,
}

/// One draw of everything.
#[derive(Clone, Debug)]
pub(super) struct Drawn<'b> {
    /// The model with the numbers drawn.
    pub model: Model,
    /// Late share of each street.
    pub late: Vec<f64>,
    /// By lab: what would be where in it.
    pub inside: Vec<&'b Replay>,
}

impl Belief {
    /// Learns.
    pub fn learn(model: &Model, doubt: &Doubt, situation: &Situation) -> Belief {
        let desks = desks(model, doubt, situation);
        let late = late(model, doubt, situation, &desks);
        let pace = model
            .labs
            .iter()
            .enumerate()
            .map(|(i, lab)| pace(model, doubt, lab, i, situation))
            .collect();
        Belief { desks, late, pace }
    }

    /// A model as it may be, by what is believed.
    pub fn draw(&self, model: &Model, doubt: &Doubt, dice: Stream) -> Drawn<'_> {
        let mut drawn = model.clone();
        let (late, tail) = pick(&self.late, dice.unit(1));
        let travel = (doubt.travel * dice.normal(2)).exp();
        for (i, street) in drawn.streets.iter_mut().enumerate() {
            let (mean, sd) = self.desks[i];
            street.desk_rate *= (mean + sd * dice.normal(1000 + i as u64)).exp();
            street.late_share = shifted(street.late_share, late);
            street.late_mean = (f64::from(street.late_mean) * tail.exp()) as Ms;
            street.travel = ((f64::from(street.travel) * travel) as Ms).min(street.travel_max);
        }
        let mut inside = Vec::with_capacity(drawn.labs.len());
        for (i, lab) in drawn.labs.iter_mut().enumerate() {
            let k = 1_000_000 + i as u64;
            let grid = &self.pace[i];
            let mut left = dice.unit(2 * k);
            let picked = grid.iter().find(|p| {
                left -= p.weight;
                left <= 0.0
            });
            let Some(picked) = picked.or(grid.last()) else { continue };
            // Between the points of the grid.
            let width = doubt.lab_pace * 0.25;
            scale_pace(lab, (picked.ln + width * dice.normal(k)).exp());
            inside.push(&picked.replay);
        }
        let (a, b) = doubt.prevalence;
        if a > 0.0 && b > 0.0 {
            drawn.recall.prevalence = dice.below(7).beta(a, b);
        }
        Drawn { late: drawn.streets.iter().map(|s| s.late_share).collect(), model: drawn, inside }
    }
}

/// A lab that works `factor` times as fast.
pub(super) fn scale_pace(lab: &mut Lab, factor: f64) {
    for stage in &mut lab.stages {
        stage.run = ((f64::from(stage.run) / factor.clamp(0.05, 20.0)) as Ms).max(1);
    }
}

fn shifted(share: f64, by: f64) -> f64 {
    let odds = share / (1.0 - share).max(1e-6) * by.exp();
    odds / (1.0 + odds)
}

fn pick(grid: &[(f64, f64, f64)], u: f64) -> (f64, f64) {
    let mut left = u;
    for &(a, b, weight) in grid {
        left -= weight;
        if left <= 0.0 {
            return (a, b);
        }
    }
    grid.last().map_or((0.0, 0.0), |g| (g.0, g.1))
}

/// Tubes that the desks of a street fill in a working time while people queue, at the model's speed.
fn queue_tubes(street: &Street, worked: f64) -> f64 {
    let ramp = f64::from(street.ramp);
    let full = worked.min(ramp) * street.ramp_speed + (worked - ramp).max(0.0);
    street.tubes_per_hour() * street.mean_speed() * full / f64::from(HOUR)
}

fn desks(model: &Model, doubt: &Doubt, situation: &Situation) -> Vec<(f64, f64)> {
    let (own, city) = (doubt.desk_rate.powi(2), doubt.desk_rate_city.powi(2));
    // By street: what it showed, and how noisy that is.
    let shown: Vec<Option<(f64, f64)>> = model
        .streets
        .iter()
        .enumerate()
        .map(|(i, street)| {
            let limit = street.tubes() as f64 * (1.0 - street.late_share) * IN_QUEUE;
            let mut seen = situation.readings.iter().rev().filter_map(|reading| {
                let filled = reading.streets.get(i)?.collected as f64;
                let able = queue_tubes(street, street.worked(u64::from(reading.at)) as f64);
                (filled <= limit && filled > 0.0 && able > 0.0).then_some((filled, able))
            });
            let (filled, able) = seen.next()?;
            // Half a tube by desk is open or not counted, and people take different times.
            let open = f64::from(street.desks) * 0.5 / filled;
            let people = 0.25 / (filled * f64::from(street.pool)).max(1.0);
            Some(((filled / able).ln(), open.powi(2) + people + 1e-4))
        })
        .collect();
    // The city's mean: its prior, and the streets.
    let mut precision = if city > 0.0 { 1.0 / city } else { 1e9 };
    let mut mean = 0.0;
    for (shown, noise) in shown.iter().flatten() {
        let weight = 1.0 / (own + noise);
        mean += weight * shown;
        precision += weight;
    }
    let (mean, variance) = (mean / precision, 1.0 / precision);
    shown
        .iter()
        .map(|shown| match shown {
            Some((shown, noise)) => {
                let prior = 1.0 / (own + variance).max(1e-9);
                let data = 1.0 / noise;
                ((mean * prior + shown * data) / (prior + data), (1.0 / (prior + data)).sqrt())
            }
            None => (mean, (own + variance).sqrt()),
        })
        .collect()
}

/// Tubes of a street that are filled by a working time, if so many people come late and so late.
fn filled_by(street: &Street, speed: f64, late: f64, tail: f64, worked: f64) -> f64 {
    let tubes = street.tubes() as f64;
    let main = tubes * (1.0 - late);
    let each = main / (f64::from(street.desks.max(1)) * street.mean_speed());
    let end = street.desk_time(each, speed);
    if worked <= end {
        return (queue_tubes(street, worked) * speed).min(main);
    }
    let mean = f64::from(street.late_mean.max(1)) * tail;
    let hours = f64::from(street.hours.max(1));
    let room = hours - end % hours;
    let cut = 1.0 - (-room / mean).exp();
    let share = (1.0 - (-(worked - end).min(room) / mean).exp()) / cut.max(1e-9);
    main + tubes * late * share
}

fn late(
    model: &Model,
    doubt: &Doubt,
    situation: &Situation,
    desks: &[(f64, f64)],
) -> Vec<(f64, f64, f64)> {
    let all = model.tubes() as f64;
    // Eight readings say enough; neighbours say the same.
    let every = situation.readings.len().div_ceil(8).max(1);
    let readings: Vec<_> = situation.readings.iter().rev().step_by(every).collect();
    let mut grid = Vec::new();
    for late in LATE_GRID {
        for tail in TAIL_GRID {
            let (l, t) = (late * doubt.late_share, tail * doubt.late_mean);
            let mut ln = -(late * late + tail * tail) / 2.0;
            for reading in &readings {
                let (mut expected, mut seen, mut doubtful) = (0.0, 0.0, 0.0);
                for (i, street) in model.streets.iter().enumerate() {
                    let Some(count) = reading.streets.get(i) else { continue };
                    let worked = street.worked(u64::from(reading.at)) as f64;
                    let share = shifted(street.late_share, l);
                    let (mean, sd) = desks[i];
                    let filled = filled_by(street, mean.exp(), share, t.exp(), worked);
                    expected += filled;
                    seen += count.collected as f64;
                    // While people queue, the speed is in doubt, and says nothing of those who come late.
                    let queue = street.tubes() as f64 * (1.0 - share);
                    doubtful += if filled < queue { (filled * sd.max(0.02)).powi(2) } else { 0.0 };
                }
                let sd2 = (0.008 * all).powi(2) + doubtful;
                ln -= 2.0 * (1.0 + (seen - expected).powi(2) / (3.0 * sd2)).ln();
            }
            grid.push((l, t, ln));
        }
    }
    normalise(&mut grid);
    grid
}

fn normalise(grid: &mut [(f64, f64, f64)]) {
    let most = grid.iter().map(|g| g.2).fold(f64::MIN, f64::max);
    grid.iter_mut().for_each(|g| g.2 = (g.2 - most).exp());
    let sum: f64 = grid.iter().map(|g| g.2).sum();
    grid.iter_mut().for_each(|g| g.2 /= sum);
}

fn pace(
    model: &Model,
    doubt: &Doubt,
    lab: &Lab,
    number: usize,
    situation: &Situation,
) -> Vec<Pace> {
    let batch = f64::from(lab.stages[StageKind::Pcr.index()].batch.max(1));
    let mut door: Vec<(Ms, f64)> = vec![(0, 0.0)];
    let mut windows: Vec<(Ms, [f64; 2])> = Vec::new();
    for reading in &situation.readings {
        let Some(count) = reading.labs.get(number) else { continue };
        door.push((reading.at, count.received as f64));
        if windows.last().is_none_or(|(at, _)| reading.at >= at + WINDOW) {
            windows.push((reading.at, [count.plated as f64, count.resulted as f64]));
        }
    }
    let mut times: Vec<Ms> = windows.iter().map(|w| w.0).collect();
    times.extend(situation.readings.last().map(|newest| newest.at));
    let mut grid: Vec<(f64, f64, f64)> = Vec::new();
    let mut replays = Vec::new();
    for z in PACE_GRID {
        let pace = z * doubt.lab_pace;
        let mut ln = -z * z / 2.0;
        let mut as_if = lab.clone();
        scale_pace(&mut as_if, pace.exp());
        let replay = fluid::replay(model, &as_if, &door, &times);
        for (pair, expected) in windows.windows(2).zip(replay.done.windows(2)) {
            let [before, after] = [&pair[0].1, &pair[1].1];
            let both = before.iter().zip(after).zip(expected[0].iter().zip(&expected[1]));
            for ((before, after), (thought_before, thought_after)) in both {
                let (seen, thought) = (after - before, thought_after - thought_before);
                let sd2 = (0.7 * batch).powi(2) + (0.1 * thought).powi(2);
                // Student's t with three degrees of freedom. Half the weight: what is plated is resulted later.
                ln -= (1.0 + (seen - thought).powi(2) / (3.0 * sd2)).ln();
            }
        }
        grid.push((pace, 0.0, ln));
        replays.push(replay);
    }
    normalise(&mut grid);
    let paces = grid.into_iter().zip(replays);
    paces.map(|((ln, _, weight), replay)| Pace { ln, weight, replay }).collect()
}
