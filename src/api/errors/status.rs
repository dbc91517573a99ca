//! Errors as gRPC tells them: the status code of each reason, and details for programs and for people.

use super::super::codec::ManyFacts;
use super::super::requests::Halted;
use super::{Error, pb};
use crate::{engine, keyring};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

impl Error {
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
    let cause = std::error::Error::source(status);
    if let Some(halted) = cause.and_then(|cause| cause.downcast_ref::<Halted>()) {
        return Some(Error::Halted(*halted));
    }
    if cause.is_some_and(|cause| cause.is::<ManyFacts>()) {
        return Some(Error::many_facts());
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
    use crate::api::errors::NoForecast::{NoRound, NotYet, TooLong, Unknown};
    use crate::store;

    fn all() -> Vec<(Error, &'static str, Code)> {
        let busy = engine::Error::Overloaded { cause: "queue_facts_max", retry_after_ms: 250 };
        let fault = engine::Error::StorageFault { cause: "no space left".into() };
        let missing = keyring::Error::Missing { id: "k1".into(), dir: "/secret/place".into() };
        let damaged = || store::Error::Damaged { what: "secret key".into() };
        let field = || "tube".to_owned();
        let unit = ("管", "tubes");
        let no_forecast = |drill, why| Error::NoForecast { drill, why };
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
            (Error::ManyPeople { field: field() }, "TOO_LARGE", Code::InvalidArgument),
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
            (no_forecast(false, NoRound { over: false }), "NO_FORECAST", Code::FailedPrecondition),
            (no_forecast(false, NoRound { over: true }), "NO_FORECAST", Code::FailedPrecondition),
            (no_forecast(true, NoRound { over: true }), "NO_FORECAST", Code::FailedPrecondition),
            (
                no_forecast(false, NotYet { round: "R1".into() }),
                "NO_FORECAST",
                Code::FailedPrecondition,
            ),
            (
                no_forecast(true, NotYet { round: "R1".into() }),
                "NO_FORECAST",
                Code::FailedPrecondition,
            ),
            (no_forecast(true, Unknown(4)), "NO_FORECAST", Code::FailedPrecondition),
            (
                no_forecast(false, TooLong { round: "R1".into(), days: 50 }),
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
            (Error::Halted(Halted::Full), "OVERLOADED", Code::ResourceExhausted),
            (Error::Halted(Halted::Slow), "OVERLOADED", Code::ResourceExhausted),
            (Error::Halted(Halted::Unread), "OVERLOADED", Code::ResourceExhausted),
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
