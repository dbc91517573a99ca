//! Advice for a zone: what each allowed pool size costs, the cheapest, and when the advice turns.
//!
//! The cost of a size is counted in tubes: the tubes of the round, and by a [`Price`] each person called back (one
//! single tube or more) and each recall (a visit of a team and a trip through the priority lane). Expectations and
//! quantiles are over the belief about the prevalence. The scatter of one round around its own mean is left out: with
//! thousands of tubes it is small beside not knowing the prevalence.

use super::belief::{Belief, Prior, Seen, Tails};
use super::formulas::{Load, Price, load, tube_unclean};
use super::words;
use super::{Error, Model, size};
use crate::planner::city::{Sourced, Status, Words};

/// An observation is taken to refute the belief if it, and all that is further out, had at most this chance.
const SURPRISE: f64 = 0.005;
/// Fewer unclean tubes than this refute nothing upward: they may be one household. A sparse observation must not throw
/// over the advice of a zone.
const UNCLEAN_MIN: u64 = 3;
/// Costs closer than this share count as equal: the smaller size is taken.
const EQUAL: f64 = 1e-12;

/// Zones of a city under control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZoneKind {
    /// 封控区.
    Sealed,
    /// 管控区.
    Controlled,
    /// 防范区, and everywhere else.
    Prevention,
}

impl ZoneKind {
    /// Every zone, strictest first.
    pub const ALL: [ZoneKind; 3] = [ZoneKind::Sealed, ZoneKind::Controlled, ZoneKind::Prevention];

    /// Name of the zone.
    pub fn name(self) -> Words {
        let (zh, en) = match self {
            ZoneKind::Sealed => ("封控区", "sealed zone"),
            ZoneKind::Controlled => ("管控区", "controlled zone"),
            ZoneKind::Prevention => ("防范区", "prevention zone"),
        };
        Words::new(zh, en)
    }

    /// Pool sizes that may be used: single in sealed zones, up to 10 in controlled ones, up to 20 elsewhere. Only 5, 10
    /// and 20 swabs in one tube are validated. Household tubes (1户1管) are no fixed size and are not advised on.
    pub fn sizes(self) -> Sourced<&'static [u32]> {
        let sizes: &[u32] = match self {
            ZoneKind::Sealed => &[1],
            ZoneKind::Controlled => &[1, 5, 10],
            ZoneKind::Prevention => &[1, 5, 10, 20],
        };
        Sourced::new(sizes, "Langfang, citing the National Health Commission", Status::Secondary)
    }
}

/// A zone and what is held about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Name, for the sentences.
    pub name: Words,
    /// Persons to be swabbed.
    pub persons: u64,
    /// Pool sizes allowed, in swabs per tube, in any order.
    pub sizes: Vec<u32>,
    /// What is held about the prevalence.
    pub belief: Belief,
    /// How a tube answers.
    pub model: Model,
    /// What recalls and single tubes cost.
    pub price: Price,
    /// Level of the quantile of the extra load, such as 0.9.
    pub level: f64,
}

/// One allowed size with its load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Swabs per tube.
    pub pool: u32,
    /// Expected load over the belief.
    pub load: Load,
    /// Quantile of the extra load in per cent, at the zone's level: the load at that quantile of the prevalence.
    pub extra_percent_quantile: f64,
    /// Expected cost in tubes, recalls included.
    pub cost_tubes: f64,
}

/// The prevalence at which the advice turns to a smaller size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flip {
    /// Known prevalence from which the smaller size is cheaper.
    pub prevalence: f64,
    /// Share of unclean tubes of the advised size at that prevalence: what a command centre can see.
    pub unclean_share: f64,
    /// The smaller size.
    pub to: u32,
}

/// What to do in a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// Every allowed size, smallest first, without repetition.
    pub choices: Vec<Choice>,
    /// Index of the advised one in `choices`; the smaller of equals.
    pub advised: usize,
    /// When to turn to a smaller size; nothing if no smaller one is allowed or ever cheaper.
    pub flip: Option<Flip>,
    /// Mean prevalence of the belief.
    pub prevalence: f64,
    /// The advice in sentences.
    pub sentences: Vec<Words>,
}

impl Advice {
    /// The advised size.
    pub fn choice(&self) -> &Choice {
        &self.choices[self.advised]
    }
}

/// Highest price of a recall, and of a person called back, in tubes.
pub const PRICE_MAX: f64 = 1e9;

