//! Shifts, teams, vehicles and trips, district by district: what sampling and the way to the labs take, what there is, what
//! is short.
//!
//! The notices say how many people a district needs. How they take turns, and how tubes come to a lab, follows from
//! constants that most packs assume; each line names them, so that they are printed beside it with status and source. No
//! line is part of the verdict or of the list of shortages: the people of that list are looked at again here, by shift.
//!
//! - A shift of sampling is as long as the district says, else as one of the lab's: the staffed day over its shifts.
//! - The shifts of a round are as many as it takes the desks that are needed, at the norm's speed, to swab everybody:
//!   persons / (desks × persons per desk-hour) hours, cut into the shifts of days of sampling, the last one begun.
//! - A team is what one desk has in one shift: a sampler and the norm's registrars. The norm's samplers are a roll for the
//!   day, shared among the shifts that it has of these; registrars are asked for at each desk in each of them.
//! - A desk-shift (台班) is one desk with its team for one shift. It takes persons / (persons per desk-hour × hours of a shift)
//!   of them, rounded up. Each team that can be made of the people at hand works one shift of each day of the time in which
//!   people can be sampled, at no more desks than are needed: so many are there, and of the shifts of the round as large a
//!   share, in whole shifts. So both are short, or neither is, and one person too few is one desk-shift less.
//! - A trip goes there and back to the nearest lab within reach, at the median time on the road. Each street is driven to
//!   once for every box interval while it is sampled, oftener where a vehicle takes less than there is. A vehicle that makes
//!   only so many trips a day goes evenly over the day of sampling.
//! - A district whose streets the city file does not name is taken for one street. How many it is driven to on their own is
//!   then not known: what it needs of vehicles and trips is the least that it can be, and said to be (`need_is_least`).

use super::crew_constants::rests_on;
use super::lines::{Needed, needed};
use super::plan::DistrictPlan;
use super::shortage::Item;
use super::vehicles::driving;
use crate::planner::city::{City, District, Fleet, Origin, Words, mul_div, mul_div_ceil};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrewItem {
    /// Shifts of sampling in which the desks that are needed swab everybody; there are those that the people at hand go for.
    Shifts,
    /// Desks times shifts: those in which everybody can be swabbed, and those that the people at hand can man in the round.
    DeskShifts,
    /// Samplers of one shift.
    Samplers,
    /// Registrars of one shift.
    Registrars,
    /// Teams over the shifts of a day, one for each desk that is needed.
    Teams,
    /// Vehicles for tubes.
    Vehicles,
    /// Trips to the labs within the sampling time.
    Trips,
}

/// One line: `short` is `need - have`, 0 where there is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrewLine {
    /// Code of the district.
    pub place: String,
    /// Its name.
    pub place_name: Words,
    /// What is counted.
    pub item: CrewItem,
    /// Needed, in the item's unit.
    pub need: u64,
    /// It needs so many at least and nobody knows how many more: vehicles and trips of a district whose streets are not
    /// named. Where nothing is short then, it may still not be enough.
    pub need_is_least: bool,
    /// At hand, in the item's unit.
    pub have: u64,
    /// Missing, in the item's unit.
    pub short: u64,
    /// How many are asked of the level above. People are asked for in the list of shortages, not a second time.
    pub support: u64,
    /// Date by which the gap is to be filled, as the notice words it: of vehicles and trips that are short.
    pub deadline: Option<String>,
    /// Where the number at hand comes from: the district's people, or its vehicles (the norm's where it states none).
    pub have_origin: Origin,
    /// What the need rests on: keys of [`crew_constants`](super::crew_constants).
    pub rests_on: Vec<String>,
}

impl CrewItem {
    /// Every item, in the order of the lines.
    pub const ALL: [CrewItem; 7] = [
        CrewItem::Shifts,
        CrewItem::DeskShifts,
        CrewItem::Samplers,
        CrewItem::Registrars,
        CrewItem::Teams,
        CrewItem::Vehicles,
        CrewItem::Trips,
    ];

