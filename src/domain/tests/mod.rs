//! The fold under test: tables in the words of the trade, and what holds whatever the order.

mod calling;
mod collection;
mod custody;
mod judging;
mod lab;
mod ledger;
mod notebook;
mod order;
mod overused;
mod recalls;
mod rules;
mod sources;
mod table;

/// Every discrepancy and every reason to come back stands in a table or in a test of the stamps.
#[test]
fn no_discrepancy_and_no_need_is_left_out() {
    use super::discrepancy::Discrepancy;
    use super::words::NeedReason;
    let texts = [
        include_str!("collection.rs"),
        include_str!("custody.rs"),
        include_str!("lab.rs"),
        include_str!("recalls.rs"),
        include_str!("judging.rs"),
        include_str!("overused.rs"),
    ];
    // Spans two tubes and is never stored: whoever finds it tests it.
    let stored = Discrepancy::ALL.iter().filter(|one| **one != Discrepancy::PersonInTwoTubes);
    let names = stored.map(|one| one.name()).chain(NeedReason::ALL.iter().map(|one| one.name()));
    let untested: Vec<_> =
        names.filter(|name| !texts.iter().any(|text| text.contains(name))).collect();
    assert!(untested.is_empty(), "no table says anything of {untested:?}");
}
