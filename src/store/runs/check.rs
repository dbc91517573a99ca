//! Checking runs against what follows from the log.

use super::super::entry::Entry;
use super::super::error::Error;
use super::super::filter::FilterBuilder;
use super::Runs;
use super::walk::RunEntries;
use rocksdb::DB;

impl Runs {
    /// Compares the runs with what follows from the log, `expected`, sorted. Tells each difference
    /// (what, problem) and gives the number of entries looked at.
    pub fn check(
        &self,
        db: &DB,
        expected: &[Entry],
        find: &mut dyn FnMut(String, &str),
    ) -> Result<u64, Error> {
        let (mut looked_at, mut end) = (0, 0);
        for run in self.live().iter() {
            let head = &run.head;
            let name = format!("run {} to {}", head.after, head.to);
            if head.after != end || head.to < head.after {
                find(name.clone(), "does not begin where the run before it ends");
            }
            end = head.to;
            let mut wanted = expected
                .iter()
                .filter(|entry| entry.seq > head.after && entry.seq <= head.to)
                .peekable();
            let mut filter = FilterBuilder::new(head.count);
            let mut entries = Vec::new();
            let mut reader = RunEntries::in_file(db, self.family, run);
            if let Err(error) = reader.take_below(0, 1, &mut entries) {
                find(name, &error.chain());
                continue;
            }
            looked_at += entries.len() as u64;
            let label = |entry: &Entry| {
                let key: String = entry.key().iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{name}: entry {key} event {}", entry.seq)
            };
            for entry in &entries {
                filter.add(entry);
                while let Some(missing) = wanted.next_if(|wanted| *wanted < entry) {
                    find(label(missing), "follows from the log but is missing");
                }
                if wanted.next_if_eq(&entry).is_none() {
                    find(label(entry), "stands in the index but does not follow from the log");
                }
            }
            for missing in wanted {
                find(label(missing), "follows from the log but is missing");
            }
            if entries.len() as u64 != head.count || filter.finish() != run.filter {
                find(name, "its count or its filter is not that of its entries");
            }
        }
        Ok(looked_at)
    }
}
