//! During a round: who should change labs now, for what is left to send.
//!
//! Every lab has a backlog inside, which counts as work: it can begin on new tubes only after backlog / rate, however
//! near they are. A street changes its lab only when that is worth more than the penalty.
//!
//! Solving again changes nothing; why, stands in `level`.

use super::answer::{LabLoad, Options, Whole, gap};
use super::explain::Bound;
use super::level::Level;
use super::model::{Error, Problem};
use super::net::Net;
use super::{distance, overflow, whole};
use crate::planner::city::Words;

/// The head start of a lab whose backlog never ends, in hours.
const NEVER_H: f64 = 87_600.0;

/// Where a round stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What is left: tubes not yet sent per street; rates as they are now; head starts counted from now.
    pub left: &'a Problem,
    /// Per lab: tubes inside or on their way to it.
    pub backlog: &'a [u64],
    /// Per street: the lab it sends to now, if any.
    pub current: &'a [Option<usize>],
    /// Minutes per tube that a change of labs must gain. 0 to 100,000. A tube that is done a minute earlier gains one
    /// minute; a round that is over a minute earlier gains one minute for every tube that is left.
    pub penalty_min: f64,
}

/// Who should change labs.
#[derive(Clone, Debug, PartialEq)]
pub struct Redispatch {
    /// Per street: its lab from now on. None for a street without tubes that has none.
    pub lab_of: Vec<Option<usize>>,
    /// The streets with tubes whose lab is another than before.
    pub moved: Vec<Moved>,
    /// When the last lab is done if nobody changes, in hours; None when a street with tubes cannot stay.
    pub finish_before_h: Option<f64>,
    /// When the last lab is done, backlogs included, in hours.
    pub finish_h: f64,
    /// The bound of what is left, and its reason.
    pub bound: Bound,
    /// No assignment, of divided streets either, ends earlier: the bound, where other cities' labs help that with all of
    /// them, or the longest backlog. Hours.
    pub least_h: f64,
    /// What is aimed at, in hours: with overflow the target, if it is later than the bound.
    pub aim_h: f64,
    /// finish / least − 1.
    pub gap: f64,
    /// Per lab: streets, tubes still to come, and when they are done.
    pub labs: Vec<LabLoad>,
    /// Labs that cannot work, with a backlog: (index, tubes). Those tubes must be fetched; no finish includes them.
    pub stuck: Vec<(usize, u64)>,
    /// Whether no single move or exchange is left that would gain. Else the search was cut off.
    pub settled: bool,
    /// What changes, in a sentence.
    pub words: Words,
}

/// A street that changes labs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Index of the street.
    pub street: usize,
    /// The lab it leaves; None if it had none that it may use.
    pub from: Option<usize>,
    /// The lab it goes to.
    pub to: usize,
    /// Its tubes.
    pub tubes: u64,
    /// What going back by itself would cost, in minutes per tube: never less than the penalty, unless going back
    /// would end the round later than if nobody had changed. None if it cannot stay.
    pub gain_min: Option<f64>,
}

