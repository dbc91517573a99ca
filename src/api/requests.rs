//! What requests hold in memory before they are understood. A message is kept until its last byte is here, and the room
//! for it stays with its stream for the next one: so room is counted, for each request by its largest message, and all
//! of it together has a limit. Messages of the size that desks send are not counted: they always get through.

use super::errors::Error;
use super::options::Options;
use crate::telemetry;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, Bytes};

/// Messages up to this size are not counted: twenty tubes of twenty people are less. What they take is bounded by
/// `streams_max` times this.
const FREE_BYTES: usize = 16 * 1024;

/// Bytes before each message: a flag and the length.
const HEADER_BYTES: usize = 5;

/// Why a call is not carried to its end: its request is not read on, or its answer is let go of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halted {
    /// Large messages of all requests together hold as many bytes as they may.
    #[error("too many bytes of large messages are held")]
    Full,
    /// A message began and was not complete in time.
    #[error("a message was not complete in time")]
    Slow,
    /// Large answers that their clients have not read hold as many bytes as they may.
    #[error("too many bytes of large answers wait to be read")]
    Unread,
}

/// What all requests hold together.
pub struct Requests {
    streams: AtomicUsize,
    streams_max: usize,
    bytes: AtomicUsize,
    bytes_max: usize,
    message_max: Duration,
}

impl Requests {
    /// With the limits of the options.
    pub fn new(options: &Options) -> Requests {
        Requests {
            streams: AtomicUsize::new(0),
            streams_max: options.streams_max,
            bytes: AtomicUsize::new(0),
            bytes_max: options.incoming_bytes_max,
            message_max: Duration::from_millis(options.call_ms_max),
        }
    }

    /// The body of a request, counted as long as it is held, and the place of its call, which is given back when request and
    /// answer are over. Larger messages than `message_bytes_max` are not counted: the decoder refuses them before it makes room.
    ///
    /// # Errors
    /// When as many are open as may be.
    pub fn count(
        self: &Arc<Self>,
        body: Body,
        message_bytes_max: usize,
    ) -> Result<(Body, Arc<Call>), Error> {
        if self.streams.fetch_add(1, Ordering::Relaxed) >= self.streams_max {
            self.streams.fetch_sub(1, Ordering::Relaxed);
            halted("streams");
            return Err(Error::Busy);
        }
        let call = Arc::new(Call(Arc::clone(self)));
        let (place, charged, patience) = Default::default();
        let counted = RequestBody {
            body,
            call: Arc::clone(&call),
            message_bytes_max,
            place,
            charged,
            patience,
        };
        Ok((Body::new(counted), call))
    }

    fn take(&self, bytes: usize) -> Result<(), Halted> {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            halted("bytes");
            return Err(Halted::Full);
        }
        metrics::gauge!(telemetry::INCOMING_BYTES).increment(bytes as f64);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        metrics::gauge!(telemetry::INCOMING_BYTES).decrement(bytes as f64);
    }
}

/// The place of a call among all that are open.
pub struct Call(Arc<Requests>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn halted(cause: &'static str) {
    metrics::counter!(telemetry::INCOMING_HALTED_TOTAL, "cause" => cause).increment(1);
}

/// Where in its messages a request is.
#[derive(Default)]
struct Place {
    /// Bytes of the header that are here, and the length as far as they say it.
    header: usize,
    length: u32,
    /// Bytes of the message that are still to come.
    left: usize,
}

/// What a piece of a request brought.
#[derive(Debug, Default, PartialEq, Eq)]
struct Brought {
    /// The longest message that began in it, in bytes.
    longest: usize,
    /// A message ended in it.
    ended: bool,
}

impl Place {
    fn go_on(&mut self, mut bytes: &[u8]) -> Brought {
        let mut brought = Brought::default();
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes = &bytes[here..];
            } else {
                if self.header > 0 {
                    self.length = self.length << 8 | u32::from(bytes[0]);
                }
                self.header += 1;
                bytes = &bytes[1..];
                if self.header < HEADER_BYTES {
                    continue;
                }
                self.left = self.length as usize;
                (self.header, self.length) = (0, 0);
                brought.longest = brought.longest.max(self.left);
            }
            brought.ended |= self.left == 0;
        }
        brought
    }

    fn inside_a_message(&self) -> bool {
        self.header > 0 || self.left > 0
    }
}

/// The body of a request.
struct RequestBody {
    body: Body,
    call: Arc<Call>,
    message_bytes_max: usize,
    place: Place,
    /// Bytes that are counted for it.
    charged: usize,
    /// While a message is waited for: when it is given up.
    patience: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Halted> {
        let Brought { longest, ended } = self.place.go_on(bytes);
        if ended {
            self.patience = None;
        }
        if longest > self.charged.max(FREE_BYTES) && longest <= self.message_bytes_max {
            self.call.0.take(longest - self.charged)?;
            self.charged = longest;
        }
        Ok(())
    }

