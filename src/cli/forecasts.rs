//! `swabline forecasts DIR`: what was forecast of each round in a folder, held against what really happened. Reads one
//! file and locks nothing, so it may be asked while the service runs.

use super::import::in_beijing;
use super::output;
use crate::forecaster::{self, Coverage, Held, PartHeld, PartsHeld, RoundHeld};
use crate::planner::model::{HORIZON_DAYS, Ms};
use crate::planner::times::never;
use crate::store::{Folder, ForecastLines};
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `forecasts`.
#[derive(Args)]
pub struct ForecastsArgs {
    /// The data folder. 数据目录
    dir: PathBuf,
    /// One JSON document instead of text. 输出 JSON
    #[arg(long)]
    json: bool,
}

/// Lists the forecasts of a folder.
///
/// A folder that is none of ours is said to be so, with the exit code of a wrong configuration.
///
/// # Errors
/// When the file cannot be read, or the output not written.
pub fn run(args: ForecastsArgs) -> anyhow::Result<ExitCode> {
    let lines = ForecastLines::read(&args.dir)?;
    if lines.texts.is_empty() && Folder::read(&args.dir)?.is_none() {
        // A drill keeps its data folder beside its keys.
        let within = args.dir.join("data");
        let (zh, en) = match Folder::read(&within) {
            Ok(Some(_)) => (
                format!("，是否指 {}？", within.display()),
                format!("; did you mean {}?", within.display()),
            ),
            _ => (String::new(), String::new()),
        };
        let dir = args.dir.display();
        output::aside(&format!("swabline: {dir} is not a data folder{en} 不是数据目录{zh}"));
        return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
    }
    let rounds = forecaster::held(&lines.texts);
    let output = match args.json {
        true => format!("{}\n", json(&rounds, lines.damaged.len())),
        false => text(&rounds, lines.damaged.len()),
    };
    output::answer(&output)?;
    Ok(ExitCode::SUCCESS)
}

/// All forecasts together.
fn total(rounds: &[RoundHeld]) -> Coverage {
    rounds.iter().fold(Coverage::default(), |all, round| all.and(&round.coverage))
}