/// Advises a pool size for `zone`.
///
/// Errors: no allowed size, a size out of range, a level that is not between 0 and 1 or is one of these, a price outside 0 to
/// 1e9 tubes.
pub fn advise(zone: &Zone) -> Result<Advice, Error> {
    let Price { recall_tubes, single_tubes } = zone.price;
    for (name, value) in [("recall price", recall_tubes), ("single price", single_tubes)] {
        if !(0.0..=PRICE_MAX).contains(&value) {
            return Err(Error::OutOfRange { name, value, range: "[0, 1e9] tubes" });
        }
    }
    let mut sizes = zone.sizes.iter().map(|&n| size(n)).collect::<Result<Vec<u32>, Error>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    // At 0 and at 1 there is no quantile to tell: nothing, and whatever may be.
    if !(zone.level > 0.0 && zone.level < 1.0) {
        return Err(Error::OutOfRange { name: "level", value: zone.level, range: "(0, 1)" });
    }
    let high = zone.belief.quantile(zone.level)?;
    let choices: Vec<Choice> = sizes.iter().map(|&pool| choice(zone, pool, high)).collect();
    let Some(first) = choices.first() else { return Err(Error::NoSizes) };
    let mut advised = (0, first.cost_tubes);
    for (at, choice) in choices.iter().enumerate() {
        if choice.cost_tubes < advised.1 * (1.0 - EQUAL) {
            advised = (at, choice.cost_tubes);
        }
    }
    let flip = flip(zone, &sizes[..=advised.0])?;
    let prevalence = zone.belief.mean();
    let mut advice =
        Advice { choices, advised: advised.0, flip, prevalence, sentences: Vec::new() };
    advice.sentences = words::advice(zone, &advice);
    Ok(advice)
}

fn choice(zone: &Zone, pool: u32, high: f64) -> Choice {
    let mut expected = Load::default();
    for (weight, p) in zone.belief.weighted() {
        let at = load(zone.persons, p, pool, &zone.model);
        expected.tubes = at.tubes;
        expected.unclean += weight * at.unclean;
        expected.recalls += weight * at.recalls;
        expected.recalled += weight * at.recalled;
        expected.missed += weight * at.missed;
    }
    Choice {
        pool,
        load: expected,
        // The extra load rises with the prevalence, so its quantile is the load at the quantile.
        extra_percent_quantile: load(zone.persons, high, pool, &zone.model).extra_percent(),
        cost_tubes: expected.cost_tubes(&zone.price),
    }
}

/// Where the last of `sizes` stops being the cheapest of them: the first crossing on a grid of 400 log-spaced
/// prevalences from 1e-9 to 1, narrowed by bisection until no number lies between.
fn flip(zone: &Zone, sizes: &[u32]) -> Result<Option<Flip>, Error> {
    const STEPS: u32 = 400;
    let Some((&pool, smaller)) = sizes.split_last() else { return Ok(None) };
    let cost = |p, n| load(zone.persons, p, n, &zone.model).cost_tubes(&zone.price);
    let cheapest = |p| {
        smaller
            .iter()
            .map(|&n| (cost(p, n), n))
            .fold((f64::INFINITY, 0), |a, b| if b.0 < a.0 { b } else { a })
    };
    let turned = |p: f64| cheapest(p).0 <= cost(p, pool);
    let grid = |step: u32| match step {
        0 => 0.0,
        step => 10f64.powf(9.0 * (f64::from(step) / f64::from(STEPS) - 1.0)),
    };
    let Some(step) = (1..=STEPS).find(|&step| turned(grid(step))) else { return Ok(None) };
    let (mut below, mut above) = (grid(step - 1), grid(step));
    // 200 halvings are more than the digits of a number; the loop ends when they are used up.
    for _ in 0..200 {
        let middle = 0.5 * (below + above);
        if middle <= below || middle >= above {
            break;
        }
        if turned(middle) { above = middle } else { below = middle }
    }
    let unclean_share = tube_unclean(above, pool, &zone.model)?;
    Ok(Some(Flip { prevalence: above, unclean_share, to: cheapest(above).1 }))
}

/// What the tubes seen say about a zone's belief.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Share of unclean tubes that the belief expected.
    pub expected_share: f64,
    /// Share seen; 0 if no tube was seen.
    pub seen_share: f64,
    /// How surprising it is.
    pub tails: Tails,
    /// Whether the belief was wrong: one of the tails is at most 0.005 (upward: and at least 3 tubes are unclean).
    pub refuted: bool,
    /// The belief after the observation: the old one updated, or, if it is refuted, what these tubes alone say (from
    /// Jeffreys' prior Beta(½, ½)), lest a wrong belief drag the estimate.
    pub belief: Belief,
    /// The advice after it.
    pub advice: Advice,
    /// The same in sentences; a warning comes first.
    pub sentences: Vec<Words>,
}

/// Holds the tubes that were seen against the belief, and advises anew.
///
/// Errors: as [`advise`] and [`Belief::update`].
pub fn review(zone: &Zone, seen: Seen) -> Result<Review, Error> {
    let before = advise(zone)?;
    let tails = zone.belief.tails(seen, &zone.model)?;
    let expected_share =
        zone.belief.expect(|p| load(u64::from(seen.pool), p, seen.pool, &zone.model).unclean);
    let too_many = tails.upper <= SURPRISE && seen.unclean >= UNCLEAN_MIN;
    let refuted = too_many || tails.lower <= SURPRISE;
    let belief = match refuted {
        true => Belief::new(Prior::Beta { alpha: 0.5, beta: 0.5 })?.update(seen, &zone.model)?,
        false => zone.belief.update(seen, &zone.model)?,
    };
    let after = Zone { belief: belief.clone(), ..zone.clone() };
    let mut review = Review {
        expected_share,
        seen_share: if seen.tubes == 0 { 0.0 } else { seen.unclean as f64 / seen.tubes as f64 },
        refuted,
        tails,
        belief,
        advice: advise(&after)?,
        sentences: Vec::new(),
    };
    review.sentences = words::review(&after, &before, &review, seen)?;
    Ok(review)
}
