//! The server that an office speaks to: its address, the calls, and what it said, in two languages.

use crate::api::client::{self, AdministrationClient, Channel, Request, Status};
use crate::api::pb;
use anyhow::Context;
use clap::Args;
use std::path::Path;
use std::time::Duration;

/// How often a call is made again when the server is too busy or away.
const RETRIES_MAX: u32 = 6;

/// Longest time between two tries.
const RETRY_MAX: Duration = Duration::from_secs(8);

/// Where the server is.
#[derive(Args)]
pub struct ServerArgs {
    /// Address of the server, http://HOST:PORT, or https with --ca. 服务地址
    #[arg(long, value_name = "URL", value_parser = address)]
    pub server: String,
    /// Token of an administrator. 令牌
    #[arg(long)]
    pub token: Option<String>,
    /// Certificate of whoever signed the server's, PEM; with it TLS is spoken. 签发服务器证书的 CA 证书
    #[arg(long, value_name = "FILE")]
    pub ca: Option<std::path::PathBuf>,
}

/// A call of Administration.
#[derive(Clone)]
pub(in crate::cli) enum Call {
    Reference(pb::ImportReferenceRequest),
    Roster(pb::ImportRosterRequest),
    OpenRound(pb::OpenRoundRequest),
    CloseRound(pb::CloseRoundRequest),
    SwitchRule(pb::SwitchRuleRequest),
    Tick(pb::TickRequest),
}

/// What became of a call.
pub(in crate::cli) struct Done {
    /// Position in the log.
    pub(in crate::cli) seq: u64,
    /// It was recorded before.
    pub(in crate::cli) duplicate: bool,
    /// The folder is a drill.
    pub(in crate::cli) drill: bool,
    /// The server's clock by then, in milliseconds since 1970; a drill's stands where it was moved to last.
    pub(in crate::cli) server_time_ms: i64,
    /// What was odd about it.
    pub(in crate::cli) findings: Vec<pb::Text>,
}

/// A server that answers.
#[derive(Clone)]
pub(in crate::cli) struct Server {
    client: AdministrationClient<Channel>,
    token: String,
}

impl Server {
    /// Connects to HOST:PORT.
    pub(in crate::cli) async fn connect(
        address: &str,
        token: Option<&str>,
        ca: Option<&Path>,
    ) -> anyhow::Result<Server> {
        let channel = match ca {
            None => client::connect(address).await,
            Some(file) => {
                let pem = std::fs::read(file)
                    .with_context(|| format!("无法读取 {0} / cannot read {0}", file.display()))?;
                client::connect_tls(address, &pem).await
            }
        };
        let channel = channel.with_context(|| {
            format!("无法连接 {address}，请核对地址、确认服务已启动 / cannot connect to {address}: check the address and that the server runs")
        })?;
        let token = token.unwrap_or_default().to_owned();
        Ok(Server { client: client::administration(channel), token })
    }

    /// Makes a call, again and again while the server is too busy or away: the fact id makes that
    /// safe.
    pub(in crate::cli) async fn send(&self, call: &Call) -> anyhow::Result<Done> {
        let mut tries = 0;
        loop {
            match self.once(call).await {
                Ok(reply) => return done(reply),
                Err(status) if passes(&status) && tries < RETRIES_MAX => {
                    let delay = Duration::from_secs(1 << tries).min(RETRY_MAX);
                    tokio::time::sleep(delay).await;
                    tries += 1;
                }
                Err(status) => anyhow::bail!("{}", explain(&status)),
            }
        }
    }

    async fn once(&self, call: &Call) -> Result<pb::AdministrationReply, Box<Status>> {
        let mut client = self.client.clone();
        macro_rules! make {
            ($method:ident, $request:expr) => {
                client.$method(client::with_token(Request::new($request), &self.token)).await
            };
        }
        let reply = match call.clone() {
            Call::Reference(request) => make!(import_reference, request),
            Call::Roster(request) => make!(import_roster, request),
            Call::OpenRound(request) => make!(open_round, request),
            Call::CloseRound(request) => make!(close_round, request),
            Call::SwitchRule(request) => make!(switch_rule, request),
            Call::Tick(request) => make!(tick, request),
        };
        Ok(reply.map_err(Box::new)?.into_inner())
    }
}

