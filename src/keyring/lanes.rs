//! Many documents hashed beside each other: BLAKE3's keyed hash of inputs of one block, four in the lanes of a vector. The
//! `blake3` crate has such a way for whole blocks of 64 bytes only, and a document is shorter. A test holds every length
//! against that crate.
//!
//! Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn: BLAKE3, sections 2.2 and 2.3 (version of 2021-11-01).

use wide::u32x4;

/// Inputs that are hashed beside each other.
pub const LANES: usize = 4;

/// Longest input, in bytes: one block.
pub const BLOCK: usize = 64;

/// The first words of the initial values (section 2.2, table 1).
const INITIAL: [u32; 4] = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];

/// `CHUNK_START`, `CHUNK_END`, `ROOT` and `KEYED_HASH`: the one block of an input begins and ends its one chunk (table 3).
const FLAGS: u32 = 1 | 1 << 1 | 1 << 3 | 1 << 4;

/// In which order the next round takes the words of this one (table 2).
const PERMUTED: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

/// Columns, then diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

#[inline(always)]
fn turned<const RIGHT: u32>(word: u32x4) -> u32x4 {
    (word >> RIGHT) | (word << (32 - RIGHT))
}

#[inline(always)]
fn quarter(v: &mut [u32x4; 16], [a, b, c, d]: [usize; 4], x: u32x4, y: u32x4) {
    v[a] = v[a] + v[b] + x;
    v[d] = turned::<16>(v[d] ^ v[a]);
    v[c] += v[d];
    v[b] = turned::<12>(v[b] ^ v[c]);
    v[a] = v[a] + v[b] + y;
    v[d] = turned::<8>(v[d] ^ v[a]);
    v[c] += v[d];
    v[b] = turned::<7>(v[b] ^ v[c]);
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let at = at * 4;
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The first 16 bytes of the keyed hash of each input: so many bytes of a block whose others are nought.
pub fn keyed(
    key: &[u8; 32],
    blocks: [&[u8; BLOCK]; LANES],
    bytes: [u32; LANES],
) -> [[u8; 16]; LANES] {
    let mut message: [u32x4; 16] =
        std::array::from_fn(|at| u32x4::from(blocks.map(|block| word(block, at))));
    let mut v: [u32x4; 16] = std::array::from_fn(|at| match at {
        0..8 => u32x4::splat(word(key, at)),
        8..12 => u32x4::splat(INITIAL[at - 8]),
        14 => u32x4::from(bytes),
        15 => u32x4::splat(FLAGS),
        // The number of the chunk.
        _ => u32x4::splat(0),
    });
    for _ in 0..7 {
        for (at, places) in QUARTERS.into_iter().enumerate() {
            quarter(&mut v, places, message[2 * at], message[2 * at + 1]);
        }
        message = PERMUTED.map(|at| message[at]);
    }
    let words: [[u32; LANES]; 4] = std::array::from_fn(|at| (v[at] ^ v[at + 8]).to_array());
    std::array::from_fn(|lane| {
        let mut hash = [0; 16];
        for (bytes, word) in hash.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word[lane].to_le_bytes());
        }
        hash
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_the_keyed_hash_of_its_input_whatever_its_length() {
        for length in 0..=BLOCK {
            let key: [u8; 32] = std::array::from_fn(|at| (at * 7 + length) as u8);
            let lengths = [length, BLOCK - length, length / 2, 19];
            let blocks: [[u8; BLOCK]; LANES] = std::array::from_fn(|lane| {
                let byte = |at: usize| (at * 31 + lane * 57 + length) as u8;
                std::array::from_fn(|at| if at < lengths[lane] { byte(at) } else { 0 })
            });
            let hashes = keyed(&key, blocks.each_ref(), lengths.map(|length| length as u32));
            for lane in 0..LANES {
                let input = &blocks[lane][..lengths[lane]];
                let expected = blake3::keyed_hash(&key, input);
                assert_eq!(hashes[lane], expected.as_bytes()[..16], "{} bytes", lengths[lane]);
            }
        }
    }
}
