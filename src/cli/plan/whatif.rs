//! `swabline plan whatif`: more or fewer units at a stage of a lab, in pairs of simulations with the same chance. Any other
//! change: `whatif_city`.
//!
//! Every street keeps to its lab, so that nothing differs but the units. Where that says nothing, the city is reckoned anew
//! with the change: when it gives no round as it is, or when the stage has no unit and so the lab no tubes.
//!
//! Exit code: 0 answered, 64 a file or argument is wrong.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::json_layers::{lab_flow, paired, quantiles, time};
use super::layers::{Dice, Layers};
use super::progress::Progress;
use super::whatif_city::{self, Altering};
use super::words::{lasting, more_units, pick, say, span};
use super::{
    Error, Lang, REPLICATIONS, REPLICATIONS_MAX, city_file, hours, json as report_json, number,
};
use crate::planner::fluid::LabFlow;
use crate::planner::model::{MINUTE, Model, Ms};
use crate::planner::study::{self, Paired, Quantiles};
use crate::planner::times::not_compared;
use crate::planner::what_if::{
    BY_FLOWS, BY_FLOWS_ANEW, SIMULATED_MEAN, beside_the_flows, done_by, whole_city, why_later,
};
use crate::planner::{self, City, Item, StageKind, Words, chance, fluid};

/// What would another number change: units or people at a lab, desks, samplers, vehicles, pool size, hours? Exit code 0: answered,
/// 64: wrong. 增减设备、人员、车辆或改变参数的效果
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct WhatIfArgs {
    /// City file (CITY.toml), or a built-in city. 城市文件或内置城市
    pub city: PathBuf,
    /// Code of the lab. 实验室代码
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub lab: Option<String>,
    /// Stage: receive, inactivate, decap, extract, setup, pcr, review. 环节
    #[arg(long, value_name = "KEY", value_parser = stage, allow_negative_numbers = true)]
    pub stage: Option<StageKind>,
    /// Units more (+2) or fewer (-1); of staffed stages with their people. Asked alone. 增减台数，人工环节连同人员；须单独询问
    #[arg(long, value_name = "+N", value_parser = number::change::<i32>, allow_hyphen_values = true)]
    #[arg(group = "change", requires = "lab", requires = "stage", conflicts_with = "others")]
    pub units: Option<i32>,
    #[command(flatten)]
    pub altering: Altering,
    /// Hours in which the whole city is to be done [default: the city's own]. 完成时限（小时），默认为城市自定
    #[arg(long, value_name = "HOURS", value_parser = hours, allow_negative_numbers = true)]
    pub target: Option<u32>,
    /// Pairs of simulations; 0 = the flows alone. 成对模拟次数，0 为只算流体
    #[arg(long, value_name = "N", default_value_t = REPLICATIONS, allow_negative_numbers = true)]
    #[arg(value_parser = number::whole(0..=REPLICATIONS_MAX))]
    pub replications: usize,
    /// Norm pack to use instead of the city's own: a file, or a built-in name. 改用的规范包：文件或内置名称
    #[arg(long, value_name = "FILE")]
    pub norm: Option<PathBuf>,
    /// Seed of the simulation. 模拟种子
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    #[arg(value_parser = number::whole(0..=u64::MAX))]
    pub seed: u64,
    /// Print one JSON document instead of lines. 输出 JSON
    #[arg(long)]
    pub json: bool,
    /// Language of the lines; both unless given. 语言，默认中英双语
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
}

fn stage(text: &str) -> Result<StageKind, String> {
    StageKind::ALL.into_iter().find(|kind| kind.key() == text).ok_or_else(|| {
        let keys = StageKind::ALL.map(StageKind::key).join(", ");
        format!("应为以下之一：{keys} / expected one of: {keys}")
    })
}

/// Other units at a stage of a lab.
struct Asked<'a> {
    args: &'a WhatIfArgs,
    lab: usize,
    stage: StageKind,
    units: i32,
}

/// What the change does.
struct Change {
    lab: usize,
    /// Units that work now and then.
    units: [u32; 2],
    /// Whether streets were assigned anew: the city of now is never done, or the stage has no unit before or after.
    anew: bool,
    /// The round as it is, or why there is none.
    before: Result<Layers, Words>,
    /// The round with the change, or why there is still none.
    after: Result<After, Words>,
}

/// The round with the change.
struct After {
    /// The lab in the flows.
    flow: LabFlow,
    /// The city in the flows.
    city: Ms,
    /// The same with streets assigned anew; none when that gives no round.
    city_anew: Option<Ms>,
    /// Against the round as it is, with the same chance; none where the city was reckoned anew.
    pairs: Option<Paired>,
    /// What is to be said of them.
    notes: Vec<Words>,
    /// The simulated finish of a city that was reckoned anew.
    simulated: Option<Quantiles>,
}

