//! One stream of facts. Messages are taken in and handed to the engine in their order, and answered
//! in the same order; up to a limit a message does not wait for the fsync of the one before. All of
//! it happens where the connection asks for the next answer: there is no task, queue or buffer
//! beside it, so an idle stream costs little, and a client that does not read its answers is not
//! read from either.

mod answers;
mod open;

use super::errors::{Error, in_our_words};
use super::intake;
use super::limits::{BATCH_BYTES_MAX, FACTS_MAX, STREAM_MESSAGE_BYTES_MAX};
use super::pb;
use super::shared::Shared;
use crate::engine::Receipt;
use answers::{Answer, Answers, Pending};
use intake::Places;
use open::{Open, Opened, Session};
use pb::record_reply::Body as Reply;
use pb::record_request::Body as Request;
use prost::Message;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::sync::watch;
use tokio_stream::Stream;
use tonic::{Status, Streaming};

/// The answers of a stream. Dropped when the client is gone: what was taken is recorded all the
/// same, and the client asks again what arrived.
pub struct Replies {
    stage: Stage,
    _open: Open,
}

type Opening = dyn Future<Output = Result<Option<Opened>, Error>> + Send;

enum Stage {
    /// Waiting for Hello.
    Opening(Pin<Box<Opening>>),
    Running(Box<Running>),
    /// Everything was said.
    Ended,
}

/// Serves a stream; the answers come out of what is returned.
pub fn serve(shared: Arc<Shared>, inbound: Streaming<pb::RecordRequest>) -> Replies {
    Replies { stage: Stage::Opening(Box::pin(open::open(shared, inbound))), _open: Open::new() }
}

impl Stream for Replies {
    type Item = Result<pb::RecordReply, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<pb::RecordReply, Status>>> {
        let told = match &mut self.stage {
            Stage::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                Ok(Some(opened)) => {
                    let (running, welcome) = Running::new(opened);
                    self.stage = Stage::Running(Box::new(running));
                    Some(Ok(Reply::Welcome(welcome)))
                }
                Ok(None) => None,
                Err(error) => Some(Err(error)),
            },
            Stage::Running(running) => {
                ready!(running.poll(context)).map(|told| told.map(Reply::Acknowledgement))
            }
            Stage::Ended => None,
        };
        Poll::Ready(match told {
            Some(Ok(body)) => Some(Ok(pb::RecordReply { body: Some(body) })),
            Some(Err(error)) => {
                self.stage = Stage::Ended;
                Some(Err(error.into()))
            }
            None => {
                self.stage = Stage::Ended;
                None
            }
        })
    }
}

/// A stream after its Welcome.
struct Running {
    inbound: Streaming<pb::RecordRequest>,
    session: Session,
    answers: Answers,
    clock_offset_ms: i64,
    stop: Stop,
    /// False: nothing more is taken in; what was taken is still answered.
    takes: bool,
    /// What the stream ends with.
    end: Option<Error>,
}

impl Running {
    fn new(opened: Opened) -> (Running, pb::Welcome) {
        let Opened { inbound, session, state, clock_offset_ms, each_fact, welcome } = opened;
        let answers = Answers::new(state, each_fact);
        let stop = Stop::new(&session.shared.stopping);
        let running =
            Running { inbound, session, answers, clock_offset_ms, stop, takes: true, end: None };
        (running, welcome)
    }

