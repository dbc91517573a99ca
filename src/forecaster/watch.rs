//! The loop: reads the open round's counters every so often, keeps them, and has them forecast from.

use super::history::{History, Taken, Unknown};
use super::record::{Record, Told};
use super::tally::Tally;
use super::turn::{StopOnDrop, TurnError};
use super::{Forecaster, Options, Outlook};
use crate::domain::reference::Reference;
use crate::domain::words::{Code, Time};
use crate::engine::Handle;
use crate::planner::forecast as forecasting;
use crate::planner::model::{HOUR, Ms};
use crate::store::{self, ForecastLines, Forecasts};
use crate::telemetry;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

/// How often the loop looks whether a reading is due: a drill's clock runs as fast as its player.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The file of a folder, and where it lies.
#[derive(Clone)]
pub struct Kept {
    dir: PathBuf,
    file: Arc<Mutex<Forecasts>>,
}

/// Opens the file `forecasts` of a folder. The folder must be open for writing: its seal is gone then.
///
/// # Errors
/// When it cannot be read or written.
pub fn open_file(dir: &Path, options: &Options) -> Result<Kept, store::Error> {
    let (file, found) = Forecasts::open(dir, options.forecasts_bytes_max, Record::is_reading)?;
    if !found.damaged.is_empty() {
        tracing::warn!(lines = found.damaged.len(), "lines of the file forecasts are damaged");
    }
    Ok(Kept { dir: dir.into(), file: Arc::new(Mutex::new(file)) })
}

/// The open round as it was read so far.
struct Watched {
    code: Code,
    opened_at: Time,
    history: Arc<History>,
    /// The time of the last reading.
    last_at: Option<Ms>,
    /// What the last reading was of: position of the log, what has no place.
    last: (u64, Unknown),
    /// A reading that no forecast was made from yet.
    fresh: bool,
    clock_told: bool,
    unknown_told: bool,
}

type Made = Result<Outlook, TurnError>;

struct Watch {
    forecaster: Forecaster,
    handle: Handle,
    kept: Kept,
    round: Option<Watched>,
    making: Option<JoinHandle<Made>>,
}

impl Forecaster {
    /// Watches the open round until `stop` is true or its sender gone. When it returns, the file is not touched any more.
    pub async fn watch(self, handle: Handle, kept: Kept, mut stop: channel::Receiver<bool>) {
        let mut watch = Watch { forecaster: self, handle, kept, round: None, making: None };
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                _ = every.tick() => {}
            }
            watch.look().await;
        }
        if let Some(making) = watch.making {
            // What is being reckoned stops at its next draw and is told to nobody; it holds nothing of the folder.
            making.abort();
            let _ = making.await;
        }
    }
}

/// The round to watch: the open one, of several the one opened last.
fn open_round(reference: &Reference) -> Option<(&Code, Time)> {
    let open = reference.rounds.iter().filter(|(_, round)| round.closed_at.is_none());
    open.map(|(code, round)| (code, round.opened_at)).max_by_key(|(code, at)| (*at, *code))
}

/// Milliseconds of a round at a time; `None` before it was opened, and seven weeks later.
fn since(opened_at: Time, now: Time) -> Option<Ms> {
    Ms::try_from(now.ms_since(opened_at)).ok()
}

