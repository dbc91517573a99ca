//! Taking away again what a remedy does not need, until nothing more can be left out.
//!
//! Labs do not touch each other, and what one unit more or fewer does to a lab needs that lab alone to be reckoned again,
//! with the same chance. So hundreds of tries cost about as much as a few simulations of the city. They are counted, not
//! timed: the same question has the same answer on every machine.

use super::grow::with_units;
use super::layers::{Dice, Layers};
use super::search::{Search, tubes};
use crate::planner::StageKind;
use crate::planner::fluid;
use crate::planner::model::{Model, Ms, Street};
use crate::planner::round::Doubt;
use crate::planner::study::{self, Quantiles};

/// Most labs that are reckoned again on the way down, with the few replications of a try.
pub(super) const TRIES_MAX: usize = 400;
/// Most labs that are reckoned again to see that nothing can be left out, with all replications.
pub(super) const CHECKS_MAX: usize = 120;
/// Most kinds of things of which that is tried at all: two rounds through them must be within `CHECKS_MAX`.
const THINGS_MAX: usize = 40;

/// When each lab is done in each replication, and so the city: what a change to one lab makes of it.
pub(super) struct Judge<'l> {
    doubt: &'l Doubt,
    dice: Dice,
    /// By lab, by replication; without replications, the flows' one time.
    finishes: Vec<Vec<Ms>>,
    /// Labs that may still be reckoned again.
    left: usize,
    search: &'l Search<'l>,
}

/// When the city is done, by replication, of labs of which that is known.
pub(super) fn city_finishes(labs: &[Vec<Ms>]) -> Vec<Ms> {
    let replications = labs.first().map_or(0, Vec::len);
    (0..replications).map(|r| labs.iter().map(|lab| lab[r]).max().unwrap_or(0)).collect()
}

impl<'l> Judge<'l> {
    /// Of a model of this round of which it is known when each lab is done with these dice; `left` labs may be reckoned again,
    /// as far as the search goes.
    pub fn new(
        layers: &'l Layers,
        dice: Dice,
        finishes: Vec<Vec<Ms>>,
        left: usize,
        search: &'l Search<'l>,
    ) -> Judge<'l> {
        Judge { doubt: &layers.round.doubt, dice, finishes, left, search }
    }

    /// When each lab is done, as it was accepted last.
    pub fn into_finishes(self) -> Vec<Vec<Ms>> {
        self.finishes
    }

    fn lab(&self, model: &Model, lab: usize) -> Vec<Ms> {
        match self.dice.replications {
            0 => vec![fluid::end_of_lab(model, lab, &model.labs[lab])],
            n => study::lab_finishes(model, Some(self.doubt), self.dice.seed, n, lab),
        }
    }

    /// Counts a try of these labs; whether it may be made, which is told where it may not.
    fn spend(&self, model: &Model, labs: &[usize]) -> bool {
        let streets = model.streets.iter().filter(|street| labs.contains(&street.lab));
        let tubes = streets.map(Street::tubes).sum::<u64>() * self.dice.replications as u64;
        let may = self.search.may(tubes);
        match may {
            true => self.search.spend(tubes),
            false => self.search.leave_out(1),
        }
        may
    }

    /// How often every lab of a model may still be tried before the search is at its limit.
    pub fn rounds_left(&self, model: &Model) -> u64 {
        self.search.room() / tubes(model, self.dice).max(1)
    }

    /// When a lab of a changed model is done; none when the search is at its limit.
    pub fn tried(&self, model: &Model, lab: usize) -> Option<Vec<Ms>> {
        self.spend(model, &[lab]).then(|| self.lab(model, lab))
    }

    /// When a lab is done as it was accepted last, replication by replication.
    pub fn of(&self, lab: usize) -> &[Ms] {
        &self.finishes[lab]
    }

    /// Accepts what was tried of a lab.
    pub fn accept(&mut self, lab: usize, finishes: Vec<Ms>) {
        self.finishes[lab] = finishes;
    }

    /// When the city is done: the median of the replications.
    pub fn finish(&self) -> Ms {
        Quantiles::of(&mut city_finishes(&self.finishes)).p50
    }

    /// Whether the city is still done by a time with a model that differs in these labs and their streets; it is then the
    /// one that further changes are held against. No, when there is no try left.
    pub fn accepts(&mut self, model: &Model, labs: &[usize], by: Ms) -> bool {
        if self.left < labs.len() {
            self.left = 0;
            return false;
        }
        if !self.spend(model, labs) {
            self.left = 0;
            return false;
        }
        self.left -= labs.len();
        let mut before = Vec::with_capacity(labs.len());
        for &lab in labs {
            let finishes = self.lab(model, lab);
            before.push((lab, std::mem::replace(&mut self.finishes[lab], finishes)));
        }
        let accepted = self.finish() <= by;
        if !accepted {
            before.into_iter().for_each(|(lab, finishes)| self.finishes[lab] = finishes);
        }
        accepted
    }

    /// Whether no try is left: what was refused last may have been refused for that.
    pub fn exhausted(&self) -> bool {
        self.left == 0
    }
}

