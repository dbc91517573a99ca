//! `verify` finds a byte changed in any kind of stored value, and in any file of a stopped folder.

use crate::common::{binary, collected, fact, open, small_round, submit};
use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode};
use std::collections::BTreeSet;
use std::path::Path;
use swabline::store::keys::Kind;
use swabline::store::{Finding, Options, Store, verify};

async fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    engine.stop().unwrap();
    dir
}

/// Where values stand: database and column family.
const PLACES: &[(&str, &str)] = &[
    ("state", "log"),
    ("state", "heads"),
    ("fold", "records"),
    ("fold", "people"),
    ("fold", "facts"),
];

fn open_raw(dir: &Path, database: &str) -> DB {
    let path = dir.join(database);
    let options = rocksdb::Options::default();
    let families = DB::list_cf(&options, &path).unwrap();
    let families = families.iter().map(|name| {
        let mut options = rocksdb::Options::default();
        // What this test writes stays where it was put.
        options.set_disable_auto_compactions(true);
        ColumnFamilyDescriptor::new(name, options)
    });
    DB::open_cf_descriptors(&options, path, families).unwrap()
}

/// A value of each kind.
struct Stored {
    name: &'static str,
    database: &'static str,
    family: &'static str,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// One key of each kind that has a value; of a run its head, a bucket and its filter.
fn one_of_each(dir: &Path) -> Vec<Stored> {
    let mut found: Vec<Stored> = Vec::new();
    for (database, family) in PLACES.iter().copied() {
        let db = open_raw(dir, database);
        let mut slots = 0;
        for item in db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start) {
            let (key, value) = item.unwrap();
            let kind = Kind::of(&key).expect("every key has a registered kind");
            let (key, value, name) = (key.to_vec(), value.to_vec(), kind.name());
            slots += usize::from(kind == Kind::Run);
            let known = found.iter().any(|stored| stored.name == name);
            if !known || (kind == Kind::Run && slots <= 3) {
                found.push(Stored { name, database, family, key, value });
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_changed_in_any_kind_of_value_is_found_and_named() {
    let dir = folder().await;
    let all = one_of_each(dir.path());
    let found: BTreeSet<&str> = all.iter().map(|stored| stored.name).collect();
    let expected: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(found, expected, "the round has every kind");
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    for Stored { name, database, family, key, value } in all {
        let put = |value: &[u8]| {
            let db = open_raw(dir.path(), database);
            db.put_cf(db.cf_handle(family).unwrap(), &key, value).unwrap();
        };
        let mut places = vec![value.len() / 2, value.len().saturating_sub(1)];
        places.dedup();
        for place in places {
            let mut changed = value.clone();
            match changed.get_mut(place) {
                Some(byte) => *byte ^= 0x10,
                None => changed.push(1),
            }
            put(&changed);
            let report = verify(dir.path()).unwrap();
            let named =
                |finding: &Finding| finding.what.contains(name) || finding.problem.contains(name);
            assert!(
                report.findings.iter().any(named),
                "a changed {name} (byte {place}) was not named: {:?}",
                report.findings
            );
            let exit = binary().arg("verify").arg(dir.path()).output().unwrap().status.code();
            assert_eq!(exit, Some(3));
        }
        put(&value);
        assert_eq!(verify(dir.path()).unwrap().findings_total, 0, "restored {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_too_many_or_too_few_is_found_and_named() {
    let dir = folder().await;
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    for Stored { name, database, family, key, value } in one_of_each(dir.path()) {
        {
            let db = open_raw(dir.path(), database);
            db.delete_cf(db.cf_handle(family).unwrap(), &key).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        assert!(report.findings_total > 0, "a missing {name} was not found");
        {
            let db = open_raw(dir.path(), database);
            db.put_cf(db.cf_handle(family).unwrap(), &key, &value).unwrap();
        }
    }
    {
        let db = open_raw(dir.path(), "fold");
        db.put_cf(db.cf_handle("records").unwrap(), b"\x10T999", b"\x01\x00\x00\x00").unwrap();
    }
    let report = verify(dir.path()).unwrap();
    assert_eq!(report.findings[0].what, "tube T999");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_entry_too_many_is_found_and_named() {
    for family in ["people", "facts"] {
        let dir = folder().await;
        std::fs::remove_file(dir.path().join("seal")).unwrap();
        {
            let db = open_raw(dir.path(), "fold");
            let handle = db.cf_handle(family).unwrap();
            // A small run has one bucket, in the slot after its head: whole keys, five bytes of
            // sequence.
            let items = db.iterator_cf(handle, IteratorMode::Start);
            let (key, mut bucket) = items.map(Result::unwrap).nth(1).unwrap();
            let mut more = bucket.to_vec();
            more.extend_from_slice(&[0xff; 16]);
            more.extend_from_slice(&[0, 0, 0, 0, 1]);
            bucket = more.into();
            db.put_cf(handle, key, bucket).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        let named = |finding: &Finding| finding.what.contains(&format!("index {family}"));
        assert!(report.findings.iter().any(named), "{:?}", report.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_first_format_is_folded_again_from_its_log() {
    let dir = folder().await;
    let before = Store::open_read_only(dir.path()).unwrap();
    let (tube, events) = (before.tube("T1").unwrap(), before.last_seq());
    drop(before);
    // In format 1 the records stood beside the log and the indexes in a database of their own. What
    // stands there now is not worth keeping: everything follows from the log.
    std::fs::remove_dir_all(dir.path().join("fold")).unwrap();
    std::fs::create_dir(dir.path().join("index")).unwrap();
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    {
        let mut state = open_raw(dir.path(), "state");
        state.create_cf("records", &rocksdb::Options::default()).unwrap();
        state.put_cf(state.cf_handle("records").unwrap(), b"\x10T1", b"\x01\x00").unwrap();
    }
    heads_among_events(dir.path(), usize::MAX);
    say_format(dir.path(), 1);
    open(dir.path()).stop().unwrap();
    assert!(!dir.path().join("index").exists());
    assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
    let after = Store::open_read_only(dir.path()).unwrap();
    assert_eq!((after.tube("T1").unwrap(), after.last_seq()), (tube, events));
}

/// Puts the first `count` heads of batches where they stood up to format 2.
fn heads_among_events(dir: &Path, count: usize) {
    let state = open_raw(dir, "state");
    let (log, heads) = (state.cf_handle("log").unwrap(), state.cf_handle("heads").unwrap());
    let moved: Vec<_> = state.iterator_cf(heads, IteratorMode::Start).take(count).collect();
    for (key, head) in moved.into_iter().map(Result::unwrap) {
        state.put_cf(log, &key, &head).unwrap();
        state.delete_cf(heads, &key).unwrap();
    }
}

fn say_format(dir: &Path, format: u32) {
    let description = std::fs::read_to_string(dir.join("folder.toml")).unwrap();
    let old = description.replace("format = 5", &format!("format = {format}"));
    assert_ne!(old, description);
    std::fs::write(dir.join("folder.toml"), old).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_second_format_gets_its_heads_moved_also_after_a_crash_half_way() {
    for moved_back in [1, usize::MAX] {
        let dir = folder().await;
        let before = Store::open_read_only(dir.path()).unwrap();
        let (hash, proof) = (before.last_hash(), before.proof(1).unwrap());
        drop(before);
        std::fs::remove_file(dir.path().join("seal")).unwrap();
        heads_among_events(dir.path(), moved_back);
        say_format(dir.path(), 2);
        let error = verify(dir.path()).err().unwrap().to_string();
        assert!(error.contains("format 2"), "{error}");
        // However large the log is, no more of the indexes than a run is gathered in memory.
        let few = Options { index_run_entries: 7, ..Options::default() };
        let store = Store::open(dir.path(), None, &few).unwrap();
        let gauges: std::collections::HashMap<_, _> = store.read().gauges().into_iter().collect();
        assert!(gauges["index_runs_people"] > 1 && gauges["index_runs_facts"] > 0, "{gauges:?}");
        assert!(gauges["index_pending_people"] < 7, "{gauges:?}");
        store.close().unwrap();
        open(dir.path()).stop().unwrap();
        assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
        let after = Store::open_read_only(dir.path()).unwrap();
        assert_eq!((after.last_hash(), after.proof(1).unwrap()), (hash, proof));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_third_format_gets_its_index_of_tubes() {
    let dir = folder().await;
    let engine = open(dir.path());
    submit(&engine, &[fact("desk-9", 1, collected("T-ALONE", 900..910))]).await;
    engine.stop().unwrap();
    let before = Store::open_read_only(dir.path()).unwrap();
    let (tube, alone) = (before.tube("T1").unwrap(), before.tube("T-ALONE").unwrap());
    drop(before);
    assert!(alone.is_some());
    // Up to format 3 every tube had a record, and there was no such index.
    let mut fold = open_raw(dir.path(), "fold");
    fold.drop_cf("tubes").unwrap();
    let records = fold.cf_handle("records").unwrap();
    let key = [&[Kind::Tube as u8], b"T-ALONE".as_slice()].concat();
    assert_eq!(fold.get_cf(records, &key).unwrap(), None, "all of it follows from its event");
    fold.put_cf(records, &key, b"as it was").unwrap();
    drop(fold);
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    say_format(dir.path(), 3);
    open(dir.path()).stop().unwrap();
    assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
    let after = Store::open_read_only(dir.path()).unwrap();
    assert_eq!((after.tube("T1").unwrap(), after.tube("T-ALONE").unwrap()), (tube, alone));
}

/// Shows every cell of a stopped folder.
fn cells(dir: &Path, mut each: impl FnMut(&DB, &[u8], &[u8])) {
    let db = open_raw(dir, "fold");
    let records = db.cf_handle("records").unwrap();
    let items = db.iterator_cf(records, IteratorMode::Start).map(Result::unwrap);
    let of_cell = |(key, _): &(Box<[u8]>, Box<[u8]>)| Kind::of(key) == Some(Kind::Cell);
    let all: Vec<_> = items.filter(of_cell).collect();
    all.iter().for_each(|(key, value)| each(&db, key, value));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_the_second_format_gets_the_counters_that_it_lacks() {
    let dir = folder().await;
    let mut now = Vec::new();
    cells(dir.path(), |_, key, value| now.push((key.to_vec(), value.to_vec())));
    // The counters 51 to 53 and 128 to 143 came with format 3. Each is one byte, as its figure is here.
    let mut taken = 0;
    cells(dir.path(), |db, key, value| {
        let mut old = value[..1].to_vec();
        for figure in value[1..].chunks(2) {
            let new = matches!(figure[0], 51..=53 | 128..=143);
            taken += usize::from(new);
            old.extend(figure.iter().filter(|_| !new));
        }
        db.put_cf(db.cf_handle("records").unwrap(), key, old).unwrap();
    });
    assert!(taken > 0, "the round has boxes");
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    say_format(dir.path(), 2);
    // Reading alone cannot mend it, and is no reason to call it damaged.
    let exit = binary().arg("verify").arg(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&exit.stderr).into_owned();
    assert!(exit.status.code() == Some(1) && said.contains("format 2"), "{said}");
    assert!(said.contains("serve") && said.contains("升级"), "{said}");
    open(dir.path()).stop().unwrap();
    assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
    let mut again = Vec::new();
    cells(dir.path(), |_, key, value| again.push((key.to_vec(), value.to_vec())));
    assert_eq!(again, now);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_flipped_in_any_file_of_a_stopped_folder_is_found_and_named() {
    let dir = folder().await;
    let mut files = Vec::new();
    let mut folders = vec![dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !name.starts_with("LO")
                && name != "lock"
                && path.metadata().unwrap().len() > 0
            {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 0x01;
            std::fs::write(&file, &changed).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            match verify(dir.path()) {
                Ok(report) => assert!(
                    report.findings.iter().any(|finding| finding.what.contains(&name)),
                    "byte {place} of {name}: {:?}",
                    report.findings
                ),
                // The description itself: the folder then is not ours.
                Err(error) => assert!(name == "folder.toml", "byte {place} of {name}: {error}"),
            }
        }
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(verify(dir.path()).unwrap().findings_total, 0);
}
