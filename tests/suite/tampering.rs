//! `verify` finds a byte changed in any kind of stored value, and in any file of a stopped folder.

use crate::common::{binary, open, small_round, submit};
use rocksdb::{ColumnFamilyDescriptor, DB, IteratorMode, SstFileWriter};
use std::collections::BTreeMap;
use std::path::Path;
use swabline::store::keys::Kind;
use swabline::store::verify;

async fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let engine = open(dir.path());
    submit(&engine, &small_round()).await;
    engine.stop().unwrap();
    dir
}

fn open_raw(dir: &Path, families: [&str; 3]) -> DB {
    let options = rocksdb::Options::default();
    let families = families.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
    DB::open_cf_descriptors(&options, dir, families).unwrap()
}

/// One key of each kind that has a value.
fn one_of_each(dir: &Path) -> BTreeMap<&'static str, (&'static str, Vec<u8>, Vec<u8>)> {
    let db = open_raw(&dir.join("state"), ["default", "log", "records"]);
    let mut found = BTreeMap::new();
    for family in ["log", "records"] {
        for item in db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start) {
            let (key, value) = item.unwrap();
            let kind = Kind::of(&key).expect("every key has a registered kind");
            found.entry(kind.name()).or_insert((family, key.to_vec(), value.to_vec()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_changed_in_any_kind_of_value_is_found_and_named() {
    let dir = folder().await;
    let kinds = one_of_each(dir.path());
    let expected: Vec<&str> = {
        let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), expected, "the round has every kind");
    std::fs::remove_file(dir.path().join("seal")).unwrap();
    for (name, (family, key, value)) in kinds {
        let put = |value: &[u8]| {
            let db = open_raw(&dir.path().join("state"), ["default", "log", "records"]);
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
            assert!(
                report.findings.iter().any(|finding| finding.what.contains(name)),
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
    for (name, (family, key, value)) in one_of_each(dir.path()) {
        if name == "index mark" {
            continue; // Without it the index is only read from the log again.
        }
        let open = || open_raw(&dir.path().join("state"), ["default", "log", "records"]);
        {
            let db = open();
            db.delete_cf(db.cf_handle(family).unwrap(), &key).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        assert!(report.findings_total > 0, "a missing {name} was not found");
        {
            let db = open();
            db.put_cf(db.cf_handle(family).unwrap(), &key, &value).unwrap();
        }
    }
    {
        let db = open_raw(&dir.path().join("state"), ["default", "log", "records"]);
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
        let file = dir.path().join("extra.sst");
        {
            let mut options = rocksdb::Options::default();
            options.set_prefix_extractor(rocksdb::SliceTransform::create_fixed_prefix(16));
            let families = ["default", "people", "facts"]
                .map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
            let db = DB::open_cf_descriptors(&options, dir.path().join("index"), families).unwrap();
            let mut writer = SstFileWriter::create(&options);
            writer.open(&file).unwrap();
            writer.put([0x55; 24], []).unwrap();
            writer.finish().unwrap();
            db.ingest_external_file_cf(db.cf_handle(family).unwrap(), vec![&file]).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        let named = report
            .findings
            .iter()
            .any(|finding| finding.what.starts_with(&format!("index {family}")));
        assert!(named, "{:?}", report.findings);
    }
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
