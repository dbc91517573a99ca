//! How much a search for remedies may simulate, and how far it got.
//!
//! Counted and not timed, in tubes that were simulated, so that the same question has the same answer on every machine. The
//! cities that are built in stay far below the limit; one of a hundred million people meets it, is told so, and gets the best of
//! what was tried.

use std::cell::Cell;

use super::layers::Dice;
use super::progress::Progress;
use crate::planner::Words;
use crate::planner::model::Model;

/// Tubes that a search may simulate: about a minute of one processor's time.
pub(super) const TUBES_MAX: u64 = 7_000_000_000;
/// Tubes that are simulated to confirm what was found, where that is not less than the replications of a try.
const CONFIRM_TUBES: u64 = 400_000_000;

/// A search that goes on.
pub(super) struct Search<'p> {
    progress: &'p Progress,
    limit: u64,
    /// Up to here in the part that is being searched, so that the parts after it have theirs.
    until: Cell<u64>,
    spent: Cell<u64>,
    tries: Cell<u64>,
    left_out: Cell<u64>,
}

/// How far a search got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Searched {
    /// Changed rounds, or labs of them, that were simulated.
    pub tries: u64,
    /// Of those that were to come at least so many were left out for the limit.
    pub left_out: u64,
    /// The limit, in tubes that are simulated.
    pub tubes_max: u64,
    /// Replications with which what was found was confirmed.
    pub confirmed_with: usize,
    /// Whether these are fewer than were asked for, because the city is very large.
    pub fewer: bool,
}

impl<'p> Search<'p> {
    /// A search with a limit, in tubes.
    pub fn new(limit: u64, progress: &'p Progress) -> Search<'p> {
        Search {
            progress,
            limit,
            until: Cell::new(limit),
            spent: Cell::new(0),
            tries: Cell::new(0),
            left_out: Cell::new(0),
        }
    }

    /// The part that comes now may go on until so many percent of the limit are spent.
    pub fn part(&self, percent: u64) {
        self.until.set(self.limit / 100 * percent);
    }

    /// Whether so many more tubes may be simulated.
    pub fn may(&self, tubes: u64) -> bool {
        self.spent.get().saturating_add(tubes) <= self.until.get()
    }

    /// Tubes that may still be simulated in the part that is being searched.
    pub fn room(&self) -> u64 {
        self.until.get().saturating_sub(self.spent.get())
    }

    /// Counts a try of so many tubes, and says how far it is.
    pub fn spend(&self, tubes: u64) {
        self.spent.set(self.spent.get().saturating_add(tubes));
        self.tries.set(self.tries.get() + 1);
        let n = self.tries.get();
        self.progress.tell(&|| {
            Words::new(format!("寻找措施：第 {n} 次试算"), format!("looking for remedies: try {n}"))
        });
    }

    /// Counts tries that are left out for the limit.
    pub fn leave_out(&self, tries: u64) {
        self.left_out.set(self.left_out.get() + tries);
    }

    /// How far it got.
    pub fn searched(&self, confirmed_with: usize, fewer: bool) -> Searched {
        Searched {
            tries: self.tries.get(),
            left_out: self.left_out.get(),
            tubes_max: self.limit,
            confirmed_with,
            fewer,
        }
    }
}

/// Tubes that so many replications of a round simulate.
pub(super) fn tubes(model: &Model, dice: Dice) -> u64 {
    model.tubes().saturating_mul(dice.replications as u64)
}

/// Replications that confirm what was found: as many as were asked for and `most`, but of a very large city fewer, and never fewer
/// than `least`.
pub(super) fn confirming(model: &Model, dice: Dice, least: usize, most: usize) -> Dice {
    let affordable = CONFIRM_TUBES / model.tubes().max(1);
    dice.at_most(most.min(usize::try_from(affordable).unwrap_or(most)).max(least))
}

/// Tubes that are simulated of the city with everything filled, which is there for one sentence: its many desks fill boxes of their
/// own, so a tube costs several times what one of the city costs. About a minute; up to thirty million people it is all that was
/// asked for by default.
const FILLED_TUBES: u64 = 600_000_000;
/// Never fewer replications than these: a median of them.
const FILLED_MIN: usize = 3;

/// Replications of the city with everything filled: as many as were asked for, but of a very large city fewer.
pub(super) fn filling(model: &Model, dice: Dice) -> Dice {
    let affordable = FILLED_TUBES / model.tubes().max(1);
    dice.at_most(usize::try_from(affordable).unwrap_or(usize::MAX).max(FILLED_MIN))
}

impl Searched {
    /// That the limit was reached, or that what was found was confirmed with fewer replications than were asked for, and what that
    /// means; `None` where neither is so.
    pub fn words(&self) -> Option<Words> {
        let (mut zh, mut en) = (Vec::new(), Vec::new());
        if self.left_out > 0 {
            let (n, of) = (self.tries, self.tries + self.left_out);
            let millions = super::words::grouped(self.tubes_max / 1_000_000);
            zh.push(format!(
                "寻找措施到达上限（共模拟 {millions} 百万管）：至少 {of} 次试算中完成 {n} 次；所列为已试中最好的，未必最早，也未必最少。"
            ));
            en.push(format!(
                "The search for remedies ended at its limit of {millions} million simulated tubes: {n} of at least {of} tries were \
                 made. What is told is the best of these; it need be neither the earliest nor the least."
            ));
        }
        if self.fewer {
            let n = self.confirmed_with;
            zh.push(format!("城市很大，各项措施以 {n} 次模拟确认。"));
            en.push(format!("In so large a city measures are confirmed with {n} replications."));
        }
        (!zh.is_empty()).then(|| Words::new(zh.concat(), en.join(" ")))
    }
}
