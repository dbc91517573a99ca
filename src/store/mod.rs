//! The store: the log, which is the truth, and what is folded from it, in RocksDB. This is the
//! only room that names RocksDB.
//!
//! Two databases lie in a folder. `state` holds the log and nothing else; every commit is one write batch
//! to it and one sync, and that is what "durable" means. `fold` holds what follows from the log:
//! records of tubes, boxes, plates, people and figures, and the indexes of people and facts. It has
//! no write-ahead log and is written only by taking in sorted files, each with the sequence that it
//! is complete to, so that nothing it does can hold up a commit. What is not in a file yet is in
//! memory, seen by every reader, and after a crash folded from the log again.

mod append;
mod bare;
mod beside;
mod codec;
mod codes;
mod collected;
mod commit;
mod entry;
mod error;
mod filter;
mod folder;
mod forecasts;
mod index;
mod keeper;
pub mod keys;
mod known;
mod layer;
mod log;
mod memory;
mod merged;
mod open;
mod pending;
mod read;
mod recent;
mod records;
mod runs;
mod seal;
mod swabs;
mod upgrade;
mod verify;
mod view;

pub use append::{Appended, Appender};
pub use bare::{BareIndex, BareLog};
pub use beside::let_others_go_first;
pub use collected::CollectedPage;
pub use commit::Store;
pub use entry::fact_key;
pub use error::Error;
pub use folder::{Folder, FolderKind};
pub use forecasts::{ForecastLines, Forecasts};
pub use layer::{Commit, Layer};
pub use log::{Head, LogProof};
pub use open::Options;
pub use read::Read;
pub use recent::{Known, RosterPart};
pub use records::{decode_event, encode_event};
pub use verify::{Finding, Report, verify};
pub use view::View;
