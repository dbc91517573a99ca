//! From a city to a round: which street sends to which lab, and the model that the other layers reckon with.
//!
//! What a city file says and what a model needs differ in a few places, and the choices are made here:
//! - A desk works while it has a sampler, and no faster than its samplers can for a whole day.
//! - A street that is shared between labs is as many streets of the model, each with its part of people, desks and
//!   vehicles.
//! - An instrument counts its hours a day by resting the others; beyond that it is taken at its word. Staffed stages are
//!   taken at the derate of their lab (`Lab::derate_permille`), for the derate was measured on whole labs and the rest of
//!   instruments is part of it.
//! - A rest of an instrument is half a run longer than the rule says, because a run that is going on goes on.

use super::assign;
use super::city::{
    City, Clock, InstrumentDay, Lab as CityLab, LabStage, StageKind, Words, time_of_day,
};
use super::lacking::{Asked, Lack, lacking, lines};
use super::model::{
    DAY, HORIZON_MS, HOUR, Lab, MINUTE, Model, Ms, Recall, Stage, Street, Takes, Unworkable,
    staggered,
};
use super::reach::{self, CutOff};

/// A round of a city: the model, and whose numbers are whose.
#[derive(Clone, Debug)]
pub struct Round {
    /// The model.
    pub model: Model,
    /// By street of the model.
    pub streets: Vec<StreetOf>,
    /// By street of the model: its number in `problem`.
    pub source: Vec<usize>,
    /// By lab of the model: its code and name.
    pub labs: Vec<(String, Words)>,
    /// The assignment that the model follows.
    pub assignment: assign::Assignment,
    /// The assignment's problem, by which its indices are read.
    pub problem: assign::Problem,
    /// How uncertain the numbers are.
    pub doubt: Doubt,
}

/// Where a street of the model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreetOf {
    /// Code of its district.
    pub district: String,
    /// Code of the street; the district's own when it has no streets.
    pub code: String,
    /// Name.
    pub name: Words,
}

/// What is not known for sure, as standard deviations of logarithms unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// Speed of a street's desks.
    pub desk_rate: f64,
    /// Speed of the whole city's desks.
    pub desk_rate_city: f64,
    /// Pace of most labs; the others are slower (`derate`).
    pub lab_pace: f64,
    /// The mean derate of labs, a share of their nameplate: none is faster than that.
    pub lab_derate: f64,
    /// People of a street who come, over those whom the plan thinks of.
    pub turnout: f64,
    /// The same of the whole city.
    pub turnout_city: f64,
    /// Share of people who come late.
    pub late_share: f64,
    /// Mean time by which they come late.
    pub late_mean: f64,
    /// Time on the road.
    pub travel: f64,
    /// Prior of the share of infected people: Beta(a, b).
    pub prevalence: (f64, f64),
}

/// Why a city gives no round.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Something is not there at all; not both are empty.
    #[error("{}", self.words().en)]
    Lacking {
        /// What streets and labs have none of.
        lacks: Vec<Lack>,
        /// Streets that reach no lab that works, but for those of which what their labs lack says it all.
        cut_off: Vec<CutOff>,
    },
    /// The assignment is not possible.
    #[error(transparent)]
    Assign(#[from] assign::Error),
    /// The model cannot be reckoned.
    #[error("{}", .0.en)]
    Unworkable(Words),
}

impl Error {
    /// The same in both languages; of what is lacking, a line for each, and one for the streets that are cut off.
    pub fn words(&self) -> Words {
        match self {
            Error::Lacking { lacks, cut_off } => {
                lines(lacks.iter().map(Lack::words).chain(reach::words(cut_off)))
            }
            Error::Assign(error) => error.words(),
            Error::Unworkable(words) => words.clone(),
        }
    }
}

/// A part of a street below this share of its tubes is not sent to a lab of its own.
const SHARE_MIN: f64 = 0.005;

fn ms(seconds: u64) -> Ms {
    seconds.saturating_mul(1000).min(HORIZON_MS.into()) as Ms
}

fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX / 4)
}

fn permille(n: u64) -> f64 {
    n as f64 / 1000.0
}

