//! How messages become bytes: prost's way, with small buffers to begin with. A city's devices hold
//! tens of thousands of streams at a time, and most of them carry a short message now and then.

use super::limits::FACTS_DECODED_MAX;
use super::pb;
use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, decode_key, decode_varint, skip_field};
use std::any::TypeId;
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec as Way, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Bytes that a stream holds ready in each direction, and by which a buffer grows.
const BUFFER_BYTES: usize = 1_024;

/// Bytes of answers that go to the connection together.
const TOGETHER_BYTES: usize = 32 * 1_024;

/// The way of the API's messages, for server and client.
pub struct Codec<E, D>(PhantomData<(E, D)>);

impl<E, D> Default for Codec<E, D> {
    fn default() -> Self {
        Codec(PhantomData)
    }
}

impl<E, D> Way for Codec<E, D>
where
    E: Message + Send + 'static,
    D: Message + Default + Send + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = ProstEncoder<E>;
    type Decoder = Bounded<D>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<E, D>::raw_encoder(BufferSettings::new(BUFFER_BYTES, TOGETHER_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        Bounded(ProstCodec::<E, D>::raw_decoder(BufferSettings::new(BUFFER_BYTES, TOGETHER_BYTES)))
    }
}

/// More facts in a message than are decoded.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many facts in one message")]
pub struct ManyFacts;

/// Prost's decoder, that does not begin on a message of very many facts: an empty fact is two bytes on the wire and some
/// hundreds in memory.
pub struct Bounded<D>(ProstDecoder<D>);

impl<D: Message + Default + 'static> Decoder for Bounded<D> {
    type Item = D;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<D>, Status> {
        if facts::<D>(buf.chunk()) > FACTS_DECODED_MAX {
            return Err(Status::from_error(Box::new(ManyFacts)));
        }
        self.0.decode(buf)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// Facts in a message of this kind, as far as it can be read.
fn facts<D: 'static>(message: &[u8]) -> usize {
    let mut count = 0;
    if TypeId::of::<D>() == TypeId::of::<pb::RecordBatchRequest>() {
        each(message, 1, &mut |_| count += 1);
    } else if TypeId::of::<D>() == TypeId::of::<pb::RecordRequest>() {
        each(message, 2, &mut |batch| each(batch, 2, &mut |_| count += 1));
    }
    count
}

/// What stands under a field of a message, up to where it cannot be read: there prost says what is wrong.
fn each(mut message: &[u8], field: u32, f: &mut dyn FnMut(&[u8])) {
    while message.has_remaining() {
        let Ok((number, kind)) = decode_key(&mut message) else { return };
        if number != field || kind != prost::encoding::WireType::LengthDelimited {
            if skip_field(kind, number, &mut message, DecodeContext::default()).is_err() {
                return;
            }
            continue;
        }
        let Ok(length) = decode_varint(&mut message) else { return };
        let Some((inside, rest)) =
            usize::try_from(length).ok().and_then(|length| message.split_at_checked(length))
        else {
            return;
        };
        f(inside);
        message = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_counted_before_they_are_made() {
        let facts_of = |n: usize| vec![pb::Fact { captured_at_ms: 7, ..Default::default() }; n];
        let batch = |n| pb::RecordBatchRequest { facts: facts_of(n), device_now_ms: 5 };
        let request = |n| {
            let body = pb::record_request::Body::Facts(pb::FactBatch {
                facts: facts_of(n),
                message_number: 3,
            });
            pb::RecordRequest { body: Some(body) }
        };
        for n in [0, 1, 3, 1_000] {
            assert_eq!(facts::<pb::RecordBatchRequest>(&batch(n).encode_to_vec()), n);
            assert_eq!(facts::<pb::RecordRequest>(&request(n).encode_to_vec()), n);
        }
        // A batch that comes in parts is one batch.
        let twice = [request(3).encode_to_vec(), request(4).encode_to_vec()].concat();
        assert_eq!(facts::<pb::RecordRequest>(&twice), 7);
        let hello = pb::record_request::Body::Hello(pb::Hello::default());
        let hello = pb::RecordRequest { body: Some(hello) }.encode_to_vec();
        assert_eq!(facts::<pb::RecordRequest>(&hello), 0);
        // No other message has facts, and what cannot be read has those before it.
        assert_eq!(facts::<pb::CheckRequest>(&batch(9).encode_to_vec()), 0);
        let cut = batch(9).encode_to_vec();
        for upto in 0..cut.len() {
            assert!(facts::<pb::RecordBatchRequest>(&cut[..upto]) <= 9);
        }
    }
}