    /// Key in documents.
    pub fn key(self) -> &'static str {
        match self {
            CrewItem::Shifts => "shifts",
            CrewItem::DeskShifts => "desk_shifts",
            CrewItem::Samplers => "samplers_per_shift",
            CrewItem::Registrars => "registrars_per_shift",
            CrewItem::Teams => "teams",
            CrewItem::Vehicles => "vehicles",
            CrewItem::Trips => "trips",
        }
    }

    /// Name.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            CrewItem::Shifts => ("采样班次（本轮）", "sampling shifts of the round"),
            CrewItem::DeskShifts => ("采样台班（本轮）", "desk-shifts of the round"),
            CrewItem::Samplers => ("每班采样人员", "samplers per shift"),
            CrewItem::Registrars => ("每班信息登记人员", "registrars per shift"),
            CrewItem::Teams => ("采样组（每台每班一组）", "teams, one per desk and shift"),
            CrewItem::Vehicles => ("转运车辆", "vehicles"),
            CrewItem::Trips => ("转运趟次（本轮）", "trips of the round"),
        };
        Words::new(zh, en)
    }

    /// What is counted.
    pub fn unit(self) -> Words {
        let (zh, en) = match self {
            CrewItem::Shifts => ("班", "shifts"),
            CrewItem::DeskShifts => ("台班", "desk-shifts"),
            CrewItem::Samplers | CrewItem::Registrars => ("人", "persons"),
            CrewItem::Teams => ("组", "teams"),
            CrewItem::Vehicles => ("辆", "vehicles"),
            CrewItem::Trips => ("趟", "trips"),
        };
        Words::new(zh, en)
    }

    /// How a gap is usually mended.
    pub fn mend(self) -> Words {
        let (zh, en) = match self {
            CrewItem::Shifts | CrewItem::DeskShifts => {
                ("补足每班采样人员和信息登记人员", "more samplers and registrars for each shift")
            }
            CrewItem::Samplers => return Item::Sampler.mend(),
            CrewItem::Registrars => return Item::Registrar.mend(),
            CrewItem::Teams => (
                "按台按班编组；本地人员编不足的申请采样队",
                "form teams by desk and shift; ask for sampling teams where there are too few people",
            ),
            CrewItem::Vehicles => (
                "征用或租用车辆，不足部分申请调派",
                "requisition or hire vehicles; ask for the rest",
            ),
            CrewItem::Trips => {
                ("增加车辆，或几个街道合并一趟", "more vehicles, or one trip for several streets")
            }
        };
        Words::new(zh, en)
    }

    /// Why a need is only the least that it can be (`CrewLine::need_is_least`), and what to do.
    pub fn least() -> Words {
        Words::new(
            "至少：城市文件未列该区县的街道，按一个街道计；每个街道都要单独跑，街道越多需要越多，无缺口也不等于够用。列出街道即可算准",
            "at least: the city file does not name the district's streets, so it is taken for one street; each is driven to on \
             its own, so the more streets the more is needed, and nothing short does not mean enough. Name the streets to know",
        )
    }
}

/// The lines of every district, in the city's order.
pub(super) fn crews(city: &City, plans: &[DistrictPlan], target_s: u64) -> Vec<CrewLine> {
    let mut lines = Vec::with_capacity(plans.len() * CrewItem::ALL.len());
    for (district, plan) in city.districts.iter().zip(plans) {
        let fleet = city.fleet_of(district);
        let need = needed(city, plan, target_s);
        let people = people(city, district, plan, &need);
        let trips = trips(city, district, plan, &fleet);
        for (item, (need_of, have)) in
            CrewItem::ALL.into_iter().zip(people.into_iter().chain(trips))
        {
            let short = need_of.saturating_sub(have);
            let vehicles = matches!(item, CrewItem::Vehicles | CrewItem::Trips);
            lines.push(CrewLine {
                place: plan.code.clone(),
                place_name: plan.name.clone(),
                item,
                need: need_of,
                need_is_least: vehicles && district.streets.is_empty(),
                have,
                short,
                support: if item == CrewItem::Vehicles { short } else { 0 },
                deadline: city.deadline.clone().filter(|_| vehicles && short > 0),
                have_origin: if vehicles { &fleet.origin } else { &district.have.origin }.clone(),
                rests_on: rests_on(city, district, &need, item),
            });
        }
    }
    lines
}

