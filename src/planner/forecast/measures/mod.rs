//! What sets the pace, and what would mend it.
//!
//! A measure is tried: the draws of the forecast are run again with it, with the same chance, and what the median gains is
//! its effect. So measures can be compared with each other, and a measure that only moves the bottleneck shows that.

use super::past::collected;
use super::{Bottleneck, Error, Forecast, Kept, Measure, Of, Reading, Regime, Standstill};
use crate::planner::city::{StageKind, Words};
use crate::planner::fluid::pipeline;
use crate::planner::model::{HOUR, MINUTE, Model, Ms};
use crate::planner::round::{Round, lab_rate};
use crate::planner::rules::Item;
use crate::planner::simulate::Start;
use crate::planner::study::Quantiles;

/// Draws with which a measure is tried.
const TRIED: usize = 50;
/// A gain below this is not worth a sentence.
const WORTH: Ms = 5 * MINUTE;
/// Measures that are told.
const TOLD: usize = 3;

/// What sets the pace of a round that is not done: labs only once one of them has more than passes through it.
pub(super) fn regime(
    of: &Of<'_>,
    kept: &[Kept],
    finish: &Quantiles,
    delivered: &Quantiles,
) -> Regime {
    let Some(newest) = of.situation.readings.last() else { return Regime::Collecting };
    let waits = |lab| has_backlog(of.model, lab, newest);
    if labs_decide(of, finish, delivered) && (0..of.model.labs.len()).any(waits) {
        return Regime::Backlog;
    }
    if collecting(kept, newest) { Regime::Collecting } else { Regime::Stragglers }
}

/// Whether the round is done so long after the last tube was delivered that the labs decide when.
fn labs_decide(of: &Of<'_>, finish: &Quantiles, delivered: &Quantiles) -> bool {
    let now = of.situation.readings.last().map_or(0, |newest| newest.at);
    let after = of.model.labs.iter().map(pipeline).max().unwrap_or(0).saturating_add(HOUR / 2);
    finish.p50 > delivered.p50.max(now).saturating_add(after)
}

/// Whether people still queue, by what was learned of those who come: seldom those whom the plan thought of.
fn collecting(kept: &[Kept], reading: &Reading) -> bool {
    let queue = kept.iter().map(|k| k.queue).sum::<f64>() / kept.len().max(1) as f64;
    (collected(reading) as f64) < queue * 0.98
}

/// Whether a lab has more tubes than pass through it at its rate while none waits, and more than a plate.
fn has_backlog(model: &Model, lab: usize, reading: &Reading) -> bool {
    let (Some(lab), Some(count)) = (model.labs.get(lab), reading.labs.get(lab)) else {
        return false;
    };
    let (rate, slowest) = lab_rate(lab);
    let passing = rate * f64::from(pipeline(lab)) / f64::from(HOUR);
    let plate = f64::from(lab.stages[slowest.index()].batch);
    count.received.saturating_sub(count.resulted) as f64 > passing.max(plate)
}

/// The beginning of what has been so at every reading up to now: the first of those readings.
fn ever_since(of: &Of<'_>, so: impl Fn(&Reading) -> bool) -> Ms {
    let readings = &of.situation.readings;
    let last = readings.iter().rposition(|reading| !so(reading));
    let first = last.map_or(0, |last| last + 1).min(readings.len().saturating_sub(1));
    readings.get(first).map_or(0, |reading| reading.at)
}

/// What the advice is made from.
pub(super) struct Asked<'a> {
    pub round: &'a Round,
    pub of: Of<'a>,
    pub kept: &'a [Kept],
    pub go_on: &'a (dyn Fn() -> bool + Sync),
}

/// A change to the rest of the round.
type Change = Box<dyn Fn(&mut Model, &mut Start) + Sync>;

/// What might help.
struct Candidate {
    words: Words,
    change: Change,
    /// Of units: how many more in how many labs. What has no less of both contains the other.
    size: Option<(u32, usize)>,
}

