//! A plate: what was loaded, which runs were reported, and what that says of each tube on it.

use super::calling::{self, CallingRule};
use super::discrepancy::{Discrepancies, Discrepancy};
use super::fact::{Reading, Well, WellContent};
use super::tube::Origin;
use super::words::{Call, Code, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Facts that one plate takes in: it is loaded once and run some times. Where a code stands for every plate of a laboratory,
/// each run would be held against each loading. Later ones stand in the log alone (`CodeOverused`), and what is on those
/// plates stays without a result until it is told under a code of its own.
pub const MARKS_MAX: usize = 64;

/// A plate as stored: the set of its facts in canonical order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlateRecord {
    /// In canonical order.
    pub marks: Vec<PlateMark>,
}

/// What one fact says about a plate.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateMark {
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub what: PlateWhat,
}

/// The things that can be said about a plate.
#[derive(Clone, Debug, PartialEq)]
pub enum PlateWhat {
    /// It was loaded. `rule` is the stamped one; `None` when the kit was unknown at commit.
    Loaded { lab: Code, kit: Code, rule: Option<Arc<CallingRule>>, wells: Vec<Well> },
    /// An instrument reported.
    Run { run: Code, targets: Vec<Code>, readings: Vec<Reading> },
    /// It is to be judged by this rule instead of the one stamped at loading.
    Reassessed { rule: Option<Arc<CallingRule>> },
}

/// What a plate says about one tube.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlatePart {
    /// The plate.
    pub plate: Code,
    /// The laboratory.
    pub lab: Code,
    /// When it was loaded.
    pub loaded: Time,
    /// The tube shares a well with another tube.
    pub mixed: bool,
    /// What each run says, in order.
    pub runs: Vec<RunPart>,
}

/// What a run says about one tube.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPart {
    /// The run.
    pub run: Code,
    /// When it was reported.
    pub at: Time,
    /// The call; `None` when there is no rule or no reading.
    pub call: Option<Call>,
    /// False when the plate's controls failed in this run: then the run does not count.
    pub controls_held: bool,
}

struct Load<'a> {
    at: Time,
    lab: &'a Code,
    rule: Option<&'a Arc<CallingRule>>,
    wells: &'a [Well],
}

impl PlateRecord {
    /// True when it takes in no more facts.
    pub fn is_full(&self) -> bool {
        self.marks.len() >= MARKS_MAX
    }

    /// Adds what a fact says. Not to be called when it is full.
    pub fn insert(&mut self, mark: PlateMark) {
        let at = self.marks.partition_point(|m| m.origin.order() < mark.origin.order());
        self.marks.insert(at, mark);
    }

    /// Every tube that was ever loaded on it.
    pub fn tubes(&self) -> impl Iterator<Item = &Code> {
        self.marks
            .iter()
            .flat_map(|mark| match &mark.what {
                PlateWhat::Loaded { wells, .. } => wells.as_slice(),
                _ => &[],
            })
            .filter_map(|well| match &well.content {
                WellContent::Tube(tube) => Some(tube),
                WellContent::Control(_) => None,
            })
    }