/// Need and have of shifts, desk-shifts, samplers of a shift, registrars of a shift, teams.
fn people(city: &City, district: &District, plan: &DistrictPlan, need: &Needed) -> [(u64, u64); 5] {
    let (norm, have) = (&city.norm, &district.have);
    let (day_s, shift_s) = city.sampling_of(district);
    let shifts_in = |seconds: u64| {
        let days = (seconds / day_s).saturating_mul(day_s.div_ceil(shift_s));
        days.saturating_add((seconds % day_s).div_ceil(shift_s))
    };
    // Seconds of one desk in which everybody is swabbed, and of all that are needed.
    let rate_tenths = norm.desk_rate_tenths.value.max(1);
    let desk_s = mul_div_ceil(plan.population, 36_000, rate_tenths);
    let desks = need.desks();
    let all_s = desk_s.div_ceil(desks.max(1));
    let shifts = shifts_in(all_s);
    let by_day = shifts_in(all_s.min(day_s)).max(1);
    let samplers = need.samplers().div_ceil(by_day).max(desks);
    let teams = have.registrars.checked_div(norm.registrars_per_desk.value);
    let teams = teams.map_or(have.samplers, |by_registrars| by_registrars.min(have.samplers));

    // Where there is less time than a shift, a desk-shift is that long.
    let time_s = plan.sampling_s;
    let one_s = shift_s.min(day_s).min(if time_s == 0 { day_s } else { time_s });
    let desk_shifts = desk_s.div_ceil(one_s);
    let days_s = (time_s / day_s).saturating_mul(manned_s(teams, desks, day_s, shift_s));
    let there_s = days_s.saturating_add(manned_s(teams, desks, time_s % day_s, shift_s));
    let desk_shifts_there = there_s / one_s;
    let shifts_there = match desk_shifts {
        0 => 0,
        all => mul_div(shifts, desk_shifts_there, all).min(shifts_in(time_s)),
    };
    [
        (shifts, shifts_there),
        (desk_shifts, desk_shifts_there),
        (samplers, have.samplers / by_day),
        (need.registrars(norm), have.registrars / by_day),
        (desks.saturating_mul(by_day), teams),
    ]
}

/// Seconds of desks that so many teams man in so many seconds of one day, each for one shift and at no more desks than these:
/// whole shifts first, then what is left of the day.
fn manned_s(teams: u64, desks: u64, seconds: u64, shift_s: u64) -> u64 {
    let whole = teams.min(desks.saturating_mul(seconds / shift_s));
    let rest = (teams - whole).min(desks);
    whole.saturating_mul(shift_s).saturating_add(rest.saturating_mul(seconds % shift_s))
}

/// Need and have of vehicles and of trips.
fn trips(city: &City, district: &District, plan: &DistrictPlan, fleet: &Fleet) -> [(u64, u64); 2] {
    let vehicles = fleet.vehicles;
    let (mut vehicles_needed, mut trips_needed, mut driving_s) = (0u64, 0u64, 0u64);
    for street in driving(city, district, fleet).into_iter().filter(|street| street.tubes > 0) {
        let trips = street.trips(city, plan.sampling_s);
        let each = (plan.sampling_s / street.cycle_s).max(1);
        vehicles_needed = vehicles_needed.saturating_add(trips.div_ceil(each));
        trips_needed = trips_needed.saturating_add(trips);
        driving_s = driving_s.saturating_add(trips.saturating_mul(street.cycle_s));
    }
    // The trips that are needed, as far as all vehicles' time goes; a vehicle goes at least once.
    let there_s = vehicles.saturating_mul(plan.sampling_s);
    let can = mul_div(trips_needed, there_s, driving_s).max(vehicles.min(trips_needed));
    [(vehicles_needed, vehicles), (trips_needed, can)]
}
