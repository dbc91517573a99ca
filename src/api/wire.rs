//! The message that is decoded most, by hand: an identity, ten for each tube. Its number is kept
//! inside the value, where the generated type would ask for memory for every person.

use crate::domain::words::Code;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{self, DecodeContext, WireType};
use prost::{DecodeError, Message};
use std::fmt;

/// A person's document, as `swabline.v1.Identity` declares it. It has no Debug that prints it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Identity {
    /// A number of `DocumentType`.
    pub document_type: i32,
    /// As it stands on the document.
    pub number: Code,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

const DOCUMENT_TYPE: u32 = 1;
const NUMBER: u32 = 2;

/// Longest text that needs no memory of its own.
const INLINE_MAX: u8 = 24;

impl Message for Identity {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        if self.document_type != 0 {
            encoding::int32::encode(DOCUMENT_TYPE, &self.document_type, buf);
        }
        if !self.number.is_empty() {
            encoding::encode_key(NUMBER, WireType::LengthDelimited, buf);
            encoding::encode_varint(self.number.len() as u64, buf);
            buf.put_slice(self.number.as_bytes());
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            DOCUMENT_TYPE => encoding::int32::merge(wire_type, &mut self.document_type, buf, ctx),
            NUMBER => merge_text(wire_type, &mut self.number, buf, ctx),
            _ => encoding::skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        let kind = match self.document_type {
            0 => 0,
            kind => encoding::int32::encoded_len(DOCUMENT_TYPE, &kind),
        };
        let number = match self.number.len() {
            0 => 0,
            length => {
                encoding::key_len(NUMBER) + encoding::encoded_len_varint(length as u64) + length
            }
        };
        kind + number
    }

    fn clear(&mut self) {
        *self = Identity::default();
    }
}

fn merge_text(
    wire_type: WireType,
    text: &mut Code,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Result<(), DecodeError> {
    if wire_type == WireType::LengthDelimited
        && let [length @ 0..=INLINE_MAX, rest @ ..] = buf.chunk()
        && let Some(bytes) = rest.get(..usize::from(*length))
        && let Ok(short) = std::str::from_utf8(bytes)
    {
        *text = Code::new(short);
        let read = 1 + short.len();
        buf.advance(read);
        return Ok(());
    }
    // Long, in two pieces or wrong: prost reads it and finds the words.
    let mut long = String::new();
    encoding::string::merge(wire_type, &mut long, buf, ctx)?;
    *text = long.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same message as prost would generate it.
    #[derive(Clone, PartialEq, Message)]
    struct Generated {
        #[prost(int32, tag = "1")]
        document_type: i32,
        #[prost(string, tag = "2")]
        number: String,
    }

    /// Messages around it, as a tube is.
    #[derive(Clone, PartialEq, Message)]
    struct Ours {
        #[prost(message, repeated, tag = "6")]
        members: Vec<Identity>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Theirs {
        #[prost(message, repeated, tag = "6")]
        members: Vec<Generated>,
    }

    fn same(ours: &Identity, theirs: &Generated) -> bool {
        (ours.document_type, ours.number.as_str()) == (theirs.document_type, &*theirs.number)
    }

    fn read_alike(bytes: &[u8]) -> Result<(), TestCaseError> {
        let (ours, theirs) = (Identity::decode(bytes), Generated::decode(bytes));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", bytes);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert!(same(&ours, &theirs), "{:?}", bytes);
            prop_assert_eq!(ours.encoded_len(), theirs.encoded_len());
            prop_assert_eq!(ours.encode_to_vec(), theirs.encode_to_vec());
        }
        // In two pieces, as a network may bring it.
        for cut in 0..=bytes.len().min(40) {
            let pieces = (&bytes[..cut]).chain(&bytes[cut..]);
            let (ours, theirs) = (Identity::decode(pieces), Generated::decode(bytes));
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "cut at {} of {:?}", cut, bytes);
            prop_assert!(
                ours.ok().zip(theirs.ok()).is_none_or(|(ours, theirs)| same(&ours, &theirs))
            );
        }
        let (ours, theirs) = (Ours::decode(bytes), Theirs::decode(bytes));
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "in a tube: {:?}", bytes);
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.members.len(), theirs.members.len());
            prop_assert!(ours.members.iter().zip(&theirs.members).all(|(a, b)| same(a, b)));
        }
        Ok(())
    }

    /// Bytes that look like fields: good ones, unknown ones, twice the same, cut off, with any text.
    fn fields() -> impl Strategy<Value = Vec<u8>> {
        let text = prop_oneof![
            "[0-9X]{18}".prop_map(String::into_bytes),
            "\\PC{0,40}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..60),
        ];
        let field = (0_u8..8, 0_u8..8, text, any::<bool>(), any::<u64>()).prop_map(
            |(tag, kind, text, varint, number)| {
                let mut out = vec![tag << 3 | if varint { 0 } else { kind }];
                match out[0] & 7 {
                    2 => {
                        encoding::encode_varint(text.len() as u64, &mut out);
                        out.extend(text);
                    }
                    _ => encoding::encode_varint(number, &mut out),
                }
                out
            },
        );
        (prop::collection::vec(field, 0..5), 0_usize..4).prop_map(|(fields, cut)| {
            let mut bytes = fields.concat();
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        })
    }

    fn in_a_tube(inner: &[u8]) -> Vec<u8> {
        let mut out = vec![6 << 3 | 2];
        encoding::encode_varint(inner.len() as u64, &mut out);
        out.extend_from_slice(inner);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_bytes_are_read_as_prost_reads_them(
            noise in prop::collection::vec(any::<u8>(), 0..80),
            first in fields(),
            second in fields(),
        ) {
            read_alike(&noise)?;
            read_alike(&first)?;
            read_alike(&[in_a_tube(&first), in_a_tube(&second)].concat())?;
        }
    }

    #[test]
    fn a_number_that_is_no_text_does_not_decode() {
        assert!(Identity::decode(&[0x12, 2, 0xff, 0xfe][..]).is_err());
        let twice = [0x12, 1, b'1', 0x12, 1, b'2'];
        assert_eq!(Identity::decode(&twice[..]).unwrap().number, "2", "the last one wins");
    }
}
