//! Which street sends to which lab: the earliest finish that is possible, why it is not earlier, and an assignment.
//!
//! Pure and deterministic, like the rest of the planner; searches are bounded by counts. No solver for linear or
//! integer programs: the structure is a flow.
//!
//! In reading order:
//! - `model`: streets, labs, ways, and what can be wrong with them; `net`: the same as flat arrays;
//! - `dinic`: the largest flow; `bound`: the least T; `explain`: the minimum cut as a reason;
//! - `overflow`: the aim, with or without labs of other cities; `levels`: when each lab is due;
//! - `distance`: the shortest ways within the aim; `answer`: what is handed back;
//! - `why`: what is wrong with a problem, in words;
//! - `one_to_one`, with `place`, `level`, `whole`: one-to-one (一一对应);
//! - `redispatch`: solving again during a round (统一调度);
//! - `example`: a made-up city to measure with.

mod answer;
mod bound;
mod dinic;
mod distance;
mod example;
mod explain;
mod level;
mod levels;
mod model;
mod net;
mod one_to_one;
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
use levels::Levels;
use net::Net;
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
    let levels = Levels::new(&net, &aim, options.target_h, options.floor_h);
    Ok(divided(&net, &aim, &levels, options).0)
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
    let levels = Levels::new(&net, &aim, options.target_h, options.floor_h);
    let (shares, sent) = divided(&net, &aim, &levels, options);
    let outside = |share: &&Share| problem.labs[share.lab].outside;
    let over: Vec<Share> = shares.sent.iter().filter(outside).copied().collect();
    let overflow = Overflow { tubes: over.iter().map(|share| share.tubes).sum(), sent: over };
    let whole = one_to_one::solve(&net, &sent, &aim, &levels, previous);

    let then: Vec<Bound> =
        levels.bounds.iter().skip(1).filter(|bound| !bound.cuts.is_empty()).cloned().collect();
    let words = words(problem, &aim, &then, &whole, &overflow);
    Ok(Assignment {
        then,
        bound: aim.inside,
        bound_with_outside: aim.all,
        aim_h: aim.hours,
        shares,
        whole,
        overflow,
        words,
    })
}

/// The least tube-kilometres with every lab done when it is due: as shares, and as tubes per arc.
fn divided(
    net: &Net,
    aim: &overflow::Aim,
    levels: &Levels,
    options: &Options,
) -> (Shares, Vec<u64>) {
    let within_h = overflow::within(aim.hours, options.target_h, options.slack);
    // Each lab until it is due, or a little later for the sake of shorter ways.
    let until_h = |lab| overflow::within(levels.due_h(lab), options.target_h, options.slack);
    // A room is whole tubes: what that is too much of one level must not let another level's tubes in.
    let own = levels.own(net);
    let found = distance::cheapest(&own, &distance::costs(&own), own.rooms(until_h)).tubes;
    let of = |arc: usize| own.arc(net.street_of[arc], net.lab_of[arc]).map_or(0, |arc| found[arc]);
    let sent: Vec<u64> = (0..net.arcs()).map(of).collect();
    (Shares::new(net, &sent, within_h), sent)
}

fn words(
    problem: &Problem,
    aim: &overflow::Aim,
    then: &[Bound],
    whole: &Whole,
    overflow: &Overflow,
) -> Words {
    let Words { mut zh, mut en } = aim.inside.words(problem);
    if let Some(next) = explain::then(problem, then) {
        zh += &next.zh;
        en += &format!(" {}", next.en);
    }
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
    check_range("floor in hours", options.floor_h, 0.0, f64::INFINITY)?;
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