impl Round {
    /// The round of a city, with the assignment that finishes first.
    ///
    /// # Errors
    /// When something is not there at all, when a street reaches no lab, when something would never end, when a number is
    /// out of bounds.
    pub fn of(city: &City) -> Result<Round, Error> {
        let labs: Vec<Lab> = city.labs.iter().map(|lab| lab_of(city, lab)).collect();
        let mut model = Model {
            midnight_offset: ms(city.start_s) % DAY,
            // What is not done by the horizon is in time for no target.
            target: ms(u64::from(city.target_h) * 3600).min(HORIZON_MS - 1),
            streets: Vec::new(),
            labs,
            recall: recall_of(city),
        };
        let sources = sources(city);
        let lacks = lacking(
            city,
            &model,
            sources.iter().filter(|s| s.model.persons > 0).map(Source::asked),
        );
        let mut cut_off = reach::cut_off(city);
        cut_off.retain(|one| lacks.is_empty() || !one.is_up_to_its_labs());
        if !lacks.is_empty() || !cut_off.is_empty() {
            return Err(Error::Lacking { lacks, cut_off });
        }
        let problem = problem(city, &model.labs, &sources);
        let options = assign::Options {
            target_h: Some(f64::from(city.target_h)),
            ..assign::Options::default()
        };
        let assignment = assign::solve(&problem, &options, None)?;
        let (mut streets, mut numbers) = (Vec::new(), Vec::new());
        for (i, source) in sources.iter().enumerate() {
            let whole = assignment.whole.lab_of.get(i).copied().flatten();
            let all = source.model.tubes().max(1) as f64;
            let mut parts: Vec<(usize, f64)> = match (city.one_to_one, whole) {
                (true, Some(lab)) => vec![(lab, 1.0)],
                _ => assignment
                    .shares
                    .sent
                    .iter()
                    .filter(|share| share.street == i && share.tubes as f64 / all >= SHARE_MIN)
                    .map(|share| (share.lab, share.tubes as f64 / all))
                    .collect(),
            };
            if parts.is_empty() {
                // Nobody lives there, or all its parts are crumbs: the lab of the whole street.
                parts
                    .extend(whole.or(source.ways.first().map(|way| way.lab)).map(|lab| (lab, 1.0)));
            }
            let sum: f64 = parts.iter().map(|part| part.1).sum();
            let (mut upto, mut given) = (0.0, [0u32; 3]);
            for (k, &(lab, share)) in parts.iter().enumerate() {
                upto += share / sum.max(1e-9);
                let last = k + 1 == parts.len();
                let mut part = source.model;
                // By running sums, so that the parts add up to the street.
                let whole = [part.persons, part.desks, part.vehicles];
                let mut own = [0; 3];
                for ((own, given), whole) in own.iter_mut().zip(&mut given).zip(whole) {
                    let to = if last { whole } else { (f64::from(whole) * upto) as u32 };
                    (*own, *given) = (to - *given, to);
                }
                part.persons = own[0];
                part.desks = own[1].max(1).min(whole[1]);
                part.vehicles = own[2].max(1);
                part.lab = lab;
                let way = source.ways.iter().find(|way| way.lab == lab);
                part.travel = way.map_or(part.travel, |way| {
                    ((way.minutes * f64::from(MINUTE)) as Ms).clamp(MINUTE, part.travel_max)
                });
                model.streets.push(part);
                streets.push(source.of.clone());
                numbers.push(i);
            }
        }
        let round = Round {
            model,
            streets,
            source: numbers,
            labs: city.labs.iter().map(|lab| (lab.code.clone(), lab.name.clone())).collect(),
            assignment,
            problem,
            doubt: doubt(city),
        };
        round.model.check().map_err(|why| Error::Unworkable(round.say(&why)))?;
        Ok(round)
    }

