//! From the arithmetic to the flows, step by step: what the flows reckon with and the arithmetic does not is put in, one thing after
//! the other, and stays in. What a step costs is by how much the round is then done later, so all of them add up to what lies between
//! the two.
//!
//! The first steps are the arithmetic's own, reckoned nearer (`rules::Nearer`); the others are flows, from which is left out what is not
//! in yet. In the middle the same round is reckoned by both, with every rest and shift as a share of each hour, and by how much they
//! differ there no step explains: the arithmetic goes by whole runs, the flows by pieces of time.
//!
//! What the flows do not end within the horizon is done nobody knows when: the step with which that begins is named, without a number,
//! and so is what it makes of the whole.

use super::{in_tenths, signed_hours, tenths_of};
use crate::planner::city::{City, Clock, InstrumentDay, LabStage, Words};
use crate::planner::fluid;
use crate::planner::model::{
    DAY, HORIZON_DAYS, HORIZON_MS, HOUR, Lab, MINUTE, Model, Ms, Rests, Street,
};
use crate::planner::round::Round;
use crate::planner::rules::{self, Nearer};

/// What the flows reckon with and the arithmetic does not, in the order in which it is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Each street sends to its lab; in the arithmetic labs share what they can take.
    Sent,
    /// Runs take their mean time; in the arithmetic their shortest.
    Runs,
    /// Instruments break down.
    Breakdowns,
    /// Streets of a district have more people for a desk than its others.
    Uneven,
    /// Instruments rest, shifts are off and desks are closed in their share of the time in which there is work, too; in the
    /// arithmetic while nothing is there to be done.
    Rests,
    /// Tubes come little by little, on trips as they go; in the arithmetic all at once, after the longest trip.
    Coming,
    /// Shifts, rests and nights are by the clock, and what misses the end of one waits for the next; until here they are a share
    /// of every hour.
    Clock,
    /// Desks are slow at first, and people go to the quicker ones.
    Ramp,
    /// People come late, and desks wait for them.
    LateComers,
    /// Unclean pools bring people back.
    Recalls,
    /// Tubes wait for the vehicles that there are; until here for none.
    Vehicles,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 11] = [
        Step::Sent,
        Step::Runs,
        Step::Breakdowns,
        Step::Uneven,
        Step::Rests,
        Step::Coming,
        Step::Clock,
        Step::Ramp,
        Step::LateComers,
        Step::Recalls,
        Step::Vehicles,
    ];

    /// What it is.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            Step::Sent => (
                "各街道送指定实验室（测算由各实验室均摊）",
                "each street sends to its lab (the arithmetic lets labs share)",
            ),
            Step::Runs => (
                "各批按平均时间（测算按最短时间）",
                "runs take their mean time (the arithmetic: the shortest)",
            ),
            Step::Breakdowns => ("仪器故障", "breakdowns"),
            Step::Uneven => (
                "同一区县各街道每台人数不均（最慢的街道决定）",
                "streets with more people to a desk than their district (the slowest decides)",
            ),
            Step::Rests => (
                "有样本时仪器也要休息、也会无人当班、采样也要停夜（测算尽量排在没有样本时）",
                "instruments rest, shifts are off and sites close while there is work, too (the arithmetic: while there is none)",
            ),
            Step::Coming => (
                "样本陆续送达（测算按最长路途后一并到齐）",
                "tubes come little by little (the arithmetic: all at once, after the longest trip)",
            ),
            Step::Clock => (
                "班次、休息和停夜按钟点（错过收班须等下一班）",
                "shifts, rests and nights by the clock (what misses the end of one waits for the next)",
            ),
            Step::Ramp => ("采样台起步较慢、快慢不一", "desks slow at first, and unequal"),
            Step::LateComers => ("晚到者", "late comers"),
            Step::Recalls => ("召回单采", "recalls"),
            Step::Vehicles => {
                ("转运车辆不足（测算不计车辆）", "too few vehicles (the arithmetic counts none)")
            }
        };
        Words::new(zh, en)
    }

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Step::Sent => "sent",
            Step::Runs => "runs",
            Step::Breakdowns => "breakdowns",
            Step::Uneven => "uneven",
            Step::Rests => "rests",
            Step::Coming => "coming",
            Step::Clock => "clock",
            Step::Ramp => "ramp",
            Step::LateComers => "late_comers",
            Step::Recalls => "recalls",
            Step::Vehicles => "vehicles",
        }
    }
}

