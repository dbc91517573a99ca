//! `swabline benchmark`: what this machine can do, measured on a folder of its own. Prints one line
//! of JSON. For whoever sizes a server, and for comparing one version with the next.
//!
//! Each measurement is one process on one folder: nothing of it runs beside another. The planner needs no folder.

mod answers;
mod filling;
mod planner;
mod tubes;

use crate::cli::output;
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand, value_parser};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Seconds that may be asked for.
const SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;
/// The last number that a run may begin with, and the most tubes of one: after 10^12 tubes barcodes come again.
const FIRST_MAX: u64 = 900_000_000_000;
/// The same.
const TUBES_MAX: u64 = 90_000_000_000;

/// Flags of `benchmark`.
#[derive(Args)]
pub struct BenchmarkArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A bare RocksDB log of the same bytes, one key per tube: the ceiling. 裸日志上限
    RawLog(Amount),
    /// The engine alone: whole tubes of ten people, all records and indexes. 引擎
    Engine(Amount),
    /// Questions about people while tubes come in. 人员查询
    PersonQueries {
        /// A folder that `engine` has filled. `engine` 已写入的目录
        #[arg(long)]
        dir: PathBuf,
        /// How long, in seconds. 时长（秒）
        #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(SECONDS))]
        seconds: u64,
    },
    /// The missing people of a roster against a round. 应采未采名单
    Missing {
        /// A new folder. 新目录
        #[arg(long)]
        dir: PathBuf,
        /// People on the roster; about one in fifty is missing. 名册人数，约五十分之一未采
        #[arg(long, default_value_t = 1_000_000, value_parser = value_parser!(u64).range(10..=1_000_000_000))]
        people: u64,
    },
    /// The planner: how fast it reckons, and how near it comes to what is known. 方案测算
    Planner(planner::PlannerArgs),
}

/// How much is put into which folder.
#[derive(Args)]
struct Amount {
    /// The folder; made when it is not there, else gone on with. 目录，没有则新建
    #[arg(long)]
    dir: PathBuf,
    /// How long, in seconds. 时长（秒）
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u64).range(SECONDS))]
    seconds: u64,
    /// So many tubes instead. 改按管数
    #[arg(long, value_parser = value_parser!(u64).range(1..=TUBES_MAX))]
    tubes: Option<u64>,
    /// Number of the first tube: give each run on one folder numbers of its own. 首管编号，同一目录各次不同
    #[arg(long, default_value_t = 0, value_parser = value_parser!(u64).range(..=FIRST_MAX))]
    first: u64,
    /// Tubes in a group; each is made durable by itself. 每组管数，逐组落盘
    #[arg(long, default_value_t = 1_000, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    group: usize,
    /// Do not merge everything at the end. 结束时不合并
    #[arg(long)]
    leave_unmerged: bool,
}

impl Amount {
    fn limit(&self) -> filling::Limit {
        match self.tubes {
            Some(tubes) => filling::Limit::Tubes(tubes),
            None => filling::Limit::Time(Duration::from_secs(self.seconds)),
        }
    }
}

/// Measures.
///
/// # Errors
/// When the folder cannot be used.
pub fn run(args: BenchmarkArgs) -> anyhow::Result<ExitCode> {
    let line = match args.what {
        What::RawLog(amount) => {
            let done = filling::raw_log(&amount.dir, amount.limit(), amount.first, amount.group)?;
            json!({
                "tubes_per_s": done.tubes as f64 / done.seconds,
                "tubes": done.tubes,
                "seconds": done.seconds,
                "bytes": done.bytes,
            })
        }
        What::Engine(amount) => {
            let done = filling::engine(
                &amount.dir,
                amount.limit(),
                amount.first,
                amount.group,
                !amount.leave_unmerged,
            )?;
            json!({
                "tubes_per_s": done.rate.tubes as f64 / done.rate.seconds,
                "tubes": done.rate.tubes,
                "seconds": done.rate.seconds,
                "cores_busy": done.cores_busy,
                "debt": done.debt.iter().cloned().collect::<serde_json::Map<_, _>>(),
                "settle_s": done.settle_seconds,
                "peak_rss_mib": filling::peak_rss_mib(),
            })
        }
        What::PersonQueries { dir, seconds } => {
            let done = answers::person_queries(&dir, Duration::from_secs(seconds))?;
            json!({
                "queries_per_s": done.queries_per_second,
                "ingest_tubes_per_s": done.tubes_per_second,
                "full_tubes_per_s": done.full_tubes_per_second,
                "threads": done.threads,
                "cpu_us_per_query": done.cpu_us_per_query,
            })
        }
        What::Missing { dir, people } => {
            let done = answers::missing(&dir, people)?;
            json!({
                "seconds": done.seconds, "people": people, "missing": done.missing,
                "expected": done.expected,
            })
        }
        What::Planner(args) => planner::run(&args)?,
    };
    output::answer(&format!("{line}\n"))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        _args: BenchmarkArgs,
    }

    #[test]
    fn what_cannot_be_measured_is_refused_by_its_range() {
        for (words, goes) in [
            ("engine --group 1", true),
            ("engine --group 0", false),
            ("raw-log --group 0", false),
            ("engine --group 100001", false),
            ("engine --first 900000000000", true),
            ("engine --first 900000000001", false),
            ("engine --first 18446744073709551000 --tubes 5000", false),
            ("engine --tubes 0", false),
            ("engine --seconds 0", false),
            ("person-queries --seconds 0", false),
            ("missing --people 0", false),
            ("missing --people 10", true),
        ] {
            let all = ["benchmark"].into_iter().chain(words.split(' ')).chain(["--dir", "d"]);
            let read = Words::command().try_get_matches_from(all);
            assert_eq!(read.is_ok(), goes, "{words}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let place = tempfile::tempdir().unwrap();
        let (nothing, empty) = (place.path().join("nothing"), place.path());
        for dir in [nothing.as_path(), empty] {
            assert!(answers::person_queries(dir, Duration::from_secs(1)).is_err());
        }
        assert_eq!(std::fs::read_dir(empty).unwrap().count(), 0);
    }
}
