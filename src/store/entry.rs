//! Entries of the indexes that the log can rebuild: what is looked for, and the event where it
//! stands. Person to events, fact id to event.

use crate::domain::PersonKey;
use crate::domain::fact::{Body, Event, FactId};

/// Sequences have so many bytes on the disk: enough for a million million events.
pub const SEQ_BYTES: usize = 5;

/// The highest sequence that an index can hold.
pub const SEQ_MAX: u64 = (1 << (8 * SEQ_BYTES)) - 1;

/// An entry. Its order is that of the key's bytes, then of the sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    high: u64,
    low: u64,
    /// The event.
    pub seq: u64,
}

impl Entry {
    pub fn new(key: &[u8; 16], seq: u64) -> Entry {
        let whole = u128::from_be_bytes(*key);
        Entry { high: (whole >> 64) as u64, low: whole as u64, seq }
    }

    /// The key's bytes.
    pub fn key(&self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }

    /// True when both have the same key.
    pub fn is_of(&self, other: &Entry) -> bool {
        (self.high, self.low) == (other.high, other.low)
    }

    /// The first `bits` bits of the key.
    pub fn prefix(&self, bits: u32) -> u64 {
        if bits == 0 { 0 } else { self.high >> (64 - bits) }
    }

    /// Two words of the key for a filter; keys are evenly spread, so no further mixing is needed.
    pub fn words(&self) -> (u64, u64) {
        (self.high, self.low)
    }
}

/// Where the heaps of a list begin: entries whose keys begin with the same bits lie together.
pub struct Heaps {
    bits: u32,
    starts: Vec<usize>,
}

impl Heaps {
    /// The place of the heap that a key would be in.
    pub fn place(&self, wanted: &Entry) -> std::ops::Range<usize> {
        let heap = wanted.prefix(self.bits) as usize;
        self.starts[heap]..self.starts[heap + 1]
    }

    /// The bits that the keys of a heap have in common.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// True when two of the entries, which lie in these heaps, are the same.
    pub fn have_twins(&self, entries: &[Entry]) -> bool {
        self.starts.windows(2).any(|heap| has_twins(&entries[heap[0]..heap[1]]))
    }
}

/// Entries in a heap to be sorted, on average: they fit the processor's nearest cache, and heaps are few enough to be
/// filled side by side.
pub const TO_SORT: usize = 64;

/// Entries in a heap to be sorted while runs are merged, on average: so few that sorting them is a handful of comparisons.
const TO_MERGE: usize = 4;

/// Entries in a heap to be looked through, on average.
pub const TO_LOOK: usize = 8;

/// Puts the parts together so that entries whose keys begin alike lie together, about `per_heap` of them. Keys are
/// evenly spread (they are hashes), so one pass does it.
pub fn into_heaps(parts: &[&[Entry]], per_heap: usize) -> (Vec<Entry>, Heaps) {
    let count: usize = parts.iter().map(|part| part.len()).sum();
    let bits = bits_of(count, per_heap);
    let all = || parts.iter().flat_map(|part| part.iter());
    let (placed, starts) = placed(all, count, bits, |entry| entry.prefix(bits) as usize);
    (placed, Heaps { bits, starts })
}

/// The bits by which so many entries come to lie in heaps of about `per_heap`.
pub fn bits_of(count: usize, per_heap: usize) -> u32 {
    (count / per_heap).max(1).ilog2()
}

/// The entries by their heap, of which there are two to the power of `bits`, and where each heap begins. Entries of a heap
/// stay in their order.
fn placed<'a, I: Iterator<Item = &'a Entry>>(
    all: impl Fn() -> I,
    count: usize,
    bits: u32,
    heap: impl Fn(&Entry) -> usize,
) -> (Vec<Entry>, Vec<usize>) {
    let mut starts = vec![0_usize; (1 << bits) + 1];
    for entry in all() {
        starts[heap(entry) + 1] += 1;
    }
    for heap in 1..starts.len() {
        starts[heap] += starts[heap - 1];
    }
    let mut placed = vec![Entry::default(); count];
    let mut next = starts.clone();
    for entry in all() {
        let place = &mut next[heap(entry)];
        placed[*place] = *entry;
        *place += 1;
    }
    (placed, starts)
}