/// What lies between the arithmetic and the flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// By how much the flows are later, ms; below 0 they are earlier.
    pub gap: i64,
    /// By how much each step makes it later, ms, in their order.
    pub by: Vec<(Step, i64)>,
    /// What no step explains, ms: with it the steps add up to `gap`.
    pub left: i64,
    /// The step with which the round is not done within the horizon any more; what it and the whole cost is then not known.
    pub endless: Option<Step>,
}

impl Steps {
    /// The steps whose cost is known, ms, in their order: all, or those before the one with which the round never ends.
    pub fn known(&self) -> &[(Step, i64)] {
        let upto = self.by.iter().position(|(step, _)| Some(*step) == self.endless);
        &self.by[..upto.unwrap_or(self.by.len())]
    }
}

/// The steps from the arithmetic of a city, done after `rules`, to the flows of its round, done after `flow`. `None` where the
/// arithmetic, brought nearer, never ends, or where already the flows of all tubes at once are not done within the horizon.
pub fn steps(city: &City, round: &Round, rules: Ms, flow: Ms) -> Option<Steps> {
    let (nearer, reckoned) = arithmetic(city, round)?;
    let (at_once, flows) = flows(city, &round.model, flow);
    // The tubes of the flows are there at once: what is left of collection is the arithmetic's.
    let at_once = at_once.max(in_ms(nearer.minutes_collected(city)?));
    let by_arithmetic = reckoned.last().copied().unwrap_or(i64::from(rules));
    let from = [i64::from(rules)].into_iter().chain(reckoned.iter().copied());
    let to = [at_once].into_iter().chain(flows.iter().copied());
    let costs = from.zip(&reckoned).chain(to.zip(&flows)).map(|(before, after)| after - before);
    let never = |end: &&i64| **end >= i64::from(HORIZON_MS);
    if never(&&at_once) {
        return None;
    }
    // Without the last steps it is done, with them it is not.
    let endless = flows.iter().rev().take_while(never).count();
    let endless = (endless > 0).then(|| Step::ALL[Step::ALL.len() - endless]);
    Some(Steps {
        gap: i64::from(flow) - i64::from(rules),
        by: Step::ALL.into_iter().zip(costs).collect(),
        left: at_once - by_arithmetic,
        endless,
    })
}

fn in_ms(minutes: u64) -> i64 {
    i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(i64::from(MINUTE))
}

/// When the round is done by the arithmetic after each of its steps, ms; and the arithmetic with all of them.
fn arithmetic(city: &City, round: &Round) -> Option<(Nearer, Vec<i64>)> {
    let mut nearer = Nearer::with_loads(city, round.model.tubes_by_lab());
    let mut ends = Vec::with_capacity(Step::ALL.len());
    let mut reckon = |nearer: &Nearer| {
        ends.push(in_ms(nearer.minutes(city)?));
        Some(())
    };
    reckon(&nearer)?;
    for (lab, of) in city.labs.iter().enumerate() {
        for (k, stage) in of.stages.iter().enumerate() {
            // The mean of a triangle whose shortest and likeliest time is that of the file.
            nearer.pace[lab][k] = 3000.0 / (3000.0 + stage.spread_permille as f64);
            nearer.passing_s[lab][k] =
                u64::from(fluid::passing(&round.model.labs[lab].stages[k]) / 1000);
        }
    }
    reckon(&nearer)?;
    for (pace, lab) in nearer.pace.iter_mut().zip(&round.model.labs) {
        pace.iter_mut().zip(&lab.stages).for_each(|(pace, stage)| *pace *= stage.sound_share());
    }
    reckon(&nearer)?;
    nearer.streets = collection(city, round);
    reckon(&nearer)?;
    nearer.rests_in_work = true;
    reckon(&nearer)?;
    Some((nearer, ends))
}

