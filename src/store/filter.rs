//! A filter of a run: says of most keys that are not in it that they are not. Bloom's filter with
//! all bits of a key in one word of memory (Putze, Sanders, Singler 2007: blocked Bloom filters).

use super::entry::Entry;

/// Bits for each entry. With four bits set for each, about one foreign key in fifty passes.
const BITS_PER_ENTRY: u64 = 10;

/// Words in one stored part.
const PART_WORDS: usize = 4_096;

/// A filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<u64>);

/// A filter that is being filled.
pub struct FilterBuilder(Filter);

impl FilterBuilder {
    /// A filter for so many entries.
    pub fn new(count: u64) -> FilterBuilder {
        let words = usize::try_from(count * BITS_PER_ENTRY / 64).expect("it fits into memory") + 1;
        FilterBuilder(Filter(vec![0; words]))
    }

    /// Takes an entry's key.
    pub fn add(&mut self, entry: &Entry) {
        let (at, mask) = self.0.place(entry);
        self.0.0[at] |= mask;
    }

    /// The filter.
    pub fn finish(self) -> Filter {
        self.0
    }
}

impl Filter {
    /// False when the key is not in the run.
    pub fn may_have(&self, entry: &Entry) -> bool {
        // A filter that is not there says nothing.
        if self.0.is_empty() {
            return true;
        }
        let (at, mask) = self.place(entry);
        self.0[at] & mask == mask
    }

    /// Word and bits of a key. The first bits choose the word: a run's entries come in their order, so that a
    /// filter is filled from its beginning to its end. Fact numbers stand in the low half as they are, so it is mixed
    /// before it chooses bits.
    fn place(&self, entry: &Entry) -> (usize, u64) {
        let (high, low) = entry.words();
        let at = ((u128::from(high) * self.0.len() as u128) >> 64) as usize;
        let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let bit = |shift: u32| 1_u64 << ((mixed >> shift) & 63);
        (at, bit(0) | bit(6) | bit(12) | bit(18))
    }

    /// The parts as they are stored.
    pub fn parts(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.0.chunks(PART_WORDS).map(bytes)
    }

    /// Adds the next stored part.
    pub fn extend(&mut self, part: &[u8]) {
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        self.0.extend(part.chunks_exact(8).map(word));
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::fact_entry;
    use super::*;

    #[test]
    fn a_filter_never_misses_and_seldom_passes_a_stranger() {
        let mut builder = FilterBuilder::new(100_000);
        (0..100_000).for_each(|n| builder.add(&fact_entry(n % 50, n / 50, 0)));
        let filter = builder.finish();
        let mut stored = Filter::default();
        filter.parts().for_each(|part| stored.extend(&part));
        assert_eq!(stored, filter);
        assert!((0..100_000).all(|n| filter.may_have(&fact_entry(n % 50, n / 50, 0))));
        let passed =
            (0..100_000).filter(|n| filter.may_have(&fact_entry(n % 50 + 50, n / 50, 0))).count();
        assert!(passed < 4_000, "{passed} of 100,000 strangers");
    }
}
