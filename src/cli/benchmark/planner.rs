//! The planner: how fast it reckons a city of 25 million, and how near it comes to what is known. Needs no folder. Times are
//! medians of several blocks, with the least and the most of them beside.

use crate::planner::StageKind;
use crate::planner::forecast::of_model;
use crate::planner::forecast::trial::{self, Score, Trial};
use crate::planner::model::{HOUR, Lab, MINUTE, Model, Ms, Stage, Street, Takes};
use crate::planner::simulate::{Scratch, Simulation, Start, StreetStart};
use crate::planner::{assign, example, fluid, study};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::time::Instant;

/// Districts of the city that speed is measured on: 25 million people, each district with a lab.
const DISTRICTS: u32 = 100;
/// Replications of a study, and pairs of a comparison.
const REPLICATIONS: usize = 200;
/// Made-up cities, and replications of each.
const CITIES: u64 = 200;
const OF_EACH: usize = 20;
/// Draws of a forecast.
const PARTICLES: usize = 200;
/// Draws of a forecast of a city, of which there are many to make.
const CITY_PARTICLES: usize = 100;
/// Seed of everything.
const SEED: u64 = 7;

/// What is measured.
#[derive(Args)]
pub struct PlannerArgs {
    /// The figure to measure. 测量项目
    row: Row,
    /// Fewer blocks, and 100 rounds instead of 1,000; the line says which in `scaled`. 从简，输出的 `scaled` 注明
    #[arg(long)]
    quick: bool,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Row {
    /// One replication of the city of 25 million, one thread. 全市一次仿真
    CityReplicationMs,
    /// 200 replications of it on all cores. 全市二百次仿真
    #[value(name = "replications_200_seconds")]
    Replications,
    /// One more extractor in one lab, 200 pairs. 增加一台的效果
    WhatIfMs,
    /// Bound and shares of 1,500 streets and 120 labs. 分配
    AssignmentMs,
    /// How far one-to-one is above the bound, percent. 一一对应差距
    OneToOneGapPercent,
    /// The fluid layer against the simulation, 95th percentile, percent. 流体与仿真之差
    FluidVsSimulationPercent,
    /// The same of labs with shifts and sites that close early. 有班次与较早收班时之差
    FluidVsSimulationShiftsPercent,
    /// How far the 80 % interval is from holding 80 % of rounds as modelled. 区间覆盖率
    CoverageModelledPercent,
    /// The same with surprises that no model knows. 意外情形覆盖率
    CoverageUnmodelledPercent,
    /// The first of the two with cities of some twenty labs. 多实验室城市的覆盖率
    CoverageCitiesPercent,
    /// A forecast of the city of 25 million half-way, without its advice; seconds. 全市预测用时
    ForecastSeconds,
    /// Error of the median forecast at half-way, percent of the finish. 半程误差
    HalfWayErrorPercent,
    /// One lab plate by plate, the same that tests/oracle/simpy_lab.py runs; milliseconds. 与SimPy对照
    SimpyLab,
}

/// Measures; gives the line.
///
/// # Errors
/// When something that must be so is not.
pub fn run(args: &PlannerArgs) -> anyhow::Result<Value> {
    let mut scaled = None;
    let mut pick = |what: &str, full: usize, quick: usize| {
        scaled = args.quick.then(|| format!("{what}: {quick} instead of {full}"));
        if args.quick { quick } else { full }
    };
    let mut line = match args.row {
        Row::CityReplicationMs => city_replication(pick("blocks", 11, 3))?,
        Row::Replications => replications(pick("blocks", 3, 1))?,
        Row::WhatIfMs => what_if(pick("blocks", 15, 5))?,
        Row::AssignmentMs => assignment(pick("blocks", 25, 9))?,
        Row::OneToOneGapPercent => one_to_one(pick("blocks", 5, 1))?,
        Row::FluidVsSimulationPercent => fluid_vs_simulation(example::by_chance)?,
        Row::FluidVsSimulationShiftsPercent => fluid_vs_simulation(example::by_chance_in_shifts)?,
        Row::CoverageModelledPercent => {
            let rounds = pick("rounds", 1_000, 100) as u64;
            coverage(rounds, || trial::score(0..rounds, false, PARTICLES))
        }
        Row::CoverageUnmodelledPercent => {
            let rounds = pick("rounds", 1_000, 100) as u64;
            coverage(rounds, || trial::score(0..rounds, true, PARTICLES))
        }
        Row::CoverageCitiesPercent => {
            let cities = pick("cities", 100, 6) as u64;
            coverage(cities, || trial::score_cities(0..cities, CITY_PARTICLES))
        }
        Row::ForecastSeconds => forecast_seconds(pick("blocks", 5, 1))?,
        Row::HalfWayErrorPercent => half_way(pick("rounds", 1_000, 100) as u64),
        Row::SimpyLab => simpy_lab(pick("blocks", 11, 5))?,
    };
    let name = args.row.to_possible_value().map(|value| value.get_name().to_owned());
    line.insert("row".into(), json!(name));
    line.insert("scaled".into(), json!(scaled));
    Ok(Value::Object(line))
}

/// The details of a line.
fn fields(details: Value) -> Map<String, Value> {
    match details {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The middle, the least and the most.
fn spread(times: &[f64]) -> (f64, f64, f64) {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |i: usize| sorted.get(i).copied().unwrap_or(0.0);
    (at(sorted.len() / 2), at(0), at(sorted.len().saturating_sub(1)))
}

/// Milliseconds of `times` calls, of each of so many blocks. One call before them, unmeasured.
fn milliseconds(blocks: usize, times: usize, mut call: impl FnMut()) -> Vec<f64> {
    call();
    let block = |_| {
        let begun = Instant::now();
        (0..times).for_each(|_| call());
        begun.elapsed().as_secs_f64() * 1e3 / times as f64
    };
    (0..blocks).map(block).collect()
}

/// The line of a time.
fn timed(blocks: &[f64], details: Value) -> Map<String, Value> {
    let (middle, least, most) = spread(blocks);
    let mut line =
        fields(json!({ "value": middle, "min": least, "max": most, "blocks": blocks.len() }));
    line.extend(fields(details));
    line
}

fn checked(model: Model) -> anyhow::Result<Model> {
    let why = model.check();
    ensure!(why.is_ok(), "the made-up city cannot be reckoned: {why:?}");
    Ok(model)
}

fn city_replication(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let model = checked(example::city(DISTRICTS))?;
    let start = Start::whole(&model);
    let simulation = Simulation::new(&model, &start);
    let (mut scratch, mut number) = (Scratch::default(), 0);
    let times = milliseconds(blocks, 8, || {
        number += 1;
        black_box(simulation.run(SEED, number, &mut scratch));
    });
    let fluid = milliseconds(blocks, 8, || {
        black_box(fluid::city(black_box(&model)));
    });
    let flow = fluid::city(&model);
    let asked = one_more_of_streets(&model, &flow);
    let more = milliseconds(blocks, 8, || {
        black_box(fluid::one_more(black_box(&model), &flow));
        black_box(fluid::with_streets(&model, &flow, &asked));
    });
    let run = simulation.run(SEED, 1, &mut scratch);
    let mut streets = vec![Default::default(); model.streets.len()];
    let boxes = |lab| {
        simulation.lab(lab, SEED, 1, &mut scratch, &mut streets, &mut |_, _| {});
        simulation.boxes(&scratch).count()
    };
    let boxes: usize = (0..model.labs.len()).map(boxes).sum();
    let runs = run.labs.iter().flat_map(|lab| &lab.stages).map(|stage| stage.runs).sum::<u64>();
    let (fluid_ms, fluid_min, fluid_max) = spread(&fluid);
    let (more_ms, more_min, more_max) = spread(&more);
    Ok(timed(
        &times,
        json!({
            "fluid_ms": fluid_ms,
            "fluid_min_ms": fluid_min,
            "fluid_max_ms": fluid_max,
            "one_more_ms": more_ms,
            "one_more_min_ms": more_min,
            "one_more_max_ms": more_max,
            "people": model.streets.iter().map(|street| u64::from(street.persons)).sum::<u64>(),
            "desks": model.streets.iter().map(|street| u64::from(street.desks)).sum::<u64>(),
            "labs": model.labs.len(),
            "tubes": model.tubes(),
            "boxes": boxes,
            "lab_runs": runs,
            "finish_hours": hours(run.finish),
            "fluid_finish_hours": hours(flow.finish),
        }),
    ))
}

/// One more desk, a faster one and one more vehicle at the street that each lab waits for longest, as plans tell what they save.
fn one_more_of_streets(model: &Model, flow: &fluid::CityFlow) -> Vec<Vec<(usize, Street)>> {
    let of = |at: usize| {
        let street = model.streets[at];
        let desks = Street { desks: street.desks + 1, ..street };
        let faster = Street { desk_rate: street.desk_rate * 1.01, ..street };
        let vehicles = Street { vehicles: street.vehicles + 1, ..street };
        [desks, faster, vehicles].map(|with| vec![(at, with)])
    };
    fluid::last_streets(model, flow).into_iter().flatten().flat_map(of).collect()
}

fn hours(time: Ms) -> f64 {
    f64::from(time) / f64::from(HOUR)
}

fn replications(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let model = checked(example::city(DISTRICTS))?;
    let doubt = trial::doubt();
    let seconds = |doubt| {
        let block = |_| {
            let begun = Instant::now();
            black_box(study::study(&model, doubt, SEED, REPLICATIONS, &|_| true));
            begun.elapsed().as_secs_f64()
        };
        (0..blocks).map(block).collect::<Vec<f64>>()
    };
    let (sure, doubted) = (seconds(None), seconds(Some(&doubt)));
    let (doubted_seconds, doubted_min, doubted_max) = spread(&doubted);
    Ok(timed(
        &sure,
        json!({
            "replications": REPLICATIONS,
            "threads": rayon::current_num_threads(),
            "with_doubt_seconds": doubted_seconds,
            "with_doubt_min": doubted_min,
            "with_doubt_max": doubted_max,
        }),
    ))
}

fn what_if(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let model = checked(example::city(DISTRICTS))?;
    let mut more = model.labs[0].clone();
    let extract = &mut more.stages[StageKind::Extract.index()];
    extract.units += 1;
    let mut found = study::Paired::default();
    let times = milliseconds(blocks, 1, || {
        found = study::what_if(&model, 0, &more, SEED, REPLICATIONS, &|| true);
    });
    Ok(timed(
        &times,
        json!({
            "pairs": found.pairs,
            "threads": rayon::current_num_threads(),
            "saved_minutes": found.saved / f64::from(MINUTE),
            "half_width_minutes": found.half_width.map(|half| half / f64::from(MINUTE)),
        }),
    ))
}

/// The city that assignments are measured on.
fn streets_and_labs() -> assign::Problem {
    assign::example(1_500, 120, SEED)
}

fn assignment(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let problem = streets_and_labs();
    let options = assign::Options::default();
    let bound = assign::bound(&problem)?;
    assign::shares(&problem, &options)?;
    // The bound with its minimum cut; beside it the shares with the least tube-kilometres within it, and the same with every lab
    // as early as it can be, one bottleneck behind another.
    let times = milliseconds(blocks, 1, || {
        black_box(assign::bound(black_box(&problem)).is_ok());
    });
    let of_shares = milliseconds(blocks, 1, || {
        black_box(assign::shares(black_box(&problem), &options).is_ok());
    });
    let levelled = assign::Options { floor_h: 0.0, ..options };
    let of_levels = milliseconds(blocks, 1, || {
        black_box(assign::shares(black_box(&problem), &levelled).is_ok());
    });
    Ok(timed(
        &times,
        json!({
            "least_km_ms": spread(&of_shares).0,
            "levelled_ms": spread(&of_levels).0,
            "bound_hours": bound.hours,
            "streets": problem.streets.len(),
            "labs": problem.labs.len(),
        }),
    ))
}

fn one_to_one(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let problem = streets_and_labs();
    let solve =
        |floor_h| assign::solve(&problem, &assign::Options { floor_h, ..Default::default() }, None);
    let found = solve(f64::INFINITY)?;
    let times = milliseconds(blocks, 1, || {
        black_box(solve(f64::INFINITY).is_ok());
    });
    // With every lab as early as it can be, one bottleneck behind another.
    let levelled = solve(0.0)?;
    let of_levels = milliseconds(blocks, 1, || {
        black_box(solve(0.0).is_ok());
    });
    let (middle, least, most) = spread(&times);
    Ok(fields(json!({
        "value": 100.0 * found.whole.gap,
        "seconds": middle / 1e3,
        "seconds_min": least / 1e3,
        "seconds_max": most / 1e3,
        "levelled_seconds": spread(&of_levels).0 / 1e3,
        "levelled_gap_percent": 100.0 * levelled.whole.gap,
        "levels": 1 + levelled.then.len(),
        "finish_hours": found.whole.finish_h,
        "bound_hours": found.whole.bound_h,
        "streets": problem.streets.len(),
        "labs": problem.labs.len(),
    })))
}

fn fluid_vs_simulation(city: fn(u64) -> Model) -> anyhow::Result<Map<String, Value>> {
    let mut errors = Vec::new();
    for seed in 0..CITIES {
        let model = city(seed);
        if model.check().is_err() {
            continue;
        }
        let finishes = study::study(&model, None, seed, OF_EACH, &|_| true).finishes;
        let mean = finishes.iter().map(|at| f64::from(*at)).sum::<f64>() / OF_EACH as f64;
        errors.push(100.0 * (f64::from(fluid::city(&model).finish) / mean - 1.0));
    }
    let n = errors.len();
    ensure!(n > 0, "no made-up city can be reckoned");
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let within = |percent: f64| sizes.iter().filter(|size| **size <= percent).count() as f64;
    let nth = (n as f64 * 0.95).ceil() as usize;
    Ok(fields(json!({
        "value": sizes.get(nth.saturating_sub(1)),
        "mean": sizes.iter().sum::<f64>() / n as f64,
        "max": sizes.last(),
        "bias": errors.iter().sum::<f64>() / n as f64,
        "within_3_percent_share": within(3.0) / n as f64,
        "within_5_percent_share": within(5.0) / n as f64,
        "cities": n,
        "replications": OF_EACH,
    })))
}

/// How often the intervals of forecasts of so many rounds held the end.
fn coverage(rounds: u64, score: impl FnOnce() -> Score) -> Map<String, Value> {
    let begun = Instant::now();
    let found = score();
    let seconds = begun.elapsed().as_secs_f64();
    fields(json!({
        "value": (found.coverage - 80.0).abs(),
        "coverage": found.coverage,
        "early": found.early,
        "coverage_50": found.coverage_50,
        "coverage_95": found.coverage_95,
        "pit_percent": found.pit,
        "crps_minutes": found.crps,
        "crps_of_the_plan_minutes": found.crps_climatology,
        "half_way_error": found.half_way_error,
        "forecasts": found.forecasts,
        "rounds": rounds,
        "seconds": seconds,
    }))
}

/// The city of 25 million half-way through a round that is known, with a reading each quarter of an hour.
fn forecast_seconds(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let trial = Trial::of(checked(example::city(DISTRICTS))?, trial::doubt(), SEED);
    let situation = trial.situation(trial.finish / 2);
    let told = || of_model(&trial.model, &trial.doubt, &situation, SEED, PARTICLES);
    let found = told()?;
    let seconds: Vec<f64> = milliseconds(blocks, 1, || {
        black_box(told().is_ok());
    })
    .iter()
    .map(|ms| ms / 1e3)
    .collect();
    Ok(timed(
        &seconds,
        json!({
            "particles": PARTICLES,
            "readings": situation.readings.len(),
            "streets": trial.model.streets.len(),
            "labs": trial.model.labs.len(),
            "threads": rayon::current_num_threads(),
            "finish_hours": hours(trial.finish),
            "p10_hours": hours(found.finish.p10),
            "p50_hours": hours(found.finish.p50),
            "p90_hours": hours(found.finish.p90),
        }),
    ))
}

fn half_way(rounds: u64) -> Map<String, Value> {
    let begun = Instant::now();
    let [modelled, unmodelled] =
        [false, true].map(|surprising| trial::score(0..rounds, surprising, PARTICLES));
    fields(json!({
        "value": modelled.half_way_error,
        "unmodelled": unmodelled.half_way_error,
        "rounds": rounds,
        "particles": PARTICLES,
        "seconds": begun.elapsed().as_secs_f64(),
    }))
}

/// The lab of `tests/oracle/simpy_lab.py`.
const TUBES: u32 = 30_000;
const PLATE: u32 = 94;
const ARRIVAL: Ms = 16 * HOUR;
/// Units and minutes of its stages, none with any spread, rest or failure.
const STAGES: [(StageKind, u32, f64); StageKind::COUNT] = [
    (StageKind::Receive, 6, 9.4),
    (StageKind::Inactivate, 12, 35.0),
    (StageKind::Decap, 20, 45.0),
    (StageKind::Extract, 9, 33.7),
    (StageKind::Setup, 5, 11.0),
    (StageKind::Pcr, 30, 96.7),
    (StageKind::Review, 5, 5.0),
];

/// That lab, and a start at which nobody is to come any more and every plate is on the road.
fn plates() -> (Model, Start) {
    let stage = |(_, units, minutes): (StageKind, u32, f64)| Stage {
        units,
        batch: PLATE,
        run: (minutes * f64::from(MINUTE)) as Ms,
        run_spread: 0.0,
        takes: Takes::Fill,
        hold: 0,
        rests: Default::default(),
        failures_per_day: 0.0,
        repair: 0,
    };
    let street = Street { pool: 1, ..example::street(TUBES, 1, 0) };
    let mut model = Model {
        labs: vec![Lab { stages: STAGES.map(stage) }],
        streets: vec![street],
        ..example::city(1)
    };
    model.recall.prevalence = 0.0;
    let count = TUBES.div_ceil(PLATE);
    let plate = |k: u32| {
        let at = f64::from(k + 1) / f64::from(count) * f64::from(ARRIVAL);
        (at as Ms, PLATE.min(TUBES - k * PLATE))
    };
    let on_road = (0..count).map(plate).collect();
    let road = StreetStart { main: 0.0, late: 0.0, on_road, ..StreetStart::whole(&street) };
    let start = Start { streets: vec![road], ..Start::whole(&model) };
    (model, start)
}

fn simpy_lab(blocks: usize) -> anyhow::Result<Map<String, Value>> {
    let (model, start) = plates();
    let simulation = Simulation::new(&model, &start);
    let (mut scratch, mut number) = (Scratch::default(), 0);
    let run = simulation.run(SEED, 0, &mut scratch);
    let tubes = run.labs.first().and_then(|lab| lab.results.last()).map(|(_, tubes)| *tubes);
    let tubes = tubes.context("the lab gave no result")?;
    ensure!(tubes == u64::from(TUBES), "{tubes} tubes have results, not {TUBES}");
    let times = milliseconds(blocks, 1_000, || {
        number += 1;
        black_box(simulation.run(SEED, number, &mut scratch));
    });
    let stage = |(kind, units, minutes): (StageKind, u32, f64)| {
        let name = format!("{kind:?}");
        json!({ "name": name, "units": units, "minutes": minutes })
    };
    let plates = TUBES.div_ceil(PLATE);
    Ok(timed(
        &times,
        json!({
            "makespan_hours": hours(run.finish),
            "plates": plates,
            "runs": run.labs.iter().flat_map(|lab| &lab.stages).map(|s| s.runs).sum::<u64>(),
            // The question of the SimPy script: the same lab.
            "lab": {
                "tubes": TUBES, "plate": PLATE, "arrival_hours": hours(ARRIVAL),
                "stages": STAGES.map(stage),
            },
        }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_of_simpy_is_done_when_its_extractors_are() {
        let (model, start) = plates();
        let run = Simulation::new(&model, &start).run(1, 0, &mut Scratch::default());
        // As the SimPy script says (`recursion`): free servers, first come first served.
        let mut ready: Vec<f64> = start.streets[0].on_road.iter().map(|p| f64::from(p.0)).collect();
        for (_, units, minutes) in STAGES {
            let mut free = vec![0.0f64; units as usize];
            for at in &mut ready {
                free.sort_by(|a, b| b.total_cmp(a));
                let end = at.max(free.pop().unwrap()) + minutes * f64::from(MINUTE);
                free.push(end);
                *at = end;
            }
        }
        let last = ready.into_iter().fold(0.0, f64::max);
        assert!((f64::from(run.finish) - last).abs() < 10.0, "{} {last}", run.finish);
        assert_eq!(run.labs[0].stages[0].tubes_in, u64::from(TUBES));
    }

    #[test]
    fn a_line_names_its_row_and_tells_the_middle_between_the_least_and_the_most() {
        let line = run(&PlannerArgs { row: Row::SimpyLab, quick: true }).unwrap();
        assert_eq!(line["row"], "simpy_lab");
        assert_eq!(line["scaled"], "blocks: 5 instead of 11");
        assert!(line["min"].as_f64() <= line["value"].as_f64());
        assert!(line["value"].as_f64() <= line["max"].as_f64());
        assert_eq!(line["lab"]["stages"].as_array().unwrap().len(), StageKind::COUNT);
    }
}
