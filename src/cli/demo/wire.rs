//! Real connections to the service: what sources have to say goes over streams of their own, some at
//! a time, and counts as said only when it is acknowledged.

use super::saying::{Saying, Script, Source};
use crate::api::client::{self, Channel, RecordingClient, Request, pb};
use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;
use pb::record_reply::Body as Reply;
use pb::record_request::Body as Said;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Connections to the service.
const CONNECTIONS: usize = 8;

/// Streams open at a time, over all connections.
const STREAMS_MAX: usize = 64;

/// Facts in a message.
const FACTS_MAX: usize = 20;

/// Every source counts in this epoch.
pub const EPOCH: u64 = 1;

/// How often a source comes back with what was not taken, before it gives up.
const TRIES_MAX: u32 = 200;

/// What one source has to say now.
pub struct Work {
    /// Who.
    pub source: Source,
    /// What, in the order of sending.
    pub sayings: Vec<Saying>,
}

/// What came of it.
#[derive(Default)]
pub struct Tally {
    /// Facts acknowledged.
    pub facts: u64,
    /// Facts sent again on purpose that were answered `DUPLICATE`.
    pub duplicates: u64,
    /// Facts that had to be sent again because the service was busy or a stream broke.
    pub resent: u64,
    /// Microseconds from sending a message to its acknowledgement; true = from a desk.
    latencies: Vec<(bool, u64)>,
}

/// Times from sending a message to its acknowledgement, in microseconds.
pub struct Latency {
    /// All messages.
    pub all: Histogram<u64>,
    /// Those of desks: a tube or a few each. Boxes and plates speak of up to 94 tubes in a fact.
    pub desks: Histogram<u64>,
}

impl Latency {
    /// Nothing recorded yet; 1 microsecond to 10 minutes, to three figures.
    pub fn new() -> Result<Latency> {
        let empty = Histogram::new_with_bounds(1, 600_000_000, 3)?;
        Ok(Latency { all: empty.clone(), desks: empty })
    }
}

/// The connections.
#[derive(Clone)]
pub struct Wire {
    channels: Vec<Channel>,
    script: Arc<Script>,
    /// Facts acknowledged so far, for whoever shows progress.
    pub acknowledged: Arc<AtomicU64>,
}

