//! Which street sends to which lab: the earliest finish that is possible, why it is not earlier, and an assignment.
//!
//! Pure and deterministic, like the rest of the planner; searches are bounded by counts. No solver for linear or
//! integer programs: the structure is a flow.
//!
//! In reading order:
//! - `model`: streets, labs, ways, and what can be wrong with them; `net`: the same as flat arrays;
//! - `dinic`: the largest flow; `bound`: the least T; `explain`: the minimum cut as a reason;
//! - `overflow`: the aim, with or without labs of other cities;
//! - `distance`: the shortest ways within the aim; `answer`: what is handed back;
//! - `why`: what is wrong with a problem, in words;
//! - `place`, `level`, `whole`: one-to-one (一一对应);
//! - `redispatch`: solving again during a round (统一调度);
//! - `example`: a made-up city to measure with.

mod answer;
mod bound;
mod dinic;
mod distance;
mod example;
mod explain;
mod level;
mod model;
mod net;
mod overflow;
mod place;
mod redispatch;
#[cfg(test)]
mod tests;
mod whole;
mod why;

pub use answer::{Assignment, LabLoad, Options, Overflow, Share, Shares, Whole};
pub use example::example;
pub use explain::{Bound, Cut};
pub use model::{Error, LABS_MAX, Lab, Problem, Street, TUBES_MAX, Way};
pub use redispatch::{Moved, Redispatch, Standing, redispatch};

use crate::planner::city::{Words, grouped};
use net::Net;
use place::Place;
use std::cmp::Ordering;

/// What the hours of an assignment are, and why a round takes longer. Said wherever they are told.
pub fn by_mean_pace() -> Words {
    Words::new(
        "分派中的小时数按各实验室的平均速率计算，如同首箱送达后样本随时都有：是分配街道的依据，也是下限；样本陆续送达和仪器休息的影响见流体层和模拟，完成时间以其为准。",
        "The hours of the assignment take every lab at its mean pace, as if its tubes were there from its first box on: they \
         deal the streets, and are a bound. That tubes come by and by and instruments rest is in the flows and the \
         simulation: theirs is the time at which the round is done.",
    )
}

/// The bound alone: the least finish with the city's own labs, and its reason. Some milliseconds for a large city.
///
/// # Errors
/// As [`Problem::check`].
pub fn bound(problem: &Problem) -> Result<Bound, Error> {
    problem.check()?;
    let own = Net::new(problem, |_, lab| !problem.labs[lab].outside);
    Ok(overflow::bound(&own))
}

/// The shares alone: bound, overflow, and the least tube-kilometres, without the one-to-one assignment.
///
/// # Errors
/// As [`Problem::check`], and options out of range.
pub fn shares(problem: &Problem, options: &Options) -> Result<Shares, Error> {
    problem.check()?;
    check_options(options)?;
    let net = Net::new(problem, |_, _| true);
    let aim = overflow::aim(problem, &net, options.target_h);
    let within_h = overflow::within(aim.hours, options.target_h, options.slack);
    let sent = distance::cheapest(&net, &distance::costs(&net), rooms(&net, within_h));
    Ok(Shares::new(&net, &sent.tubes, within_h))
}

/// The assignment. `previous` is the lab per street of an earlier one-to-one assignment: it is kept unless the new one
/// ends earlier, or as early with less way. So solving what is solved changes nothing.
///
/// # Errors
/// As [`Problem::check`], options out of range, and a `previous` of a wrong length.
pub fn solve(
    problem: &Problem,
    options: &Options,
    previous: Option<&[Option<usize>]>,
) -> Result<Assignment, Error> {
    problem.check()?;
    check_options(options)?;
    if let Some(previous) = previous {
        check_length("previous labs", previous.len(), problem.streets.len())?;
    }
    let net = Net::new(problem, |_, _| true);
    let aim = overflow::aim(problem, &net, options.target_h);
    let within_h = overflow::within(aim.hours, options.target_h, options.slack);
    let sent = distance::cheapest(&net, &distance::costs(&net), rooms(&net, within_h)).tubes;
    let shares = Shares::new(&net, &sent, within_h);
    let outside = |share: &&Share| problem.labs[share.lab].outside;
    let over: Vec<Share> = shares.sent.iter().filter(outside).copied().collect();
    let overflow = Overflow { tubes: over.iter().map(|share| share.tubes).sum(), sent: over };
    let whole = one_to_one(problem, &net, &sent, &aim, previous);

    let words = words(problem, &aim, &whole, &overflow);
    Ok(Assignment {
        bound: aim.inside,
        bound_with_outside: aim.all,
        aim_h: aim.hours,
        shares,
        whole,
        overflow,
        words,
    })
}

/// Whole streets; labs outside only for the streets whose shares go there.
fn one_to_one(
    problem: &Problem,
    all: &Net,
    sent: &[u64],
    aim: &overflow::Aim,
    previous: Option<&[Option<usize>]>,
) -> Whole {
    let share = |street: usize, lab: usize| all.arc(street, lab).map_or(0, |arc| sent[arc]);
    let net = Net::new(problem, |street, lab| !problem.labs[lab].outside || share(street, lab) > 0);
    let cost = distance::costs(&net);
    let sent: Vec<u64> =
        (0..net.arcs()).map(|arc| share(net.street_of[arc], net.lab_of[arc])).collect();
    let soonest = |street: usize| {
        let alone = |arc: usize| net.finish_h(net.lab_of[arc], net.tubes[street]);
        net.arcs_of(street).map(alone).fold(f64::INFINITY, f64::min)
    };
    let busy = (0..net.streets()).filter(|&street| net.tubes[street] > 0);
    let alone_h = busy.map(soonest).fold(0.0, f64::max);
    let enough_h = aim.hours.max(alone_h);
    let start = whole::rounded(&net, &cost, &sent);
    let mut arcs = whole::improve(&net, &cost, &start, enough_h);
    if let Some(before) = previous.and_then(|labs| arcs_to(&net, labs)) {
        let value = |arcs: &[Option<usize>]| {
            let place = Place::new(&net, arcs);
            (place.last().1.max(enough_h), place.cost(&cost))
        };
        let (old, new) = (value(&before), value(&arcs));
        if new.0 > old.0 || (new.0 == old.0 && new.1 >= old.1) {
            arcs = before;
        }
    }
    let bound_h = aim.bound_h(&net);
    Whole::new(&net, &arcs, bound_h, bound_h.max(alone_h))
}

