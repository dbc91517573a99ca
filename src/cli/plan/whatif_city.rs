//! `swabline plan whatif` with any change but that of units: desks, samplers and vehicles of a place, people at a lab, pool size,
//! prevalence, turnout, hours; several are made together.
//!
//! Every street keeps to its lab, and the labs in which anything differs are simulated in pairs with the same chance: with a change
//! of a street, people and trips of all streets of its labs are simulated again, before and after; with one of the whole city, all
//! of it. Of a city that gives no round as it is, the city with the changes is reckoned as one of its own.

use serde_json::{Value, json};

use super::json_layers::{paired, quantiles, time};
use super::layers::{Dice, Layers};
use super::progress::Progress;
use super::whatif::{WhatIfArgs, gained_in_pairs, never, noted, notes, simulated_anew, told};
use super::words::{pick, say};
use super::{Error, json as report_json, number};
use crate::cli::city_file;
use crate::planner::fluid::{self, CityFlow};
use crate::planner::model::Ms;
use crate::planner::round::Round;
use crate::planner::study::{self, Paired, Quantiles};
use crate::planner::what_if::{
    Alter, Altered, At, BY_FLOWS, BY_FLOWS_ANEW, POOL_MAX, SIMULATED_MEAN, beside_the_flows,
    done_anew, done_by, labs_concerned, labs_done, labs_words, place_named, places, whole_city,
};
use crate::planner::{City, FieldItem, Words};

/// Changes beside that of units.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(id = "others", multiple = true)]
pub struct Altering {
    /// Code of a district, or of a street with or without its district: 530102 or 530102/530102001. 区县或街道代码
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub place: Option<String>,
    /// Desks with their people more (+5) or fewer (-1) at that place. 增减采样台（含人员）
    #[arg(long, value_name = "+N", allow_hyphen_values = true, requires = "place")]
    #[arg(group = "change", value_parser = number::change::<i64>)]
    pub desks: Option<i64>,
    /// Samplers more or fewer at that place. 增减采样人员
    #[arg(long, value_name = "+N", allow_hyphen_values = true, requires = "place")]
    #[arg(group = "change", value_parser = number::change::<i64>)]
    pub samplers: Option<i64>,
    /// Vehicles more or fewer at that place. 增减转运车辆
    #[arg(long, value_name = "+N", allow_hyphen_values = true, requires = "place")]
    #[arg(group = "change", value_parser = number::change::<i64>)]
    pub vehicles: Option<i64>,
    /// People more or fewer on the roll of that stage of that lab, over all shifts. 增减环节人员（各班合计）
    #[arg(long, value_name = "+N", allow_hyphen_values = true, requires = "lab")]
    #[arg(group = "change", requires = "stage", value_parser = number::change::<i64>)]
    pub staff: Option<i64>,
    /// Persons per tube, at that place or everywhere. 每管人数
    #[arg(long, value_name = "N", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::whole(1..=POOL_MAX))]
    pub pool: Option<u64>,
    /// Share of infected people, 0 to 1. 感染率
    #[arg(long, value_name = "P", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::decimal(0.0..=1.0, "0.001"))]
    pub prevalence: Option<f64>,
    /// Percent of the residents who come. 居民到场率（%）
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::decimal(1.0..=100.0, "90"))]
    pub turnout: Option<f64>,
    /// Hours a day in which people are sampled. 每日采样小时数
    #[arg(long, value_name = "H", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::whole(1..=24u64))]
    pub sampling_hours: Option<u64>,
    /// Hours a day in which staffed stages work, in shifts of at most 8 hours with the people of today; of that lab, or of all.
    /// 人工环节每日工作小时数，人员不变
    #[arg(long, value_name = "H", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::whole(1..=24u64))]
    pub shift_hours: Option<u64>,
    /// Hours a day for which each instrument counts; of that lab, or of all. 仪器每日运行小时数
    #[arg(long, value_name = "H", allow_negative_numbers = true, group = "change")]
    #[arg(value_parser = number::whole(1..=24u64))]
    pub instrument_hours: Option<u64>,
}

