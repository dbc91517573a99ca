//! The beginning of a stream: Hello is read, what has arrived is looked up, Welcome is made.

use super::super::convert::receipt;
use super::super::convert::words::{folder_kind, required};
use super::super::errors::Error;
use super::super::limits::{FACTS_MAX, STREAM_MESSAGE_BYTES_MAX};
use super::super::pb;
use super::super::shared::Shared;
use super::{Stop, heard};
use crate::domain::source::SourceState;
use crate::domain::words::Code;
use crate::engine::Class;
use crate::telemetry;
use pb::record_request::Body as Request;
use std::sync::Arc;
use std::time::Duration;
use tonic::Streaming;

/// A stream that has been welcomed.
pub(super) struct Opened {
    pub inbound: Streaming<pb::RecordRequest>,
    pub session: Session,
    /// What has arrived from the source, as far as this stream knows.
    pub state: SourceState,
    pub clock_offset_ms: i64,
    pub each_fact: bool,
    pub welcome: pb::Welcome,
}

/// Waits for Hello; `None` when the client goes without a word.
pub(super) async fn open(
    shared: Arc<Shared>,
    mut inbound: Streaming<pb::RecordRequest>,
) -> Result<Option<Opened>, Error> {
    let patience = Duration::from_millis(shared.options.call_ms_max);
    let mut stop = Stop::new(&shared.stopping);
    let first = async {
        tokio::select! {
            biased;
            () = stop.wait() => Err(Error::ShuttingDown),
            message = inbound.message() => heard(message),
        }
    };
    let first = tokio::time::timeout(patience, first);
    let hello = match first.await.map_err(|_| Error::HelloExpected)?? {
        Some(Request::Hello(hello)) => hello,
        Some(Request::Facts(_)) => return Err(Error::HelloExpected),
        None => return Ok(None),
    };
    let source = (required("hello.source", &hello.source)?, hello.epoch);
    // Measured before waiting: the device said its time when it said Hello.
    let clock_offset_ms = shared.clock_offset_ms(hello.device_now_ms);
    turn(&shared, &mut stop).await?;
    let asked = source.clone();
    let state = shared
        .ask(Class::Intake, move |_, read| Ok(read.source_in(&asked.0, asked.1)?))
        .await?
        .unwrap_or_default();
    tracing::debug!(source = %source.0, clock_offset_ms, "stream opened");
    let welcome = welcome(&shared, hello.epoch, &state, clock_offset_ms);
    let each_fact = hello.acknowledgement() == pb::AcknowledgementKind::EachFact;
    let session = Session::open(shared, source);
    Ok(Some(Opened { inbound, session, state, clock_offset_ms, each_fact, welcome }))
}

/// How long a stream that opens keeps its place among those that open.
const TURN: Duration = Duration::from_millis(100);

/// Waits for a turn to open. When a whole city's devices come back at once, each with hours of scans,
/// they are welcomed a few at a time and in their order; desks that are at work go on meanwhile.
async fn turn(shared: &Arc<Shared>, stop: &mut Stop) -> Result<(), Error> {
    let opening = Arc::clone(&shared.opening).acquire_owned();
    let place = tokio::select! {
        biased;
        () = stop.wait() => return Err(Error::ShuttingDown),
        place = opening => place.map_err(|_| Error::ShuttingDown)?,
    };
    tokio::spawn(async move {
        tokio::time::sleep(TURN).await;
        drop(place);
    });
    Ok(())
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

/// Counts the stream as open as long as it lives.
pub(super) struct Open;

impl Open {
    pub fn new() -> Open {
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
pub(super) struct Session {
    pub shared: Arc<Shared>,
    /// Source and epoch.
    pub source: (Code, u64),
}

impl Session {
    /// A second stream of the same source is served too, because the first may be a dead line that
    /// nobody has noticed yet; but two scanners under one name must not stay unseen.
    fn open(shared: Arc<Shared>, source: (Code, u64)) -> Session {
        {
            let mut open = shared.sessions.entry(source.clone()).or_default();
            *open += 1;
            if *open > 1 {
                metrics::counter!(telemetry::SOURCES_TWICE_TOTAL).increment(1);
                tracing::warn!(source = %source.0, epoch = source.1, streams = *open, "a source has more than one stream open");
            }
        }
        Session { shared, source }
    }
}

impl Drop for Session {
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
