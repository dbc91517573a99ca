//! The report of a round: for people, in Chinese with English, or as one JSON document.

use super::expect::Row;
use super::outcome::Outcome;
use super::play::Player;
use super::truth::OPENS_AT_MS;
use crate::domain::words::HOUR_MS;
use crate::planner::{City, DAYS_MAX, Plan};
use crate::store;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;

/// Most rows and findings that are printed of a long list.
const ROWS_MAX: usize = 20;

/// The plans of the city as it is and with its shortages filled.
pub struct Plans {
    /// The city, filled.
    pub filled_city: City,
    /// Without.
    pub before: Plan,
    /// With.
    pub after: Plan,
}

/// How long the parts took.
#[derive(Clone, Copy, Default)]
pub struct Timing {
    /// Start, reference data and roster.
    pub setup: Duration,
    /// The round.
    pub play: Duration,
    /// Questions at the end.
    pub asking: Duration,
    /// Stop and `verify`.
    pub verify: Duration,
}

/// All that is reported.
pub struct Report<'a> {
    /// The plans.
    pub plans: &'a Plans,
    /// The player, after the round.
    pub player: &'a Player,
    /// What the service said.
    pub outcome: &'a Outcome,
    /// People swabbed by the truth, pool tubes.
    pub people: u64,
    /// Seed.
    pub seed: u64,
    /// How long it took.
    pub timing: Timing,
    /// `verify`, when it ran.
    pub verify: Option<&'a store::Report>,
}