fn json(rounds: &[RoundHeld], damaged: usize) -> serde_json::Value {
    let coverage = |of: &Coverage| {
        serde_json::json!({
            "forecasts": of.forecasts, "held": of.held, "held_50": of.held_50, "held_95": of.held_95,
            "told_95": of.told_95, "pit": of.pit, "crps_ms": of.crps_mean(),
        })
    };
    let forecast = |one: &Held| {
        let [p10, p50, p90] = one.finish;
        serde_json::json!({
            "at_ms": one.at, "p10_ms": p10, "p50_ms": p50, "p90_ms": p90,
            "error_ms": one.error, "held": one.held, "held_50": one.held_50, "held_95": one.held_95,
            "pit": one.pit, "crps_ms": one.crps,
        })
    };
    let parts = |of: PartsHeld| {
        serde_json::json!({
            "judged": of.judged, "forecasts": of.forecasts, "held": of.held,
            "median_error_ms": of.error, "median_off_ms": of.off,
        })
    };
    let each = |of: &PartHeld| {
        let PartsHeld { forecasts, held, error, off, .. } = PartsHeld::of([of]);
        serde_json::json!({
            "code": of.code, "finish_ms": of.finish, "forecasts": forecasts, "held": held,
            "median_error_ms": error, "median_off_ms": off,
        })
    };
    let all = |of: fn(&RoundHeld) -> &Vec<PartHeld>| PartsHeld::of(rounds.iter().flat_map(of));
    let round = |of: &RoundHeld| {
        serde_json::json!({
            "round": of.round, "opened_at_ms": of.opened_at, "finish_ms": of.finish, "over": of.over,
            "readings": of.readings, "coverage": coverage(&of.coverage),
            "forecasts": of.forecasts.iter().map(forecast).collect::<Vec<_>>(),
            "streets": of.streets.iter().map(each).collect::<Vec<_>>(),
            "labs": of.labs.iter().map(each).collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "rounds": rounds.iter().map(round).collect::<Vec<_>>(),
        "coverage": coverage(&total(rounds)), "streets": parts(all(|round| &round.streets)),
        "labs": parts(all(|round| &round.labs)), "damaged_lines": damaged,
    })
}

fn text(rounds: &[RoundHeld], damaged: usize) -> String {
    let mut out = String::new();
    if rounds.is_empty() {
        out.push_str("no readings and no forecasts  尚无读数与预测\n");
    }
    for round in rounds {
        // Writing to a string does not fail.
        let _ = of_round(&mut out, round);
    }
    let all = total(rounds);
    if all.forecasts > 0 {
        let _ = writeln!(
            out,
            "in all: the 80 % interval held {} of {}  合计：80% 区间命中 {}/{}",
            all.held, all.forecasts, all.held, all.forecasts
        );
        let _ = judged(&mut out, &all);
    }
    if rounds.len() > 1 {
        let _ = of_parts(&mut out, "", rounds);
    }
    if damaged > 0 {
        let _ = writeln!(out, "{damaged} damaged lines were left out  损坏行 {damaged} 已略过");
    }
    out
}

fn of_round(out: &mut String, of: &RoundHeld) -> std::fmt::Result {
    let (code, readings) = (&of.round, of.readings);
    match of.finish {
        Some(finish) => {
            let finish = hours(i64::from(finish));
            writeln!(
                out,
                "round {code}: done after {finish}, {readings} readings  \
                 轮次 {code}：用时 {finish}，读数 {readings}"
            )?;
        }
        None if of.over => writeln!(
            out,
            "round {code}: over, when is not known, {readings} readings  \
             轮次 {code}：已结束，完成时间不详，读数 {readings}"
        )?,
        None => writeln!(
            out,
            "round {code}: not finished, {readings} readings  轮次 {code}：未完成，读数 {readings}"
        )?,
    }
    let opened = in_beijing(of.opened_at);
    writeln!(
        out,
        "  hours count from its opening at {opened}, China time  时间自开轮（北京时间 {opened}）起算"
    )?;
    match of.forecasts.is_empty() {
        true => writeln!(
            out,
            "  no forecast: the service had no city file ([planner] city) while it was open, or no tube came, or none from a place \
             that the city file names  无预测：开轮期间服务未配置城市文件（[planner] city），或没有采样管，或采样管均来自城市文件未列的地点"
        )?,
        false => writeln!(
            out,
            "  forecast at, done by (80 % interval), too late + or early -  预测时刻、完成时间（80% 区间）、偏晚 + 偏早 -"
        )?,
    }
    for one in &of.forecasts {
        let [p10, p50, p90] = one.finish.map(time);
        write!(out, "  {:>7}  {p50:>7} ({p10} - {p90})", hours(i64::from(one.at)))?;
        if let (Some(error), Some(held)) = (one.error, one.held) {
            let sign = if error < 0 { '-' } else { '+' };
            let held = if held { "held 命中" } else { "missed 未命中" };
            write!(out, "  {sign}{:>6}  {held}", hours(error))?;
        }
        out.push('\n');
    }
    if of.coverage.forecasts > 0 {
        let Coverage { forecasts, held, .. } = of.coverage;
        writeln!(
            out,
            "  the 80 % interval held {held} of {forecasts}  80% 区间命中 {held}/{forecasts}"
        )?;
    }
    of_parts(out, "  ", std::slice::from_ref(of))
}

/// Streets and laboratories of some rounds, a line each.
fn of_parts(out: &mut String, indent: &str, rounds: &[RoundHeld]) -> std::fmt::Result {
    let streets = PartsHeld::of(rounds.iter().flat_map(|round| &round.streets));
    let labs = PartsHeld::of(rounds.iter().flat_map(|round| &round.labs));
    for (zh, en, of) in [("街道", "streets", streets), ("实验室", "laboratories", labs)] {
        let PartsHeld { judged, forecasts, held, error: Some(error), off: Some(off) } = of else {
            continue;
        };
        let sign = if error < 0 { '-' } else { '+' };
        let (error, off) = (hours(error), hours(off));
        writeln!(
            out,
            "{indent}{judged} {en}: the 80 % interval held {held} of {forecasts}, median error {sign}{error}, off by {off}  \
             {judged} 个{zh}：80% 区间命中 {held}/{forecasts}，误差中位数 {sign}{error}，绝对误差中位数 {off}"
        )?;
    }
    Ok(())
}

/// The other intervals, the histogram and the CRPS.
fn judged(out: &mut String, of: &Coverage) -> std::fmt::Result {
    let Coverage { forecasts, held_50, held_95, told_95, pit, .. } = of;
    let crps = hours(i64::try_from(of.crps_mean()).unwrap_or(i64::MAX));
    let bins = pit.map(|count| count.to_string()).join(" ");
    writeln!(
        out,
        "  50 %: {held_50} of {forecasts}, 95 %: {held_95} of {told_95}, PIT {bins}, CRPS {crps}  \
         50% 区间命中 {held_50}/{forecasts}，95% {held_95}/{told_95}，PIT 十分箱 {bins}，平均 CRPS {crps}"
    )
}

/// A time of the round, or that it is beyond what is reckoned.
fn time(at: Ms) -> String {
    if never(at) { format!(">{HORIZON_DAYS} d") } else { hours(at.into()) }
}

/// Hours and minutes, without the sign.
fn hours(ms: i64) -> String {
    let minutes = ms.unsigned_abs() / 60_000;
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::model::HORIZON_MS;

    #[test]
    fn a_round_is_listed_with_its_errors_and_its_coverage() {
        let held = |error, held| Held {
            at: 60_000,
            finish: [3_600_000, 7_200_000, 10_800_000],
            error: Some(error),
            held: Some(held),
            held_50: Some(false),
            held_95: None,
            pit: Some(0.3),
            crps: Some(600_000),
        };
        let part = |code: &str, errors: &[i64]| PartHeld {
            code: code.into(),
            finish: Some(7_260_000),
            forecasts: errors.len(),
            held: errors.len().div_ceil(2),
            errors: errors.to_vec(),
        };
        let pit = [0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
        let coverage =
            Coverage { forecasts: 2, held: 1, pit, crps: 1_200_000, ..Coverage::default() };
        let round = RoundHeld {
            round: "R".into(),
            opened_at: 5,
            finish: Some(7_260_000),
            over: true,
            readings: 9,
            forecasts: vec![held(-60_000, true), held(5_400_000, false)],
            coverage,
            streets: vec![part("01/1", &[-600_000, -300_000]), part("01/2", &[120_000])],
            labs: vec![part("L", &[])],
        };
        let told = text(std::slice::from_ref(&round), 1);
        for part in [
            "done after 2:01",
            "from its opening at 1970-01-01 08:00, China time",
            "北京时间 1970-01-01 08:00",
            "forecast at, done by (80 % interval)",
            "0:01     2:00 (1:00 - 3:00)  -  0:01  held",
            "+  1:30  missed",
            "命中 1/2",
            "50 %: 0 of 2, 95 %: 0 of 0, PIT 0 0 0 2 0 0 0 0 0 0, CRPS 0:10",
            "  2 streets: the 80 % interval held 2 of 3, median error -0:05, off by 0:05",
            "2 个街道：80% 区间命中 2/3",
            "1 damaged",
        ] {
            assert!(told.contains(part), "{part:?} in {told}");
        }
        let late = Held { finish: [3_600_000, HORIZON_MS, HORIZON_MS], ..held(0, false) };
        let told = text(&[RoundHeld { forecasts: vec![late], ..round.clone() }], 0);
        assert!(told.contains("   >40 d (1:00 - >40 d)"), "{told}");
        for (over, words) in [(true, "over, when is not known"), (false, "not finished")] {
            let told = text(&[RoundHeld { finish: None, over, ..round.clone() }], 0);
            assert!(told.contains(words), "{words:?} in {told}");
        }
        let told = text(&[RoundHeld { forecasts: vec![], ..round.clone() }], 0);
        assert!(told.contains("no forecast: the service had no city") && told.contains("无预测："));
        // Of a laboratory nothing could be judged; of one round what is in all is not said twice.
        assert!(!told.contains("laboratories") && told.matches("streets:").count() == 1, "{told}");
        let twice = text(&[round.clone(), round.clone()], 0);
        assert!(twice.contains("\n4 streets: the 80 % interval held 4 of 6"), "{twice}");
        let json = json(&[round], 0);
        assert_eq!(json["coverage"]["held"], 1);
        assert_eq!(json["streets"]["judged"], 2);
        assert_eq!(json["streets"]["median_error_ms"], -300_000);
        assert_eq!(json["rounds"][0]["streets"][1]["median_off_ms"], 120_000);
        assert!(json["labs"]["median_error_ms"].is_null() && json["labs"]["judged"] == 0);
        assert_eq!(json["rounds"][0]["forecasts"][0]["error_ms"], -60_000);
        assert!(text(&[], 0).contains("尚无"));
    }
}
