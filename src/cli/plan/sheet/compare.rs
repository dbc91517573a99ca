//! 各层对照: what the layers say of one item at one place, beside the number of the list, which is the one to file.

use super::super::Report;
use super::super::compare::{
    HEADS, compared, dealt, dealt_words, totals_words, tubes_words, which_to_file,
};
use super::super::words::basis;
use super::{Cell, Sheet, Table};
use crate::planner::Words;
use crate::planner::filing::{Dealt, Flows, beyond_totals};

/// The sheet; none where no layer asks for more than there is.
pub(super) fn sheet(report: &Report) -> Option<Sheet> {
    let all = compared(report);
    if all.is_empty() {
        return None;
    }
    let mut columns = vec![
        ("区县 / 实验室", "district / lab", 28.0),
        ("项目", "item", 24.0),
        ("测算依据", "basis", 20.0),
        ("单位", "unit", 10.0),
    ];
    columns.extend(HEADS.map(|(zh, en)| (zh, en, 16.0)));
    let mut table = Table::new(&columns);
    for one in &all {
        let Words { zh, en } = &one.place_name;
        let place = Words::new(format!("{} {zh}", one.place), format!("{} {en}", one.place));
        table.rows.push(vec![
            Cell::both(&place),
            Cell::both(&one.item.name()),
            Cell::both(&basis(one.basis, &report.city.norm)),
            Cell::both(&one.item.unit()),
            Cell::Count(one.have),
            Cell::Count(one.listed),
            match one.flows {
                Flows::Not => Cell::Blank,
                Flows::Never => Cell::text("×"),
                Flows::Units(n) => Cell::Count(n),
            },
            one.measures.map_or(Cell::Blank, Cell::Count),
            match one.beyond() {
                0 => Cell::Blank,
                n => Cell::Count(n),
            },
        ]);
    }
    let dealt = dealt(report);
    for Dealt { lab, name, listed, sent } in &dealt {
        let mut row = vec![Cell::Blank; table.columns.len()];
        row[0] =
            Cell::both(&Words::new(format!("{lab} {}", name.zh), format!("{lab} {}", name.en)));
        row[1] = Cell::both(&tubes_words());
        row[3] = Cell::both(&Words::new("管", "tubes"));
        (row[5], row[6]) = (Cell::Count(*listed), Cell::Count(*sent));
        table.rows.push(row);
    }
    let totals = beyond_totals(&all);
    for total in &totals {
        let mut row = vec![Cell::Blank; table.columns.len()];
        let n = total.places;
        row[0] = Cell::both(&Words::new(
            format!("措施多于清单合计：{n} 处"),
            format!("measures beyond the list: {n} places"),
        ));
        (row[1], row[3]) = (Cell::both(&total.item.name()), Cell::both(&total.item.unit()));
        (row[4], row[5]) = (Cell::Count(total.have), Cell::Count(total.listed));
        (row[7], row[8]) = (Cell::Count(total.measures), Cell::Count(total.beyond));
        table.sum(row);
    }
    let mut lines: Vec<Words> = which_to_file(report).into_iter().collect();
    if !dealt.is_empty() {
        lines.push(dealt_words());
    }
    if !totals.is_empty() {
        let Words { zh, en } = totals_words();
        lines.push(Words::new(format!("表末：{zh}"), format!("at the end: {en}")));
    }
    lines.push(Words::new(
        "×：样本送达已迟或仪器休息，增加台数无效；空白：该层不计或不增加",
        "×: tubes come too late, or the instruments rest, for any number; blank: the layer does not reckon it, or adds none",
    ));
    Some(Sheet {
        name: Words::new("各层对照", "Layers compared"),
        title: Words::new("同一项目各层的数对照", "the layers' numbers of one item side by side"),
        lines,
        table,
    })
}