impl Report<'_> {
    /// Everything that keeps the demo from ending well.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .outcome
            .rows()
            .filter(|row| !row.holds())
            .map(|row| {
                let Row { zh, en, observable, expected, found, .. } = row;
                format!("{zh} / {en} {observable}: expected 应为 {expected}, found 实为 {found}")
            })
            .collect();
        if let Some(report) = self.verify.filter(|report| report.findings_total > 0) {
            problems.push(format!("verify: {} findings", report.findings_total));
        }
        problems
    }

    fn rate(&self, n: u64) -> f64 {
        n as f64 / self.timing.play.as_secs_f64().max(0.001)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let city = &self.plans.filled_city;
        let (zh, en) = (&city.name.zh, &city.name.en);
        line(&mut out, format!("{zh}全员核酸检测演练 / Drill of {en}, seed {}", self.seed));
        self.plan_text(&mut out);
        section(&mut out, "人员", "People");
        rows(&mut out, &self.outcome.people);
        self.districts_text(&mut out);
        section(&mut out, "各状态管数", "Tubes by status");
        rows(&mut out, &self.outcome.statuses);
        let total = &self.outcome.total;
        line(
            &mut out,
            format!(
                "  合计 total: {} 管 tubes, {} 人份 swabs, {} 箱 boxes, {} 板 plates, {} 次上机 runs",
                total.tubes, total.swabs, total.boxes, total.plates, total.runs
            ),
        );
        section(&mut out, "注入的故障", "Injected faults: expected and found");
        rows(&mut out, &self.outcome.faults);
        section(&mut out, "复采与重采", "Recalls and recollections");
        rows(&mut out, &self.outcome.recalls);
        section(&mut out, "核对", "Checks");
        rows(&mut out, &self.outcome.checks);
        self.speed_text(&mut out);
        self.verify_text(&mut out);
        let problems = self.problems();
        section(&mut out, "结论", "Verdict");
        match problems.is_empty() {
            true => line(
                &mut out,
                "  一致：各部分等于合计，每类故障应有与实有相符，无遗留。/ All agrees.",
            ),
            false => {
                line(
                    &mut out,
                    format!("  不一致 {} 项 / {} things differ:", problems.len(), problems.len()),
                );
                problems.iter().for_each(|problem| line(&mut out, format!("  ! {problem}")));
            }
        }
        out
    }

    fn plan_text(&self, out: &mut String) {
        section(out, "测算", "Plan");
        for (zh, en, plan) in [
            ("补齐前", "as it is", &self.plans.before),
            ("补齐缺口后", "with shortages filled", &self.plans.after),
        ] {
            let verdict = &plan.verdict;
            let (answer, answer_en) =
                if verdict.yes { ("能完成", "yes") } else { ("不能完成", "no") };
            let needs = verdict.minutes.map_or_else(
                || format!("{DAYS_MAX} 天内无法完成 not within {DAYS_MAX} days"),
                |minutes| format!("需 needs {} h {:02} min", minutes / 60, minutes % 60),
            );
            line(
                out,
                format!(
                    "  {zh} / {en}: {} h {answer} / {answer_en}; {needs}; 缺口 shortages: {}",
                    plan.target_h,
                    plan.shortages.len()
                ),
            );
        }
        let hours = |at: i64| (at - OPENS_AT_MS) as f64 / HOUR_MS as f64;
        let found = &self.player.found;
        line(
            out,
            format!(
                "  演练 / drill: 混采管全部发布于第 {:.1} 小时 / pools released by hour {:.1}; 复采重采全部关闭于第 {:.1} 小时 / last recall closed by hour {:.1}（测算不含开头的爬坡和复采 / the plan leaves out the slow start and recalls）",
                hours(found.pools_done_at),
                hours(found.pools_done_at),
                hours(found.over_at),
                hours(found.over_at)
            ),
        );
    }

    fn districts_text(&self, out: &mut String) {
        line(out, "  区县 district: 名册 roster = 已出结果 resulted + 已采 sampled + 未采 missing");
        for row in self.outcome.districts.iter().take(ROWS_MAX) {
            line(
                out,
                format!(
                    "    {} {}: {} = {} + {} + {}",
                    row.district,
                    row.name,
                    row.roster,
                    row.resulted,
                    row.sampled_unresulted,
                    row.missing
                ),
            );
        }
    }

    fn speed_text(&self, out: &mut String) {
        section(out, "速度", "Speed");
        let (found, timing) = (&self.player.found, &self.timing);
        line(
            out,
            format!(
                "  {} 条事实 facts: {:.0}/s; {} 管 tubes: {:.0}/s; {} 人 people: {:.0}/s",
                found.facts,
                self.rate(found.facts),
                self.outcome.total.tubes,
                self.rate(u64::try_from(self.outcome.total.tubes).unwrap_or(0)),
                self.people,
                self.rate(self.people)
            ),
        );
        let latency = &self.player.latency;
        for (zh, en, of) in
            [("全部", "all", &latency.all), ("采样台", "desks only", &latency.desks)]
        {
            let [p50, p99, max] = millis(of);
            line(
                out,
                format!(
                    "  确认时延（{zh}）/ acknowledgement, {en}: p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms, {} 条消息 messages",
                    of.len()
                ),
            );
        }
        line(out, format!("  因繁忙重送 / sent again because busy: {} 条事实 facts", found.resent));
        line(
            out,
            format!(
                "  用时 / took: 准备 set-up {:.1} s, 演练 round {:.1} s, 查询 questions {:.1} s, 校验 verify {:.1} s",
                timing.setup.as_secs_f64(),
                timing.play.as_secs_f64(),
                timing.asking.as_secs_f64(),
                timing.verify.as_secs_f64()
            ),
        );
    }

    fn verify_text(&self, out: &mut String) {
        section(out, "校验", "Verify");
        let Some(report) = self.verify else {
            line(out, "  服务停止后进行 / after the service has stopped");
            return;
        };
        line(
            out,
            format!(
                "  {} 事件 events, {} 批 batches, {} 值 values; 不符 findings: {}",
                report.events, report.batches, report.values, report.findings_total
            ),
        );
        for finding in report.findings.iter().take(ROWS_MAX) {
            line(out, format!("  ! {}: {}", finding.what, finding.problem));
        }
    }

    /// For machines.
    pub fn json(&self) -> String {
        let values = |rows: &[Row]| rows.iter().map(value).collect::<Vec<Value>>();
        let verdict = |plan: &Plan| {
            json!({ "target_h": plan.target_h, "yes": plan.verdict.yes,
                    "minutes": plan.verdict.minutes, "shortages": plan.shortages.len() })
        };
        let latency = |of| {
            let [p50, p99, max] = millis(of);
            json!({ "p50": p50, "p99": p99, "max": max, "messages": of.len() })
        };
        let latencies = &self.player.latency;
        let (found, total) = (&self.player.found, &self.outcome.total);
        let districts: Vec<Value> = self
            .outcome
            .districts
            .iter()
            .map(|row| {
                json!({ "code": row.district, "name": row.name, "roster": row.roster,
                        "resulted": row.resulted, "sampled_unresulted": row.sampled_unresulted,
                        "missing": row.missing })
            })
            .collect();
        let verify = self.verify.map(|report| {
            json!({ "events": report.events, "batches": report.batches, "values": report.values,
                    "findings": report.findings_total })
        });
        let minutes = |at: i64| (at - OPENS_AT_MS) / 60_000;
        let document = json!({
            "city": self.plans.filled_city.code,
            "seed": self.seed,
            "ok": self.problems().is_empty(),
            "problems": self.problems(),
            "plan": { "as_it_is": verdict(&self.plans.before), "filled": verdict(&self.plans.after) },
            "people": values(&self.outcome.people),
            "districts": districts,
            "tubes_by_status": values(&self.outcome.statuses),
            "tubes": total.tubes, "boxes": total.boxes, "plates": total.plates, "runs": total.runs,
            "faults": values(&self.outcome.faults),
            "recalls": values(&self.outcome.recalls),
            "checks": values(&self.outcome.checks),
            "pools_done_minutes": minutes(found.pools_done_at),
            "over_minutes": minutes(found.over_at),
            "facts": found.facts,
            "facts_per_s": self.rate(found.facts),
            "people_per_s": self.rate(self.people),
            "latency_ms": latency(&latencies.all),
            "latency_ms_desks": latency(&latencies.desks),
            "resent": found.resent,
            "seconds": { "setup": self.timing.setup.as_secs_f64(),
                         "play": self.timing.play.as_secs_f64(),
                         "asking": self.timing.asking.as_secs_f64(),
                         "verify": self.timing.verify.as_secs_f64() },
            "verify": verify,
        });
        format!("{document:#}\n")
    }
}