/// By street of the round: number of its district, and seconds of collection with all of its desks.
fn collection(city: &City, round: &Round) -> Vec<(usize, f64)> {
    let number = |code: &str| city.districts.iter().position(|district| district.code == code);
    let streets = round.model.streets.iter().zip(&round.streets).filter(|(s, _)| s.persons > 0);
    let seconds = |s: &Street| {
        f64::from(s.persons) / (f64::from(s.desks.max(1)) * s.desk_rate) * f64::from(HOUR / 1000)
    };
    streets.filter_map(|(s, of)| Some((number(&of.district)?, seconds(s)))).collect()
}

/// When the round is done by the flows with all tubes there at once, ms, and after each of their steps, the last of which is `flow`.
fn flows(city: &City, whole: &Model, flow: Ms) -> (i64, Vec<i64>) {
    let mut model = whole.clone();
    let end = |model: &Model| i64::from(fluid::ends_of(model).1);
    // Taken out one after the other, last step first.
    let mut ends = vec![i64::from(flow)];
    model.streets.iter_mut().for_each(carried);
    ends.push(end(&model));
    model.recall.prevalence = 0.0;
    ends.push(end(&model));
    model.streets.iter_mut().for_each(|s| s.late_share = 0.0);
    ends.push(end(&model));
    model.streets.iter_mut().for_each(|s| (s.ramp_speed, s.desk_spread) = (1.0, 0.0));
    ends.push(end(&model));
    model.streets.iter_mut().for_each(open_all_day);
    for (lab, of) in model.labs.iter_mut().zip(&city.labs) {
        never_rest(lab, &of.stages, of.instrument_day(&city.norm));
    }
    ends.push(end(&model));
    model.streets = at_once(city, &model);
    ends.reverse();
    (end(&model), ends)
}

/// Desks that are open all day, and slower by as much.
fn open_all_day(street: &mut Street) {
    let share = f64::from(street.hours.clamp(1, DAY)) / f64::from(DAY);
    (street.hours, street.desk_rate) = (DAY, street.desk_rate * share);
}

/// Vehicles for which no tube waits, in a street that has too few.
fn carried(street: &mut Street) {
    if fluid::short_of_vehicles(street) {
        street.vehicles = VEHICLES;
    }
}

/// As many vehicles as nobody waits for.
const VEHICLES: u32 = 1_000_000;

/// Units that are at work all day, and slower by as much; a run of theirs takes no longer.
fn never_rest(lab: &mut Lab, stages: &[LabStage; 7], day: InstrumentDay) {
    for (stage, of) in lab.stages.iter_mut().zip(stages) {
        let works = match (of.clock, day) {
            (Clock::Instrument, InstrumentDay::Staggered { hours }) => {
                hours.clamp(1, 24) as f64 / 24.0
            }
            _ if stage.rests.is_empty() => continue,
            // A minute of a day at least: what never works is no stage of a round.
            _ => stage.working_share().max(1.0 / 1440.0),
        };
        let share = stage.sound_share() * works;
        stage.rests = Rests::default();
        // What a unit does not do for want of rest is put as time in which it is repaired.
        (stage.failures_per_day, stage.repair) = (1.0 / share - 1.0, DAY);
    }
}

