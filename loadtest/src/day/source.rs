//! The sources of a district: desks, a courier, the laboratory's reception and its bench. Each holds
//! a stream; what one has said and the server has acknowledged, the next one works on.

use super::codes::{BOX_TUBES, DISTRICTS, Day, MESSAGE_TUBES, PLATE_TUBES};
use super::pen::{Pen, Plate, Saying};
use super::{LAG, Stages, latency_of};
use crate::api::AcknowledgementKind;
use crate::storm::again_after;
use crate::stream::{acknowledgement, open_as};
use crate::tally::Latency;
use crate::wire::{Line, Talk};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

/// Boxes or plates that may wait for a source.
pub const QUEUED_MAX: usize = 8_192;
/// Messages of a source under way.
const WINDOW: usize = 5;
/// How often a message is sent again before the day is given up.
const TRIES_MAX: u32 = 1_000;

/// What waits for a source: not before its time.
type Timed<T> = (Instant, T);

/// What a source said.
#[derive(Default)]
pub struct Said {
    /// Facts and messages, and messages that were told to come back.
    pub facts: u64,
    /// The same.
    pub messages: u64,
    /// The same.
    pub again: u64,
    /// From sending to the acknowledgement, of desks and of all others.
    pub desks: Latency,
    /// The same.
    pub others: Latency,
}

/// Where a source stands.
pub struct Place {
    /// The day.
    pub day: Arc<Day>,
    /// The district.
    pub district: u64,
    /// The connection.
    pub line: Line,
    /// Its name.
    pub source: String,
    /// What is counted.
    pub stages: Arc<Stages>,
    /// What it said; whoever runs the day has it too, so that it is known of one that broke.
    pub said: Arc<Mutex<Said>>,
    /// When the day began.
    pub start: Instant,
}

/// A stream with messages under way, each of which stands for something.
struct Voice<T> {
    talk: Talk,
    under_way: VecDeque<Message<T>>,
    /// So many of the oldest of them are acknowledged: one answer may be for several.
    settled: u64,
    /// Messages that were told to come back, with the time of that.
    refused: VecDeque<Timed<Message<T>>>,
    messages: u64,
    is_desk: bool,
    said: Arc<Mutex<Said>>,
}

struct Message<T> {
    framed: Bytes,
    facts: u64,
    sent: Instant,
    tries: u32,
    about: T,
}

impl<T> Voice<T> {
    async fn open(place: &Place, is_desk: bool) -> Result<Voice<T>> {
        let kind = AcknowledgementKind::WatermarkOnly;
        let epoch = place.day.numbers.epoch();
        let opened = open_as(&place.line, place.source.clone(), epoch, kind).await;
        let (talk, _) = opened.with_context(|| format!("the stream of {}", place.source))?;
        let (under_way, refused, said) = (VecDeque::new(), VecDeque::new(), place.said.clone());
        Ok(Voice { talk, under_way, settled: 0, refused, messages: 0, is_desk, said })
    }

    /// The number of the next message.
    fn next(&self) -> u64 {
        self.messages + 1
    }

    fn send(&mut self, framed: Bytes, facts: u64, about: T) -> Result<()> {
        self.messages += 1;
        self.talk.out.send_data(framed.clone(), false)?;
        let sent = Instant::now();
        self.under_way.push_back(Message { framed, facts, sent, tries: 0, about });
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.under_way.len() + self.refused.len() < WINDOW
    }

    /// True when everything said is acknowledged.
    fn is_quiet(&self) -> bool {
        self.under_way.is_empty() && self.refused.is_empty()
    }

