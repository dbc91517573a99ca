//! Which tubes the files may know: most tubes that come in are new, and what is not in here is asked of
//! no file. A Bloom filter that grows by parts, each of twice the room of the one before.

use super::entry::{self, Entry};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// Bits for each code. With eight bits set for each, about one unknown code in a thousand passes a full part.
const BITS_PER_CODE: usize = 24;

/// Room of the first part, in codes: a round of forty million people at ten to a tube. Each part more is one more wait for
/// memory at every new tube, and an empty part takes 12 MiB.
const FIRST_ROOM: usize = 1 << 22;

/// Most codes, in all parts together: 384 MiB, some fifty rounds of 25 million people. At the limit all of it is given
/// up, and the files are asked again about every tube.
const CODES_MAX: usize = (1 << 27) - FIRST_ROOM;

struct Part {
    words: Vec<AtomicU64>,
    count: AtomicUsize,
    room: usize,
}

impl Part {
    fn new(room: usize) -> Part {
        let words = (0..room * BITS_PER_CODE / 64).map(|_| AtomicU64::new(0)).collect();
        Part { words, count: AtomicUsize::new(0), room }
    }

    fn place(&self, hash: u64) -> (&AtomicU64, u64) {
        let at = ((u128::from(hash) * self.words.len() as u128) >> 64) as usize;
        let bit = |shift: u32| 1_u64 << ((hash >> shift) & 63);
        (&self.words[at], (0..48).step_by(6).fold(0, |bits, shift| bits | bit(shift)))
    }

    fn may_have(&self, hash: u64) -> bool {
        let (word, bits) = self.place(hash);
        word.load(Ordering::Relaxed) & bits == bits
    }
}

/// Which of the codes one of the parts may have. Part after part and without a branch: each look is a wait for memory, and
/// the processor waits for many at a time only where nothing hangs on the answer of one.
fn may_have(parts: &[Part], hashes: &[u64]) -> Vec<bool> {
    let mut found = vec![false; hashes.len()];
    for part in parts {
        for (found, hash) in found.iter_mut().zip(hashes) {
            *found |= part.may_have(*hash);
        }
    }
    found
}

/// The word that a code is known by: of its key in the index of tubes.
pub fn word_of(code: &str) -> u64 {
    Entry::new(&entry::tube_key(code), 0).words().0
}

/// Codes that may stand in files, or in the index of tubes.
pub struct Codes {
    first_room: usize,
    /// Most codes: the room of all parts together.
    most: usize,
    parts: RwLock<Vec<Part>>,
    /// Everything that stands in files is in here.
    complete: AtomicBool,
    /// There were too many. For good.
    given_up: AtomicBool,
}

impl Default for Codes {
    fn default() -> Codes {
        Codes::new(FIRST_ROOM, CODES_MAX)
    }
}

impl Codes {
    fn new(first_room: usize, most: usize) -> Codes {
        let (parts, no) = (RwLock::default(), || AtomicBool::new(false));
        Codes { first_room, most, parts, complete: no(), given_up: no() }
    }

    /// Makes room for so many at once, and a quarter more: of fewer parts a new tube asks sooner.
    pub fn expect(&self, count: usize) {
        let room = count.saturating_add(count / 4);
        if room <= self.first_room || room > self.most {
            return;
        }
        let part = Part::new(room);
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        if parts.iter().map(|part| part.room).sum::<usize>() + room <= self.most {
            parts.push(part);
        }
    }

    /// Notes tubes. Must come before the layer that had them goes. Many at once are cheaper: memory is
    /// waited for together.
    pub fn add(&self, words: impl Iterator<Item = u64>) {
        if crate::breaks::on("known_tubes_forgotten") {
            return;
        }
        if self.given_up.load(Ordering::Acquire) {
            return;
        }
        let mut left: Vec<u64> = words.collect();
        loop {
            let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
            let mut found = may_have(&parts, &left).into_iter();
            left.retain(|_| !found.next().unwrap_or(false));
            if let Some(part) = parts.last() {
                let room = part.room.saturating_sub(part.count.load(Ordering::Relaxed));
                let taken = left.len().min(room);
                for hash in left.drain(..taken) {
                    let (word, bits) = part.place(hash);
                    word.fetch_or(bits, Ordering::Relaxed);
                }
                part.count.fetch_add(taken, Ordering::Relaxed);
            }
            if left.is_empty() {
                return;
            }
            let seen = parts.len();
            let all: usize = parts.iter().map(|part| part.room).sum();
            let wanted = parts.last().map_or(self.first_room, |part| part.room * 2);
            let room = wanted.min(self.most.saturating_sub(all));
            drop(parts);
            if room < self.first_room {
                tracing::warn!(
                    codes_max = self.most,
                    "too many tubes to know them all: every new one is looked for in files now"
                );
                self.given_up.store(true, Ordering::Release);
                self.parts.write().unwrap_or_else(PoisonError::into_inner).clear();
                return;
            }
            // Made before the lock is taken: whoever asks does not wait for fresh memory.
            let part = Part::new(room);
            let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
            if parts.len() == seen {
                parts.push(part);
            }
        }
    }

