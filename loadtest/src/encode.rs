//! Messages written as bytes, ready for the wire: the frame of gRPC and the fields of protobuf.
//! prost would build ten strings for each tube first; on a machine that server and client share,
//! that would be charged to the server. A test compares every message with what prost makes of it.

use bytes::Bytes;
use prost::Message;

/// Bytes before each message of gRPC: a flag and the length.
pub const FRAME_BYTES: usize = 5;

/// A message under construction.
#[derive(Default)]
pub struct Encoder {
    out: Vec<u8>,
    /// Length of the last message: the next one is much like it.
    usual: usize,
}

impl Encoder {
    /// Writes one message with the frame around it.
    pub fn message(&mut self, write: impl FnOnce(&mut Encoder)) -> Bytes {
        self.out = Vec::with_capacity(self.usual + 16);
        self.out.extend_from_slice(&[0; FRAME_BYTES]);
        write(self);
        let length = self.out.len() - FRAME_BYTES;
        // A message is a few hundred kilobytes at the most.
        let frame = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        self.out[1..FRAME_BYTES].copy_from_slice(&frame);
        self.usual = self.out.len();
        Bytes::from(std::mem::take(&mut self.out))
    }

    /// A number; nought is left out, as protobuf 3 does.
    pub fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.varint(u64::from(field << 3));
            self.varint(value);
        }
    }

    /// A text or bytes; an empty one is left out.
    pub fn text(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.varint(u64::from(field << 3 | 2));
            self.varint(value.len() as u64);
            self.out.extend_from_slice(value);
        }
    }

    /// A text in a list: an empty one is an entry too.
    pub fn entry(&mut self, field: u32, value: &[u8]) {
        self.varint(u64::from(field << 3 | 2));
        self.varint(value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// A list of numbers, packed as protobuf 3 does.
    pub fn packed(&mut self, field: u32, values: &[u64]) {
        self.nested(field, |to| values.iter().for_each(|value| to.varint(*value)));
    }

    /// Bytes that are encoded already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A message within the message. Its length stands before it and is known after it: one byte is
    /// kept for it, and what follows is moved when it needs more.
    pub fn nested(&mut self, field: u32, write: impl FnOnce(&mut Encoder)) {
        self.varint(u64::from(field << 3 | 2));
        let at = self.out.len();
        self.out.push(0);
        write(self);
        let length = self.out.len() - at - 1;
        let mut place = [0; 10];
        let size = varint(length as u64, &mut place);
        if size > 1 {
            let end = self.out.len();
            self.out.resize(end + size - 1, 0);
            self.out.copy_within(at + 1..end, at + size);
        }
        self.out[at..at + size].copy_from_slice(&place[..size]);
    }

    fn varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.out.push(value as u8);
        }
        let mut place = [0; 10];
        let size = varint(value, &mut place);
        self.out.extend_from_slice(&place[..size]);
    }
}

/// A message of prost's, with the frame around it. For what is said seldom.
pub fn framed(message: &impl Message) -> Bytes {
    let encoded = message.encode_to_vec();
    Encoder::default().message(|to| to.raw(&encoded))
}

/// Writes a number of protobuf's kind; gives its length.
fn varint(mut value: u64, place: &mut [u8; 10]) -> usize {
    let mut size = 0;
    while value >= 0x80 {
        place[size] = value as u8 | 0x80;
        value >>= 7;
        size += 1;
    }
    place[size] = value as u8;
    size + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FactId, GetPersonRequest, Identity, TubesPacked};

    fn without_frame(framed: &Bytes) -> &[u8] {
        let length = u32::from_be_bytes(framed[1..FRAME_BYTES].try_into().unwrap());
        assert_eq!((framed[0], length as usize), (0, framed.len() - FRAME_BYTES));
        &framed[FRAME_BYTES..]
    }

    #[test]
    fn numbers_and_texts_are_written_as_prost_does() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, 1 << 35, u64::MAX] {
            let wanted = FactId { source: "S".into(), epoch: number, number };
            let framed = Encoder::default().message(|to| {
                to.text(1, b"S");
                to.number(2, number);
                to.number(3, number);
            });
            assert_eq!(without_frame(&framed), wanted.encode_to_vec(), "{number}");
        }
    }

    #[test]
    fn lengths_of_all_sizes_stand_where_they_belong() {
        for length in [0, 1, 100, 127, 128, 129, 16_000, 17_000, 70_000] {
            let number = "7".repeat(length);
            let person = Identity { document_type: 1, number: number.clone() };
            let wanted = GetPersonRequest { person: Some(person), round: "R".into() };
            let framed = Encoder::default().message(|to| {
                to.nested(1, |to| {
                    to.number(1, 1);
                    to.text(2, number.as_bytes());
                });
                to.text(2, b"R");
            });
            assert_eq!(without_frame(&framed), wanted.encode_to_vec(), "{length}");
        }
    }

    #[test]
    fn lists_keep_empty_entries() {
        let wanted = TubesPacked { r#box: "".into(), tubes: vec!["a".into(), "".into()] };
        let framed = Encoder::default().message(|to| {
            to.text(1, b"");
            to.entry(2, b"a");
            to.entry(2, b"");
        });
        assert_eq!(without_frame(&framed), wanted.encode_to_vec());
    }
}