    fn loads(&self) -> Vec<Load<'_>> {
        self.marks
            .iter()
            .filter_map(|mark| match &mark.what {
                PlateWhat::Loaded { lab, kit, rule, wells } => {
                    let at = mark.origin.at;
                    let rule = self.rule_again(kit, at, rule.is_some()).or(rule.as_ref());
                    Some(Load { at, lab, rule, wells })
                }
                _ => None,
            })
            .collect()
    }

    /// The rule of the latest reassessment, for a loading with this kit. A loading after it that
    /// has a rule of its own keeps it.
    fn rule_again(&self, kit: &Code, loaded: Time, has_rule: bool) -> Option<&Arc<CallingRule>> {
        self.marks.iter().rev().find_map(|mark| match &mark.what {
            PlateWhat::Reassessed { rule: Some(rule) } if rule.kit == *kit => {
                (!has_rule || mark.origin.at >= loaded).then_some(rule)
            }
            _ => None,
        })
    }

    /// Runs by name; a run reported twice counts as it was reported last.
    fn runs(&self) -> BTreeMap<&Code, (Time, &[Code], &[Reading])> {
        let mut runs = BTreeMap::new();
        for mark in &self.marks {
            if let PlateWhat::Run { run, targets, readings } = &mark.what {
                runs.insert(run, (mark.origin.at, targets.as_slice(), readings.as_slice()));
            }
        }
        runs
    }

    /// What the plate says about each tube on it, by tube code. The latest loading that holds the
    /// tube is the effective one. Of several wells of one tube the worst stands.
    pub fn parts(&self, plate: &Code) -> Vec<(Code, PlatePart)> {
        let runs = self.runs();
        let mut parts: BTreeMap<&Code, PlatePart> = BTreeMap::new();
        for load in self.loads() {
            let judged: Vec<_> = runs
                .iter()
                .map(|(run, (at, targets, readings))| {
                    let held =
                        load.rule.is_some_and(|r| r.controls_hold(targets, load.wells, readings));
                    let by_position: BTreeMap<u16, &Reading> =
                        readings.iter().rev().map(|reading| (reading.position, reading)).collect();
                    (*run, *at, *targets, by_position, held)
                })
                .collect();
            let mixed = mixed_positions(load.wells);
            let mut loaded: BTreeMap<&Code, PlatePart> = BTreeMap::new();
            for (position, tube) in tube_wells(load.wells) {
                let part = loaded.entry(tube).or_insert_with(|| PlatePart {
                    plate: plate.clone(),
                    lab: load.lab.clone(),
                    loaded: load.at,
                    mixed: false,
                    runs: judged
                        .iter()
                        .map(|(run, at, _, _, held)| unread(run, *at, *held))
                        .collect(),
                });
                part.mixed |= mixed.contains(&position);
                for (part, (_, _, targets, readings, _)) in part.runs.iter_mut().zip(&judged) {
                    let reading = readings.get(&position).copied();
                    let call = load.rule.zip(reading).map(|(rule, r)| rule.call(targets, r));
                    part.call = calling::worst(part.call.into_iter().chain(call));
                }
            }
            parts.extend(loaded);
        }
        parts.into_iter().map(|(tube, part)| (tube.clone(), part)).collect()
    }

    /// The laboratory of the latest loading, or empty.
    pub fn lab(&self) -> Code {
        self.loads().last().map(|load| load.lab.clone()).unwrap_or_default()
    }

    /// The kit of the latest loading.
    pub fn kit(&self) -> Option<&Code> {
        self.marks.iter().rev().find_map(|mark| match &mark.what {
            PlateWhat::Loaded { kit, .. } => Some(kit),
            _ => None,
        })
    }

    /// Number of runs, by name.
    pub fn run_count(&self) -> usize {
        self.runs().len()
    }

    /// Everything odd about the plate itself.
    pub fn discrepancies(&self) -> Discrepancies {
        let mut odd =
            self.marks.iter().fold(Discrepancies::NONE, |all, mark| all.with(mark.origin.flags));
        odd.add_if(self.is_full(), Discrepancy::CodeOverused);
        let loads = self.loads();
        odd.add_if(loads.len() > 1, Discrepancy::PlateReloaded);
        let Some(load) = loads.last() else {
            odd.add_if(!self.marks.is_empty(), Discrepancy::RunWithoutPlate);
            return odd;
        };
        for (_, targets, readings) in self.runs().values() {
            let Some(rule) = load.rule else { continue };
            odd.add_if(!rule.is_complete(targets), Discrepancy::TargetMissing);
            odd.add_if(
                !rule.controls_hold(targets, load.wells, readings),
                Discrepancy::ControlsFailed,
            );
        }
        odd.add_if(!mixed_positions(load.wells).is_empty(), Discrepancy::PoolOfPools);
        odd
    }
}

/// A run's part of a tube before any well of it has been read.
fn unread(run: &Code, at: Time, controls_held: bool) -> RunPart {
    RunPart { run: run.clone(), at, call: None, controls_held }
}

/// The positions that hold liquid of more than one tube.
fn mixed_positions(wells: &[Well]) -> BTreeSet<u16> {
    let mut first: BTreeMap<u16, &Code> = BTreeMap::new();
    tube_wells(wells)
        .filter(|(position, tube)| *first.entry(*position).or_insert(*tube) != *tube)
        .map(|(position, _)| position)
        .collect()
}

fn tube_wells(wells: &[Well]) -> impl Iterator<Item = (u16, &Code)> {
    wells.iter().filter_map(|well| match &well.content {
        WellContent::Tube(tube) => Some((well.position, tube)),
        WellContent::Control(_) => None,
    })
}
