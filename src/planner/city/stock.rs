//! Stock: what lies on the shelf, what is agreed upon, and who holds it.

use super::sourced::Origin;
use super::words::Words;

/// Stock of one article: what lies on the shelf and what a supplier has agreed to deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// On the shelf, in tubes or reactions.
    pub physical: u64,
    /// By agreement, same unit.
    pub agreement: u64,
    /// Whether the deposit is paid; without it the agreement does not count.
    pub deposit_paid: bool,
}

impl Ledger {
    /// What counts towards the reserve.
    pub fn counted(&self) -> u64 {
        self.physical.saturating_add(if self.deposit_paid { self.agreement } else { 0 })
    }

    /// Days of cover, in tenths, if a round of `tubes` is held every day: what is on the shelf alone, and all that counts.
    /// A round without tubes is covered for ever: `u64::MAX`.
    pub fn cover_tenths(&self, tubes: u64) -> [u64; 2] {
        [self.physical, self.counted()]
            .map(|n| n.saturating_mul(10).checked_div(tubes).unwrap_or(u64::MAX))
    }

    /// One ledger that counts what all of these count.
    ///
    /// Where some agreements are paid and others are not, the sum holds the paid ones alone.
    pub fn sum<'l>(ledgers: impl IntoIterator<Item = &'l Ledger> + Clone) -> Ledger {
        let deposit_paid = ledgers.clone().into_iter().any(|l| l.deposit_paid);
        let mut sum = Ledger { deposit_paid, ..Ledger::default() };
        for ledger in ledgers {
            sum.physical = sum.physical.saturating_add(ledger.physical);
            if ledger.deposit_paid == deposit_paid {
                sum.agreement = sum.agreement.saturating_add(ledger.agreement);
            }
        }
        sum
    }
}

/// Goods that a district has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Collection tubes.
    pub tubes: Ledger,
    /// Extraction reagent, in reactions.
    pub extraction: Ledger,
    /// PCR reagent, in reactions.
    pub pcr: Ledger,
    /// Who holds it, where known; empty = not broken down. As it was entered: what `fill` adds is not in it.
    pub held: Vec<Holding>,
    /// Where the numbers come from.
    pub origin: Origin,
}

/// What one owner holds of one article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who holds it.
    pub owner: Owner,
    /// What it is.
    pub article: Article,
    /// How much.
    pub ledger: Ledger,
}

/// Who holds stock (Guandu 2022-4 names these three).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Streets and towns: what a site is set up with.
    Street,
    /// Medical institutions: what sampling takes.
    Medical,
    /// The commerce bureau: what comes after.
    Commerce,
}

impl Owner {
    /// Every owner, in order.
    pub const ALL: [Owner; 3] = [Owner::Street, Owner::Medical, Owner::Commerce];

    /// The key used in files.
    pub fn key(self) -> &'static str {
        match self {
            Owner::Street => "street",
            Owner::Medical => "medical",
            Owner::Commerce => "commerce",
        }
    }

    /// The owner that `key` names.
    pub fn parse(key: &str) -> Option<Owner> {
        Owner::ALL.into_iter().find(|owner| owner.key() == key)
    }

    /// Name.
    pub fn name(self) -> Words {
        match self {
            Owner::Street => Words::new("街道", "street"),
            Owner::Medical => Words::new("医疗机构", "medical institutions"),
            Owner::Commerce => Words::new("商业", "commerce"),
        }
    }
}

/// What is held in rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Article {
    /// Collection tubes.
    Tube,
    /// Extraction reagent, in reactions.
    Extraction,
    /// PCR reagent, in reactions.
    Pcr,
}

impl Article {
    /// Every article, in order.
    pub const ALL: [Article; 3] = [Article::Tube, Article::Extraction, Article::Pcr];

    /// The key used in files.
    pub fn key(self) -> &'static str {
        match self {
            Article::Tube => "tube",
            Article::Extraction => "extraction",
            Article::Pcr => "pcr",
        }
    }

    /// The article that `key` names.
    pub fn parse(key: &str) -> Option<Article> {
        Article::ALL.into_iter().find(|article| article.key() == key)
    }

    /// Name.
    pub fn name(self) -> Words {
        match self {
            Article::Tube => Words::new("采样管", "tubes"),
            Article::Extraction => Words::new("提取试剂", "extraction reagent"),
            Article::Pcr => Words::new("扩增试剂", "PCR reagent"),
        }
    }
}

impl Stock {
    /// The ledger of one article.
    pub fn ledger(&self, article: Article) -> &Ledger {
        match article {
            Article::Tube => &self.tubes,
            Article::Extraction => &self.extraction,
            Article::Pcr => &self.pcr,
        }
    }

    /// Who holds one article, in file order.
    pub fn holders(&self, article: Article) -> impl Iterator<Item = &Holding> {
        self.held.iter().filter(move |holding| holding.article == article)
    }
}