    /// Why a model cannot be reckoned, with the names of this round.
    pub fn say(&self, why: &Unworkable) -> Words {
        let street = |i: &usize| self.streets.get(*i).map_or(Words::default(), |s| s.name.clone());
        let lab = |i: &usize| self.labs.get(*i).map_or(Words::default(), |l| l.1.clone());
        match why {
            Unworkable::NoDesk { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}有居民而没有开放的采样台：请增设采样台和采样人员", name.zh),
                    format!(
                        "{} has people and no desk with a sampler: add desks and samplers",
                        name.en
                    ),
                )
            }
            Unworkable::NoVehicle { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}没有转运车辆：请配备车辆", name.zh),
                    format!("{} has no vehicle for its boxes: give it one", name.en),
                )
            }
            Unworkable::NoLab { street: i } => {
                let name = street(i);
                Words::new(
                    format!("{}没有承检实验室", name.zh),
                    format!("{} reaches no lab", name.en),
                )
            }
            Unworkable::NoUnit { lab: i, stage } => {
                let (name, stage) = (lab(i), stage.name());
                Words::new(
                    format!("{}的{}环节没有可用设备或人员，样本无法完成", name.zh, stage.zh),
                    format!(
                        "{} has no unit with staff for {}: its tubes would never end",
                        name.en, stage.en
                    ),
                )
            }
            Unworkable::BeyondHorizon { days } => Words::new(
                format!("按现有能力需要 {days} 天以上，超出任何可行的安排：请先按缺口清单补足"),
                format!(
                    "with what is there it takes more than {days} days, beyond any plan: fill the shortages first"
                ),
            ),
            Unworkable::BadNumber { field, at } => {
                let (whose, zh, en) = match *field {
                    "desk_rate" => (street(at), "采样台速度", "the speed of its desks"),
                    "ramp_speed" => (street(at), "起步速度", "the speed of its desks at first"),
                    "spread" => (street(at), "离散程度", "a spread"),
                    "late_share" => (street(at), "晚到者占比", "the share of people who come late"),
                    "box" => (street(at), "标本箱或每管人数", "a box or the persons per tube"),
                    "run_spread" => {
                        (lab(at), "运行时间离散或故障率", "a spread of runs or breakdowns")
                    }
                    _ => (Words::new("全市", "the city"), "追阳复采参数", "a number of recalls"),
                };
                Words::new(
                    format!("{}的{zh}超出范围：请核对城市文件", whose.zh),
                    format!("{}: {en} is out of bounds: check the city file", whose.en),
                )
            }
        }
    }
}

/// A street before it is known where it sends.
struct Source {
    of: StreetOf,
    model: Street,
    ways: Vec<assign::Way>,
    /// Number of its district.
    district: usize,
    /// Its desks and samplers.
    have: [u64; 2],
}

impl Source {
    fn asked(&self) -> Asked<'_> {
        Asked {
            district: self.district,
            code: &self.of.code,
            name: &self.of.name,
            have: self.have,
            labs: self.ways.iter().map(|way| way.lab).collect(),
        }
    }
}

fn sources(city: &City) -> Vec<Source> {
    let norm = &city.norm;
    let mut all = Vec::new();
    for (at, district) in city.districts.iter().enumerate() {
        let fleet = city.fleet_of(district);
        let streets = city.streets_of(district);
        let people = district.population.value.max(1);
        let serving = reach::serving(city, district);
        for street in &streets {
            let have = street.have.as_ref().unwrap_or(&district.have);
            let desks = have.desks.min(have.samplers);
            let hours = norm.sampling_hours.value.clamp(1, 24);
            let desk = norm.desk_rate_tenths.value as f64 / 10.0;
            // What the samplers can do in a day, spread over the hours of the day.
            let samplers = have.samplers as f64 * norm.persons_per_sampler_day.value as f64
                / (desks.max(1) as f64 * hours as f64);
            let persons =
                street.population.value.saturating_mul(norm.field.coverage_permille.value) / 1000;
            let share = street.population.value as f64 / people as f64;
            let model = Street {
                persons: count(persons),
                pool: count(city.street_pool(district, street)),
                desks: count(desks),
                // Of a street without samplers nothing is reckoned (`lacking`), unless nobody lives there.
                desk_rate: if samplers > 0.0 { desk.min(samplers) } else { desk },
                desk_spread: permille(norm.field.desk_spread_permille.value),
                open: 0,
                hours: count(hours) * HOUR,
                ramp: ms(norm.field.ramp_s.value),
                ramp_speed: norm.field.ramp_percent.value as f64 / 100.0,
                late_share: permille(norm.field.straggler_permille.value),
                late_mean: ms(norm.field.straggler_tail_s.value),
                box_tubes: count(norm.field.box_tubes.value.max(1)),
                box_time: ms(norm.box_s.value).max(MINUTE),
                vehicles: count((fleet.vehicles as f64 * share).round().max(1.0) as u64),
                vehicle_tubes: count(fleet.capacity_tubes.max(1)),
                trip_hold: ms(norm.transport.hold_s.value),
                handling: ms(norm.transport.handling_s.value),
                travel: ms(norm.transport.travel_s.value),
                travel_spread: permille(norm.transport.travel_spread_permille.value),
                travel_max: ms(norm.transport_s.value).max(MINUTE),
                lab: 0,
            };
            let of = StreetOf {
                district: district.code.clone(),
                code: street.code.clone(),
                name: street.name.clone(),
            };
            let ways = reach::labs(city, &serving, street)
                .map(|lab| {
                    let seconds = reach::way_s(city, street.place.as_ref(), &city.labs[lab]);
                    let km = match (&street.place, &city.labs[lab].place) {
                        (Some(a), Some(b)) => a.metres_to(b) as f64 / 1000.0,
                        _ => 0.0,
                    };
                    assign::Way { lab, minutes: seconds as f64 / 60.0, km }
                })
                .collect();
            let have = [have.desks, have.samplers];
            all.push(Source { of, model, ways, district: at, have });
        }
    }
    all
}

