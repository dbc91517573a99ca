//! Records in files and in layers as one list.

use super::error::Error;
use super::keys::Kind;
use super::layer::{self, Layer};
use super::read::EachRecord;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hands out what stands in files, with what the layers say put over it: at most `limit` of them.
pub fn merged(
    layers: &[Arc<Layer>],
    prefix: &[u8],
    from: &[u8],
    limit: usize,
    stored: impl Iterator<Item = Result<(Box<[u8]>, Box<[u8]>), rocksdb::Error>>,
    each: &mut EachRecord<'_>,
) -> Result<(), Error> {
    let above = match Kind::of(prefix) {
        Some(kind) => layer::of_kind(layers, kind, from, limit),
        None => BTreeMap::new(),
    };
    let mut above = above.into_iter().filter(|(key, _)| key.starts_with(prefix)).peekable();
    let mut stored = stored.peekable();
    let mut left = limit;
    while left > 0 {
        let below = match stored.peek() {
            Some(Ok((key, _))) => Some(key),
            Some(Err(_)) => {
                return Err(stored
                    .next()
                    .and_then(Result::err)
                    .map_or(Error::Damaged { what: "iterator".into() }, Error::from));
            }
            None => None,
        };
        let order = match (above.peek(), below) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((above, _)), Some(below)) => above.as_slice().cmp(below),
        };
        let covered = if order == Ordering::Less { None } else { stored.next().transpose()? };
        match (order, covered) {
            (Ordering::Greater, Some((key, value))) => each(&key, &value)?,
            _ => match above.next() {
                Some((key, Some(value))) => each(&key, &value)?,
                _ => continue,
            },
        }
        left -= 1;
    }
    Ok(())
}
