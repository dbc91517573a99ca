//! `swabline plan whatif`: more or fewer units at a stage of a lab, in pairs of simulations with the same chance.
//!
//! Exit code: 0 answered, 64 a file or argument is wrong.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::grow::with_units;
use super::json_layers::{lab_flow, paired, time};
use super::layers::{Dice, Layers};
use super::words::{more_units, pick, say, span};
use super::{Error, Lang, REPLICATIONS, city_of, hours, json as report_json, replications};
use crate::planner::fluid::LabFlow;
use crate::planner::model::{MINUTE, Ms};
use crate::planner::study::{self, Paired};
use crate::planner::{City, Item, StageKind, Words, fluid};

/// What would other units at a stage of a lab change? Exit code 0: answered, 64: wrong. 增减设备的效果
#[derive(Clone, Debug, clap::Args)]
pub struct WhatIfArgs {
    /// City file (CITY.toml), or a built-in city
    pub city: PathBuf,
    /// Code of the lab
    #[arg(long, value_name = "CODE")]
    pub lab: String,
    /// Stage: receive, inactivate, decap, extract, setup, pcr, review
    #[arg(long, value_name = "KEY", value_parser = stage)]
    pub stage: StageKind,
    /// Units more (+2) or fewer (-1); of staffed stages with their people
    #[arg(long, value_name = "+N", value_parser = change, allow_hyphen_values = true)]
    pub units: i32,
    /// Hours in which the whole city is to be done [default: the city's own]
    #[arg(long, value_parser = hours)]
    pub target: Option<u32>,
    /// Pairs of simulations; 0 = the flows alone
    #[arg(long, value_name = "N", default_value_t = REPLICATIONS, value_parser = replications)]
    pub replications: usize,
    /// Seed of the simulation
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON document instead of lines
    #[arg(long)]
    pub json: bool,
    /// Language of the lines; both unless given
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
}

fn stage(text: &str) -> Result<StageKind, String> {
    StageKind::ALL.into_iter().find(|kind| kind.key() == text).ok_or_else(|| {
        let keys = StageKind::ALL.map(StageKind::key).join(", ");
        format!("应为 / expected one of: {keys}")
    })
}

fn change(text: &str) -> Result<i32, String> {
    match text.parse::<i32>() {
        Ok(n @ (-10_000..=-1 | 1..=10_000)) => Ok(n),
        _ => Err("应为 +1 到 +10000 或 -1 到 -10000 / expected such as +2 or -1".to_owned()),
    }
}

/// What the change does.
struct Change {
    lab: usize,
    /// Units that work now and then.
    units: [u32; 2],
    /// The lab in the flows, now and then.
    flows: [LabFlow; 2],
    /// The city in the flows, now and then, ms.
    city: [Ms; 2],
    pairs: Option<Paired>,
}

/// What is printed and the exit code.
pub(super) fn answer(args: &WhatIfArgs) -> Result<(String, u8), Error> {
    let mut city = city_of(&args.city, None)?;
    city.target_h = args.target.unwrap_or(city.target_h);
    let lab = lab_number(&city, &args.lab)?;
    let layers = Layers::without_remedy(&city, Dice { replications: 0, seed: args.seed })
        .map_err(Error::Argument)?;
    let change = compare(args, &layers, lab)?;
    let output = match args.json {
        true => report_json::document(&document(args, &layers, &change)),
        false => text(args, &layers, &change),
    };
    Ok((output, 0))
}

fn lab_number(city: &City, code: &str) -> Result<usize, Error> {
    city.labs.iter().position(|lab| lab.code == code).ok_or_else(|| {
        let codes: Vec<&str> = city.labs.iter().map(|lab| lab.code.as_str()).collect();
        let codes = codes.join(", ");
        Error::Argument(Words::new(
            format!("没有代码为“{code}”的实验室；可用：{codes}"),
            format!("no lab has the code \"{code}\"; there are: {codes}"),
        ))
    })
}