/// The same chance every minute, so that forecasts differ by what was read and by nothing else.
fn seed(code: &Code, opened_at: Time) -> u64 {
    let hash = blake3::hash(format!("{code} {}", opened_at.0).as_bytes());
    hash.as_bytes()[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

impl Watch {
    async fn look(&mut self) {
        let reference = self.handle.feed().reference();
        let open = open_round(&reference);
        let same = match (&self.round, open) {
            (Some(watched), Some((code, opened_at))) => {
                watched.code == *code && watched.opened_at == opened_at
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.change_round(&reference, open).await;
        }
        if self.making.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(making) = self.making.take()
        {
            self.publish(making.await.unwrap_or(Err(TurnError::Broken))).await;
        }
        self.read(&reference).await;
        self.make();
        self.gauges();
    }

    /// Another round is open now, or none: the last one is closed in the file, what was read of the new one comes back.
    async fn change_round(&mut self, reference: &Reference, open: Option<(&Code, Time)>) {
        if let Some(making) = self.making.take() {
            making.abort();
        }
        if let Some(old) = self.round.take() {
            let closed = reference.rounds.get(&old.code).and_then(|round| round.closed_at);
            if let Some(at) = closed.and_then(|closed| since(old.opened_at, closed)) {
                let round = old.code.to_string();
                let closed = Record::Closed { round, opened_at: old.opened_at.0, at };
                self.append(closed).await;
            }
        }
        self.forecaster.inner.newest.send_replace(None);
        let Some((code, opened_at)) = open else { return };
        let mut round = Watched {
            code: code.clone(),
            opened_at,
            history: Arc::new(History::new(self.forecaster.options().readings_max)),
            last_at: None,
            last: (0, Unknown::default()),
            fresh: false,
            clock_told: false,
            unknown_told: false,
        };
        for (seq, tally) in self.stored(code, opened_at).await {
            self.note(&mut round, seq, &tally);
        }
        if let Some(at) = round.last_at {
            let (readings, minutes) = (round.history.situation().readings.len(), at / 60_000);
            tracing::info!(round = %code, readings, minutes, "read back what was known of the open round");
        }
        self.round = Some(round);
    }

    /// The readings of a round that stand in the file.
    async fn stored(&self, code: &Code, opened_at: Time) -> Vec<(u64, Tally)> {
        let (dir, code) = (self.kept.dir.clone(), code.clone());
        let read = tokio::task::spawn_blocking(move || -> Result<_, store::Error> {
            let of_round = |text: &String| match Record::read(text)? {
                Record::Reading { round, opened_at: opened, seq, tally }
                    if round == code.as_str() && opened == opened_at.0 =>
                {
                    Some((seq, tally))
                }
                _ => None,
            };
            Ok(ForecastLines::read(&dir)?.texts.iter().filter_map(of_round).collect())
        });
        match read.await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(error = error.chain(), "stored readings cannot be read back");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Takes a tally into a round. True when it is the newest.
    fn note(&self, round: &mut Watched, seq: u64, tally: &Tally) -> bool {
        if round.last_at.is_some_and(|last| tally.at <= last) {
            return false;
        }
        round.last_at = Some(tally.at);
        let Some(plan) = self.forecaster.plan().filter(|plan| plan.round.is_ok()) else {
            return true;
        };
        let (reading, unknown) = plan.whose.reading(tally);
        // A forecast begins with the first tube.
        let begun = reading.streets.iter().any(|street| street.collected > 0);
        round.fresh = Arc::make_mut(&mut round.history).take(reading) == Taken::Newest && begun;
        round.last = (seq, unknown);
        true
    }

    /// Reads the counters when it is time.
    async fn read(&mut self, reference: &Reference) {
        let Some(mut round) = self.round.take() else { return };
        let every = self.forecaster.options().forecast_seconds.saturating_mul(1_000);
        let now = since(round.opened_at, self.handle.now());
        match (now, round.last_at) {
            (Some(at), Some(last)) if at < last && !round.clock_told => {
                tracing::warn!(round = %round.code, behind_ms = last - at, "the clock went back: no reading until it has caught up");
                round.clock_told = true;
            }
            (Some(at), last)
                if last.is_none_or(|last| u64::from(at) >= u64::from(last) + every.max(1)) =>
            {
                let figures = self.handle.feed().figures();
                let places = self.forecaster.plan().map(|plan| &plan.places);
                let tally = Tally::of(at, &figures.cells, reference, &round.code, places);
                let taken = self.note(&mut round, figures.seq, &tally);
                self.tell_unknown(&mut round);
                if taken {
                    metrics::counter!(telemetry::READINGS_TOTAL).increment(1);
                    let (code, opened_at) = (round.code.to_string(), round.opened_at.0);
                    let seq = figures.seq;
                    self.append(Record::Reading { round: code, opened_at, seq, tally }).await;
                }
            }
            _ => {}
        }
        self.round = Some(round);
    }

    fn tell_unknown(&self, round: &mut Watched) {
        let unknown = round.last.1;
        if unknown != Unknown::default() && !round.unknown_told {
            let Unknown { collected, received } = unknown;
            tracing::warn!(round = %round.code, collected, received, "tubes of places or laboratories that the city file does not name: no forecast has them");
            round.unknown_told = true;
        }
    }

    /// Begins a forecast when there is something new and none is being made.
    fn make(&mut self) {
        let Some(round) = self.round.as_mut().filter(|round| round.fresh) else { return };
        if self.making.is_some() {
            return;
        }
        round.fresh = false;
        let (forecaster, handle) = (self.forecaster.clone(), self.handle.clone());
        let (code, opened_at) = (round.code.clone(), round.opened_at);
        let (history, (seq, unknown)) = (Arc::clone(&round.history), round.last);
        self.making = Some(tokio::spawn(async move {
            // Another round, or the end of the service, aborts this task: it is dropped here, and the draws stop.
            let gone = StopOnDrop::new();
            let stop = gone.flag();
            let turn = forecaster.turn(&handle).await?;
            drop(handle);
            let work = move || {
                let plan = forecaster.plan()?;
                let reading = history.newest()?.clone();
                let model = plan.round_opened(opened_at, &history).ok()?;
                let seed = seed(&code, opened_at);
                let go_on = || !stop.load(Ordering::Acquire);
                let forecast = forecasting::forecast(&model, history.situation(), seed, &go_on)
                    .map_err(|error| error.words());
                let model = Arc::new(model);
                Some(Outlook { round: code, opened_at, seq, reading, unknown, model, forecast })
            };
            turn.reckon(work).await?.ok_or(TurnError::Broken)
        }));
    }

    /// Hands a forecast to everybody and keeps it.
    async fn publish(&mut self, made: Made) {
        let outcome = match &made {
            Ok(Outlook { forecast: Ok(_), .. }) => "made",
            Err(TurnError::Engine(_)) => "shed",
            Ok(_) | Err(TurnError::Broken) => "failed",
        };
        metrics::counter!(telemetry::FORECASTS_TOTAL, "outcome" => outcome).increment(1);
        let outlook = match made {
            Ok(outlook) => outlook,
            Err(error) => {
                tracing::warn!(%error, "no forecast this time");
                return;
            }
        };
        match &outlook.forecast {
            Ok(forecast) => {
                let told = Box::new(Told::of(&outlook.model, forecast));
                let (round, opened_at) = (outlook.round.to_string(), outlook.opened_at.0);
                self.append(Record::Forecast { round, opened_at, told }).await;
            }
            Err(words) => tracing::warn!(problem = words.en, "the planner gives no forecast"),
        }
        self.forecaster.inner.newest.send_replace(Some(Arc::new(outlook)));
    }

    /// Adds a line to the file. A fault costs the line and nothing else.
    async fn append(&self, record: Record) {
        let file = Arc::clone(&self.kept.file);
        let written = tokio::task::spawn_blocking(move || {
            let text = record.text();
            file.lock().unwrap_or_else(PoisonError::into_inner).append(&text)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(error = error.chain(), "a line of the file forecasts was not written");
        }
    }

    fn gauges(&self) {
        let newest = self.forecaster.inner.newest.borrow().clone();
        let forecast =
            newest.as_ref().and_then(|outlook| Some((outlook, outlook.forecast.as_ref().ok()?)));
        let (age, finish, in_time) = match forecast {
            Some((outlook, forecast)) => {
                let made_at = outlook.opened_at.plus_ms(i64::from(forecast.at));
                let age = self.handle.now().ms_since(made_at) as f64 / 1_000.0;
                let finish = f64::from(forecast.finish.p50) / f64::from(HOUR);
                (age, finish, forecast.in_time)
            }
            None => (f64::NAN, f64::NAN, f64::NAN),
        };
        metrics::gauge!(telemetry::FORECAST_AGE).set(age);
        metrics::gauge!(telemetry::FORECAST_FINISH_P50).set(finish);
        metrics::gauge!(telemetry::FORECAST_IN_TIME).set(in_time);
    }
}
