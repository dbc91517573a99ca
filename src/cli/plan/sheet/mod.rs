//! The workbook: the list of shortages as it is filed upward, shifts, teams, vehicles and trips, what the layers say of one
//! item side by side, the measures, a sheet per layer, and every assumption with its source.
//!
//! Tables are made first (`shortage`, `crews`, `compare`, `measures`, `layers`, `sources`), with numbers as numbers, and then set on sheets (`write`).

mod compare;
mod crews;
mod layers;
mod measures;
mod shortage;
mod sources;
mod write;

use rust_xlsxwriter::XlsxError;
#[cfg(test)]
pub(super) use write::rows_of;

use super::Report;
use crate::planner::Words;

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Blank,
    /// Words.
    Text(String),
    /// A count.
    Count(u64),
    /// A number with two decimals.
    Number(f64),
    /// A day: year, month, day.
    Day(u16, u8, u8),
}

impl Cell {
    /// Words in both languages: Chinese, and English below.
    pub fn both(words: &Words) -> Cell {
        Cell::Text(match words.zh == words.en {
            true => words.zh.clone(),
            false => format!("{}\n{}", words.zh, words.en),
        })
    }

    fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }
}

/// A column: its heading in Chinese and English, and its width in characters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub zh: String,
    pub en: String,
    pub width: f64,
}

/// One table on a sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// Rows that are sums, by index: set in bold.
    pub sums: Vec<usize>,
}

impl Table {
    fn new(columns: &[(&str, &str, f64)]) -> Table {
        let column = |(zh, en, width): &(&str, &str, f64)| Column {
            zh: (*zh).to_owned(),
            en: (*en).to_owned(),
            width: *width,
        };
        Table { columns: columns.iter().map(column).collect(), ..Table::default() }
    }

    fn sum(&mut self, row: Vec<Cell>) {
        self.sums.push(self.rows.len());
        self.rows.push(row);
    }
}

/// A sheet: a title, lines under it, and a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    /// What its tab says; together at most 30 characters.
    pub name: Words,
    pub title: Words,
    pub lines: Vec<Words>,
    pub table: Table,
}

/// Every sheet of a report, in order.
pub(super) fn sheets(report: &Report) -> Vec<Sheet> {
    let mut all = vec![shortage::sheet(report), crews::sheet(report), layers::rules(report)];
    if let Ok(found) = &report.layers {
        all.extend(compare::sheet(report));
        all.extend(measures::sheet(report, found));
        all.push(layers::labs(report, found));
        all.push(layers::assignment(found));
        all.push(layers::simulation(report, found));
    }
    all.push(sources::sheet(report));
    all
}

/// The workbook as bytes.
pub(super) fn workbook(report: &Report) -> Result<Vec<u8>, XlsxError> {
    write::book(&sheets(report))
}
