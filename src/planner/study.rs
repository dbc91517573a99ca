//! Studies: many replications of a model, and pairs of them.

use rayon::prelude::*;

use super::city::{StageKind, Words};
use super::derate::Derate;
use super::model::{Lab, MINUTE, Model, Ms};
use super::round::Doubt;
use super::simulate::{BoxRun, Cause, LabRun, Scratch, Simulation, Start, Stream, StreetStart};
use super::times::not_compared;

/// Quantiles of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// One in twenty is earlier.
    pub p05: Ms,
    /// One in ten.
    pub p10: Ms,
    /// One in four.
    pub p25: Ms,
    /// The middle.
    pub p50: Ms,
    /// One in four is later.
    pub p75: Ms,
    /// One in ten is later.
    pub p90: Ms,
    /// One in twenty is later.
    pub p95: Ms,
}

impl Quantiles {
    /// Quantiles of some times; all 0 of none. Type 7 of Hyndman and Fan (1996): between the two nearest.
    pub fn of(times: &mut [Ms]) -> Quantiles {
        times.sort_unstable();
        let at = |p: f64| {
            let Some(last) = times.len().checked_sub(1) else { return 0 };
            let place = p * last as f64;
            let (i, part) = (place as usize, place.fract());
            let (a, b) = (f64::from(times[i]), f64::from(times[(i + 1).min(last)]));
            (a + (b - a) * part) as Ms
        };
        Quantiles {
            p05: at(0.05),
            p10: at(0.1),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
        }
    }
}

/// What many replications gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Study {
    /// So many.
    pub replications: usize,
    /// The last swab.
    pub sampled: Quantiles,
    /// The last tube at a lab's door.
    pub delivered: Quantiles,
    /// The last first result.
    pub finish: Quantiles,
    /// The last result of all, recalls included.
    pub closed: Quantiles,
    /// Share of the replications that finished within the target.
    pub in_time: f64,
    /// By street: its last first result.
    pub streets: Vec<Quantiles>,
    /// By lab: its last first result.
    pub labs: Vec<Quantiles>,
    /// By lab: the stage that had most to do for its units, in most replications.
    pub bottlenecks: Vec<StageKind>,
    /// Single tubes of recalls, mean.
    pub recalled: f64,
    /// Finish of each replication, in their order: for a picture of the distribution.
    pub finishes: Vec<Ms>,
    /// By lab, by replication: its last first result.
    pub lab_finishes: Vec<Vec<Ms>>,
}

impl Study {
    /// Whether it has a spread: one replication has none, and its quantiles are no range.
    pub fn spreads(&self) -> bool {
        self.replications > 1
    }

    /// How probable it is to be in time; none where one replication says yes or no.
    pub fn probability(&self) -> Option<f64> {
        self.spreads().then_some(self.in_time)
    }
}

/// The few numbers that are kept of a replication.
struct Kept {
    sampled: Ms,
    delivered: Ms,
    finish: Ms,
    closed: Ms,
    streets: Vec<Ms>,
    labs: Vec<(Ms, StageKind)>,
    recalled: u64,
}

/// The stage that had most to do for what its units can do: busy time over units and their working share.
pub fn bottleneck(lab: &Lab, run: &LabRun) -> StageKind {
    let load = |kind: &StageKind| {
        let (stage, passed) = (&lab.stages[kind.index()], &run.stages[kind.index()]);
        passed.busy as f64 / (f64::from(stage.units.max(1)) * stage.working_share().max(1e-9))
    };
    StageKind::ALL.into_iter().max_by(|a, b| load(a).total_cmp(&load(b))).unwrap_or(StageKind::Pcr)
}

