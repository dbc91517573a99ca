//! The forecast: from the tubes that are really in the system to the time at which they will be done.

mod begin;
pub mod judge;
mod learn;
mod measures;
mod past;
mod situation;
#[cfg(test)]
mod tests;
pub mod trial;

pub use situation::{LabCount, Reading, Situation, StreetCount, told_between};

use rayon::prelude::*;

use super::city::{StageKind, Words};
use super::model::{DAY, HORIZON_MS, Model, Ms, Street};
use super::round::{Doubt, Round};
use super::simulate::{Cause, Replication, Scratch, Simulation, Start, Stream};
use super::study::{Quantiles, bottleneck};
use super::times::never;
use learn::{Belief, Drawn, remaining};
use past::Past;

/// Draws of a forecast.
pub const PARTICLES: usize = 200;

/// What binds the round now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Desks are still the ones that are waited for.
    Collecting,
    /// Labs have more waiting than they can take: they set the pace.
    Backlog,
    /// What is left comes in drops: late comers, last boxes, last plates.
    Stragglers,
    /// Everything is resulted.
    Done,
}

/// A measure and what it would bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What to do.
    pub words: Words,
    /// What the median finish of the city would gain, ms.
    pub saves: Ms,
    /// Probability of meeting the target with it.
    pub in_time: f64,
}

/// The bottleneck.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// Number of the lab; `None`: collection, at the desks of `street`.
    pub lab: Option<usize>,
    /// The stage of the lab.
    pub stage: Option<StageKind>,
    /// Number of the street that is last, when collection binds.
    pub street: Option<usize>,
    /// Since when, or from when on, it binds.
    pub from: Ms,
    /// In words.
    pub words: Words,
}

/// A lab that stands still: no plate loaded and no result though tubes wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Standstill {
    /// Number of the lab.
    pub lab: usize,
    /// Since when.
    pub since: Ms,
    /// Tubes that wait or lie on plates there.
    pub tubes: u64,
    /// When it starts again, as far as anybody can say: 10, 50 and 90 %.
    pub again: [Ms; 3],
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The time of the newest reading.
    pub at: Ms,
    /// The target.
    pub target: Ms,
    /// The last swab.
    pub sampled: Quantiles,
    /// The last first result of the city.
    pub finish: Quantiles,
    /// Probability of that within the target.
    pub in_time: f64,
    /// Tubes with a result at the target: 5, 10, 25, 50, 75, 90 and 95 % of the draws have fewer.
    pub by_target: [u64; 7],
    /// By street of the model: its last first result.
    pub streets: Vec<Quantiles>,
    /// By lab: its last first result.
    pub labs: Vec<Quantiles>,
    /// By street of the model: tubes that are still to be filled, the middle of the draws.
    pub to_come: Vec<u64>,
    /// What sets the pace.
    pub regime: Regime,
    /// What binds.
    pub bottleneck: Option<Bottleneck>,
    /// Labs that stand still.
    pub standing: Vec<Standstill>,
    /// The best measures, best first; at most three.
    pub measures: Vec<Measure>,
    /// Particles.
    pub particles: usize,
    /// The finish of each particle, in their order: for a picture of the distribution, and to judge it by.
    pub finishes: Vec<Ms>,
}

/// Days of a round in which it is forecast: as many are left to the end of the reckoning.
const DAYS_MAX: Ms = HORIZON_MS / DAY / 2;

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no reading yet, or nothing has been collected.
    #[error("nothing has been collected yet: a forecast begins with the first tube")]
    NothingYet,
    /// The readings are of another round: so many streets and labs were expected.
    #[error("the readings do not fit the plan: {streets} streets and {labs} labs were expected")]
    OtherRound {
        /// Streets of the model.
        streets: usize,
        /// Labs of the model.
        labs: usize,
    },
    /// A reading is older than the one before it.
    #[error("reading {at} is older than the one before it: clocks are out of order")]
    OutOfOrder {
        /// Number of the reading.
        at: usize,
    },
    /// A reading is later than any round lasts.
    #[error(
        "the newest counts are from day {} after the opening of the round, and beyond {} days nothing is forecast: check the clock, \
         and if it is right, close the round and open another one for what is still to be tested",
        at / DAY,
        DAYS_MAX
    )]
    TooLate {
        /// Its time, since the opening.
        at: Ms,
    },
    /// Whoever asked does not wait any more.
    #[error("the forecast was stopped before it was done")]
    Stopped,
    /// The plan itself cannot be reckoned.
    #[error("{}", .0.en)]
    Unworkable(Words),
}

