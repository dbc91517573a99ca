//! A data folder: its description, its lock, and the small file that remembers what has been
//! acknowledged apart from the log.

use super::error::Error;
use super::log::Hash;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The newest format of a folder that this release knows, and the one it writes.
pub const FORMAT: u32 = 5;

/// Live or drill, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FolderKind {
    /// Real people. The clock is the machine's.
    Live,
    /// A rehearsal. The clock is driven by logged ticks.
    Drill,
}

impl FolderKind {
    /// Name in files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            FolderKind::Live => "live",
            FolderKind::Drill => "drill",
        }
    }
}

/// The description of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Format of everything in it.
    pub format: u32,
    /// Live or drill.
    pub kind: FolderKind,
    /// A random name, so that two folders cannot be taken for one another.
    pub id: String,
}

impl Folder {
    fn path(dir: &Path) -> PathBuf {
        dir.join("folder.toml")
    }

    /// Reads the description; `None` when the folder is new.
    pub fn read(dir: &Path) -> Result<Option<Folder>, Error> {
        let path = Folder::path(dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(path)(error)),
        };
        // A newer release may have added fields: look at the number before anything else.
        let format = toml::from_str::<toml::Table>(&text)
            .ok()
            .and_then(|table| table.get("format")?.as_integer())
            .and_then(|format| u32::try_from(format).ok());
        if let Some(found) = format.filter(|found| *found > FORMAT) {
            return Err(Error::NewerFormat { path: dir.into(), found, known: FORMAT });
        }
        toml::from_str(&text).map(Some).map_err(|error| Error::NotOurs {
            path: dir.into(),
            problem: format!("folder.toml: {}", error.message()),
        })
    }

    /// Describes a new folder.
    pub fn create(dir: &Path, kind: FolderKind) -> Result<Folder, Error> {
        let stamp = format!("{:?}{:?}{}", std::time::SystemTime::now(), dir, std::process::id());
        let id = blake3::hash(stamp.as_bytes()).to_hex()[..16].to_owned();
        Folder { format: FORMAT, kind, id }.write(dir)
    }

    /// The same folder in the newest format.
    pub fn rewritten(self, dir: &Path) -> Result<Folder, Error> {
        Folder { format: FORMAT, ..self }.write(dir)
    }

    fn write(self, dir: &Path) -> Result<Folder, Error> {
        let text = toml::to_string(&self).expect("three plain fields can be written as TOML");
        let path = Folder::path(dir);
        let new = dir.join("folder.toml.new");
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(Error::file(path.clone()))?;
        Ok(self)
    }
}

/// Takes the folder for this process; it is free again when the file is dropped.
pub fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(Error::file(path.clone()))?;
    // A process that has just ended may hold it a moment longer through a child of its own.
    for tries_left in (0..LOCK_TRIES).rev() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if tries_left > 0 => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(Error::file(path)(error)),
        }
    }
    Err(Error::InUse(dir.into()))
}

/// A folder in use is tried so often, with a pause between: together one second.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

const SLOT: usize = 64;

/// The highest acknowledged sequence and its batch's hash, kept outside the log. It may trail the
/// log by what was committed in the last 100 ms, and by nothing after a clean stop.
pub struct Acknowledged {
    file: File,
    next_slot: u64,
}

impl Acknowledged {
    /// Opens the file and reads the newest whole entry.
    pub fn open(dir: &Path) -> Result<(Acknowledged, Option<(u64, Hash)>), Error> {
        let path = dir.join("acknowledged");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::file(path))?;
        let newest = Acknowledged::newest(&file);
        Ok((Acknowledged { file, next_slot: 0 }, newest))
    }

    /// Reads the newest whole entry without opening for writing.
    pub fn peek(dir: &Path) -> Option<(u64, Hash)> {
        Acknowledged::newest(&File::open(dir.join("acknowledged")).ok()?)
    }

    fn newest(file: &File) -> Option<(u64, Hash)> {
        let entry = |slot: u64| {
            let mut bytes = [0_u8; SLOT];
            file.read_exact_at(&mut bytes, slot * SLOT as u64).ok()?;
            let check = blake3::hash(&bytes[..40]);
            let whole = check.as_bytes()[..24] == bytes[40..];
            let seq = u64::from_be_bytes(bytes[..8].try_into().ok()?);
            whole.then_some((seq, bytes[8..40].try_into().ok()?))
        };
        entry(0).max(entry(1))
    }

    /// Notes what has been acknowledged. Two slots take turns, so that a torn write leaves the
    /// other one whole.
    pub fn note(&mut self, seq: u64, hash: &Hash) -> std::io::Result<()> {
        let mut bytes = [0_u8; SLOT];
        bytes[..8].copy_from_slice(&seq.to_be_bytes());
        bytes[8..40].copy_from_slice(hash);
        let check = blake3::hash(&bytes[..40]);
        bytes[40..].copy_from_slice(&check.as_bytes()[..24]);
        self.file.write_all_at(&bytes, self.next_slot * SLOT as u64)?;
        self.next_slot ^= 1;
        Ok(())
    }

    /// A handle for the thread that syncs the file.
    pub fn handle(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }
}
