//! Why the engine does not do what it is asked.

use crate::store;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too much is waiting. Nothing was recorded; the same may be sent again later.
    #[error("too busy: {cause}")]
    Overloaded {
        /// Which limit was met.
        cause: &'static str,
        /// When to come back.
        retry_after_ms: u64,
    },
    /// Too many questions are under way, or intake needs the machine. Nothing was to be recorded; the same may be asked later.
    #[error("too busy for questions: {cause}")]
    Crowded {
        /// Which limit was met.
        cause: &'static str,
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The service is stopping. Nothing was recorded.
    #[error("the service is stopping")]
    ShuttingDown,
    /// The disk failed; intake is stopped until a restart. Whether the facts in hand were recorded
    /// is not known: send them again, the answer will say.
    #[error("storage fault, intake is stopped: {cause}")]
    StorageFault {
        /// The fault.
        cause: String,
    },
    /// A record could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}
