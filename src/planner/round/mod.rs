//! From a city to a round: which street sends to which lab, and the model that the other layers reckon with.
//!
//! What a city file says and what a model needs differ in a few places, and the choices are made here:
//! - A desk works while it has a sampler, and no faster than its samplers can for a whole day.
//! - A street that is shared between labs is as many streets of the model, each with its part of people, desks and
//!   vehicles.
//! - An instrument counts its hours a day by resting the others; beyond that it is taken at its word. Staffed stages are
//!   taken at the derate of their lab (`Lab::derate_permille`), for the derate was measured on whole labs and the rest of
//!   instruments is part of it.
//! - A rest of an instrument is half a run longer than the rule says, because a run that is going on goes on.

mod doubt;
mod error;
mod kept;
mod labs;
mod problem;
mod streets;
mod units;

pub use doubt::Doubt;
pub use error::Error;
pub use kept::{Part, Whole};
pub use labs::lab_rate;

use super::assign;
use super::city::{City, Words, time_of_day};
use super::lacking::lacking;
use super::model::{DAY, HORIZON_MS, Lab, MINUTE, Model, Ms, Recall};
use super::reach;
pub(in crate::planner) use streets::staffed;
use streets::{Source, sources};
use units::{ms, permille};

/// A round of a city: the model, and whose numbers are whose.
#[derive(Clone, Debug)]
pub struct Round {
    /// The model.
    pub model: Model,
    /// By street of the model.
    pub streets: Vec<StreetOf>,
    /// By street of the model: its number in `problem`.
    pub source: Vec<usize>,
    /// By lab of the model: its code and name.
    pub labs: Vec<(String, Words)>,
    /// The assignment that the model follows.
    pub assignment: assign::Assignment,
    /// The assignment's problem, by which its indices are read.
    pub problem: assign::Problem,
    /// By street of `problem`: what it has as a whole, and its parts.
    pub whole: Vec<Whole>,
    /// How uncertain the numbers are.
    pub doubt: Doubt,
}

/// Where a street of the model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreetOf {
    /// Code of its district.
    pub district: String,
    /// Code of the street; the district's own when it has no streets.
    pub code: String,
    /// Name.
    pub name: Words,
}

/// A part of a street below this share of its tubes is not sent to a lab of its own.
const SHARE_MIN: f64 = 0.005;

impl Round {
    /// The round of a city, with the assignment that finishes first.
    ///
    /// # Errors
    /// When something is not there at all, when a street reaches no lab, when something would never end, when a number is
    /// out of bounds.
    pub fn of(city: &City) -> Result<Round, Error> {
        let labs: Vec<Lab> = city.labs.iter().map(|lab| labs::lab_of(city, lab)).collect();
        let mut model = Model {
            midnight_offset: ms(city.start_s) % DAY,
            // What is not done by the horizon is in time for no target; a city file has none as long (`TARGET_HOURS_MAX`).
            target: ms(u64::from(city.target_h) * 3600).min(HORIZON_MS - 1),
            streets: Vec::new(),
            labs,
            recall: recall_of(city),
        };
        let sources = sources(city);
        let lacks = lacking(
            city,
            &model,
            sources.iter().filter(|s| s.model.persons > 0).map(Source::asked),
        );
        let mut cut_off = reach::cut_off(city);
        cut_off.retain(|one| lacks.is_empty() || !one.is_up_to_its_labs());
        if !lacks.is_empty() || !cut_off.is_empty() {
            return Err(Error::Lacking { lacks, cut_off });
        }
        let problem = problem::problem(city, &model.labs, &sources);
        let options = assign::Options {
            target_h: Some(f64::from(city.target_h)),
            floor_h: half_of_sampling_h(city),
            ..assign::Options::default()
        };
        let assignment = assign::solve(&problem, &options, None)?;
        let mut sent = vec![Vec::new(); sources.len()];
        for share in &assignment.shares.sent {
            sent[share.street].push((share.lab, share.tubes));
        }
        let (mut streets, mut numbers, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for (i, source) in sources.iter().enumerate() {
            let one = assignment.whole.lab_of.get(i).copied().flatten();
            let all = source.model.tubes().max(1) as f64;
            let mut parts: Vec<(usize, f64)> = match (city.one_to_one, one) {
                (true, Some(lab)) => vec![(lab, 1.0)],
                _ => sent[i]
                    .iter()
                    .map(|&(lab, tubes)| (lab, tubes as f64 / all))
                    .filter(|part| part.1 >= SHARE_MIN)
                    .collect(),
            };
            if parts.is_empty() {
                // Nobody lives there, or all its parts are crumbs: the lab of the whole street.
                parts.extend(one.or(source.ways.first().map(|way| way.lab)).map(|lab| (lab, 1.0)));
            }
            let travel = |lab: usize| {
                let way = source.ways.iter().find(|way| way.lab == lab);
                way.map_or(source.model.travel, |way| (way.minutes * f64::from(MINUTE)) as Ms)
            };
            let parts = parts.into_iter();
            let parts = parts.map(|(lab, share)| Part { lab, share, travel: travel(lab) });
            let part = Whole { street: source.model, have: source.have, parts: parts.collect() };
            for divided in part.divided() {
                model.streets.push(divided);
                streets.push(source.of.clone());
                numbers.push(i);
            }
            whole.push(part);
        }
        let round = Round {
            model,
            streets,
            source: numbers,
            labs: city.labs.iter().map(|lab| (lab.code.clone(), lab.name.clone())).collect(),
            assignment,
            problem,
            whole,
            doubt: doubt::doubt(city),
        };
        round.checked()
    }

    /// A time of the round as the clock says it: 14:05, or +1 02:30 on the next day.
    pub fn clock(&self, at: Ms) -> String {
        let minutes = (u64::from(at) + u64::from(self.model.midnight_offset)) / u64::from(MINUTE);
        let time = time_of_day(minutes);
        match minutes / 1440 {
            0 => time,
            day => format!("+{day} {time}"),
        }
    }
}

/// Half the hours of sampling in a day, in the district that has most, and no more than the target: a lab that is done so soon by
/// its mean pace waits for tubes half of the time while they come, and holds nothing up.
fn half_of_sampling_h(city: &City) -> f64 {
    let day_s = city.districts.iter().map(|district| city.sampling_of(district).0).max();
    (day_s.unwrap_or(0) as f64 / 7200.0).min(f64::from(city.target_h))
}

fn recall_of(city: &City) -> Recall {
    let (recall, prior) = (&city.norm.recall, &city.norm.prevalence);
    let (a, b) = (prior.alpha_milli.value as f64, prior.beta_milli.value as f64);
    Recall {
        prevalence: if a + b > 0.0 { a / (a + b) } else { 0.0 },
        correlation: permille(prior.rho_permille.value).min(0.99),
        cluster: (prior.cluster_tubes_tenths.value as f64 / 10.0).max(1.0),
        delay: ms(recall.delay_s.value),
        delay_spread: permille(recall.delay_spread_permille.value),
        travel: ms(recall.travel_s.value),
        hold: ms(recall.hold_s.value),
    }
}
