//! What a commit needs of a batch, worked out beforehand by the thread that decides: so the thread that has the disk
//! does little else, and the next batch is ready when it is.

use super::codec::encode_into;
use super::entry;
use super::layer::Commit;
use super::log::{self, Hash};
use super::pending::Chunk;
use super::records::encode_event_into;
use crate::domain::Code;

/// Bytes of an event, about: what a tube of ten people takes.
const EVENT_BYTES: usize = 330;

/// Bytes one after the other in one piece of memory.
#[derive(Default)]
struct Pieces {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Pieces {
    fn end(&mut self) -> &[u8] {
        let start = self.ends.last().copied().unwrap_or(0);
        self.ends.push(self.bytes.len());
        &self.bytes[start..]
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// A batch as it goes to the log and the indexes.
pub struct Prepared {
    /// Each event as it stands in the log, behind the byte that marks a leaf.
    marked: Pieces,
    leaves: Vec<Hash>,
    /// In the order of all indexes.
    indexes: [Option<Chunk>; 3],
    /// The tubes that it collected, as `codes` knows them.
    tube_words: Vec<u64>,
    /// The records that would be those of tubes that it only collected, in the order of
    /// [`Layer::only_collected`](super::layer::Layer::only_collected).
    stored: Pieces,
}

impl Prepared {
    /// Works it out.
    pub fn of(commit: &Commit) -> Prepared {
        let count = commit.events.len();
        let mut marked = Pieces {
            bytes: Vec::with_capacity(count * EVENT_BYTES),
            ends: Vec::with_capacity(count),
        };
        let mut leaves = Vec::with_capacity(count);
        let (mut people, mut facts) = (Vec::with_capacity(count * 10), Vec::with_capacity(count));
        let mut tubes = Vec::with_capacity(count);
        // The facts of a message come from one source.
        let mut source: Option<(&Code, u64, u64)> = None;
        for event in &commit.events {
            marked.bytes.push(log::LEAF);
            encode_event_into(event, &mut marked.bytes);
            leaves.push(log::leaf_of_marked(marked.end()));
            people.extend(entry::people_entries(event));
            tubes.extend(entry::tube_entry(event));
            let id = &event.fact.id;
            let known = source.filter(|(code, epoch, _)| **code == id.source && *epoch == id.epoch);
            let (.., word) = *source.insert(known.unwrap_or_else(|| {
                (&id.source, id.epoch, entry::source_word(&id.source, id.epoch))
            }));
            facts.push(entry::fact_entry(word, id.number, event.seq));
        }
        let mut stored = Pieces::default();
        let mut record = Vec::with_capacity(256);
        for (_, tube) in commit.layer.only_collected() {
            encode_into(tube, &mut record);
            stored.bytes.extend_from_slice(&record);
            stored.end();
        }
        Prepared {
            marked,
            leaves,
            tube_words: tubes.iter().map(|tube| tube.words().0).collect(),
            indexes: [people, facts, tubes].map(|entries| Chunk::of_batch(&entries)),
            stored,
        }
    }

    /// Bytes in the log, with keys.
    pub(super) fn bytes(&self) -> usize {
        self.marked.bytes.len() + self.leaves.len() * 24
    }

    /// Each event as it stands in the log.
    pub(super) fn events(&self) -> impl Iterator<Item = &[u8]> {
        self.marked.iter().map(|marked| &marked[1..])
    }

    pub(super) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    pub(super) fn tube_words(&self) -> impl Iterator<Item = u64> {
        self.tube_words.iter().copied()
    }

    pub(super) fn stored(&self) -> impl Iterator<Item = &[u8]> {
        self.stored.iter()
    }

    /// The entries, in the order of all indexes.
    pub(super) fn into_entries(self) -> [Option<Chunk>; 3] {
        self.indexes
    }
}
