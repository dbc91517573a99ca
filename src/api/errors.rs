//! What can go wrong with a call, and the only place that chooses gRPC status codes.
//!
//! No text here repeats what a caller sent, but for names of fields, rounds and keys: what was sent
//! may hold an identity. Calls of plans name no person: theirs repeat the code or the number that is wrong, but for
//! one that could be an identity all the same (`repeated`).

use super::pb;
use crate::forecaster::TurnError;
use crate::planner::Words;
use crate::{engine, keyring, store};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

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
    /// Nothing was forecast yet.
    NoForecast {
        /// The folder is a drill: its clock goes by ticks alone, and readings with it.
        drill: bool,
        /// Tubes collected at places that the city file does not name.
        unknown: u64,
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
    /// The engine says no.
    Engine(engine::Error),
    /// The folder cannot be read.
    Store(store::Error),
    /// A task of the server broke.
    Broken,
    /// The API could not be served: the listener or the certificate.
    Serve(tonic::transport::Error),
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

/// Codes that a message names: of five hundred streets nobody reads each.
const CODES_TOLD: usize = 20;

/// Longest code that is repeated, in characters.
const REPEATED_MAX: usize = 64;

/// Digits in a row that may be an identity number. Codes of streets have twelve at most.
const IDENTITY_DIGITS: usize = 15;

/// A code as a text may repeat it: what is too long is cut, and nothing is left of what could be an identity number.
fn repeated(sent: &str) -> String {
    let digits = |part: &str| part.chars().count() >= IDENTITY_DIGITS;
    if sent.split(|c: char| !c.is_numeric()).any(digits) {
        return "…".to_owned();
    }
    let mut shown: String = sent.chars().filter(|c| !c.is_control()).take(REPEATED_MAX).collect();
    if sent.chars().count() > REPEATED_MAX {
        shown.push('…');
    }
    shown
}

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

    /// A code that the city does not have, with those that it has: twenty, then how many there are and where. One that is
    /// not filled in is invalid.
    pub fn not_in_city(field: &'static str, sent: &str, codes: &[&str]) -> Error {
        let (mut zh, mut en) = (codes.join("、"), codes.join(", "));
        if codes.len() > CODES_TOLD {
            let (told, n) = (&codes[..CODES_TOLD], codes.len());
            zh = format!("{} 等 {n} 个，全部见城市文件和 Assign 的答复", told.join("、"));
            en = format!(
                "{} and more, {n} in all; the city file and the reply of Assign have every one",
                told.join(", ")
            );
        }
        match sent.trim() {
            "" => Error::invalid(
                field,
                format!("必填，请填写后重发；现有：{zh}"),
                format!("is required: fill it in and send it again; there are: {en}"),
            ),
            sent => Error::NotInCity { field, sent: repeated(sent), known: (zh, en) },
        }
    }

    /// Too many bytes for one message.
    pub fn message_too_large(limit: usize) -> Error {
        Error::TooLarge { field: "message".into(), limit, unit: ("字节", "bytes") }
    }

    /// The machine-readable reason.
    pub fn reason(&self) -> pb::Reason {
        use pb::Reason;
        match self {
            Error::Invalid { .. } | Error::Undecodable => Reason::Invalid,
            Error::NoBarcode { .. } => Reason::NoBarcode,
            Error::NoIdentity { .. } => Reason::NoIdentity,
            Error::TooLarge { .. } => Reason::TooLarge,
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
            Error::Busy => Reason::Overloaded,
            Error::Engine(error) => match error {
                engine::Error::Overloaded { .. } => Reason::Overloaded,
                engine::Error::ShuttingDown => Reason::ShuttingDown,
                engine::Error::StorageFault { .. } => Reason::StorageFault,
                engine::Error::Store(_) => Reason::Internal,
            },
            Error::Store(_) | Error::Broken | Error::Serve(_) => Reason::Internal,
        }
    }

    /// The gRPC status code of a reason.
    fn code(reason: pb::Reason) -> Code {
        use pb::Reason;
        match reason {
            Reason::Unspecified | Reason::Internal => Code::Internal,
            Reason::Invalid
            | Reason::NoBarcode
            | Reason::NoIdentity
            | Reason::TooLarge
            | Reason::EmptyBatch
            | Reason::HelloExpected
            | Reason::KindUnknown => Code::InvalidArgument,
            Reason::FactIdReused => Code::AlreadyExists,
            Reason::RoundUnknown
            | Reason::KeyMissing
            | Reason::NotADrill
            | Reason::NoCity
            | Reason::NoForecast
            | Reason::Unworkable => Code::FailedPrecondition,
            Reason::Unauthenticated => Code::Unauthenticated,
            Reason::Forbidden => Code::PermissionDenied,
            Reason::Overloaded => Code::ResourceExhausted,
            Reason::ShuttingDown | Reason::StorageFault => Code::Unavailable,
            Reason::NotFound => Code::NotFound,
        }
    }

    /// The wrong field, or empty.
    pub fn field(&self) -> &str {
        match self {
            Error::Invalid { field, .. }
            | Error::NoBarcode { field }
            | Error::NoIdentity { field }
            | Error::TooLarge { field, .. } => field,
            Error::NotFound { field } | Error::NotInCity { field, .. } => field,
            Error::RoundUnknown { .. } => "round",
            _ => "",
        }
    }

    /// When to send the same again; 0 = it does not pass by itself.
    pub fn retry_after_ms(&self) -> u64 {
        match self {
            Error::Engine(engine::Error::Overloaded { retry_after_ms, .. }) => {
                (*retry_after_ms).max(1)
            }
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

    /// The cause of a fault of the server with all that lies behind it, for the log.
    fn fault(&self) -> Option<String> {
        match self {
            Error::Store(error) | Error::Engine(engine::Error::Store(error)) => Some(error.chain()),
            Error::Keys(error @ (keyring::Error::File { .. } | keyring::Error::NotAKey { .. })) => {
                Some(error.to_string())
            }
            Error::Broken => Some("a task broke".into()),
            _ => None,
        }
    }
}

/// Numbers faults of the server, so that the log's line for a caller's report is found.
static FAULTS: AtomicU64 = AtomicU64::new(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        let (zh, en) = error.texts();
        let mut metadata = HashMap::new();
        metadata.insert("message_zh".to_owned(), zh.clone());
        metadata.insert("message_en".to_owned(), en.clone());
        if let Some(cause) = error.fault() {
            let request_id =
                format!("{}-{}", std::process::id(), FAULTS.fetch_add(1, Ordering::Relaxed));
            tracing::error!(request_id, cause, "a call failed by the server's fault");
            metadata.insert("request_id".to_owned(), request_id);
        }
        let name = reason.as_str_name().trim_start_matches("REASON_");
        let mut details = ErrorDetails::with_error_info(name, "swabline", metadata);
        details.set_localized_message("zh-CN", zh);
        if !error.field().is_empty() {
            details.add_bad_request_violation(error.field(), en.clone());
        }
        if error.retry_after_ms() > 0 {
            details.set_retry_info(Some(Duration::from_millis(error.retry_after_ms())));
        }
        Status::with_error_details(Error::code(reason), en, details)
    }
}

/// What tonic itself refused, in our words: it knows no reason and no Chinese. `None` = leave it as
/// it is. `limit` is the size limit of the call.
pub fn in_our_words(status: &Status, limit: usize) -> Option<Error> {
    if !status.details().is_empty() {
        return None;
    }
    match status.code() {
        // The decoder: a message over its limit.
        Code::OutOfRange => Some(Error::message_too_large(limit)),
        // The decoder: bytes that are no message. Our own faults carry details.
        Code::Internal => Some(Error::Undecodable),
        // Too many calls at a time, or the time limit of a call.
        Code::ResourceExhausted | Code::Cancelled => Some(Error::Busy),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unimplemented
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<(Error, &'static str, Code)> {
        let busy = engine::Error::Overloaded { cause: "queue_facts_max", retry_after_ms: 250 };
        let fault = engine::Error::StorageFault { cause: "no space left".into() };
        let missing = keyring::Error::Missing { id: "k1".into(), dir: "/secret/place".into() };
        let damaged = || store::Error::Damaged { what: "secret key".into() };
        let field = || "tube".to_owned();
        let unit = ("管", "tubes");
        vec![
            (
                Error::invalid("id.number", "从 1 开始", "counts from 1"),
                "INVALID",
                Code::InvalidArgument,
            ),
            (Error::NoBarcode { field: field() }, "NO_BARCODE", Code::InvalidArgument),
            (Error::NoIdentity { field: field() }, "NO_IDENTITY", Code::InvalidArgument),
            (
                Error::TooLarge { field: field(), limit: 5, unit },
                "TOO_LARGE",
                Code::InvalidArgument,
            ),
            (Error::message_too_large(9), "TOO_LARGE", Code::InvalidArgument),
            (Error::Undecodable, "INVALID", Code::InvalidArgument),
            (Error::EmptyBatch, "EMPTY_BATCH", Code::InvalidArgument),
            (Error::HelloExpected, "HELLO_EXPECTED", Code::InvalidArgument),
            (Error::KindUnknown, "KIND_UNKNOWN", Code::InvalidArgument),
            (Error::IdReused { seq: 3 }, "FACT_ID_REUSED", Code::AlreadyExists),
            (
                Error::RoundUnknown { round: String::new() },
                "ROUND_UNKNOWN",
                Code::FailedPrecondition,
            ),
            (Error::RoundUnknown { round: "r".into() }, "ROUND_UNKNOWN", Code::FailedPrecondition),
            (Error::Keys(missing), "KEY_MISSING", Code::FailedPrecondition),
            (Error::NotADrill, "NOT_A_DRILL", Code::FailedPrecondition),
            (Error::NoCity, "NO_CITY", Code::FailedPrecondition),
            (
                Error::NoForecast { drill: false, unknown: 0 },
                "NO_FORECAST",
                Code::FailedPrecondition,
            ),
            (
                Error::NoForecast { drill: true, unknown: 0 },
                "NO_FORECAST",
                Code::FailedPrecondition,
            ),
            (
                Error::NoForecast { drill: true, unknown: 4 },
                "NO_FORECAST",
                Code::FailedPrecondition,
            ),
            (
                Error::Unworkable { words: ("无车辆".into(), "no vehicle".into()) },
                "UNWORKABLE",
                Code::FailedPrecondition,
            ),
            (Error::NotFound { field: "tube" }, "NOT_FOUND", Code::NotFound),
            (Error::not_in_city("lab", "L?", &["L1"]), "NOT_FOUND", Code::NotFound),
            (Error::not_in_city("lab", " ", &["L1"]), "INVALID", Code::InvalidArgument),
            (Error::Unauthenticated, "UNAUTHENTICATED", Code::Unauthenticated),
            (Error::Forbidden, "FORBIDDEN", Code::PermissionDenied),
            (Error::Busy, "OVERLOADED", Code::ResourceExhausted),
            (Error::Engine(busy), "OVERLOADED", Code::ResourceExhausted),
            (Error::ShuttingDown, "SHUTTING_DOWN", Code::Unavailable),
            (Error::Engine(engine::Error::ShuttingDown), "SHUTTING_DOWN", Code::Unavailable),
            (Error::Engine(fault), "STORAGE_FAULT", Code::Unavailable),
            (Error::Engine(engine::Error::Store(damaged())), "INTERNAL", Code::Internal),
            (Error::Store(damaged()), "INTERNAL", Code::Internal),
            (Error::Broken, "INTERNAL", Code::Internal),
        ]
    }

    #[test]
    fn every_error_has_a_reason_a_code_and_says_what_to_do_in_both_languages() {
        for (error, reason, code) in all() {
            let told = format!("{error:?}");
            let (field, retry) = (error.field().to_owned(), error.retry_after_ms());
            let transient = matches!(code, Code::Unavailable | Code::ResourceExhausted);
            let status = Status::from(error);
            assert_eq!(status.code(), code, "{told}");
            let details = status.get_error_details();
            let info = details.error_info().expect("ErrorInfo");
            assert_eq!(
                (info.reason.as_str(), info.domain.as_str()),
                (reason, "swabline"),
                "{told}"
            );
            assert_eq!(info.metadata["message_en"], status.message());
            let zh = details.localized_message().expect("LocalizedMessage");
            assert_eq!((zh.locale.as_str(), &zh.message), ("zh-CN", &info.metadata["message_zh"]));
            assert!(zh.message.chars().any(|c| c > '\u{2fff}'), "no Chinese: {}", zh.message);
            assert!(!status.message().chars().any(|c| c > '\u{2fff}'), "{}", status.message());
            // Both say what to do, after a colon.
            let advice = status.message().contains(": ") && zh.message.contains('：');
            assert!(advice, "no advice: {} {}", status.message(), zh.message);
            assert_eq!(details.retry_info().is_some(), transient, "{told}");
            assert_eq!(retry > 0, transient, "{told}");
            assert_eq!(details.bad_request().is_some(), !field.is_empty(), "{told}");
            assert!(!status.message().contains("secret"), "the inside leaks: {}", status.message());
            assert_eq!(info.metadata.contains_key("request_id"), code == Code::Internal, "{told}");
        }
    }

    #[test]
    fn a_code_that_the_city_does_not_have_is_repeated_unless_it_could_be_an_identity() {
        let many: Vec<String> = (1..=23).map(|n| format!("L{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (sent, codes, zh, en) in [
            (
                "L?",
                &["L1", "L2"][..],
                "没有 lab“L?”：请核对；现有：L1、L2",
                "no `lab` \"L?\": check it; there are: L1, L2",
            ),
            (" 990001/990001001002 ", &["L1"], "“990001/990001001002”", "\"990001/990001001002\""),
            ("110105194912310", &["L1"], "“…”", "\"…\""),
            ("x11010519491231002X", &["L1"], "“…”", "\"…\""),
            ("L\n1\u{7}", &["L1"], "“L1”", "\"L1\""),
            (
                "L?",
                &many,
                "L20 等 23 个，全部见城市文件和 Assign 的答复",
                "L20 and more, 23 in all; the city file and",
            ),
            (
                "",
                &["L1", "L2"],
                "必填，请填写后重发；现有：L1、L2",
                "send it again; there are: L1, L2",
            ),
        ] {
            let texts = Error::not_in_city("lab", sent, codes).texts();
            assert!(texts.0.contains(zh) && texts.1.contains(en), "{sent}: {texts:?}");
        }
        let long = Error::not_in_city("lab", &"a".repeat(200), &["L1"]).texts();
        assert!(long.1.contains(&format!("\"{}…\"", "a".repeat(64))), "{}", long.1);
    }

    #[test]
    fn what_tonic_refuses_is_told_in_our_words() {
        let ours = |status: Status| in_our_words(&status, 7).map(|error| error.reason());
        assert_eq!(
            ours(Status::out_of_range("decoded message length too large")),
            Some(pb::Reason::TooLarge)
        );
        assert_eq!(
            ours(Status::internal("failed to decode Protobuf message")),
            Some(pb::Reason::Invalid)
        );
        assert_eq!(
            ours(Status::resource_exhausted("Too many active requests")),
            Some(pb::Reason::Overloaded)
        );
        assert_eq!(ours(Status::cancelled("Timeout expired")), Some(pb::Reason::Overloaded));
        assert_eq!(ours(Status::unimplemented("")), None);
        assert_eq!(ours(Status::from(Error::Broken)), None, "our own faults stay what they are");
    }
}