/// Sorts entries whose keys all begin with the same `bits` bits.
pub fn sort_slice(entries: &mut Vec<Entry>, bits: u32) {
    let more = (entries.len() / TO_MERGE).max(1).ilog2().min(64 - bits);
    let heap = |entry: &Entry| entry.prefix(bits + more) as usize & ((1 << more) - 1);
    let (mut placed, starts) = placed(|| entries.iter(), entries.len(), more, heap);
    for heap in starts.windows(2).filter(|heap| heap[1] - heap[0] > 1) {
        placed[heap[0]..heap[1]].sort_unstable();
    }
    *entries = placed;
}

/// The entries of the parts in order. What is left to sort after putting them into heaps fits the
/// processor's nearest cache.
pub fn sorted(parts: &[&[Entry]]) -> Vec<Entry> {
    let (mut entries, heaps) = into_heaps(parts, TO_SORT);
    for heap in heaps.starts.windows(2) {
        entries[heap[0]..heap[1]].sort_unstable();
    }
    entries
}

/// Hands out the entries of the parts in order, heap by heap, and none of them is moved for it. A part that is not sorted must
/// lie in heaps of no fewer than `bits` bits.
///
/// # Errors
/// Those of `each`.
pub fn for_each_in_order<E>(
    parts: &[&[Entry]],
    bits: u32,
    mut each: impl FnMut(&Entry) -> Result<(), E>,
) -> Result<(), E> {
    let (mut left, mut heap) = (parts.to_vec(), Vec::new());
    for prefix in 0..1_u64 << bits {
        heap.clear();
        for part in &mut left {
            let of_heap = part.iter().take_while(|entry| entry.prefix(bits) == prefix).count();
            let (taken, rest) = part.split_at(of_heap);
            heap.extend_from_slice(taken);
            *part = rest;
        }
        heap.sort_unstable();
        heap.iter().try_for_each(&mut each)?;
    }
    Ok(())
}

/// So many entries at most are compared each with each.
const FEW: usize = 32;

/// True when two of the entries are the same.
fn has_twins(entries: &[Entry]) -> bool {
    if entries.len() > FEW {
        let mut sorted = entries.to_vec();
        sorted.sort_unstable();
        return sorted.windows(2).any(|two| two[0] == two[1]);
    }
    // The last word first: most entries of a heap are of different events.
    let same = |one: &Entry, other: &Entry| one.seq == other.seq && one == other;
    (1..entries.len()).any(|at| entries[..at].iter().any(|other| same(other, &entries[at])))
}

/// What the fact ids of a source and epoch have in common.
pub fn source_word(source: &str, epoch: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&epoch.to_be_bytes());
    hasher.update(source.as_bytes());
    let mut word = [0; 8];
    word.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(word)
}

/// The key of a fact id in the index of facts. Two ids may share it; whoever finds an event compares
/// its id.
pub fn fact_key(id: &FactId) -> [u8; 16] {
    fact_entry(source_word(&id.source, id.epoch), id.number, 0).key()
}

/// The entry of a fact whose source's word is known. The number is mixed into the first half, so
/// that keys are evenly spread (the finaliser of SplitMix64, Steele et al. 2014), and stands as it
/// is in the second.
pub fn fact_entry(source: u64, number: u64, seq: u64) -> Entry {
    let mut mixed = source.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Entry { high: mixed ^ (mixed >> 31), low: source ^ number, seq }
}

/// The entries of an event in the index of people.
pub fn people_entries(event: &Event) -> impl Iterator<Item = Entry> + '_ {
    event.fact.body.people().map(|PersonKey(key)| Entry::new(&key, event.seq))
}

/// The key of a tube in the index of tubes. Two codes may share it; whoever finds an event compares its tube.
pub fn tube_key(code: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(code.as_bytes()).as_bytes()[..16]);
    key
}