impl Error {
    /// The same in both languages.
    pub fn words(&self) -> Words {
        let zh = match self {
            Error::NothingYet => "尚无采样数据：收到第一管后才有预测".to_owned(),
            Error::OtherRound { streets, labs } => {
                format!("读数与方案不符：应有 {streets} 个街道、{labs} 家实验室")
            }
            Error::OutOfOrder { at } => format!("第 {at} 次读数早于前一次：时钟混乱"),
            Error::TooLate { at } => format!(
                "最新读数在开轮后第 {} 天，超过 {DAYS_MAX} 天不作预测：请核对时钟；时钟无误则请关闭该轮次，尚需检测的另开新轮次",
                at / DAY
            ),
            Error::Stopped => "预测在完成前已停止".to_owned(),
            Error::Unworkable(words) => words.zh.clone(),
        };
        Words::new(zh, self.to_string())
    }
}

/// Forecasts the rest of a round. `seed` decides every draw: the same readings and seed give the same forecast. `go_on` is
/// asked between draws, from several threads; when it says no, there is none.
///
/// # Errors
/// When nothing has been collected, when readings do not fit the round or each other, and when it was stopped.
pub fn forecast(
    round: &Round,
    situation: &Situation,
    seed: u64,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Result<Forecast, Error> {
    if let Err(why) = round.model.check() {
        return Err(Error::Unworkable(round.say(&why)));
    }
    check(&round.model, situation)?;
    let belief = Belief::learn(&round.model, &round.doubt, situation);
    let past = Past::of(&round.model, situation);
    let (model, doubt) = (&round.model, &round.doubt);
    let of = Of { model, doubt, situation, belief: &belief, past: &past, seed };
    let kept = of.particles(PARTICLES, go_on, &|_, _| {})?;
    let mut forecast = sum_up(&of, &kept);
    measures::advise(&measures::Asked { round, of, kept: &kept, go_on }, &mut forecast)?;
    Ok(forecast)
}

/// The forecast without its advice, for a model that has passed `Model::check`.
///
/// # Errors
/// As `forecast`.
pub fn of_model(
    model: &Model,
    doubt: &Doubt,
    situation: &Situation,
    seed: u64,
    particles: usize,
) -> Result<Forecast, Error> {
    check(model, situation)?;
    let belief = Belief::learn(model, doubt, situation);
    let past = Past::of(model, situation);
    let of = Of { model, doubt, situation, belief: &belief, past: &past, seed };
    let kept = of.particles(particles, &|| true, &|_, _| {})?;
    Ok(sum_up(&of, &kept))
}

/// What a forecast is of.
#[derive(Clone, Copy)]
struct Of<'a> {
    model: &'a Model,
    doubt: &'a Doubt,
    situation: &'a Situation,
    belief: &'a Belief,
    past: &'a Past,
    seed: u64,
}