impl Altering {
    /// The changes, those of the whole city first.
    fn changes(
        &self,
        args: &WhatIfArgs,
        city: &City,
        lab: Option<usize>,
    ) -> Result<Vec<Alter>, Error> {
        let at = self.place.as_deref().map_or(Ok(At::City), |code| place(city, code))?;
        let field = |item, more: Option<i64>| more.map(|more| Alter::Field { at, item, more });
        let permille = |percent: f64| (percent * 10.0).round().max(0.0) as u64;
        let staff = |more| Some(Alter::Staff { lab: lab?, stage: args.stage?, more });
        let all = [
            self.prevalence.map(|share| Alter::Prevalence { share }),
            self.turnout.map(|percent| Alter::Turnout { permille: permille(percent) }),
            self.sampling_hours.map(|hours| Alter::SamplingHours { hours }),
            self.shift_hours.map(|hours| Alter::ShiftHours { lab, hours }),
            self.instrument_hours.map(|hours| Alter::InstrumentHours { lab, hours }),
            self.pool.map(|persons| Alter::Pool { at, persons }),
            self.staff.and_then(staff),
            field(FieldItem::Desk, self.desks),
            field(FieldItem::Sampler, self.samplers),
            field(FieldItem::Vehicle, self.vehicles),
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

fn place(city: &City, code: &str) -> Result<At, Error> {
    place_named(city, code).ok_or_else(|| {
        let codes = places(city).join(", ");
        Error::Argument(Words::new(
            format!("没有代码为“{code}”的区县或街道；可用：{codes}"),
            format!("no district or street has the code \"{code}\"; there are: {codes}"),
        ))
    })
}

/// What the changes do.
struct Done {
    /// Why it is never done with every street at its lab; streets are then assigned anew.
    kept: Option<Words>,
    /// Labs in which anything differs.
    labs: Vec<usize>,
    /// The flows of the round as it is, or why there is none.
    before: Result<(Round, CityFlow), Words>,
    /// With the changes, or why there is still none.
    after: Result<After, Words>,
}

struct After {
    flow: CityFlow,
    /// The city with streets assigned anew; none when that gives no round.
    anew: Option<Ms>,
    pairs: Option<Paired>,
    /// What is to be said of them.
    notes: Vec<Words>,
    simulated: Option<Quantiles>,
}

/// What is printed and the exit code.
pub(super) fn answer(
    args: &WhatIfArgs,
    city: &City,
    lab: Option<usize>,
) -> Result<(String, u8), Error> {
    let changes = args.altering.changes(args, city, lab)?;
    let altered = Altered::of(city, &changes).map_err(Error::Argument)?;
    let progress = Progress::on_stderr(args.lang);
    progress.step("分派街道到实验室", "assigning streets to labs");
    let before = Round::of(city).map_err(|error| city_file::why(&args.city, &error));
    progress.end();
    let done = match before {
        Ok(round) => compare(args, &altered, round),
        Err(why) => anew(args, &altered, Err(why), None),
    };
    let what: Vec<Words> = changes.iter().map(|change| change.words(city)).collect();
    let output = match args.json {
        true => report_json::document(&document(args, city, &what, &done)),
        false => text(args, city, &what, &done),
    };
    Ok((output, 0))
}

/// With every street at its lab.
fn compare(args: &WhatIfArgs, altered: &Altered, round: Round) -> Done {
    let flow = fluid::city(&round.model);
    let with = match altered.kept(&round) {
        Ok(with) => with,
        Err(error) => return anew(args, altered, Ok((round, flow)), Some(error.words())),
    };
    let labs = labs_concerned(&round.model, &with.model);
    let ask = args.replications > 0 && !labs.is_empty();
    let progress = Progress::on_stderr(args.lang);
    let told = || {
        progress.tell(&|| Words::new("成对模拟", "simulating in pairs"));
        true
    };
    let pairs = ask.then(|| {
        let (before, after) = (&round.model, &with.model);
        study::what_if_city(before, after, &labs, args.seed, args.replications, &told)
    });
    progress.end();
    let then = fluid::city(&with.model);
    let anew = done_anew(altered, then.finish);
    let notes = pairs.as_ref().map(|pairs| notes(&round.model, &with.model, &labs, pairs));
    let notes = notes.unwrap_or_default();
    let after = After { flow: then, anew, pairs, notes, simulated: None };
    Done { kept: None, labs, before: Ok((round, flow)), after: Ok(after) }
}

/// As a city of its own: it gives no round as it is, or none with every street at its lab, and why.
fn anew(
    args: &WhatIfArgs,
    altered: &Altered,
    before: Result<(Round, CityFlow), Words>,
    kept: Option<Words>,
) -> Done {
    let dice = Dice { replications: args.replications, seed: args.seed };
    let progress = Progress::on_stderr(args.lang);
    let after = altered
        .anew()
        .map_err(|error| city_file::why(&args.city, &error))
        .map(|round| Layers::of_round(&altered.city, round, dice, &progress));
    progress.end();
    let after = after.map(|layers| After {
        anew: Some(layers.flow.finish),
        pairs: None,
        notes: Vec::new(),
        simulated: layers.study.map(|study| study.finish),
        flow: layers.flow,
    });
    Done { kept, labs: Vec::new(), before, after }
}

fn text(args: &WhatIfArgs, city: &City, what: &[Words], done: &Done) -> String {
    let lang = args.lang;
    let (zh, en): (Vec<_>, Vec<_>) = what.iter().map(|w| (w.zh.as_str(), w.en.as_str())).unzip();
    let mut out = pick(lang, &zh.join("；"), &en.join("; "));
    out.push('\n');
    let before = done.before.as_ref();
    if let Err(why) = before {
        out += &never(lang, &Words::new("现在不能完成", "as it is, it is never done"), why);
    }
    let after = match &done.after {
        Ok(after) => after,
        Err(why) => {
            let then = match before {
                Ok(_) => Words::new("变动后不能完成", "with the change it is never done"),
                Err(_) => Words::new("变动后仍不能完成", "with the change it is still never done"),
            };
            return out + &never(lang, &then, why);
        }
    };
    if let Some(why) = &done.kept {
        let title = Words::new(
            "各街道送样不变则不能完成，故重新分派街道",
            "with every street at its lab it is never done, so streets are assigned anew",
        );
        out += &never(lang, &title, why);
    }
    let labs = labs_words(city, &done.labs);
    if let Some(p) = &after.pairs {
        let title = done_by(&labs, SIMULATED_MEAN);
        out += &told(lang, &title, Some(p.before as Ms), p.after as Ms, Some(gained_in_pairs(p)));
    }
    out += &noted(lang, &after.notes);
    let flow_before = before.ok().map(|(_, flow)| flow);
    if let (Some(flow), false) = (flow_before, done.labs.is_empty()) {
        let title = done_by(&labs, BY_FLOWS);
        let [from, to] = [flow, &after.flow].map(|flow| labs_done(flow, &done.labs));
        out += &told(lang, &title, Some(from), to, None);
    }
    let from = flow_before.map(|flow| flow.finish);
    let reckoned_anew = from.is_none() || done.kept.is_some();
    let by = if reckoned_anew { BY_FLOWS_ANEW } else { BY_FLOWS };
    out += &told(lang, &done_by(&whole_city(), by), from, after.flow.finish, None);
    if let (Some(at), false) = (after.anew, reckoned_anew) {
        out += &told(lang, &done_by(&whole_city(), BY_FLOWS_ANEW), from, at, None);
    }
    if let (Some(p), Some(flow)) = (&after.pairs, flow_before) {
        let [from, to] = [flow, &after.flow].map(|flow| i64::from(labs_done(flow, &done.labs)));
        out += &noted(lang, &[beside_the_flows(p, Some(from - to))]);
    }
    if let Some(q) = &after.simulated {
        out += &simulated_anew(lang, q, args.replications);
    }
    let target = city.target_h.saturating_mul(3_600_000);
    let binds = fluid::binds(city, &after.flow, target);
    out + &format!(
        "  {}: {}\n",
        pick(lang, "变动后全市的瓶颈（流体）", "what binds the whole city then (by the flows)"),
        say(lang, &binds)
    )
}

fn document(args: &WhatIfArgs, city: &City, what: &[Words], done: &Done) -> Value {
    let (before, after) = (done.before.as_ref().ok(), done.after.as_ref().ok());
    let of_labs =
        |flow: &CityFlow| (!done.labs.is_empty()).then(|| time(labs_done(flow, &done.labs)));
    json!({
        "schema": 1,
        "changes": what.iter().map(report_json::words).collect::<Vec<_>>(),
        "labs": done.labs.iter().map(|&lab| city.labs[lab].code.as_str()).collect::<Vec<_>>(),
        "seed": args.seed,
        "why_no_before": done.before.as_ref().err().map(report_json::words),
        "why_not_kept": done.kept.as_ref().map(report_json::words),
        "why_no_after": done.after.as_ref().err().map(report_json::words),
        "paired": after.and_then(|after| after.pairs.as_ref()).map(paired),
        "simulated_hours": after.and_then(|after| after.simulated.as_ref()).map(quantiles),
        "flow": {
            "city_before": before.map(|(_, flow)| time(flow.finish)),
            "city_after": after.map(|after| time(after.flow.finish)),
            "city_after_assigned_anew": after.and_then(|after| after.anew).map(time),
            "labs_before": before.and_then(|(_, flow)| of_labs(flow)),
            "labs_after": after.and_then(|after| of_labs(&after.flow)),
        },
    })
}
