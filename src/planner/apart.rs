//! Why the layers lie apart: by how much each effect that one layer has and the one before reckons at its mean, or not at all,
//! makes the round later. Found by leaving the effect out of both, one at a time, with the same chance.
//!
//! Effects work together (a street that is slow is late by a night, too), so what each accounts for need not add up; what is
//! left with all of them out is told beside.

use std::collections::BTreeMap;

use super::city::Words;
use super::fluid;
use super::model::{HOUR, MINUTE, Model, Ms, Street};
use super::round::Doubt;
use super::study::{self, Study};

/// Something that makes a round later than the layer before has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Desks are slower or quicker than the plan says, street by street and in the whole city.
    DeskSpeed,
    /// More or fewer people come than the plan thinks of.
    Turnout,
    /// People come late, and desks wait for them.
    LateComers,
    /// Labs are slower than their derate says.
    LabPace,
    /// Trips take longer or shorter.
    Road,
    /// Instruments break down.
    Breakdowns,
    /// Runs take longer or shorter.
    Runs,
    /// Unclean pools bring people back.
    Recalls,
    /// Desks are slow at first.
    Ramp,
    /// Tubes are on their way: boxes are filled, trips waited for and driven.
    Way,
    /// Streets of a district have more people for a desk than its others.
    Uneven,
}

/// Effects that the simulation has and the flows reckon at their mean.
const OF_SIMULATION: [Effect; 8] = [
    Effect::DeskSpeed,
    Effect::Turnout,
    Effect::LateComers,
    Effect::LabPace,
    Effect::Road,
    Effect::Breakdowns,
    Effect::Runs,
    Effect::Recalls,
];
/// Effects that the flows have and the arithmetic does not, or not in the way of the instruments.
const OF_FLOWS: [Effect; 6] = [
    Effect::Uneven,
    Effect::Way,
    Effect::LateComers,
    Effect::Ramp,
    Effect::Breakdowns,
    Effect::Recalls,
];

/// Tubes that may be simulated for it: few seconds of one processor's time.
const TUBES_MAX: u64 = 250_000_000;
/// Most and fewest replications for each effect. Fewer tell nothing; then more tubes are simulated, and of a city that is too large
/// even for that nothing is told.
const MOST: u64 = 40;
const FEWEST: u64 = 8;
const TUBES_AT_FEWEST: u64 = 700_000_000;

/// Why one layer is later than the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// By how much, ms; below 0 it is earlier.
    pub gap: i64,
    /// What each effect accounts for, ms, most first.
    pub by: Vec<(Effect, i64)>,
    /// What is left with all of them out.
    pub left: i64,
    /// Replications; 0 of the flows.
    pub replications: usize,
}

impl Effect {
    /// A model and what is in doubt of it without the effect.
    fn leave_out(self, model: &mut Model, doubt: &mut Doubt) {
        match self {
            Effect::DeskSpeed => {
                (doubt.desk_rate, doubt.desk_rate_city) = (0.0, 0.0);
                model.streets.iter_mut().for_each(|s| s.desk_spread = 0.0);
            }
            Effect::Turnout => (doubt.turnout, doubt.turnout_city) = (0.0, 0.0),
            Effect::LateComers => model.streets.iter_mut().for_each(|s| s.late_share = 0.0),
            Effect::LabPace => doubt.lab_pace = 0.0,
            Effect::Road => {
                doubt.travel = 0.0;
                model.streets.iter_mut().for_each(|s| s.travel_spread = 0.0);
            }
            Effect::Breakdowns => stages(model, |stage| stage.failures_per_day = 0.0),
            Effect::Runs => stages(model, |stage| stage.run_spread = 0.0),
            Effect::Recalls => {
                model.recall.prevalence = 0.0;
                doubt.prevalence = (0.0, 0.0);
            }
            Effect::Ramp => model.streets.iter_mut().for_each(|s| s.ramp_speed = 1.0),
            Effect::Way => model.streets.iter_mut().for_each(|s| {
                (s.box_time, s.trip_hold, s.handling) = (MINUTE, 0, 0);
                (s.travel, s.travel_spread) = (MINUTE, 0.0);
            }),
            // Needs to be known which streets are of one district: `even`.
            Effect::Uneven => {}
        }
    }

