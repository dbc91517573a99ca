//! Stock of CITY.toml: three ledgers, and who holds what where that is known.

use super::city::{STOCK_MAX, Sources};
use super::sheet::Block;
use crate::planner::{Article, Holding, Ledger, Owner, Stock};

pub(super) fn stock(block: Block<'_>, sources: &Sources) -> Option<Stock> {
    let origin = block.origin(sources);
    let held = held(&block);
    let of = |key: &'static str, article: Article| {
        let parts: Vec<Ledger> = held
            .iter()
            .flatten()
            .filter(|holding| holding.article == article)
            .map(|holding| holding.ledger)
            .collect();
        if !parts.is_empty() && !block.has(key) {
            return Some(Ledger::sum(&parts));
        }
        // The part that cannot be read may be this one's: its fault is told, and nothing is known to be missing.
        if held.is_none() && !block.has(key) {
            return None;
        }
        let whole = block.block(key).and_then(ledger)?;
        if !parts.is_empty() && whole != Ledger::sum(&parts) {
            unequal(&block, key, &whole, &Ledger::sum(&parts));
        }
        Some(whole)
    };
    let tubes = of("tubes", Article::Tube);
    let extraction = of("extraction", Article::Extraction);
    let pcr = of("pcr", Article::Pcr);
    block.close();
    Some(Stock { tubes: tubes?, extraction: extraction?, pcr: pcr?, held: held?, origin: origin? })
}

/// `[[district.stock.held]]`.
fn held(block: &Block<'_>) -> Option<Vec<Holding>> {
    let mut held: Vec<Holding> = Vec::new();
    let mut whole = true;
    for inner in block.blocks("held") {
        let owner = one_of(&inner, "owner", &Owner::ALL.map(|o| (o.key(), o)));
        let article = one_of(&inner, "article", &Article::ALL.map(|a| (a.key(), a)));
        let ledger = amounts(&inner);
        if let (Some(owner), Some(article)) = (owner, article)
            && held.iter().any(|h| (h.owner, h.article) == (owner, article))
        {
            let (owner, article) = (owner.key(), article.key());
            let what = [
                format!("重复：“{owner}”的“{article}”"),
                format!("\"{article}\" of \"{owner}\" is stated twice"),
            ];
            let expected = ["每个持有单位每种物资一次", "each article of each owner once"];
            inner.sheet.problem(&inner.at, [&what[0], &what[1]], expected);
        }
        inner.close();
        match (owner, article, ledger) {
            (Some(owner), Some(article), Some(ledger)) => {
                held.push(Holding { owner, article, ledger });
            }
            _ => whole = false,
        }
    }
    whole.then_some(held)
}

/// A text that must be one of the known keys.
fn one_of<T: Copy>(block: &Block<'_>, key: &'static str, known: &[(&str, T)]) -> Option<T> {
    let words = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let expected = [format!("以下之一：{words}"), format!("one of {words}")];
    let value = block.need(key, [&expected[0], &expected[1]])?;
    let found = value.get_ref().as_str().and_then(|w| known.iter().find(|(k, _)| *k == w));
    if found.is_none() {
        block.wrong(key, value, [&expected[0], &expected[1]]);
    }
    found.map(|(_, value)| *value)
}

fn unequal(block: &Block<'_>, key: &str, stated: &Ledger, sum: &Ledger) {
    let shown = |l: &Ledger| format!("{} + {} ({})", l.physical, l.agreement, l.deposit_paid);
    let (stated, sum) = (shown(stated), shown(sum));
    let what = [
        format!("数字矛盾：“{key}”为 {stated}，各持有单位之和 {sum}"),
        format!("numbers contradict: `{key}` is {stated}, its owners hold {sum}"),
    ];
    let expected = [
        "两者相等，或不写该项（部分协议已付定金时，只计已付的）",
        "the two to be equal, or the key left out (where some agreements are paid, only these count)",
    ];
    block.sheet.problem(&block.spot(key), [&what[0], &what[1]], expected);
}

fn ledger(block: Block<'_>) -> Option<Ledger> {
    let read = amounts(&block);
    block.close();
    read
}

fn amounts(block: &Block<'_>) -> Option<Ledger> {
    let physical = block.number("physical", 0..=STOCK_MAX);
    let agreement = block.number("agreement", 0..=STOCK_MAX);
    let deposit_paid = block.flag("deposit_paid");
    if agreement == Some(0) && deposit_paid == Some(true) {
        let what = [
            "数字矛盾：定金已付，但协议储备为 0",
            "numbers contradict: a deposit is paid for an agreement of 0",
        ];
        let expected = [
            "协议储备大于 0，或 deposit_paid = false",
            "an agreement above 0, or deposit_paid = false",
        ];
        block.sheet.problem(&block.spot("agreement"), what, expected);
    }
    Some(Ledger { physical: physical?, agreement: agreement?, deposit_paid: deposit_paid? })
}