/// A street for each lab with all of its tubes, which come to its door at once after the arithmetic's wait for the first box.
fn at_once(city: &City, model: &Model) -> Vec<Street> {
    let wait = |lab: usize| {
        let wait_s = city.labs.get(lab).map_or(0, |lab| rules::head_s(city, lab));
        wait_s.saturating_mul(1000).min(u64::from(HORIZON_MS)) as Ms
    };
    let street = |(lab, tubes): (usize, u64)| Street {
        persons: u32::try_from(tubes).unwrap_or(u32::MAX),
        pool: 1,
        desks: 1_000_000,
        desk_rate: 1e9,
        desk_spread: 0.0,
        open: 0,
        hours: DAY,
        ramp: 0,
        ramp_speed: 1.0,
        late_share: 0.0,
        late_mean: 0,
        box_tubes: 1,
        box_time: 1,
        vehicles: VEHICLES,
        vehicle_tubes: 1_000_000,
        trip_hold: 0,
        handling: 0,
        travel: wait(lab),
        travel_spread: 0.0,
        travel_max: wait(lab),
        round_trip_min: 0,
        lab,
        part_of: None,
    };
    model.tubes_by_lab().into_iter().enumerate().filter(|(_, n)| *n > 0).map(street).collect()
}

impl Steps {
    /// In a sentence, without its full stop: how far the flows are from the arithmetic, and the steps, which add up to it as they are
    /// told. Steps of less than a twentieth of an hour are in the rest. Where the rest is the largest part that is said.
    pub fn words(&self) -> Words {
        let told = self.known().iter().map(|(step, ms)| (step.name(), in_tenths(*ms)));
        let mut told: Vec<(Words, i64)> = told.filter(|(_, tenths)| *tenths != 0).collect();
        let gap = match self.endless {
            Some(_) => self.known().iter().map(|(_, ms)| ms).sum::<i64>() + self.left,
            None => self.gap,
        };
        let rest = in_tenths(gap) - told.iter().map(|(_, tenths)| tenths).sum::<i64>();
        let largest = told.iter().all(|(_, tenths)| tenths.abs() < rest.abs());
        told.push((rest_name(largest && rest.abs() >= REST_MANY), rest));
        let (mut zh, mut en): (Vec<String>, Vec<String>) = told
            .into_iter()
            .map(|(name, tenths)| {
                let by = signed_hours(tenths);
                (format!("{} {by} 小时", name.zh), format!("{} {by} h", name.en))
            })
            .unzip();
        if let Some(step) = self.endless.map(Step::name) {
            zh.push(format!("{}：{HORIZON_DAYS} 天内不能完成", step.zh));
            en.push(format!("{}: not done within {HORIZON_DAYS} days", step.en));
        }
        let (by, days) = (tenths_of(in_tenths(gap)), HORIZON_DAYS);
        let way = match (self.endless, in_tenths(gap)) {
            (Some(_), _) => Words::new(
                format!("流体 {days} 天内不能完成，晚多少不知"),
                format!(
                    "the flows are not done within {days} days, and how much later is not known"
                ),
            ),
            (None, 0) => Words::new("流体相同", "the flows are the same"),
            (None, 1..) => {
                Words::new(format!("流体晚 {by} 小时"), format!("the flows are {by} h later"))
            }
            (None, _) => {
                Words::new(format!("流体早 {by} 小时"), format!("the flows are {by} h earlier"))
            }
        };
        Words::new(
            format!("流体与测算：{}，逐项累加为：{}", way.zh, zh.join("，")),
            format!("flows and rules: {}, step by step: {}", way.en, en.join(", ")),
        )
    }
}

/// A rest of so many tenths of an hour is much.
const REST_MANY: i64 = 10;

/// What no step explains; of the largest part, that it is one and is not taken apart further.
fn rest_name(largest: bool) -> Words {
    match largest {
        false => Words::new(
            "其余（测算按整批、流体按时间段计）",
            "the rest (whole runs here, pieces of time there)",
        ),
        true => Words::new(
            "其余（占最大部分，未再细分：测算按整批、流体按时间段计，差一点就多等一批或一次休息）",
            "the rest (the largest part, and not taken apart further: whole runs here, pieces of time there, and what misses a run or \
             the end of a rest by a little waits for the next)",
        ),
    }
}
