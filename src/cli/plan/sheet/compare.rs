//! 各层对照: what the layers say of one item at one place, beside the number of the list, which is the one to file.

use super::super::Report;
use super::super::compare::{Flows, HEADS, compared, which_to_file};
use super::{Cell, Sheet, Table};
use crate::planner::Words;

/// The sheet; none where no layer asks for more than there is.
pub(super) fn sheet(report: &Report) -> Option<Sheet> {
    let all = compared(report);
    if all.is_empty() {
        return None;
    }
    let mut columns = vec![
        ("区县 / 实验室", "district / lab", 28.0),
        ("项目", "item", 24.0),
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
    let mut lines: Vec<Words> = which_to_file(report).into_iter().collect();
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
