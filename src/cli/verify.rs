//! `swabline verify DIR`: folds the log of a stopped folder again and names every difference.

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
    if args.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| serde_json::json!({"what": finding.what, "problem": finding.problem}))
            .collect();
        println!(
            "{}",
            serde_json::json!({
                "events": report.events, "batches": report.batches, "values": report.values,
                "sealed": report.sealed, "acknowledged_trails": report.acknowledged_trails,
                "findings_total": report.findings_total, "findings": findings,
            })
        );
    } else {
        print_text(&report);
    }
    Ok(if report.findings_total == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_DIFFERS) })
}

fn print_text(report: &store::Report) {
    println!(
        "{} events in {} batches, {} values compared  事件 {}，提交批 {}，核对值 {}",
        report.events, report.batches, report.values, report.events, report.batches, report.values
    );
    if !report.sealed {
        println!(
            "not stopped in order: the files have no seal, only the databases' own checksums  \
             未正常停机：文件无封印，仅依据数据库自带校验"
        );
    }
    if report.acknowledged_trails > 0 {
        println!(
            "the acknowledged mark trails the log by {} events, as it may  确认标记落后 {} 个事件（允许）",
            report.acknowledged_trails, report.acknowledged_trails
        );
    }
    for finding in &report.findings {
        println!("DIFFERS 不一致: {}: {}", finding.what, finding.problem);
    }
    if report.findings_total == 0 {
        println!("clean: everything follows from the log  校验通过");
    } else {
        println!("{} differences  共 {} 处不一致", report.findings_total, report.findings_total);
    }
}