    /// What it is.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            Effect::DeskSpeed => (
                "采样速度快慢不一（最慢的街道决定全市）",
                "desks faster or slower than planned (the slowest street decides)",
            ),
            Effect::Turnout => ("到场人数多少不定", "more or fewer people than planned"),
            Effect::LateComers => ("晚到者", "late comers"),
            Effect::LabPace => (
                "实验室实际速度不定（最慢的实验室决定全市）",
                "labs slower than their derate (the slowest decides)",
            ),
            Effect::Road => ("路途时间长短不一", "trips that take longer"),
            Effect::Breakdowns => ("仪器故障", "breakdowns"),
            Effect::Runs => ("各批检测时间长短不一", "runs that take longer"),
            Effect::Recalls => ("召回单采", "recalls"),
            Effect::Ramp => ("开始时采样较慢", "desks that are slow at first"),
            Effect::Way => ("装箱、候车和路途", "boxes, trips and the road"),
            Effect::Uneven => (
                "同一区县各街道每台人数不均（最慢的街道决定）",
                "streets with more people to a desk than their district (the slowest decides)",
            ),
        };
        Words::new(zh, en)
    }

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Effect::DeskSpeed => "desk_speed",
            Effect::Turnout => "turnout",
            Effect::LateComers => "late_comers",
            Effect::LabPace => "lab_pace",
            Effect::Road => "road",
            Effect::Breakdowns => "breakdowns",
            Effect::Runs => "runs",
            Effect::Recalls => "recalls",
            Effect::Ramp => "ramp",
            Effect::Way => "way",
            Effect::Uneven => "uneven",
        }
    }
}

fn stages(model: &mut Model, change: impl Fn(&mut super::model::Stage)) {
    model.labs.iter_mut().flat_map(|lab| &mut lab.stages).for_each(change);
}

/// The speed of desks so that those of a district, `district_of` each street, end together, as the arithmetic has them.
fn even(model: &mut Model, district_of: &[&str]) {
    let mut districts: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    let able = |s: &Street| f64::from(s.desks) * s.desk_rate;
    for (street, district) in model.streets.iter().zip(district_of) {
        let of = districts.entry(district).or_default();
        (of[0], of[1]) = (of[0] + f64::from(street.persons), of[1] + able(street));
    }
    for (street, district) in model.streets.iter_mut().zip(district_of) {
        let [persons, all] = districts.get(district).copied().unwrap_or_default();
        if persons > 0.0 && street.persons > 0 && able(street) > 0.0 {
            street.desk_rate *= f64::from(street.persons) / persons * (all / able(street));
        }
    }
}

/// Why the flows, `flow`, are later than the arithmetic, `rules`. `district_of` each street of the model.
pub fn flows_and_rules(
    model: &Model,
    doubt: &Doubt,
    district_of: &[&str],
    rules: Ms,
    flow: Ms,
) -> Apart {
    let end = |out: &[Effect]| {
        let (mut model, _) = without(model, doubt, out);
        if out.contains(&Effect::Uneven) {
            even(&mut model, district_of);
        }
        i64::from(fluid::ends_of(&model).1)
    };
    let (flow, rules) = (i64::from(flow), i64::from(rules));
    Apart::of(flow - rules, &OF_FLOWS, 0, |out| Some(end(out) - rules)).unwrap_or(Apart {
        gap: flow - rules,
        by: Vec::new(),
        left: flow - rules,
        replications: 0,
    })
}

