//! What one more unit, or one more of what a street has, saves by the flows: the labs that it concerns are reckoned again with
//! it, recalls and all, and the city with them.
//!
//! So it is what whoever asks for that change (`ends_with`) is told, to the millisecond. Every street keeps its lab.

use super::{Asked, CityFlow, Scratch, streets_by_lab};
use crate::planner::city::StageKind;
use crate::planner::model::{Model, Ms, Stage, Street};

use rayon::prelude::*;

/// By how much something is done earlier, ms. Below 0 it is done later: with recalls that may be, by a step or two of the
/// grid, because results that come sooner bring single tubes that go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The lab that gets the unit; of a street, the labs that it sends to.
    pub lab: i64,
    /// The whole city: nothing, while another lab takes longer.
    pub city: i64,
}

impl Saved {
    fn of([lab_before, lab]: [Ms; 2], [city_before, city]: [Ms; 2]) -> Saved {
        let saved = |from: Ms, to: Ms| i64::from(from) - i64::from(to);
        Saved { lab: saved(lab_before, lab), city: saved(city_before, city) }
    }
}

/// What one more unit saves, by lab and stage; nothing at a lab without tubes. `before` is what [`super::city`] says of this
/// model.
pub fn one_more(model: &Model, before: &CityFlow) -> Vec<[Saved; StageKind::COUNT]> {
    let by_lab = streets_by_lab(model);
    let rest = Rest::of(before);
    let of_lab = |scratch: &mut Scratch, (number, list): (usize, &Vec<usize>)| {
        let mut saves = [Saved::default(); StageKind::COUNT];
        let own = &before.labs[number];
        if own.tubes == 0 {
            return saves;
        }
        let others = rest.lab_but(&[number]);
        // As it is, to see where one more would have nothing to do: that is most stages of most labs.
        scratch.lab(model, &model.labs[number], list, Asked::End);
        let mut more = model.labs[number].stages.clone();
        more.iter_mut().for_each(Stage::add_unit);
        let idle: [bool; StageKind::COUNT] =
            std::array::from_fn(|k| scratch.tank.as_well_with(k, &more[k]));
        for (k, (saves, more)) in saves.iter_mut().zip(more).enumerate() {
            if idle[k] {
                continue;
            }
            let mut lab = model.labs[number].clone();
            lab.stages[k] = more;
            let finish = scratch.lab(model, &lab, list, Asked::End).finish;
            *saves = Saved::of([own.finish, finish], [before.finish, others.max(finish)]);
        }
        saves
    };
    by_lab.par_iter().enumerate().map_init(Scratch::default, of_lab).collect()
}

/// What other numbers of streets save: each of `asked` is a change of its own, streets of the model with what stands in their
/// place, which sends to the same lab. `before` as in [`one_more`].
pub fn with_streets(
    model: &Model,
    before: &CityFlow,
    asked: &[Vec<(usize, Street)>],
) -> Vec<Saved> {
    let by_lab = streets_by_lab(model);
    let rest = Rest::of(before);
    // Labs are handed over by themselves.
    let memory = || {
        let (streets, recall) = (model.streets.clone(), model.recall.clone());
        (Scratch::default(), Model { streets, recall, labs: Vec::new(), ..*model })
    };
    let of_change = |(scratch, with): &mut (Scratch, Model), change: &Vec<(usize, Street)>| {
        let changes = |(at, street): &&(usize, Street)| model.streets[*at] != *street;
        if !change.iter().any(|one| changes(&one)) {
            return Saved::default();
        }
        let mut labs: Vec<usize> = change.iter().map(|(_, street)| street.lab).collect();
        labs.sort_unstable();
        labs.dedup();
        change.iter().for_each(|&(at, street)| with.streets[at] = street);
        let mut finish = 0;
        for &lab in &labs {
            let own = &model.labs[lab];
            finish = finish.max(scratch.lab(with, own, &by_lab[lab], Asked::End).finish);
        }
        change.iter().for_each(|&(at, _)| with.streets[at] = model.streets[at]);
        let own = labs.iter().map(|&lab| before.labs[lab].finish).max().unwrap_or(0);
        let city = finish.max(rest.lab_but(&labs));
        Saved::of([own, finish], [before.finish, city])
    };
    asked.par_iter().map_init(memory, of_change).collect()
}

/// By lab: the street of the model whose last tube is at its door last; none without tubes.
pub fn last_streets(model: &Model, flow: &CityFlow) -> Vec<Option<usize>> {
    let last_of = |list: Vec<usize>| {
        let with_people = list.into_iter().filter(|&i| model.streets[i].persons > 0);
        with_people.max_by_key(|&i| flow.doors[i])
    };
    streets_by_lab(model).into_iter().map(last_of).collect()
}

/// When labs are done, latest first: what is left of them when some change.
struct Rest(Vec<(Ms, usize)>);

impl Rest {
    fn of(before: &CityFlow) -> Rest {
        let labs = before.labs.iter().enumerate().map(|(i, lab)| (lab.finish, i));
        let mut labs: Vec<_> = labs.collect();
        labs.sort_unstable_by(|a, b| b.cmp(a));
        Rest(labs)
    }

    /// The latest of the others; 0 when there is none.
    fn lab_but(&self, labs: &[usize]) -> Ms {
        self.0.iter().find(|(_, number)| !labs.contains(number)).map_or(0, |(at, _)| *at)
    }
}
