//! The constants of a notice or guide. They changed by year and place, so they are data (a norm pack), never code.

use super::parts::{
    DerateNorm, FieldNorm, LargeCity, PrevalenceNorm, RecallNorm, TransportNorm, ZoneNorm,
};
use super::sourced::{Origin, Sourced};

/// The stages of a lab, in the order a tube passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageKind {
    /// Boxes opened, tubes scanned.
    Receive,
    /// Heat inactivation.
    Inactivate,
    /// Caps off and specimen moved to the plate, in a biosafety cabinet.
    Decap,
    /// Nucleic-acid extraction.
    Extract,
    /// Reaction mix and template brought together.
    Setup,
    /// Amplification.
    Pcr,
    /// Curves read, results reviewed.
    Review,
}

impl StageKind {
    /// Number of stages.
    pub const COUNT: usize = 7;
    /// Every stage, in order.
    pub const ALL: [StageKind; StageKind::COUNT] = [
        StageKind::Receive,
        StageKind::Inactivate,
        StageKind::Decap,
        StageKind::Extract,
        StageKind::Setup,
        StageKind::Pcr,
        StageKind::Review,
    ];

    /// Position in `ALL`.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The key used in files.
    pub fn key(self) -> &'static str {
        match self {
            StageKind::Receive => "receive",
            StageKind::Inactivate => "inactivate",
            StageKind::Decap => "decap",
            StageKind::Extract => "extract",
            StageKind::Setup => "setup",
            StageKind::Pcr => "pcr",
            StageKind::Review => "review",
        }
    }
}

/// Which working day a stage keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Counted at the instrument day (18 h in Chifeng 2022-63).
    Instrument,
    /// Staffed in shifts round the clock (24 h in Guandu 2022-4).
    Staffed,
}

/// What one unit of a stage does unless the lab says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNorm {
    /// Which stage.
    pub kind: StageKind,
    /// Which working day it keeps.
    pub clock: Clock,
    /// Seconds of one run.
    pub run_s: Sourced<u64>,
    /// Seconds to load and unload around one run.
    pub load_s: Sourced<u64>,
    /// Persons that one unit needs in each shift; 0 for an instrument that runs by itself.
    pub crew: Sourced<u64>,
    /// By how much the longest run takes longer than `run_s`, permille (+76 % = 760). Triangular: `run_s` is the
    /// shortest and the likeliest.
    pub spread_permille: Sourced<u64>,
    /// Breakdowns of one unit per day, permille (40 = one in 25 days).
    pub breakdowns_permille_day: Sourced<u64>,
    /// Seconds until a broken unit works again.
    pub repair_s: Sourced<u64>,
    /// Seconds that a batch waits at most to become full; then it starts as it is.
    pub hold_s: Sourced<u64>,
}

/// A norm pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Short name, the name of its file.
    pub name: String,
    /// What it is, in Chinese.
    pub title_zh: String,
    /// What it is, in English.
    pub title_en: String,
    /// Hours in which the whole city is to be done unless the city says otherwise; see `Norm::target_for`.
    pub target_h: Sourced<u64>,
    /// Fewest persons per collection site: gives the high count of sites.
    pub persons_per_site_min: Sourced<u64>,
    /// Most persons per collection site: gives the low count of sites.
    pub persons_per_site_max: Sourced<u64>,
    /// Fewest persons per collection desk.
    pub persons_per_desk_min: Sourced<u64>,
    /// Most persons per collection desk.
    pub persons_per_desk_max: Sourced<u64>,
    /// Persons per sampler: how many samplers the norm asks for. A staffing rule, not a speed.
    pub persons_per_sampler: Sourced<u64>,
    /// Persons whom one sampler can sample in a day: the speed that the verdict reckons with.
    pub persons_per_sampler_day: Sourced<u64>,
    /// Registrars per desk.
    pub registrars_per_desk: Sourced<u64>,
    /// Persons per tube where the district says nothing else.
    pub pool: Sourced<u64>,
    /// Rounds for which tubes and reagents are held.
    pub rounds: Sourced<u64>,
    /// Of these, rounds held physically.
    pub rounds_physical: Sourced<u64>,
    /// Hours per day for which an instrument counts.
    pub instrument_hours: Sourced<u64>,
    /// Hours per day for which staffed stages work where a lab has no shifts, from the start of the round on (`City::shifts_of`).
    pub staff_hours: Sourced<u64>,
    /// Shifts that make up the staffed day.
    pub shifts: Sourced<u64>,
    /// Hours per day in which people can be sampled.
    pub sampling_hours: Sourced<u64>,
    /// Tenths of a person per desk and hour (1187 = 118.7 persons/desk-h).
    pub desk_rate_tenths: Sourced<u64>,
    /// Wells of a plate.
    pub wells: Sourced<u64>,
    /// Wells of a plate that hold specimens; the rest are controls.
    pub wells_usable: Sourced<u64>,
    /// Seconds until a box is full and leaves the site.
    pub box_s: Sourced<u64>,
    /// Seconds from pick-up to the lab.
    pub transport_s: Sourced<u64>,
    /// The lab stages, in the order of `StageKind::ALL`.
    pub stages: [StageNorm; StageKind::COUNT],
    /// Reactions in one kit of extraction or PCR reagent.
    pub kit_reactions: Sourced<u64>,
    /// Another target for a large city, where the guide has one.
    pub large_city: Option<LargeCity>,
    /// Desks, boxes and people who come.
    pub field: FieldNorm,
    /// Trips from the sites to the labs. `transport_s` is their limit.
    pub transport: TransportNorm,
    /// People of a positive tube, called back and sampled singly.
    pub recall: RecallNorm,
    /// How many are positive, and how they cluster.
    pub prevalence: PrevalenceNorm,
    /// What labs really do of what they declare.
    pub derate: DerateNorm,
    /// Persons per tube by zone; a zone that is not listed takes `pool`.
    pub zones: Vec<ZoneNorm>,
}

impl Norm {
    /// The norm of one lab stage.
    pub fn stage(&self, kind: StageKind) -> &StageNorm {
        &self.stages[kind.index()]
    }

    /// Wells of a plate that hold controls.
    pub fn controls_per_plate(&self) -> u64 {
        self.wells.value.saturating_sub(self.wells_usable.value)
    }

    /// Persons per tube in a zone; `None` when the pack does not list it.
    pub fn zone_pool(&self, key: &str) -> Option<u64> {
        self.zones.iter().find(|zone| zone.key == key).map(|zone| zone.pool.value)
    }

    /// Hours in which a city of `people` persons is to be done.
    pub fn target_for(&self, people: u64) -> u64 {
        match &self.large_city {
            Some(large) if people > large.above_persons.value => large.target_h.value,
            _ => self.target_h.value,
        }
    }

    /// Where the target for a city of so many people comes from.
    pub fn target_origin(&self, people: u64) -> &Origin {
        match &self.large_city {
            Some(large) if people > large.above_persons.value => &large.target_h.origin,
            _ => &self.target_h.origin,
        }
    }
}

/// `a · b / c`, rounded down, without overflow on the way; `c` = 0 counts as 1.
pub(in crate::planner) fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) / u128::from(c.max(1))).unwrap_or(u64::MAX)
}

/// `a · b / c`, rounded up, without overflow on the way; `c` = 0 counts as 1.
pub(in crate::planner) fn mul_div_ceil(a: u64, b: u64, c: u64) -> u64 {
    u64::try_from((u128::from(a) * u128::from(b)).div_ceil(u128::from(c.max(1))))
        .unwrap_or(u64::MAX)
}
