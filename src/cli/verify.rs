//! `swabline verify DIR`: folds the log of a stopped folder again and names every difference.

use super::output;
use crate::store;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code when something differs.
const EXIT_DIFFERS: u8 = 3;

/// Flags of `verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// The data folder of a stopped service. 已停止服务的数据目录
    dir: PathBuf,
    /// One JSON document instead of text. 输出 JSON
    #[arg(long)]
    json: bool,
}

/// Verifies a folder: exit 0 when everything follows from the log, 3 when something differs.
///
/// # Errors
/// When the folder cannot be looked at.
pub fn run(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let report = store::verify(&args.dir)?;
    output::answer(&if args.json { json(&report) } else { text(&report) })?;
    Ok(if report.findings_total == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DIFFERS) })
}

fn json(report: &store::Report) -> String {
    let finding = |finding: &store::Finding| serde_json::json!({"what": finding.what, "problem": finding.problem});
    let findings: Vec<_> = report.findings.iter().map(finding).collect();
    let document = serde_json::json!({
        "events": report.events, "batches": report.batches, "values": report.values,
        "sealed": report.sealed, "acknowledged_trails": report.acknowledged_trails,
        "findings_total": report.findings_total, "findings": findings,
    });
    format!("{document}\n")
}

fn text(report: &store::Report) -> String {
    let store::Report { events, batches, values, .. } = report;
    let mut lines = vec![format!(
        "{events} events in {batches} batches, {values} values compared  事件 {events}，提交批 {batches}，核对值 {values}"
    )];
    if !report.sealed {
        lines.push(
            "not stopped in order: the files have no seal, only the databases' own checksums  \
             未正常停机：文件无封印，仅依据数据库自带校验"
                .to_owned(),
        );
    }
    if report.acknowledged_trails > 0 {
        let n = report.acknowledged_trails;
        lines.push(format!(
            "the acknowledged mark trails the log by {n} events, as it may  确认标记落后 {n} 个事件（允许）"
        ));
    }
    for finding in &report.findings {
        lines.push(format!("DIFFERS 不一致: {}: {}", finding.what, finding.problem));
    }
    lines.push(match report.findings_total {
        0 => "clean: everything follows from the log  校验通过".to_owned(),
        n => format!("{n} differences  共 {n} 处不一致"),
    });
    lines.iter().map(|line| format!("{line}\n")).collect()
}
