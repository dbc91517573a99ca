//! Devices that hold a stream, as scanners and gateways do.

use crate::api::{
    Acknowledgement, AcknowledgementKind, Hello, RecordReply, RecordRequest, Welcome, record_reply,
    record_request,
};
use crate::encode::framed;
use crate::load::{Load, Pen, RUN_UP, Timing, now_ms};
use crate::pace::Leave;
use crate::tally::{Left, Sent, Tally, Went};
use crate::wire::{Broken, Dialer, Line, RECORD, Talk};
use anyhow::{Context, Result, ensure};
use prost::Message;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Connections that are being opened at a time.
const OPENING_MAX: usize = 128;
/// Tallies that the devices share. One for each of 26,000 would be gigabytes of histograms.
const TALLIES: usize = 16;
/// How long a server may take to welcome a stream.
const WELCOME_PATIENCE: Duration = Duration::from_secs(30);
/// Tries to open a connection: a system that is asked for many at once turns some away.
const CONNECT_TRIES: u32 = 5;
/// Pause between two.
const CONNECT_PAUSE: Duration = Duration::from_millis(500);
/// How long a stream may take to end once everything is answered.
const GOODBYE: Duration = Duration::from_secs(1);

/// A stream that has been welcomed.
struct Device {
    number: u32,
    talk: Talk,
    pen: Pen,
    tally: Arc<Mutex<Tally>>,
    /// Its connection lives as long as its streams.
    _line: Line,
}

/// Devices with open streams, ready to go.
pub struct Crowd {
    devices: Vec<Device>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    load: Arc<Load>,
    timing: Timing,
}

/// Ends a crowd's sending before its time. Nothing that is due later is then missed.
pub type Stop = watch::Receiver<bool>;

/// A stop that never comes.
pub fn never() -> Stop {
    watch::channel(false).1
}

/// Opens every stream, then runs them all from one moment on.
pub async fn run(
    dialer: &Dialer,
    load: &Arc<Load>,
    timing: &Timing,
    connections: u32,
) -> Result<Went> {
    let crowd = Crowd::open(dialer, load, timing, connections).await?;
    crowd.run(Instant::now() + RUN_UP, never()).await
}

impl Crowd {
    /// Opens the streams of all devices over so many connections.
    pub async fn open(
        dialer: &Dialer,
        load: &Arc<Load>,
        timing: &Timing,
        connections: u32,
    ) -> Result<Crowd> {
        let tallies: Vec<Arc<Mutex<Tally>>> = (0..TALLIES).map(|_| Arc::default()).collect();
        let places = Arc::new(Semaphore::new(OPENING_MAX));
        // That connections are tried again is said once, not for each of thousands.
        let told = Arc::new(AtomicBool::new(false));
        let mut opening = JoinSet::new();
        for first in 0..connections.min(timing.devices) {
            let (dialer, load, places) = (dialer.clone(), load.clone(), places.clone());
            let told = told.clone();
            let tally = tallies[first as usize % TALLIES].clone();
            let mine = (first..timing.devices).step_by(usize::try_from(connections)?);
            opening.spawn(async move {
                let _place = places.acquire().await?;
                let mut tries = 0;
                let (line, mut opened) = loop {
                    tries += 1;
                    match open_first(&dialer, &load, first).await {
                        Ok((line, opened)) => break (line, Some(opened)),
                        Err(Broken::Line(why)) if tries < CONNECT_TRIES => {
                            if !told.swap(true, Ordering::Relaxed) {
                                eprintln!(
                                    "loadtest: connection {first}: {why}; it and others that fare alike are tried {CONNECT_TRIES} times"
                                );
                            }
                            sleep(CONNECT_PAUSE).await;
                        }
                        Err(broken) => return Err(broken).context(format!("connection {first}")),
                    }
                };
                let mut devices = Vec::new();
                for number in mine {
                    let (talk, welcome) = match opened.take() {
                        Some(opened) => opened,
                        None => {
                            let opened = open(&line, &load, number).await;
                            opened.with_context(|| format!("opening stream {number}"))?
                        }
                    };
                    ensure!(
                        welcome.facts_max == 0 || welcome.facts_max >= load.batch,
                        "the server takes {} facts in a message, not {}",
                        welcome.facts_max,
                        load.batch
                    );
                    let (pen, tally) = (load.pen(number), tally.clone());
                    devices.push(Device { number, talk, pen, tally, _line: line.clone() });
                }
                Ok::<_, anyhow::Error>(devices)
            });
        }
        let mut devices = Vec::new();
        while let Some(opened) = opening.join_next().await {
            devices.extend(opened??);
        }
        Ok(Crowd { devices, tallies, load: load.clone(), timing: timing.clone() })
    }

    /// Sends from `start` on, until the time is over or `stop` says so.
    pub async fn run(self, start: Instant, stop: Stop) -> Result<Went> {
        let Crowd { devices, tallies, load, timing } = self;
        let timing = Arc::new(timing);
        let mut running = JoinSet::new();
        for device in devices {
            running.spawn(device.run(load.clone(), timing.clone(), start, stop.clone()));
        }
        let mut left = Vec::new();
        while let Some(ended) = running.join_next().await {
            left.push(ended?);
        }
        let counted = tallies.iter().map(|tally| std::mem::take(&mut *held(tally)));
        Ok(Went::new(counted, left, start))
    }
}

/// Opens a connection and the stream of its first device: only a welcome shows that both ends know of
/// the connection.
async fn open_first(
    dialer: &Dialer,
    load: &Load,
    device: u32,
) -> Result<(Line, (Talk, Welcome)), Broken> {
    let line = dialer.line(device).await?;
    let opened = open(&line, load, device).await?;
    Ok((line, opened))
}

