//! What answers hold in memory until their clients have read them. An answer is made into bytes at once, and who does not
//! read leaves it here. So the connection gets an answer in pieces of 16 KiB, one after the other as it takes them, and what
//! is still here of larger ones is counted, all of them together with a limit. Calls are counted until their answer is out, so
//! what is smaller has a limit, too; of a piece that the connection has taken it may hold the rest, for each call that is open on it.

use super::errors::Error;
use super::requests::{Call, Halted};
use crate::telemetry;
use http_body::Frame;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::HeaderMap;
use tonic::codegen::{Body as HttpBody, Bytes};

/// Bytes of the pieces. An answer of one piece is not counted.
const PIECE_BYTES: usize = 16 * 1024;

type Piece = Option<Result<Frame<Bytes>, Status>>;

/// What all answers hold together.
pub struct Answers {
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Answers {
    /// With so many bytes at most.
    pub fn new(bytes_max: usize) -> Answers {
        Answers { bytes: AtomicUsize::new(0), bytes_max }
    }

    /// The body of an answer, made into bytes as far as it is there and counted until it has been read or its client is
    /// gone. `call` is the place of its call.
    ///
    /// # Errors
    /// When all answers together hold as much as they may: the answer is let go of.
    pub async fn count(self: &Arc<Self>, body: Body, call: Arc<Call>) -> Result<Body, Error> {
        // A refusal is all in its headers, and they must say that nothing follows: clients look for a status there only then.
        if body.is_end_stream() {
            return Ok(body);
        }
        let first = None;
        let mut counted =
            AnswerBody { body, first, rest: Bytes::new(), answers: Arc::clone(self), _call: call };
        // A stream that has nothing to say yet is asked again by its connection.
        let first = std::future::poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut counted.body).poll_frame(context) {
                Poll::Ready(piece) => Some(piece),
                Poll::Pending => None,
            })
        });
        if let Some(piece) = first.await {
            counted.first = counted.cut(piece).map_err(Error::Halted)?;
        }
        Ok(Body::new(counted))
    }

    fn take(&self, bytes: usize) -> Result<(), Halted> {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            metrics::counter!(telemetry::OUTGOING_REFUSED_TOTAL).increment(1);
            return Err(Halted::Unread);
        }
        metrics::gauge!(telemetry::OUTGOING_BYTES).increment(bytes as f64);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            metrics::gauge!(telemetry::OUTGOING_BYTES).decrement(bytes as f64);
        }
    }
}

/// The body of an answer.
struct AnswerBody {
    body: Body,
    /// What was made before anybody asked for it; `None` inside = the answer was over.
    first: Option<Piece>,
    /// What is left of a large message; it is counted.
    rest: Bytes,
    answers: Arc<Answers>,
    _call: Arc<Call>,
}

impl AnswerBody {
    /// Keeps a large message to be given out in pieces; gives anything else back.
    fn cut(&mut self, piece: Piece) -> Result<Option<Piece>, Halted> {
        let large = match &piece {
            Some(Ok(frame)) => frame.data_ref().filter(|data| data.len() > PIECE_BYTES),
            _ => None,
        };
        let Some(large) = large else { return Ok(Some(piece)) };
        self.answers.take(large.len())?;
        self.rest = large.clone();
        Ok(None)
    }

    fn next_piece(&mut self) -> Option<Frame<Bytes>> {
        let bytes = self.rest.len().min(PIECE_BYTES);
        self.answers.give_back(bytes);
        (bytes > 0).then(|| Frame::data(self.rest.split_to(bytes)))
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Piece> {
        if let Some(piece) = self.next_piece() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if let Some(piece) = self.first.take() {
            return Poll::Ready(piece);
        }
        let piece = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match self.cut(piece) {
            Ok(Some(piece)) => piece,
            Ok(None) => self.next_piece().map(Ok),
            Err(halted) => {
                // The stream ends with why.
                self.body = Body::empty();
                let mut trailers = HeaderMap::new();
                let said = Status::from(Error::Halted(halted)).add_header(&mut trailers);
                Some(said.map(|()| Frame::trailers(trailers)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.first.is_none() && self.body.is_end_stream()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.answers.give_back(self.rest.len());
    }
}
