//! The second pass: entries sorted by person become people, one after the other.

use super::index::{Index, Says};
use crate::domain::words::PersonKey;

/// One person of the round, once all entries have been seen.
pub struct Person<'a> {
    /// The person.
    pub key: PersonKey,
    /// Ranks of the rosters that name the person.
    pub rosters: &'a [u32],
    /// The live tubes that the person is in, each once.
    pub tubes: &'a [u32],
    /// The district of a void tube that the person is in.
    pub void_in: Option<u32>,
}

impl Person<'_> {
    /// The roster that counts: the one imported last.
    pub fn last_roster(&self) -> Option<u32> {
        self.rosters.iter().copied().max()
    }
}

/// Groups entries into people. Holds one person at a time.
pub struct Merge<'a> {
    index: &'a Index,
    key: Option<PersonKey>,
    rosters: Vec<u32>,
    tubes: Vec<u32>,
    void_in: Option<u32>,
}

impl<'a> Merge<'a> {
    pub fn new(index: &'a Index) -> Self {
        Merge { index, key: None, rosters: Vec::new(), tubes: Vec::new(), void_in: None }
    }

    /// Takes an entry; entries ascend by person. Hands over the person before, when this is
    /// another.
    pub fn entry(&mut self, person: PersonKey, seq: u64, f: &mut dyn FnMut(&Person<'_>)) {
        let says = self.index.says(person, seq);
        if says == Says::Nothing {
            return;
        }
        if self.key != Some(person) {
            self.finish(f);
            self.key = Some(person);
        }
        match says {
            Says::OnRoster(rank) => self.rosters.push(rank),
            // A handful at most: looking through them beats any set.
            Says::InTube(tube) if !self.tubes.contains(&tube) => self.tubes.push(tube),
            Says::InVoid(district) => self.void_in = Some(district),
            Says::InTube(_) | Says::Nothing => {}
        }
    }

    /// Hands over the last person.
    pub fn finish(&mut self, f: &mut dyn FnMut(&Person<'_>)) {
        if let Some(key) = self.key.take() {
            f(&Person { key, rosters: &self.rosters, tubes: &self.tubes, void_in: self.void_in });
        }
        self.rosters.clear();
        self.tubes.clear();
        self.void_in = None;
    }
}