    /// What the next acknowledged message was about. What is told to come back is sent again, under
    /// the same ids. Nothing is lost when the wait is given up.
    async fn heard(&mut self) -> Result<T> {
        loop {
            if self.settled > 0 {
                self.settled -= 1;
                let message = self.under_way.pop_front().context("an answer to nothing")?;
                return Ok(self.recorded(message));
            }
            let again = time_of(self.refused.front().map(|refused| refused.0));
            let answer = tokio::select! {
                biased;
                answer = acknowledgement(&mut self.talk), if !self.under_way.is_empty() => answer?,
                () = again => {
                    if let Some((_, message)) = self.refused.pop_front() {
                        self.talk.out.send_data(message.framed.clone(), false)?;
                        self.under_way.push_back(message);
                    }
                    continue;
                }
            };
            let answer = answer.context("the server closed a stream")?;
            let Some(retry_ms) = again_after(&answer)? else {
                self.settled += u64::from(answer.messages).max(1);
                continue;
            };
            // A message that is refused is answered by itself.
            let mut message = self.under_way.pop_front().context("an answer to nothing")?;
            message.tries += 1;
            self.said().again += 1;
            ensure!(message.tries < TRIES_MAX, "a message was told to come back {TRIES_MAX} times");
            let at = Instant::now() + Duration::from_millis(retry_ms);
            self.refused.push_back((at, message));
        }
    }

    fn recorded(&mut self, message: Message<T>) -> T {
        let mut said = self.said();
        said.messages += 1;
        said.facts += message.facts;
        let took = message.sent.elapsed();
        latency_of(&mut said, self.is_desk).note(took, 1);
        message.about
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the stream in order.
    async fn finish(mut self) {
        let _ = self.talk.out.send_data(Bytes::new(), true);
        let _ = tokio::time::timeout(Duration::from_secs(1), self.talk.answers.next()).await;
    }
}

/// A source that collects.
pub struct Desk {
    /// Where.
    pub place: Place,
    /// The district's next box.
    pub boxes: Arc<AtomicU64>,
    /// Room for tubes on the way.
    pub room: Arc<Semaphore>,
    /// Tubes a second over all desks; 0 = as fast as it goes.
    pub rate: f64,
    /// Who packs.
    pub to_courier: mpsc::Sender<Timed<u64>>,
}

impl Desk {
    /// Fills box after box of tubes.
    pub async fn run(self) -> Result<()> {
        let Desk { place, boxes, room, rate, to_courier } = self;
        let mut voice: Voice<(u64, u64)> = Voice::open(&place, true).await?;
        let mut pen = Pen::new(place.day.clone(), place.district);
        // Messages of boxes that are not acknowledged as a whole yet: box, and tubes still to come.
        let mut open: VecDeque<(u64, u64)> = VecDeque::new();
        loop {
            let container = boxes.fetch_add(DISTRICTS, Ordering::Relaxed);
            if container >= place.day.boxes() {
                break;
            }
            let tubes = place.day.tubes_in(container);
            let count = tubes.end - tubes.start;
            let due = if rate > 0.0 { (container * BOX_TUBES) as f64 / rate } else { 0.0 };
            let wait = async {
                sleep_until(place.start + Duration::from_secs_f64(due)).await;
                room.acquire_many(count as u32).await.map(|room| room.forget())
            };
            tokio::pin!(wait);
            loop {
                tokio::select! {
                    waited = &mut wait => break waited?,
                    heard = collected(&place, &mut voice, &mut open, &to_courier), if !voice.is_quiet() => heard?,
                }
            }
            open.push_back((container, count));
            for first in tubes.clone().step_by(MESSAGE_TUBES as usize) {
                let part = first..(first + MESSAGE_TUBES).min(tubes.end);
                let size = part.end - part.start;
                while !voice.has_room() {
                    collected(&place, &mut voice, &mut open, &to_courier).await?;
                }
                let framed = pen.collected(voice.next(), part);
                voice.send(framed, size, (container, size))?;
            }
        }
        while !voice.is_quiet() {
            collected(&place, &mut voice, &mut open, &to_courier).await?;
        }
        voice.finish().await;
        Ok(())
    }
}

/// Waits for an acknowledgement; a box whose tubes are all acknowledged goes to the courier.
async fn collected(
    place: &Place,
    voice: &mut Voice<(u64, u64)>,
    open: &mut VecDeque<(u64, u64)>,
    to_courier: &mpsc::Sender<Timed<u64>>,
) -> Result<()> {
    let (container, size) = voice.heard().await?;
    place.stages.collected.fetch_add(size, Ordering::Relaxed);
    place.stages.last_collection_ms.fetch_max(place.elapsed_ms(), Ordering::Relaxed);
    for (filled, left) in open.iter_mut().filter(|(filled, _)| *filled == container) {
        *left -= size;
        if *left == 0 {
            // Never full: there is room for every box on the way. And without a wait in which what
            // was heard could be lost.
            to_courier.try_send((Instant::now() + LAG, *filled)).context("the courier's queue")?;
        }
    }
    open.retain(|(_, left)| *left > 0);
    Ok(())
}

impl Place {
    fn elapsed_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn count(&self, stage: &AtomicU64, container: u64) {
        stage.fetch_add(self.day.tubes_in(container).count() as u64, Ordering::Relaxed);
    }

