//! A round of which the city has changed while every street goes on sending where it did: what a question about a change is held
//! against.

use super::error::Error;
use super::streets::sources;
use super::{Round, doubt, labs, recall_of};
use crate::planner::city::City;
use crate::planner::model::{HOUR, Lab, Ms, Street};

/// A street of the city as a whole, and the labs that its parts send to.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// As it would be if it sent to one lab; its longest time on the road is what the norm allows.
    pub street: Street,
    /// Its desks, samplers and registrars.
    pub have: [u64; 3],
    /// Its parts.
    pub parts: Vec<Part>,
}

/// A part of a street.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Number of the lab that it sends to.
    pub lab: usize,
    /// Share of the street; all parts together need not make 1.
    pub share: f64,
    /// Median time on the road.
    pub travel: Ms,
}

impl Whole {
    /// Hours of a day in which its desks work.
    pub fn hours(&self) -> u64 {
        u64::from(self.street.hours / HOUR).max(1)
    }

    /// Its parts as streets of the model, in their order: people, desks and vehicles add up to the street's.
    pub fn divided(&self) -> Vec<Street> {
        let sum: f64 = self.parts.iter().map(|part| part.share).sum();
        let (mut upto, mut given) = (0.0, [0u32; 3]);
        let divide = |(k, &Part { lab, share, travel }): (usize, &Part)| {
            upto += share / sum.max(1e-9);
            let last = k + 1 == self.parts.len();
            let mut part = self.street;
            // By running sums, so that the parts add up to the street.
            let whole = [part.persons, part.desks, part.vehicles];
            let mut own = [0; 3];
            for ((own, given), whole) in own.iter_mut().zip(&mut given).zip(whole) {
                let to = if last { whole } else { (f64::from(whole) * upto) as u32 };
                (*own, *given) = (to - *given, to);
            }
            part.persons = own[0];
            part.desks = own[1].max(1).min(whole[1]);
            part.vehicles = own[2].max(1);
            part.send_to(lab, travel, self.street.travel_max);
            part
        };
        self.parts.iter().enumerate().map(divide).collect()
    }
}

impl Round {
    /// What the norm allows on the road from a street of the model, ms.
    pub fn travel_limit(&self, street: usize) -> Ms {
        let whole = self.source.get(street).and_then(|&number| self.whole.get(number));
        let own = || self.model.streets.get(street).map_or(0, |street| street.travel_max);
        whole.map_or_else(own, |whole| whole.street.travel_max)
    }

    /// Numbers in the model of the parts of a street of the problem.
    pub fn parts_of(&self, street: usize) -> std::ops::Range<usize> {
        let first = self.source.partition_point(|number| *number < street);
        first..self.source.partition_point(|number| *number <= street)
    }

    /// The parts of a street of the problem, with these numbers in the place of its own.
    pub fn divided(&self, street: usize, with: &Whole) -> Vec<(usize, Street)> {
        self.parts_of(street).zip(with.divided()).collect()
    }

    /// The round of a city that differs from this one's in its numbers, not in its districts, streets and labs: every street
    /// sends where it did, in the same shares. `problem` and `assignment` stay those of this one.
    ///
    /// # Errors
    /// When something would never end, when a number is out of bounds.
    pub fn kept(&self, city: &City) -> Result<Round, Error> {
        let mut round = self.clone();
        round.model.labs =
            city.labs.iter().map(|lab| labs::lab_of(city, lab)).collect::<Vec<Lab>>();
        round.model.recall = recall_of(city);
        round.doubt = doubt::doubt(city);
        for (number, source) in sources(city).into_iter().enumerate().take(self.whole.len()) {
            let whole = &mut round.whole[number];
            (whole.street, whole.have) = (source.model, source.have);
            round.put(number);
        }
        round.checked()
    }

    /// The same with other vehicles in a street of the problem, which has none of its own in a city.
    ///
    /// # Errors
    /// As [`Round::kept`].
    pub fn with_vehicles(mut self, street: usize, more: i32) -> Result<Round, Error> {
        if let Some(whole) = self.whole.get_mut(street) {
            whole.street.vehicles = whole.street.vehicles.saturating_add_signed(more);
            self.put(street);
        }
        self.checked()
    }

    /// Puts the parts of a street into the model anew.
    fn put(&mut self, street: usize) {
        let Some(whole) = self.whole.get(street) else { return };
        for (at, part) in self.divided(street, whole) {
            self.model.streets[at] = part;
        }
    }

    /// Itself, when its model can be reckoned.
    pub(super) fn checked(self) -> Result<Round, Error> {
        match self.model.check() {
            Ok(()) => Ok(self),
            Err(why) => Err(Error::Unworkable(self.say(&why))),
        }
    }
}
