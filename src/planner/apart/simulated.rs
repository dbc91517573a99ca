//! From the flows to the simulation: by how much each kind of chance makes a round later on average. Found by leaving it out of both,
//! one at a time, with the same seeds.
//!
//! A mean is drawn out by few slow replications, which a median does not see: so it is told for both which way they lie.

use super::{in_tenths, tenths_of};
use crate::planner::city::Words;
use crate::planner::fluid;
use crate::planner::model::{MINUTE, Model, Ms, Stage};
use crate::planner::round::Doubt;
use crate::planner::study::{self, Study};

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
}

/// Effects that the simulation has and the flows reckon at their mean.
const ALL: [Effect; 8] = [
    Effect::DeskSpeed,
    Effect::Turnout,
    Effect::LateComers,
    Effect::LabPace,
    Effect::Road,
    Effect::Breakdowns,
    Effect::Runs,
    Effect::Recalls,
];

/// Tubes that may be simulated for it: few seconds of one processor's time.
const TUBES_MAX: u64 = 250_000_000;
/// Most and fewest replications for each effect. Fewer tell nothing; then more tubes are simulated, and of a city that is too large
/// even for that nothing is told.
const MOST: u64 = 40;
const FEWEST: u64 = 8;
const TUBES_AT_FEWEST: u64 = 700_000_000;

/// Why the simulation is later than the flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// By how much on average, ms; below 0 it is earlier.
    pub gap: i64,
    /// By how much at the median of the whole study.
    pub median: i64,
    /// What each effect accounts for, ms, most first.
    pub by: Vec<(Effect, i64)>,
    /// What is left with all of them out.
    pub left: i64,
    /// Replications of which that is the average.
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
        }
    }
}

fn stages(model: &mut Model, change: impl Fn(&mut Stage)) {
    model.labs.iter_mut().flat_map(|lab| &mut lab.stages).for_each(change);
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
    let each = model.tubes().max(1).saturating_mul(ALL.len() as u64 + 1);
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
    let gap = mean(&study.finishes) - i64::from(flow);
    let by = ALL.into_iter().map(|effect| Some((effect, gap - apart(&[effect])?)));
    let mut by = by.collect::<Option<Vec<_>>>()?;
    by.sort_by_key(|(_, by)| std::cmp::Reverse(*by));
    let median = i64::from(study.finish.p50) - i64::from(flow);
    Some(Apart { gap, median, by, left: apart(&ALL)?, replications: n })
}

fn without(model: &Model, doubt: &Doubt, out: &[Effect]) -> (Model, Doubt) {
    let (mut model, mut doubt) = (model.clone(), *doubt);
    out.iter().for_each(|effect| effect.leave_out(&mut model, &mut doubt));
    (model, doubt)
}

/// Mean and median that lie nearer to each other are not told apart, ms.
const AS_ONE: i64 = 15 * MINUTE as i64;

impl Apart {
    /// The effects that account for much of it: a tenth or more, and a quarter of an hour.
    pub fn causes(&self) -> impl Iterator<Item = &(Effect, i64)> {
        let least = (self.gap.abs() / 10).max(i64::from(MINUTE) * 15);
        self.by.iter().filter(move |(_, by)| *by >= least).take(3)
    }

    /// In a sentence, without its full stop: which way mean and median lie from the flows, why both, and what makes it.
    pub fn words(&self) -> Words {
        let (mean, median) = (later(self.gap), later(self.median));
        let causes = self.causes().map(|(effect, by)| {
            let (name, by) = (effect.name(), hours(*by));
            (format!("{} {by} 小时", name.zh), format!("{} {by} h", name.en))
        });
        let (zh, en): (Vec<String>, Vec<String>) = causes.unzip();
        let (why_zh, why_en) = match zh.is_empty() {
            true => (
                "没有哪一项偶然因素单独起主要作用".to_owned(),
                "no kind of chance alone accounts for much of it".to_owned(),
            ),
            false => (
                format!("使平均推迟的有{}", zh.join("，")),
                format!("what makes the mean later: {}", en.join(", ")),
            ),
        };
        let (between, left) = (self.between(), self.left_words());
        Words::new(
            format!(
                "模拟与流体：平均（{} 次）{}，中位数{}{}；{why_zh}；{}",
                self.replications, mean.zh, median.zh, between.zh, left.zh
            ),
            format!(
                "simulation and flows: the mean (of {}) is {}, the median {}{}; {why_en}; {}",
                self.replications, mean.en, median.en, between.en, left.en
            ),
        )
    }

    /// Why mean and median are not the same, where they are not.
    fn between(&self) -> Words {
        match self.gap - self.median {
            apart if apart > AS_ONE => Words::new(
                "（少数偏慢的模拟拖后平均，不影响中位数）",
                " (few slow replications draw out the mean and leave the median where it is)",
            ),
            apart if apart < -AS_ONE => Words::new(
                "（少数偏快的模拟提前平均，不影响中位数）",
                " (few quick replications draw the mean forward and leave the median where it is)",
            ),
            _ => Words::default(),
        }
    }

    /// What is left without any chance: what the layers do in different ways cannot be left out, and is named.
    fn left_words(&self) -> Words {
        let left = later(self.left);
        let (zh, en) = match in_tenths(self.left) {
            i64::MIN..0 => (
                "流体层让最后的样本都坐较晚的一趟车、又空等一板装满，模拟中未必都如此",
                "in the flows the last tubes all take a late trip and wait in vain for a full plate, here not all do",
            ),
            0..MISSED => ("模拟逐箱、逐趟、逐板进行", "boxes, trips and plates go one by one"),
            MISSED.. => (
                "模拟逐箱、逐趟、逐板进行，最后几箱或几板赶不上班次结束、设备停歇或末班车，就要等到下一次",
                "boxes, trips and plates go one by one, and the last of them that just miss the end of a shift, an instrument's day or a \
                 vehicle wait for the next",
            ),
        };
        Words::new(
            format!("除去全部偶然因素，模拟{}（{zh}）", left.zh),
            format!("without any chance the simulation is {} ({en})", left.en),
        )
    }
}

/// So many tenths of an hour are no longer what whole boxes and plates make of it: something has been missed.
const MISSED: i64 = 30;

/// Hours with one decimal, of what is not negative.
fn hours(ms: i64) -> String {
    tenths_of(in_tenths(ms))
}

/// Which way a time lies from the flows, and how far.
fn later(ms: i64) -> Words {
    let by = hours(ms);
    match in_tenths(ms) {
        0 => Words::new("与流体相同", "as the flows have it"),
        1.. => Words::new(format!("晚 {by} 小时"), format!("{by} h later")),
        _ => Words::new(format!("早 {by} 小时"), format!("{by} h earlier")),
    }
}
