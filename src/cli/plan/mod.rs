//! `swabline plan`: the layers of the planner on a city file, as tables, as one JSON document, as a workbook that can be
//! filed (`--xlsx`) and as pictures (`--svg-backlog`, `--svg-finish`).
//!
//! - `swabline plan diff OLD NEW`: what changed between two versions of a plan;
//! - `swabline plan whatif CITY --lab CODE --stage KEY --units +N`: what other units would change; and any other change;
//! - `swabline plan pooling CITY`: how many swabs to put into one tube.
//!
//! Exit code: 0 the city can be done in the target, 2 it cannot, 64 a file or argument is wrong. It can be done when the
//! rules say so and the simulation's median is within the target; with `--replications 0`, the rules and the flows. Of
//! `diff`, as of diff(1): 0 nothing changed, 1 something did, which is no error; 64 as above. Of `whatif` and `pooling`: 0, 64 as above.

mod added_text;
mod anew;
mod claim_json;
mod claim_text;
mod compare;
mod crews_text;
mod diff;
mod enough;
mod error;
mod filled;
mod flow_text;
mod grow;
mod held_text;
mod json;
mod json_layers;
mod known;
mod layers;
mod layers_text;
mod least;
mod measures_text;
mod moving;
mod number;
mod people;
mod picture;
mod pooling;
mod pooling_ends;
mod progress;
mod remedy;
mod remedy_text;
mod search;
mod sheet;
mod steps;
mod targets;
mod text;
mod text_shortage;
mod walk;
mod whatif;
mod whatif_city;
mod words;
mod written;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use error::Error;

use filled::Filled;
use layers::{Dice, Layers};
use progress::Progress;
use words::pick;

use crate::cli::city_file;
use crate::cli::import::today_in_beijing;
use crate::cli::output;
use crate::planner::{
    self, City, Claim, Origin, Plan, Shortage, Status, TARGET_HOURS_MAX, TargetFrom, Words, sending,
};

/// Exit code when the city cannot be done in the target.
const EXIT_NO: u8 = 2;
/// Exit code for a file or argument that is wrong (`EX_USAGE`).
const EXIT_CONFIGURATION: u8 = 64;
/// The targets that the notices name, in hours: every report gives the verdict for each.
const TARGETS_H: [u32; 3] = [24, 48, 120];

/// Language of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// Chinese only. 仅中文
    Zh,
    /// English only. 仅英文
    En,
}

/// Can the whole city be tested in time, where is the bottleneck, what is missing? 测算与缺口清单
///
/// Exit code 0: yes, 2: no, 64: a file or argument is wrong. Yes is said when the guide's arithmetic says yes and the
/// median of the simulated finishes is within the target; with `--replications 0`: the arithmetic and the flows.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true)]
pub struct PlanArgs {
    #[command(subcommand)]
    pub what: Option<PlanWhat>,
    /// City file (CITY.toml), or a built-in city: chifeng, jiyuan, kunming, qujing. 城市文件或内置城市
    #[arg(required_unless_present = "guandu")]
    pub city: Option<PathBuf>,
    /// Hours in which the whole city is to be done: 24h, 48h, 120h or any number of hours [default: the city's own]. 完成时限（小时），默认为城市自定
    #[arg(long, value_name = "HOURS", value_parser = hours, allow_negative_numbers = true)]
    pub target: Option<u32>,
    /// Print one JSON document instead of tables. 输出 JSON
    #[arg(long)]
    pub json: bool,
    /// Norm pack to use instead of the city's own: a file, or a built-in name. 改用的规范包：文件或内置名称
    #[arg(long, value_name = "FILE")]
    pub norm: Option<PathBuf>,
    /// Language of the tables; both unless given. 表格语言，默认中英双语
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Add what every layer says once every shortage is filled. 另列缺口补齐后的测算
    #[arg(long)]
    pub filled: bool,
    /// Explain the Guandu letter: 5 cyclers and 1 extractor, +3,600 tubes. 解读官渡区来函
    #[arg(long)]
    pub guandu: bool,
    /// How often the round is simulated; 0 = not at all. 模拟次数，0 为不模拟
    #[arg(long, value_name = "N", default_value_t = REPLICATIONS, allow_negative_numbers = true)]
    #[arg(value_parser = number::whole(0..=REPLICATIONS_MAX))]
    pub replications: usize,
    /// Seed of the simulation: the same one gives the same figures. 模拟种子，相同则结果相同
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = number::whole(0..=u64::MAX))]
    pub seed: u64,
    /// Write a workbook with the list of shortages as it is filed upward. 写出缺口清单工作簿
    #[arg(long, value_name = "FILE")]
    pub xlsx: Option<PathBuf>,
    /// Write a picture of the tubes on the way and at each stage over time. 写出在途与各环节积压图
    #[arg(long, value_name = "FILE")]
    pub svg_backlog: Option<PathBuf>,
    /// Write a picture of the simulated finishes. 写出完成时间分布图
    #[arg(long, value_name = "FILE")]
    pub svg_finish: Option<PathBuf>,
}