/// What is printed and the exit code.
pub(super) fn answer(args: &WhatIfArgs) -> Result<(String, u8), Error> {
    let norm = args.norm.as_deref().map(city_file::open_norm).transpose()?;
    let mut city = city_file::open(&args.city, norm)?;
    city.target_h = args.target.unwrap_or(city.target_h);
    let lab = args.lab.as_deref().map(|code| lab_number(&city, code)).transpose()?;
    let (Some(lab), Some(stage), Some(units)) = (lab, args.stage, args.units) else {
        return whatif_city::answer(args, &city, lab);
    };
    let asked = &Asked { args, lab, stage, units };
    planner::may_change(&city, lab, stage, units.into()).map_err(Error::Argument)?;
    let progress = Progress::on_stderr(args.lang);
    let none = Dice { replications: 0, seed: args.seed };
    let before = Layers::without_remedy(&city, none, &progress)
        .map_err(|error| city_file::why(&args.city, &error));
    progress.end();
    // Where the stage works before and after, every street keeps its lab; no street can stay at a lab without units.
    let works = |layers: &Layers| {
        let now = layers.round.model.labs[lab].stages[stage.index()].units;
        now > 0 && now.saturating_add_signed(units) > 0
    };
    let change = match before {
        Ok(layers) if works(&layers) => compare(asked, &city, layers),
        before => anew(asked, &city, before),
    };
    let output = match args.json {
        true => report_json::document(&document(asked, &city, &change)),
        false => text(asked, &city, &change),
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

/// With the change and every street at its lab.
fn compare(asked: &Asked<'_>, city: &City, layers: Layers) -> Change {
    let Asked { args, lab, stage, .. } = *asked;
    let model = &layers.round.model;
    let k = stage.index();
    let now = model.labs[lab].stages[k].units;
    let units = [now, now.saturating_add_signed(asked.units)];
    let mut changed = model.clone();
    changed.labs[lab].stages[k].set_units(units[1]);
    if let Err(why) = changed.check() {
        let why = layers.round.say(&why);
        return Change { lab, units, anew: false, before: Ok(layers), after: Err(why) };
    }
    let pairs = (args.replications > 0).then(|| {
        study::what_if(model, lab, &changed.labs[lab], args.seed, args.replications, &|| true)
    });
    let notes = pairs.as_ref().map(|pairs| notes(model, &changed, &[lab], pairs));
    let flow = fluid::city(&changed);
    let after = After {
        flow: flow.labs[lab].clone(),
        city: flow.finish,
        city_anew: planner::assigned_anew(city, lab, stage, asked.units.into(), flow.finish),
        pairs,
        notes: notes.unwrap_or_default(),
        simulated: None,
    };
    Change { lab, units, anew: false, before: Ok(layers), after: Ok(after) }
}

/// With the change, as a city of its own: streets send where it is then best.
fn anew(asked: &Asked<'_>, city: &City, before: Result<Layers, Words>) -> Change {
    let Asked { args, lab, stage, .. } = *asked;
    let working = |city: &City| {
        planner::solve(city, city.target_h).labs[lab].capacity.stages[stage.index()].units_working
    };
    let changed = planner::with_units(city, lab, stage, asked.units.into());
    let [now, then] = [city, &changed].map(|city| u32::try_from(working(city)).unwrap_or(u32::MAX));
    let dice = Dice { replications: args.replications, seed: args.seed };
    // Where the file says what is lacking does not change with the units of one stage.
    let progress = Progress::on_stderr(args.lang);
    let after = Layers::without_remedy(&changed, dice, &progress)
        .map_err(|error| city_file::why(&args.city, &error))
        .map(|layers| After {
            flow: layers.flow.labs[lab].clone(),
            city: layers.flow.finish,
            city_anew: Some(layers.flow.finish),
            pairs: None,
            notes: Vec::new(),
            simulated: layers.study.map(|study| study.finish),
        });
    progress.end();
    Change { lab, units: [now, then], anew: true, before, after }
}

/// A line: what is done when, before and with the change, and by how much earlier.
pub(super) fn told(
    lang: Option<Lang>,
    title: &Words,
    from: Option<Ms>,
    to: Ms,
    more: Option<Words>,
) -> String {
    let to_words = say(lang, &span(to));
    let from_words = from.map(|from| format!("{} → ", say(lang, &span(from))));
    let more = more.or_else(|| {
        let from = from?;
        let by = || gained((f64::from(from) - f64::from(to)) / f64::from(MINUTE));
        Some(not_compared(from, to).unwrap_or_else(by))
    });
    let more = more.map(|more| format!("; {}", say(lang, &more)));
    format!(
        "  {}: {}{to_words}{}\n",
        say(lang, title),
        from_words.unwrap_or_default(),
        more.unwrap_or_default()
    )
}

/// By how much earlier it is in pairs, and how sure that is.
pub(super) fn gained_in_pairs(p: &Paired) -> Words {
    if let Some(unknown) = p.not_compared() {
        return unknown;
    }
    let (gain, n) = (gained(p.saved / f64::from(MINUTE)), p.pairs);
    let Some(half) = p.half_width.map(|half| lasting(half / f64::from(MINUTE))) else {
        let one = chance::one_pair();
        return Words::new(
            format!("{}（{}）", gain.zh, one.zh),
            format!("{} ({})", gain.en, one.en),
        );
    };
    Words::new(
        format!("平均{}，± {}（{n} 对之差的均值，95% 置信区间）", gain.zh, half.zh),
        format!(
            "on average {}, ± {} (95 % interval of the mean difference of {n} pairs)",
            gain.en, half.en
        ),
    )
}

/// Why it is later though more is there, and what the pairs leave out.
pub(super) fn notes(before: &Model, after: &Model, labs: &[usize], paired: &Paired) -> Vec<Words> {
    let mut notes: Vec<Words> = why_later(before, after, labs, paired).into_iter().collect();
    notes.push(chance::planned_values(paired));
    notes
}

/// A line each.
pub(super) fn noted(lang: Option<Lang>, notes: &[Words]) -> String {
    notes.iter().map(|words| format!("  {}\n", say(lang, words))).collect()
}

/// The simulated finish of a city that was reckoned anew.
pub(super) fn simulated_anew(lang: Option<Lang>, q: &Quantiles, replications: usize) -> String {
    if replications < 2 {
        return told(
            lang,
            &done_by(&whole_city(), SIMULATED_ONCE),
            None,
            q.p50,
            Some(chance::once()),
        );
    }
    let [low, high] = [q.p10, q.p90].map(span);
    let spread = Words::new(
        format!("P10–P90：{}–{}", low.zh, high.zh),
        format!("P10–P90: {} – {}", low.en, high.en),
    );
    told(lang, &done_by(&whole_city(), SIMULATED_MEDIAN), None, q.p50, Some(spread))
}

/// How a time of a city that was reckoned anew is come by.
const SIMULATED_MEDIAN: (&str, &str) = ("模拟中位数", "simulated, median");
const SIMULATED_ONCE: (&str, &str) = ("只模拟一次", "simulated once");

/// Minutes with their sign, as words: saved, or lost.
pub(super) fn gained(minutes: f64) -> Words {
    match minutes {
        m if m >= 0.05 => {
            let Words { zh, en } = lasting(m);
            Words::new(format!("提前 {zh}"), format!("{en} earlier"))
        }
        m if m <= -0.05 => {
            let Words { zh, en } = lasting(-m);
            Words::new(format!("推迟 {zh}"), format!("{en} later"))
        }
        _ => Words::new("没有变化", "no change"),
    }
}

fn text(asked: &Asked<'_>, city: &City, change: &Change) -> String {
    let lang = asked.args.lang;
    let lab = &city.labs[change.lab];
    let (code, name) = (&lab.code, &lab.name);
    let [now, then] = change.units;
    let n = u64::from(now.abs_diff(then));
    let what = match asked.units > 0 {
        true => {
            let more = more_units(asked.stage, n);
            Words::new(format!("增加 {}", more.zh), more.en)
        }
        false => {
            let unit = Item::LabUnit(asked.stage).name();
            Words::new(format!("减少 {n} 台{}", unit.zh), format!("{n} fewer: {}", unit.en))
        }
    };
    let mut out = pick(
        lang,
        &format!("{code} {}：{}（{now} → {then}）", name.zh, what.zh),
        &format!("{code} {}: {} ({now} → {then})", name.en, what.en),
    );
    out.push('\n');
    if let Some(people) = people_only(asked, city, change) {
        out += &format!("  {}\n", say(lang, &people));
    }
    if let Err(why) = &change.before {
        out += &never(lang, &Words::new("现在不能完成", "as it is, it is never done"), why);
    }
    let after = match &change.after {
        Ok(after) => after,
        Err(why) => {
            let then = match change.before {
                Ok(_) => Words::new("变动后不能完成", "with the change it is never done"),
                Err(_) => Words::new("变动后仍不能完成", "with the change it is still never done"),
            };
            return out + &never(lang, &then, why);
        }
    };
    let this = Words::new(format!("{code} {}", name.zh), format!("{code} {}", name.en));
    if let Some(p) = &after.pairs {
        let title = done_by(&this, SIMULATED_MEAN);
        out += &told(lang, &title, Some(p.before as Ms), p.after as Ms, Some(gained_in_pairs(p)));
    }
    out += &noted(lang, &after.notes);
    let mut line = |title: Words, from: Option<Ms>, to: Ms, more: Option<Words>| {
        out += &told(lang, &title, from, to, more);
    };
    let before = change.before.as_ref().ok().map(|layers| &layers.flow);
    let lab_before = before.and_then(|flow| flow.labs.get(change.lab)).filter(|lab| lab.tubes > 0);
    if after.flow.tubes > 0 {
        line(done_by(&this, BY_FLOWS), lab_before.map(|lab| lab.finish), after.flow.finish, None);
    }
    let by = if change.anew { BY_FLOWS_ANEW } else { BY_FLOWS };
    line(done_by(&whole_city(), by), before.map(|flow| flow.finish), after.city, None);
    if let (Some(before), Some(at), false) = (before, after.city_anew, change.anew) {
        line(done_by(&whole_city(), BY_FLOWS_ANEW), Some(before.finish), at, None);
    }
    if let (Some(p), Some(lab)) = (&after.pairs, lab_before) {
        let saved = i64::from(lab.finish) - i64::from(after.flow.finish);
        out += &noted(lang, &[beside_the_flows(p, Some(saved))]);
    }
    if after.flow.tubes == 0 {
        out += &format!(
            "  {}\n",
            pick(lang, "变动后没有街道送往该实验室", "with the change no street sends to this lab")
        );
    }
    if let Some(q) = &after.simulated {
        out += &simulated_anew(lang, q, asked.args.replications);
    }
    if after.flow.tubes == 0 {
        return out;
    }
    let then = after.flow.binding.name();
    let binding = match lab_before.map(|lab| lab.binding.name()) {
        Some(now) => {
            Words::new(format!("{} → {}", now.zh, then.zh), format!("{} → {}", now.en, then.en))
        }
        None => then,
    };
    let title = Words::new(
        format!("{}的瓶颈环节（流体）", this.zh),
        format!("{}, binding stage (by the flows)", this.en),
    );
    out += &format!("  {}: {}\n", say(lang, &title), say(lang, &binding));
    out
}

/// That for one more unit only people are short, where one stands idle for want of them.
fn people_only(asked: &Asked<'_>, city: &City, change: &Change) -> Option<Words> {
    let (units, people) = planner::one_more_takes(city, &city.labs[change.lab], asked.stage);
    if asked.units < 1 || units > 0 {
        return None;
    }
    let Words { zh, en } = Item::LabUnit(asked.stage).name();
    let words = Words::new(
        format!("现有{zh}因缺人闲置：再开动 1 台只需增加 {people} 名人员，不必添置设备"),
        format!(
            "One {en} stands idle there for want of people: {people} more let it work, without another unit"
        ),
    );
    Some(words)
}

/// That it is never done, and why: a line for each reason.
pub(super) fn never(lang: Option<Lang>, title: &Words, why: &Words) -> String {
    let mut out = format!("  {}:\n", say(lang, title));
    for (zh, en) in why.zh.lines().zip(why.en.lines()) {
        out += &format!("    {}\n", pick(lang, zh, en));
    }
    out
}

fn document(asked: &Asked<'_>, city: &City, change: &Change) -> Value {
    let (before, after) = (change.before.as_ref().ok(), change.after.as_ref().ok());
    let works = |after: &&After| after.flow.tubes > 0;
    let lab_before =
        before.map(|layers| lab_flow(layers, change.lab, &layers.flow.labs[change.lab]));
    json!({
        "schema": 1,
        "lab": city.labs[asked.lab].code,
        "stage": asked.stage.key(),
        "units_now": change.units[0],
        "units_then": change.units[1],
        "seed": asked.args.seed,
        "why_no_before": change.before.as_ref().err().map(report_json::words),
        "why_no_after": change.after.as_ref().err().map(report_json::words),
        "paired": after.and_then(|after| after.pairs.as_ref()).map(paired),
        "simulated_hours": after.and_then(|after| after.simulated.as_ref()).map(quantiles),
        "flow": {
            "city_before": before.map(|layers| time(layers.flow.finish)),
            "city_after": after.map(|after| time(after.city)),
            "city_after_assigned_anew": after.and_then(|after| after.city_anew).map(time),
            "lab_before": lab_before,
            "lab_finish_after": after.filter(works).map(|after| time(after.flow.finish)),
            "binding_after": after.filter(works).map(|after| after.flow.binding.key()),
        },
    })
}
