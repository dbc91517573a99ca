//! What would another number bring? Changes to a city that a question may name beside units at labs (`rules::with_units`): desks,
//! samplers and vehicles of a place, people at labs, pool size, prevalence, turnout, hours. Each gives a city of its own, whose
//! round is held against the present one with every street at its lab (`Round::kept`) and the same chance.

mod apply;
mod later;
mod refuse;
mod words;

pub use later::why_later;
pub use refuse::{POOL_MAX, place_named, places};
pub use words::{
    BY_FLOWS, BY_FLOWS_ANEW, SIMULATED_MEAN, beside_the_flows, done_by, labs_words, whole_city,
};

use super::city::{City, StageKind, Words};
use super::field_more::FieldItem;
use super::fluid::{self, CityFlow};
use super::model::{Model, Ms};
use super::round::{Error, Round};

/// Where a change is made: a place of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The whole city.
    City,
    /// A district, by its number.
    District(usize),
    /// A street, by the numbers of its district and of it there.
    Street(usize, usize),
}

/// A change to a city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Alter {
    /// More (negative: fewer) of what a district or street has.
    Field {
        /// Where; not the whole city.
        at: At,
        /// What.
        item: FieldItem,
        /// How many more.
        more: i64,
    },
    /// More (negative: fewer) people on the roll of a stage, over all shifts.
    Staff {
        /// Number of the lab.
        lab: usize,
        /// The stage.
        stage: StageKind,
        /// How many more.
        more: i64,
    },
    /// Persons per tube, in place of what the city, its districts, streets and zones say.
    Pool {
        /// Where.
        at: At,
        /// Persons per tube.
        persons: u64,
    },
    /// Share of infected people, 0 to 1: the mean that is reckoned with.
    Prevalence {
        /// The share.
        share: f64,
    },
    /// Residents who come.
    Turnout {
        /// Permille of the residents.
        permille: u64,
    },
    /// Hours a day in which people are sampled.
    SamplingHours {
        /// Hours.
        hours: u64,
    },
    /// Hours a day in which the staffed stages work, in shifts of eight hours at most, with the people of today.
    ShiftHours {
        /// Number of the lab; all when not given.
        lab: Option<usize>,
        /// Hours.
        hours: u64,
    },
    /// Hours a day for which each instrument counts.
    InstrumentHours {
        /// Number of the lab; all when not given.
        lab: Option<usize>,
        /// Hours.
        hours: u64,
    },
}

/// Most changes of one question.
pub const ALTERATIONS_MAX: usize = 100;

/// A city with changes made one after the other, and its round.
#[derive(Clone, Debug)]
pub struct Altered {
    /// The city; vehicles of a street, which has none of its own in a city, are in `vehicles` alone.
    pub city: City,
    /// More vehicles by number of the street.
    vehicles: Vec<(usize, i32)>,
}

impl Altered {
    /// The city with the changes.
    ///
    /// # Errors
    /// What cannot be asked of this city, in words that say what can.
    pub fn of(city: &City, changes: &[Alter]) -> Result<Altered, Words> {
        let mut altered = Altered { city: city.clone(), vehicles: Vec::new() };
        for change in changes {
            refuse::refuse(&altered, change)?;
            altered.make(change);
        }
        Ok(altered)
    }

    /// Its round while every street sends where it does in `round`, that of the city before.
    ///
    /// # Errors
    /// As `Round::kept`.
    pub fn kept(&self, round: &Round) -> Result<Round, Error> {
        self.with_vehicles(round.kept(&self.city)?)
    }

    /// Its round with streets assigned anew.
    ///
    /// # Errors
    /// As `Round::of`.
    pub fn anew(&self) -> Result<Round, Error> {
        self.with_vehicles(Round::of(&self.city)?)
    }

    fn with_vehicles(&self, round: Round) -> Result<Round, Error> {
        let more = |round: Round, &(street, more): &(usize, i32)| round.with_vehicles(street, more);
        self.vehicles.iter().try_fold(round, more)
    }
}

/// The labs in which two models of the same streets and labs differ, by their own numbers or those of their streets.
pub fn labs_concerned(before: &Model, after: &Model) -> Vec<usize> {
    let mut concerned: Vec<bool> =
        before.labs.iter().zip(&after.labs).map(|(a, b)| a != b).collect();
    for (a, b) in before.streets.iter().zip(&after.streets).filter(|(a, b)| a != b) {
        concerned[a.lab] = true;
        concerned[b.lab] = true;
    }
    let tubes = after.tubes_by_lab();
    let recalls = before.recall != after.recall;
    (0..concerned.len()).filter(|&lab| (concerned[lab] || recalls) && tubes[lab] > 0).collect()
}

/// When the last of some labs is done in the flows.
pub fn labs_done(flow: &CityFlow, labs: &[usize]) -> Ms {
    labs.iter().filter_map(|&lab| flow.labs.get(lab)).map(|lab| lab.finish).max().unwrap_or(0)
}

/// When a city with changes is done by the flows with its streets assigned anew; `None` when it gives no round. `kept` as in
/// `assigned_anew`.
pub fn done_anew(altered: &Altered, kept: Ms) -> Option<Ms> {
    altered.anew().ok().map(|round| fluid::ends_of(&round.model).1.min(kept))
}
