//! Devices that hold a stream, as scanners and gateways do.

use crate::api::{
    Acknowledgement, AcknowledgementKind, FactBatch, Hello, RecordReply, RecordRequest,
    record_reply, record_request,
};
use crate::connect::{Server, SignIn};
use crate::load::{Load, RUN_UP, Timing, now_ms, until};
use crate::tally::{Sent, Tally};
use anyhow::{Context, Result, bail};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// Messages that wait inside the client for the connection to take them.
const OUTGOING_MAX: usize = 16;
/// How long a stream may take to end once everything is answered.
const GOODBYE: Duration = Duration::from_secs(1);

/// A stream that has been welcomed.
struct Device {
    number: u32,
    outgoing: mpsc::Sender<RecordRequest>,
    replies: Streaming<RecordReply>,
    tally: Arc<Mutex<Tally>>,
}

/// Opens every stream, then runs them all from one moment on. Gives what was counted and how long
/// it took to the last answer.
pub async fn run(
    server: &Server,
    sign_in: &SignIn,
    load: &Load,
    timing: Timing,
    connections: u32,
) -> Result<(Tally, Duration)> {
    let load = Arc::new(load.clone());
    let mut opening = JoinSet::new();
    for first in 0..connections {
        let (channel, sign_in, load) = (server.channel().await?, sign_in.clone(), load.clone());
        let tally = Arc::<Mutex<Tally>>::default();
        let mine = (first..timing.devices).step_by(usize::try_from(connections)?);
        opening.spawn(async move {
            let mut devices = Vec::new();
            for number in mine {
                let device = open(&channel, &sign_in, &load, number, tally.clone()).await;
                devices.push(device.with_context(|| format!("opening stream {number}"))?);
            }
            Ok::<_, anyhow::Error>((tally, devices))
        });
    }
    let (mut tallies, mut devices) = (Vec::new(), Vec::new());
    while let Some(opened) = opening.join_next().await {
        let (tally, opened) = opened??;
        tallies.push(tally);
        devices.extend(opened);
    }

    let start = Instant::now() + RUN_UP;
    let mut running = JoinSet::new();
    for device in devices {
        running.spawn(device.run(load.clone(), timing, start));
    }
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    let counted = tallies.iter().map(|tally| std::mem::take(&mut *held(tally)));
    let tally = crate::merge(counted.collect::<Vec<_>>());
    let elapsed =
        tally.last_answer.map_or(Duration::ZERO, |last| last.saturating_duration_since(start));
    Ok((tally, elapsed))
}