/// Runs `replications` of a model, each with its own draw of what is in `doubt`, on all cores. `go_on` is told how many
/// are done, from several threads; when it says no, the study ends early with those.
pub fn study(
    model: &Model,
    doubt: Option<&Doubt>,
    seed: u64,
    replications: usize,
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Study {
    let whole = Start::whole(model);
    let done = std::sync::atomic::AtomicUsize::new(0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    use std::sync::atomic::Ordering::Relaxed;
    let kept: Vec<Kept> = (0..replications as u64)
        .into_par_iter()
        .map_init(Scratch::default, |scratch, number| {
            if stop.load(Relaxed) {
                return None;
            }
            let drawn = doubt.map(|doubt| doubt.draw(model, seed, number));
            let kept = match &drawn {
                Some(drawn) => one(drawn, &Start::whole(drawn), seed, number, scratch),
                None => one(model, &whole, seed, number, scratch),
            };
            if !go_on(done.fetch_add(1, Relaxed) + 1) {
                stop.store(true, Relaxed);
            }
            Some(kept)
        })
        .flatten()
        .collect();
    sum_up(model, &kept)
}

/// When one lab of a model is done, replication by replication: what `study` finds of it with the same seed, without the
/// other labs. A replication costs what that lab and its streets cost, however large the rest of the city is.
pub fn lab_finishes(
    model: &Model,
    doubt: Option<&Doubt>,
    seed: u64,
    replications: usize,
    lab: usize,
) -> Vec<Ms> {
    let own: Vec<usize> =
        (0..model.streets.len()).filter(|&street| model.streets[street].lab == lab).collect();
    let memory = || (Scratch::default(), model.clone(), Start::whole(model));
    let of = |(scratch, drawn, start): &mut (Scratch, Model, Start), number: u64| {
        if let Some(doubt) = doubt {
            doubt.draw_into(model, seed, number, &own, &[lab], drawn);
            for &street in &own {
                start.streets[street] = StreetStart::whole(&drawn.streets[street]);
            }
        }
        Simulation::of_lab(drawn, start, lab, &own).finish_of(&[lab], seed, number, scratch)
    };
    (0..replications as u64).into_par_iter().map_init(memory, of).collect()
}

fn one(model: &Model, start: &Start, seed: u64, number: u64, scratch: &mut Scratch) -> Kept {
    let run = Simulation::new(model, start).run(seed, number, scratch);
    Kept {
        sampled: run.sampled,
        delivered: run.delivered,
        finish: run.finish,
        closed: run.closed,
        labs: run.labs.iter().zip(&model.labs).map(|(r, l)| (r.finish, bottleneck(l, r))).collect(),
        recalled: run.labs.iter().map(|lab| lab.recalled).sum(),
        streets: run.street_finish,
    }
}

fn sum_up(model: &Model, kept: &[Kept]) -> Study {
    let quantiles = |of: &dyn Fn(&Kept) -> Ms| {
        let mut times: Vec<Ms> = kept.iter().map(of).collect();
        Quantiles::of(&mut times)
    };
    let most = |lab: usize| {
        let count = |kind: &StageKind| kept.iter().filter(|k| k.labs[lab].1 == *kind).count();
        StageKind::ALL.into_iter().max_by_key(count).unwrap_or(StageKind::Pcr)
    };
    let n = kept.len().max(1) as f64;
    Study {
        replications: kept.len(),
        sampled: quantiles(&|k| k.sampled),
        delivered: quantiles(&|k| k.delivered),
        finish: quantiles(&|k| k.finish),
        closed: quantiles(&|k| k.closed),
        in_time: kept.iter().filter(|k| k.finish <= model.target).count() as f64 / n,
        streets: (0..model.streets.len()).map(|i| quantiles(&|k| k.streets[i])).collect(),
        labs: (0..model.labs.len()).map(|i| quantiles(&|k| k.labs[i].0)).collect(),
        bottlenecks: (0..model.labs.len()).map(most).collect(),
        recalled: kept.iter().map(|k| k.recalled as f64).sum::<f64>() / n,
        finishes: kept.iter().map(|k| k.finish).collect(),
        lab_finishes: (0..model.labs.len())
            .map(|i| kept.iter().map(|k| k.labs[i].0).collect())
            .collect(),
    }
}

/// What a change to one lab does to it, in pairs of replications with the same chance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paired {
    /// Pairs.
    pub pairs: usize,
    /// Mean finish of the lab as it is, ms.
    pub before: f64,
    /// Mean finish with the change, ms.
    pub after: f64,
    /// Mean of what is saved, ms; negative when it takes longer.
    pub saved: f64,
    /// Half the width of its 95 % confidence interval, ms; none of fewer than two pairs, which have no spread.
    pub half_width: Option<f64>,
}

impl Paired {
    /// Why its mean says nothing, where one side was not done within what is reckoned (`times::not_compared`).
    pub fn not_compared(&self) -> Option<Words> {
        not_compared(self.before as Ms, self.after as Ms)
    }
}

/// Compares a lab of the model with `changed` in its place. `go_on` is asked before each pair, from several threads; when it
/// says no, the comparison ends early with those that are done.
pub fn what_if(
    model: &Model,
    lab: usize,
    changed: &Lab,
    seed: u64,
    pairs: usize,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Paired {
    let start = Start::whole(model);
    let simulation = Simulation::new(model, &start);
    let both: Vec<(f64, f64)> = (0..pairs as u64)
        .into_par_iter()
        .map_init(Scratch::default, |scratch, number| {
            let [a, b] = go_on().then(|| simulation.pair(lab, changed, seed, number, scratch))?;
            Some((f64::from(a.finish), f64::from(b.finish)))
        })
        .flatten()
        .collect();
    Paired::of(&both)
}

/// Compares a model with `changed`, which has the same streets and labs with other numbers: when the last of `labs` is done. What
/// is at no other lab is simulated; these have to be all that differ. `go_on` as in `what_if`.
pub fn what_if_city(
    model: &Model,
    changed: &Model,
    labs: &[usize],
    seed: u64,
    pairs: usize,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Paired {
    let starts = [model, changed].map(Start::whole);
    let [before, after] = [(model, &starts[0]), (changed, &starts[1])]
        .map(|(model, start)| Simulation::new(model, start));
    let both: Vec<(f64, f64)> = (0..pairs as u64)
        .into_par_iter()
        .map_init(Scratch::default, |scratch, number| {
            go_on().then(|| {
                let [a, b] =
                    [&before, &after].map(|one| one.finish_of(labs, seed, number, scratch));
                (f64::from(a), f64::from(b))
            })
        })
        .flatten()
        .collect();
    Paired::of(&both)
}

impl Paired {
    /// Of when each pair was done, before and after, ms.
    pub fn of(both: &[(f64, f64)]) -> Paired {
        let n = both.len().max(1) as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| both.iter().map(of).sum::<f64>() / n;
        let saved = mean(&|p| p.0 - p.1);
        let variance = mean(&|p| (p.0 - p.1 - saved).powi(2)) * n / (n - 1.0);
        Paired {
            pairs: both.len(),
            before: mean(&|p| p.0),
            after: mean(&|p| p.1),
            saved,
            half_width: (both.len() > 1).then(|| 1.96 * (variance / n).sqrt()),
        }
    }
}

/// Tubes that wait or are worked on over time, of one replication of the whole city.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Length of a step, ms.
    pub step: Ms,
    /// By step: filled at the desks and not at a lab yet.
    pub on_the_way: Vec<u64>,
    /// By stage, by step: at the stage, waiting or in a run.
    pub stages: [Vec<u64>; StageKind::COUNT],
}

/// Length of a step of `backlog`.
const BACKLOG_STEP: Ms = 10 * MINUTE;

/// The backlog by stage over time, of replication 0 of a seed.
pub fn backlog(model: &Model, seed: u64) -> Backlog {
    let start = Start::whole(model);
    let simulation = Simulation::new(model, &start);
    let mut scratch = Scratch::default();
    // Changes by step: +tubes where they come, −tubes where they leave.
    let mut changes: [Vec<i64>; StageKind::COUNT + 1] = Default::default();
    let mut put = |row: usize, at: Ms, tubes: i64| {
        let step = (at / BACKLOG_STEP) as usize;
        for row in &mut changes {
            if row.len() <= step {
                row.resize(step + 1, 0);
            }
        }
        changes[row][step] += tubes;
    };
    let mut streets = vec![Default::default(); model.streets.len()];
    for lab in 0..model.labs.len() {
        let run = simulation.lab(lab, seed, 0, &mut scratch, &mut streets, &mut |kind, lot| {
            put(kind.index() + 1, lot.ready, -i64::from(lot.tubes));
            if kind.index() + 1 < StageKind::COUNT {
                put(kind.index() + 2, lot.ready, i64::from(lot.tubes));
            }
        });
        for BoxRun { closed, at, tubes, .. } in simulation.boxes(&scratch) {
            put(0, closed, i64::from(tubes));
            put(0, at, -i64::from(tubes));
            put(1, at, i64::from(tubes));
        }
        for (at, tubes) in run.called_back {
            put(1, at, i64::from(tubes));
        }
    }
    let running = |row: &Vec<i64>| {
        let mut sum = 0;
        row.iter()
            .map(|by| {
                sum += by;
                u64::try_from(sum).unwrap_or(0)
            })
            .collect::<Vec<u64>>()
    };
    let [way, stages @ ..] = &changes;
    Backlog { step: BACKLOG_STEP, on_the_way: running(way), stages: stages.each_ref().map(running) }
}

impl Doubt {
    /// A model as it may be: every number in doubt drawn once for this replication.
    pub fn draw(&self, model: &Model, seed: u64, replication: u64) -> Model {
        let mut drawn = model.clone();
        let streets: Vec<usize> = (0..model.streets.len()).collect();
        let labs: Vec<usize> = (0..model.labs.len()).collect();
        self.draw_into(model, seed, replication, &streets, &labs, &mut drawn);
        drawn
    }

    /// The same of some streets and labs, drawn from `model` into a copy of it; the others are not touched. Each has its own
    /// chance, so what is drawn of one does not depend on which others are.
    fn draw_into(
        &self,
        model: &Model,
        seed: u64,
        replication: u64,
        streets: &[usize],
        labs: &[usize],
        drawn: &mut Model,
    ) {
        let dice = Stream::of(seed, replication, Cause::Parameter, 0);
        // Mean 1: what is in doubt is not on average more.
        let factor = |sigma: f64, z: f64| (sigma * z - sigma * sigma / 2.0).exp();
        let city = factor(self.desk_rate_city, dice.normal(0));
        let late = (self.late_share * dice.normal(1)).exp();
        let tail = factor(self.late_mean, dice.normal(2));
        let travel = factor(self.travel, dice.normal(3));
        let come = factor(self.turnout_city, dice.normal(4));
        let derate = Derate::new(self.lab_derate, self.lab_pace);
        let scale = |time: Ms, by: f64| (f64::from(time) * by) as Ms;
        for &i in streets {
            let mut street = model.streets[i];
            let whole = street.part_of.map_or(i as u64, u64::from);
            let own = factor(self.desk_rate, dice.normal(1000 + whole));
            street.desk_rate *= city * own;
            let turnout = self.turnout_of(street.persons);
            let own = factor(turnout, dice.normal(500_000 + whole));
            street.persons = (f64::from(street.persons) * come * own).round() as u32;
            let odds = street.late_share / (1.0 - street.late_share).max(1e-6) * late;
            street.late_share = odds / (1.0 + odds);
            street.late_mean = scale(street.late_mean, tail);
            street.travel = scale(street.travel, travel).min(street.travel_max);
            drawn.streets[i] = street;
        }
        for &i in labs {
            let pace = derate.draw(dice.below(1_000_000 + i as u64));
            for (stage, own) in drawn.labs[i].stages.iter_mut().zip(&model.labs[i].stages) {
                stage.run = scale(own.run, 1.0 / pace).max(1);
            }
        }
        let (a, b) = self.prevalence;
        if a > 0.0 && b > 0.0 {
            drawn.recall.prevalence = dice.below(7).beta(a, b);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::planner::example::{self, DOUBT};

    /// What is in doubt of a street is the same of its parts, and another's of another.
    #[test]
    fn parts_of_a_street_are_slow_and_fast_together() {
        let mut model = example::city(1);
        for (i, street) in model.streets.iter_mut().enumerate() {
            street.part_of = (i < 8).then_some(i as u32 / 4);
        }
        for replication in 0..20 {
            let drawn = DOUBT.draw(&model, 5, replication);
            let by = |i: usize| drawn.streets[i].desk_rate / model.streets[i].desk_rate;
            assert!((1..4).all(|i| by(i) == by(0)) && (5..8).all(|i| by(i) == by(4)));
            let others = [0, 4, 8, 9, 10];
            let each = others.iter().flat_map(|a| others.iter().map(move |b| (*a, *b)));
            assert!(each.filter(|(a, b)| a < b).all(|(a, b)| by(a) != by(b)), "{replication}");
        }
    }
}