/// Replications when nothing else is said.
const REPLICATIONS: usize = 200;
/// Most replications of one question: hours of work for a large city.
const REPLICATIONS_MAX: usize = 100_000;

/// What else can be asked about plans. A city file of such a name is written with its folder: `./diff`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum PlanWhat {
    /// What changed between two versions of a plan? 两版方案的差异
    Diff(diff::DiffArgs),
    /// What would other units, people, desks, vehicles or parameters change? 增减资源或改变参数的效果
    Whatif(Box<whatif::WhatIfArgs>),
    /// How many swabs to put into one tube? 混采规格建议
    Pooling(pooling::PoolingArgs),
}

/// Runs the subcommand; an error here is a fault of output, never of input.
pub fn run(args: PlanArgs) -> anyhow::Result<ExitCode> {
    let lang = match &args.what {
        Some(PlanWhat::Diff(diff)) => diff.lang,
        Some(PlanWhat::Whatif(whatif)) => whatif.lang,
        Some(PlanWhat::Pooling(pooling)) => pooling.lang,
        None => args.lang,
    };
    let (output, code) = match answer(&args) {
        Ok(done) => done,
        Err(error) => {
            output::aside(&in_words(lang, error.zh(), error.en()));
            return Ok(ExitCode::from(EXIT_CONFIGURATION));
        }
    };
    if let Err(error) = output::answer(&output) {
        anyhow::bail!(in_words(lang, error.zh(), error.en()));
    }
    Ok(ExitCode::from(code))
}

/// A message in the language asked for, or in both, one below the other.
fn in_words(lang: Option<Lang>, zh: String, en: String) -> String {
    match lang {
        Some(Lang::Zh) => zh,
        Some(Lang::En) => en,
        None => format!("{zh}\n{en}"),
    }
}

/// What is printed and the exit code. Writes the files that are asked for.
fn answer(args: &PlanArgs) -> Result<(String, u8), Error> {
    // Not locked: other threads say there how far they are.
    answer_on(&today_in_beijing(), args, &mut std::io::stderr())
}

/// The same on a day, `YYYY-MM-DD`; what is odd about the plan's approval goes to `aside`, whatever is printed.
fn answer_on(today: &str, args: &PlanArgs, aside: &mut dyn Write) -> Result<(String, u8), Error> {
    match &args.what {
        Some(PlanWhat::Diff(args)) => return Ok(diff::answer(args, today)?),
        Some(PlanWhat::Whatif(args)) => return whatif::answer(args),
        Some(PlanWhat::Pooling(args)) => return pooling::answer(args),
        None => {}
    }
    written::apart(args)?;
    let norm = args.norm.as_deref().map(city_file::open_norm).transpose()?;
    let Some(path) = &args.city else {
        let norm = match norm {
            Some(norm) => norm,
            None => city_file::norm::builtin("chifeng-2022")?,
        };
        let explained = planner::explain(&guandu(), &norm);
        let output = if args.json {
            json::document(&claim_json::explanation(&explained))
        } else {
            claim_text::explanation(&explained, args.lang)
        };
        return Ok((output, 0));
    };
    let mut city = city_file::open(path, norm)?;
    if let Some(Words { zh, en }) = city.plan.approved_after(today) {
        let file = path.display();
        let (zh, en) = (format!("{file}：{zh}"), format!("{file}: {en}"));
        // Nobody reads it when that fails.
        let _ = writeln!(aside, "{}", pick(args.lang, &zh, &en));
    }
    if args.guandu && city.claims.is_empty() {
        city.claims.push(guandu());
    }
    let dice = Dice { replications: args.replications, seed: args.seed };
    let progress = Progress::on_stderr(args.lang);
    let report = Report::of(path, city, args.target, args.filled, dice, &progress);
    progress.step(
        "编写报告（含再增 1 台后重新分派）",
        "writing the report, with streets assigned anew for one more unit",
    );
    write_files(args, &report)?;
    let output = if args.json {
        json::document(&json::report(&report))
    } else {
        text::report(&report, args.lang)
    };
    progress.end();
    Ok((output, if report.yes() { 0 } else { EXIT_NO }))
}