/// Something that was added.
#[derive(Clone, Copy)]
enum Added {
    Units { lab: usize, stage: StageKind },
    Desks { street: usize, lab: usize },
    Vehicles { street: usize, lab: usize },
}

impl Added {
    /// What two models of the same streets and labs differ in, units first: machines are dearer than desks, and these than
    /// vehicles.
    fn all(old: &Model, new: &Model) -> Vec<Added> {
        let units = (0..old.labs.len())
            .flat_map(|lab| StageKind::ALL.map(|stage| Added::Units { lab, stage }));
        let streets = || new.streets.iter().enumerate();
        let desks = streets().map(|(street, s)| Added::Desks { street, lab: s.lab });
        let vehicles = streets().map(|(street, s)| Added::Vehicles { street, lab: s.lab });
        let added = |of: &Added| of.count(new) > of.count(old);
        units.chain(desks).chain(vehicles).filter(added).collect()
    }

    fn lab(self) -> usize {
        match self {
            Added::Units { lab, .. } | Added::Desks { lab, .. } | Added::Vehicles { lab, .. } => {
                lab
            }
        }
    }

    fn count(self, model: &Model) -> u32 {
        match self {
            Added::Units { lab, stage } => model.labs[lab].stages[stage.index()].units,
            Added::Desks { street, .. } => model.streets[street].desks,
            Added::Vehicles { street, .. } => model.streets[street].vehicles,
        }
    }

    /// The model with so many of it.
    fn set(self, old: &Model, model: &Model, count: u32) -> Option<Model> {
        let mut changed = model.clone();
        match self {
            Added::Units { lab, stage } => {
                let k = stage.index();
                changed.labs[lab].stages[k] = with_units(&old.labs[lab].stages[k], count)?;
            }
            Added::Desks { street, .. } => changed.streets[street].desks = count,
            Added::Vehicles { street, .. } => changed.streets[street].vehicles = count,
        }
        Some(changed)
    }
}

/// What is left when all that is not needed has been taken away.
pub(super) struct Least {
    /// The model with it.
    pub model: Model,
    /// Whether it was seen of every single unit, desk and vehicle that it cannot be left out.
    pub proven: bool,
    /// When each lab is done with it, with all replications.
    pub finishes: Vec<Vec<Ms>>,
}

/// Takes away from `new` what it has more than `old` and does not need to be done by a time, as few replications have it.
pub(super) fn lowered(old: &Model, mut model: Model, judge: &mut Judge, by: Ms) -> Model {
    for lab in 0..old.labs.len() {
        let here = Added::all(old, &model).into_iter().filter(|added| added.lab() == lab);
        let without = here
            .clone()
            .try_fold(model.clone(), |model, added| added.set(old, &model, added.count(old)));
        if here.count() > 1
            && let Some(without) = without
            && judge.accepts(&without, &[lab], by)
        {
            model = without;
        }
    }
    for added in Added::all(old, &model) {
        // Not enough at `below`, enough at `above`; downwards with longer and longer steps first, for most of it is needed.
        let (mut below, mut above) = (None, added.count(&model));
        let (least, mut stride) = (added.count(old), 1);
        while above > below.map_or(least, |below| below + 1) {
            let next = match below {
                Some(below) => below + (above - below) / 2,
                None => above.saturating_sub(stride).max(least),
            };
            let tried = added.set(old, &model, next);
            match tried.filter(|tried| judge.accepts(tried, &[added.lab()], by)) {
                Some(tried) => (model, above) = (tried, next),
                None => below = Some(next),
            }
            stride *= 2;
        }
    }
    model
}

/// Whether there is little enough to see of every single thing that it is needed.
pub(super) fn few_things(old: &Model, new: &Model) -> bool {
    Added::all(old, new).len() <= THINGS_MAX
}

/// Takes away one after the other for as long as any can be: what is left is needed, each single one. Whether that was seen to
/// the end goes with it.
pub(super) fn one_by_one(
    old: &Model,
    mut model: Model,
    judge: &mut Judge,
    by: Ms,
) -> (Model, bool) {
    loop {
        let mut went = false;
        for added in Added::all(old, &model) {
            while let Some(fewer) = added.count(&model).checked_sub(1)
                && fewer >= added.count(old)
                && let Some(tried) = added.set(old, &model, fewer)
                && judge.accepts(&tried, &[added.lab()], by)
            {
                (model, went) = (tried, true);
            }
        }
        if !went || judge.exhausted() {
            return (model, !judge.exhausted());
        }
    }
}
