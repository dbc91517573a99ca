//! An index that the log can rebuild: what is looked for, and the events where it stands.

use super::entry::{self, Entry};
use super::error::Error;
use super::pending::{Pending, Taken};
use super::runs::{RunWriter, Runs};
use crate::domain::fact::Event;
use rocksdb::DB;
use std::path::Path;

/// The index of people: person to the events that name them.
pub const PEOPLE: &str = "people";
/// The index of facts: fact id to event.
pub const FACTS: &str = "facts";
/// The index of tubes: code to the event that collected the tube as a whole.
pub const TUBES: &str = "tubes";
/// All of them, in the order of [`Shared::indexes`](super::read::Shared::indexes).
pub const ALL: [&str; 3] = [PEOPLE, FACTS, TUBES];

/// Entries that wait, and the runs of the others.
pub struct Index {
    /// Its name, and that of its column family.
    pub name: &'static str,
    /// What is in no run yet.
    pub pending: Pending,
    /// What stands in files.
    pub runs: Runs,
}

impl Index {
    /// Finds what there is of an index. Runs of as many bytes as `memory_max` may lie in memory.
    pub fn open(fold: &DB, name: &'static str, memory_max: usize) -> Result<Index, Error> {
        let runs = Runs::open(fold, name, memory_max)?;
        Ok(Index { name, pending: Pending::new(runs.complete_to()), runs })
    }

    /// The events under a key, ascending, each once.
    pub fn find(&self, fold: &DB, key: &[u8; 16]) -> Result<Vec<u64>, Error> {
        let mut found = Vec::new();
        // Memory first: an entry that moves meanwhile is then seen twice rather than never.
        self.pending.find(key, &mut found);
        self.runs.find(fold, key, &mut found)?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The same from memory alone; `None` = the disk must be asked.
    pub fn find_in_memory(&self, key: &[u8; 16]) -> Option<Vec<u64>> {
        let mut found = Vec::new();
        self.pending.find(key, &mut found);
        self.runs.find_held(key, &mut found).then(|| {
            found.sort_unstable();
            found.dedup();
            found
        })
    }

    /// Adds to `entries` what the index has of an event.
    pub fn entries_of(&self, event: &Event, entries: &mut Vec<Entry>) {
        match self.name {
            PEOPLE => entries.extend(entry::people_entries(event)),
            FACTS => entries.push(Entry::new(&entry::fact_key(&event.fact.id), event.seq)),
            _ => entries.extend(entry::tube_entry(event)),
        }
    }

    /// Puts what waits into a run.
    pub fn write_run(&self, fold: &DB, dir: &Path) -> Result<(), Error> {
        if let Some(taken) = self.pending.take() {
            let Taken { after, to, .. } = taken;
            let fill = |run: &mut RunWriter<'_>| taken.for_each(|entry| run.push(entry));
            self.runs.add(fold, dir, (after, to), taken.count(), fill)?;
            self.pending.done(taken.to);
        }
        Ok(())
    }
}