fn compare(args: &WhatIfArgs, layers: &Layers, lab: usize) -> Result<Change, Error> {
    let model = &layers.round.model;
    let k = args.stage.index();
    let now = &model.labs[lab].stages[k];
    let units = i64::from(now.units) + i64::from(args.units);
    let then = u32::try_from(units).ok().filter(|&n| n > 0).and_then(|n| with_units(now, n));
    let Some(then) = then else {
        let (name, have) = (args.stage.name(), now.units);
        return Err(Error::Argument(Words::new(
            format!("{}环节现有 {have} 台可用，变动后应为 1 到 20000 台", name.zh),
            format!("{} has {have} units that work; 1 to 20,000 must be left", name.en),
        )));
    };
    let mut changed = model.clone();
    let units = [now.units, then.units];
    changed.labs[lab].stages[k] = then;
    let pairs = (args.replications > 0).then(|| {
        study::what_if(model, lab, &changed.labs[lab], args.seed, args.replications, &|| true)
    });
    let after = fluid::city(&changed);
    let flows = [layers.flow.labs[lab].clone(), after.labs[lab].clone()];
    Ok(Change { lab, units, flows, city: [layers.flow.finish, after.finish], pairs })
}

/// Minutes with their sign, as words: saved, or lost.
fn gained(minutes: f64) -> Words {
    match minutes {
        m if m >= 0.05 => Words::new(format!("提前 {m:.1} 分钟"), format!("{m:.1} min earlier")),
        m if m <= -0.05 => {
            Words::new(format!("推迟 {:.1} 分钟", -m), format!("{:.1} min later", -m))
        }
        _ => Words::new("没有变化", "no change"),
    }
}

fn text(args: &WhatIfArgs, layers: &Layers, change: &Change) -> String {
    let lang = args.lang;
    let (code, name) = &layers.round.labs[change.lab];
    let [now, then] = change.units;
    let n = u64::from(now.abs_diff(then));
    let what = match args.units > 0 {
        true => {
            let more = more_units(args.stage, n);
            Words::new(format!("增加 {}", more.zh), more.en)
        }
        false => {
            let unit = Item::LabUnit(args.stage).name();
            Words::new(format!("减少 {n} 台{}", unit.zh), format!("{n} fewer: {}", unit.en))
        }
    };
    let mut out = pick(
        lang,
        &format!("{code} {}：{}（{now} → {then}）", name.zh, what.zh),
        &format!("{code} {}: {} ({now} → {then})", name.en, what.en),
    );
    out.push('\n');
    let mut line = |title: Words, from: Ms, to: Ms, more: Words| {
        let (a, b) = (span(from), span(to));
        out += &format!(
            "  {}: {} → {}; {}\n",
            say(lang, &title),
            say(lang, &a),
            say(lang, &b),
            say(lang, &more)
        );
    };
    let saved = |a: Ms, b: Ms| (f64::from(a) - f64::from(b)) / f64::from(MINUTE);
    if let Some(p) = &change.pairs {
        let half = p.half_width / f64::from(MINUTE);
        let gain = gained(p.saved / f64::from(MINUTE));
        let n = p.pairs;
        line(
            Words::new("本实验室，模拟", "this lab, simulated"),
            p.before as Ms,
            p.after as Ms,
            Words::new(
                format!("{} ± {half:.1}（95%，{n} 对）", gain.zh),
                format!("{} ± {half:.1} (95 %, {n} pairs)", gain.en),
            ),
        );
    }
    let [a, b] = change.flows.each_ref().map(|flow| flow.finish);
    line(Words::new("本实验室，流体", "this lab, flows"), a, b, gained(saved(a, b)));
    let [a, b] = change.city;
    line(Words::new("全市，流体", "the city, flows"), a, b, gained(saved(a, b)));
    let [a, b] = change.flows.each_ref().map(|flow| flow.binding.name());
    let binding = Words::new(format!("{} → {}", a.zh, b.zh), format!("{} → {}", a.en, b.en));
    out += &format!("  {}: {}\n", pick(lang, "瓶颈环节", "binding stage"), say(lang, &binding));
    out
}

fn document(args: &WhatIfArgs, layers: &Layers, change: &Change) -> Value {
    let [before, after] = &change.flows;
    let [city_before, city_after] = change.city.map(time);
    json!({
        "schema": 1,
        "lab": args.lab,
        "stage": args.stage.key(),
        "units_now": change.units[0],
        "units_then": change.units[1],
        "seed": args.seed,
        "paired": change.pairs.as_ref().map(paired),
        "flow": {
            "city_before": city_before,
            "city_after": city_after,
            "lab_before": lab_flow(layers, change.lab, before),
            "lab_finish_after": time(after.finish),
            "binding_after": after.binding.key(),
        },
    })
}