/// Adds the bottleneck and the measures.
///
/// # Errors
/// When it was stopped.
pub(super) fn advise(asked: &Asked<'_>, forecast: &mut Forecast) -> Result<(), Error> {
    if forecast.regime == Regime::Done || asked.kept.is_empty() {
        return Ok(());
    }
    let Some(newest) = asked.of.situation.readings.last() else { return Ok(()) };
    let last_of =
        |labs: &mut dyn Iterator<Item = usize>| labs.max_by_key(|&i| forecast.labs[i].p50);
    let labs = 0..forecast.labs.len();
    let waiting = |lab: &usize| has_backlog(asked.of.model, *lab, newest);
    // While labs set the pace, it is one at which something waits.
    let lab = match forecast.regime {
        Regime::Backlog => last_of(&mut labs.clone().filter(waiting)),
        _ => None,
    };
    let Some(lab) = lab.or(last_of(&mut labs.clone())) else { return Ok(()) };
    let stage = most_often(asked.kept, lab);
    let mut delivered: Vec<Ms> = asked.kept.iter().map(|k| k.delivered).collect();
    let decide = labs_decide(&asked.of, &forecast.finish, &Quantiles::of(&mut delivered));
    let still = forecast.standing.iter().find(|still| still.lab == lab);
    forecast.bottleneck = Some(match (forecast.regime, still) {
        (_, Some(still)) => standing(asked, still),
        (Regime::Collecting | Regime::Stragglers, None) => {
            at_the_desks(asked, forecast, decide.then_some((lab, stage)))
        }
        (Regime::Backlog | Regime::Done, None) => in_the_lab(asked, lab, stage),
    });
    let others = forecast.standing.iter().filter(|other| other.lab != lab);
    let others: Vec<Words> = others.map(|still| standing(asked, still).words).collect();
    if let Some(bottleneck) = &mut forecast.bottleneck {
        for words in others {
            bottleneck.words.zh.push_str(&format!("；{}", words.zh));
            bottleneck.words.en.push_str(&format!("; {}", words.en));
        }
    }
    let first = &asked.kept[..asked.kept.len().min(TRIED)];
    let base = median(first);
    let mut tried: Vec<(Measure, Option<(u32, usize)>)> = Vec::new();
    for Candidate { words, change, size } in candidates(asked, forecast, lab, stage, decide) {
        let with = asked.of.particles(first.len(), asked.go_on, &*change)?;
        let saves = base.saturating_sub(median(&with));
        // What it changes on the same draws, on top of what all draws say.
        let more = in_time(&with, forecast.target) - in_time(first, forecast.target);
        let in_time = (forecast.in_time + more).clamp(0.0, 1.0);
        // Candidates come smaller ones first: one that contains another has to bring more than that.
        let contains = |other: &Option<(u32, usize)>| match (size, other) {
            (Some(size), Some(other)) => size.0 >= other.0 && size.1 >= other.1,
            _ => false,
        };
        let smaller = tried.iter().filter(|(_, other)| contains(other)).map(|(m, _)| m.saves).max();
        if saves >= smaller.unwrap_or(0).saturating_add(WORTH) {
            tried.push((Measure { words, saves, in_time }, size));
        }
    }
    let mut tried: Vec<Measure> = tried.into_iter().map(|(measure, _)| measure).collect();
    tried.sort_by_key(|measure| std::cmp::Reverse(measure.saves));
    tried.truncate(TOLD);
    forecast.measures = tried;
    Ok(())
}

/// Share of the draws within the target.
fn in_time(kept: &[Kept], target: Ms) -> f64 {
    kept.iter().filter(|k| k.finish <= target).count() as f64 / kept.len().max(1) as f64
}

fn median(kept: &[Kept]) -> Ms {
    let mut times: Vec<Ms> = kept.iter().map(|k| k.finish).collect();
    Quantiles::of(&mut times).p50
}

/// The stage that has most to do in a lab, in most draws.
fn most_often(kept: &[Kept], lab: usize) -> StageKind {
    let count = |kind: &StageKind| kept.iter().filter(|k| k.labs[lab].1 == *kind).count();
    StageKind::ALL.into_iter().max_by_key(count).unwrap_or(StageKind::Pcr)
}

/// `end`: the lab and stage that will decide when the round is done, though nothing waits there now.
fn at_the_desks(
    asked: &Asked<'_>,
    forecast: &Forecast,
    end: Option<(usize, StageKind)>,
) -> Bottleneck {
    let street = (0..forecast.streets.len()).max_by_key(|&i| forecast.streets[i].p50);
    let name = street.map_or_else(Words::default, |i| asked.round.streets[i].name.clone());
    let is_collecting = forecast.regime == Regime::Collecting;
    let since = ever_since(&asked.of, |reading| {
        let none_waits = (0..forecast.labs.len()).all(|i| !has_backlog(asked.of.model, i, reading));
        none_waits && collecting(asked.kept, reading) == is_collecting
    });
    let opening = asked.of.model.streets.iter().map(|street| street.open).min().unwrap_or(0);
    let is_first = asked.of.situation.readings.first().is_none_or(|first| first.at == since);
    // Desks have been collecting since they opened, not since they were first looked at.
    let from = if is_collecting && is_first { opening.min(since) } else { since };
    let mut words = if is_collecting {
        Words::new(
            format!("采样为当前瓶颈，{}最晚", name.zh),
            format!("collection binds now; {} is last", name.en),
        )
    } else {
        Words::new(
            format!("只剩扫尾：零星采样和最后几箱，{}最晚", name.zh),
            format!("only stragglers are left: late comers and last boxes; {} is last", name.en),
        )
    };
    if let Some((lab, stage)) = end {
        let (lab, kind) = (&asked.round.labs[lab].1, stage.name());
        words
            .zh
            .push_str(&format!("；各实验室尚无积压，但完成时间将取决于{}的{}", lab.zh, kind.zh));
        words.en.push_str(&format!(
            "; no lab has a backlog yet, but the end will hang on {} at {}",
            kind.en, lab.en
        ));
    }
    Bottleneck { lab: None, stage: None, street, from, words }
}

