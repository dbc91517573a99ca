//! The chain from the swab to the result: what each stage can do in a given time, and how long each would need alone.

use std::cmp::Reverse;

use super::fill::mobile_lab;
use super::flow::{Allotment, allot, allot_in_turn};
use super::labs::lab_capacity;
use super::nearer::Nearer;
use super::plan::{ChainStage, StageTime, Verdict};
use super::sent::{Sent, Sources, cut_off};
use crate::planner::city::{City, District, Lab, Words, mul_div};
use crate::planner::model::HORIZON_DAYS;
use crate::planner::reach::{self, CutOff, NoReach};

/// Longest campaign that the arithmetic looks at, in days. What takes longer has no minutes. Flows and simulation reckon less far
/// (`model::HORIZON_DAYS`).
pub const DAYS_MAX: u64 = 90;
/// Longest target of a city, in hours: the longest of which every layer can say whether and by how much it is met. Beyond it, what
/// is not done by the end of their reckoning might be in time or not.
pub const TARGET_HOURS_MAX: u32 = HORIZON_DAYS * 24 - 1;

const MINUTES_MAX: u64 = DAYS_MAX * 24 * 60;

/// The city with what `solve` looks up again and again.
pub(super) struct View<'a> {
    city: &'a City,
    /// Tubes of one round, per district.
    tubes: Vec<u64>,
    /// Whose tubes may go to which labs.
    sources: Sources,
    /// Seconds between the last swab of a district and its result.
    tail_s: Vec<u64>,
    /// Streets from which no way leads to a lab that works.
    cut_off: Vec<CutOff>,
}

