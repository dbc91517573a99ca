//! The command line: one file or folder per subcommand.

mod benchmark;
mod demo;
mod forecasts;
mod import;
mod plan;
mod round;
mod serve;
mod verify;

pub use crate::city_file;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Exit code for a configuration, a flag or an input file that cannot be used.
pub const EXIT_CONFIGURATION: u8 = 64;

/// swabline: every tube of a city's mass test, from the desk to the released result.
/// 全员核酸检测：从采样台到结果发布，每一管都有着落。
#[derive(Parser)]
#[command(version, about)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play a whole city's round against the real service. 演练：全城一轮
    Demo(demo::DemoArgs),
    /// Run the service. 启动服务
    Serve(serve::ServeArgs),
    /// Can the city be done in time, and what is short? 测算与缺口清单
    Plan(plan::PlanArgs),
    /// Fold a stopped folder's log again and compare everything. 校验数据目录
    Verify(verify::VerifyArgs),
    /// Stored forecasts against what really happened. 预测与实际的对照
    Forecasts(forecasts::ForecastsArgs),
    /// Import reference data and rosters. 导入基础数据与名册
    Import(import::ImportArgs),
    /// Measure what this machine can do. 测量本机能力
    Benchmark(benchmark::BenchmarkArgs),
    /// Open or close a round, switch a calling rule. 轮次管理
    Round(round::RoundArgs),
}

/// Runs what the arguments say.
///
/// # Errors
/// What went wrong, to be printed.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Forecasts(args) => forecasts::run(args),
        Command::Import(args) => import::run(args),
        Command::Benchmark(args) => benchmark::run(args),
        Command::Round(args) => round::run(args),
    }
}
