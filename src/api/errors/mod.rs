//! What can go wrong with a call, with the machine-readable reason of each.
//!
//! - `status`: the gRPC status of each, the only place that chooses status codes; what tonic itself refused, in our words;
//! - `repeated`: what of a caller's own words may be said back.
//!
//! No text here repeats what a caller sent, but for names of fields, rounds and keys: what was sent
//! may hold an identity. Calls of plans name no person: theirs repeat the code or the number that is wrong, but for
//! one that could be an identity all the same (`repeated`).

mod repeated;
mod status;

pub use status::in_our_words;

use super::limits::FACTS_MAX;
use super::pb;
use super::requests::Halted;
use crate::engine::query::person::Unanswered;
use crate::forecaster::TurnError;
use crate::planner::Words;
use crate::{engine, keyring, store};
use std::borrow::Cow;

/// What can go wrong with a call, a message or a fact.
#[derive(Debug)]
pub enum Error {
    /// A field is missing or wrong.
    Invalid {
        /// The field.
        field: String,
        /// What is wrong and what to do: Chinese, English.
        problem: (Cow<'static, str>, Cow<'static, str>),
    },
    /// No barcode at all.
    NoBarcode {
        /// The field.
        field: String,
    },
    /// A person without a number.
    NoIdentity {
        /// The field.
        field: String,
    },
    /// Over a limit.
    TooLarge {
        /// The field; "message" for the whole.
        field: String,
        /// The limit.
        limit: usize,
        /// Of what: Chinese, English.
        unit: (&'static str, &'static str),
    },
    /// The fact id was used with other content.
    IdReused {
        /// The fact that has the id.
        seq: u64,
    },
    /// The fact names people and its round is not known, or none is named and not one is open.
    RoundUnknown {
        /// The round; empty = none was named.
        round: String,
    },
    /// Something about the keys of rounds.
    Keys(keyring::Error),
    /// A batch without facts.
    EmptyBatch,
    /// The first message of a stream is not Hello, or a later one is.
    HelloExpected,
    /// The fact has no body that is known here.
    KindUnknown,
    /// A live folder has no clock to move.
    NotADrill,
    /// There is no such thing.
    NotFound {
        /// The field that names it.
        field: &'static str,
    },
    /// The city that is planned for has no such street or laboratory.
    NotInCity {
        /// The field that names it.
        field: &'static str,
        /// The code that was sent, as far as it may be repeated.
        sent: String,
        /// The codes that the city has, as far as a message holds them, and where all of them are: Chinese, English.
        known: (String, String),
    },
    /// The configuration names no city.
    NoCity,
    /// There is no forecast now.
    NoForecast {
        /// The folder is a drill: its clock goes by ticks alone, and readings with it.
        drill: bool,
        /// Why there is none.
        why: NoForecast,
    },
    /// The city cannot be reckoned as asked.
    Unworkable {
        /// Why, and what to do: Chinese, English.
        words: (String, String),
    },
    /// No token, or a wrong one.
    Unauthenticated,
    /// The role may not do this.
    Forbidden,
    /// The server stops.
    ShuttingDown,
    /// The bytes are no message of this API.
    Undecodable,
    /// Too many calls at a time, or the call took too long.
    Busy,
    /// A request was not read to its end.
    Halted(Halted),
    /// A person's number stands in so many events that it is not one person's.
    ManyPeople {
        /// The field with the number.
        field: String,
    },
    /// The engine says no.
    Engine(engine::Error),
    /// The folder cannot be read.
    Store(store::Error),
    /// A task of the server broke.
    Broken,
    /// The API could not be served: the listener or the certificate.
    Serve(tonic::transport::Error),
}

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoForecast {
    /// No round is open.
    NoRound {
        /// There were rounds that are over: what was forecast of them is kept.
        over: bool,
    },
    /// Nothing was forecast of the open round yet.
    NotYet {
        /// Its code.
        round: String,
    },
    /// The round was opened so long ago, by the folder's clock, that no reading of it is taken any more.
    TooLong {
        /// Its code.
        round: String,
        /// Days since it was opened.
        days: i64,
    },
    /// All tubes of the open round are from places that the city file does not name: so many.
    Unknown(u64),
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        Error::Engine(error)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Error::Store(error)
    }
}

impl From<keyring::Error> for Error {
    fn from(error: keyring::Error) -> Self {
        Error::Keys(error)
    }
}

impl From<TurnError> for Error {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Engine(error) => Error::Engine(error),
            TurnError::Broken => Error::Broken,
        }
    }
}

impl From<Words> for Error {
    fn from(words: Words) -> Self {
        Error::Unworkable { words: (words.zh, words.en) }
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(_: tokio::task::JoinError) -> Self {
        Error::Broken
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (zh, en) = self.texts();
        write!(f, "{en} {zh}")
    }
}

impl std::error::Error for Error {}

/// Come back after this when nobody knows better.
const RETRY_MS: u64 = 1_000;

impl Error {
    /// A wrong field.
    pub fn invalid(
        field: impl Into<String>,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error::Invalid { field: field.into(), problem: (zh.into(), en.into()) }
    }

