//! The log's form: batches of events, each batch with the Merkle root of its events, chained by
//! hashes. An event can be proven to stand in the log without showing any other.

use super::codec::{Input, Malformed, Wire, decode, encode, wire_struct};

/// A hash.
pub type Hash = [u8; 32];

/// The head of a batch as stored. The sequence of its first event is in the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of events.
    pub count: u32,
    /// Merkle root over the events' bytes.
    pub root: Hash,
    /// Hash of the batch before; all zero for the first.
    pub previous: Hash,
    /// Hash of this batch.
    pub hash: Hash,
}
wire_struct!(Head { count, root, previous, hash });

impl Head {
    /// The head of a batch that begins at `first_seq` with these leaves.
    pub fn new(previous: Hash, first_seq: u64, leaves: &[Hash]) -> Head {
        let count = u32::try_from(leaves.len()).expect("a batch is limited far below 2^32 events");
        let root = merkle_root(leaves);
        Head { count, root, previous, hash: chain(&previous, first_seq, count, &root) }
    }

    /// The bytes as stored.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a head back.
    pub fn decode(first_seq: u64, bytes: &[u8]) -> Result<Head, super::Error> {
        decode(bytes).map_err(|_| super::Error::Damaged { what: format!("batch {first_seq}") })
    }
}

/// `H(previous, first sequence, count, root)`.
pub fn chain(previous: &Hash, first_seq: u64, count: u32, root: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"swabline batch 1");
    hasher.update(previous);
    hasher.update(&first_seq.to_be_bytes());
    hasher.update(&count.to_be_bytes());
    hasher.update(root);
    *hasher.finalize().as_bytes()
}

/// The leaf of an event. Leaves and nodes begin with different bytes, so that neither can be taken
/// for the other (RFC 6962 section 2.1).
pub fn leaf(event: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[LEAF]);
    hasher.update(event);
    *hasher.finalize().as_bytes()
}

/// The first byte of a leaf.
pub const LEAF: u8 = 0;

/// The leaf of an event that has [`LEAF`] before it: in one go, without the state of a
/// hasher.
pub fn leaf_of_marked(marked: &[u8]) -> Hash {
    *blake3::hash(marked).as_bytes()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1_u8; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    *blake3::hash(&bytes).as_bytes()
}

fn level_up(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .map(|two| if let [left, right] = two { node(left, right) } else { two[0] })
        .collect()
}

/// The root over leaves; a single last one of a level is carried up as it is.
pub fn merkle_root(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = level_up(&level);
    }
    level.first().copied().unwrap_or_default()
}

/// The siblings from a leaf up to the root; `true` = the sibling stands to the left.
pub fn merkle_path(leaves: &[Hash], mut at: usize) -> Vec<(Hash, bool)> {
    let mut path = Vec::new();
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        if let Some(sibling) = level.get(at ^ 1) {
            path.push((*sibling, at % 2 == 1));
        }
        level = level_up(&level);
        at /= 2;
    }
    path
}

/// Shows that an event stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// Sequence of the event.
    pub seq: u64,
    /// The event's bytes as stored.
    pub event_bytes: Vec<u8>,
    /// Its leaf.
    pub leaf: Hash,
    /// Siblings up to the root; `true` = to the left.
    pub path: Vec<(Hash, bool)>,
    /// Sequence of the batch's first event.
    pub batch_first_seq: u64,
    /// Number of events in the batch.
    pub batch_count: u32,
    /// Root of the batch.
    pub root: Hash,
    /// Hash of the batch before.
    pub previous: Hash,
    /// Hash of the batch.
    pub hash: Hash,
}

impl LogProof {
    /// True when bytes, path, root and hash belong together.
    pub fn holds(&self) -> bool {
        let up = |below: Hash, (sibling, left): &(Hash, bool)| {
            if *left { node(sibling, &below) } else { node(&below, sibling) }
        };
        leaf(&self.event_bytes) == self.leaf
            && self.path.iter().fold(self.leaf, up) == self.root
            && chain(&self.previous, self.batch_first_seq, self.batch_count, &self.root)
                == self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_a_batch_of_any_size_can_be_proven_and_no_other() {
        for size in 1..=33_usize {
            let bytes: Vec<Vec<u8>> = (0..size).map(|i| vec![i as u8; 5]).collect();
            let leaves: Vec<Hash> = bytes.iter().map(|b| leaf(b)).collect();
            let head = Head::new([7; 32], 100, &leaves);
            for (at, event_bytes) in bytes.iter().enumerate() {
                let mut proof = LogProof {
                    seq: 100 + at as u64,
                    event_bytes: event_bytes.clone(),
                    leaf: leaf_of_marked(&[&[LEAF], event_bytes.as_slice()].concat()),
                    path: merkle_path(&leaves, at),
                    batch_first_seq: 100,
                    batch_count: head.count,
                    root: head.root,
                    previous: head.previous,
                    hash: head.hash,
                };
                assert!(proof.holds(), "size {size} at {at}");
                proof.event_bytes[0] ^= 1;
                assert!(!proof.holds(), "a changed event must not pass: size {size} at {at}");
            }
        }
    }
}
