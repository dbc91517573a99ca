//! Made-up rounds of which the end is known, to hold forecasts against.
//!
//! Half of them are made as the forecast believes the world to be made: numbers drawn from the same doubts, the same
//! simulation. The other half have in them what no plan tells and the forecast must find out, or cannot: a lab that stands
//! still for hours (which it notices while it lasts, and nobody foresees), late comers who come much later, people who come
//! in two waves.

mod score;

pub use score::{Score, score, score_cities, score_small};

use super::situation::{LabCount, Reading, Situation, StreetCount};
use crate::planner::city::StageKind;
use crate::planner::example;
use crate::planner::model::{HOUR, MINUTE, Model, Ms, Street, staggered};
use crate::planner::round::Doubt;
use crate::planner::simulate::{BoxRun, Cause, LabRun, Scratch, Simulation, Start, Stream};

/// A made-up round: what the planner knew beforehand, and what happened.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The plan.
    pub model: Model,
    /// What the plan doubted.
    pub doubt: Doubt,
    /// What was really so.
    pub truth: Model,
    /// When it was really done.
    pub finish: Ms,
    /// The lab that stood still, from when and until when.
    pub outage: Option<(usize, Ms, Ms)>,
    /// What happened: counts of streets (boxes) and of labs.
    boxes: Vec<BoxRun>,
    /// (time, lab, what, tubes or people).
    done: Vec<(Ms, usize, Row, u32)>,
}

/// What a lab did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Received,
    Plated,
    Loaded,
    Resulted,
    Called,
    Answered,
}

/// What a round is like that no plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surprise {
    /// Nothing: as the forecast believes.
    None,
    /// A lab stands still for one to four hours.
    Outage,
    /// More come late, and much later.
    HeavyTail,
    /// Half of the people come hours after the others.
    TwoWaves,
    /// Half of the streets of a lab deliver to another one, where there is one. Not among the surprises that forecasts are
    /// judged by.
    Astray,
}

impl Surprise {
    /// The surprise of a round of the second half.
    fn of(seed: u64) -> Surprise {
        match Stream::of(seed, 1, Cause::Example, 1).bits(0) % 3 {
            0 => Surprise::Outage,
            1 => Surprise::HeavyTail,
            _ => Surprise::TwoWaves,
        }
    }
}

/// The doubts of the made-up rounds.
pub fn doubt() -> Doubt {
    example::DOUBT
}

/// How large a round is.
struct Size {
    /// Labs, from and below.
    labs: (f64, f64),
    /// People of a street, from and to.
    persons: (f64, f64),
}

/// One or two labs with some 50,000 to 100,000 people each; a city's; and a small town's, of 5,000 to 30,000 people.
const USUAL: Size = Size { labs: (1.0, 3.0), persons: (4_000.0, 12_000.0) };
const CITY: Size = Size { labs: (16.0, 24.0), ..USUAL };
const SMALL: Size = Size { persons: (200.0, 2_000.0), ..USUAL };

/// A plan of a round.
fn plan(seed: u64, size: &Size) -> Model {
    let (labs, persons_of) = (size.labs, size.persons);
    let dice = Stream::of(seed, 0, Cause::Example, 2);
    let mut k = 0;
    let mut even = |from: f64, to: f64| {
        k += 1;
        from + (to - from) * dice.unit(k)
    };
    let mut model = example::city(0);
    for number in 0..even(labs.0, labs.1) as usize {
        let mut tubes = 0.0;
        for _ in 0..even(6.0, 14.0) as usize {
            let persons = even(persons_of.0, persons_of.1) as u32;
            let desks = (f64::from(persons) / even(500.0, 900.0)).ceil() as u32;
            tubes += f64::from(persons / 10);
            model.streets.push(example::street(persons, desks, number));
        }
        let mut lab = example::lab([1; StageKind::COUNT]);
        for (stage, full) in
            lab.stages.iter_mut().zip(example::lab([1000; StageKind::COUNT]).stages)
        {
            let hours = even(7.0, 20.0);
            let each = 94.0 * f64::from(HOUR) / f64::from(full.run);
            stage.units = (tubes / hours / each).ceil().max(1.0) as u32;
            if !full.rests.is_empty() {
                stage.rests = staggered(stage.units, 6 * HOUR, full.run);
            }
        }
        model.labs.push(lab);
    }
    model
}