impl Wire {
    /// Connects.
    pub async fn connect(address: &str, script: Arc<Script>) -> Result<Wire> {
        let mut channels = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            channels.push(client::connect(address).await?);
        }
        Ok(Wire { channels, script, acknowledged: Arc::default() })
    }

    /// A connection for questions and administration.
    pub fn channel(&self) -> Channel {
        self.channels[0].clone()
    }

    /// Sends everything, and returns when everything is acknowledged.
    pub async fn deliver(&self, works: Vec<Work>, latency: &mut Latency) -> Result<Tally> {
        let works = Arc::new(works);
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = tokio::task::JoinSet::new();
        for index in 0..STREAMS_MAX.min(works.len()) {
            let (wire, works, next) = (self.clone(), Arc::clone(&works), Arc::clone(&next));
            workers.spawn(async move {
                let mut client = RecordingClient::new(wire.channels[index % CONNECTIONS].clone());
                let mut tally = Tally::default();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= works.len() {
                        return Ok::<_, anyhow::Error>(tally);
                    }
                    wire.say(&mut client, &works, at, &mut tally).await?;
                }
            });
        }
        let mut all = Tally::default();
        while let Some(done) = workers.join_next().await {
            let tally = done??;
            all.facts += tally.facts;
            all.duplicates += tally.duplicates;
            all.resent += tally.resent;
            for (of_desk, micros) in tally.latencies {
                latency.all.saturating_record(micros);
                if of_desk {
                    latency.desks.saturating_record(micros);
                }
            }
        }
        Ok(all)
    }

    /// Says all that one source has to say, however often it takes.
    async fn say(
        &self,
        client: &mut RecordingClient<Channel>,
        works: &Arc<Vec<Work>>,
        at: usize,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut left: Arc<[u32]> = (0..works[at].sayings.len() as u32).collect();
        for attempt in 0..TRIES_MAX {
            if attempt > 0 {
                tally.resent += left.len() as u64;
            }
            let mut refused = Refused::default();
            let turn = Turn { works, at, left: &left };
            match self.stream(client, &turn, tally, &mut refused).await {
                Ok(()) if refused.facts.is_empty() => return Ok(()),
                Ok(()) => {}
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing(answered)) => {
                    refused.facts.extend_from_slice(&left[answered..]);
                    refused.wait_ms = refused.wait_ms.max(100);
                }
            }
            tokio::time::sleep(Duration::from_millis(refused.wait_ms)).await;
            left = refused.facts.into();
        }
        bail!("the service did not take what {:?} had to say", works[at].source)
    }

    /// One stream.
    async fn stream(
        &self,
        client: &mut RecordingClient<Channel>,
        turn: &Turn<'_>,
        tally: &mut Tally,
        refused: &mut Refused,
    ) -> Result<(), Trouble> {
        let Turn { works, at, left } = *turn;
        let messages = left.len().div_ceil(FACTS_MAX);
        let sent: Arc<[OnceLock<Instant>]> = (0..messages).map(|_| OnceLock::new()).collect();
        let requests = self.requests(turn, &sent);
        let passing = |answered: usize| move |_| Trouble::Passing(answered);
        let replies = client.record(Request::new(tokio_stream::iter(requests))).await;
        let mut replies = replies.map_err(passing(0))?.into_inner();
        let mut answered = 0;
        while let Some(reply) = replies.message().await.map_err(passing(answered))? {
            let acknowledged = match reply.body {
                Some(Reply::Acknowledgement(acknowledged)) => acknowledged,
                Some(Reply::Welcome(welcome)) if welcome.folder_kind() == pb::FolderKind::Drill => {
                    continue;
                }
                _ => return Err(Trouble::Final(anyhow::anyhow!("this is no drill"))),
            };
            let since =
                sent.get(answered / FACTS_MAX).and_then(OnceLock::get).map(Instant::elapsed);
            let micros = since.map_or(0, |since| since.as_micros() as u64);
            let of_desk = matches!(works[at].source, Source::Desk(_));
            tally.latencies.push((of_desk, micros));
            let said = &left[answered..(answered + FACTS_MAX).min(left.len())];
            answered += said.len();
            take(&works[at], said, acknowledged, tally, refused).map_err(Trouble::Final)?;
            self.acknowledged.fetch_add(said.len() as u64, Ordering::Relaxed);
        }
        match answered == left.len() {
            true => Ok(()),
            false => Err(Trouble::Passing(answered)),
        }
    }

    /// The messages of a stream, made one by one as the connection takes them.
    fn requests(
        &self,
        turn: &Turn<'_>,
        sent: &Arc<[OnceLock<Instant>]>,
    ) -> impl Iterator<Item = pb::RecordRequest> + Send + 'static {
        let (script, works, at) = (Arc::clone(&self.script), Arc::clone(turn.works), turn.at);
        let (left, sent) = (Arc::clone(turn.left), Arc::clone(sent));
        let hello = pb::Hello {
            source: script.source(works[at].source),
            epoch: EPOCH,
            device_now_ms: 0,
            acknowledgement: pb::AcknowledgementKind::EachFact.into(),
            software: String::new(),
        };
        let hello = pb::RecordRequest { body: Some(Said::Hello(hello)) };
        let messages = (0..sent.len()).map(move |message| {
            let from = message * FACTS_MAX;
            let said = &left[from..(from + FACTS_MAX).min(left.len())];
            let sayings = &works[at].sayings;
            let facts = said.iter().map(|index| script.fact(&sayings[*index as usize])).collect();
            let batch = pb::FactBatch { message_number: message as u64, facts };
            let _ = sent[message].set(Instant::now());
            pb::RecordRequest { body: Some(Said::Facts(batch)) }
        });
        std::iter::once(hello).chain(messages)
    }
}

/// What is said over a stream: those of one source's facts that are left.
#[derive(Clone, Copy)]
struct Turn<'a> {
    works: &'a Arc<Vec<Work>>,
    at: usize,
    left: &'a Arc<[u32]>,
}

/// Facts that were not taken for the moment, and how long the service asks to wait.
#[derive(Default)]
struct Refused {
    facts: Vec<u32>,
    wait_ms: u64,
}

/// Why a stream ended early.
enum Trouble {
    /// It broke, or the service was busy; so many facts were answered.
    Passing(usize),
    /// It will not pass.
    Final(anyhow::Error),
}

/// Notes what an acknowledgement says of a message.
fn take(
    work: &Work,
    said: &[u32],
    acknowledged: pb::Acknowledgement,
    tally: &mut Tally,
    refused: &mut Refused,
) -> Result<()> {
    if let Some(refusal) = acknowledged.refusal {
        refused.wait_ms = refused.wait_ms.max(passes_after(work, &refusal)?);
        refused.facts.extend_from_slice(said);
        return Ok(());
    }
    ensure!(acknowledged.outcomes.len() == said.len(), "an outcome is missing");
    for (index, outcome) in said.iter().zip(&acknowledged.outcomes) {
        match outcome.outcome() {
            pb::Outcome::Recorded => tally.facts += 1,
            pb::Outcome::Duplicate => {
                tally.facts += 1;
                tally.duplicates += u64::from(work.sayings[*index as usize].again);
            }
            _ => {
                let refusal = outcome.refusal.as_ref().context("a refusal gives no reason")?;
                refused.wait_ms = refused.wait_ms.max(passes_after(work, refusal)?);
                refused.facts.push(*index);
            }
        }
    }
    Ok(())
}

/// When a refusal passes; an error when it does not.
fn passes_after(work: &Work, refusal: &pb::Refusal) -> Result<u64> {
    let text = refusal.text.as_ref().map(|text| text.en.as_str()).unwrap_or_default();
    let (reason, field) = (refusal.reason(), &refusal.field);
    ensure!(
        refusal.retry_after_ms > 0,
        "a fact of {:?} was refused: {reason:?} {field} {text}",
        work.source
    );
    Ok(refusal.retry_after_ms)
}
