//! The log's form: batches of events, each batch with the Merkle root of its events, chained by
//! hashes. An event can be proven to stand in the log without showing any other.

use super::codec::{Input, Malformed, Wire, decode, encode, wire_struct};
use sha2::{Digest, Sha256};

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
    /// The head of a batch that begins at `first_seq` with these leaves, which are of that form.
    pub fn new(form: Form, previous: Hash, first_seq: u64, leaves: &[Hash]) -> Head {
        let count = u32::try_from(leaves.len()).expect("a batch is limited far below 2^32 events");
        let root = form.root(leaves);
        Head { count, root, previous, hash: form.chain(&previous, first_seq, count, &root) }
    }

    /// How the batch is hashed. A head that is of no form is of the one that is written now, and does not hold.
    pub fn form(&self, first_seq: u64) -> Form {
        let Head { count, root, previous, hash } = self;
        let of = |form: &Form| form.chain(previous, first_seq, *count, root) == *hash;
        Form::ALL.into_iter().find(of).unwrap_or(Form::NOW)
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

/// How a batch is hashed: the Merkle tree of RFC 6962 section 2.1, over one hash function or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// BLAKE3: batches of folders of formats 1 to 4.
    Blake3,
    /// SHA-256, as the RFC has it: any tool checks such a proof, and processors have instructions for it. An event is too
    /// short for what makes BLAKE3 fast: it takes twice as long (430 and 220 ns for 342 bytes, on an AMD EPYC).
    Sha256,
}

/// What a leaf begins with, and a node: neither can be taken for the other.
const LEAF: u8 = 0;
const NODE: u8 = 1;

impl Form {
    const ALL: [Form; 2] = [Form::Sha256, Form::Blake3];

    /// The form of what is written.
    pub const NOW: Form = Form::Sha256;

    fn hash(self, parts: &[&[u8]]) -> Hash {
        match self {
            Form::Blake3 => {
                let mut hasher = blake3::Hasher::new();
                parts.iter().for_each(|part| _ = hasher.update(part));
                *hasher.finalize().as_bytes()
            }
            Form::Sha256 => {
                let mut hasher = Sha256::new();
                parts.iter().for_each(|part| hasher.update(part));
                hasher.finalize().into()
            }
        }
    }

    /// The leaf of an event.
    pub fn leaf(self, event: &[u8]) -> Hash {
        self.hash(&[&[LEAF], event])
    }

    fn node(self, left: &Hash, right: &Hash) -> Hash {
        self.hash(&[&[NODE], left, right])
    }

    /// `H(label, previous, first sequence, count, root)`.
    fn chain(self, previous: &Hash, first_seq: u64, count: u32, root: &Hash) -> Hash {
        let label: &[u8] = match self {
            Form::Blake3 => b"swabline batch 1",
            Form::Sha256 => b"swabline batch 2",
        };
        self.hash(&[label, previous, &first_seq.to_be_bytes(), &count.to_be_bytes(), root])
    }

    fn level_up(self, level: &[Hash]) -> Vec<Hash> {
        let up = |two: &[Hash]| match two {
            [left, right] => self.node(left, right),
            alone => alone[0],
        };
        level.chunks(2).map(up).collect()
    }

    /// The root over leaves; a single last one of a level is carried up as it is.
    fn root(self, leaves: &[Hash]) -> Hash {
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            level = self.level_up(&level);
        }
        level.first().copied().unwrap_or_default()
    }

    /// The siblings from a leaf up to the root; `true` = the sibling stands to the left.
    pub fn path(self, leaves: &[Hash], mut at: usize) -> Vec<(Hash, bool)> {
        let mut path = Vec::new();
        let mut level = leaves.to_vec();
        while level.len() > 1 {
            if let Some(sibling) = level.get(at ^ 1) {
                path.push((*sibling, at % 2 == 1));
            }
            level = self.level_up(&level);
            at /= 2;
        }
        path
    }
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
        let LogProof { batch_first_seq, batch_count: count, root, previous, hash, .. } = *self;
        let form = Head { count, root, previous, hash }.form(batch_first_seq);
        let up = |below: Hash, (sibling, left): &(Hash, bool)| {
            if *left { form.node(sibling, &below) } else { form.node(&below, sibling) }
        };
        form.leaf(&self.event_bytes) == self.leaf
            && self.path.iter().fold(self.leaf, up) == root
            && form.chain(&previous, batch_first_seq, count, &root) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_a_batch_of_any_size_and_form_can_be_proven_and_no_other() {
        for (form, size) in Form::ALL.into_iter().flat_map(|form| (1..=33).map(move |n| (form, n)))
        {
            let bytes: Vec<Vec<u8>> = (0..size).map(|i| vec![i as u8; 5]).collect();
            let leaves: Vec<Hash> = bytes.iter().map(|b| form.leaf(b)).collect();
            let head = Head::new(form, [7; 32], 100, &leaves);
            assert_eq!(head.form(100), form);
            for (at, event_bytes) in bytes.iter().enumerate() {
                let mut proof = LogProof {
                    seq: 100 + at as u64,
                    event_bytes: event_bytes.clone(),
                    leaf: leaves[at],
                    path: form.path(&leaves, at),
                    batch_first_seq: 100,
                    batch_count: head.count,
                    root: head.root,
                    previous: head.previous,
                    hash: head.hash,
                };
                assert!(proof.holds(), "{form:?}, size {size} at {at}");
                proof.event_bytes[0] ^= 1;
                assert!(
                    !proof.holds(),
                    "a changed event must not pass: {form:?}, size {size} at {at}"
                );
                proof.event_bytes[0] ^= 1;
                proof.batch_first_seq += 1;
                assert!(!proof.holds(), "nor one at another place: {form:?}, size {size} at {at}");
            }
        }
    }

    /// The roots of RFC 6962's reference implementation for its first eight test inputs, of which these are one, two, three
    /// and all eight (certificate-transparency, merkletree/merkle_tree_test.cc).
    #[test]
    fn the_tree_is_that_of_the_rfc() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let leaf = |hex: &&str| {
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            Form::Sha256.leaf(&(0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>())
        };
        let leaves: Vec<Hash> = inputs.iter().map(leaf).collect();
        for (count, root) in [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            let found: String =
                Form::Sha256.root(&leaves[..count]).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(found, root, "{count}");
        }
    }
}
