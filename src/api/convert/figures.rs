//! Figures for the wire: sums over cells, so that the parts of an answer are its total.

use super::super::pb;
use crate::domain::counters::{CellKey, Counter, Figures};
use crate::domain::discrepancy::Discrepancy;
use crate::domain::reference::Reference;
use crate::domain::words::{Call, Code, Status};
use crate::engine::FiguresAt;
use crate::engine::query::people::{PeopleFigures, Row};
use std::collections::BTreeMap;

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The round; empty = all.
    pub round: Code,
    /// The groups.
    pub by: pb::GroupBy,
    /// The groups that are wanted; empty = all.
    pub codes: Vec<Code>,
}

/// Rows, total, and what belongs to no round.
pub type Sums = (Vec<pb::ProgressRow>, pb::ProgressRow, Option<pb::ProgressRow>);

/// Sums the cells up by group.
pub fn sums(at: &FiguresAt, reference: &Reference, wanted: &Wanted) -> Sums {
    let mut groups: BTreeMap<&str, Figures> = BTreeMap::new();
    let (mut total, mut without) = (Figures::default(), Figures::default());
    for (cell, figures) in &at.cells {
        match (wanted.round.is_empty(), cell.round == wanted.round) {
            (false, false) if cell.round.is_empty() => without.add(figures),
            (false, false) => {}
            (true, _) | (false, true) => {
                total.add(figures);
                groups.entry(group(cell, wanted.by)).or_default().add(figures);
            }
        }
    }
    let chosen = |code: &&str| {
        wanted.codes.is_empty() || wanted.codes.iter().any(|wanted| wanted.as_str() == *code)
    };
    let rows = groups
        .iter()
        .filter(|(code, _)| chosen(code))
        .map(|(code, figures)| row(code, name(code, wanted.by, reference), figures));
    let without = (!wanted.round.is_empty()).then(|| row("", String::new(), &without));
    (rows.collect(), row("", String::new(), &total), without)
}

fn group(cell: &CellKey, by: pb::GroupBy) -> &str {
    match by {
        pb::GroupBy::Unspecified | pb::GroupBy::City => "",
        pb::GroupBy::District => &cell.district,
        pb::GroupBy::Site => &cell.site,
        pb::GroupBy::Desk => &cell.desk,
        pb::GroupBy::Lab => &cell.lab,
    }
}

fn name(code: &str, by: pb::GroupBy, reference: &Reference) -> String {
    let name = match by {
        pb::GroupBy::District => reference.jurisdictions.get(code).map(|(_, _, name)| name),
        pb::GroupBy::Site => reference.sites.get(code).map(|(_, name)| name),
        pb::GroupBy::Lab => reference.labs.get(code).map(|(name, _)| name),
        pb::GroupBy::Unspecified | pb::GroupBy::City | pb::GroupBy::Desk => None,
    };
    name.map(ToString::to_string).unwrap_or_default()
}

fn row(code: &str, name: String, figures: &Figures) -> pb::ProgressRow {
    let statuses = Status::ALL.iter().map(|status| pb::StatusFigure {
        status: status.number().into(),
        tubes: figures.get(Counter::tubes(*status)),
        swabs: figures.get(Counter::swabs(*status)),
    });
    let calls = Call::ALL.iter().map(|call| pb::CallFigure {
        call: call.number().into(),
        tubes: figures.get(Counter::call(*call)),
    });
    let odd = Discrepancy::ALL.iter().map(|one| pb::DiscrepancyFigure {
        code: one.number().into(),
        records: figures.get(Counter::discrepancy(one.number())),
        of_arrival: one.is_of_arrival(),
    });
    pb::ProgressRow {
        code: code.to_owned(),
        name,
        statuses: statuses.collect(),
        tubes: figures.tubes_total(),
        swabs: figures.swabs_total(),
        tubes_without_call: figures.tubes_total()
            - Call::ALL.iter().map(|call| figures.get(Counter::call(*call))).sum::<i64>(),
        calls: calls.collect(),
        recalls_opened: figures.get(Counter::RECALLS),
        recalls_closed: figures.get(Counter::RECALLS_CLOSED),
        recollections_opened: figures.get(Counter::RECOLLECTIONS),
        recollections_closed: figures.get(Counter::RECOLLECTIONS_CLOSED),
        discrepancies: odd.filter(|figure| figure.records != 0).collect(),
        boxes: figures.get(Counter::BOXES),
        boxes_packed: figures.get(Counter::BOXES_PACKED),
        boxes_in_transit: figures.get(Counter::BOXES_IN_TRANSIT),
        boxes_received: figures.get(Counter::BOXES_RECEIVED),
        plates: figures.get(Counter::PLATES),
        runs: figures.get(Counter::RUNS),
    }
}

