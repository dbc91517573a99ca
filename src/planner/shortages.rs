//! What every form of the list of shortages says of a line: why it is needed, and where what is at hand comes from; and what
//! the first round itself lacks on the shelf, which no unit and no desk makes up for.

use super::city::{City, Norm, Origin, Words};
use super::rules::{Basis, Item, Plan, Shortage};

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

/// Places that are named one by one.
const PLACES_NAMED: usize = 3;

/// What one round lacks of an article on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The article.
    pub item: Item,
    /// How much the round lacks, over all places that lack some.
    pub short: u64,
    /// How much these places have.
    pub have: u64,
    /// Code and name of each of them, the one that lacks most first.
    pub places: Vec<(String, Words)>,
}

impl Plan {
    /// What the round lacks on the shelf, article by article: without it the round cannot be held, whatever the flows and the
    /// simulation say, for these know nothing of stock. Empty where there is enough for one round.
    pub fn shelf(&self) -> Vec<Shelf> {
        let of = |item: Item| {
            let mut lines: Vec<&Shortage> = self
                .shortages
                .iter()
                .filter(|line| {
                    line.item == item && line.basis == Basis::PhysicalRounds && line.blocks
                })
                .collect();
            lines.sort_by_key(|line| std::cmp::Reverse(line.support));
            let sum = |of: fn(&Shortage) -> u64| {
                lines.iter().map(|line| of(line)).fold(0, u64::saturating_add)
            };
            (!lines.is_empty()).then(|| Shelf {
                item,
                short: sum(|line| line.support),
                have: sum(|line| line.have),
                places: lines
                    .iter()
                    .map(|line| (line.place.clone(), line.place_name.clone()))
                    .collect(),
            })
        };
        [Item::Tube, Item::ExtractionReagent, Item::PcrReagent].into_iter().filter_map(of).collect()
    }
}

impl Shelf {
    /// How many of what: "12,000 tubes", "12,000 reactions of PCR reagent".
    pub fn amount(&self) -> Words {
        let (n, name, unit) = (self.short, self.item.name(), self.item.unit());
        let en = match self.item {
            Item::Tube => Words::many(n, "collection tube"),
            _ => format!("{} of {}", Words::many(n, "reaction"), name.en),
        };
        Words::new(format!("{} {n} {}", name.zh, unit.zh), en)
    }

    /// That the shelf lacks it and where, without a full stop.
    pub fn words(&self) -> Words {
        let (amount, names) = (self.amount(), self.places.iter().map(|(_, name)| name.clone()));
        let at = Words::listed(names, PLACES_NAMED, "处");
        Words::new(format!("{}（{}）", amount.zh, at.zh), format!("{} ({})", amount.en, at.en))
    }
}

/// That the shelf has too little for one round, in a sentence; `None` where it has enough.
pub fn shelf_words(shelf: &[Shelf]) -> Option<Words> {
    let all: Vec<Words> = shelf.iter().map(Shelf::words).collect();
    let join =
        |part: fn(&Words) -> &str, with: &str| all.iter().map(part).collect::<Vec<_>>().join(with);
    (!all.is_empty()).then(|| {
        Words::new(
            format!("现货不够一轮，缺{}。", join(|w| &w.zh, "、")),
            format!("The shelf has too little for one round: it lacks {}.", join(|w| &w.en, ", ")),
        )
    })
}

/// What to do about it, in a sentence; `None` where there is enough.
pub fn shelf_mend(shelf: &[Shelf]) -> Option<Words> {
    let all: Vec<Words> = shelf.iter().map(Shelf::amount).collect();
    let join =
        |part: fn(&Words) -> &str, with: &str| all.iter().map(part).collect::<Vec<_>>().join(with);
    (!all.is_empty()).then(|| {
        Words::new(
            format!("开轮前须采购或请上级调拨{}：没有这些，其他措施均无效。", join(|w| &w.zh, "、")),
            format!(
                "Before the round buy, or ask the level above for, {}: without them nothing else helps.",
                join(|w| &w.en, ", ")
            ),
        )
    })
}
