//! How messages become bytes: prost's way, with small buffers to begin with. A city's devices hold
//! tens of thousands of streams at a time, and most of them carry a short message now and then.

use prost::Message;
use std::marker::PhantomData;
use tonic::codec::{BufferSettings, Codec as Way};
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
    type Decoder = ProstDecoder<D>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<E, D>::raw_encoder(BufferSettings::new(BUFFER_BYTES, TOGETHER_BYTES))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<E, D>::raw_decoder(BufferSettings::new(BUFFER_BYTES, TOGETHER_BYTES))
    }
}