impl Round {
    /// A time of the round as the clock says it: 14:05, or +1 02:30 on the next day.
    pub fn clock(&self, at: Ms) -> String {
        let minutes = (u64::from(at) + u64::from(self.model.midnight_offset)) / u64::from(MINUTE);
        let time = time_of_day(minutes);
        match minutes / 1440 {
            0 => time,
            day => format!("+{day} {time}"),
        }
    }
}

/// Tubes an hour of a lab: those of its slowest stage, calendars and repairs taken off.
pub fn lab_rate(lab: &Lab) -> (f64, StageKind) {
    let rate = |kind: &StageKind| {
        let stage = &lab.stages[kind.index()];
        stage.tubes_per_hour() * stage.working_share() * stage.sound_share()
    };
    let slowest = StageKind::ALL.into_iter().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let slowest = slowest.unwrap_or(StageKind::Pcr);
    (rate(&slowest), slowest)
}

fn problem(city: &City, labs: &[Lab], sources: &[Source]) -> assign::Problem {
    let norm = &city.norm;
    let door_h = (norm.box_s.value / 2
        + norm.transport.travel_s.value
        + norm.transport.handling_s.value) as f64
        / 3600.0;
    let labs = city.labs.iter().zip(labs).map(|(named, lab)| {
        let (rate, slowest) = lab_rate(lab);
        let stage = &lab.stages[slowest.index()];
        let way: Ms =
            lab.stages.iter().map(|s| if s.takes == Takes::Box { s.run / 9 } else { s.run }).sum();
        let mut more = lab.clone();
        more.stages[slowest.index()].add_unit();
        let unit = super::rules::Item::LabUnit(slowest).name();
        assign::Lab {
            code: named.code.clone(),
            rate,
            // The run of the slowest stage is counted by its rate.
            head_start_h: door_h + f64::from(way.saturating_sub(stage.run)) / f64::from(HOUR),
            outside: named.outside,
            more: Some(assign::More {
                rate: lab_rate(&more).0 - rate,
                what: Words::new(format!("1台{}", unit.zh), format!("one more {}", unit.en)),
            }),
        }
    });
    let streets = sources.iter().map(|source| assign::Street {
        code: city.districts.get(source.district).map_or_else(String::new, |d| {
            if d.code == source.of.code {
                d.code.clone()
            } else {
                format!("{}/{}", d.code, source.of.code)
            }
        }),
        tubes: source.model.tubes(),
        ways: source.ways.clone(),
    });
    assign::Problem { streets: streets.collect(), labs: labs.collect() }
}

fn lab_of(city: &City, lab: &CityLab) -> Lab {
    let mut batch_before = 0;
    let derate = permille(lab.derate_permille(&city.norm)).clamp(0.05, 2.0);
    let stages = lab.stages.map(|stage| {
        let made = stage_of(city, lab, &stage, derate, batch_before);
        batch_before = made.batch;
        made
    });
    Lab { stages }
}

