//! Index entries that are not in a run yet. Visible to every query at once; the writer only puts
//! them down, ordering them is done beside the commit path.

use super::entry::{self, Entry, Heaps};
use std::convert::Infallible;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Chunks are put together in memory up to this size, so that a query looks into few.
const CHUNK_MAX: usize = 262_144;

/// Entries in heaps.
#[derive(Clone)]
struct Chunk {
    entries: Arc<Vec<Entry>>,
    heaps: Arc<Heaps>,
}

impl Chunk {
    fn of(parts: &[&[Entry]]) -> Chunk {
        let (entries, heaps) = entry::into_heaps(parts, entry::TO_LOOK);
        Chunk { entries: Arc::new(entries), heaps: Arc::new(heaps) }
    }

    /// A batch's entries, each once: a tube may name somebody twice. A run must say at its beginning how many there are.
    fn of_batch(entries: &[Entry]) -> Chunk {
        let chunk = Chunk::of(&[entries]);
        if !chunk.heaps.have_twins(&chunk.entries) {
            return chunk;
        }
        let mut once = entry::sorted(&[entries]);
        once.dedup();
        Chunk::of(&[&once])
    }

    fn find(&self, wanted: &Entry, found: &mut Vec<u64>) {
        let heap = &self.entries[self.heaps.place(wanted)];
        found.extend(heap.iter().filter(|entry| entry.is_of(wanted)).map(|entry| entry.seq));
    }
}

/// So many neighbours at least are put together: each time costs a pass over all of them, and each chunk a look of
/// every question.
const JOIN_AT: usize = 8;

/// Neighbours that are to be put together: where they begin and how many. Chunks are few then, as in a
/// counter; none grows beyond the limit.
fn to_join(chunks: &[Chunk]) -> Option<(usize, usize)> {
    let length = |at: usize| chunks[at].entries.len();
    let (mut from, mut sum) = (chunks.len(), 0);
    while from > 0
        && sum + length(from - 1) <= CHUNK_MAX
        && (sum == 0 || length(from - 1) <= 2 * sum)
    {
        from -= 1;
        sum += length(from);
    }
    (chunks.len() - from >= JOIN_AT).then_some((from, chunks.len() - from))
}

#[derive(Default)]
struct Chunks {
    waiting: Vec<Chunk>,
    /// Grows whenever all that waits is taken away.
    version: u64,
    waiting_to: u64,
    /// Being written to a run; still looked at.
    moving: Vec<Chunk>,
    complete_to: u64,
}

impl Chunks {
    fn count(&self) -> usize {
        self.waiting.iter().chain(&self.moving).map(|chunk| chunk.entries.len()).sum()
    }
}

/// Entries that are not yet in a run.
pub struct Pending {
    chunks: Mutex<Chunks>,
    moved: Condvar,
}

/// What is to become a run.
pub struct Taken {
    chunks: Vec<Chunk>,
    /// The run begins after this sequence.
    pub after: u64,
    /// The run ends with this sequence.
    pub to: u64,
}

impl Taken {
    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.entries.len()).sum()
    }

    /// Hands out the entries in order, each once.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn for_each<E>(&self, each: impl FnMut(&Entry) -> Result<(), E>) -> Result<(), E> {
        let largest = self.chunks.iter().map(|chunk| chunk.heaps.bits()).max().unwrap_or(0);
        let bits = largest.min(entry::bits_of(self.count(), entry::TO_SORT));
        // Small chunks lie in too few heaps: they are sorted.
        let part = |chunk: &Chunk| match chunk.heaps.bits() < bits {
            true => Arc::new(entry::sorted(&[&chunk.entries])),
            false => Arc::clone(&chunk.entries),
        };
        let parts: Vec<Arc<Vec<Entry>>> = self.chunks.iter().map(part).collect();
        let parts: Vec<&[Entry]> = parts.iter().map(|part| part.as_slice()).collect();
        entry::for_each_in_order(&parts, bits, each)
    }

    /// The entries in order, each once.
    pub fn entries(&self) -> Vec<Entry> {
        let mut all = Vec::with_capacity(self.count());
        let Ok(()) = self.for_each(|entry| {
            all.push(*entry);
            Ok::<_, Infallible>(())
        });
        all
    }
}