    /// From now on what is not in here is in no file.
    pub fn is_complete(&self) {
        self.complete.store(true, Ordering::Release);
    }

    /// Bytes taken.
    pub fn bytes(&self) -> usize {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        parts.iter().map(|part| part.words.len() * size_of::<AtomicU64>()).sum()
    }

    /// Takes those out of `places` whose code no file has.
    pub fn keep_known<'a>(&self, places: &mut Vec<usize>, code: impl Fn(usize) -> &'a str) {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: what was given up is empty, and says nothing.
        if !self.complete.load(Ordering::Acquire) || self.given_up.load(Ordering::Acquire) {
            return;
        }
        let hashes: Vec<u64> = places.iter().map(|place| word_of(code(*place))).collect();
        let mut found = may_have(&parts, &hashes).into_iter();
        places.retain(|_| found.next().unwrap_or(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    fn known(codes: &Codes, names: &[Code]) -> usize {
        let mut places: Vec<usize> = (0..names.len()).collect();
        codes.keep_known(&mut places, |at| &names[at]);
        places.len()
    }

    #[test]
    fn a_noted_code_is_always_kept_and_few_others_once_it_is_complete() {
        let codes = Codes::new(1 << 18, CODES_MAX);
        let name = |kind: char| move |n: u64| Code::from(format!("{kind}{n:09}"));
        let (noted, others): (Vec<_>, Vec<_>) =
            ((0..900_000).map(name('A')).collect(), (0..100_000).map(name('B')).collect());
        assert_eq!(known(&codes, &others), others.len(), "nothing is known of the files yet");
        for some in noted.chunks(1_000).chain([&noted[..100]]) {
            codes.add(some.iter().map(|code| word_of(code)));
        }
        codes.is_complete();
        assert_eq!(known(&codes, &noted), noted.len());
        let passed = known(&codes, &others);
        assert!(passed < 300, "{passed} of 100,000");
        let parts = codes.parts.read().unwrap();
        let counts: Vec<_> = parts.iter().map(|part| part.count.load(Ordering::Relaxed)).collect();
        assert_eq!(parts.len(), 3, "{counts:?}");
        assert!(counts[..2] == [1 << 18, 1 << 19], "{counts:?}");
    }

    #[test]
    fn what_is_expected_finds_room_in_one_part() {
        let codes = Codes::new(1 << 10, CODES_MAX);
        codes.expect(8_000);
        let names: Vec<_> = (0..11_000).map(|n| Code::from(format!("A{n:09}"))).collect();
        for (noted, parts) in [(10_000, 1), (11_000, 2)] {
            codes.add(names[..noted].iter().map(|code| word_of(code)));
            assert_eq!(codes.parts.read().unwrap().len(), parts, "{noted} tubes");
        }
        codes.is_complete();
        assert_eq!(known(&codes, &names), names.len());
        for count in [800, CODES_MAX, usize::MAX] {
            let none = Codes::new(1 << 10, CODES_MAX);
            none.expect(count);
            assert!(none.parts.read().unwrap().is_empty(), "{count} need no part of their own");
        }
    }

    #[test]
    fn up_to_the_limit_codes_are_known_and_beyond_it_every_one_is_asked_about_for_good() {
        let (room, parts) = (1 << 8, 3);
        let most = room * ((1 << parts) - 1);
        let codes = Codes::new(room, most);
        let name = |n: usize| Code::from(format!("A{n:09}"));
        let (noted, more): (Vec<_>, Vec<_>) =
            ((0..most).map(name).collect(), (most..2 * most).map(name).collect());
        codes.add(noted.iter().map(|code| word_of(code)));
        codes.is_complete();
        assert_eq!((known(&codes, &noted), codes.parts.read().unwrap().len()), (most, parts));
        assert!(known(&codes, &more) < most / 10, "it is full, and still knows what it has not");
        assert!(codes.bytes() > 0);
        codes.add(more.iter().map(|code| word_of(code)));
        assert_eq!([known(&codes, &noted), known(&codes, &more)], [most; 2]);
        assert_eq!(codes.bytes(), 0);
        codes.add(noted.iter().map(|code| word_of(code)));
        assert_eq!((known(&codes, &more), codes.bytes()), (most, 0));
        // The last part is as large as the limit leaves room for.
        let codes = Codes::new(room, most + room);
        codes.add(noted.iter().chain(&more[..room / 2]).map(|code| word_of(code)));
        assert_eq!(codes.parts.read().unwrap().len(), parts + 1);
        codes.add(more.iter().map(|code| word_of(code)));
        assert_eq!(codes.bytes(), 0);
    }
}