/// Figures of people.
pub fn people(found: &PeopleFigures, reference: &Reference) -> pb::People {
    let name = |code: &Code| name(code, pb::GroupBy::District, reference);
    pb::People {
        people_complete_to: found.people_complete_to,
        total: Some(people_row("", String::new(), &found.total)),
        districts: found
            .districts
            .iter()
            .map(|(code, row)| people_row(code, name(code), row))
            .collect(),
    }
}

fn people_row(district: &str, name: String, row: &Row) -> pb::PeopleRow {
    pb::PeopleRow {
        district: district.to_owned(),
        name,
        roster: row.roster,
        resulted: row.resulted,
        sampled_unresulted: row.sampled_unresulted,
        missing: row.missing,
        outside_roster: row.outside_roster,
        outside_resulted: row.outside_resulted,
        outside_unresulted: row.outside_unresulted,
        outside_unsampled: row.outside_unsampled,
        in_two_tubes: row.in_two_tubes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> FiguresAt {
        let mut at = FiguresAt { seq: 9, ..FiguresAt::default() };
        let mut add = |round: &str, district: &str, lab: &str, counter: Counter, count: i64| {
            let cell = CellKey {
                round: round.into(),
                district: district.into(),
                lab: lab.into(),
                ..CellKey::default()
            };
            at.cells.entry(cell).or_default().count(counter, count);
        };
        add("r1", "d1", "", Counter::tubes(Status::Sealed), 5);
        add("r1", "d1", "l1", Counter::tubes(Status::Released), 7);
        add("r1", "d1", "l1", Counter::swabs(Status::Released), 70);
        add("r1", "d2", "l1", Counter::tubes(Status::Lost), 1);
        add("r2", "d2", "l2", Counter::tubes(Status::Open), 100);
        add("", "", "l1", Counter::PLATES, 2);
        add("", "", "l1", Counter::BOXES, 9);
        add("", "", "l1", Counter::BOXES_IN_TRANSIT, 4);
        add("", "", "l1", Counter::BOXES_RECEIVED, 5);
        add("", "", "", Counter::BOXES, 3);
        add("", "", "", Counter::BOXES_PACKED, 3);
        add("", "", "l1", Counter::tubes(Status::Awaiting), 3);
        at
    }

    fn ask(round: &str, by: pb::GroupBy, codes: &[&str]) -> Sums {
        let codes = codes.iter().map(|code| Code::from(*code)).collect();
        sums(&at(), &Reference::default(), &Wanted { round: round.into(), by, codes })
    }

    #[test]
    fn parts_are_the_total_however_they_are_grouped() {
        use pb::GroupBy::*;
        for round in ["", "r1", "r2", "none"] {
            for by in [City, District, Site, Desk, Lab] {
                let (rows, total, _) = ask(round, by, &[]);
                assert_eq!(rows.iter().map(|row| row.tubes).sum::<i64>(), total.tubes);
                for row in rows.iter().chain([&total]) {
                    assert_eq!(row.statuses.len(), Status::ALL.len());
                    assert_eq!(row.statuses.iter().map(|one| one.tubes).sum::<i64>(), row.tubes);
                    assert_eq!(row.statuses.iter().map(|one| one.swabs).sum::<i64>(), row.swabs);
                }
            }
        }
    }

    #[test]
    fn what_belongs_to_no_round_is_given_apart_when_a_round_is_asked_for() {
        let (rows, total, without) = ask("r1", pb::GroupBy::District, &[]);
        let codes: Vec<_> = rows.iter().map(|row| (row.code.as_str(), row.tubes)).collect();
        assert_eq!(codes, [("d1", 12), ("d2", 1)]);
        let without = without.unwrap();
        assert_eq!((total.tubes, without.tubes, without.plates), (13, 3, 2));
        let (_, total, without) = ask("", pb::GroupBy::City, &[]);
        assert_eq!((total.tubes, total.plates, without), (116, 2, None));
    }

    #[test]
    fn boxes_are_told_by_laboratory_and_by_how_far_they_have_come() {
        let (rows, total, _) = ask("", pb::GroupBy::Lab, &[]);
        let of = |row: &pb::ProgressRow| {
            [row.boxes, row.boxes_packed, row.boxes_in_transit, row.boxes_received]
        };
        let told: Vec<_> = rows.iter().map(|row| (row.code.as_str(), of(row))).collect();
        assert_eq!(told, [("", [3, 3, 0, 0]), ("l1", [9, 0, 4, 5]), ("l2", [0; 4])]);
        assert_eq!(of(&total), [12, 3, 4, 5]);
    }

    #[test]
    fn a_filter_hides_rows_and_changes_no_total() {
        let (rows, total, _) = ask("", pb::GroupBy::Lab, &["l1"]);
        assert_eq!((rows.len(), rows[0].tubes, total.tubes), (1, 11, 116));
    }
}
