//! `swabline round`: opens and closes a round, switches a calling rule, moves the clock of a drill. Each is a logged fact.

use super::import::{Call, Server, ServerArgs, in_beijing, parse_moment, told};
use super::output;
use crate::api::pb;
use clap::{Args, Subcommand};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Who says it.
const SOURCE: &str = "office";

/// Flags of `round`.
#[derive(Args)]
pub struct RoundArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Open a round; makes its key when there is none. 开启轮次
    Open(OpenArgs),
    /// Close a round; what comes later is still recorded, and flagged. 关闭轮次
    Close(CloseArgs),
    /// Judge plates of a kit by another version of its rule. 切换判读规则版本
    SwitchRule(SwitchArgs),
    /// Move the clock of a drill, which goes by this alone. 演练拨钟
    Tick(TickArgs),
}

#[derive(Args)]
struct OpenArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Code of the round. 轮次代码
    #[arg(long)]
    round: String,
    /// Name of the round. 轮次名称
    #[arg(long)]
    name: String,
    /// Name of the key of its people [default: the code of the round]. 密钥名称
    #[arg(long)]
    key_id: Option<String>,
    /// Swabs in a tube by default: 1, 5, 10 or 20. 混采人数
    #[arg(long, default_value = "10", value_parser = pool)]
    pool: u32,
}

#[derive(Args)]
struct CloseArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Code of the round. 轮次代码
    #[arg(long)]
    round: String,
}

#[derive(Args)]
struct SwitchArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Code of the kit. 试剂盒代码
    #[arg(long)]
    kit: String,
    /// Version of its rule, imported before. 规则版本
    #[arg(long)]
    version: u32,
    /// From when on, such as 2026-11-22T08:00:00+08:00; never dated back [default: at once]. 生效时间
    #[arg(long, value_parser = parse_moment)]
    from: Option<i64>,
}

#[derive(Args)]
struct TickArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The drill's new time, such as 2022-04-18T06:00:00+08:00. 演练新时间
    #[arg(long, value_parser = parse_moment)]
    to: i64,
}

/// How many swabs go in a tube.
fn pool(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(size @ (1 | 5 | 10 | 20)) => Ok(size),
        _ => Err("应为 1、5、10 或 20 / expected 1, 5, 10 or 20".to_owned()),
    }
}

/// Does what the arguments say.
///
/// # Errors
/// What the server or the network said.
pub fn run(args: RoundArgs) -> anyhow::Result<ExitCode> {
    let (server, call, zh, en) = call(args.what);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let server =
            Server::connect(&server.server, server.token.as_deref(), server.ca.as_deref()).await?;
        server.send(&call).await
    })?;
    if let Call::Tick(tick) = &call
        && done.server_time_ms > tick.now_ms
    {
        let at = in_beijing(done.server_time_ms);
        output::answer(&format!(
            "演练时钟未动：已在 {at}，只能向前 / the drill's clock did not move: it stands at {at} (Beijing) and only goes forward\n"
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    let (seq, told) = (done.seq, told(&done));
    output::answer(&format!("{zh}（日志序号 {seq}） / {en} (log position {seq}){told}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The server, the call, and what is so once it is done: Chinese, English.
fn call(what: What) -> (ServerArgs, Call, String, String) {
    match what {
        What::Open(OpenArgs { server, round, name, key_id, pool }) => {
            let (zh, en) = (format!("轮次 {round} 已开启"), format!("round {round} is open"));
            let key_id = key_id.unwrap_or_default();
            let request = pb::OpenRoundRequest { fact: fact(), round, name, key_id, pool };
            (server, Call::OpenRound(request), zh, en)
        }
        What::Close(CloseArgs { server, round }) => {
            let (zh, en) = (format!("轮次 {round} 已关闭"), format!("round {round} is closed"));
            let request = pb::CloseRoundRequest { fact: fact(), round };
            (server, Call::CloseRound(request), zh, en)
        }
        What::SwitchRule(SwitchArgs { server, kit, version, from }) => {
            let zh = format!("试剂盒 {kit} 将按规则版本 {version} 判读");
            let en = format!("kit {kit} goes by version {version} of its rule");
            // 0 lies before every clock, a drill's too: the server takes its own now instead.
            let from_ms = from.unwrap_or(0);
            let request = pb::SwitchRuleRequest { fact: fact(), kit, version, from_ms };
            (server, Call::SwitchRule(request), zh, en)
        }
        What::Tick(TickArgs { server, to }) => {
            let (zh, en) = ("演练时钟已拨动".to_owned(), "the drill's clock was moved".to_owned());
            (server, Call::Tick(pb::TickRequest { fact: fact(), now_ms: to }), zh, en)
        }
    }
}

/// An id that no call had before: the time is its epoch.
fn fact() -> Option<pb::AdministrationFact> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let id = pb::FactId { source: SOURCE.to_owned(), epoch, number: 1 };
    Some(pb::AdministrationFact { id: Some(id), captured_at_ms: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RoundArgs,
    }

    fn read(line: &str) -> Result<Call, clap::Error> {
        let words = std::iter::once("round").chain(line.split(' '));
        Line::try_parse_from(words).map(|line| call(line.args.what).1)
    }

    #[test]
    fn a_line_becomes_the_call_that_it_says() {
        let open = read("open --server http://h:1 --round r1 --name 第一轮").ok();
        let Some(Call::OpenRound(open)) = open else { panic!("opens") };
        assert_eq!((open.round.as_str(), open.name.as_str(), open.pool), ("r1", "第一轮", 10));
        let id = open.fact.and_then(|fact| fact.id).expect("an id");
        assert_eq!((id.source.as_str(), id.number), ("office", 1));
        assert!(id.epoch > 1_700_000_000_000, "milliseconds since 1970");

        let close = read("close --server http://h:1 --round r1").ok();
        assert!(matches!(close, Some(Call::CloseRound(close)) if close.round == "r1"));

        let from = "2026-11-22T08:00:00+08:00";
        let switch =
            read(&format!("switch-rule --server http://h:1 --kit K --version 2 --from {from}"));
        let Ok(Call::SwitchRule(switch)) = switch else { panic!("switches") };
        assert_eq!((switch.version, switch.from_ms), (2, 1_795_305_600_000));

        let tick = read(&format!("tick --server http://h:1 --to {from}"));
        assert!(matches!(tick, Ok(Call::Tick(tick)) if tick.now_ms == 1_795_305_600_000));
    }

    #[test]
    fn a_wrong_flag_says_in_both_languages_what_is_expected() {
        let open = "open --server http://h:1 --round r1 --name n";
        let switch = "switch-rule --server http://h:1 --kit K --version 2";
        for line in [format!("{open} --pool 7"), format!("{switch} --from tomorrow")] {
            let refused = read(&line).err().expect("refused").to_string();
            assert!(refused.contains("应为") && refused.contains("expected"), "{refused}");
        }
    }
}