    /// Packs boxes and hands them over.
    pub async fn courier(
        self,
        mut filled: mpsc::Receiver<Timed<u64>>,
        to_reception: mpsc::Sender<Timed<u64>>,
    ) -> Result<()> {
        let mut voice: Voice<Saying> = Voice::open(&self, false).await?;
        let mut pen = Pen::new(self.day.clone(), self.district);
        let mut packed: VecDeque<Timed<u64>> = VecDeque::new();
        let mut next: Option<Timed<u64>> = None;
        let mut is_over = false;
        while !is_over || next.is_some() || !packed.is_empty() || !voice.is_quiet() {
            let has_room = voice.has_room();
            tokio::select! {
                biased;
                heard = voice.heard(), if !voice.is_quiet() => match heard? {
                    Saying::Packed(container) => {
                        self.count(&self.stages.packed, container);
                        packed.push_back((Instant::now() + LAG, container));
                    }
                    Saying::HandedOver(container) => {
                        to_reception.send((Instant::now() + LAG, container)).await?;
                    }
                    _ => {}
                },
                () = time_of(packed.front().map(|timed| timed.0)), if has_room && !packed.is_empty() => {
                    if let Some((_, container)) = packed.pop_front() {
                        say(&mut voice, &mut pen, Saying::HandedOver(container))?;
                    }
                }
                () = time_of(next.map(|timed| timed.0)), if has_room && next.is_some() => {
                    if let Some((_, container)) = next.take() {
                        say(&mut voice, &mut pen, Saying::Packed(container))?;
                    }
                }
                received = filled.recv(), if next.is_none() && !is_over => match received {
                    Some(timed) => next = Some(timed),
                    None => is_over = true,
                },
            }
        }
        voice.finish().await;
        Ok(())
    }

    /// Receives boxes and scans their tubes.
    pub async fn reception(
        self,
        mut handed_over: mpsc::Receiver<Timed<u64>>,
        to_lab: mpsc::Sender<Timed<u64>>,
    ) -> Result<()> {
        let mut voice: Voice<u64> = Voice::open(&self, false).await?;
        let mut pen = Pen::new(self.day.clone(), self.district);
        let mut next: Option<Timed<u64>> = None;
        let mut is_over = false;
        while !is_over || next.is_some() || !voice.is_quiet() {
            let has_room = voice.has_room();
            tokio::select! {
                biased;
                heard = voice.heard(), if !voice.is_quiet() => {
                    let container = heard?;
                    self.count(&self.stages.received, container);
                    to_lab.send((Instant::now() + LAG, container)).await?;
                }
                () = time_of(next.map(|timed| timed.0)), if has_room && next.is_some() => {
                    if let Some((_, container)) = next.take() {
                        let framed = pen.say(voice.next(), &Saying::Received(container));
                        voice.send(framed, 1, container)?;
                    }
                }
                received = handed_over.recv(), if next.is_none() && !is_over => match received {
                    Some(timed) => next = Some(timed),
                    None => is_over = true,
                },
            }
        }
        voice.finish().await;
        Ok(())
    }

