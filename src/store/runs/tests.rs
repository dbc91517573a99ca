//! Runs on a real database: found, listed, merged, held in memory, and after a restart.

use super::super::entry::{self, Entry};
use super::*;

fn opened(dir: &Path, memory: usize) -> (DB, Runs) {
    let db = {
        let cache = super::super::open::block_cache(&Default::default());
        super::super::open::open_fold(dir, &Default::default(), &cache, true).unwrap()
    };
    let runs = Runs::open(&db, crate::store::index::PEOPLE, memory).unwrap();
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
    let (db, mut runs) = opened(dir.path(), 100_000);
    let mut all = Vec::new();
    for part in 0..=MERGE_AT as u64 {
        let entries = batch(part * 2_000, if part == 4 { 0 } else { 2_000 });
        runs.add_sorted(&db, dir.path(), (part * 2_000, (part + 1) * 2_000), &entries).unwrap();
        all.extend(entries);
    }
    all.sort();
    let check = |db: &DB, runs: &mut Runs| {
        assert_eq!(runs.complete_to(), (MERGE_AT as u64 + 1) * 2_000);
        let mut listed = Vec::new();
        runs.for_each(db, &[], &mut |entry| listed.push(entry)).unwrap();
        assert!(listed == all, "{} of {}", listed.len(), all.len());
        // In memory: all of them, some, none.
        for (memory, whole) in [(usize::MAX, true), (70_000, false), (0, false)] {
            runs.memory_max = memory;
            runs.hold(db).unwrap();
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
    check(&db, &mut runs);
    runs.memory_max = usize::MAX;
    runs.hold(&db).unwrap();
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    check(&db, &mut runs);
    drop(db);
    let (db, mut runs) = opened(dir.path(), 100_000);
    assert_eq!(runs.count(), 1, "all of one level became one, the old ones are covered by it");
    check(&db, &mut runs);
    runs.delete_retired(&db).unwrap();
    drop(db);
    let (db, mut runs) = opened(dir.path(), 100_000);
    assert!(runs.retired.lock().unwrap().is_empty(), "deleted runs do not come back");
    check(&db, &mut runs);
}

#[test]
fn neighbours_of_one_level_are_merged_when_they_are_enough() {
    let of = |levels: &[(u8, usize)]| -> Vec<u8> {
        levels.iter().flat_map(|(level, count)| std::iter::repeat_n(*level, *count)).collect()
    };
    let enough = MERGE_AT;
    for (levels, expected) in [
        (of(&[(0, enough - 1)]), None),
        (of(&[(0, enough)]), Some((0, enough))),
        (of(&[(2, 1), (1, 2), (0, enough + 1)]), Some((3, enough + 1))),
        (of(&[(1, enough), (0, 1)]), Some((0, enough))),
        (of(&[]), None),
    ] {
        assert_eq!(to_merge(&levels), expected, "{levels:?}");
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

/// Adds as many runs of 3,000 events as are merged at once; gives how many.
fn enough_to_merge(db: &DB, dir: &Path, runs: &Runs) -> u64 {
    let count = MERGE_AT as u64;
    for part in 0..count {
        let entries = batch(part * 3_000, 3_000);
        runs.add_sorted(db, dir, (part * 3_000, (part + 1) * 3_000), &entries).unwrap();
    }
    count
}

#[test]
fn a_run_lies_in_memory_from_its_first_moment_where_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let (db, mut runs) = opened(dir.path(), usize::MAX);
    let count = enough_to_merge(&db, dir.path(), &runs);
    let told = |runs: &Runs| {
        let all = batch(0, count * 3_000);
        let held = |entry: &Entry| runs.find_held(&entry.key(), &mut Vec::new());
        all.iter().step_by(31).all(held)
    };
    assert!(told(&runs), "nothing has been read from a file");
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    assert_eq!((runs.count(), told(&runs)), (1, true));
    assert_eq!(runs.bytes_held(), runs.live()[0].head.bytes());
    runs.memory_max = 1;
    let entries = batch(count * 3_000, 3_000);
    runs.add_sorted(&db, dir.path(), (count * 3_000, (count + 1) * 3_000), &entries).unwrap();
    assert!(runs.live().last().unwrap().held().is_none(), "no room, no memory");
}

#[test]
fn a_merged_run_lies_in_memory_as_soon_as_those_it_was_made_of_have_left_it_room() {
    let dir = tempfile::tempdir().unwrap();
    let (db, mut runs) = opened(dir.path(), usize::MAX);
    let count = enough_to_merge(&db, dir.path(), &runs);
    // Too little for both, and enough for one: half as much again may be taken for a while, and no more.
    runs.memory_max = runs.bytes_held() * 11 / 10;
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    let all = batch(0, count * 3_000);
    assert!(all.iter().step_by(31).all(|one| runs.find_held(&one.key(), &mut Vec::new())));
    assert_eq!((runs.count(), runs.bytes_held()), (1, runs.live()[0].head.bytes()));
}

#[test]
fn a_run_in_memory_is_as_it_stands_in_its_file_also_in_several_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let (db, runs) = opened(dir.path(), usize::MAX);
    for (from, count) in [(0, 0), (0, 1), (1, 5_000), (5_001, 230_000)] {
        let entries = batch(from, count);
        runs.add_sorted(&db, dir.path(), (from, from + count), &entries).unwrap();
        let live = runs.live();
        let run = live.last().unwrap();
        let (put_down, read) = (run.held().unwrap(), Held::read(&db, runs.family, run).unwrap());
        let mut bytes = 0;
        for bucket in 0..1 << run.head.bits {
            let of = |held: &Held| held.bucket(bucket, &run.head).to_vec();
            assert_eq!(of(&put_down), of(&read), "bucket {bucket} of {count} entries");
            bytes += of(&put_down).len();
        }
        assert_eq!(bytes, run.head.bytes());
        for entry in entries.iter().step_by(97) {
            let mut found = Vec::new();
            assert!(runs.find_held(&entry.key(), &mut found) && found.contains(&entry.seq));
        }
    }
    assert_eq!(runs.live().last().unwrap().head.bits, 10, "more buckets than lie in one piece");
}

#[test]
fn memory_goes_to_the_newest_runs_and_what_is_being_merged_takes_it_from_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (db, mut runs) = opened(dir.path(), usize::MAX);
    let count = MERGE_AT as u64;
    let add = |runs: &Runs, part: u64| {
        let entries = batch(part * 3_000, 3_000);
        runs.add_sorted(&db, dir.path(), (part * 3_000, (part + 1) * 3_000), &entries).unwrap();
    };
    let held =
        |runs: &Runs| -> Vec<bool> { runs.live().iter().map(|run| run.held().is_some()).collect() };
    (0..count).for_each(|part| add(&runs, part));
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    (count..2 * count).for_each(|part| add(&runs, part));
    // Room for the two long runs, but not for what the second is made of beside them.
    runs.memory_max = runs.bytes_held() * 11 / 10;
    assert!(runs.merge(&db, dir.path(), Merge::Enough).unwrap());
    assert_eq!(held(&runs), [true, true], "nothing is let go of, to be read again");
    runs.memory_max = runs.bytes_held();
    add(&runs, 2 * count);
    assert_eq!(held(&runs), [false, true, true], "the oldest makes room");
    runs.memory_max = 1;
    runs.hold(&db).unwrap();
    assert_eq!(held(&runs), [false, false, false]);
}

#[test]
fn who_goes_through_a_run_goes_on_in_the_file_when_it_is_let_go_of() {
    let dir = tempfile::tempdir().unwrap();
    let (db, runs) = opened(dir.path(), usize::MAX);
    let entries = batch(0, 30_000);
    runs.add_sorted(&db, dir.path(), (0, 30_000), &entries).unwrap();
    let live = runs.live();
    let bits = live[0].head.bits;
    assert!(bits > 4, "several buckets");
    for stop in [0, 1, (1 << bits) / 2, (1 << bits) - 1, 1 << bits] {
        runs.hold(&db).unwrap();
        let mut reader = walk::RunEntries::nearest(&db, runs.family, &live[0]);
        let mut found = Vec::new();
        reader.take_below(bits, stop, &mut found).unwrap();
        live[0].hold(None);
        reader.take_below(bits, 1 << bits, &mut found).unwrap();
        assert!(found == entries, "let go of after bucket {stop}");
    }
}
