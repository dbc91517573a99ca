//! 按时完成的措施: what the search found that brings the round within its target, way by way, with the people that it takes.

use super::super::Report;
use super::super::added_text::{desk_people, none_more};
use super::super::compare::which_to_file;
use super::super::known::no_units;
use super::super::layers::Layers;
use super::super::measures_text::{street_driven, street_served};
use super::super::moving::{Move, Moving};
use super::super::people;
use super::super::remedy::{More, Outcome};
use super::super::remedy_text::sentence;
use super::super::words::{MEASURES, span};
use super::{Cell, Sheet, Table};
use crate::planner::{CrewItem, Item, Shelf, Words};

/// Streets that are named one by one in a row of moves.
const STREETS_NAMED: usize = 12;

/// The sheet; none where the round is in time and the shelf has enough for it.
pub(super) fn sheet(report: &Report, found: &Layers) -> Option<Sheet> {
    let shelf = report.plan.shelf();
    if found.remedy.is_none() && shelf.is_empty() {
        return None;
    }
    let mut table = Table::new(&[
        ("方案", "way", 22.0),
        ("措施", "measure", 26.0),
        ("处", "where", 30.0),
        ("单位", "unit", 10.0),
        ("现有（开动）", "now at work", 12.0),
        ("增加", "more", 12.0),
        ("增加后", "then", 12.0),
        ("其中须添置", "to get", 12.0),
        ("须增人员", "people to add", 12.0),
        ("改送至", "sent to", 30.0),
        ("管数", "tubes", 12.0),
        ("说明", "note", 60.0),
    ]);
    let mut lines = vec![sentence(report, found)];
    lines.extend(which_to_file(report));
    let rows = Rows { report, found };
    shelf.iter().for_each(|lack| table.rows.push(rows.shelf(lack)));
    if let Some(remedy) = &found.remedy {
        let vehicles = remedy.more.as_ref().is_some_and(|more| !more.vehicles.is_empty());
        let way = match vehicles {
            true => Words::new("增加设备、采样台与车辆", "more units, desks and vehicles"),
            false => Words::new("增加设备与采样台", "more units and desks"),
        };
        match &remedy.more {
            Some(more) => rows.more(&mut table, &way, more),
            None => lines.push(no_units(found, remedy)),
        }
        if let Moving::Moves { moves, outcome, .. } = &remedy.moving {
            let way = Words::new("改送", "tubes to other labs");
            rows.moves(&mut table, &way, moves);
            rows.outcome(&mut table, &way, outcome);
        }
        if let Some(both) = &remedy.both {
            let way = Words::new("两者并用", "both partly");
            rows.moves(&mut table, &way, &both.moves);
            rows.more(&mut table, &way, &both.more);
        }
        let ways = remedy.more.iter().chain(remedy.both.as_ref().map(|both| &both.more));
        let desks: Vec<_> =
            ways.flat_map(|more| people::of_desks(&report.city, found, &more.desks)).collect();
        lines.extend(none_more(report, &desks));
        lines.push(Words::new(
            "各方案任选其一，不相加；“须添置”为须购置、租用或调入的台数（有设备因缺人未开动的不计入），“须增人员”为各班合计",
            "Take one of the ways, not all of them. \"To get\" is what is bought, hired or moved there (units that stand idle for \
             want of people are there already); \"people to add\" are those of all shifts",
        ));
    }
    let (zh, en) = MEASURES;
    Some(Sheet {
        name: Words::new(zh, en),
        title: Words::new(zh, "what brings the round within its target"),
        lines,
        table,
    })
}

struct Rows<'r> {
    report: &'r Report,
    found: &'r Layers,
}