    /// Nothing is there: gives the request up when the rest of its message is overdue.
    fn wait_for_the_rest(&mut self, context: &mut Context<'_>) -> Poll<Halted> {
        if !self.place.inside_a_message() {
            return Poll::Pending;
        }
        let until = || Box::pin(tokio::time::sleep(self.call.0.message_max));
        ready!(self.patience.get_or_insert_with(until).as_mut().poll(context));
        halted("time");
        Poll::Ready(Halted::Slow)
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let halted = ready!(self.wait_for_the_rest(context));
            return Poll::Ready(Some(Err(halted.into())));
        };
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
            && let Err(halted) = self.read(bytes)
        {
            return Poll::Ready(Some(Err(halted.into())));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.charged > 0 {
            self.call.0.give_back(self.charged);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::Answers;
    use super::*;

    /// Messages of these lengths, as they come over the line.
    fn sent(lengths: &[u32]) -> Vec<u8> {
        let mut sent = Vec::new();
        for length in lengths {
            sent.push(0);
            sent.extend(length.to_be_bytes());
            sent.extend(vec![9; *length as usize]);
        }
        sent
    }

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let whole = sent(&[0, 3, 70_000, 1, 0]);
        for piece in [1, 2, 4, 5, 7, 16_384, whole.len()] {
            let (mut place, mut longest, mut ended) = (Place::default(), 0, 0);
            for part in whole.chunks(piece) {
                let brought = place.go_on(part);
                longest = longest.max(brought.longest);
                ended += usize::from(brought.ended);
            }
            assert_eq!((longest, place.inside_a_message()), (70_000, false), "pieces of {piece}");
            assert!((1..=5).contains(&ended), "pieces of {piece}");
        }
        let mut place = Place::default();
        for (bytes, longest, ended, inside) in [
            (&[0, 0][..], 0, false, true),
            (&[1, 0, 2, 7], 65_538, false, true),
            (&[0; 65_536], 0, false, true),
            (&[1], 0, true, false),
            (&[0, 0, 0, 0, 0, 0], 0, true, true),
        ] {
            assert_eq!(place.go_on(bytes), Brought { longest, ended });
            assert_eq!(place.inside_a_message(), inside);
        }
    }

    #[test]
    fn room_is_counted_by_the_largest_message_and_given_back_with_its_request() {
        let options = Options { incoming_bytes_max: 100_000, ..Options::default() };
        let all = Arc::new(Requests::new(&options));
        let body = || RequestBody {
            body: Body::empty(),
            call: Arc::new(Call(Arc::clone(&all))),
            message_bytes_max: 90_000,
            place: Place::default(),
            charged: 0,
            patience: None,
        };
        let held = || all.bytes.load(Ordering::Relaxed);
        all.streams.store(2, Ordering::Relaxed);
        let (mut one, mut two) = (body(), body());
        // What desks send; more; less again; more again.
        for (length, expected) in
            [(16_384, 0), (16_385, 16_385), (20, 16_385), (50_000, 50_000), (16_385, 50_000)]
        {
            one.read(&sent(&[length])).unwrap();
            assert_eq!(held(), expected, "{length}");
        }
        assert_eq!(two.read(&sent(&[60_000])), Err(Halted::Full));
        assert_eq!(held(), 50_000);
        two.place = Place::default();
        // Over the decoder's limit: refused there.
        two.read(&[0, 255, 255, 255, 255]).unwrap();
        assert_eq!(held(), 50_000);
        drop(one);
        assert_eq!(held(), 0);
        two.place = Place::default();
        two.read(&sent(&[60_000])[..6]).unwrap();
        assert_eq!(held(), 60_000, "counted when it is announced");
        drop(two);
        assert_eq!((held(), all.streams.load(Ordering::Relaxed)), (0, 0));
    }

    #[tokio::test]
    async fn a_call_has_its_place_until_its_answer_is_out() {
        let all = Arc::new(Requests::new(&Options { streams_max: 1, ..Options::default() }));
        let answers = Arc::new(Answers::new(1_000_000));
        let (request, call) = all.count(Body::empty(), 1_000).unwrap();
        let answer = tonic::codegen::http::Response::new(http_body_util::Full::from(vec![7; 40]));
        let answer = answers.count(Body::new(answer.into_body()), call).await.unwrap();
        drop(request);
        assert!(matches!(all.count(Body::empty(), 1_000), Err(Error::Busy)), "nobody has read it");
        drop(answer);
        let again = all.count(Body::empty(), 1_000);
        assert!(again.is_ok());
    }
}
