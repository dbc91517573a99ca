//! 依据与状态: every assumption with value, unit, source and status; version and approval of the plan.

use super::super::Lang;
use super::super::Report;
use super::super::diff::head_line;
use super::{Cell, Sheet, Table};
use crate::planner::{Origin, Words};

/// Version, author and approval in one line.
pub(super) fn head(report: &Report) -> Words {
    let (plan, norm) = (&report.city.plan, &report.city.norm);
    let (zh, en) = (head_line(plan, Some(Lang::Zh)), head_line(plan, Some(Lang::En)));
    Words::new(
        format!("方案：{zh}；规范包：{}（{}）", norm.title_zh, norm.name),
        format!("plan: {en}; norm pack: {} ({})", norm.title_en, norm.name),
    )
}

/// The sheet.
pub(super) fn sheet(report: &Report) -> Sheet {
    let mut lines = vec![head(report)];
    if let Some(note) = &report.city.plan.note {
        lines.push(Words::new(format!("说明：{note}"), format!("note: {note}")));
    }
    lines.push(Words::new(
        "状态为“假定”的数字没有公布值，请以本地数字替换",
        "figures of status \"assumed\" are published nowhere: put in your own",
    ));
    Sheet {
        name: Words::new("依据与状态", "Sources"),
        title: Words::new("依据与状态", "assumptions, their status and source"),
        lines,
        table: table(report),
    }
}

/// One row for each assumption: constants of the norm pack, and each group of numbers of the city.
pub(super) fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("键", "key", 34.0),
        ("名称", "what", 34.0),
        ("数值", "value", 14.0),
        ("单位", "unit", 16.0),
        ("状态", "status", 12.0),
        ("来源", "source", 80.0),
    ]);
    let city = &report.city;
    let mut add = |key: String, what: Words, value: Cell, unit: Words, origin: &Origin| {
        let status = Words::new(origin.status.word_zh(), origin.status.word());
        let source = Cell::both(&origin.source);
        table.rows.push(vec![
            Cell::text(key),
            Cell::both(&what),
            value,
            Cell::both(&unit),
            Cell::both(&status),
            source,
        ]);
    };
    let persons = || Words::new("人", "persons");
    let see = || Words::new("见城市文件", "see the city file");
    let total = &city.population;
    let all = Words::new("全市人口", "persons in the city");
    add("population".to_owned(), all, Cell::Count(total.value), persons(), &total.origin);
    for c in city.norm.constants() {
        let value = c.value.parse::<f64>().map_or_else(|_| Cell::text(&c.value), exact);
        add(c.key, c.title, value, c.unit, c.origin);
    }
    for d in &city.districts {
        let of = |zh: &str, en: &str| {
            Words::new(format!("{}{zh}", d.name.zh), format!("{}: {en}", d.name.en))
        };
        let key = |part: &str| format!("district[{}].{part}", d.code);
        let people = Cell::Count(d.population.value);
        add(key("population"), of("人口", "persons"), people, persons(), &d.population.origin);
        let have = of("点台与人员", "people and places");
        add(key("have"), have, Cell::Blank, see(), &d.have.origin);
        add(key("stock"), of("库存", "stock"), Cell::Blank, see(), &d.stock.origin);
        if let Some(fleet) = &d.fleet {
            add(key("fleet"), of("车辆", "vehicles"), Cell::Blank, see(), &fleet.origin);
        }
        if let Some(sampling) = &d.sampling {
            let shifts = of("采样班次", "sampling shifts");
            add(key("sampling"), shifts, Cell::Blank, see(), &sampling.origin);
        }
    }
    for lab in &city.labs {
        let what =
            Words::new(format!("{}设备人员", lab.name.zh), format!("{}: means", lab.name.en));
        add(format!("lab[{}]", lab.code), what, Cell::Blank, see(), &lab.origin);
    }
    table
}

/// A number as a count where it is a whole one.
fn exact(value: f64) -> Cell {
    match value.fract() == 0.0 && (0.0..1e15).contains(&value) {
        true => Cell::Count(value as u64),
        false => Cell::Number(value),
    }
}
