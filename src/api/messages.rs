//! What users read when something is refused: what is wrong and what to do, in Chinese and English.
//!
//! No text repeats what a caller sent, but for names of fields, rounds and keys, and what plans are asked for: what was
//! sent may hold an identity (`errors`). A test asks of each text that it is there in both languages and gives advice.

use super::errors::{Error, NoForecast};
use super::requests::Halted;
use crate::engine::query::person::EVENTS_MAX;
use crate::{engine, keyring};

impl Error {
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
                format!(
                    "字段 {field} 没有证件号：无证件人员请选“其他”并由采样台编号，再用同一编号重发"
                ),
                format!(
                    "field {field} has no document number: for a person without a document choose \
                     OTHER and make up a number, and send the fact again under the same id"
                ),
            ),
            Error::TooLarge { field, limit, unit: (zh, en) } => (
                format!("{field} 超过上限 {limit} {zh}：请拆分后重发"),
                format!("{field} is over the limit of {limit} {en}: split it and send it again"),
            ),
            Error::ManyPeople { field } => (
                format!(
                    "字段 {field} 的号码出现在超过 {EVENTS_MAX} 条记录中，不是一个人的号码：请按试管条码查询"
                ),
                format!(
                    "the number in field {field} stands in more than {EVENTS_MAX} events, so it is not one \
                     person's: ask by the barcode of the tube"
                ),
            ),
            Error::IdReused { seq } => (
                format!("该编号已用于另一内容（日志序号 {seq}），未作任何更改：请换下一个编号重发"),
                format!(
                    "this fact id was used with other content (log position {seq}); nothing was \
                     changed: send it under the next free number"
                ),
            ),
            Error::RoundUnknown { round } if round.is_empty() => own(
                "未写明轮次，且当前不是恰好一个轮次开放：请填写 round 后用同一编号重发",
                "no round is named, and not exactly one is open: fill in `round` and send it again \
                 under the same id",
            ),
            Error::RoundUnknown { round } => (
                format!("轮次 {round} 未登记：请核对，或请管理员先开启该轮次，再用同一编号重发"),
                format!(
                    "the round {round} is not known here: check it, or have an administrator open it, \
                     and send it again under the same id"
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
            Error::NotInCity { field, sent, known: (zh, en) } => (
                format!("城市文件中没有 {field}“{sent}”：请核对；现有：{zh}"),
                format!("the city file has no `{field}` \"{sent}\": check it; there are: {en}"),
            ),
            Error::NoCity => own(
                "未配置城市文件，无法测算：请在配置文件 [planner] 中填写 city 后重启服务",
                "no city file is configured, so nothing can be planned: name one as [planner] city and \
                 start the service again",
            ),
            Error::NoForecast { drill, why } => no_forecast_texts(*drill, why),
            Error::Unworkable { words: (zh, en) } => {
                (format!("无法按此测算：{zh}"), format!("this cannot be reckoned: {en}"))
            }
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
            Error::Halted(Halted::Full) => own(
                "服务器正在接收的大消息过多：请稍后重发，或改为每次少发（每条消息不超过 16 KiB 时随时可发）",
                "too many large messages are on their way to the server: send it again later, or send less at a \
                 time (messages up to 16 KiB always get through)",
            ),
            Error::Halted(Halted::Unread) => own(
                "等待客户端读取的大答复过多：请先读完已有答复，稍后再问，或每次少问（减小 page.size）",
                "too many large answers wait to be read by their clients: read what was answered, and ask again later or for \
                 less at a time (page.size)",
            ),
            Error::Halted(Halted::Slow) => own(
                "一条消息开始后未能按时传完：请检查网络，重新连接后再发，或改为每次少发",
                "a message began and was not complete in time: check the line, connect again and send it \
                 again, or send less at a time",
            ),
            Error::Busy => own(
                "服务繁忙或处理超时：查询请稍后再问；上报记录请保留，稍后用同一编号重发",
                "too busy, or it took too long: ask again later; facts are to be kept and sent again with the same ids",
            ),
            Error::Engine(engine::Error::Crowded { cause, retry_after_ms }) => {
                let seconds = retry_after_ms.div_ceil(1_000);
                (
                    format!("服务正忙于其他查询或测算（{cause}）：本次未受理，请{seconds}秒后再问"),
                    format!(
                        "the server is busy with other questions ({cause}): this one was not taken, ask again in {seconds} s"
                    ),
                )
            }
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
            Error::Engine(engine::Error::Store(_))
            | Error::Store(_)
            | Error::Broken
            | Error::Serve(_) => own(
                "服务器内部故障：请保留记录，并将 request_id 报告管理员",
                "a fault of the server: keep the facts and tell an administrator the request_id",
            ),
        }
    }
}

/// Why there is no forecast and when there will be one, in two languages.
fn no_forecast_texts(drill: bool, why: &NoForecast) -> (String, String) {
    let [then_zh, then_en] = match drill {
        false => ["收到第一管约一分钟后再查询", "ask again about a minute after its first tube"],
        true => [
            "收到第一管后用 swabline round tick（或 Tick）拨钟至少一分钟再查询：演练的时钟只随拨钟前进，读数和预测随之而来",
            "after its first tube move the clock by a minute or more (swabline round tick, or Tick) and ask again; a drill's \
             clock goes by ticks alone, and readings and forecasts go by that clock",
        ],
    };
    match why {
        NoForecast::NoRound { over } => {
            let [kept_zh, kept_en] = match over {
                false => ["", ""],
                true => [
                    "；已结束轮次的预测仍保存在数据目录中，可用 swabline forecasts 加该目录查看",
                    "; what was forecast of rounds that are over is kept in the data folder, and `swabline forecasts DIR` tells it",
                ],
            };
            (
                format!("没有预测，因为当前没有开放的轮次：请开启轮次，{then_zh}{kept_zh}"),
                format!(
                    "there is no forecast, for no round is open: open one, and {then_en}{kept_en}"
                ),
            )
        }
        NoForecast::NotYet { round } => (
            format!("轮次 {round} 已开放，尚无预测：{then_zh}"),
            format!("the round {round} is open and nothing was forecast of it yet: {then_en}"),
        ),
        NoForecast::TooLong { round, days } => (
            format!(
                "没有预测：轮次 {round} 按时钟已开放 {days} 天，超过 49 天不再读数和预测：请核对服务器时钟；时钟无误则请关闭该轮次"
            ),
            format!(
                "there is no forecast: by the clock the round {round} was opened {days} days ago, and beyond 49 days nothing is read or \
                 forecast of it: check the server's clock, and if it is right, close the round"
            ),
        ),
        NoForecast::Unknown(tubes) => (
            format!(
                "尚无预测：已采集的 {tubes} 管均来自城市文件未列出的街道或采样点，无法计入：请核对城市文件与基础数据中的编码"
            ),
            format!(
                "there is no forecast yet: {} at places that the city file does not name; compare its codes with those of the \
                 reference data",
                match tubes {
                    1 => "the only tube was collected".to_owned(),
                    _ => format!("all {tubes} tubes were collected"),
                }
            ),
        ),
    }
}

/// What the key ring says, in two languages.
fn keyring_texts(error: &keyring::Error) -> (String, String) {
    let own = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match error {
        keyring::Error::Missing { id, .. } | keyring::Error::Destroyed(id) => (
            format!(
                "轮次密钥 {id} 不在本服务器，无法登记或查询其人员：请管理员恢复密钥后，用同一编号重发"
            ),
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
