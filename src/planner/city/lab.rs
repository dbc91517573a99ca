//! Labs: stages, shifts, the instrument day.

use super::norm::{Clock, Norm, StageKind};
use super::place::Place;
use super::sourced::{Origin, Sourced};
use super::words::Words;

/// A testing lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// Code, unique in the city.
    pub code: String,
    /// Name.
    pub name: Words,
    /// Codes of the districts whose tubes it takes.
    pub serves: Vec<String>,
    /// Its stages, in the order of `StageKind::ALL`.
    pub stages: [LabStage; StageKind::COUNT],
    /// Where it is; of the same origin as its other numbers.
    pub place: Option<Place>,
    /// Whether it is another city's, which helps out when the city's own are full.
    pub outside: bool,
    /// Shifts of the staffed stages, which do not overlap; empty = those of the norm's staffed day, see `City::shifts_of`.
    pub shifts: Vec<Shift>,
    /// When its instruments may run; `None` is `Staggered` with the norm's instrument hours, see `Lab::instrument_day`.
    pub instrument_day: Option<InstrumentDay>,
    /// What it really does of what its numbers say, permille; `None` takes the norm's.
    pub derate: Option<Sourced<u64>>,
    /// Where its numbers come from.
    pub origin: Origin,
}

/// A shift of a lab's staff. Both times are seconds of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its start, 0 to 86 399.
    pub from_s: u64,
    /// Its end, 1 to 86 400; below `from_s` when it passes midnight, never equal to it.
    pub to_s: u64,
    /// Units that are staffed, in percent of those that the roll allows.
    pub percent: u64,
}

impl Shift {
    /// Seconds that it lasts.
    pub fn length_s(&self) -> u64 {
        span_s(self.from_s, self.to_s)
    }

    /// Whether it is on at a second of the day.
    pub fn covers(&self, second: u64) -> bool {
        within(self.from_s, self.to_s, second)
    }

    /// Units that these shifts staff at a second of the day, in percent of those that the roll allows; all where there are none.
    pub fn percent_at(shifts: &[Shift], second: u64) -> u64 {
        if shifts.is_empty() {
            return 100;
        }
        shifts.iter().find(|shift| shift.covers(second)).map_or(0, |shift| shift.percent)
    }

    /// A shift of all units, so many seconds, less than a day's, from a second of the day on.
    pub fn of_all(from_s: u64, length_s: u64) -> Shift {
        let (from_s, to_s) = (from_s % DAY_S, (from_s + length_s) % DAY_S);
        Shift { from_s, to_s: if to_s == 0 { DAY_S } else { to_s }, percent: 100 }
    }
}

/// Units that are manned of so many where people are there for `percent` of them: rounded up, so that one unit is manned in every
/// shift.
pub fn manned(percent: u64, units: u64) -> u64 {
    let hundredths = u128::from(units) * u128::from(percent.min(100));
    u64::try_from(hundredths.div_ceil(100)).unwrap_or(u64::MAX)
}

/// When the instruments of a lab may run: the rule of so many hours a day as a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentDay {
    /// Every instrument runs `hours` a day and rests the others; their rests are spread over the day.
    Staggered {
        /// Hours per day, 1 to 24.
        hours: u64,
    },
    /// All instruments run in the same window of the day and rest outside it. As in `Shift`, `to_s` below `from_s`
    /// passes midnight.
    Window {
        /// Start, second of the day, 0 to 86 399.
        from_s: u64,
        /// End, second of the day, 1 to 86 400.
        to_s: u64,
    },
}

/// Seconds in a day.
const DAY_S: u64 = 86_400;

fn span_s(from_s: u64, to_s: u64) -> u64 {
    if to_s > from_s { to_s - from_s } else { (DAY_S + to_s).saturating_sub(from_s) }
}

fn within(from_s: u64, to_s: u64, second: u64) -> bool {
    let second = second % DAY_S;
    if to_s > from_s { (from_s..to_s).contains(&second) } else { second >= from_s || second < to_s }
}

impl InstrumentDay {
    /// Seconds that one instrument runs in a day.
    pub fn length_s(&self) -> u64 {
        match *self {
            InstrumentDay::Staggered { hours } => hours.min(24) * 3600,
            InstrumentDay::Window { from_s, to_s } => span_s(from_s, to_s),
        }
    }
}

/// One stage of one lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabStage {
    /// Which stage.
    pub kind: StageKind,
    /// Instruments, cabinets or benches.
    pub units: u64,
    /// Persons on the roll of this stage, over all shifts.
    pub staff: u64,
    /// Persons that one unit needs in each shift; 0 when it runs by itself.
    pub crew: u64,
    /// Seconds of one run.
    pub run_s: u64,
    /// Seconds to load and unload around one run.
    pub load_s: u64,
    /// Positions of one run that hold specimens.
    pub usable: u64,
    /// Which working day it keeps.
    pub clock: Clock,
    /// By how much the longest run takes longer than `run_s`, permille; see `StageNorm::spread_permille`.
    pub spread_permille: u64,
    /// Breakdowns of one unit per day, permille.
    pub breakdowns_permille_day: u64,
    /// Seconds until a broken unit works again.
    pub repair_s: u64,
    /// Seconds that a batch waits at most to become full.
    pub hold_s: u64,
}

impl LabStage {
    /// A stage with the norm's times and no units.
    pub fn of_norm(kind: StageKind, norm: &Norm) -> LabStage {
        let stage = norm.stage(kind);
        LabStage {
            kind,
            units: 0,
            staff: 0,
            crew: stage.crew.value,
            run_s: stage.run_s.value,
            load_s: stage.load_s.value,
            usable: norm.wells_usable.value,
            clock: stage.clock,
            spread_permille: stage.spread_permille.value,
            breakdowns_permille_day: stage.breakdowns_permille_day.value,
            repair_s: stage.repair_s.value,
            hold_s: stage.hold_s.value,
        }
    }

    /// Seconds from the start of one run to the start of the next on the same unit; never 0.
    pub fn cycle_s(&self) -> u64 {
        self.run_s.saturating_add(self.load_s).max(1)
    }
}

impl Lab {
    /// One stage.
    pub fn stage(&self, kind: StageKind) -> &LabStage {
        &self.stages[kind.index()]
    }

    /// Number of PCR cyclers.
    pub fn cyclers(&self) -> u64 {
        self.stage(StageKind::Pcr).units
    }

    /// Number of extractors.
    pub fn extractors(&self) -> u64 {
        self.stage(StageKind::Extract).units
    }

    /// Seconds that one plate needs through all stages, without waiting.
    pub fn pipeline_s(&self) -> u64 {
        self.stages.iter().fold(0, |sum, stage| stage.cycle_s().saturating_add(sum))
    }

    /// When its instruments may run.
    pub fn instrument_day(&self, norm: &Norm) -> InstrumentDay {
        self.instrument_day
            .unwrap_or(InstrumentDay::Staggered { hours: norm.instrument_hours.value.min(24) })
    }

    /// What it really does of what its numbers say, permille.
    pub fn derate_permille(&self, norm: &Norm) -> u64 {
        self.derate.as_ref().unwrap_or(&norm.derate.mean_permille).value
    }
}