/// Opens a stream and says hello.
async fn open(
    channel: &Channel,
    sign_in: &SignIn,
    load: &Load,
    number: u32,
    tally: Arc<Mutex<Tally>>,
) -> Result<Device> {
    let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
    let acknowledgement = match load.watermark_only {
        true => AcknowledgementKind::WatermarkOnly,
        false => AcknowledgementKind::EachFact,
    };
    let hello = Hello {
        source: load.numbers.source(number),
        epoch: load.numbers.epoch(),
        device_now_ms: i64::try_from(now_ms())?,
        acknowledgement: acknowledgement.into(),
        software: concat!("loadtest ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    outgoing.send(RecordRequest { body: Some(record_request::Body::Hello(hello)) }).await?;
    let mut replies =
        sign_in.recording(channel).record(ReceiverStream::new(queue)).await?.into_inner();
    match replies.message().await?.and_then(|reply| reply.body) {
        Some(record_reply::Body::Welcome(welcome)) => {
            if welcome.facts_max > 0 && welcome.facts_max < load.batch {
                bail!(
                    "the server takes {} facts in a message, not {}",
                    welcome.facts_max,
                    load.batch
                );
            }
        }
        other => bail!("expected a welcome, not {other:?}"),
    }
    Ok(Device { number, outgoing, replies, tally })
}

/// A lock that a panic elsewhere does not spoil: the figures are only added up.
fn held(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    /// Sends what is due until the time is over, then waits for the last answers.
    async fn run(mut self, load: Arc<Load>, timing: Timing, start: Instant) {
        let mut times = timing.due(self.number);
        let mut next = times.next();
        let mut under_way: VecDeque<(u64, Sent)> = VecDeque::new();
        let mut messages = 0;
        let over = sleep_until(timing.over(start));
        let give_up = sleep_until(timing.give_up(start));
        tokio::pin!(over, give_up);
        let mut is_over = false;
        let mut is_broken = false;
        while !(is_over || next.is_none()) || !under_way.is_empty() {
            let may_send = !is_over && next.is_some() && under_way.len() < timing.inflight_max();
            tokio::select! {
                biased;
                reply = self.replies.message() => match reply {
                    Ok(Some(reply)) => self.settle(reply, &mut under_way, load.watermark_only),
                    Ok(None) => {
                        self.failure("the server closed the stream".to_owned());
                        is_broken = true;
                        break;
                    }
                    Err(status) => {
                        self.failure(format!("{:?}: {}", status.code(), status.message()));
                        is_broken = true;
                        break;
                    }
                },
                () = &mut over, if !is_over => is_over = true,
                () = &mut give_up => break,
                permit = when_due(start + next.unwrap_or_default(), &self.outgoing), if may_send => {
                    let Some(permit) = permit else { break };
                    messages += 1;
                    let first = (messages - 1) * u64::from(load.batch) + 1;
                    let facts = (first..).take(usize::try_from(load.batch).unwrap_or(0));
                    let facts = facts.map(|number| load.tube(self.number, number, true)).collect();
                    let at = Instant::now();
                    let due = if timing.is_open() { (start + next.unwrap_or_default()).min(at) } else { at };
                    let sent = Sent { device: self.number, first, count: load.batch, due, at };
                    let batch = FactBatch { message_number: messages, facts };
                    permit.send(RecordRequest { body: Some(record_request::Body::Facts(batch)) });
                    held(&self.tally).sent(&sent);
                    under_way.push_back((messages, sent));
                    next = times.next();
                }
            }
        }
        if !is_broken && under_way.is_empty() {
            // Ends the stream in order: the server sees a goodbye and not a lost device.
            drop(self.outgoing);
            let _ = tokio::time::timeout(GOODBYE, self.replies.message()).await;
        }
        let end = timing.give_up(start);
        let mut tally = held(&self.tally);
        under_way.iter().for_each(|(_, sent)| tally.unanswered(sent, end));
        if timing.is_open() {
            let left = next.into_iter().chain(times);
            left.for_each(|due| tally.unsent(start + due, load.batch, end));
        }
    }

    /// Takes an answer; they come in the order of the messages, and one may answer several.
    fn settle(&self, reply: RecordReply, under_way: &mut VecDeque<(u64, Sent)>, silent: bool) {
        let Some(record_reply::Body::Acknowledgement(answer)) = reply.body else {
            return self.failure("an answer that is no acknowledgement".to_owned());
        };
        let Acknowledgement { message_number, refusal, outcomes, times, messages, .. } = answer;
        // All but the last of them are recorded whole; the last one has the number.
        for _ in 1..messages {
            if let Some((_, sent)) = under_way.pop_front() {
                held(&self.tally).answered(&sent, &[], silent, times.as_ref());
            }
        }
        match under_way.pop_front() {
            Some((number, sent)) if number == message_number => {
                let mut tally = held(&self.tally);
                match refusal {
                    Some(refusal) => tally.refused(&sent, &refusal),
                    None => tally.answered(&sent, &outcomes, silent, times.as_ref()),
                }
            }
            other => {
                self.failure(format!("an answer to message {message_number} out of turn"));
                if let Some(message) = other {
                    under_way.push_front(message);
                }
            }
        }
    }

    fn failure(&self, text: String) {
        held(&self.tally).failure(text);
    }
}

/// Waits until it is time and until the connection takes a message; `None` when it never will.
async fn when_due(
    due: Instant,
    outgoing: &mpsc::Sender<RecordRequest>,
) -> Option<mpsc::Permit<'_, RecordRequest>> {
    until(due).await;
    outgoing.reserve().await.ok()
}
