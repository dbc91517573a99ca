//! The list of records with a discrepancy.

use crate::domain::discrepancy::Discrepancy;
use crate::domain::fact::Place;
use crate::domain::words::{Code, Status};
use crate::domain::world::RecordKind;
use crate::store::{Error, Read};

/// A record and what is odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Odd {
    /// Tube, box or plate.
    pub kind: RecordKind,
    /// Its code.
    pub code: Code,
    /// What is odd.
    pub discrepancy: Discrepancy,
    /// Round of a tube; empty for the others.
    pub round: Code,
    /// Where a tube was collected; empty for the others.
    pub place: Place,
    /// The laboratory that has it, or empty.
    pub lab: Code,
    /// Status of a tube.
    pub status: Option<Status>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// By kind, then code.
    pub rows: Vec<Odd>,
    /// Ask again after this record; `None` at the end.
    pub next: Option<(RecordKind, Code)>,
}

/// The records with this discrepancy after `after`, at most `limit` of them.
pub fn odd(
    read: &Read,
    what: Discrepancy,
    after: Option<(RecordKind, &str)>,
    limit: usize,
) -> Result<Page, Error> {
    let found = read.odd_from(what, after, limit)?;
    let next = found.last().filter(|_| found.len() >= limit).cloned();
    let mut rows = Vec::with_capacity(found.len());
    for (kind, code) in found {
        let mut row = Odd {
            kind,
            code,
            discrepancy: what,
            round: Code::default(),
            place: Place::default(),
            lab: Code::default(),
            status: None,
        };
        match kind {
            RecordKind::Tube => {
                if let Some(view) = read.tube(&row.code)?.map(|record| record.view()) {
                    (row.round, row.place, row.lab) = (view.round, view.place, view.lab);
                    row.status = Some(view.status);
                }
            }
            RecordKind::Container => {
                row.lab = read.container(&row.code)?.map(|record| record.lab()).unwrap_or_default();
            }
            RecordKind::Plate => {
                row.lab = read.plate(&row.code)?.map(|record| record.lab()).unwrap_or_default();
            }
        }
        rows.push(row);
    }
    Ok(Page { rows, next })
}
