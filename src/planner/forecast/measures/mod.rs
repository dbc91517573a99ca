//! What sets the pace, and what would mend it.
//!
//! A measure is tried: the draws of the forecast are run again with it, with the same chance, and what the median gains is
//! its effect. So measures can be compared with each other, and a measure that only moves the bottleneck shows that.

use super::past::collected;
use super::{Bottleneck, Error, Forecast, Kept, Measure, Of, Regime, Standstill};
use crate::planner::city::{StageKind, Words};
use crate::planner::fluid::pipeline;
use crate::planner::model::{HOUR, MINUTE, Model, Ms};
use crate::planner::round::Round;
use crate::planner::rules::Item;
use crate::planner::simulate::Start;
use crate::planner::study::Quantiles;

/// Draws with which a measure is tried.
const TRIED: usize = 50;
/// A gain below this is not worth a sentence.
const WORTH: Ms = 5 * MINUTE;
/// Measures that are told.
const TOLD: usize = 3;

/// What sets the pace of a round that is not done.
pub(super) fn regime(
    of: &Of<'_>,
    kept: &[Kept],
    finish: &Quantiles,
    delivered: &Quantiles,
) -> Regime {
    let Some(newest) = of.situation.readings.last() else { return Regime::Collecting };
    let after = of.model.labs.iter().map(pipeline).max().unwrap_or(0).saturating_add(HOUR / 2);
    if finish.p50 > delivered.p50.max(newest.at).saturating_add(after) {
        return Regime::Backlog;
    }
    // Of the people who come, by what was learned of them: seldom those whom the plan thought of.
    let queue = kept.iter().map(|k| k.queue).sum::<f64>() / kept.len().max(1) as f64;
    if (collected(newest) as f64) < queue * 0.98 { Regime::Collecting } else { Regime::Stragglers }
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

/// Adds the bottleneck and the measures.
///
/// # Errors
/// When it was stopped.
pub(super) fn advise(asked: &Asked<'_>, forecast: &mut Forecast) -> Result<(), Error> {
    if forecast.regime == Regime::Done || asked.kept.is_empty() {
        return Ok(());
    }
    let latest = |times: &[Quantiles]| (0..times.len()).max_by_key(|&i| times[i].p50);
    let Some(lab) = latest(&forecast.labs) else { return Ok(()) };
    let stage = most_often(asked.kept, lab);
    let still = forecast.standing.iter().find(|still| still.lab == lab);
    forecast.bottleneck = Some(match (forecast.regime, still) {
        (_, Some(still)) => standing(asked, still),
        (Regime::Collecting | Regime::Stragglers, None) => at_the_desks(asked, forecast),
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
    let mut tried = Vec::new();
    for (words, change) in candidates(asked, forecast, lab, stage) {
        let with = asked.of.particles(first.len(), asked.go_on, &*change)?;
        let saves = base.saturating_sub(median(&with));
        // What it changes on the same draws, on top of what all draws say.
        let more = in_time(&with, forecast.target) - in_time(first, forecast.target);
        let in_time = (forecast.in_time + more).clamp(0.0, 1.0);
        if saves >= WORTH {
            tried.push(Measure { words, saves, in_time });
        }
    }
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

fn at_the_desks(asked: &Asked<'_>, forecast: &Forecast) -> Bottleneck {
    let street = (0..forecast.streets.len()).max_by_key(|&i| forecast.streets[i].p50);
    let name = street.map_or_else(Words::default, |i| asked.round.streets[i].name.clone());
    let words = if forecast.regime == Regime::Collecting {
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
    Bottleneck { lab: None, stage: None, street, from: forecast.at, words }
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
    let from = backlog_since(asked, lab, stage);
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

/// Since when the half of the lab in which the stage is has had more tubes than its units hold.
fn backlog_since(asked: &Asked<'_>, lab: usize, stage: StageKind) -> Ms {
    let plates = StageKind::Extract.index();
    let late = stage.index() >= plates;
    let stages = &asked.round.model.labs[lab].stages;
    let half = if late { &stages[plates..] } else { &stages[..plates] };
    let room: u64 = half.iter().map(|s| u64::from(s.units) * u64::from(s.batch)).sum();
    let mut since = asked.of.situation.readings.last().map_or(0, |newest| newest.at);
    for reading in asked.of.situation.readings.iter().rev() {
        let Some(count) = reading.labs.get(lab) else { break };
        let inside = if late {
            count.plated.saturating_sub(count.resulted)
        } else {
            count.received.saturating_sub(count.plated)
        };
        if inside <= room {
            break;
        }
        since = reading.at;
    }
    since
}

/// What might help.
fn candidates(
    asked: &Asked<'_>,
    forecast: &Forecast,
    lab: usize,
    stage: StageKind,
) -> Vec<(Words, Change)> {
    let mut list: Vec<(Words, Change)> = Vec::new();
    if forecast.standing.iter().any(|still| still.lab == lab) {
        // More units stand still as well.
        list.extend(elsewhere(asked, forecast, lab));
    } else if forecast.regime == Regime::Backlog {
        for more in [1, 3] {
            list.push(more_units(asked, lab, stage, more));
        }
        list.extend(elsewhere(asked, forecast, lab));
        for more in [1, 3] {
            list.extend(in_each(asked, forecast, more));
        }
    } else {
        list.extend(more_desks(asked, forecast));
    }
    list
}

fn more_units(asked: &Asked<'_>, lab: usize, stage: StageKind, more: u32) -> (Words, Change) {
    let (name, unit) = (&asked.round.labs[lab].1, Item::LabUnit(stage).name());
    let words = Words::new(
        format!("{}增加 {more} 台（个）{}", name.zh, unit.zh),
        format!("{more} more {} at {}", unit.en, name.en),
    );
    let change: Change = Box::new(move |model, _| {
        let stage = &mut model.labs[lab].stages[stage.index()];
        stage.set_units(stage.units.saturating_add(more));
    });
    (words, change)
}

/// More units in every lab that would be late: where many end at about the same time, mending the last one gains nothing.
fn in_each(asked: &Asked<'_>, forecast: &Forecast, more: u32) -> Option<(Words, Change)> {
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
    Some((words, change))
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
    let (rate, _) = crate::planner::round::lab_rate(&round.model.labs[from]);
    let tubes = (rate * f64::from(gap) / f64::from(HOUR) / 2.0) as u64;
    let mut left = tubes;
    let mut moved = Vec::new();
    for &street in &streets {
        let way = ways(street).iter().find(|way| way.lab == to);
        let count = newest.streets.get(street).copied().unwrap_or_default();
        let coming = round.model.streets[street].tubes().saturating_sub(count.delivered);
        if let (Some(way), true) = (way, coming > 0 && coming <= left) {
            let travel = (way.minutes * f64::from(MINUTE)) as Ms;
            moved.push((street, travel.min(round.model.streets[street].travel_max)));
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
        for &(street, travel) in &moved {
            model.streets[street].lab = to;
            model.streets[street].travel = travel.max(MINUTE);
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
        format!("{more} more desks in {}", name.en),
    );
    let change: Change = Box::new(move |model, _| model.streets[street].desks += more);
    Some((words, change))
}

#[cfg(test)]
mod tests;