impl Pending {
    /// Nothing waits; the runs are complete to `complete_to`.
    pub fn new(complete_to: u64) -> Pending {
        let chunks = Chunks { complete_to, waiting_to: complete_to, ..Chunks::default() };
        Pending { chunks: Mutex::new(chunks), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Chunks> {
        // A panic while holding the lock leaves whole chunks: nothing is half written.
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the entries of some events, in any order; everything up to `to` is then visible. No event's entries may come in two
    /// calls. True when chunks are many enough to be put together.
    pub fn add(&self, entries: &[Entry], to: u64) -> bool {
        let chunk = (!entries.is_empty()).then(|| Chunk::of_batch(entries));
        let mut chunks = self.lock();
        chunks.waiting_to = to;
        chunks.waiting.extend(chunk);
        to_join(&chunks.waiting).is_some()
    }

    /// Puts chunks together, so that a query looks into few. Called by one thread alone; what it
    /// works on stays visible meanwhile.
    pub fn tidy(&self) {
        loop {
            let (from, work, version) = {
                let chunks = self.lock();
                let Some((from, count)) = to_join(&chunks.waiting) else { return };
                (from, chunks.waiting[from..from + count].to_vec(), chunks.version)
            };
            let parts: Vec<&[Entry]> = work.iter().map(|chunk| chunk.entries.as_slice()).collect();
            let whole = Chunk::of(&parts);
            let mut chunks = self.lock();
            // Unless they have been taken meanwhile, they are where they were: others were only
            // added behind them.
            if chunks.version == version {
                chunks.waiting.splice(from..from + work.len(), [whole]);
            }
        }
    }

    /// How far the runs are complete.
    pub fn complete_to(&self) -> u64 {
        self.lock().complete_to
    }

    /// Number of entries that are not in a run.
    pub fn count(&self) -> usize {
        self.lock().count()
    }

    /// Waits at most a second until fewer than `limit` entries wait; true when it is so. Intake
    /// slows here rather than memory growing.
    pub fn wait_below(&self, limit: usize) -> bool {
        let over = |chunks: &mut Chunks| chunks.count() >= limit;
        let waited = self.moved.wait_timeout_while(self.lock(), Duration::from_secs(1), over);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Every entry that waits, sorted.
    pub fn snapshot(&self) -> Vec<Entry> {
        let chunks: Vec<Chunk> = {
            let chunks = self.lock();
            chunks.waiting.iter().chain(&chunks.moving).cloned().collect()
        };
        Taken { chunks, after: 0, to: 0 }.entries()
    }

    /// The events under a key.
    pub fn find(&self, key: &[u8; 16], found: &mut Vec<u64>) {
        let wanted = Entry::new(key, 0);
        let chunks: Vec<Chunk> = {
            let chunks = self.lock();
            chunks.waiting.iter().chain(&chunks.moving).cloned().collect()
        };
        chunks.iter().for_each(|chunk| chunk.find(&wanted, found));
    }

    /// Takes everything that waits, to be written to a run; `None` when the runs hold everything.
    /// It stays visible until [`Pending::done`].
    pub fn take(&self) -> Option<Taken> {
        let mut chunks = self.lock();
        if chunks.waiting_to == chunks.complete_to {
            return None;
        }
        // Added to what moves already: after a failed attempt that is still in no run.
        let waiting = std::mem::take(&mut chunks.waiting);
        chunks.version += 1;
        chunks.moving.extend(waiting);
        let (after, to) = (chunks.complete_to, chunks.waiting_to);
        Some(Taken { chunks: chunks.moving.clone(), after, to })
    }

    /// What was taken is in a run.
    pub fn done(&self, complete_to: u64) {
        let mut chunks = self.lock();
        chunks.moving.clear();
        chunks.complete_to = complete_to;
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: u8, seq: u64) -> Entry {
        Entry::new(&[first; 16], seq)
    }

    fn find(pending: &Pending, first: u8) -> Vec<u64> {
        let mut found = Vec::new();
        pending.find(&[first; 16], &mut found);
        found.sort_unstable();
        found
    }

    #[test]
    fn what_a_failed_attempt_took_is_taken_again_and_seen_meanwhile() {
        let pending = Pending::new(0);
        pending.add(&[entry(1, 1)], 1);
        assert!(pending.take().is_some(), "the attempt fails: nothing says that it is done");
        pending.add(&[entry(2, 2)], 2);
        let taken = pending.take().unwrap();
        assert_eq!((taken.after, taken.to), (0, 2));
        assert_eq!(taken.entries(), vec![entry(1, 1), entry(2, 2)]);
        assert_eq!(find(&pending, 1), [1]);
        pending.done(2);
        assert_eq!(pending.count(), 0);
        assert!(pending.take().is_none());
    }

    #[test]
    fn whom_a_tube_names_twice_it_names_once_in_the_index() {
        let pending = Pending::new(0);
        pending.add(&[entry(9, 1), entry(1, 1), entry(9, 1)], 1);
        pending.add(&[entry(9, 2)], 2);
        let taken = pending.take().unwrap();
        assert_eq!(taken.count(), 3);
        assert_eq!(taken.entries(), vec![entry(1, 1), entry(9, 1), entry(9, 2)]);
    }

    #[test]
    fn an_entry_is_found_before_and_after_chunks_are_put_together() {
        let pending = Pending::new(0);
        for seq in 1..=100_u64 {
            pending.add(&[entry((seq % 5) as u8, seq), entry(200, seq)], seq);
            if seq % 3 == 0 {
                pending.tidy();
            }
            assert_eq!(find(&pending, 200).len() as u64, seq);
            assert_eq!(find(&pending, 3).len() as u64, (seq + 2) / 5);
        }
        pending.tidy();
        assert!(pending.lock().waiting.len() <= 8, "{}", pending.lock().waiting.len());
        assert_eq!(pending.snapshot().len(), 200);
        assert!(pending.snapshot().is_sorted());
    }
}