    /// Loads plates, runs them and releases what is negative.
    pub async fn lab(
        self,
        mut received: mpsc::Receiver<Timed<u64>>,
        room: Arc<Semaphore>,
    ) -> Result<()> {
        let mut voice: Voice<Saying> = Voice::open(&self, false).await?;
        let mut pen = Pen::new(self.day.clone(), self.district);
        let mut tubes: VecDeque<u64> = VecDeque::new();
        let mut plates = 0;
        // What follows from an acknowledgement, in the order of its time.
        let mut due: VecDeque<Timed<Saying>> = VecDeque::new();
        let mut next: Option<Timed<u64>> = None;
        let mut is_over = false;
        let is_plate = |tubes: &VecDeque<u64>, is_last| {
            tubes.len() >= PLATE_TUBES || (is_last && !tubes.is_empty())
        };
        loop {
            let is_last = is_over && next.is_none();
            if is_last && due.is_empty() && tubes.is_empty() && voice.is_quiet() {
                voice.finish().await;
                return Ok(());
            }
            let has_room = voice.has_room();
            tokio::select! {
                biased;
                heard = voice.heard(), if !voice.is_quiet() => {
                    if let Some(saying) = self.after(heard?, &room) {
                        due.push_back((Instant::now() + LAG, saying));
                    }
                }
                () = time_of(due.front().map(|timed| timed.0)), if has_room && !due.is_empty() => {
                    if let Some((_, saying)) = due.pop_front() {
                        match &saying {
                            // A plate without anything to release is through.
                            Saying::Released(plate)
                                if plate.tubes.iter().all(|tube| self.day.is_positive(*tube)) =>
                            {
                                self.after(saying, &room);
                            }
                            _ => say(&mut voice, &mut pen, saying)?,
                        }
                    }
                }
                () = std::future::ready(()), if has_room && is_plate(&tubes, is_last) => {
                    let on_plate = tubes.drain(..tubes.len().min(PLATE_TUBES)).collect();
                    plates += 1;
                    let plate = Plate { number: plates, tubes: on_plate };
                    say(&mut voice, &mut pen, Saying::Loaded(plate))?;
                }
                () = time_of(next.map(|timed| timed.0)), if next.is_some() => {
                    if let Some((_, container)) = next.take() {
                        tubes.extend(self.day.tubes_in(container));
                    }
                }
                timed = received.recv(), if next.is_none() && !is_over => match timed {
                    Some(timed) => next = Some(timed),
                    None => is_over = true,
                },
            }
        }
    }

    /// What a laboratory does after the server has acknowledged a step with a plate.
    fn after(&self, saying: Saying, room: &Semaphore) -> Option<Saying> {
        let stages = &self.stages;
        match saying {
            Saying::Loaded(plate) => {
                stages.plated.fetch_add(plate.tubes.len() as u64, Ordering::Relaxed);
                Some(Saying::Ran(plate))
            }
            Saying::Ran(plate) => {
                stages.ran.fetch_add(plate.tubes.len() as u64, Ordering::Relaxed);
                Some(Saying::Released(plate))
            }
            Saying::Released(plate) => {
                if stages.released.fetch_add(plate.tubes.len() as u64, Ordering::Relaxed) == 0 {
                    stages.first_release_ms.store(self.elapsed_ms(), Ordering::Relaxed);
                }
                room.add_permits(plate.tubes.len());
                None
            }
            Saying::Packed(_) | Saying::HandedOver(_) | Saying::Received(_) => None,
        }
    }
}

fn say(voice: &mut Voice<Saying>, pen: &mut Pen, saying: Saying) -> Result<()> {
    let framed = pen.say(voice.next(), &saying);
    voice.send(framed, 1, saying)
}

/// Waits until something may be done.
pub async fn time_of(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
