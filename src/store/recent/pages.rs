//! Bytes by event, in pages of neighbouring events: putting some down costs no memory of its own for each,
//! and the oldest page is let go of as a whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

/// Events of a page.
const EVENTS: u64 = 1_024;

/// Where the bytes of an event lie in its page.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u32,
    length: u32,
    known: bool,
}

#[derive(Default)]
struct Page {
    places: Vec<Place>,
    bytes: Vec<u8>,
    /// Bytes that were put down again elsewhere.
    left_over: usize,
}

impl Page {
    fn new() -> Page {
        Page { places: vec![Place::default(); EVENTS as usize], ..Page::default() }
    }

    fn of(&self, place: Place) -> &[u8] {
        &self.bytes[place.start as usize..][..place.length as usize]
    }

    fn put(&mut self, at: usize, parts: [&[u8]; 2]) {
        let before = self.places[at];
        let length = parts[0].len() + parts[1].len();
        self.left_over += before.length as usize;
        if self.left_over * 4 > self.bytes.len() + length {
            self.tidy(at, length);
        }
        // By a quarter and not by twice: there are thousands of pages.
        if self.bytes.capacity() - self.bytes.len() < length {
            self.bytes.reserve_exact(length.max(self.bytes.len() / 4));
        }
        let start = self.bytes.len();
        let (Ok(start), Ok(length)) = (u32::try_from(start), u32::try_from(length)) else {
            // No tube is that large; it is asked of the files.
            self.places[at] = Place { known: true, ..Place::default() };
            return;
        };
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.places[at] = Place { start, length, known: true };
    }

    /// Puts down anew what still counts; the place `but` is about to be written again, with `length` bytes.
    fn tidy(&mut self, but: usize, length: usize) {
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.left_over + length);
        for at in (0..self.places.len()).filter(|at| *at != but) {
            let place = self.places[at];
            let start = bytes.len() as u32;
            bytes.extend_from_slice(self.of(place));
            self.places[at].start = start;
        }
        self.places[but] = Place::default();
        (self.bytes, self.left_over) = (bytes, 0);
    }

    fn weight(&self) -> usize {
        self.bytes.capacity() + self.places.capacity() * size_of::<Place>()
    }
}

#[derive(Default)]
struct Shelf {
    pages: BTreeMap<u64, RwLock<Page>>,
    /// Pages before this one have been let go of and do not come back.
    from: u64,
}

/// Bytes by event.
#[derive(Default)]
pub struct Pages {
    shelf: RwLock<Shelf>,
    weight: AtomicUsize,
}

impl Pages {
    /// Puts down the two parts as the bytes of an event, unless it is too old. With `only_new` what stands there
    /// stays.
    pub fn put(&self, seq: u64, parts: [&[u8]; 2], only_new: bool) {
        let (page, at) = (seq / EVENTS, (seq % EVENTS) as usize);
        loop {
            let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
            if page < shelf.from {
                return;
            }
            if let Some(page) = shelf.pages.get(&page) {
                let mut page = page.write().unwrap_or_else(PoisonError::into_inner);
                if only_new && page.places[at].known {
                    return;
                }
                let before = page.weight();
                page.put(at, parts);
                let after = page.weight();
                // Under the page's lock: whoever lets go of the page counts what has been counted.
                self.weight.fetch_add(after, Ordering::Relaxed);
                self.weight.fetch_sub(before, Ordering::Relaxed);
                return;
            }
            drop(shelf);
            let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
            if page >= shelf.from && !shelf.pages.contains_key(&page) {
                let new = Page::new();
                self.weight.fetch_add(new.weight(), Ordering::Relaxed);
                shelf.pages.insert(page, RwLock::new(new));
            }
        }
    }

    /// What `of` makes of the bytes of an event; `None` when there are none.
    pub fn read<T>(&self, seq: u64, of: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        let page = shelf.pages.get(&(seq / EVENTS))?;
        let page = page.read().unwrap_or_else(PoisonError::into_inner);
        let place = page.places[(seq % EVENTS) as usize];
        if place.length == 0 { None } else { of(page.of(place)) }
    }

    /// Lets go of the oldest pages while all of them weigh more than `max` bytes.
    pub fn make_room(&self, max: usize) {
        if self.weight() <= max {
            return;
        }
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        while self.weight() > max
            && let Some((number, page)) = shelf.pages.pop_first()
        {
            shelf.from = number + 1;
            let page = page.into_inner().unwrap_or_else(PoisonError::into_inner);
            self.weight.fetch_sub(page.weight(), Ordering::Relaxed);
        }
    }

    /// Bytes taken.
    pub fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(pages: &Pages, seq: u64) -> Option<Vec<u8>> {
        pages.read(seq, |bytes| Some(bytes.to_vec()))
    }

    #[test]
    fn the_newest_bytes_of_each_event_are_read_however_often_they_were_put_down() {
        let pages = Pages::default();
        for round in 0..40_u64 {
            for seq in (0..3_000).step_by(1 + round as usize % 7) {
                let bytes = vec![round as u8; (seq % 50 + round) as usize];
                pages.put(seq, [&bytes, &seq.to_be_bytes()], false);
                let read = get(&pages, seq).unwrap();
                assert_eq!(read, [&bytes[..], &seq.to_be_bytes()].concat());
            }
        }
        for seq in 0..3_000 {
            let ends = get(&pages, seq).unwrap();
            assert!(ends.ends_with(&seq.to_be_bytes()), "event {seq}: {ends:?}");
        }
        let shelf = pages.shelf.read().unwrap();
        let weights = shelf.pages.values().map(|page| page.read().unwrap().weight());
        assert_eq!(pages.weight(), weights.sum::<usize>());
        let left_over: usize = shelf.pages.values().map(|p| p.read().unwrap().left_over).sum();
        let all: usize = shelf.pages.values().map(|p| p.read().unwrap().bytes.len()).sum();
        assert!(left_over * 4 <= all, "{left_over} of {all} bytes are left over");
    }

    #[test]
    fn what_is_only_new_never_covers_what_stands_there_also_when_that_is_nothing() {
        let pages = Pages::default();
        pages.put(5, [b"old", b""], true);
        pages.put(5, [b"older", b""], true);
        assert_eq!(get(&pages, 5).unwrap(), b"old");
        pages.put(5, [b"", b""], false);
        pages.put(5, [b"older", b""], true);
        assert_eq!(get(&pages, 5), None);
    }

    #[test]
    fn the_oldest_page_goes_first_and_does_not_come_back() {
        let pages = Pages::default();
        for seq in 0..10 * EVENTS {
            pages.put(seq, [&[1; 30], &[2; 9]], false);
            pages.make_room(300_000);
            assert!(pages.weight() <= 300_000);
            assert!(get(&pages, seq).is_some(), "the newest stays");
        }
        assert_eq!(get(&pages, 1), None);
        pages.put(1, [b"again", b""], false);
        pages.put(1, [b"again", b""], true);
        assert_eq!(get(&pages, 1), None);
        pages.make_room(0);
        assert_eq!(pages.weight(), 0);
    }
}