/// A lab that stands still, since when, with how many tubes, and for how long still.
fn standing(asked: &Asked<'_>, still: &Standstill) -> Bottleneck {
    let Standstill { lab, since, tubes, again } = *still;
    let name = &asked.round.labs[lab].1;
    let [from, middle, to] = again.map(|at| asked.round.clock(at));
    let clock = asked.round.clock(since);
    let waiting = if tubes == 1 { "tube waits" } else { "tubes wait" };
    Bottleneck {
        lab: Some(lab),
        stage: None,
        street: None,
        from: since,
        words: Words::new(
            format!(
                "{}自 {clock} 起停摆：{tubes} 管待检而无上机、无结果；何时恢复未知，估计 {middle} 前后（{from} 至 {to}），请立即联系核实",
                name.zh
            ),
            format!(
                "{} has stood still since {clock}: {tubes} {waiting}, none is plated or resulted; nobody knows when it starts again, perhaps about {middle} ({from} to {to}): call it now",
                name.en
            ),
        ),
    }
}

fn in_the_lab(asked: &Asked<'_>, lab: usize, stage: StageKind) -> Bottleneck {
    let from = ever_since(&asked.of, |reading| has_backlog(asked.of.model, lab, reading));
    let (name, kind) = (&asked.round.labs[lab].1, stage.name());
    let clock = asked.round.clock(from);
    Bottleneck {
        lab: Some(lab),
        stage: Some(stage),
        street: None,
        from,
        words: Words::new(
            format!("{}的{}自 {clock} 起为瓶颈", name.zh, kind.zh),
            format!("{} at {} binds since {clock}", kind.en, name.en),
        ),
    }
}

/// What might help, smaller measures before those that contain them. `decide`: labs decide when the round is done.
fn candidates(
    asked: &Asked<'_>,
    forecast: &Forecast,
    lab: usize,
    stage: StageKind,
    decide: bool,
) -> Vec<Candidate> {
    let other = |(words, change)| Candidate { words, change, size: None };
    let mut list: Vec<Candidate> = Vec::new();
    if forecast.standing.iter().any(|still| still.lab == lab) {
        // More units stand still as well.
        list.extend(elsewhere(asked, forecast, lab).map(other));
    } else if decide {
        for more in [1, 3] {
            let (words, change) = more_units(asked, lab, stage, more);
            list.push(Candidate { words, change, size: Some((more, 1)) });
        }
        list.extend(elsewhere(asked, forecast, lab).map(other));
        for more in [1, 3] {
            list.extend(in_each(asked, forecast, more));
        }
    } else {
        list.extend(more_desks(asked, forecast).map(other));
    }
    list
}

fn more_units(asked: &Asked<'_>, lab: usize, stage: StageKind, more: u32) -> (Words, Change) {
    let (name, unit) = (&asked.round.labs[lab].1, Item::LabUnit(stage));
    let words = Words::new(
        format!("{}增加 {more} 台（个）{}", name.zh, unit.name().zh),
        format!("{more} more {} at {}", unit.english(more.into()), name.en),
    );
    let change: Change = Box::new(move |model, _| {
        let stage = &mut model.labs[lab].stages[stage.index()];
        stage.set_units(stage.units.saturating_add(more));
    });
    (words, change)
}

