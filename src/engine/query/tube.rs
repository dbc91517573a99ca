//! One tube: what it is now, everything that ever touched it, and the log's proof of each.

use crate::domain::boxes::{BoxRecord, BoxWhat};
use crate::domain::fact::{Event, WellContent};
use crate::domain::plate::{PlateRecord, PlateWhat};
use crate::domain::tube::{TubeRecord, TubeView};
use crate::domain::words::Code;
use crate::store::{Error, LogProof, Read};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything about a tube.
#[derive(Clone, Debug, PartialEq)]
pub struct TubeAnswer {
    /// Its barcode.
    pub code: Code,
    /// The set of its facts.
    pub record: Arc<TubeRecord>,
    /// What follows from them.
    pub view: TubeView,
    /// Every event that touches it, those of its boxes and plates included, in canonical order.
    pub history: Vec<Event>,
    /// When asked for: the proof that each event of `history` stands in the log, in its order.
    pub proofs: Vec<LogProof>,
}

/// A tube by its barcode; `None` when nothing ever named it.
///
/// Tube, boxes and plates are read one after the other, so a fact committed in between may show in
/// the history before it shows in the record; never the other way round.
pub fn tube(read: &Read, code: &str, with_proofs: bool) -> Result<Option<TubeAnswer>, Error> {
    let Some(record) = read.tube(code)? else { return Ok(None) };
    let code = Code::from(code);
    let mut seqs: BTreeSet<u64> = record.marks.iter().map(|mark| mark.origin.seq).collect();
    for part in &record.boxes {
        if let Some(container) = read.container(&part.container)? {
            seqs.extend(of_box(&container, &code));
        }
    }
    for part in &record.plates {
        if let Some(plate) = read.plate(&part.plate)? {
            seqs.extend(of_plate(&plate, &code));
        }
    }
    let mut history = Vec::with_capacity(seqs.len());
    for seq in seqs {
        // A body that has expired leaves its place in the chain and no event.
        history.extend(read.event(seq)?);
    }
    history.sort_by(|a, b| (a.captured(), &a.fact.id).cmp(&(b.captured(), &b.fact.id)));
    let mut proofs = Vec::new();
    if with_proofs {
        for event in history.iter().take(PROOFS_MAX) {
            proofs.extend(read.proof(event.seq)?);
        }
    }
    let view = record.view();
    Ok(Some(TubeAnswer { code, record, view, history, proofs }))
}

/// Proofs of one answer; each reads a whole batch of the log. The events after it come without.
pub const PROOFS_MAX: usize = 200;

/// The events of a box that touch a tube: the packings that list it, every hand-over, and every
/// reception; one that does not list the tube is what makes it missing.
fn of_box<'a>(container: &'a BoxRecord, tube: &'a Code) -> impl Iterator<Item = u64> + 'a {
    let touches = move |what: &BoxWhat| match what {
        BoxWhat::Packed(tubes) => tubes.contains(tube),
        BoxWhat::HandedOver { .. } | BoxWhat::Received { .. } => true,
    };
    container.marks.iter().filter(move |mark| touches(&mark.what)).map(|mark| mark.origin.seq)
}

/// The events of a plate that touch a tube: the loadings that hold it, every run and judgement.
fn of_plate<'a>(plate: &'a PlateRecord, tube: &'a Code) -> impl Iterator<Item = u64> + 'a {
    let touches = move |what: &PlateWhat| match what {
        PlateWhat::Loaded { wells, .. } => {
            wells.iter().any(|well| matches!(&well.content, WellContent::Tube(t) if t == tube))
        }
        PlateWhat::Run { .. } | PlateWhat::Reassessed { .. } => true,
    };
    plate.marks.iter().filter(move |mark| touches(&mark.what)).map(|mark| mark.origin.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::query::story::Story;

    /// The events of a story that touch tube `T1` through its box and its plate.
    fn touching(lines: &str) -> Vec<u64> {
        let story = Story::told(lines);
        let tube = Code::from("T1");
        let boxed = story.container("B").into_iter().flat_map(|record| of_box(record, &tube));
        let plated = story.plate("P").into_iter().flat_map(|record| of_plate(record, &tube));
        boxed.chain(plated).collect()
    }

    #[test]
    fn box_and_plate_events_belong_to_the_tubes_they_touch() {
        let cases: &[(&str, &[u64])] = &[
            ("1 pack B T1,T2", &[1]),
            ("1 pack B T1\n2 pack B T2", &[1]),
            ("1 pack B T1\n2 hand B L\n3 take B L", &[1, 2, 3]),
            // A reception that does not list the tube is what makes it missing.
            ("1 pack B T1\n2 take B L T2", &[1, 2]),
            ("1 plate P L T1,T2\n2 run P R --", &[1, 2]),
            ("1 plate P L T1\n2 plate P L T2\n3 run P R -", &[1, 3]),
        ];
        for (lines, expected) in cases {
            assert_eq!(touching(lines), *expected, "{lines}");
        }
    }
}