    /// The next answer; `None` at the end of a stream in order.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<pb::Acknowledgement, Error>>> {
        // What can be taken in is taken before answers are looked for: so the engine gets more at a
        // time, and answers that are there together can be told together.
        let mut facts = 0;
        while self.takes && self.answers.len() < self.inflight_max() {
            if facts > FACTS_MAX {
                // Others have a turn.
                context.waker().wake_by_ref();
                break;
            }
            match self.take_next(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(Some(taken))) => facts += taken,
                Poll::Ready(Ok(None)) => self.takes = false,
                Poll::Ready(Err(error)) => {
                    self.takes = false;
                    self.end = self.end.take().or(Some(error));
                }
            }
        }
        match ready!(self.answers.poll(context)) {
            Some((told, ends)) => {
                if let Some(error) = ends {
                    self.takes = false;
                    self.end = Some(error);
                }
                Poll::Ready(Some(Ok(told)))
            }
            None if self.takes => Poll::Pending,
            None => Poll::Ready(self.end.take().map(Err)),
        }
    }

    fn inflight_max(&self) -> usize {
        self.session.shared.options.stream_inflight_max.max(1)
    }

    /// Takes one message in and gives the number of its facts; `None` when the client has no more.
    fn take_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<usize>, Error>> {
        if self.stop.poll(context).is_ready() {
            return Poll::Ready(Err(Error::ShuttingDown));
        }
        let message = ready!(Pin::new(&mut self.inbound).poll_next(context)).transpose();
        let facts = match heard(message)? {
            Some(Request::Facts(facts)) => facts,
            Some(Request::Hello(_)) => return Poll::Ready(Err(Error::HelloExpected)),
            None => return Poll::Ready(Ok(None)),
        };
        let (places, answer) = match self.read(&facts) {
            Ok(taken) if taken.submissions.is_empty() => {
                let nothing = Receipt { outcomes: Vec::new(), times: Default::default() };
                (taken.places, Answer::Known(Ok(nothing)))
            }
            Ok(taken) => match self.session.shared.handle.enqueue(taken.submissions) {
                Ok(coming) => (taken.places, Answer::Coming(coming)),
                Err(error) => (taken.places, Answer::Known(Err(error.into()))),
            },
            Err(error) => (Places::default(), Answer::Known(Err(error))),
        };
        self.answers.push(Pending { message_number: facts.message_number, places, answer });
        Poll::Ready(Ok(Some(facts.facts.len())))
    }

    fn read(&self, facts: &pb::FactBatch) -> Result<intake::Taken, Error> {
        if facts.encoded_len() > STREAM_MESSAGE_BYTES_MAX {
            return Err(Error::message_too_large(STREAM_MESSAGE_BYTES_MAX));
        }
        let Session { shared, source } = &self.session;
        intake::take(shared, &facts.facts, Some(source), self.clock_offset_ms)
    }
}

/// What a client said; `None` when it has no more or is gone.
fn heard(message: Result<Option<pb::RecordRequest>, Status>) -> Result<Option<Request>, Error> {
    match message {
        Ok(Some(request)) => request.body.map(Some).ok_or(Error::Undecodable),
        Ok(None) => Ok(None),
        Err(status) => match in_our_words(&status, BATCH_BYTES_MAX) {
            // A broken connection looks like a cancelled call; nobody is there to be answered.
            None | Some(Error::Busy) => Ok(None),
            Some(error) => Err(error),
        },
    }
}

/// The server's stop, as one stream waits for it: asked with each message, and costs an atomic read.
struct Stop {
    stopping: watch::Receiver<bool>,
    wakes: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Who is woken by it. The same task as a rule as long as the stream lives.
    woken: Option<Waker>,
}

impl Stop {
    fn new(stopping: &watch::Receiver<bool>) -> Stop {
        let stopping = stopping.clone();
        let mut waits = stopping.clone();
        let wakes = Box::pin(async move {
            // An error means that the server is gone, which is a stop too.
            let _ = waits.wait_for(|stopping| *stopping).await;
        });
        Stop { stopping, wakes, woken: None }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !matches!(self.stopping.has_changed(), Ok(false)) {
            return Poll::Ready(());
        }
        if !self.woken.as_ref().is_some_and(|woken| woken.will_wake(context.waker())) {
            if self.wakes.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            self.woken = Some(context.waker().clone());
        }
        Poll::Pending
    }

    async fn wait(&mut self) {
        std::future::poll_fn(|context| self.poll(context)).await;
    }
}
