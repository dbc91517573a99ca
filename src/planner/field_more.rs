//! What one more desk, sampler or vehicle saves at the street that keeps a lab waiting longest, by the flows; and what more or
//! fewer desks take of people.
//!
//! A desk works only with its people. Where one stands idle for want of a sampler, a sampler is what is short. Registrars are
//! counted by the arithmetic alone: they come with the desk and make none faster.

use super::city::{City, Norm, Words};
use super::fluid::{self, CityFlow, Saved};
use super::model::Street;
use super::one_more::earlier;
use super::round::{Round, Whole, staffed};
use super::rules::more_desks_take;

/// What a street has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldItem {
    /// A desk with its people.
    Desk,
    /// A sampler.
    Sampler,
    /// A vehicle.
    Vehicle,
}

impl FieldItem {
    /// Every item, in order.
    pub const ALL: [FieldItem; 3] = [FieldItem::Desk, FieldItem::Sampler, FieldItem::Vehicle];

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            FieldItem::Desk => "desk",
            FieldItem::Sampler => "sampler",
            FieldItem::Vehicle => "vehicle",
        }
    }

    /// Its name; of a desk, with its people.
    pub fn name(self) -> Words {
        match self {
            FieldItem::Desk => Words::new("采样台（含人员）", "desk with its people"),
            FieldItem::Sampler => Words::new("采样人员", "sampler"),
            FieldItem::Vehicle => Words::new("转运车辆", "vehicle"),
        }
    }
}

/// Desks, samplers and registrars.
pub type Crew = [u64; 3];

/// What people and desks `more` desks at work take (negative: fewer), so many hours a day, as what there then is: every desk has
/// a sampler and the norm's registrars, and none is slower than before for want of samplers. Where desks stand idle, people alone
/// are added. Not fewer than none.
pub fn with_desks(norm: &Norm, hours: u64, have: Crew, more: i64) -> Crew {
    let [desks, samplers, registrars] = have;
    if more >= 0 {
        let take = more_desks_take(norm, hours, have, more.unsigned_abs());
        return [
            desks.saturating_add(take.desks),
            samplers.saturating_add(take.samplers),
            registrars.saturating_add(take.registrars),
        ];
    }
    let (working, rate) = staffed(norm, hours, desks, samplers);
    let working = u64::from(working);
    let then = working.saturating_add_signed(more);
    let day = norm.persons_per_sampler_day.value.max(1) as f64;
    let samplers_for = |desks: u64| {
        let able = (desks as f64 * rate * hours as f64 / day - 1e-6).ceil().max(0.0) as u64;
        able.max(desks)
    };
    let go = |of: &dyn Fn(u64) -> u64| of(working).saturating_sub(of(then));
    [
        desks.saturating_sub(more.unsigned_abs()),
        samplers.saturating_sub(go(&samplers_for)),
        registrars
            .saturating_sub(go(&|desks| desks.saturating_mul(norm.registrars_per_desk.value))),
    ]
}

/// A street as a whole with other desks and people.
pub(super) fn with_crew(norm: &Norm, whole: &Whole, have: Crew) -> Whole {
    let (desks, desk_rate) = staffed(norm, whole.hours(), have[0], have[1]);
    let street = Street { desks, desk_rate, ..whole.street };
    Whole { street, have, parts: whole.parts.clone() }
}

/// One more of what a street has, and what it saves while every street keeps its lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldMore {
    /// Number of the street in the round's problem.
    pub street: usize,
    /// What.
    pub item: FieldItem,
    /// Desks, samplers and registrars that it takes; of a vehicle none. 0 desks where one stands idle for want of a sampler.
    pub takes: Crew,
    /// What it saves by the flows.
    pub saves: Saved,
}

