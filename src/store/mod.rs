//! The store: the log, which is the truth, and what is folded from it, in RocksDB. This is the
//! only room that names RocksDB.
//!
//! Two databases lie in a folder. `state` holds the log and the records of tubes, boxes, plates,
//! people and figures; every commit is one synced write batch to it. `index` holds what the log can
//! rebuild (person to events, fact id to event); it has no write-ahead log and is written only by
//! ingesting sorted files, so that nothing it does can hold up a commit.

mod codec;
mod commit;
mod error;
mod folder;
mod index;
pub mod keys;
mod log;
mod open;
mod read;
mod records;
mod seal;
mod verify;
mod view;

pub use commit::{Commit, Store};
pub use error::Error;
pub use folder::{Folder, FolderKind};
pub use index::fact_key;
pub use log::{Head, LogProof};
pub use open::Options;
pub use read::Read;
pub use records::{decode_event, encode_event};
pub use verify::{Finding, Report, verify};
pub use view::View;