/// The entry of an event in the index of tubes, if it collected one as a whole.
pub fn tube_entry(event: &Event) -> Option<Entry> {
    match &event.fact.body {
        Body::TubeCollected { tube, .. } => Some(Entry::new(&tube_key(tube), event.seq)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(count: u64) -> Vec<Entry> {
        (0..count).map(|n| fact_entry(n % 7, n / 7, n)).collect()
    }

    #[test]
    fn sorting_in_heaps_is_sorting() {
        for count in [0, 1, 63, 64, 4_097, 50_000] {
            let entries = spread(count);
            let mut expected = entries.clone();
            expected.sort_unstable();
            let (some, others) = entries.split_at(entries.len() / 3);
            assert_eq!(sorted(&[some, others]), expected, "{count}");
        }
        // Keys that are not spread at all are still sorted.
        let same: Vec<Entry> = (0..9_000).rev().map(|n| Entry::new(&[7; 16], n)).collect();
        assert!(sorted(&[&same]).is_sorted());
    }

    #[test]
    fn parts_in_heaps_come_in_order() {
        for counts in [&[0, 0][..], &[1, 0, 2], &[4_000, 900, 64], &[50_000, 3]] {
            let mut all = spread(counts.iter().sum::<usize>() as u64);
            let (mut rest, mut parts) = (all.as_slice(), Vec::new());
            for count in counts {
                let (part, others) = rest.split_at(*count);
                parts.push(into_heaps(&[part], TO_LOOK));
                rest = others;
            }
            let bits = parts.iter().map(|(_, heaps)| heaps.bits()).min().unwrap();
            let parts: Vec<&[Entry]> = parts.iter().map(|(part, _)| part.as_slice()).collect();
            let in_order = |parts: &[&[Entry]], bits| {
                let mut found = Vec::new();
                let keep = |entry: &Entry| {
                    found.push(*entry);
                    Ok::<_, ()>(())
                };
                for_each_in_order(parts, bits, keep).map(|()| found)
            };
            all.sort_unstable();
            assert_eq!(in_order(&parts, bits).as_ref(), Ok(&all), "{counts:?}");
            // What is sorted is in heaps of any bits.
            assert_eq!(in_order(&[&all], 9).as_ref(), Ok(&all), "{counts:?}");
        }
        assert_eq!(for_each_in_order(&[&spread(9)], 0, |_| Err("full")), Err("full"));
    }

    #[test]
    fn twins_are_seen_in_small_heaps_and_in_large_ones() {
        for count in [1, 2, 9, 500] {
            let mut entries = vec![Entry::new(&[7; 16], 3); count];
            entries.iter_mut().zip(0..).for_each(|(entry, seq)| entry.seq = seq);
            let heaps = Heaps { bits: 0, starts: vec![0, count] };
            assert!(!heaps.have_twins(&entries), "{count}");
            entries[0] = entries[count - 1];
            assert_eq!(heaps.have_twins(&entries), count > 1, "{count}");
        }
    }

    #[test]
    fn a_slice_is_sorted_whatever_its_keys_begin_with() {
        for bits in [0, 1, 7, 20, 64] {
            for count in [0, 1, 3, 4, 900] {
                let first = Entry::new(&[0xa5; 16], 0).prefix(bits);
                let begins = |mut entry: Entry| {
                    let kept = if bits == 64 { 0 } else { entry.high >> bits };
                    entry.high = if bits == 0 { kept } else { first << (64 - bits) | kept };
                    entry
                };
                let mut slice: Vec<Entry> = spread(count).into_iter().map(begins).collect();
                let mut expected = slice.clone();
                expected.sort();
                sort_slice(&mut slice, bits);
                assert_eq!(slice, expected, "{count} with {bits} bits");
            }
        }
    }

    #[test]
    fn a_key_comes_back_as_it_went_in() {
        let key = *b"0123456789abcdef";
        let entry = Entry::new(&key, 9);
        assert_eq!((entry.key(), entry.seq), (key, 9));
        assert_eq!(entry.prefix(8), u64::from(b'0'));
    }
}