/// HOST:PORT of `http://HOST:PORT`.
///
/// # Errors
/// What is expected, in both languages.
pub(super) fn address(url: &str) -> Result<String, String> {
    let bare = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let address = bare.unwrap_or(url).trim_end_matches('/');
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if port.is_none() || address.contains('/') {
        return Err("应为 http://主机:端口 / expected http://HOST:PORT".to_owned());
    }
    Ok(address.to_owned())
}

fn done(reply: pb::AdministrationReply) -> anyhow::Result<Done> {
    let outcome = reply.outcome.unwrap_or_default();
    let duplicate = match outcome.outcome() {
        pb::Outcome::Recorded => false,
        pb::Outcome::Duplicate => true,
        pb::Outcome::Refused | pb::Outcome::Unspecified => {
            let text = outcome.refusal.and_then(|refusal| refusal.text).unwrap_or_default();
            anyhow::bail!("服务器拒绝：{} / the server refused: {}", text.zh, text.en);
        }
    };
    let as_of = reply.as_of.unwrap_or_default();
    let drill = as_of.folder_kind() == pb::FolderKind::Drill;
    let findings = outcome.findings.into_iter().filter_map(|finding| finding.text).collect();
    let server_time_ms = as_of.server_time_ms;
    Ok(Done { seq: outcome.seq, duplicate, drill, server_time_ms, findings })
}

/// True when the same call may succeed later: the connection broke (1, 2), it took too long (4), the
/// server is too busy (8) or away (14).
fn passes(status: &Status) -> bool {
    matches!(i32::from(status.code()), 1 | 2 | 4 | 8 | 14)
}

/// What the server said, in both languages. Its own text is English here; the Chinese one names the
/// kind of refusal, by the number that gRPC gives it.
fn explain(status: &Status) -> String {
    let zh = match i32::from(status.code()) {
        1 | 2 => "连接中断，请稍后重新执行：已记录的不会重复",
        3 => "请求有误，请按英文提示更正",
        4 => "超时，请稍后重新执行：已记录的不会重复",
        5 => "未找到",
        6 => "该编号已用于另一内容，未作任何更改",
        7 => "该令牌的角色无权执行此操作，请使用管理员令牌",
        8 => "服务繁忙，请稍后重新执行：已记录的不会重复",
        9 => "当前状态不允许，请先按英文提示处理（如先开启轮次）",
        12 => "该服务不提供此功能，请核对版本",
        14 => "服务不可用，请稍后重新执行：已记录的不会重复",
        16 => "没有令牌或令牌错误，请用 --token 填写",
        _ => "服务器拒绝或出错",
    };
    format!("{zh} / {}", status.message())
}

/// What was odd about what was recorded, and whether it was a drill, as the end of a line.
pub(in crate::cli) fn told(done: &Done) -> String {
    let mut text = String::new();
    for finding in &done.findings {
        text.push_str(&format!("  [{} / {}]", finding.zh, finding.en));
    }
    if done.drill {
        text.push_str("  （演练 / drill）");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let table = [
            ("http://127.0.0.1:7700", Some("127.0.0.1:7700")),
            ("http://office.example:7700/", Some("office.example:7700")),
            ("[::1]:7700", Some("[::1]:7700")),
            ("https://office.example:7700", Some("office.example:7700")),
            ("http://office.example", None),
            ("", None),
        ];
        for (url, wanted) in table {
            assert_eq!(address(url).ok().as_deref(), wanted, "{url}");
        }
        let refused = address("x").unwrap_err();
        assert!(refused.contains("应为") && refused.contains("expected"), "{refused}");
    }
}
