//! What was found, held against the city that has it in fact: there streets are assigned anew, some to labs that had none of
//! their tubes before, and that may be late again. Whoever carries a remedy out must not be told so then.

use std::collections::BTreeMap;

use super::enough::enough;
use super::layers::{Dice, Layers};
use super::people;
use super::progress::Progress;
use super::remedy::{Desks, More, Outcome, Units, Vehicles};
use super::search::{Search, tubes};
use crate::planner::model::Street;
use crate::planner::study::Study;
use crate::planner::{City, StageKind};

/// So often the city with what was found is asked what it takes besides.
const ANEW_MAX: usize = 8;

/// Desks and vehicles by street, by its number in the round's problem, and units by lab and stage.
#[derive(Default)]
struct Sum {
    desks: BTreeMap<usize, u32>,
    vehicles: BTreeMap<usize, u32>,
    units: BTreeMap<(usize, usize), u32>,
}

impl Sum {
    fn add(&mut self, layers: &Layers, more: &More) {
        for desks in &more.desks {
            if let Some(&source) = layers.round.source.get(desks.street) {
                *self.desks.entry(source).or_default() += desks.more;
            }
        }
        for vehicles in &more.vehicles {
            if let Some(&source) = layers.round.source.get(vehicles.street) {
                *self.vehicles.entry(source).or_default() += vehicles.more;
            }
        }
        for units in &more.units {
            *self.units.entry((units.lab, units.stage.index())).or_default() += units.more;
        }
    }

    /// Desks, vehicles and units of the round as it is.
    fn lists(&self, layers: &Layers) -> (Vec<Desks>, Vec<Vehicles>, Vec<Units>) {
        let model = &layers.round.model;
        let of_street = |source: usize, of: fn(&Street) -> u32| {
            let now = layers.round.parts_of(source).map(|i| of(&model.streets[i])).sum();
            layers.round.parts_of(source).next().map(|street| (street, now))
        };
        let desks = self.desks.iter().filter_map(|(&source, &more)| {
            let (street, now) = of_street(source, |street| street.desks)?;
            Some(Desks { street, now, more })
        });
        let vehicles = self.vehicles.iter().filter_map(|(&source, &more)| {
            let (street, now) = of_street(source, |street| street.vehicles)?;
            Some(Vehicles { street, now, more })
        });
        let of_stage = |(&(lab, k), &more): (&(usize, usize), &u32)| {
            let now = model.labs[lab].stages[k].units;
            Units { lab, stage: StageKind::ALL[k], now, more }
        };
        (desks.collect(), vehicles.collect(), self.units.iter().map(of_stage).collect())
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
    let mut with = people::carried_out(city, layers, more);
    for time in 0..ANEW_MAX {
        let cost = tubes(&layers.round.model, dice);
        if !search.may(cost) {
            search.leave_out(1);
            return None;
        }
        search.spend(cost);
        let then = Layers::without_remedy(&with, dice, &Progress::silent()).ok()?;
        if then.in_time() {
            let (desks, vehicles, units) = sum.lists(layers);
            let outcome = Outcome {
                fluid: then.flow.finish,
                simulated: then.study.as_ref().map(|study| study.finish),
                in_time: then.study.as_ref().and_then(Study::probability),
            };
            let (held, least, paired) = (Vec::new(), false, None);
            let both = More { desks, vehicles, units, held, outcome, least, paired };
            return (time > 0).then_some(both);
        }
        let (_, besides) = enough(&then, &then.round.model, dice, search).least?;
        sum.add(&then, &besides);
        with = people::carried_out(&with, &then, &besides);
    }
    None
}