/// Makes what no plan tells.
fn spring(truth: &mut Model, surprise: Surprise, dice: Stream) {
    match surprise {
        Surprise::HeavyTail => {
            for street in &mut truth.streets {
                street.late_share = (street.late_share * (1.3 + dice.unit(1))).min(0.5);
                street.late_mean = (f64::from(street.late_mean) * (1.5 + 2.0 * dice.unit(2))) as Ms;
            }
        }
        Surprise::TwoWaves => {
            let later = (2.0 + 3.0 * dice.unit(1)) * f64::from(HOUR);
            let second = |street: &Street| Street {
                open: street.open + later as Ms,
                persons: street.persons * 2 / 5,
                hours: street.hours - later as Ms,
                ..*street
            };
            let wave: Vec<Street> = truth.streets.iter().map(second).collect();
            for street in &mut truth.streets {
                street.persons -= street.persons * 2 / 5;
            }
            truth.streets.extend(wave);
        }
        Surprise::Astray if truth.labs.len() > 1 => {
            let own = truth.streets.iter_mut().filter(|street| street.lab == 0);
            own.step_by(2).for_each(|street| street.lab = 1);
        }
        Surprise::None | Surprise::Outage | Surprise::Astray => {}
    }
}

/// When the plates of a lab were loaded. One that had to wait was kept open, and others joined it on the way: a plate is what has its
/// results together, and it is loaded with the last of its tubes.
fn loaded(lab: usize, done: &mut Vec<(Ms, usize, Row, u32)>) {
    let of = |row: Row| {
        let mut lots: Vec<(Ms, u32)> =
            done.iter().filter(|d| d.1 == lab && d.2 == row).map(|d| (d.0, d.3)).collect();
        lots.sort_unstable();
        lots.into_iter().scan(0, |sum, (at, tubes)| {
            *sum += tubes;
            Some((at, *sum))
        })
    };
    let plated: Vec<(Ms, u32)> = of(Row::Plated).collect();
    let with_last = |(_, upto)| plated.get(plated.partition_point(|(_, tubes)| *tubes < upto));
    let loaded: Vec<Ms> = of(Row::Resulted).filter_map(with_last).map(|(at, _)| *at).collect();
    done.extend(loaded.into_iter().map(|at| (at, lab, Row::Loaded, 1)));
}

impl Trial {
    /// Makes a round. The same seed and surprise give the same round.
    pub fn new(seed: u64, surprising: bool) -> Trial {
        let surprise = if surprising { Surprise::of(seed) } else { Surprise::None };
        Trial::surprised(seed, surprise)
    }

    /// Makes a round with a surprise.
    pub fn surprised(seed: u64, surprise: Surprise) -> Trial {
        Trial::with(plan(seed, &USUAL), doubt(), seed, surprise)
    }

    /// A city's round, of some twenty labs, without a surprise: it ends with the last of many.
    pub fn city(seed: u64) -> Trial {
        Trial::of(plan(seed, &CITY), doubt(), seed)
    }

    /// A small town's round: a street may have two tubes on the way and two missing. How many live there is known, as where
    /// everybody is called by name; who comes is counted by people.
    pub fn small(seed: u64) -> Trial {
        let known = Doubt { turnout: 0.0, turnout_city: 0.0, ..doubt() };
        Trial::of(plan(seed, &SMALL), known, seed)
    }

    /// A round of a plan as the forecast believes the world to be.
    pub fn of(model: Model, doubt: Doubt, seed: u64) -> Trial {
        Trial::with(model, doubt, seed, Surprise::None)
    }

    fn with(model: Model, doubt: Doubt, seed: u64, surprise: Surprise) -> Trial {
        let mut truth = doubt.draw(&model, seed, 1);
        let dice = Stream::of(seed, 1, Cause::Example, 3);
        let streets = model.streets.len();
        spring(&mut truth, surprise, dice);
        let mut start = Start::whole(&truth);
        let mut outage = None;
        if surprise == Surprise::Outage {
            let lab = dice.bits(1) as usize % truth.labs.len().max(1);
            let from = (2.0 + 10.0 * dice.unit(2)) * f64::from(HOUR);
            let length = (1.0 + 3.0 * dice.unit(3)) * f64::from(HOUR);
            start.labs[lab].stops = vec![(from as Ms, (from + length) as Ms)];
            outage = Some((lab, from as Ms, (from + length) as Ms));
        }
        let simulation = Simulation::new(&truth, &start);
        let (mut boxes, mut done, mut finish) = (Vec::new(), Vec::new(), 0);
        let mut scratch = Scratch::default();
        let mut runs = vec![Default::default(); truth.streets.len()];
        for lab in 0..truth.labs.len() {
            let run: LabRun =
                simulation.lab(lab, seed ^ 0x7ea1, 1, &mut scratch, &mut runs, &mut |kind, lot| {
                    match kind {
                        StageKind::Decap => done.push((lot.ready, lab, Row::Plated, lot.tubes)),
                        StageKind::Review => {
                            done.push((lot.ready, lab, Row::Resulted, lot.tubes));
                            done.push((lot.ready, lab, Row::Called, lot.members));
                            done.push((lot.ready, lab, Row::Answered, lot.singles));
                        }
                        _ => {}
                    }
                });
            loaded(lab, &mut done);
            finish = finish.max(run.finish);
            done.extend(run.called_back.iter().map(|&(at, tubes)| (at, lab, Row::Received, tubes)));
            // The second wave of a street is the same street.
            boxes.extend(
                simulation.boxes(&scratch).map(|b| BoxRun { street: b.street % streets, ..b }),
            );
        }
        Trial { model, doubt, finish, outage, boxes, done, truth: truth.clone() }
    }