impl Rows<'_> {
    fn lab(&self, lab: usize) -> Cell {
        super::layers::lab(self.found, lab)
    }

    fn shelf(&self, lack: &Shelf) -> Vec<Cell> {
        let names = lack.places.iter().map(|(_, name)| name.clone());
        let mut row = vec![Cell::Blank; 12];
        row[0] = Cell::both(&Words::new("先补齐现货", "first for the shelf"));
        row[1] = Cell::both(&lack.item.name());
        row[2] = Cell::both(&Words::listed(names, STREETS_NAMED, "处"));
        row[3] = Cell::both(&lack.item.unit());
        row[4] = Cell::Count(lack.have);
        row[5] = Cell::Count(lack.short);
        row[6] = Cell::Count(lack.have.saturating_add(lack.short));
        row[7] = Cell::Count(lack.short);
        row
    }

    /// Units, desks and vehicles, and what they bring.
    fn more(&self, table: &mut Table, way: &Words, more: &More) {
        let takes = people::of_desks(&self.report.city, self.found, &more.desks);
        for (desks, take) in more.desks.iter().zip(takes) {
            let (now, add) = (u64::from(desks.now), u64::from(desks.more));
            let mut row = vec![Cell::Blank; 12];
            row[0] = Cell::both(way);
            row[1] = Cell::both(&Words::new("采样台", "desks"));
            row[2] = Cell::both(&street_served(self.found, desks));
            row[3] = Cell::both(&Item::Desk.unit());
            (row[4], row[5], row[6]) =
                (Cell::Count(now), Cell::Count(add), Cell::Count(now.saturating_add(add)));
            row[7] = Cell::Count(take.desks);
            row[8] = Cell::Count(take.samplers.saturating_add(take.registrars));
            row[11] = Cell::both(&desk_people(take.samplers, take.registrars));
            table.rows.push(row);
        }
        for vehicles in &more.vehicles {
            let (now, add) = (u64::from(vehicles.now), u64::from(vehicles.more));
            let mut row = vec![Cell::Blank; 12];
            row[0] = Cell::both(way);
            row[1] = Cell::both(&CrewItem::Vehicles.name());
            row[2] = Cell::both(&street_driven(self.found, vehicles));
            row[3] = Cell::both(&CrewItem::Vehicles.unit());
            (row[4], row[5], row[6]) =
                (Cell::Count(now), Cell::Count(add), Cell::Count(now.saturating_add(add)));
            row[7] = Cell::Count(add);
            table.rows.push(row);
        }
        for units in &more.units {
            let (now, add) = (u64::from(units.now), u64::from(units.more));
            let take = people::of_units(&self.report.city, units);
            let item = Item::LabUnit(units.stage);
            let mut row = vec![Cell::Blank; 12];
            row[0] = Cell::both(way);
            row[1] = Cell::both(&item.name());
            row[2] = self.lab(units.lab);
            row[3] = Cell::both(&item.unit());
            (row[4], row[5], row[6]) =
                (Cell::Count(now), Cell::Count(add), Cell::Count(now.saturating_add(add)));
            (row[7], row[8]) = (Cell::Count(take.bought), Cell::Count(take.people));
            table.rows.push(row);
        }
        self.outcome(table, way, &more.outcome);
    }

    /// Tubes from lab to lab.
    fn moves(&self, table: &mut Table, way: &Words, moves: &[Move]) {
        for one in moves {
            let names = one.streets.iter().map(|&s| self.found.round.streets[s].name.clone());
            let streets = match one.streets.len() {
                0 => Words::default(),
                _ => Words::listed(names, STREETS_NAMED, "个街道"),
            };
            let (zh, en) = match one.serves {
                true => ("现承检片区内", "its own district"),
                false => ("须跨片区承检", "must take tubes of another district"),
            };
            let note = match one.streets.len() {
                0 => Words::new(zh, en),
                _ => Words::new(
                    format!("{zh}；整条街道：{}", streets.zh),
                    format!("{en}; whole streets: {}", streets.en),
                ),
            };
            let mut row = vec![Cell::Blank; 12];
            row[0] = Cell::both(way);
            row[1] = Cell::both(&Words::new("改送样本", "tubes sent elsewhere"));
            row[2] = self.lab(one.from);
            row[9] = self.lab(one.to);
            row[10] = Cell::Count(one.tubes);
            row[11] = Cell::both(&note);
            table.rows.push(row);
        }
    }

    /// When the round is done with a way, in bold under its rows.
    fn outcome(&self, table: &mut Table, way: &Words, outcome: &Outcome) {
        let done = span(outcome.finish());
        let (zh, en) = match outcome.finish() <= self.found.round.model.target {
            true => ("能按时", "in time"),
            false => ("仍不能按时", "still late"),
        };
        let mut row = vec![Cell::Blank; 12];
        row[0] = Cell::both(way);
        row[11] = Cell::both(&Words::new(
            format!("采用后 {} 完成，{zh}", done.zh),
            format!("done in {} with it, {en}", done.en),
        ));
        table.sum(row);
    }
}