fn stage_of(city: &City, lab: &CityLab, stage: &LabStage, derate: f64, batch_before: u32) -> Stage {
    let units = count(super::rules::units_working(lab, stage, &city.norm)).min(100_000);
    let staffed = stage.clock == Clock::Staffed;
    // The file's time is the shortest and likeliest, and its spread says how much longer the longest is: the mean of that
    // triangle, and its standard deviation over the mean.
    let longest = permille(stage.spread_permille);
    let mean = 1.0 + longest / 3.0;
    let run_spread = longest / 18f64.sqrt() / mean;
    let run = f64::from(ms(stage.cycle_s())) * mean / if staffed { derate } else { 1.0 };
    let run = run.clamp(1000.0, f64::from(7 * DAY)) as Ms;
    let batch = count(stage.usable.max(1));
    let takes = match stage.kind {
        StageKind::Receive => Takes::Box,
        _ => Takes::Fill,
    };
    // Plates are filled once, and again where larger ones are; other stages have nothing to wait for.
    let waits =
        takes == Takes::Fill && (batch > batch_before || stage.kind == StageKind::Inactivate);
    Stage {
        units,
        batch,
        run,
        run_spread,
        takes,
        hold: if waits { ms(stage.hold_s) } else { 0 },
        rests: if staffed {
            staff_rests(lab, units)
        } else {
            instrument_rests(city, lab, units, run)
        },
        failures_per_day: permille(stage.breakdowns_permille_day),
        repair: ms(stage.repair_s),
    }
}

fn instrument_rests(city: &City, lab: &CityLab, units: u32, run: Ms) -> Vec<Vec<(Ms, Ms)>> {
    match lab.instrument_day(&city.norm) {
        InstrumentDay::Staggered { hours } if hours >= 24 => Vec::new(),
        InstrumentDay::Staggered { hours } => {
            let rest = DAY - count(hours) * HOUR;
            staggered(units, rest, run)
        }
        InstrumentDay::Window { to_s, .. } => {
            let rest =
                u64::from(DAY / 1000).saturating_sub(lab.instrument_day(&city.norm).length_s());
            vec![vec![(ms(to_s) % DAY, ms(rest))]; units as usize]
        }
    }
}

/// When each unit is without staff: with so many percent of the units staffed, the first ones are.
fn staff_rests(lab: &CityLab, units: u32) -> Vec<Vec<(Ms, Ms)>> {
    if lab.shifts.is_empty() {
        return Vec::new();
    }
    let mut edges: Vec<u64> =
        lab.shifts.iter().flat_map(|s| [s.from_s % 86_400, s.to_s % 86_400]).collect();
    edges.sort_unstable();
    edges.dedup();
    let rests = |unit: u32| {
        let mut windows = Vec::new();
        for (i, &from) in edges.iter().enumerate() {
            let to = edges.get(i + 1).copied().unwrap_or(edges[0] + 86_400);
            let staffed = (u64::from(units) * lab.staffed_percent(from)).div_ceil(100);
            if u64::from(unit) >= staffed {
                windows.push((ms(from), ms(to - from)));
            }
        }
        windows
    };
    (0..units).map(rests).collect()
}

fn recall_of(city: &City) -> Recall {
    let (recall, prior) = (&city.norm.recall, &city.norm.prevalence);
    let (a, b) = (prior.alpha_milli.value as f64, prior.beta_milli.value as f64);
    Recall {
        prevalence: if a + b > 0.0 { a / (a + b) } else { 0.0 },
        correlation: permille(prior.rho_permille.value).min(0.99),
        cluster: (prior.cluster_tubes_tenths.value as f64 / 10.0).max(1.0),
        delay: ms(recall.delay_s.value),
        delay_spread: permille(recall.delay_spread_permille.value),
        travel: ms(recall.travel_s.value),
        hold: ms(recall.hold_s.value),
    }
}

fn doubt(city: &City) -> Doubt {
    let (field, prior) = (&city.norm.field, &city.norm.prevalence);
    Doubt {
        desk_rate: permille(field.site_spread_permille.value),
        desk_rate_city: permille(field.site_spread_permille.value) / 2.0,
        lab_pace: permille(city.norm.derate.spread_permille.value) * 1000.0
            / city.norm.derate.mean_permille.value.max(1) as f64,
        lab_derate: permille(city.norm.derate.mean_permille.value),
        // Assumed: who has left, is away or has moved in is known to so much, and nobody publishes it by street.
        turnout: 0.04,
        turnout_city: 0.02,
        late_share: 0.4,
        late_mean: 0.3,
        travel: 0.15,
        prevalence: (
            prior.alpha_milli.value as f64 / 1000.0,
            prior.beta_milli.value as f64 / 1000.0,
        ),
    }
}
