//! `swabline plan`: the rules layer of the planner on a city file, as a table or as one JSON document.
//!
//! `swabline plan diff OLD NEW`: what changed between two versions of a plan.
//!
//! Exit code: 0 the city can be done in the target, 2 it cannot, 64 a file or argument is wrong. Of `diff`: 0 nothing
//! changed, 1 something did, 64 as above.

mod claim_text;
mod diff;
mod json;
mod text;
mod words;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::city_file;
use crate::planner::{self, City, Claim, Norm, Origin, Plan, Status, Words};

/// Exit code when the city cannot be done in the target.
const EXIT_NO: u8 = 2;
/// Exit code for a file or argument that is wrong (`EX_USAGE`).
const EXIT_CONFIGURATION: u8 = 64;
/// The targets that the notices name, in hours: every report gives the verdict for each.
const TARGETS_H: [u32; 3] = [24, 48, 120];

/// Language of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// Chinese only.
    Zh,
    /// English only.
    En,
}

/// Can the whole city be tested in time, where is the bottleneck, what is missing?
///
/// Exit code 0: yes, 2: no, 64: a file or argument is wrong.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true)]
pub struct PlanArgs {
    #[command(subcommand)]
    pub what: Option<PlanWhat>,
    /// City file (CITY.toml), or a built-in city: chifeng, jiyuan, kunming, qujing
    #[arg(required_unless_present = "guandu")]
    pub city: Option<PathBuf>,
    /// Hours in which the whole city is to be done: 24h, 48h, 120h or any number of hours [default: the city's own]
    #[arg(long, value_parser = hours)]
    pub target: Option<u32>,
    /// Print one JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Norm pack to use instead of the city's own: a file, or a built-in name
    #[arg(long, value_name = "FILE")]
    pub norm: Option<PathBuf>,
    /// Language of the tables; both unless given
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Add the verdict once every shortage is filled
    #[arg(long)]
    pub filled: bool,
    /// Explain the Guandu letter: 5 cyclers and 1 extractor, +3,600 tubes
    #[arg(long)]
    pub guandu: bool,
}

/// What else can be asked about plans. A city file of such a name is written with its folder: `./diff`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum PlanWhat {
    /// What changed between two versions of a plan? 两版方案的差异
    Diff(diff::DiffArgs),
}

/// Runs the subcommand; an error here is a fault of output, never of input.
pub fn run(args: PlanArgs) -> anyhow::Result<ExitCode> {
    let (output, code) = match answer(&args) {
        Ok(done) => done,
        Err(error) => {
            let lang = match &args.what {
                Some(PlanWhat::Diff(diff)) => diff.lang,
                None => args.lang,
            };
            let message = match lang {
                Some(Lang::Zh) => error.zh(),
                Some(Lang::En) => error.en(),
                None => error.to_string(),
            };
            writeln!(std::io::stderr().lock(), "{message}")?;
            return Ok(ExitCode::from(EXIT_CONFIGURATION));
        }
    };
    match std::io::stdout().lock().write_all(output.as_bytes()) {
        // The reader has seen enough (`swabline plan … | head`).
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    Ok(ExitCode::from(code))
}

/// What is printed and the exit code.
fn answer(args: &PlanArgs) -> Result<(String, u8), city_file::Error> {
    if let Some(PlanWhat::Diff(args)) = &args.what {
        return diff::answer(args);
    }
    let norm = args.norm.as_deref().map(norm_of).transpose()?;
    let Some(path) = &args.city else {
        let norm = match norm {
            Some(norm) => norm,
            None => city_file::norm::builtin("chifeng-2022")?,
        };
        let explained = planner::explain(&guandu(), &norm);
        let output = if args.json {
            json::document(&json::explanation(&explained))
        } else {
            claim_text::explanation(&explained, args.lang)
        };
        return Ok((output, 0));
    };
    let mut city = city_of(path, norm)?;
    if args.guandu && city.claims.is_empty() {
        city.claims.push(guandu());
    }
    let report = Report::of(city, args.target, args.filled);
    let output = if args.json {
        json::document(&json::report(&report))
    } else {
        text::report(&report, args.lang)
    };
    Ok((output, if report.plan.verdict.yes { 0 } else { EXIT_NO }))
}

/// All that a report shows, whatever its form.
struct Report {
    city: City,
    plan: Plan,
    /// Plans for the targets of the notices, the asked one left out.
    others: Vec<Plan>,
    /// The city with its shortages filled, and its plan.
    filled: Option<(City, Plan)>,
}

impl Report {
    fn of(city: City, target: Option<u32>, filled: bool) -> Report {
        let target_h = target.unwrap_or(city.target_h);
        let plan = planner::solve(&city, target_h);
        let others = TARGETS_H
            .into_iter()
            .filter(|&h| h != target_h)
            .map(|h| planner::solve(&city, h))
            .collect();
        let filled = filled.then(|| {
            let full = planner::fill(&city, &plan);
            let plan = planner::solve(&full, target_h);
            (full, plan)
        });
        Report { city, plan, others, filled }
    }
}

/// The letter of Guandu 2022-4, which calibrates the instrument model.
fn guandu() -> Claim {
    Claim {
        place: Words::new("官渡区疾控中心", "Guandu CDC"),
        cyclers: 5,
        extractors: 1,
        tubes: 3600,
        origin: Origin::new(
            "官卫函〔2022〕4 号：5 台 PCR 检测仪、1 台核酸提取仪，检测能力增加 3600 管（未写周期，按每日计）",
            Status::Sourced,
        ),
    }
}

fn city_of(path: &Path, norm: Option<Norm>) -> Result<City, city_file::Error> {
    let built_in = path.to_str().and_then(|name| city_file::BUILTIN.iter().find(|b| b.0 == name));
    match built_in {
        // A file of that name goes first: the user can see it, the built-in one not.
        Some((name, text)) if !path.exists() => {
            city_file::parse(&format!("builtin:{name}.toml"), text, norm)
        }
        _ => city_file::read_with(path, norm),
    }
}

fn norm_of(path: &Path) -> Result<Norm, city_file::Error> {
    match path.to_str() {
        Some(name) if !path.exists() && city_file::norm::BUILTIN.iter().any(|b| b.0 == name) => {
            city_file::norm::builtin(name)
        }
        _ => city_file::read_norm(path),
    }
}

/// `24h` or `24` to hours.
fn hours(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix(['h', 'H']).unwrap_or(text);
    match digits.parse::<u32>() {
        Ok(hours @ 1..=2160) => Ok(hours),
        _ => Err("应为 1h 到 2160h，如 24h / expected 1h to 2160h, such as 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests;