    /// Too many facts in one message.
    pub fn many_facts() -> Error {
        Error::TooLarge { field: "facts".into(), limit: FACTS_MAX, unit: ("条记录", "facts") }
    }

    /// Too many bytes for one message.
    pub fn message_too_large(limit: usize) -> Error {
        Error::TooLarge { field: "message".into(), limit, unit: ("字节", "bytes") }
    }

    /// Why there is no answer about the person in a field.
    pub fn of_person(error: Unanswered, field: &str) -> Error {
        match error {
            Unanswered::ManyPeople => Error::ManyPeople { field: format!("{field}.number") },
            Unanswered::Store(error) => Error::Store(error),
        }
    }

    /// The machine-readable reason.
    pub fn reason(&self) -> pb::Reason {
        use pb::Reason;
        match self {
            Error::Invalid { .. } | Error::Undecodable => Reason::Invalid,
            Error::NoBarcode { .. } => Reason::NoBarcode,
            Error::NoIdentity { .. } => Reason::NoIdentity,
            Error::TooLarge { .. } | Error::ManyPeople { .. } => Reason::TooLarge,
            Error::IdReused { .. } => Reason::FactIdReused,
            Error::RoundUnknown { .. } => Reason::RoundUnknown,
            Error::Keys(error) => match error {
                keyring::Error::Missing { .. }
                | keyring::Error::Destroyed(_)
                | keyring::Error::NotAKey { .. } => Reason::KeyMissing,
                keyring::Error::Number => Reason::NoIdentity,
                keyring::Error::Name(_) => Reason::Invalid,
                keyring::Error::TooMany => Reason::TooLarge,
                keyring::Error::File { .. } => Reason::Internal,
            },
            Error::EmptyBatch => Reason::EmptyBatch,
            Error::HelloExpected => Reason::HelloExpected,
            Error::KindUnknown => Reason::KindUnknown,
            Error::NotADrill => Reason::NotADrill,
            Error::NotFound { .. } | Error::NotInCity { .. } => Reason::NotFound,
            Error::NoCity => Reason::NoCity,
            Error::NoForecast { .. } => Reason::NoForecast,
            Error::Unworkable { .. } => Reason::Unworkable,
            Error::Unauthenticated => Reason::Unauthenticated,
            Error::Forbidden => Reason::Forbidden,
            Error::ShuttingDown => Reason::ShuttingDown,
            Error::Busy | Error::Halted(_) => Reason::Overloaded,
            Error::Engine(error) => match error {
                engine::Error::Overloaded { .. } | engine::Error::Crowded { .. } => {
                    Reason::Overloaded
                }
                engine::Error::ShuttingDown => Reason::ShuttingDown,
                engine::Error::StorageFault { .. } => Reason::StorageFault,
                engine::Error::Store(_) => Reason::Internal,
            },
            Error::Store(_) | Error::Broken | Error::Serve(_) => Reason::Internal,
        }
    }

    /// The wrong field, or empty.
    pub fn field(&self) -> &str {
        match self {
            Error::Invalid { field, .. }
            | Error::NoBarcode { field }
            | Error::NoIdentity { field }
            | Error::TooLarge { field, .. }
            | Error::ManyPeople { field } => field,
            Error::NotFound { field } | Error::NotInCity { field, .. } => field,
            Error::RoundUnknown { .. } => "round",
            _ => "",
        }
    }

    /// When to send the same again; 0 = it does not pass by itself.
    pub fn retry_after_ms(&self) -> u64 {
        match self {
            Error::Engine(
                engine::Error::Overloaded { retry_after_ms, .. }
                | engine::Error::Crowded { retry_after_ms, .. },
            ) => (*retry_after_ms).max(1),
            other => match other.reason() {
                pb::Reason::Overloaded | pb::Reason::ShuttingDown => RETRY_MS,
                // Until somebody mends the disk.
                pb::Reason::StorageFault => 30 * RETRY_MS,
                _ => 0,
            },
        }
    }

    /// True when nothing more can be taken in over the same stream.
    pub fn ends_stream(&self) -> bool {
        matches!(
            self.reason(),
            pb::Reason::ShuttingDown | pb::Reason::StorageFault | pb::Reason::Internal
        )
    }

    /// The refusal of one fact or one message.
    pub fn refusal(&self) -> pb::Refusal {
        let (zh, en) = self.texts();
        pb::Refusal {
            reason: self.reason().into(),
            text: Some(pb::Text { zh, en }),
            field: self.field().to_owned(),
            retry_after_ms: self.retry_after_ms(),
        }
    }
}
