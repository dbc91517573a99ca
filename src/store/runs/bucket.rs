//! A bucket: the entries of a run whose keys begin with the same bits, as they stand in a file.

use super::super::entry::{Entry, SEQ_BYTES};
use super::super::error::Error;
use super::super::keys;
use super::Head;

/// The place of an entry's bytes in a bucket.
pub fn parts(bytes: &[u8], known: usize) -> (&[u8], u64) {
    let (rest, seq) = bytes.split_at(16 - known);
    let mut whole = [0; 8];
    whole[8 - SEQ_BYTES..].copy_from_slice(seq);
    (rest, u64::from_be_bytes(whole))
}

/// The events under a key, which is in this bucket if it is anywhere.
pub fn find(value: &[u8], head: &Head, key: &[u8; 16], found: &mut Vec<u64>) {
    let (width, known) = (head.width(), head.known_bytes());
    let wanted = &key[known..];
    let at = |place: usize| parts(&value[place * width..(place + 1) * width], known);
    let count = value.len() / width;
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = (low + high) / 2;
        if at(middle).0 < wanted { low = middle + 1 } else { high = middle }
    }
    found.extend((low..count).map(at).take_while(|(rest, _)| *rest == wanted).map(|(_, seq)| seq));
}

/// The bucket that a key of a file names, and its entries.
pub fn decode_bucket(key: &[u8], value: &[u8], head: &Head) -> Result<Vec<Entry>, Error> {
    let bucket = keys::parse_run(key).map(|(_, slot)| slot).filter(|slot| *slot > keys::RUN_HEAD);
    let entries =
        bucket.and_then(|slot| entries_of(u64::from(slot - keys::RUN_HEAD - 1), value, head));
    entries.ok_or_else(|| Error::Damaged { what: format!("bucket of an index, key {key:02x?}") })
}

/// The entries of a bucket; `None` when it is not what a run of this head would have there.
pub fn entries_of(bucket: u64, value: &[u8], head: &Head) -> Option<Vec<Entry>> {
    let (width, known) = (head.width(), head.known_bytes());
    if value.is_empty() || !value.len().is_multiple_of(width) {
        return None;
    }
    let mut whole = [0; 16];
    if head.bits > 0 {
        whole[..8].copy_from_slice(&(bucket << (64 - head.bits)).to_be_bytes());
    }
    let entries: Vec<Entry> = value
        .chunks_exact(width)
        .map(|bytes| {
            let (rest, seq) = parts(bytes, known);
            whole[known..].copy_from_slice(rest);
            Entry::new(&whole, seq)
        })
        .collect();
    let stands_here = |entry: &Entry| entry.prefix(head.bits) == bucket;
    (entries.is_sorted() && entries.iter().all(stands_here)).then_some(entries)
}