/// Opens the stream of a device and says hello.
pub async fn open(line: &Line, load: &Load, device: u32) -> Result<(Talk, Welcome), Broken> {
    let acknowledgement = match load.watermark_only {
        true => AcknowledgementKind::WatermarkOnly,
        false => AcknowledgementKind::EachFact,
    };
    open_as(line, load.numbers.source(device), load.numbers.epoch(), acknowledgement).await
}

/// Opens the stream of a source and says hello.
pub async fn open_as(
    line: &Line,
    source: String,
    epoch: u64,
    acknowledgement: AcknowledgementKind,
) -> Result<(Talk, Welcome), Broken> {
    let hello = Hello {
        source,
        epoch,
        device_now_ms: i64::try_from(now_ms()).unwrap_or(i64::MAX),
        acknowledgement: acknowledgement.into(),
        software: concat!("loadtest ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let hello = RecordRequest { body: Some(record_request::Body::Hello(hello)) };
    let welcomed = timeout(WELCOME_PATIENCE, async {
        let mut talk = line.call(RECORD).await?;
        talk.out.send_data(framed(&hello), false)?;
        let reply = talk.answers.next().await?;
        Ok::<_, Broken>((talk, reply))
    });
    let late = |_| Err(Broken::Line("no welcome in time".to_owned()));
    let (talk, reply) = welcomed.await.unwrap_or_else(late)?;
    let reply = reply.map(RecordReply::decode);
    match reply.transpose().map_err(undecodable)?.and_then(|reply| reply.body) {
        Some(record_reply::Body::Welcome(welcome)) => Ok((talk, welcome)),
        other => Err(Broken::Line(format!("expected a welcome, not {other:?}"))),
    }
}

/// The next acknowledgement; `None` when the server has ended the stream.
pub async fn acknowledgement(talk: &mut Talk) -> Result<Option<Acknowledgement>, Broken> {
    let Some(reply) = talk.answers.next().await? else { return Ok(None) };
    match RecordReply::decode(reply).map_err(undecodable)?.body {
        Some(record_reply::Body::Acknowledgement(answer)) => Ok(Some(answer)),
        _ => Err(Broken::Line("an answer that is no acknowledgement".to_owned())),
    }
}

fn undecodable(error: prost::DecodeError) -> Broken {
    Broken::Line(format!("an answer that cannot be decoded: {error}"))
}

/// A lock that a panic elsewhere does not spoil: the figures are only added up.
fn held(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device {
    /// Sends what is due until the time is over, then waits for the last answers.
    async fn run(
        mut self,
        load: Arc<Load>,
        timing: Arc<Timing>,
        start: Instant,
        mut stop: Stop,
    ) -> Left {
        let mut times = timing.due(self.number);
        let mut next = times.next();
        let mut under_way: VecDeque<(u64, Sent)> = VecDeque::new();
        let mut messages = 0;
        let over = sleep_until(timing.over(start));
        let give_up = sleep_until(timing.give_up(start));
        tokio::pin!(over, give_up);
        let mut leave = Leave::default();
        let mut is_over = false;
        let mut is_stopped = false;
        let mut is_broken = false;
        while !(is_over || next.is_none()) || !under_way.is_empty() {
            let may_send = !is_over && next.is_some() && under_way.len() < timing.inflight_max();
            tokio::select! {
                biased;
                answer = acknowledgement(&mut self.talk) => match answer {
                    Ok(Some(answer)) => self.settle(answer, &mut under_way, load.watermark_only),
                    Ok(None) => {
                        self.failure("the server closed the stream".to_owned());
                        is_broken = true;
                        break;
                    }
                    Err(broken) => {
                        self.failure(broken.to_string());
                        is_broken = true;
                        break;
                    }
                },
                () = &mut over, if !is_over => is_over = true,
                Ok(_) = stop.wait_for(|stop| *stop), if !is_stopped => {
                    (is_over, is_stopped) = (true, true);
                    give_up.as_mut().reset(Instant::now() + timing.grace);
                }
                () = &mut give_up => break,
                () = leave.at(start + next.unwrap_or_default()), if may_send => {
                    messages += 1;
                    let first = (messages - 1) * u64::from(load.batch) + 1;
                    let framed = self.pen.message(messages, first, load.batch, now_ms());
                    let at = Instant::now();
                    let due = if timing.is_open() { start + next.unwrap_or_default() } else { at };
                    let sent = Sent { device: self.number, first, count: load.batch, due, at };
                    if let Err(error) = self.talk.out.send_data(framed, false) {
                        self.failure(error.to_string());
                        is_broken = true;
                        break;
                    }
                    held(&self.tally).sent(&sent);
                    under_way.push_back((messages, sent));
                    next = times.next();
                }
            }
        }
        let at = Instant::now();
        if !is_broken && under_way.is_empty() {
            // Ends the stream in order: the server sees a goodbye and not a lost device.
            let _ = self.talk.out.send_data(bytes::Bytes::new(), true);
            let _ = tokio::time::timeout(GOODBYE, self.talk.answers.next()).await;
        }
        let unanswered = under_way.into_iter().map(|(_, sent)| sent).collect();
        let unsent: Box<dyn Iterator<Item = Duration> + Send> =
            match timing.is_open() && !is_stopped {
                true => Box::new(next.into_iter().chain(times)),
                false => Box::new(std::iter::empty()),
            };
        Left { unanswered, batch: load.batch, unsent, at }
    }

    /// Takes an answer; they come in the order of the messages, and one may answer several.
    fn settle(&self, answer: Acknowledgement, under_way: &mut VecDeque<(u64, Sent)>, silent: bool) {
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