impl Of<'_> {
    /// Runs the rest of the round `n` times, each as another draw sees it, after `change` has been made to it.
    ///
    /// # Errors
    /// When `go_on` says no.
    fn particles(
        &self,
        n: usize,
        go_on: &(dyn Fn() -> bool + Sync),
        change: &(dyn Fn(&mut Model, &mut Start) + Sync),
    ) -> Result<Vec<Kept>, Error> {
        let one = |scratch: &mut Scratch, number| {
            if !go_on() {
                return Err(Error::Stopped);
            }
            let (mut drawn, mut start) = self.particle(number);
            change(&mut drawn.model, &mut start);
            Ok(Kept::of(&drawn, &start, self.seed, number, self.past, scratch))
        };
        (0..n as u64).into_par_iter().map_init(Scratch::default, one).collect()
    }

    /// The rest of the round as one draw sees it.
    fn particle(&self, number: u64) -> (Drawn<'_>, Start) {
        let dice = Stream::of(self.seed, number, Cause::Parameter, 1);
        let drawn = self.belief.draw(self.model, self.doubt, self.situation, dice);
        let start = begin::start(&drawn, self.situation, dice.below(1));
        (drawn, start)
    }

    /// The labs that stand still.
    fn standing(&self, now: Ms) -> Vec<Standstill> {
        let newest = self.situation.readings.last();
        let still = self.belief.still().into_iter().enumerate();
        let standing = still.filter_map(|(lab, since)| {
            let (since, count) = (since?, newest?.labs.get(lab)?);
            let lasted = now.saturating_sub(since);
            let again = [0.1, 0.5, 0.9].map(|share| now.saturating_add(remaining(lasted, share)));
            let tubes = count.received.saturating_sub(count.resulted);
            Some(Standstill { lab, since, tubes, again })
        });
        standing.collect()
    }
}

fn check(model: &Model, situation: &Situation) -> Result<(), Error> {
    let mut before = 0;
    for (at, reading) in situation.readings.iter().enumerate() {
        if reading.streets.len() != model.streets.len() || reading.labs.len() != model.labs.len() {
            let (streets, labs) = (model.streets.len(), model.labs.len());
            return Err(Error::OtherRound { streets, labs });
        }
        if reading.at < before {
            return Err(Error::OutOfOrder { at });
        }
        if reading.at > HORIZON_MS / 2 {
            return Err(Error::TooLate { at: reading.at });
        }
        before = reading.at;
    }
    let newest = situation.readings.last().ok_or(Error::NothingYet)?;
    if newest.streets.iter().all(|s| s.collected == 0) {
        return Err(Error::NothingYet);
    }
    Ok(())
}

/// What is kept of a particle.
struct Kept {
    sampled: Ms,
    delivered: Ms,
    finish: Ms,
    /// Tubes that get their result from now on until the target.
    by_target: u64,
    streets: Vec<Ms>,
    labs: Vec<(Ms, StageKind)>,
    /// Tubes of the people who do not come late.
    queue: f64,
    /// By street: tubes that are still to be filled.
    to_come: Vec<u64>,
}

/// Spread of the end that no parameter explains, as a share of the longest run of any lab: how the last plates fall on units,
/// rests and vehicles is not known to the minute, and now and then much less is (Student's t with four degrees of freedom).
/// Fitted on made-up rounds with seeds from a million on; those that the forecast is judged by begin at 0.
const LAST_PLATES: f64 = 0.10;

impl Kept {
    fn of(
        drawn: &Drawn<'_>,
        start: &Start,
        seed: u64,
        number: u64,
        past: &Past,
        scratch: &mut Scratch,
    ) -> Kept {
        let run = Simulation::new(&drawn.model, start).run(seed, number, scratch);
        let in_queue = |street: &Street| street.tubes() as f64 * (1.0 - street.late_share);
        let queue = drawn.model.streets.iter().map(in_queue).sum();
        let longest = drawn.model.labs.iter().flat_map(|lab| &lab.stages).map(|s| s.run).max();
        let dice = Stream::of(seed, number, Cause::Parameter, 2);
        let longest = f64::from(longest.unwrap_or(0)).max(1.0);
        let z =
            dice.normal(0) / ((dice.exponential(2) + dice.exponential(3)) / 2.0).sqrt().max(0.05);
        let now = past.now;
        // Not before now, nothing that is done is undone, and less where less than two runs are left. What is not done by the end
        // of the reckoning is no time that could be a little earlier.
        let shifted = |at: Ms| {
            let left = f64::from(at.saturating_sub(now));
            let shift = LAST_PLATES * longest * (left / (2.0 * longest)).min(1.0) * z;
            match at <= now || never(at) {
                true => at,
                false => now.saturating_add((left + shift).max(left * 0.3) as Ms).min(HORIZON_MS),
            }
        };
        if past.done {
            // Whoever a draw has still coming is not waited for.
            return Kept::done(&drawn.model, past, &run, queue);
        }
        let to_come = start.streets.iter().map(|street| (street.main + street.late).ceil() as u64);
        // What is left of nothing was over before now.
        let over = |at: Ms, since: Ms| if at == 0 { since } else { shifted(at).max(now) };
        // A tube without a result that the counts put nowhere is somewhere: on no plate that is told, or among single tubes.
        let finish = match over(run.finish, past.finish) {
            over if past.open && over <= now => {
                now.saturating_add((longest * dice.unit(4)) as Ms).saturating_add(1)
            }
            over => over,
        };
        let street =
            |(i, at): (usize, &Ms)| shifted(if *at == 0 { past.street(i, &run) } else { *at });
        let labs = run.labs.iter().zip(&drawn.model.labs).zip(&past.labs);
        Kept {
            sampled: if run.sampled <= now { past.sampled } else { run.sampled },
            delivered: run.delivered,
            finish,
            by_target: run.labs.iter().map(|lab| lab.resulted_by(drawn.model.target)).sum(),
            labs: labs
                .map(|((run, lab), since)| (over(run.finish, *since), bottleneck(lab, run)))
                .collect(),
            streets: run.street_finish.iter().enumerate().map(street).collect(),
            queue,
            to_come: to_come.collect(),
        }
    }