    /// By street of the plan: when its last first test really had its result. A lab takes first tests in the order of its door.
    pub fn ends(&self) -> Vec<Ms> {
        let mut ends = vec![0; self.model.streets.len()];
        for lab in 0..self.truth.labs.len() {
            let of = |row: Row| self.done.iter().filter(move |d| d.1 == lab && d.2 == row);
            let mut results: Vec<(Ms, i64)> =
                of(Row::Resulted).map(|d| (d.0, i64::from(d.3))).collect();
            results.extend(of(Row::Answered).map(|d| (d.0, -i64::from(d.3))));
            results.sort_unstable();
            let mut boxes: Vec<&BoxRun> =
                self.boxes.iter().filter(|b| self.truth.streets[b.street].lab == lab).collect();
            boxes.sort_by_key(|b| b.at);
            let (mut come, mut done, mut results) = (0, 0, results.into_iter().peekable());
            let mut at = 0;
            for b in boxes {
                come += i64::from(b.tubes);
                while done < come
                    && let Some((time, tubes)) = results.next()
                {
                    (at, done) = (time, done + tubes);
                }
                ends[b.street] = at;
            }
        }
        ends
    }

    /// What the service would have read every quarter of an hour until `now`.
    pub fn situation(&self, now: Ms) -> Situation {
        let every = (15 * MINUTE).max(now / 96);
        let mut times: Vec<Ms> = (1..).map(|k| k * every).take_while(|at| *at < now).collect();
        times.push(now);
        Situation { readings: times.into_iter().map(|at| self.reading(at)).collect() }
    }

    fn reading(&self, at: Ms) -> Reading {
        let mut streets = vec![StreetCount::default(); self.model.streets.len()];
        let mut labs = vec![LabCount::default(); self.model.labs.len()];
        let mut collected = vec![0.0; streets.len()];
        let mut answered = vec![0; labs.len()];
        for b in &self.boxes {
            let street = &self.model.streets[b.street];
            // A box was filled in the time before it was closed.
            let from = b.closed.saturating_sub(street.box_time);
            let span = f64::from(b.closed - from).max(1.0);
            let filled = (f64::from(at.saturating_sub(from)) / span).min(1.0);
            collected[b.street] += f64::from(b.tubes) * filled;
            let tubes = u64::from(b.tubes);
            if b.left <= at {
                streets[b.street].sent += tubes;
            }
            if b.at <= at {
                streets[b.street].delivered += tubes;
                labs[self.truth.streets[b.street].lab].received += tubes;
            }
        }
        for (street, collected) in streets.iter_mut().zip(collected) {
            street.collected = (collected as u64).max(street.sent);
        }
        for &(_, at_lab, row, tubes) in self.done.iter().filter(|d| d.0 <= at) {
            let (lab, tubes) = (&mut labs[at_lab], u64::from(tubes));
            match row {
                Row::Received => lab.received += tubes,
                Row::Plated => lab.plated += tubes,
                Row::Loaded => lab.plates += 1,
                Row::Resulted => {
                    lab.resulted += tubes;
                    lab.plates_done += 1;
                }
                Row::Called => lab.recalls_open += tubes,
                // They were called before they answered, though this list may say it later.
                Row::Answered => answered[at_lab] += tubes,
            }
        }
        for (lab, answered) in labs.iter_mut().zip(answered) {
            lab.recalls_closed = answered;
            lab.recalls_open = lab.recalls_open.saturating_sub(answered);
        }
        Reading { at, streets, labs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_is_loaded_before_it_is_done_and_every_one_is_both() {
        for seed in 0..6 {
            let trial = Trial::small(seed);
            for count in trial.situation(trial.finish).readings.iter().flat_map(|r| &r.labs) {
                assert!(count.plates >= count.plates_done, "{seed} {count:?}");
                let (open, tubes) =
                    (count.plates - count.plates_done, count.plated - count.resulted);
                // Tubes without results are on plates, but those with which the next plate is being filled.
                assert!(tubes < (open + 1) * 94 && open <= tubes, "{seed} {count:?}");
            }
        }
    }
}
