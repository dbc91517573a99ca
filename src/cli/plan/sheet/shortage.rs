//! 缺口清单: the list of shortages as the notice of Chifeng asks for it: need, have, short, solution, support, owner,
//! deadline; district by district, with a sum for each, and sums by item at the end.

use super::super::text_shortage::totals_note;
use super::super::words::basis;
use super::super::{Report, compare, filled};
use super::{Cell, Sheet, Table};
use crate::planner::sending::mend_there;
use crate::planner::{Item, Shortage, Words, no_deadline};

/// The sheet.
pub(super) fn sheet(report: &Report) -> Sheet {
    let city = &report.city;
    let verdict = &report.plan.verdict;
    let (h, yes) = (verdict.target_h, report.yes());
    let answer = match yes {
        true => Words::new(format!("{h} 小时：能完成"), format!("{h} h: yes")),
        false => Words::new(format!("{h} 小时：不能完成"), format!("{h} h: no")),
    };
    let mut lines = vec![answer];
    // Why nothing but the arithmetic could be reckoned: a street without a lab stands here with what to do.
    lines.extend(report.layers.as_ref().err().cloned());
    lines.extend(compare::which_to_file(report));
    lines.extend(filled::sentence(report));
    if !report.plan.shortages.is_empty() {
        lines.push(totals_note(&city.norm));
    }
    lines.push(super::crews::pointer(report));
    lines.push(super::sources::head(report));
    Sheet {
        name: Words::new("缺口清单", "Shortages"),
        title: Words::new(
            format!("{}全员核酸检测能力缺口清单", city.name.zh),
            format!("{}: list of shortages for testing everyone", city.name.en),
        ),
        lines,
        table: table(report),
    }
}

/// The rows: the shortages, a line under each place with its number, then the sums by item.
pub(super) fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("区县 / 实验室", "district / lab", 24.0),
        ("项目", "item", 24.0),
        ("测算依据", "basis", 20.0),
        ("单位", "unit", 10.0),
        ("需要", "need", 12.0),
        ("现有", "have", 12.0),
        ("缺口", "short", 12.0),
        ("解决办法", "solution", 52.0),
        ("需上级支持", "support asked", 12.0),
        ("责任单位", "owner", 24.0),
        ("完成时限", "deadline", 18.0),
        ("影响按时完成", "blocks the target", 12.0),
    ]);
    let shortages = &report.plan.shortages;
    let mut done = 0;
    while let Some(first) = shortages.get(done) {
        let here = shortages[done..].iter().take_while(|s| s.place == first.place);
        let here: Vec<&Shortage> = here.collect();
        done += here.len();
        table.rows.extend(here.iter().map(|s| row(report, s)));
        let name = place(first);
        let n = here.len();
        let mut sum = vec![Cell::Blank; table.columns.len()];
        sum[0] = Cell::both(&Words::new(
            format!("{} 小计：{n} 项", name.zh),
            format!("{}: {n} items", name.en),
        ));
        table.sum(sum);
    }
    for total in report.plan.item_totals.iter().filter(|total| total.short > 0) {
        let mut sum = vec![Cell::Blank; table.columns.len()];
        sum[0] = Cell::both(&Words::new("全市合计", "total"));
        sum[1] = Cell::both(&total.item.name());
        sum[2] = Cell::both(&basis(total.basis, &report.city.norm));
        sum[3] = Cell::both(&total.unit);
        let numbers = [(4, total.need), (5, total.have), (6, total.short), (8, total.support)];
        for (at, n) in numbers {
            sum[at] = Cell::Count(n);
        }
        table.sum(sum);
    }
    table
}

fn place(shortage: &Shortage) -> Words {
    let name = &shortage.place_name;
    match shortage.item {
        Item::LabUnit(_) | Item::LabStaff(_) => Words::new(
            format!("{} {}", shortage.place, name.zh),
            format!("{} {}", shortage.place, name.en),
        ),
        _ => name.clone(),
    }
}

fn row(report: &Report, s: &Shortage) -> Vec<Cell> {
    let round = report.layers.as_ref().ok().map(|layers| &layers.round);
    vec![
        Cell::both(&place(s)),
        Cell::both(&s.item.name()),
        Cell::both(&basis(s.basis, &report.city.norm)),
        Cell::both(&s.unit),
        Cell::Count(s.need),
        Cell::Count(s.have),
        Cell::Count(s.short),
        Cell::both(&mend_there(round, &report.plan, s)),
        Cell::Count(s.support),
        Cell::both(&s.owner()),
        deadline(s.deadline.as_deref()),
        if s.blocks { Cell::both(&Words::new("是", "yes")) } else { Cell::Blank },
    ]
}

/// A deadline as a day where it is written as one (`2022-04-30`), else as the notice words it, else that there is none.
pub(super) fn deadline(text: Option<&str>) -> Cell {
    let Some(text) = text else { return Cell::both(&no_deadline()) };
    let mut parts = text.trim().splitn(3, '-').map(str::parse::<u16>);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(y @ 1900..=9999)), Some(Ok(m @ 1..=12)), Some(Ok(d @ 1..=28))) => {
            Cell::Day(y, m as u8, d as u8)
        }
        // The last days of a month: only those that every such month has.
        (Some(Ok(y @ 1900..=9999)), Some(Ok(m @ (1 | 3..=12))), Some(Ok(d @ 29..=30))) => {
            Cell::Day(y, m as u8, d as u8)
        }
        (Some(Ok(y @ 1900..=9999)), Some(Ok(m @ (1 | 3 | 5 | 7 | 8 | 10 | 12))), Some(Ok(31))) => {
            Cell::Day(y, m as u8, 31)
        }
        _ => Cell::text(text),
    }
}