/// More units in every lab that would be late: where many end at about the same time, mending the last one gains nothing.
fn in_each(asked: &Asked<'_>, forecast: &Forecast, more: u32) -> Option<Candidate> {
    let last = forecast.labs.iter().map(|lab| lab.p50).max()?;
    // Late for the target; or, where nobody is, near the last one.
    let limit = if last > forecast.target { forecast.target } else { last.saturating_sub(HOUR) };
    let late: Vec<(usize, StageKind)> = (0..forecast.labs.len())
        .filter(|&lab| forecast.labs[lab].p50 > limit)
        .map(|lab| (lab, most_often(asked.kept, lab)))
        .collect();
    if late.len() < 2 {
        return None;
    }
    let names = |of: fn(&Words) -> &str, and: &str| {
        let labs = late.iter().take(3).map(|(lab, _)| of(&asked.round.labs[*lab].1));
        let mut names = labs.collect::<Vec<_>>().join(and);
        if late.len() > 3 {
            names.push_str(" …");
        }
        names
    };
    let n = late.len();
    let words = Words::new(
        format!("{n} 家实验室（{}）各在其瓶颈环节增加 {more} 台（个）", names(|w| &w.zh, "、")),
        format!(
            "{more} more at the binding stage of each of {n} labs ({})",
            names(|w| &w.en, ", ")
        ),
    );
    let change: Change = Box::new(move |model, _| {
        for &(lab, stage) in &late {
            let stage = &mut model.labs[lab].stages[stage.index()];
            stage.set_units(stage.units.saturating_add(more));
        }
    });
    Some(Candidate { words, change, size: Some((more, n)) })
}

/// Tubes of the last lab to the one that is done first of those that its streets reach: what is not yet at its door (what
/// is on the road is turned round, and taken to be there no later), and if that is not enough, what waits unopened.
fn elsewhere(asked: &Asked<'_>, forecast: &Forecast, from: usize) -> Option<(Words, Change)> {
    let (round, situation) = (asked.round, asked.of.situation);
    let newest = situation.readings.last()?;
    let ways = |street: usize| &round.problem.streets[round.source[street]].ways;
    let own = |i: &usize| round.model.streets[*i].lab == from;
    let streets: Vec<usize> = (0..round.model.streets.len()).filter(own).collect();
    let to = streets
        .iter()
        .flat_map(|&street| ways(street))
        .map(|way| way.lab)
        .filter(|lab| *lab != from)
        .min_by_key(|lab| forecast.labs[*lab].p50)?;
    let gap = forecast.labs[from].p50.checked_sub(forecast.labs[to].p50.max(forecast.at))?;
    // Half of what the last one does in the time between them: then both end together.
    let (rate, _) = lab_rate(&round.model.labs[from]);
    let tubes = (rate * f64::from(gap) / f64::from(HOUR) / 2.0) as u64;
    let mut left = tubes;
    let mut moved = Vec::new();
    for &street in &streets {
        let way = ways(street).iter().find(|way| way.lab == to);
        let count = newest.streets.get(street).copied().unwrap_or_default();
        let coming = round.model.streets[street].tubes().saturating_sub(count.delivered);
        if let (Some(way), true) = (way, coming > 0 && coming <= left) {
            let travel = (way.minutes * f64::from(MINUTE)) as Ms;
            moved.push((street, travel, round.travel_limit(street)));
            left -= coming;
        }
    }
    let coming = tubes - left;
    let count = newest.labs.get(from).copied().unwrap_or_default();
    // Single tubes of recalls go first where they are: they are not moved.
    let waiting = left.min(count.first_waiting());
    let all = coming + waiting;
    if all == 0 {
        return None;
    }
    let arrive = forecast.at.saturating_add(HOUR);
    let (a, b) = (&round.labs[from].1, &round.labs[to].1);
    let words = Words::new(
        format!("将{}的 {all} 管改送{}", a.zh, b.zh),
        format!("{all} {} of {} to {}", Words::tube_or_tubes(all), a.en, b.en),
    );
    let change: Change = Box::new(move |model, start| {
        for &(street, travel, limit) in &moved {
            model.streets[street].send_to(to, travel, limit);
        }
        let mut left = waiting;
        let mut taken = Vec::new();
        for waiting in start.labs[from].waiting[..StageKind::Extract.index()].iter_mut().rev() {
            while let Some(&(_, tubes)) = waiting.last() {
                if u64::from(tubes) > left {
                    break;
                }
                left -= u64::from(tubes);
                taken.push((arrive, tubes));
                waiting.pop();
            }
        }
        start.labs[to].waiting[0].extend(taken);
    });
    Some((words, change))
}

fn more_desks(asked: &Asked<'_>, forecast: &Forecast) -> Option<(Words, Change)> {
    let street = (0..forecast.streets.len()).max_by_key(|&i| forecast.streets[i].p50)?;
    let more = asked.round.model.streets[street].desks.div_ceil(5).max(1);
    let name = &asked.round.streets[street].name;
    let words = Words::new(
        format!("{}增设 {more} 个采样台", name.zh),
        format!("{more} more {} in {}", if more == 1 { "desk" } else { "desks" }, name.en),
    );
    let change: Change = Box::new(move |model, _| model.streets[street].desks += more);
    Some((words, change))
}

#[cfg(test)]
mod tests;
