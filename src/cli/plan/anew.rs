//! What was found, held against the city that has it in fact: there streets are assigned anew, some to labs that had none of
//! their tubes before, and that may be late again. Whoever carries a remedy out must not be told so then.

use std::collections::BTreeMap;

use super::enough::enough;
use super::layers::{Dice, Layers};
use super::people;
use super::progress::Progress;
use super::remedy::{Desks, More, Outcome, Units};
use super::search::{Search, tubes};
use crate::planner::study::Study;
use crate::planner::{City, StageKind};

/// So often the city with what was found is asked what it takes besides.
const ANEW_MAX: usize = 8;

/// Desks by street, by its number in the round's problem, and units by lab and stage.
#[derive(Default)]
struct Sum {
    desks: BTreeMap<usize, u32>,
    units: BTreeMap<(usize, usize), u32>,
}

impl Sum {
    fn add(&mut self, layers: &Layers, more: &More) {
        for desks in &more.desks {
            if let Some(&source) = layers.round.source.get(desks.street) {
                *self.desks.entry(source).or_default() += desks.more;
            }
        }
        for units in &more.units {
            *self.units.entry((units.lab, units.stage.index())).or_default() += units.more;
        }
    }

    /// Desks and units of the round as it is.
    fn lists(&self, layers: &Layers) -> (Vec<Desks>, Vec<Units>) {
        let model = &layers.round.model;
        let of_street = |(&source, &more): (&usize, &u32)| {
            let parts = || (0..model.streets.len()).filter(|&i| layers.round.source[i] == source);
            let now = parts().map(|i| model.streets[i].desks).sum();
            parts().next().map(|street| Desks { street, now, more })
        };
        let of_stage = |(&(lab, k), &more): (&(usize, usize), &u32)| {
            let now = model.labs[lab].stages[k].units;
            Units { lab, stage: StageKind::ALL[k], now, more }
        };
        let desks = self.desks.iter().filter_map(of_street);
        (desks.collect(), self.units.iter().map(of_stage).collect())
    }
}

/// What was found and what the city that has it takes besides, with what both bring it; `None` where nothing is needed
/// besides, or nothing was found.
pub(super) fn anew(
    city: &City,
    layers: &Layers,
    more: &More,
    dice: Dice,
    search: &Search<'_>,
) -> Option<More> {
    let mut sum = Sum::default();
    sum.add(layers, more);
    let mut with = people::carried_out(city, layers, &more.desks, &more.units);
    for time in 0..ANEW_MAX {
        let cost = tubes(&layers.round.model, dice);
        if !search.may(cost) {
            search.leave_out(1);
            return None;
        }
        search.spend(cost);
        let then = Layers::without_remedy(&with, dice, &Progress::silent()).ok()?;
        if then.in_time() {
            let (desks, units) = sum.lists(layers);
            let outcome = Outcome {
                fluid: then.flow.finish,
                simulated: then.study.as_ref().map(|study| study.finish),
                in_time: then.study.as_ref().and_then(Study::probability),
            };
            let both = More { desks, units, held: Vec::new(), outcome, least: false, paired: None };
            return (time > 0).then_some(both);
        }
        let (_, besides) = enough(&then, &then.round.model, dice, search).least?;
        sum.add(&then, &besides);
        with = people::carried_out(&with, &then, &besides.desks, &besides.units);
    }
    None
}
