//! One stream of facts. A reader takes messages in and hands them to the engine in their order; a
//! writer waits for the answers in the same order. Between them stands a queue with a limit, so a
//! message does not wait for the fsync of the one before, and a source that sends faster than the
//! disk writes is held by its own connection.

use super::convert::receipt;
use super::convert::words::{folder_kind, required};
use super::errors::{Error, in_our_words};
use super::intake::{self, Place, Taken};
use super::limits::{BATCH_BYTES_MAX, FACTS_MAX, REPLIES_QUEUED_MAX, STREAM_MESSAGE_BYTES_MAX};
use super::pb;
use super::shared::Shared;
use crate::domain::fact::FactId;
use crate::domain::source::SourceState;
use crate::domain::words::Code;
use crate::engine::{self, Class, Receipt};
use crate::telemetry;
use pb::record_reply::Body as Reply;
use pb::record_request::Body as Request;
use prost::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// The answers of a stream.
pub type Replies = ReceiverStream<Result<pb::RecordReply, Status>>;

type ToClient = mpsc::Sender<Result<pb::RecordReply, Status>>;

/// A message that was taken in.
struct Pending {
    message_number: u64,
    places: Vec<Place>,
    answer: Answer,
}

/// Where the answer to a message comes from.
enum Answer {
    /// From the engine.
    Coming(oneshot::Receiver<Result<Receipt, engine::Error>>),
    /// It is known: nothing went to the engine.
    Known(Result<Receipt, Error>),
}

/// Counts the stream as open as long as it lives.
struct Open;

impl Open {
    fn new() -> Open {
        metrics::gauge!(telemetry::STREAMS).increment(1.0);
        Open
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(telemetry::STREAMS).decrement(1.0);
    }
}

/// Holds a source's place among the open streams as long as its stream lives.
struct Session<'a> {
    shared: &'a Shared,
    source: &'a (Code, u64),
}

