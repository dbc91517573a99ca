//! Devices that make a call for each message, as telephones do.

use crate::api::{Reason, RecordBatchReply, RecordBatchRequest, Refusal};
use crate::connect::{Server, SignIn};
use crate::load::{Load, RUN_UP, Timing, now_ms};
use crate::pace::Leave;
use crate::tally::{Left, Sent, Tally, Went};
use anyhow::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

type Answer = (Sent, Result<Response<RecordBatchReply>, Status>);

/// Runs every device from one moment on.
pub async fn run(
    server: &Server,
    sign_in: &SignIn,
    load: &Arc<Load>,
    timing: &Timing,
    connections: u32,
) -> Result<Went> {
    let mut channels = Vec::new();
    for number in 0..connections {
        channels.push(server.channel_of(number, connections).await?);
    }
    let start = Instant::now() + RUN_UP;
    let mut running = JoinSet::new();
    for (device, channel) in (0..timing.devices).zip(channels.iter().cycle()) {
        let (channel, sign_in, load) = (channel.clone(), sign_in.clone(), load.clone());
        running.spawn(device_run(device, channel, sign_in, load, timing.clone(), start));
    }
    let (mut tallies, mut left) = (Vec::new(), Vec::new());
    while let Some(ended) = running.join_next().await {
        let (tally, of_device) = ended?;
        tallies.push(tally);
        left.push(of_device);
    }
    Ok(Went::new(tallies, left, start))
}

/// Calls when it is due, without waiting for the calls before, until the time is over.
async fn device_run(
    device: u32,
    channel: Channel,
    sign_in: SignIn,
    load: Arc<Load>,
    timing: Timing,
    start: Instant,
) -> (Tally, Left) {
    let mut tally = Tally::default();
    let mut unanswered = Vec::new();
    let mut times = timing.due(device);
    let mut next = times.next();
    let mut first = 1;
    let mut calls: JoinSet<Answer> = JoinSet::new();
    let over = sleep_until(timing.over(start));
    let end = timing.give_up(start);
    tokio::pin!(over);
    let mut leave = Leave::default();
    let mut is_over = false;
    while !(is_over || next.is_none()) || !calls.is_empty() {
        let may_send = !is_over && next.is_some() && calls.len() < timing.inflight_max();
        tokio::select! {
            biased;
            Some(answer) = calls.join_next(), if !calls.is_empty() => match answer {
                Ok(answer) => unanswered.extend(settle(&mut tally, answer)),
                Err(panicked) => tally.failure(panicked.to_string()),
            },
            () = &mut over, if !is_over => is_over = true,
            () = leave.at(start + next.unwrap_or_default()), if may_send => {
                let now = now_ms();
                let facts = (first..).take(usize::try_from(load.batch).unwrap_or(0));
                let facts = facts.map(|number| load.tube(device, number, false, now)).collect();
                let request = RecordBatchRequest {
                    facts,
                    device_now_ms: i64::try_from(now).unwrap_or(i64::MAX),
                };
                let at = Instant::now();
                let due = if timing.is_open() { start + next.unwrap_or_default() } else { at };
                let sent = Sent { device, first, count: load.batch, due, at };
                tally.sent(&sent);
                let mut client = sign_in.recording(&channel);
                calls.spawn(async move {
                    let call = tokio::time::timeout_at(end, client.record_batch(request));
                    let late = |_| Err(Status::deadline_exceeded("no answer within the run"));
                    (sent, call.await.unwrap_or_else(late))
                });
                first += u64::from(load.batch);
                next = times.next();
            }
        }
    }
    let unsent: Box<dyn Iterator<Item = Duration> + Send> = match timing.is_open() {
        true => Box::new(next.into_iter().chain(times)),
        false => Box::new(std::iter::empty()),
    };
    (tally, Left { unanswered, batch: load.batch, unsent, at: Instant::now() })
}

/// Takes an answer; gives the message back when it is none.
fn settle(tally: &mut Tally, (sent, answer): Answer) -> Option<Sent> {
    match answer {
        Ok(reply) => {
            let RecordBatchReply { outcomes, times, .. } = reply.into_inner();
            tally.answered(&sent, &outcomes, false, times.as_ref());
            None
        }
        // A server that says it is busy has answered.
        Err(status) if status.code() == Code::ResourceExhausted => {
            let refusal = Refusal { reason: Reason::Overloaded.into(), ..Refusal::default() };
            tally.refused(&sent, &refusal);
            None
        }
        Err(status) => {
            tally.failure(format!("{:?}: {}", status.code(), status.message()));
            Some(sent)
        }
    }
}
