//! Files cut into facts. The same file gives the same facts with the same ids, so that importing it
//! again, or going on after a break, changes nothing.

use super::server::Call;
use super::{CODE_BYTES_MAX, Content, File};
use crate::api::pb;

/// Reference items of one fact.
const ITEMS_MAX: usize = 1_000;

/// People of one fact.
pub(super) const PEOPLE_MAX: usize = 5_000;

const _: () = assert!(ITEMS_MAX <= crate::api::limits::ITEMS_MAX);
const _: () = assert!(PEOPLE_MAX <= crate::api::limits::ROSTER_PEOPLE_MAX);

/// How files are cut. Whoever cuts them in another way gives it the next number: under the old one
/// the server would have the same ids with other content.
const FORM: u8 = 1;

/// A call, and how many items or people it carries.
pub(super) type Piece = (Call, u64);

/// What the facts of a roster are said to be: its round and its name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) round: &'a str,
    pub(super) roster: &'a str,
}

/// The epoch of a file's facts: by its bytes and by all else that stands in the facts, because the
/// same roster is imported again for the next round, and must be new facts there. Positive also as
/// a signed number, and never 0.
pub(super) fn epoch(file: &blake3::Hash, said: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[FORM]);
    hasher.update(file.as_bytes());
    for word in said {
        hasher.update(&(word.len() as u64).to_le_bytes());
        hasher.update(word.as_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    (u64::from_le_bytes(first) & i64::MAX as u64).max(1)
}

/// The last part of a path, cut to what a code may have.
pub(super) fn name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let mut end = name.len().min(CODE_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// The calls that import a file, in order.
pub(super) fn calls<'f>(
    file: &'f File,
    source: &'f str,
    named: Named<'f>,
) -> Box<dyn Iterator<Item = Piece> + 'f> {
    let fact = move |epoch: u64, at: usize| {
        let number = at as u64 + 1;
        let id = pb::FactId { source: source.to_owned(), epoch, number };
        // The server's clock; a fact that is told again keeps its first time.
        Some(pb::AdministrationFact { id: Some(id), captured_at_ms: 0 })
    };
    match &file.content {
        Content::Reference(items) => {
            let epoch = epoch(&file.hash, &[&file.name]);
            Box::new(items.chunks(ITEMS_MAX).enumerate().map(move |(at, items)| {
                let request = pb::ImportReferenceRequest {
                    fact: fact(epoch, at),
                    file: file.name.clone(),
                    items: items.iter().map(|item| item.wire.clone()).collect(),
                };
                (Call::Reference(request), items.len() as u64)
            }))
        }
        Content::Roster(roster) => {
            let epoch = epoch(&file.hash, &[named.round, named.roster]);
            Box::new(roster.pieces().enumerate().map(move |(at, piece)| {
                let count = piece.people.len() as u64;
                let request = pb::ImportRosterRequest {
                    fact: fact(epoch, at),
                    round: named.round.to_owned(),
                    roster: named.roster.to_owned(),
                    district: piece.district,
                    people: piece.people,
                };
                (Call::Roster(request), count)
            }))
        }
    }
}
