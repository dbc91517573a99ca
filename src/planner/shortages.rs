//! What every form of the list of shortages says of a line: why it is needed, and where what is at hand comes from.

use super::city::{City, Norm, Origin, Words};
use super::rules::{Basis, Item, Shortage};

impl Basis {
    /// Why a number is needed.
    pub fn name(self, norm: &Norm) -> Words {
        match self {
            Basis::Norm => Words::new("规范", "norm"),
            Basis::Target => Words::new("时限", "target"),
            Basis::PhysicalRounds => {
                let rounds = norm.rounds_physical.value;
                Words::new(format!("实物 {rounds} 轮"), format!("{rounds} rounds on the shelf"))
            }
            Basis::AllRounds => {
                let rounds = norm.rounds.value;
                Words::new(format!("储备 {rounds} 轮"), format!("{rounds} rounds in all"))
            }
        }
    }
}

impl Shortage {
    /// Where `have` comes from; `None` for a lab that nobody has.
    pub fn have_origin<'c>(&self, city: &'c City) -> Option<&'c Origin> {
        let district = || city.districts.iter().find(|one| one.code == self.place);
        match self.item {
            Item::Site | Item::Desk | Item::Sampler | Item::Registrar => {
                Some(&district()?.have.origin)
            }
            Item::Tube | Item::ExtractionReagent | Item::PcrReagent => {
                Some(&district()?.stock.origin)
            }
            Item::LabUnit(_) | Item::LabStaff(_) => {
                Some(&city.labs.iter().find(|lab| lab.code == self.place)?.origin)
            }
            Item::Lab => None,
        }
    }
}
