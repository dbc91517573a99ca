//! The seal of a stopped folder: a list of its files with their hashes. While the folder lies
//! still, any byte that changes in any file is found by it.

use super::error::Error;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const NAME: &str = "seal";

/// Removes the seal, because the files are about to change.
pub fn remove(dir: &Path) -> Result<(), Error> {
    match std::fs::remove_file(dir.join(NAME)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // Synced: a seal that came back after a power cut would call every newer file damaged.
        removed => removed.and_then(|()| sync(dir)).map_err(Error::file(dir.join(NAME))),
    }
}

/// Writes the seal over every file of the folder.
pub fn write(dir: &Path) -> Result<(), Error> {
    let mut text = String::from("swabline seal 1\n");
    for (name, hash) in hashes(dir)? {
        text.push_str(&format!("{hash} {name}\n"));
    }
    // The seal guards itself: its last line is the hash of what stands above.
    text.push_str(&format!("{}\n", blake3::hash(text.as_bytes()).to_hex()));
    let (path, new) = (dir.join(NAME), dir.join("seal.new"));
    let write = || {
        std::fs::write(&new, &text)?;
        std::fs::File::open(&new)?.sync_all()?;
        // Whole or not at all: half a seal would call a healthy folder damaged.
        std::fs::rename(&new, &path)?;
        sync(dir)
    };
    write().map_err(Error::file(path.clone()))
}

fn sync(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

/// Compares every file with the seal. `None` when there is no seal (the folder was not stopped in
/// order); else the names of the files that differ, are missing, or were not there.
pub fn check(dir: &Path) -> Result<Option<Vec<String>>, Error> {
    let text = match std::fs::read_to_string(dir.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            return Ok(Some(vec![NAME.to_owned()]));
        }
        Err(error) => return Err(Error::file(dir.join(NAME))(error)),
    };
    let body = text.trim_end_matches('\n').rsplit_once('\n');
    let Some((body, check)) = body.map(|(body, check)| (format!("{body}\n"), check)) else {
        return Ok(Some(vec![NAME.to_owned()]));
    };
    if blake3::hash(body.as_bytes()).to_hex().as_str() != check {
        return Ok(Some(vec![NAME.to_owned()]));
    }
    let sealed: BTreeMap<String, String> = body
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(' '))
        .map(|(hash, name)| (name.to_owned(), hash.to_owned()))
        .collect();
    let found = hashes(dir)?;
    let changed = sealed.iter().filter(|(name, hash)| found.get(*name) != Some(hash));
    let new = found.keys().filter(|name| !sealed.contains_key(*name));
    Ok(Some(changed.map(|(name, _)| name).chain(new).cloned().collect()))
}

fn hashes(dir: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = dir.join(&folder);
        for entry in std::fs::read_dir(&path).map_err(Error::file(path.clone()))? {
            let entry = entry.map_err(Error::file(path.clone()))?;
            let name = folder.join(entry.file_name());
            if entry.file_type().map_err(Error::file(entry.path()))?.is_dir() {
                folders.push(name);
            } else if !is_outside(&name) {
                found.insert(name.to_string_lossy().into_owned(), hash(&entry.path())?);
            }
        }
    }
    Ok(found)
}

/// The seal itself, the locks, and the text logs of RocksDB, which it may rename when it is only
/// opened for reading.
fn is_outside(name: &Path) -> bool {
    let file = name.file_name().and_then(|file| file.to_str()).unwrap_or("");
    matches!(file, NAME | "seal.new" | "lock" | "LOCK") || file.starts_with("LOG")
}

fn hash(path: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    let read = std::fs::File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut hasher));
    read.map_err(Error::file(path))?;
    Ok(hasher.finalize().to_hex().to_string())
}
