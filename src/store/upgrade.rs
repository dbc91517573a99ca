//! Bringing a folder of an older format to this one.

use super::error::Error;
use super::folder::{self, Acknowledged, Folder};
use super::keys::Kind;
use super::open::{self, HEADS, LOG, RECORDS};
use rocksdb::{DB, IteratorMode, ReadOptions, WriteBatch, WriteOptions};
use std::path::Path;

/// Heads that are moved in one synced write.
const MOVED_AT_ONCE: usize = 10_000;

/// Brings a folder of an older format to this one; stopped half-way, it goes on where it was.
///
/// - In format 1 the records stood beside the log and the indexes in a database `index`.
/// - In format 2 the heads of batches stood among the events. They are moved. The filters of runs were others, and the figures
///   had no counters of single tubes and of boxes by how far they have come.
/// - What follows from a log of these is dropped, and folded again when the engine starts.
/// - In format 4 batches were hashed otherwise ([`Form`](super::log::Form)). They stay as they are.
///
/// # Errors
/// When the folder cannot be changed, or something acknowledged is missing from its log. Nothing of the log is lost by that.
pub fn upgrade(dir: &Path, folder: Folder) -> Result<Folder, Error> {
    if folder.format == folder::FORMAT {
        return Ok(folder);
    }
    tracing::info!(
        from = folder.format,
        to = folder::FORMAT,
        "bringing the folder to a new format"
    );
    if folder.format == 4 {
        return folder.rewritten(dir);
    }
    let path = dir.join("state");
    // Without it the first start was cut off before there was anything.
    if path.join("CURRENT").exists() {
        let families = DB::list_cf(&open::database_options(), &path)?;
        let mut state = DB::open_cf(&open::database_options(), &path, &families)?;
        if families.iter().any(|family| family == RECORDS) {
            state.drop_cf(RECORDS)?;
        }
        if !families.iter().any(|family| family == HEADS) {
            state.create_cf(HEADS, &open::database_options())?;
        }
        move_heads(&state)?;
        // Before anything that the log should say is dropped: of a log that lost its end it is the last witness.
        let (log_ends, _) = open::last_of(&state)?;
        if let Some((acknowledged, _)) = Acknowledged::peek(dir).filter(|(seq, _)| *seq > log_ends)
        {
            return Err(Error::AcknowledgedMissing { log_ends, acknowledged });
        }
    }
    for old in ["index", "fold"] {
        match std::fs::remove_dir_all(dir.join(old)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file(dir.join(old))(error));
            }
            _ => {}
        }
    }
    folder.rewritten(dir)
}

/// Moves the heads from among the events into their own family. Each is in one of the two at any time.
fn move_heads(state: &DB) -> Result<(), Error> {
    let (Some(log), Some(heads)) = (state.cf_handle(LOG), state.cf_handle(HEADS)) else {
        return Ok(());
    };
    let mut options = ReadOptions::default();
    options.set_iterate_range(Kind::Batch.start()..Kind::Batch.end());
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let mut batch = WriteBatch::default();
    for item in state.iterator_cf_opt(log, options, IteratorMode::Start) {
        let (key, head) = item?;
        batch.put_cf(heads, &key, head);
        batch.delete_cf(log, &key);
        if batch.len() >= 2 * MOVED_AT_ONCE {
            state.write_opt(std::mem::take(&mut batch), &synced)?;
        }
    }
    Ok(state.write_opt(batch, &synced)?)
}