/// The workbook and the pictures, where they are asked for. Of a round that does not exist there is no picture: that is
/// said, and the answer is given all the same.
fn write_files(args: &PlanArgs, report: &Report) -> Result<(), Error> {
    if let Some(path) = &args.xlsx {
        let book = sheet::workbook(report).map_err(|error| Error::book(path, &error))?;
        write(path, &book)?;
    }
    for (path, draw) in [
        (&args.svg_backlog, picture::backlog as fn(&Report) -> Result<String, Words>),
        (&args.svg_finish, picture::finish),
    ] {
        if let Some(path) = path {
            if report.layers.is_err() {
                let words = Words::new(
                    format!("{}：未绘制：流体层和模拟层无法推算", path.display()),
                    format!("{}: not drawn: no flows and no simulation", path.display()),
                );
                output::aside(&pick(args.lang, &words.zh, &words.en));
                continue;
            }
            write(path, draw(report).map_err(Error::Argument)?.as_bytes())?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// All that a report shows, whatever its form.
struct Report {
    /// The city, with the target that was asked for.
    city: City,
    plan: Plan,
    /// Plans for the targets of the notices, the asked one left out.
    others: Vec<Plan>,
    /// The same with its shortages filled; none where nothing is short and nobody asked.
    filled: Option<Filled>,
    /// Whether it was asked for (`--filled`).
    filled_asked: bool,
    /// How the round was simulated.
    dice: Dice,
    /// The layers after the rules, or why there are none.
    layers: Result<Layers, Words>,
}

impl Report {
    /// `path` is what the city was opened by, to say where in it something is missing; `asked`: of the filled city, too.
    fn of(
        path: &Path,
        mut city: City,
        target: Option<u32>,
        asked: bool,
        dice: Dice,
        progress: &Progress,
    ) -> Report {
        let target_h = target.unwrap_or(city.target_h);
        if target.is_some() {
            (city.target_from, city.target_origin) = (TargetFrom::Asked, None);
        }
        city.target_h = target_h;
        progress.step("按指南测算", "the guide's arithmetic");
        let plan = planner::solve(&city, target_h);
        let others = TARGETS_H
            .into_iter()
            .filter(|&h| h != target_h)
            .map(|h| planner::solve(&city, h))
            .collect();
        let layers =
            Layers::of(&city, dice, progress).map_err(|error| city_file::why(path, &error));
        let told = asked || !plan.shortages.is_empty();
        let filled = told.then(|| Filled::of(&city, &plan, layers.as_ref().ok(), dice, progress));
        Report { city, plan, others, filled, filled_asked: asked, dice, layers }
    }

    /// The filled city, where its whole answer was asked for.
    fn filled_told(&self) -> Option<&Filled> {
        self.filled.as_ref().filter(|_| self.filled_asked)
    }

    /// What is said of a line of the list of shortages at a lab to which the assignment sends nothing.
    fn none_sent(&self, line: &Shortage) -> Option<Words> {
        let layers = self.layers.as_ref().ok()?;
        sending::none_sent(&layers.round, &self.plan, line)
    }

    /// The answer of all layers: that of the exit code.
    fn yes(&self) -> bool {
        layers::yes(&self.plan, &self.layers)
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
            Words::new(
                "官卫函〔2022〕4 号：5 台 PCR 检测仪、1 台核酸提取仪，检测能力增加 3600 管（未写周期，按每日计）",
                "letter 2022-4 of the Guandu health bureau: 5 PCR cyclers and 1 extractor add 3,600 tubes (no period given; taken \
                 as a day)",
            ),
            Status::Sourced,
        ),
    }
}

/// `24h` or `24` to hours.
fn hours(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix(['h', 'H']).unwrap_or(text);
    match digits.parse::<u32>() {
        Ok(hours @ 1..=TARGET_HOURS_MAX) => Ok(hours),
        _ => Err(format!(
            "应为 1h 到 {TARGET_HOURS_MAX}h，如 24h / expected 1h to {TARGET_HOURS_MAX}h, such as 24h"
        )),
    }
}

#[cfg(test)]
mod tests;