/// Median, 99th percentile and maximum, in milliseconds.
fn millis(latency: &Histogram<u64>) -> [f64; 3] {
    [latency.value_at_quantile(0.5), latency.value_at_quantile(0.99), latency.max()]
        .map(|micros| micros as f64 / 1_000.0)
}

fn value(row: &Row) -> Value {
    json!({ "zh": row.zh, "en": row.en, "injected": row.injected, "observable": row.observable,
            "expected": row.expected, "found": row.found, "ok": row.holds() })
}

fn line(out: &mut String, text: impl AsRef<str>) {
    out.push_str(text.as_ref());
    out.push('\n');
}

fn section(out: &mut String, zh: &str, en: &str) {
    let _ = writeln!(out, "\n{zh} / {en}");
}

/// Columns on a fixed-width terminal; Chinese characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

fn rows(out: &mut String, rows: &[Row]) {
    let name = |row: &Row| format!("{} / {}", row.zh, row.en);
    let widest = rows.iter().map(|row| width(&name(row))).max().unwrap_or(0);
    for row in rows {
        let name = name(row);
        let pad = " ".repeat(widest - width(&name));
        let mark = if row.holds() { "✓" } else { "✗" };
        let injected = row.injected.map_or_else(String::new, |n| format!("注入 injected {n:>6}  "));
        let _ = writeln!(
            out,
            "  {mark} {name}{pad}  {injected}应 expected {:>8}  实 found {:>8}  {}",
            row.expected, row.found, row.observable
        );
    }
}
