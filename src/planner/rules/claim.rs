//! A declared capacity, explained from run times.
//!
//! Guandu 2022-4: "官渡区疾控中心增加采购 5 台 PCR 检测仪、1 台核酸提取仪，配备专业人员，检测能力增加 3600 管". The notice
//! gives no period; per day is assumed. Machines times nameplate would give 6,250 tubes from the cyclers alone, so the
//! letter counts something else: one extractor in whole runs over the 18-hour day comes to 3,572. The explanation names
//! the binding side, and the cycle times that are consistent with the letter.

use super::labs::whole_runs;
use crate::planner::city::{Norm, Origin, StageKind, Words};

/// A published "so many machines, so many tubes".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where: name of the lab or district.
    pub place: Words,
    /// PCR cyclers.
    pub cyclers: u64,
    /// Extractors.
    pub extractors: u64,
    /// Tubes per day that the publication names.
    pub tubes: u64,
    /// The publication.
    pub origin: Origin,
}

/// One side of the lab under the claim: the extractors or the cyclers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Extraction or PCR.
    pub kind: StageKind,
    /// Units.
    pub units: u64,
    /// Seconds of one run, without loading.
    pub run_s: u64,
    /// Seconds of loading around it.
    pub load_s: u64,
    /// Whole runs of one unit per day.
    pub runs: u64,
    /// Tubes per day in whole runs of plates with controls.
    pub tubes: u64,
}

/// Cycle times in seconds, both ends included.
pub type CycleRange = std::ops::RangeInclusive<u64>;

/// The claim, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is explained.
    pub claim: Claim,
    /// Seconds of the instrument day (18 h).
    pub day_s: u64,
    /// Wells of a plate.
    pub wells: u64,
    /// Wells that hold specimens.
    pub usable: u64,
    /// The extractors.
    pub extraction: Side,
    /// The cyclers.
    pub pcr: Side,
    /// The side with fewer tubes.
    pub binding: StageKind,
    /// Tubes per day: those of the binding side.
    pub tubes: u64,
    /// The claim is taken as met from here …
    pub consistent_from: u64,
    /// … to here: the figures that round to the claim at the nearest hundred.
    pub consistent_to: u64,
    /// Whether `tubes` lies in that range.
    pub consistent: bool,
    /// Extractor cycles whose whole-run capacity, controls taken off, rounds to the claim.
    pub extractor_cycle: Option<CycleRange>,
    /// The same with every well counted as a specimen.
    pub extractor_cycle_all_wells: Option<CycleRange>,
    /// Longest cycler cycle with which extraction still binds, in seconds.
    pub cycler_cycle_max: Option<u64>,
    /// Extractor cycle in tenths of a minute that gives the claim exactly if runs could be split and all wells counted.
    pub fractional_cycle_tenths: Option<u64>,
    /// Whole-run capacity at that cycle, all wells counted (3,552 for 28.8 min and 96 wells).
    pub fractional_cycle_whole_runs: Option<u64>,
}

/// Explains a claim with the run times of a norm pack.
pub fn explain(claim: &Claim, norm: &Norm) -> Explanation {
    let day_s = norm.instrument_hours.value.saturating_mul(3600);
    let (wells, usable) = (norm.wells.value, norm.wells_usable.value);
    let side = |kind: StageKind, units: u64| {
        let (run_s, load_s) = (norm.stage(kind).run_s.value, norm.stage(kind).load_s.value);
        let runs = whole_runs(day_s, run_s.saturating_add(load_s));
        let tubes = units.saturating_mul(runs).saturating_mul(usable);
        Side { kind, units, run_s, load_s, runs, tubes }
    };
    let extraction = side(StageKind::Extract, claim.extractors);
    let pcr = side(StageKind::Pcr, claim.cyclers);
    let binding = if extraction.tubes <= pcr.tubes { extraction } else { pcr };
    let consistent_from = claim.tubes.saturating_sub(50);
    let consistent_to = claim.tubes.saturating_add(49);
    let cycles = |per_run: u64| {
        cycles_between(
            day_s,
            claim.extractors.saturating_mul(per_run),
            consistent_from,
            consistent_to,
        )
    };
    // The cyclers need this many runs each so as not to fall below the extractors.
    let runs_needed = extraction.tubes.div_ceil(claim.cyclers.saturating_mul(usable).max(1));
    let per_round = claim.extractors.saturating_mul(wells);
    let fractional_cycle_tenths =
        day_s.saturating_mul(per_round).checked_div(claim.tubes.saturating_mul(6));
    Explanation {
        claim: claim.clone(),
        day_s,
        wells,
        usable,
        extraction,
        pcr,
        binding: binding.kind,
        tubes: binding.tubes,
        consistent_from,
        consistent_to,
        consistent: (consistent_from..=consistent_to).contains(&binding.tubes),
        extractor_cycle: cycles(usable),
        extractor_cycle_all_wells: cycles(wells),
        cycler_cycle_max: (claim.cyclers > 0).then(|| day_s.checked_div(runs_needed)).flatten(),
        fractional_cycle_tenths,
        fractional_cycle_whole_runs: fractional_cycle_tenths
            .map(|tenths| whole_runs(day_s, tenths.saturating_mul(6)).saturating_mul(per_round)),
    }
}

/// Cycles whose whole runs of `per_run` tubes give between `from` and `to` tubes in `day_s`.
fn cycles_between(day_s: u64, per_run: u64, from: u64, to: u64) -> Option<CycleRange> {
    if per_run == 0 {
        return None;
    }
    let (runs_min, runs_max) = (from.div_ceil(per_run).max(1), to / per_run);
    if runs_min > runs_max {
        return None;
    }
    // `runs` whole runs fit from just above day/(runs+1) up to day/runs.
    let shortest = day_s / runs_max.saturating_add(1) + 1;
    let longest = day_s / runs_min;
    (shortest <= longest).then_some(shortest..=longest)
}