/// Solves again on what is left of a round.
///
/// # Errors
/// As [`Problem::check`], and lists of a wrong length or a penalty out of range.
pub fn redispatch(standing: &Standing, options: &Options) -> Result<Redispatch, Error> {
    let Standing { left, backlog, current, penalty_min } = *standing;
    left.check()?;
    super::check_options(options)?;
    super::check_range("penalty in minutes", penalty_min, 0.0, 100_000.0)?;
    super::check_length("backlog", backlog.len(), left.labs.len())?;
    super::check_length("current labs", current.len(), left.streets.len())?;
    let (problem, stuck, backlog_h) = with_backlog(left, backlog);

    let net = Net::new(&problem, |_, _| true);
    let aim = overflow::aim(&problem, &net, options.target_h);
    let within_h = overflow::within(aim.hours, options.target_h, options.slack);
    let cost = distance::costs(&net);
    let sent = distance::cheapest(&net, &cost, net.rooms(|_| within_h)).tubes;
    // Labs outside are for the streets that must use them, and for those that send there already.
    let net = Net::new(&problem, |street, lab| {
        !problem.labs[lab].outside
            || current[street] == Some(lab)
            || net.arc(street, lab).is_some_and(|arc| sent[arc] > 0)
    });

    let stay: Vec<Option<usize>> = current
        .iter()
        .enumerate()
        .map(|(street, lab)| lab.and_then(|lab| net.arc(street, lab)))
        .collect();
    let mut search = Level::new(&net, stay.clone(), penalty_min / 60.0, backlog_h);
    let can_stay = (0..net.streets()).all(|i| net.tubes[i] == 0 || stay[i].is_some());
    let finish_before_h = can_stay.then(|| search.place.last().1.max(backlog_h));
    let aim_h = aim.hours.max(backlog_h);
    let least_h = aim.bound_h(&net).max(backlog_h);
    let settled = search.search(&distance::costs(&net), aim_h * whole::NEAR_ENOUGH);

    let placed = Whole::new(&net, &search.place.arcs(), least_h, least_h);
    let finish_h = placed.finish_h.max(backlog_h);
    // Where a street without tubes stands is no move: it keeps what it has.
    let mut lab_of = placed.lab_of;
    for (street, lab) in lab_of.iter_mut().enumerate().filter(|(i, _)| net.tubes[*i] == 0) {
        *lab = current[street];
    }
    let moved = search.moved();
    let words = sentence(&moved, finish_before_h, finish_h);
    Ok(Redispatch {
        lab_of,
        moved,
        finish_before_h,
        finish_h,
        bound: aim.inside,
        least_h,
        aim_h,
        gap: gap(finish_h, least_h),
        labs: placed.labs,
        stuck,
        settled,
        words,
    })
}

/// The problem with head starts that wait for the backlog; labs stuck with one; the longest backlog in hours.
fn with_backlog(left: &Problem, backlog: &[u64]) -> (Problem, Vec<(usize, u64)>, f64) {
    let mut problem = left.clone();
    let (mut stuck, mut longest_h) = (Vec::new(), 0.0_f64);
    for (lab, (it, &tubes)) in problem.labs.iter_mut().zip(backlog).enumerate() {
        if tubes == 0 {
            continue;
        }
        if it.rate == 0.0 {
            stuck.push((lab, tubes));
            continue;
        }
        let busy_h = tubes as f64 / it.rate;
        longest_h = longest_h.max(busy_h);
        // It works the backlog while the first boxes are on their way: the longer of the two, not the sum.
        it.head_start_h = it.head_start_h.max(busy_h).min(NEVER_H);
    }
    (problem, stuck, longest_h)
}

impl Level<'_> {
    /// The streets with tubes that end up at another lab, and what that is worth.
    fn moved(&self) -> Vec<Moved> {
        let net = self.net;
        let moved = |street: usize| {
            let (tubes, stay, to) = (net.tubes[street], self.stay[street], self.place.lab(street));
            let from = stay.map(|arc| net.lab_of[arc]);
            if from == Some(to) {
                return None;
            }
            let gain_min = self.cost_of_return(street).map(|hours| 60.0 * hours);
            Some(Moved { street, from, to, tubes, gain_min })
        };
        (0..net.streets()).filter(|&street| net.tubes[street] > 0).filter_map(moved).collect()
    }
}

fn sentence(moved: &[Moved], before_h: Option<f64>, after_h: f64) -> Words {
    let (n, tubes) = (moved.len(), moved.iter().map(|moved| moved.tubes).sum::<u64>());
    if n == 0 {
        return Words::new(
            "无需调整：各街道仍送原检测机构。",
            "No change: every street keeps its lab.",
        );
    }
    let (zh, en) = match before_h {
        Some(before) => (
            format!("，全市完成时间由{before:.1}小时变为{after_h:.1}小时"),
            format!("; the city is done in {after_h:.1} h instead of {before:.1} h"),
        ),
        None => {
            (format!("，全市{after_h:.1}小时完成"), format!("; the city is done in {after_h:.1} h"))
        }
    };
    let change = if n == 1 { "street changes its lab" } else { "streets change their labs" };
    Words::new(
        format!("{n}个街道改送其他检测机构，共{tubes}管{zh}。"),
        format!("{n} {change}, {} in all{en}.", Words::many(tubes, "tube")),
    )
}