impl<'a> View<'a> {
    pub(super) fn of(city: &'a City, sent: &[Sent]) -> View<'a> {
        let sources = Sources::of(city, sent);
        let mobile = mobile_lab(city, "", &Words::default()).pipeline_s();
        // From each street to its nearest lab: the longest of these.
        let road_s = |i: usize| {
            let labs: Vec<usize> = sources.labs_of(i).collect();
            let from = |place| {
                let ways = labs.iter().map(|&lab| reach::way_s(city, place, &city.labs[lab]));
                reach::reckoned_s(city, ways)
            };
            reach::places(&city.districts[i]).map(from).max().unwrap_or_default()
        };
        let tail_s = (0..city.districts.len())
            .map(|i| {
                let slowest = sources.labs_of(i).map(|l| city.labs[l].pipeline_s()).max();
                let box_s = city.norm.box_s.value;
                box_s.saturating_add(road_s(i)).saturating_add(slowest.unwrap_or(mobile))
            })
            .collect();
        let tubes = city.districts.iter().map(|d| city.tubes_of(d)).collect();
        View { city, tubes, sources, tail_s, cut_off: cut_off(city, sent) }
    }

    /// Streets that send to no lab that works.
    pub(super) fn cut_off(&self) -> &[CutOff] {
        &self.cut_off
    }

    /// The same, when nothing else is asked any more.
    pub(super) fn into_cut_off(self) -> Vec<CutOff> {
        self.cut_off
    }

    /// Whether there is a way to a lab from everywhere. Labs that cannot work are the labs' own matter.
    fn all_reach(&self) -> bool {
        self.sources.cut_off.iter().all(|&tubes| tubes == 0)
    }

    /// What was dealt, by district.
    pub(super) fn by_district(&self, dealt: &Allotment) -> Allotment {
        self.sources.by_district(self.city.districts.len(), dealt)
    }

    fn allot(&self, capacity: &[u64]) -> Allotment {
        allot(&self.sources.tubes, capacity, &self.sources.labs)
    }

    pub(super) fn sampling_s(&self, i: usize, target_s: u64) -> u64 {
        let (day_s, _) = self.city.sampling_of(&self.city.districts[i]);
        let by_day = mul_div(target_s, day_s, 86_400);
        by_day.min(target_s.saturating_sub(self.tail_s[i]))
    }

    pub(super) fn persons_by_desks(&self, i: usize, target_s: u64) -> u64 {
        self.persons_in(i, self.sampling_s(i, target_s))
    }

    /// Persons whom the desks of a district can take in so many seconds.
    fn persons_in(&self, i: usize, sampling_s: u64) -> u64 {
        let tenths = self.city.norm.desk_rate_tenths.value;
        let desks = self.city.districts[i].have.desks;
        mul_div(desks.saturating_mul(tenths), sampling_s, 36_000)
    }

    pub(super) fn persons_by_samplers(&self, i: usize, target_s: u64) -> u64 {
        let per_day = self.city.norm.persons_per_sampler_day.value;
        let samplers = self.city.districts[i].have.samplers;
        mul_div(samplers.saturating_mul(per_day), target_s, 86_400)
    }

    /// The largest allotment: the city's own labs first, and as evenly used as whole permilles of their capacity allow;
    /// to labs of other cities only what the own ones cannot take, as evenly. By source: `by_district` sums it up.
    pub(super) fn allot_evenly(&self, capacity: &[u64]) -> Allotment {
        let own = |lab: usize| !self.city.labs[lab].outside;
        let all = |kind: bool| -> Vec<u64> {
            let of = |(lab, &c): (usize, &u64)| if own(lab) == kind { c } else { 0 };
            capacity.iter().enumerate().map(of).collect()
        };
        let (inside, outside) = (all(true), all(false));
        let part = |of: &[u64], permille: u64| -> Vec<u64> {
            of.iter().map(|&c| mul_div(c, permille, 1000)).collect()
        };
        let inside_at = |permille: u64| self.allot(&part(&inside, permille));
        if let Some(permille) = first(1000, |permille| inside_at(permille).complete()) {
            return inside_at(permille);
        }
        let both_at = |permille: u64| {
            let more = part(&outside, permille);
            allot_in_turn(&self.sources.tubes, &[&inside, &more], &self.sources.labs)
        };
        match first(1000, |permille| both_at(permille).complete()) {
            Some(permille) => both_at(permille),
            None => both_at(1000),
        }
    }

    fn labs_do(&self, tubes_of: impl Fn(&Lab) -> u64) -> bool {
        let capacity: Vec<u64> = self.city.labs.iter().map(tubes_of).collect();
        self.allot(&capacity).complete()
    }

    fn everywhere(&self, persons: impl Fn(usize) -> u64) -> bool {
        self.city.districts.iter().enumerate().all(|(i, d)| persons(i) >= d.population.value)
    }

    /// Whether this stage alone lets the campaign end within `s` seconds.
    fn alone(&self, stage: ChainStage, s: u64) -> bool {
        let stocked = |held: fn(&District) -> u64| {
            self.city.districts.iter().zip(&self.tubes).all(|(d, &tubes)| held(d) >= tubes)
        };
        match stage {
            ChainStage::Way => self.all_reach() && self.tail_s.iter().all(|&tail| tail < s),
            ChainStage::Desk => self.everywhere(|i| self.persons_by_desks(i, s)),
            ChainStage::Sampler => self.everywhere(|i| self.persons_by_samplers(i, s)),
            ChainStage::TubeStock => stocked(|d| d.stock.tubes.physical),
            ChainStage::ExtractionStock => stocked(|d| d.stock.extraction.physical),
            ChainStage::PcrStock => stocked(|d| d.stock.pcr.physical),
            ChainStage::Lab(kind) => {
                self.labs_do(|lab| lab_capacity(self.city, lab, s).stages[kind.index()].tubes)
            }
        }
    }

    /// Whether the whole chain ends within `s` seconds.
    fn whole_chain(&self, s: u64) -> bool {
        let before_labs = ChainStage::all().filter(|stage| !matches!(stage, ChainStage::Lab(_)));
        before_labs.into_iter().all(|stage| self.alone(stage, s))
            && self.labs_do(|lab| lab_capacity(self.city, lab, s).tubes)
    }

    /// Whether everybody can be swabbed within `s` seconds, and the last swab then go through a lab, as `nearer` has it.
    pub(super) fn collected(&self, nearer: &Nearer, s: u64) -> bool {
        let sampling_s = |i: usize| match nearer.rests_in_work {
            true => {
                let (day_s, _) = self.city.sampling_of(&self.city.districts[i]);
                mul_div(s.saturating_sub(self.tail_s[i]), day_s, 86_400)
            }
            false => self.sampling_s(i, s),
        };
        if !self.alone(ChainStage::Way, s) || !self.alone(ChainStage::Sampler, s) {
            return false;
        }
        match nearer.streets.is_empty() {
            true => self.everywhere(|i| self.persons_in(i, sampling_s(i))),
            false => nearer.streets.iter().all(|&(i, work_s)| work_s <= sampling_s(i) as f64),
        }
    }

    /// Tubes without a place, charged per lab to the city's largest that serves their district (another city's where it
    /// has none): that is where units are added.
    pub(super) fn beyond(&self, dealt: &Allotment, capacity: &[u64]) -> Vec<u64> {
        let mut beyond = vec![0u64; capacity.len()];
        for (labs, &unmet) in self.sources.labs.iter().zip(&dealt.unmet) {
            let own = |l: usize| !self.city.labs[l].outside;
            let largest = labs.iter().copied().max_by_key(|&l| (own(l), capacity[l], Reverse(l)));
            if let Some(lab) = largest {
                beyond[lab] = beyond[lab].saturating_add(unmet);
            }
        }
        beyond
    }

    pub(super) fn verdict(&self, target_h: u32, nothing_short: bool) -> Verdict {
        let stages: Vec<StageTime> = ChainStage::all()
            .map(|stage| {
                let minutes = first_minute(|s| self.alone(stage, s));
                let tightest = self.tightest(stage, minutes.unwrap_or(MINUTES_MAX));
                StageTime { stage, minutes, tightest }
            })
            .collect();
        // `max_by_key` keeps the last of equals; reversed, that is the first in the chain.
        let binding = stages.iter().rev().max_by_key(|time| time.minutes.unwrap_or(u64::MAX));
        let nothing = StageTime { stage: ChainStage::Way, minutes: None, tightest: None };
        Verdict {
            target_h,
            yes: self.whole_chain(u64::from(target_h) * 3600),
            minutes: first_minute(|s| self.whole_chain(s)),
            binding: binding.cloned().unwrap_or(nothing),
            stages,
            norms_met: nothing_short && self.cut_off.is_empty(),
        }
    }

    /// The place that keeps this stage from ending a minute before `minutes`: where the share of what is asked to what
    /// can be done is largest at that moment.
    fn tightest(&self, stage: ChainStage, minutes: u64) -> Option<(String, Words)> {
        let s = minutes.saturating_sub(1) * 60;
        let districts = &self.city.districts;
        let at = |asked: &dyn Fn(usize) -> u64, can: &dyn Fn(usize) -> u64| {
            worst((0..districts.len()).map(|i| (asked(i), can(i))))
                .map(|i| (districts[i].code.clone(), districts[i].name.clone()))
        };
        let people = |i: usize| districts[i].population.value;
        let tubes = |i: usize| self.tubes[i];
        match stage {
            ChainStage::Way => {
                let street =
                    self.cut_off.iter().find(|one| !matches!(one.why, NoReach::Idle { .. }));
                street.map(|one| (one.street.clone(), one.name.clone()))
            }
            ChainStage::Desk => at(&people, &|i| self.persons_by_desks(i, s)),
            ChainStage::Sampler => at(&people, &|i| self.persons_by_samplers(i, s)),
            ChainStage::TubeStock => at(&tubes, &|i| districts[i].stock.tubes.physical),
            ChainStage::ExtractionStock => at(&tubes, &|i| districts[i].stock.extraction.physical),
            ChainStage::PcrStock => at(&tubes, &|i| districts[i].stock.pcr.physical),
            ChainStage::Lab(kind) => {
                let labs = &self.city.labs;
                let tubes_of = |lab| lab_capacity(self.city, lab, s).stages[kind.index()].tubes;
                let can: Vec<u64> = labs.iter().map(tubes_of).collect();
                let dealt = self.allot(&can);
                let beyond = self.beyond(&dealt, &can);
                let asked = dealt.load.iter().zip(beyond).map(|(load, b)| load.saturating_add(b));
                worst(asked.zip(can.iter().copied()))
                    .map(|i| (labs[i].code.clone(), labs[i].name.clone()))
            }
        }
    }
}

/// Index of the pair (asked, can) with the largest quotient; the first of equals; `None` when nothing is asked.
fn worst(pairs: impl Iterator<Item = (u64, u64)>) -> Option<usize> {
    let mut best: Option<(usize, u64, u64)> = None;
    for (i, (asked, can)) in pairs.enumerate() {
        let worse = match best {
            None => asked > 0,
            Some((_, a, c)) => u128::from(asked) * u128::from(c) > u128::from(a) * u128::from(can),
        };
        if worse {
            best = Some((i, asked, can));
        }
    }
    best.map(|(i, _, _)| i)
}

/// The first whole minute for which `holds`, given as seconds; `None` when it never does.
pub(super) fn first_minute(holds: impl Fn(u64) -> bool) -> Option<u64> {
    first(MINUTES_MAX, |minute| holds(minute * 60))
}

/// The smallest number from 1 to `max` for which `holds`, which must stay true once it is true.
fn first(max: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    if !holds(max) {
        return None;
    }
    let (mut low, mut high) = (0, max);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle }
    }
    Some(high)
}