/// The arcs to these labs; None when a street with tubes has none or may not use it.
fn arcs_to(net: &Net, labs: &[Option<usize>]) -> Option<Vec<Option<usize>>> {
    let arc = |(street, lab): (usize, &Option<usize>)| {
        let arc = lab.and_then(|lab| net.arc(street, lab));
        (arc.is_some() || net.tubes[street] == 0).then_some(arc)
    };
    labs.iter().enumerate().map(arc).collect()
}

/// Whole tubes that each lab can do in so many hours.
fn rooms(net: &Net, hours: f64) -> Vec<u64> {
    (0..net.labs()).map(|lab| net.room(lab, hours)).collect()
}

fn words(problem: &Problem, aim: &overflow::Aim, whole: &Whole, overflow: &Overflow) -> Words {
    let Words { mut zh, mut en } = aim.inside.words(problem);
    if whole.finish_h > 0.0 {
        let (finish, bound, gap) = (whole.finish_h, whole.bound_h, 100.0 * whole.gap.max(0.0));
        zh += &format!("一一对应方案{finish:.1}小时完成，比下限{bound:.1}小时多{gap:.2}%");
        en += &format!(
            " One-to-one, the city is done in {finish:.1} h, {gap:.2} % above the bound of {bound:.1} h"
        );
        // As little as possible goes to other cities, so the city ends when it has to and not when it could.
        if bound < aim.hours {
            zh += &format!("（外市实验室均参与时的下限），外送量以{:.1}小时完成为准", aim.hours);
            en += &format!(
                " with every lab of other cities; what goes there is what {:.1} h asks for",
                aim.hours
            );
        }
        (zh, en) = (zh + "。", en + ".");
    }
    if overflow.tubes > 0 {
        let mut labs: Vec<usize> = overflow.sent.iter().map(|share| share.lab).collect();
        labs.sort_unstable();
        labs.dedup();
        let mut streets: Vec<usize> = overflow.sent.iter().map(|share| share.street).collect();
        streets.dedup();
        let (tubes, streets, labs) = (overflow.tubes, streets.len(), labs.len());
        let n = grouped(tubes);
        zh += &format!("至少有{n}管须外送：来自{streets}个街道，送往外市{labs}家检测机构。");
        en += &format!(
            " At least {} must go to other cities: from {}, to {}.",
            Words::many(tubes, "tube"),
            Words::many(streets as u64, "street"),
            Words::many(labs as u64, "lab"),
        );
        if let Some(why) = whole_outside(problem, whole, tubes) {
            zh += &why.zh;
            en += &format!(" {}", why.en);
        }
    }
    Words::new(zh.trim(), en.trim())
}

/// Why whole streets send more or fewer tubes to other cities than must go there, `least`; `None` where they send as many.
pub fn whole_outside(problem: &Problem, whole: &Whole, least: u64) -> Option<Words> {
    let outside = |(lab, load): (usize, &LabLoad)| {
        problem.labs.get(lab)?.outside.then_some((load.streets, load.tubes))
    };
    let (mut streets, mut tubes) = (0, 0);
    for (of, n) in whole.labs.iter().enumerate().filter_map(outside) {
        (streets, tubes) = (streets + of, tubes + n);
    }
    let (n, go) = (grouped(tubes), if streets == 1 { "goes" } else { "go" });
    let (zh, en) = match tubes.cmp(&least) {
        Ordering::Equal => return None,
        Ordering::Greater => (
            format!("比至少须外送的多{}管", grouped(tubes - least)),
            format!("{} more than must", grouped(tubes - least)),
        ),
        Ordering::Less => (
            format!(
                "比至少须外送的少{}管，因此{:.1}小时才完成",
                grouped(least - tubes),
                whole.finish_h
            ),
            format!(
                "{} fewer than must, so it ends only at {:.1} h",
                grouped(least - tubes),
                whole.finish_h
            ),
        ),
    };
    Some(Words::new(
        format!("一一对应时街道不可分拆，整条外送或整条留下：外送{streets}个街道共{n}管，{zh}。"),
        format!(
            "One-to-one a street is not divided and goes or stays as a whole: {} with {n} tubes {go}, {en}.",
            Words::many(streets as u64, "street")
        ),
    ))
}

fn check_options(options: &Options) -> Result<(), Error> {
    check_range("slack", options.slack, 0.0, 10.0)?;
    options.target_h.map_or(Ok(()), |h| check_range("target in hours", h, 0.0, 1e6))
}

fn check_range(what: &'static str, value: f64, low: f64, high: f64) -> Result<(), Error> {
    match (low..=high).contains(&value) {
        true => Ok(()),
        false => Err(Error::BadOption { what, value, low, high }),
    }
}

fn check_length(what: &'static str, has: usize, expected: usize) -> Result<(), Error> {
    match has == expected {
        true => Ok(()),
        false => Err(Error::Length { what, has, expected }),
    }
}