/// Why the simulation, `study` with `seed`, is later on average than the flows, `flow`; `None` for a city so large that it would
/// take too long to find out, or when `go_on` says no. It is asked before each effect.
pub fn simulation_and_flows(
    model: &Model,
    doubt: &Doubt,
    (study, seed): (&Study, u64),
    flow: Ms,
    go_on: &(dyn Fn() -> bool + Sync),
) -> Option<Apart> {
    let each = model.tubes().max(1).saturating_mul(OF_SIMULATION.len() as u64 + 1);
    if each.saturating_mul(FEWEST) > TUBES_AT_FEWEST {
        return None;
    }
    let n = (TUBES_MAX / each).clamp(FEWEST, MOST) as usize;
    let n = n.min(study.finishes.len());
    if n < FEWEST as usize {
        return None;
    }
    let mean = |finishes: &[Ms]| {
        let all: f64 = finishes.iter().take(n).map(|at| f64::from(*at)).sum();
        (all / n as f64) as i64
    };
    let apart = |out: &[Effect]| {
        let (model, doubt) = without(model, doubt, out);
        let study = go_on().then(|| study::study(&model, Some(&doubt), seed, n, &|_| go_on()))?;
        Some(mean(&study.finishes) - i64::from(fluid::ends_of(&model).1))
    };
    Apart::of(mean(&study.finishes) - i64::from(flow), &OF_SIMULATION, n, apart)
}

fn without(model: &Model, doubt: &Doubt, out: &[Effect]) -> (Model, Doubt) {
    let (mut model, mut doubt) = (model.clone(), *doubt);
    out.iter().for_each(|effect| effect.leave_out(&mut model, &mut doubt));
    (model, doubt)
}

impl Apart {
    /// `apart`: by how much they are apart with these effects left out.
    fn of(
        gap: i64,
        effects: &[Effect],
        replications: usize,
        apart: impl Fn(&[Effect]) -> Option<i64>,
    ) -> Option<Apart> {
        let by = effects.iter().map(|effect| Some((*effect, gap - apart(&[*effect])?)));
        let mut by = by.collect::<Option<Vec<_>>>()?;
        by.sort_by_key(|(_, by)| std::cmp::Reverse(*by));
        Some(Apart { gap, by, left: apart(effects)?, replications })
    }

    /// The effects that account for much of it: a tenth or more, and a quarter of an hour.
    pub fn causes(&self) -> impl Iterator<Item = &(Effect, i64)> {
        let least = (self.gap.abs() / 10).max(i64::from(MINUTE) * 15);
        self.by.iter().filter(move |(_, by)| *by >= least).take(3)
    }

    /// Why, in a clause: "desks faster or slower than planned 48.0 h; 1.0 h are left: boxes, trips and plates go one by one".
    pub fn words(&self) -> Words {
        let h = |ms: i64| format!("{:.1}", ms as f64 / f64::from(HOUR));
        let (zh, en): (Vec<String>, Vec<String>) = self
            .causes()
            .map(|(effect, by)| {
                let name = effect.name();
                (format!("{} {} 小时", name.zh, h(*by)), format!("{} {} h", name.en, h(*by)))
            })
            .unzip();
        let (zh, en) = match zh.is_empty() {
            true => (
                "没有哪一项单独起主要作用".to_owned(),
                "nothing that was tried alone accounts for much of it".to_owned(),
            ),
            false => (zh.join("，"), en.join(", ")),
        };
        let left = h(self.left);
        // What the layers do in different ways cannot be left out; it is named.
        let (rest_zh, rest_en) = match self.replications {
            0 => (
                "测算不计等待：各实验室均摊样本，无样本时仪器即停歇，各批按最短时间",
                "the arithmetic knows no waiting: labs share the load evenly, instruments rest while nothing is there, and runs are at their shortest",
            ),
            _ => ("逐箱、逐趟、逐板进行", "boxes, trips and plates go one by one"),
        };
        Words::new(
            format!("{zh}；以上各项及其他试算项都不计时，余 {left} 小时（{rest_zh}）"),
            format!("{en}; without all that was tried {left} h are left ({rest_en})"),
        )
    }
}
