//! 班组与车辆: shifts, teams, vehicles and trips, district by district, each with what it rests on.

use super::super::Report;
use super::super::crews_text::conventions;
use super::{Cell, Sheet, Table};
use crate::planner::{Constant, CrewItem, CrewLine, Words, crew_constants};

/// The sheet.
pub(super) fn sheet(report: &Report) -> Sheet {
    Sheet {
        name: Words::new("班组与车辆", "Teams and vehicles"),
        title: Words::new(
            "各区县班次、采样组、车辆与趟次",
            "shifts, teams, vehicles and trips by district",
        ),
        lines: conventions().into_iter().chain([super::sources::head(report)]).collect(),
        table: table(report),
    }
}

/// So many lines of which something is short, said over the list of shortages: what is there is no part of it.
pub(super) fn pointer(report: &Report) -> Words {
    let short = report.plan.crews.iter().filter(|line| line.short > 0).count();
    Words::new(
        format!("班次、采样组、车辆、趟次另见“班组与车辆”表：缺口 {short} 项"),
        format!(
            "shifts, teams, vehicles and trips: see the sheet \"Teams and vehicles\", {short} short"
        ),
    )
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("区县", "district", 24.0),
        ("项目", "item", 28.0),
        ("单位", "unit", 10.0),
        ("需要", "need", 12.0),
        ("现有", "have", 12.0),
        ("缺口", "short", 12.0),
        ("解决办法", "solution", 44.0),
        ("需上级支持", "support asked", 12.0),
        ("责任单位", "owner", 24.0),
        ("完成时限", "deadline", 18.0),
        ("需要数的依据与状态", "what the need rests on", 60.0),
        ("现有数的状态与来源", "where what is there comes from", 60.0),
    ]);
    let constants = crew_constants(&report.city, &report.plan);
    for lines in report.plan.crews.chunks(CrewItem::ALL.len()) {
        table.rows.extend(lines.iter().map(|line| row(&constants, line)));
        let Some(first) = lines.first() else { continue };
        let (name, n) = (&first.place_name, lines.iter().filter(|line| line.short > 0).count());
        let mut sum = vec![Cell::Blank; table.columns.len()];
        sum[0] = Cell::both(&Words::new(
            format!("{} 缺口：{n} 项", name.zh),
            format!("{}: {n} short", name.en),
        ));
        table.sum(sum);
    }
    table
}

fn row(constants: &[Constant<'_>], line: &CrewLine) -> Vec<Cell> {
    let rests_on = constants.iter().filter(|c| line.rests_on.contains(&c.key));
    let least = line.need_is_least.then(CrewItem::least);
    let least = least.map(|Words { zh, en }| format!("{zh} / {en}"));
    let rests_on: Vec<String> = least
        .into_iter()
        .chain(rests_on.map(|c| {
            let Constant { key, value, unit, origin, .. } = c;
            let status = origin.status;
            format!(
                "{key} = {value} {} [{} / {}] {}",
                unit.zh,
                status.word_zh(),
                status.word(),
                origin.source.in_one()
            )
        }))
        .collect();
    let have = &line.have_origin;
    let short = line.short > 0;
    let deadline = match short {
        true => super::shortage::deadline(line.deadline.as_deref()),
        false => Cell::both(&Words::new("无缺口", "nothing short")),
    };
    vec![
        Cell::both(&line.place_name),
        Cell::both(&line.item.name()),
        Cell::both(&line.item.unit()),
        Cell::Count(line.need),
        Cell::Count(line.have),
        Cell::Count(line.short),
        if short { Cell::both(&line.item.mend()) } else { Cell::Blank },
        Cell::Count(line.support),
        Cell::both(&line.place_name),
        deadline,
        Cell::text(rests_on.join("\n")),
        Cell::text(format!(
            "[{} / {}] {}",
            have.status.word_zh(),
            have.status.word(),
            have.source.in_one()
        )),
    ]
}