    /// Of a round of which nothing is left.
    fn done(model: &Model, past: &Past, run: &Replication, queue: f64) -> Kept {
        let labs = past.labs.iter().zip(&run.labs).zip(&model.labs);
        Kept {
            sampled: past.sampled,
            delivered: past.finish,
            finish: past.finish,
            by_target: 0,
            labs: labs.map(|((at, run), lab)| (*at, bottleneck(lab, run))).collect(),
            streets: (0..past.streets.len())
                .map(|i| past.street(i, run).min(past.finish))
                .collect(),
            queue,
            to_come: vec![0; model.streets.len()],
        }
    }
}

/// What is resulted now and until the target, as quantiles.
fn by_target(situation: &Situation, kept: &[Kept]) -> [u64; 7] {
    let newest = situation.readings.last();
    let now: u64 = newest.map_or(0, |r| r.labs.iter().map(|lab| lab.resulted).sum());
    let mut tubes: Vec<u64> = kept.iter().map(|k| now + k.by_target).collect();
    tubes.sort_unstable();
    let last = tubes.len().saturating_sub(1) as f64;
    let at = |share: f64| tubes.get((share * last).round() as usize).copied().unwrap_or(now);
    [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95].map(at)
}

/// Tubes of a street that are still to be filled: the middle of the draws.
fn to_come(kept: &[Kept], street: usize) -> u64 {
    let mut tubes: Vec<u64> = kept.iter().map(|k| k.to_come[street]).collect();
    tubes.sort_unstable();
    tubes.get(tubes.len() / 2).copied().unwrap_or(0)
}

fn sum_up(of: &Of<'_>, kept: &[Kept]) -> Forecast {
    let Of { model, situation, past, .. } = *of;
    let (now, done) = (past.now, past.done);
    let quantiles = |of: &dyn Fn(&Kept) -> Ms| {
        let mut times: Vec<Ms> = kept.iter().map(of).collect();
        Quantiles::of(&mut times)
    };
    let n = kept.len().max(1) as f64;
    let delivered = quantiles(&|k| k.delivered);
    let finish = quantiles(&|k| k.finish);
    Forecast {
        at: now,
        target: model.target,
        sampled: quantiles(&|k| k.sampled),
        finish,
        in_time: kept.iter().filter(|k| k.finish <= model.target).count() as f64 / n,
        by_target: by_target(situation, kept),
        streets: (0..model.streets.len()).map(|i| quantiles(&|k| k.streets[i])).collect(),
        labs: (0..model.labs.len()).map(|i| quantiles(&|k| k.labs[i].0)).collect(),
        to_come: (0..model.streets.len()).map(|i| to_come(kept, i)).collect(),
        regime: if done { Regime::Done } else { measures::regime(of, kept, &finish, &delivered) },
        bottleneck: None,
        standing: if done { Vec::new() } else { of.standing(now) },
        measures: Vec::new(),
        particles: kept.len(),
        finishes: kept.iter().map(|k| k.finish).collect(),
    }
}