/// By lab: one more of each item at the street whose last tube it waits for longest; none without tubes. `flow` is what the flows
/// say of the round.
pub fn field_more(
    city: &City,
    round: &Round,
    flow: &CityFlow,
) -> Vec<Option<[FieldMore; FieldItem::ALL.len()]>> {
    let last = fluid::last_streets(&round.model, flow);
    // A street may keep several labs waiting.
    let mut streets: Vec<usize> = last.iter().flatten().map(|&at| round.source[at]).collect();
    streets.sort_unstable();
    streets.dedup();
    streets.retain(|street| *street < round.whole.len());
    let mut asked = Vec::with_capacity(streets.len() * FieldItem::ALL.len());
    for &street in &streets {
        for item in FieldItem::ALL {
            asked.push(round.divided(street, &with_one(city, &round.whole[street], item)));
        }
    }
    let saves = fluid::with_streets(&round.model, flow, &asked);
    let of_street = |at: usize| {
        let street = round.source[at];
        let number = streets.binary_search(&street).ok()?;
        let whole = &round.whole[street];
        let of = |k: usize| {
            let item = FieldItem::ALL[k];
            let then = with_one(city, whole, item).have;
            let takes = std::array::from_fn(|i| then[i] - whole.have[i]);
            let saves = saves[number * FieldItem::ALL.len() + k];
            FieldMore { street, item, takes, saves }
        };
        Some(std::array::from_fn(of))
    };
    last.into_iter().map(|at| of_street(at?)).collect()
}

fn with_one(city: &City, whole: &Whole, item: FieldItem) -> Whole {
    let [desks, samplers, registrars] = whole.have;
    match item {
        FieldItem::Desk => {
            let have = with_desks(&city.norm, whole.hours(), whole.have, 1);
            with_crew(&city.norm, whole, have)
        }
        FieldItem::Sampler => {
            with_crew(&city.norm, whole, [desks, samplers.saturating_add(1), registrars])
        }
        FieldItem::Vehicle => {
            let vehicles = whole.street.vehicles.saturating_add(1);
            Whole { street: Street { vehicles, ..whole.street }, ..whole.clone() }
        }
    }
}

impl FieldMore {
    /// What it is, in a sentence: "one more desk with 2 samplers and 1 registrar".
    pub fn words(&self) -> Words {
        let [desks, samplers, registrars] = self.takes;
        match self.item {
            FieldItem::Vehicle => Words::new("增加 1 辆转运车", "one more vehicle"),
            FieldItem::Sampler => Words::new("增加 1 名采样人员", "one more sampler"),
            FieldItem::Desk => {
                let (zh, en) = people(samplers, registrars);
                match (desks, zh.is_empty()) {
                    (0, _) => Words::new(
                        format!("增加{zh}（现有采样台因缺人闲置）"),
                        format!("{en} more (one desk stands idle for want of people)"),
                    ),
                    (_, true) => Words::new(
                        "增加 1 个采样台（人员已足）",
                        "one more desk (there are people for it)",
                    ),
                    (_, false) => Words::new(
                        format!("增加 1 个采样台及其{zh}"),
                        format!("one more desk with {en}"),
                    ),
                }
            }
        }
    }
}

/// Of the items at a street the one that saves most: the city, else the lab, else the first.
pub fn best_field(all: &[FieldMore]) -> Option<FieldMore> {
    let rank = |one: &&FieldMore| (one.saves.city, one.saves.lab);
    // The last of equals is the greatest, and the first is asked for.
    all.iter().rev().max_by_key(rank).copied()
}

/// In a sentence: what the best item at the street that a lab waits for longest saves the whole city and that lab.
pub fn field_words(round: &Round, all: &[FieldMore]) -> Option<Words> {
    let one = best_field(all)?;
    let street = round.problem.streets.get(one.street)?;
    let (what, lab, city) = (one.words(), earlier(one.saves.lab), earlier(one.saves.city));
    Some(Words::new(
        format!(
            "该处等待最久的街道是{}：{}，该实验室{}，全市{}。",
            street.name.zh, what.zh, lab.zh, city.zh
        ),
        format!(
            "The street that it waits for longest is {}. There, {} brings this lab: {}; the whole city: {}.",
            street.name.en, what.en, lab.en, city.en
        ),
    ))
}

/// "2 samplers and 1 registrar", with a blank before each number in Chinese.
fn people(samplers: u64, registrars: u64) -> (String, String) {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    if samplers > 0 {
        zh.push(format!(" {samplers} 名采样人员"));
        en.push(Words::many(samplers, "sampler"));
    }
    if registrars > 0 {
        zh.push(format!(" {registrars} 名登记人员"));
        en.push(Words::many(registrars, "registrar"));
    }
    (zh.join("、"), en.join(" and "))
}
