//! What the log knows of a person, event by event: from memory where it is there, else from the disk.

use super::error::Error;
use super::read::Read;
use super::recent::{Known, RosterPart};
use super::records::encode_record;
use crate::domain::world::collected;
use crate::domain::{Code, PersonKey};
use std::sync::Arc;

impl Read {
    /// As [`Read::person_seqs`], from memory alone; `None` = the disk must be asked.
    pub fn person_seqs_in_memory(&self, key: PersonKey) -> Option<Vec<u64>> {
        self.shared().people.find_in_memory(&key.0)
    }

    /// What an event speaks of that the index names for a person, from memory alone; `None` = the
    /// disk must be asked.
    pub fn known_in_memory(&self, seq: u64, person: PersonKey) -> Option<Known> {
        let shared = self.shared();
        if let Some(part) = shared.recent.roster(seq) {
            return Some(Known::Roster(part));
        }
        // The layers in between: what leaves them is in the other one before.
        let code = shared.recent.code(seq)?;
        let newer = shared.layers.tube(&code);
        match newer.filter(|_| !crate::breaks::on("seen_in_files_only")) {
            Some(tube) => Some(Known::Tube(code, tube)),
            None => Some(Known::Tube(code, Arc::new(shared.recent.tube(seq, person)?))),
        }
    }

    /// What an event speaks of that the index names for a person.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn known(&self, seq: u64, person: PersonKey) -> Result<Known, Error> {
        if let Some(known) = self.known_in_memory(seq, person) {
            return Ok(known);
        }
        let Some(event) = self.event(seq)? else { return Ok(Known::Nothing) };
        if let Some(part) = RosterPart::of(&event) {
            let part = Arc::new(part);
            self.shared().recent.remember_roster(seq, &part);
            return Ok(Known::Roster(part));
        }
        let Some(code) = event.fact.body.tube() else { return Ok(Known::Nothing) };
        let tube = match self.recorded(code)? {
            // Nothing else is known of it, and the event is at hand. The next question finds it in memory.
            None => collected(&event).map(|(code, tube)| {
                self.shared().recent.put_if_new(&code, &tube, &encode_record(&tube));
                Arc::new(tube)
            }),
            recorded => recorded,
        };
        Ok(tube.map_or(Known::Nothing, |tube| Known::Tube(Code::clone(code), tube)))
    }
}
