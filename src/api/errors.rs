//! What can go wrong with a call, and the only place that chooses gRPC status codes.
//!
//! No text here repeats what a caller sent, but for names of fields, rounds and keys: what was sent
//! may hold an identity.

use super::pb;
use crate::{engine, keyring, store};
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
        problem: (&'static str, &'static str),
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
    pub fn invalid(field: impl Into<String>, zh: &'static str, en: &'static str) -> Error {
        Error::Invalid { field: field.into(), problem: (zh, en) }
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
            Error::NotFound { .. } => Reason::NotFound,
            Error::Unauthenticated => Reason::Unauthenticated,
            Error::Forbidden => Reason::Forbidden,
            Error::ShuttingDown => Reason::ShuttingDown,
            Error::Busy => Reason::Overloaded,
            Error::Engine(error) => match error {
                engine::Error::Overloaded { .. } => Reason::Overloaded,
                engine::Error::ShuttingDown => Reason::ShuttingDown,
                engine::Error::StorageFault { .. } => Reason::StorageFault,
                engine::Error::TooLarge { .. } => Reason::TooLarge,
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
            Reason::RoundUnknown | Reason::KeyMissing | Reason::NotADrill => {
                Code::FailedPrecondition
            }
            Reason::Unauthenticated => Code::Unauthenticated,
            Reason::Forbidden => Code::PermissionDenied,
            Reason::Overloaded => Code::ResourceExhausted,
            Reason::ShuttingDown | Reason::StorageFault => Code::Unavailable,
            Reason::NotFound => Code::NotFound,
        }
    }

    /// What is wrong and what to do: Chinese, English.
    pub fn texts(&self) -> (String, String) {
        let own = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        match self {
            Error::Invalid { field, problem: (zh, en) } => {
                (format!("字段 {field}：{zh}"), format!("field {field}: {en}"))
            }
            Error::NoBarcode { field } => (
                format!("字段 {field} 没有条码：请重新扫描或手工录入后，用同一编号重发"),
                format!(
                    "field {field} has no barcode: scan it again or type it in, and send the fact \
                     again under the same id"
                ),
            ),
            Error::NoIdentity { field } => (
                format!("字段 {field} 没有证件号：无证件人员请选“其他”并由采样台编号，再用同一编号重发"),
                format!(
                    "field {field} has no document number: for a person without a document choose \
                     OTHER and make up a number, and send the fact again under the same id"
                ),
            ),
            Error::TooLarge { field, limit, unit: (zh, en) } => (
                format!("{field} 超过上限 {limit} {zh}：请拆分后重发"),
                format!("{field} is over the limit of {limit} {en}: split it and send it again"),
            ),
            Error::IdReused { seq } => (
                format!("该编号已用于另一内容（日志序号 {seq}），未作任何更改：请换下一个编号重发"),
                format!(
                    "this fact id was used with other content (log position {seq}); nothing was \
                     changed: send it under the next free number"
                ),
            ),
            Error::RoundUnknown { round } if round.is_empty() => own(
                "涉及人员的记录未写明轮次，且当前不是恰好一个轮次开放：请填写 round 后用同一编号重发",
                "the fact names people and no round, and not exactly one round is open: fill in \
                 `round` and send it again under the same id",
            ),
            Error::RoundUnknown { round } => (
                format!("轮次 {round} 未登记：请管理员先开启该轮次，再用同一编号重发"),
                format!(
                    "the round {round} is not known here: an administrator must open it, then send \
                     the fact again under the same id"
                ),
            ),
            Error::Keys(error) => keyring_texts(error),
            Error::EmptyBatch => own(
                "批次为空：至少放入一条记录再发",
                "the batch is empty: send it with at least one fact",
            ),
            Error::HelloExpected => own(
                "数据流的第一条消息必须是 Hello，且只能发一次：请重新打开数据流",
                "the first message of a stream must be Hello, and no later one: open the stream again",
            ),
            Error::KindUnknown => own(
                "记录没有内容，或其类型本版本不认识：请填写内容或升级服务器后，用同一编号重发",
                "the fact has no body, or one of a kind that this version does not know: fill it in \
                 or update the server, and send it again under the same id",
            ),
            Error::NotADrill => own(
                "这是实战目录，时钟不能拨动：只有演练目录可以",
                "this is a live folder, its clock cannot be moved: use a drill folder",
            ),
            Error::NotFound { field } => (
                format!("未找到：请核对 {field}"),
                format!("there is no such thing: check `{field}`"),
            ),
            Error::Unauthenticated => own(
                "没有令牌或令牌错误：请在 authorization 中填写 Bearer 令牌",
                "no token or a wrong one: send `authorization: Bearer <token>`",
            ),
            Error::Forbidden => own(
                "该令牌的角色无权执行此操作：请使用有权角色的令牌",
                "the token's role may not do this: use the token of a role that may",
            ),
            Error::ShuttingDown | Error::Engine(engine::Error::ShuttingDown) => own(
                "服务正在停止：请保留记录，稍后重连并用同一编号重发",
                "the server is stopping: keep the facts, connect again later and send the same ids",
            ),
            Error::Undecodable => own(
                "消息无法解码：请核对 proto 版本，按 proto/swabline/v1 重新编码",
                "the bytes do not decode: encode them as proto/swabline/v1 says",
            ),
            Error::Busy => own(
                "服务繁忙或处理超时：请保留记录，稍后用同一编号重发",
                "too busy, or it took too long: keep the facts and send the same ids again later",
            ),
            Error::Engine(engine::Error::Overloaded { cause, .. }) => (
                format!("服务繁忙（{cause}）：请保留记录，稍后用同一编号重发"),
                format!("too busy ({cause}): keep the facts and send the same ids again later"),
            ),
            Error::Engine(engine::Error::StorageFault { cause }) => (
                format!("服务器存储故障，已停止接收（{cause}）：请保留记录并联系管理员"),
                format!(
                    "the server's storage failed and it takes nothing in ({cause}): keep the facts \
                     and call an administrator"
                ),
            ),
            Error::Engine(engine::Error::TooLarge { .. }) => own(
                "消息超过服务器上限：请拆分后重发",
                "the message is over the server's limit: split it and send it again",
            ),
            Error::Engine(engine::Error::Store(_))
            | Error::Store(_)
            | Error::Broken
            | Error::Serve(_) => own(
                "服务器内部故障：请保留记录，并将 request_id 报告管理员",
                "a fault of the server: keep the facts and tell an administrator the request_id",
            ),
        }
    }

    /// The wrong field, or empty.
    pub fn field(&self) -> &str {
        match self {
            Error::Invalid { field, .. }
            | Error::NoBarcode { field }
            | Error::NoIdentity { field }
            | Error::TooLarge { field, .. } => field,
            Error::NotFound { field } => field,
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

/// What the key ring says, in two languages.
fn keyring_texts(error: &keyring::Error) -> (String, String) {
    let own = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match error {
        keyring::Error::Missing { id, .. } | keyring::Error::Destroyed(id) => (
            format!("轮次密钥 {id} 不在本服务器，无法登记或查询其人员：请管理员恢复密钥后，用同一编号重发"),
            format!(
                "the key {id} of the round is not on this server, so its people cannot be named: an \
                 administrator must put it back, then send the fact again under the same id"
            ),
        ),
        keyring::Error::Number => own(
            "证件号为空或过长：请核对证件号后，用同一编号重发",
            "the document number is empty or too long: check it and send the fact again under the \
             same id",
        ),
        keyring::Error::Name(_) => own(
            "密钥名称只能用字母、数字、- 和 _：请在 key_id 中另起名称",
            "a key's name has letters, digits, '-' and '_' only: give another one in `key_id`",
        ),
        keyring::Error::TooMany => own(
            "密钥数量已达上限：请先销毁已结束轮次的密钥",
            "there are too many keys: destroy those of rounds that are over first",
        ),
        keyring::Error::NotAKey { .. } | keyring::Error::File { .. } => own(
            "密钥文件无法使用：请将 request_id 报告管理员",
            "a key file cannot be used: tell an administrator the request_id",
        ),
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

