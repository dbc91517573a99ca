//! The command line: one file or folder per subcommand.

mod benchmark;
mod demo;
mod files;
mod forecasts;
mod import;
mod output;
mod plan;
mod round;
mod serve;
mod usage;
mod verify;

pub use crate::city_file;

use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

/// Exit code for a configuration, a flag or an input file that cannot be used.
pub const EXIT_CONFIGURATION: u8 = 64;

/// swabline: every tube of a city's mass test, from the desk to the released result.
/// 全员核酸检测：从采样台到结果发布，每一管都有着落。
#[derive(Parser)]
#[command(version, disable_version_flag = true)]
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
    /// Open or close a round, switch a calling rule, move a drill's clock. 轮次管理
    Round(round::RoundArgs),
    /// Print the help of a command. 显示命令帮助
    Help {
        /// The command, such as `plan whatif`. 命令
        command: Vec<String>,
    },
}

/// The command line with its help in both languages.
pub fn command() -> clap::Command {
    let version = Arg::new("version").short('V').long("version");
    let version = version.action(ArgAction::Version).help("Print the version. 显示版本");
    usage::both(Args::command().arg(version))
}

/// Reads the words of a command line, the program's own name first.
///
/// # Errors
/// Words that are none, or help or version that was asked for; `told` says it.
pub fn parse<T: Into<std::ffi::OsString> + Clone>(
    words: impl IntoIterator<Item = T>,
) -> Result<Args, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(words)?;
    Args::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Prints help, a version or a refusal of arguments, and gives the exit code. Help and version are no failure; a wrong flag is
/// an error of configuration (64), so that it cannot be taken for an answer of a subcommand.
pub fn tell(error: &clap::Error) -> ExitCode {
    match error.use_stderr() {
        true => {
            output::aside_as_it_is(&told(error));
            ExitCode::from(EXIT_CONFIGURATION)
        }
        false => match output::answer(&told(error)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.into()),
        },
    }
}

/// Says why a command failed, and gives the exit code.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    output::aside(&format!("swabline: {error:#}"));
    ExitCode::FAILURE
}

/// What is to be printed instead of an answer, in both languages.
fn told(error: &clap::Error) -> String {
    match usage::refused(error) {
        Some(zh) => format!("{zh}\n{}", usage::english(error)),
        None => error.to_string(),
    }
}

/// Prints the help of a command.
fn help(words: &[String]) -> ExitCode {
    let words = words.iter().map(String::as_str).chain(["--help"]);
    match parse(std::iter::once("swabline").chain(words)) {
        Err(error) => tell(&error),
        Ok(_) => ExitCode::SUCCESS,
    }
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
        Command::Help { command } => Ok(help(&command)),
    }
}
