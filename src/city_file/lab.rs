//! Labs of CITY.toml, stage by stage.

use std::ops::Range;

use super::city::{COUNT_MAX, Sources, words};
use super::constants::contradiction;
use super::sheet::Block;
use crate::planner::{InstrumentDay, Lab, LabStage, Norm, Shift, StageKind};

/// A lab as far as it could be read: its code and districts are checked even when a number is wrong.
pub(super) struct LabRead {
    pub(super) code: String,
    pub(super) serves: Vec<(String, Range<usize>)>,
    pub(super) outside: bool,
    pub(super) lab: Option<Lab>,
}

pub(super) fn lab(block: Block<'_>, norm: &Norm, sources: &Sources) -> LabRead {
    let code = block.text("code");
    let name = words(&block);
    let serves = block.texts("serves");
    let origin = block.origin(sources);
    let place = block.place();
    let outside = match block.has("outside") {
        true => block.flag("outside"),
        false => Some(false),
    };
    let shifts = shifts(&block);
    let day = block.block_maybe("instrument_day").map(instrument_day);
    let derate = block.has("derate_percent");
    let derate = derate.then(|| block.sourced("derate_percent", 10, 1..=100, sources));
    let stages =
        StageKind::ALL.map(|kind| block.block(kind.key()).and_then(|b| lab_stage(b, kind, norm)));
    block.close();
    let known = code.clone().unwrap_or_default();
    let codes: Vec<String> = serves.iter().map(|(code, _)| code.clone()).collect();
    let [receive, inactivate, decap, extract, setup, pcr, review] = stages;
    let read = || {
        Some(Lab {
            code: code?,
            name: name?,
            serves: codes,
            stages: [receive?, inactivate?, decap?, extract?, setup?, pcr?, review?],
            place: place?,
            outside: outside?,
            shifts: shifts?,
            instrument_day: match day {
                None => None,
                Some(read) => Some(read?),
            },
            derate: match derate {
                None => None,
                Some(read) => Some(read?),
            },
            origin: origin?,
        })
    };
    LabRead { code: known, serves, outside: outside == Some(true), lab: read() }
}

/// `shifts`: which parts of the day are staffed.
fn shifts(block: &Block<'_>) -> Option<Vec<Shift>> {
    let mut shifts: Vec<Shift> = Vec::new();
    let mut whole = true;
    for inner in block.blocks("shifts") {
        let window = inner.window();
        let percent = match inner.has("percent") {
            true => inner.number("percent", 1..=100),
            false => Some(100),
        };
        if let (Some((from_s, to_s)), Some(percent)) = (window, percent) {
            let shift = Shift { from_s, to_s, percent };
            if shifts.iter().any(|s| s.covers(from_s) || shift.covers(s.from_s)) {
                let what = ["班次重叠", "shifts overlap"];
                let expected = ["互不重叠的班次", "shifts that do not overlap"];
                inner.sheet.problem(&inner.at, what, expected);
            }
            shifts.push(shift);
        } else {
            whole = false;
        }
        inner.close();
    }
    whole.then_some(shifts)
}

/// `instrument_day`: hours that are spread over the day, or one window for all.
fn instrument_day(block: Block<'_>) -> Option<InstrumentDay> {
    let window = ["from", "to"].map(|key| block.has(key).then_some(key));
    let day = if block.has("staggered_hours") {
        if let Some(key) = window.into_iter().flatten().next() {
            let what = [
                format!("“{key}”与“staggered_hours”写在一起"),
                format!("`{key}` stands beside `staggered_hours`"),
            ];
            let expected = [
                "二者之一：staggered_hours，或 from 和 to",
                "either `staggered_hours`, or `from` and `to`",
            ];
            block.sheet.problem(&block.spot(key), [&what[0], &what[1]], expected);
        }
        let hours = block.number("staggered_hours", 1..=24);
        hours.map(|hours| InstrumentDay::Staggered { hours })
    } else {
        block.window().map(|(from_s, to_s)| InstrumentDay::Window { from_s, to_s })
    };
    block.close();
    day
}

fn lab_stage(block: Block<'_>, kind: StageKind, norm: &Norm) -> Option<LabStage> {
    let mut stage = LabStage::of_norm(kind, norm);
    let mut whole = true;
    let mut take = |read: Option<u64>, field: &mut u64| match read {
        Some(n) => *field = n,
        None => whole = false,
    };
    take(block.number("units", 0..=COUNT_MAX), &mut stage.units);
    // Times, wells and crew are the norm's unless the lab states its own.
    for (key, scale, most, field) in [
        ("crew", 1, 100, &mut stage.crew),
        ("run_minutes", 60, 1440, &mut stage.run_s),
        ("load_minutes", 60, 1440, &mut stage.load_s),
        ("spread_percent", 10, 500, &mut stage.spread_permille),
        ("breakdowns_percent_day", 10, 100, &mut stage.breakdowns_permille_day),
        ("repair_minutes", 60, 10_080, &mut stage.repair_s),
        ("hold_minutes", 60, 1440, &mut stage.hold_s),
    ] {
        if block.has(key) {
            take(block.decimal(key, scale, 0..=most), field);
        }
    }
    if block.has("staff") || stage.crew > 0 {
        take(block.number("staff", 0..=COUNT_MAX), &mut stage.staff);
    }
    let mut wells = norm.wells.value;
    if block.has("wells") {
        take(block.number("wells", 1..=2000), &mut wells);
        stage.usable = stage.usable.min(wells);
    }
    if block.has("usable") {
        take(block.number("usable", 1..=2000), &mut stage.usable);
    }
    if stage.usable > wells {
        contradiction(&block, ["usable", "wells"], stage.usable, wells);
    }
    if whole && stage.run_s + stage.load_s == 0 {
        let what = ["一次运行为 0 分钟", "a run takes 0 minutes"];
        let expected = ["运行与装载之和大于 0", "run and loading together above 0"];
        block.sheet.problem(&block.at, what, expected);
    }
    block.close();
    whole.then_some(stage)
}
