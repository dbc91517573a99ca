//! What the round so far says of the numbers that were in doubt, each learned from what shows it best:
//! - `desks`: the speed of desks, street by street;
//! - `people`: who comes at all, who late and how late;
//! - `stops`: when a lab stood still, and whether it does now;
//! - `pace`: the pace of each lab, stops left out;
//! - `astray`: to which other lab a lab's streets deliver.

mod astray;
mod desks;
mod pace;
mod people;
mod stops;
#[cfg(test)]
mod tests;

use super::situation::Situation;
use crate::planner::fluid::Replay;
use crate::planner::model::{Lab, Model, Ms};
use crate::planner::round::Doubt;
use crate::planner::simulate::Stream;
use astray::Astray;
pub(super) use desks::queue_tubes;
use pace::Pace;
use people::People;
use rayon::prelude::*;
#[cfg(test)]
use stops::OwnClock;
pub(super) use stops::{Still, remaining};

/// What is believed after the round so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Belief {
    /// By street: mean and standard deviation of the logarithm of its desks' speed over the model's.
    pub desks: Vec<(f64, f64)>,
    /// Who comes.
    people: People,
    /// By lab: how fast it may be; weights sum to 1.
    pub pace: Vec<Vec<Pace>>,
    /// By lab: when it stood still.
    pub stops: Vec<Vec<Still>>,
    /// Labs whose streets deliver elsewhere.
    astray: Vec<Astray>,
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
    /// By lab: since when it stands still.
    pub still: Vec<Option<Ms>>,
    /// By lab: when it stood still.
    pub stops: &'b [Vec<Still>],
}

impl Belief {
    /// Learns.
    pub fn learn(model: &Model, doubt: &Doubt, situation: &Situation) -> Belief {
        let desks = desks::learn(model, doubt, situation);
        let people = People::learn(model, doubt, situation, &desks);
        let of_lab = |(i, lab): (usize, &Lab)| {
            let stops = stops::find(model, lab, i, situation);
            (pace::learn(model, doubt, lab, i, situation, &stops), stops)
        };
        let labs = model.labs.par_iter().enumerate();
        let (pace, stops) = labs.map(of_lab).unzip();
        Belief { desks, people, pace, stops, astray: astray::learn(model, situation) }
    }

    /// By lab: since when it stands still.
    pub fn still(&self) -> Vec<Option<Ms>> {
        let now = |stops: &Vec<Still>| {
            stops.last().filter(|last| last.to.is_none()).map(|last| last.from)
        };
        self.stops.iter().map(now).collect()
    }

    /// A model as it may be, by what is believed.
    pub fn draw(
        &self,
        model: &Model,
        doubt: &Doubt,
        situation: &Situation,
        dice: Stream,
    ) -> Drawn<'_> {
        let mut drawn = model.clone();
        let coming = self.people.draw(model, dice.below(1));
        let travel = (doubt.travel * dice.normal(2)).exp();
        for (i, street) in drawn.streets.iter_mut().enumerate() {
            let (mean, sd) = self.desks[i];
            street.desk_rate *= (mean + sd * dice.normal(1000 + i as u64)).exp();
            street.persons = (f64::from(street.persons) * coming.turnout[i]).round() as u32;
            street.late_share = shifted(street.late_share, coming.late);
            street.late_mean = (f64::from(street.late_mean) * coming.tail.exp()) as Ms;
            street.travel = ((f64::from(street.travel) * travel) as Ms).min(street.travel_max);
        }
        let mut inside = Vec::with_capacity(drawn.labs.len());
        for (i, lab) in drawn.labs.iter_mut().enumerate() {
            let Some((pace, factor)) = pace::draw(&self.pace[i], dice.below(1_000_000 + i as u64))
            else {
                continue;
            };
            scale_pace(lab, factor);
            inside.push(&pace.replay);
        }
        let (a, b) = doubt.prevalence;
        if a > 0.0 && b > 0.0 {
            drawn.recall.prevalence = dice.below(7).beta(a, b);
        }
        for (k, astray) in self.astray.iter().enumerate() {
            astray.draw(&mut drawn, situation, dice.below(2_000_000 + k as u64));
        }
        let late = drawn.streets.iter().map(|s| s.late_share).collect();
        Drawn { late, model: drawn, inside, still: self.still(), stops: &self.stops }
    }
}

/// A lab that works `factor` times as fast.
pub(super) fn scale_pace(lab: &mut Lab, factor: f64) {
    for stage in &mut lab.stages {
        stage.run = ((f64::from(stage.run) / factor.clamp(0.05, 20.0)) as Ms).max(1);
    }
}

/// A share whose odds are shifted by `by` in logarithms.
fn shifted(share: f64, by: f64) -> f64 {
    let odds = share / (1.0 - share).max(1e-6) * by.exp();
    odds / (1.0 + odds)
}

/// Makes weights of logarithms of them; they sum to 1.
fn normalise<T>(grid: &mut [T], weight: impl Fn(&mut T) -> &mut f64) {
    let most = grid.iter_mut().map(|one| *weight(one)).fold(f64::MIN, f64::max);
    grid.iter_mut().for_each(|one| *weight(one) = (*weight(one) - most).exp());
    let sum: f64 = grid.iter_mut().map(|one| *weight(one)).sum();
    grid.iter_mut().for_each(|one| *weight(one) /= sum);
}
