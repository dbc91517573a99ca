//! Runs on a real database: found, listed, merged, held in memory, and after a restart.

use super::super::entry::{self, Entry};
use super::*;

fn opened(dir: &Path) -> (DB, Runs) {
    let db = {
        let cache = super::super::open::block_cache(&Default::default());
        super::super::open::open_fold(dir, &cache, true).unwrap()
    };
    let runs = Runs::open(&db, super::super::open::PEOPLE).unwrap();
    (db, runs)
}

fn batch(from: u64, count: u64) -> Vec<Entry> {
    let entries: Vec<Entry> =
        (from..from + count).map(|n| entry::fact_entry(n % 97, n % 5_003, n + 1)).collect();
    entry::sorted(&[&entries])
}

#[test]
fn what_was_put_into_runs_is_found_and_listed_before_and_after_merging_and_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (db, runs) = opened(dir.path());
    let mut all = Vec::new();
    for part in 0..9_u64 {
        let entries = batch(part * 3_000, if part == 4 { 0 } else { 3_000 });
        runs.add(&db, dir.path(), part * 3_000, (part + 1) * 3_000, &entries).unwrap();
        all.extend(entries);
    }
    all.sort();
    let check = |db: &DB, runs: &Runs| {
        assert_eq!(runs.complete_to(), 27_000);
        let mut listed = Vec::new();
        runs.for_each(db, &[], &mut |entry| listed.push(entry)).unwrap();
        assert!(listed == all, "{} of {}", listed.len(), all.len());
        // In memory: all of them, some, none.
        for (memory, whole) in [(usize::MAX, true), (70_000, false), (0, false)] {
            runs.hold(db, memory).unwrap();
            assert!(runs.bytes_held() <= memory);
            let mut told = 0;
            for entry in all.iter().step_by(37) {
                let mut found = Vec::new();
                runs.find(db, &entry.key(), &mut found).unwrap();
                found.sort_unstable();
                let same = all.iter().filter(|other| other.is_of(entry));
                assert_eq!(found, same.map(|entry| entry.seq).collect::<Vec<_>>());
                let mut held = Vec::new();
                if runs.find_held(&entry.key(), &mut held) {
                    held.sort_unstable();
                    assert_eq!(held, found);
                    told += 1;
                }
            }
            assert_eq!(told == all.len().div_ceil(37), whole, "{told} with {memory} bytes");
            let mut found = Vec::new();
            runs.find(db, &[3; 16], &mut found).unwrap();
            assert!(found.is_empty());
        }
    };
    check(&db, &runs);
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    check(&db, &runs);
    drop(db);
    let (db, runs) = opened(dir.path());
    assert_eq!(runs.count(), 1, "nine of one level became one, the old ones are covered by it");
    check(&db, &runs);
    runs.delete_retired(&db).unwrap();
    drop(db);
    let (db, runs) = opened(dir.path());
    assert!(runs.retired.lock().unwrap().is_empty(), "deleted runs do not come back");
    check(&db, &runs);
}

#[test]
fn neighbours_of_one_level_are_merged_when_they_are_enough() {
    for (levels, expected) in [
        (&[0, 0, 0, 0, 0, 0, 0][..], None),
        (&[0, 0, 0, 0, 0, 0, 0, 0], Some((0, 8))),
        (&[2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], Some((3, 9))),
        (&[1, 1, 1, 1, 1, 1, 1, 1, 0], Some((0, 8))),
        (&[], None),
    ] {
        assert_eq!(to_merge(levels), expected, "{levels:?}");
    }
    for (counts, expected) in [
        (&[100, 10, 1][..], None),
        (&[100, 10, 4, 1], Some((1, 3))),
        (&[10, 10, 10], Some((0, 3))),
        (&[7], None),
        (&[], None),
    ] {
        assert_eq!(worth_it(counts), expected, "{counts:?}");
    }
}