impl<'a> Session<'a> {
    /// A second stream of the same source is served too, because the first may be a dead line that
    /// nobody has noticed yet; but two scanners under one name must not stay unseen.
    fn open(shared: &'a Shared, source: &'a (Code, u64)) -> Session<'a> {
        let mut open = shared.sessions.entry(source.clone()).or_default();
        *open += 1;
        if *open > 1 {
            metrics::counter!(telemetry::SOURCES_TWICE_TOTAL).increment(1);
            tracing::warn!(source = %source.0, epoch = source.1, streams = *open, "a source has more than one stream open");
        }
        Session { shared, source }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let dashmap::Entry::Occupied(mut open) = self.shared.sessions.entry(self.source.clone())
        {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

/// Serves a stream; the answers come out of what is returned.
pub fn serve(shared: Arc<Shared>, inbound: Streaming<pb::RecordRequest>) -> Replies {
    let (to_client, replies) = mpsc::channel(REPLIES_QUEUED_MAX);
    tokio::spawn(async move {
        let _open = Open::new();
        if let Err(error) = session(&shared, inbound, &to_client).await {
            // The client may be gone: then nobody is left to be told.
            let _ = to_client.send(Err(error.into())).await;
        }
    });
    ReceiverStream::new(replies)
}

async fn session(
    shared: &Arc<Shared>,
    mut inbound: Streaming<pb::RecordRequest>,
    to_client: &ToClient,
) -> Result<(), Error> {
    let patience = Duration::from_millis(shared.options.call_ms_max);
    let first = tokio::time::timeout(patience, next(shared, &mut inbound));
    let hello = match first.await.map_err(|_| Error::HelloExpected)?? {
        Some(Request::Hello(hello)) => hello,
        Some(Request::Facts(_)) => return Err(Error::HelloExpected),
        None => return Ok(()),
    };
    let source = (required("hello.source", &hello.source)?, hello.epoch);
    let clock_offset_ms = shared.clock_offset_ms(hello.device_now_ms);
    let asked = source.clone();
    let state = shared
        .ask(Class::Intake, move |_, read| Ok(read.source_in(&asked.0, asked.1)?))
        .await?
        .unwrap_or_default();
    let _session = Session::open(shared, &source);
    tracing::debug!(source = %source.0, clock_offset_ms, "stream opened");
    let welcome = welcome(shared, hello.epoch, &state, clock_offset_ms);
    if send(to_client, Reply::Welcome(welcome)).await.is_err() {
        return Ok(());
    }
    let (queue, taken) = mpsc::channel(shared.options.stream_inflight_max.max(1));
    let writer = Writer {
        to_client: to_client.clone(),
        source: source.clone(),
        state,
        each_fact: hello.acknowledgement() == pb::AcknowledgementKind::EachFact,
    };
    let writer = tokio::spawn(writer.run(taken));
    let read = read(shared, &mut inbound, &source, clock_offset_ms, queue).await;
    // Everything that was taken is answered before the stream ends, whatever ends it.
    let written = writer.await?;
    written.and(read)
}

/// The next message; `None` when the client has no more or is gone.
async fn next(
    shared: &Shared,
    inbound: &mut Streaming<pb::RecordRequest>,
) -> Result<Option<Request>, Error> {
    let mut stopping = shared.stopping.clone();
    // Both waits are cancellation-safe: when one branch is dropped, nothing has been taken by it.
    let message = tokio::select! {
        biased;
        _ = stopping.wait_for(|stopping| *stopping) => return Err(Error::ShuttingDown),
        message = inbound.message() => message,
    };
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

/// Takes messages in until the client has no more, or something ends the stream.
async fn read(
    shared: &Shared,
    inbound: &mut Streaming<pb::RecordRequest>,
    source: &(Code, u64),
    clock_offset_ms: i64,
    queue: mpsc::Sender<Pending>,
) -> Result<(), Error> {
    loop {
        // A place in the queue first: what has been read from the network is then always taken.
        let Ok(place) = queue.reserve().await else { return Ok(()) };
        let facts = tokio::select! {
            // The writer has ended: the client is gone, or nothing may be taken in any more.
            () = queue.closed() => return Ok(()),
            next = next(shared, inbound) => match next? {
                Some(Request::Facts(facts)) => facts,
                Some(Request::Hello(_)) => return Err(Error::HelloExpected),
                None => return Ok(()),
            },
        };
        let message_number = facts.message_number;
        let (places, answer) = match take(shared, &facts, source, clock_offset_ms) {
            Ok(taken) if taken.submissions.is_empty() => {
                let nothing = Receipt { outcomes: Vec::new(), times: Default::default() };
                (taken.places, Answer::Known(Ok(nothing)))
            }
            Ok(taken) => match shared.handle.enqueue(taken.submissions) {
                Ok(coming) => (taken.places, Answer::Coming(coming)),
                Err(error) => (taken.places, Answer::Known(Err(error.into()))),
            },
            Err(error) => (Vec::new(), Answer::Known(Err(error))),
        };
        place.send(Pending { message_number, places, answer });
    }
}

fn take(
    shared: &Shared,
    facts: &pb::FactBatch,
    source: &(Code, u64),
    clock_offset_ms: i64,
) -> Result<Taken, Error> {
    if facts.encoded_len() > STREAM_MESSAGE_BYTES_MAX {
        return Err(Error::message_too_large(STREAM_MESSAGE_BYTES_MAX));
    }
    intake::take(shared, &facts.facts, Some(source), clock_offset_ms)
}

/// Answers messages in the order in which they were taken.
struct Writer {
    to_client: ToClient,
    source: (Code, u64),
    /// What has arrived from the source, as far as this stream knows.
    state: SourceState,
    each_fact: bool,
}

impl Writer {
    async fn run(mut self, mut taken: mpsc::Receiver<Pending>) -> Result<(), Error> {
        let mut end = None;
        while let Some(Pending { message_number, places, answer }) = taken.recv().await {
            let answer = match answer {
                Answer::Known(answer) => answer,
                Answer::Coming(coming) => match coming.await {
                    Ok(answer) => answer.map_err(Error::from),
                    Err(_) => Err(Error::ShuttingDown),
                },
            };
            let reply = match answer {
                Ok(receipt) => self.acknowledge(message_number, &places, &receipt),
                Err(error) => {
                    let refused = self.refuse(message_number, &error);
                    if error.ends_stream() {
                        // Nothing more is taken in; what waits is still answered.
                        taken.close();
                        end = end.or(Some(error));
                    }
                    refused
                }
            };
            if send(&self.to_client, Reply::Acknowledgement(reply)).await.is_err() {
                // The client is gone; it will ask again what arrived.
                return Ok(());
            }
        }
        end.map_or(Ok(()), Err)
    }

    fn acknowledge(
        &mut self,
        message_number: u64,
        places: &[Place],
        receipt: &Receipt,
    ) -> pb::Acknowledgement {
        for id in intake::recorded(places, receipt) {
            self.note(id);
        }
        let mut outcomes = intake::outcomes(places, receipt);
        if !self.each_fact {
            outcomes.retain(|outcome| outcome.outcome() == pb::Outcome::Refused);
        }
        pb::Acknowledgement {
            message_number,
            refusal: None,
            outcomes,
            watermark: self.state.watermark(),
            times: Some(receipt::times(&receipt.times)),
        }
    }

    fn refuse(&self, message_number: u64, error: &Error) -> pb::Acknowledgement {
        pb::Acknowledgement {
            message_number,
            refusal: Some(error.refusal()),
            outcomes: Vec::new(),
            watermark: self.state.watermark(),
            times: None,
        }
    }

    fn note(&mut self, id: &FactId) {
        if id.source == self.source.0 && id.epoch == self.source.1 {
            self.state.note(id.number);
        }
    }
}

async fn send(to_client: &ToClient, reply: Reply) -> Result<(), ()> {
    to_client.send(Ok(pb::RecordReply { body: Some(reply) })).await.map_err(drop)
}

fn welcome(shared: &Shared, epoch: u64, state: &SourceState, clock_offset_ms: i64) -> pb::Welcome {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let reference = shared.handle.feed().reference();
    let open = reference.rounds.iter().filter(|(_, round)| round.closed_at.is_none());
    pb::Welcome {
        arrived: Some(receipt::epoch(epoch, state)),
        server_time_ms: shared.handle.now().0,
        folder_kind: folder_kind(shared.kind()).into(),
        clock_offset_ms,
        open_rounds: open
            .map(|(code, round)| pb::OpenRound {
                code: code.to_string(),
                name: round.name.to_string(),
                pool: round.pool.into(),
            })
            .collect(),
        facts_max: count(FACTS_MAX),
        message_bytes_max: count(STREAM_MESSAGE_BYTES_MAX),
        inflight_max: count(shared.options.stream_inflight_max),
    }
}
