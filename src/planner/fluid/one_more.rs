//! What one more unit saves, by the flows: the lab is reckoned again with that unit, recalls and all, and the city with it.
//!
//! So it is what whoever asks for that change (`ends_with`) is told, to the millisecond. Every street keeps its lab.

use super::{Asked, CityFlow, Scratch, later, latest_of, pipeline, street, streets_by_lab};
use crate::planner::city::StageKind;
use crate::planner::model::{Model, Ms};

use rayon::prelude::*;

/// By how much something is done earlier, ms. Below 0 it is done later: with recalls that may be, by a step or two of the
/// grid, because results that come sooner bring single tubes that go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The lab that gets the unit.
    pub lab: i64,
    /// The whole city: nothing, while another lab or the last tubes on the road take longer.
    pub city: i64,
}

/// What one more unit saves, by lab and stage; nothing at a lab without tubes. `before` is what [`super::city`] says of this
/// model.
pub fn one_more(model: &Model, before: &CityFlow) -> Vec<[Saved; StageKind::COUNT]> {
    let by_lab = streets_by_lab(model);
    let saved = |from: Ms, to: Ms| i64::from(from) - i64::from(to);
    let of_lab = |scratch: &mut Scratch, (number, list): (usize, &Vec<usize>)| {
        let mut saves = [Saved::default(); StageKind::COUNT];
        let own = &before.labs[number];
        if own.tubes == 0 {
            return saves;
        }
        let others = without(model, before, number);
        for (k, saves) in saves.iter_mut().enumerate() {
            let mut lab = model.labs[number].clone();
            lab.stages[k].add_unit();
            let finish = scratch.lab(model, &lab, list, Asked::End).finish;
            saves.lab = saved(own.finish, finish);
            saves.city = saved(before.finish, others.max(finish));
        }
        saves
    };
    by_lab.par_iter().enumerate().map_init(Scratch::default, of_lab).collect()
}

/// When the city is done but for one lab: the other labs, and the last tubes on the road with their way through any lab, which
/// no number of units makes shorter.
fn without(model: &Model, before: &CityFlow, number: usize) -> Ms {
    let extreme = latest_of(model.streets.len());
    let others = before.labs.iter().enumerate().filter(|(i, _)| *i != number);
    let through = model.streets.iter().zip(&before.streets).map(|(street, swab)| {
        let last = street::last_at_door(street, f64::from(*swab), extreme);
        later(last, pipeline(&model.labs[street.lab]))
    });
    others.map(|(_, lab)| lab.finish).chain(through).max().unwrap_or(0)
}
