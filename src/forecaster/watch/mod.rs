//! The loop: reads the open round's counters every so often, keeps them, and has them forecast from; `close`: the last lines
//! of rounds that were closed.

mod close;

use crate::domain::reference::Reference;
use crate::domain::words::{Code, Time};
use crate::engine::{FiguresAt, Handle, Stood};
use crate::forecaster::held::SoFar;
use crate::forecaster::history::{History, Taken, Unknown};
use crate::forecaster::kept::{Kept, Known};
use crate::forecaster::record::{Parts, Record, Told};
use crate::forecaster::stock::runs_out;
use crate::forecaster::tally::{Before, Boxes, Tally};
use crate::forecaster::turn::{StopOnDrop, TurnError};
use crate::forecaster::{Forecaster, Outlook};
use crate::planner::forecast::{self as forecasting, Forecast, Regime};
use crate::planner::model::{HOUR, MINUTE, Ms};
use crate::store::FolderKind;
use crate::telemetry;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;

/// How often the loop looks whether a reading is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The same in a drill: its clock runs as fast as its player, hours in a second, and readings with hours between them do not
/// tell when a round was done.
const LOOK_EVERY_IN_A_DRILL: Duration = Duration::from_millis(100);

/// Forecasts of streets and laboratories are kept so often: there are hundreds in a line, and neighbours are much alike.
const PARTS_EVERY: Ms = 10 * MINUTE;

/// The open round as it was read so far.
struct Watched {
    code: Code,
    opened_at: Time,
    history: Arc<History>,
    /// The time of the last reading.
    last_at: Option<Ms>,
    /// What the last reading was of: position of the log, what has no place, boxes.
    last: (u64, Unknown, Boxes),
    /// What laboratories had done when it was first read.
    before: Option<Before>,
    /// Swabs of one tube, as the round was opened; 0 = not told.
    pool: u64,
    /// The newest forecast whose streets and laboratories were kept.
    parts_at: Option<Ms>,
    /// A forecast has said that it is done.
    done: bool,
    /// A reading that no forecast was made from yet.
    fresh: bool,
    clock_told: bool,
    unknown_told: bool,
    refusal_told: bool,
}

type Made = Result<Outlook, TurnError>;

/// What a look saw: the clock and the counters.
#[derive(Clone, Debug)]
struct Seen {
    now: Time,
    figures: Arc<FiguresAt>,
}

/// Looks at a drill in which nothing has come and the clock has stood, after which it is read all the same: three seconds
/// or more. On a machine that is busy a player was seen to take a second for a step before it said anything of it.
const QUIET_LOOKS: u32 = 30;

/// The last look at a drill, and for how many looks before it nothing had changed.
#[derive(Debug)]
struct Quiet {
    seen: Seen,
    looks: u32,
}

impl Quiet {
    /// A new look after the one before.
    fn after(before: Option<Quiet>, seen: Seen) -> Quiet {
        let same =
            |last: &Quiet| last.seen.now == seen.now && last.seen.figures.seq == seen.figures.seq;
        let looks = before.filter(same).map_or(0, |last| last.looks.saturating_add(1));
        Quiet { seen, looks }
    }

    /// What a drill is read from: what stood when its clock last moved on, or what is seen when all has been quiet for long.
    /// Its player moves the clock first and then says what had happened until then: a look in between sees a part of it, or
    /// nothing, and would be a step of the clock late.
    fn settled(&self, stood: Option<Stood>) -> Option<Seen> {
        if self.looks >= QUIET_LOOKS {
            return Some(self.seen.clone());
        }
        stood.map(|stood| Seen { now: stood.at, figures: stood.figures })
    }
}

/// What a reading would be of now, by this look and those before at a drill, and by what stood when its clock moved on; `None`
/// while what has happened by a drill's clock is still coming in.
fn read_of(
    kind: FolderKind,
    before: &mut Option<Quiet>,
    seen: Seen,
    stood: Option<Stood>,
) -> Option<Seen> {
    if kind == FolderKind::Live {
        return Some(seen);
    }
    let quiet = Quiet::after(before.take(), seen);
    before.insert(quiet).settled(stood)
}

struct Watch {
    forecaster: Forecaster,
    handle: Handle,
    kept: Kept,
    known: Known,
    round: Option<Watched>,
    /// The last look at a drill.
    quiet: Option<Quiet>,
    making: Option<JoinHandle<Made>>,
    closing: close::Closing,
}

impl Forecaster {
    /// Watches the open round until `stop` is true or its sender gone. When it returns, the file is not touched any more.
    pub async fn watch(self, handle: Handle, kept: Kept, mut stop: channel::Receiver<bool>) {
        let known = kept.known().await;
        let mut watch = Watch {
            forecaster: self,
            handle,
            kept,
            known,
            round: None,
            quiet: None,
            making: None,
            closing: close::Closing::default(),
        };
        let look_every = match watch.handle.read().folder().kind {
            FolderKind::Live => LOOK_EVERY,
            FolderKind::Drill => LOOK_EVERY_IN_A_DRILL,
        };
        let mut every = tokio::time::interval(look_every);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                _ = every.tick() => {}
            }
            watch.look().await;
        }
        // What was closed since the last look gets its last line now: nobody may ever start this folder again.
        let reference = watch.handle.feed().reference();
        watch.close(&reference).await;
        if let Some(making) = watch.making {
            // What is being reckoned stops at its next draw and is told to nobody; it holds nothing of the folder.
            making.abort();
            let _ = making.await;
        }
    }
}

/// The round to watch: the open one, of several the one opened last.
pub fn open_round(reference: &Reference) -> Option<(&Code, Time)> {
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
            self.change_round(open, &reference).await;
        }
        self.close(&reference).await;
        if self.making.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(making) = self.making.take()
        {
            self.publish(making.await.unwrap_or(Err(TurnError::Broken))).await;
        }
        self.read(&reference).await;
        self.make();
        self.gauges();
    }

    /// Another round is open now, or none: what was read of the new one comes back.
    async fn change_round(&mut self, open: Option<(&Code, Time)>, reference: &Reference) {
        if let Some(making) = self.making.take() {
            making.abort();
        }
        self.round = None;
        self.forecaster.inner.newest.send_replace(None);
        self.forecaster.inner.unknown.send_replace(Unknown::default());
        let Some((code, opened_at)) = open else { return };
        let mut round = Watched {
            code: code.clone(),
            opened_at,
            history: Arc::new(History::new(self.forecaster.options().readings_max)),
            last_at: None,
            last: (0, Unknown::default(), Boxes::default()),
            before: None,
            pool: reference.rounds.get(code).map_or(0, |round| u64::from(round.pool)),
            parts_at: None,
            done: false,
            fresh: false,
            clock_told: false,
            unknown_told: false,
            refusal_told: false,
        };
        for (seq, tally) in self.kept.readings(code, opened_at).await {
            self.note(&mut round, seq, &tally);
        }
        if let Some(at) = round.last_at {
            let (readings, minutes) = (round.history.situation().readings.len(), at / 60_000);
            tracing::info!(round = %code, readings, minutes, "read back what was known of the open round");
        }
        self.round = Some(round);
    }

    /// Takes a tally into a round. True when it is the newest.
    fn note(&self, round: &mut Watched, seq: u64, tally: &Tally) -> bool {
        if round.last_at.is_some_and(|last| tally.at <= last) {
            return false;
        }
        round.last_at = Some(tally.at);
        if tally.before.is_some() {
            round.before.clone_from(&tally.before);
        }
        let Some(plan) = self.forecaster.plan().filter(|plan| plan.round.is_ok()) else {
            return true;
        };
        let (reading, unknown) = plan.whose.reading(tally);
        // A forecast begins with the first tube.
        let begun = reading.streets.iter().any(|street| street.collected > 0);
        round.fresh = Arc::make_mut(&mut round.history).take(reading) == Taken::Newest && begun;
        round.last = (seq, unknown, tally.boxes());
        true
    }

    /// Reads the counters when it is time.
    async fn read(&mut self, reference: &Reference) {
        let Some(mut round) = self.round.take() else { return };
        let every = self.forecaster.options().forecast_seconds.saturating_mul(1_000);
        let seen = Seen { now: self.handle.now(), figures: self.handle.feed().figures() };
        let kind = self.handle.read().folder().kind;
        let stood = self.handle.feed().stood();
        let Some(Seen { now, figures }) = read_of(kind, &mut self.quiet, seen, stood) else {
            self.round = Some(round);
            return;
        };
        match (since(round.opened_at, now), round.last_at) {
            // A drill's clock never goes back; what stood when it moved on may have been read already.
            (Some(at), Some(last))
                if at < last && !round.clock_told && kind == FolderKind::Live =>
            {
                tracing::warn!(round = %round.code, behind_ms = last - at, "the clock went back: no reading until it has caught up");
                round.clock_told = true;
            }
            (Some(at), last)
                if last.is_none_or(|last| u64::from(at) >= u64::from(last) + every.max(1)) =>
            {
                let places = self.forecaster.plan().map(|plan| &plan.places);
                let (code, before) = (&round.code, round.before.as_ref());
                let tally = Tally::of(at, &figures.cells, reference, code, places, before);
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
        self.forecaster.inner.unknown.send_replace(unknown);
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
        let (code, opened_at, pool) = (round.code.clone(), round.opened_at, round.pool);
        let (history, (seq, unknown, boxes)) = (Arc::clone(&round.history), round.last);
        self.making = Some(tokio::spawn(async move {
            // Another round, or the end of the service, aborts this task: it is dropped here, and the draws stop.
            let gone = StopOnDrop::new();
            let stop = gone.flag();
            let turn = forecaster.turn_of_forecast(&handle).await?;
            drop(handle);
            let work = move || {
                let plan = forecaster.plan()?;
                let reading = history.newest()?.clone();
                let model = plan.round_opened(opened_at, pool, &history).ok()?;
                let seed = seed(&code, opened_at);
                let go_on = || !stop.load(Ordering::Acquire);
                let forecast = forecasting::forecast(&model, history.situation(), seed, &go_on)
                    .map_err(|error| error.words());
                let runs_out = forecast.as_ref().map_or_else(
                    |_| Vec::new(),
                    |forecast| runs_out(&plan.city, &model, history.situation(), forecast),
                );
                let model = Arc::new(model);
                let so_far = SoFar::default();
                Some(Outlook {
                    round: code,
                    opened_at,
                    seq,
                    reading,
                    unknown,
                    boxes,
                    so_far,
                    model,
                    forecast,
                    runs_out,
                })
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
            Ok(forecast) => self.keep(&outlook, forecast).await,
            Err(words) => self.refused(words),
        }
        let outlook = Outlook { so_far: self.known.so_far, ..outlook };
        self.forecaster.inner.newest.send_replace(Some(Arc::new(outlook)));
    }

    /// Says once of a round that there is no forecast of it: the next readings mostly find the same.
    fn refused(&mut self, why: &crate::planner::Words) {
        let told =
            self.round.as_mut().map(|round| std::mem::replace(&mut round.refusal_told, true));
        match told {
            Some(true) => tracing::debug!(problem = why.en, "the planner still gives no forecast"),
            _ => tracing::warn!(problem = why.en, "the planner gives no forecast"),
        }
    }

    /// Writes a forecast into the file.
    async fn keep(&mut self, outlook: &Outlook, forecast: &Forecast) {
        let told = Box::new(Told::of(&outlook.model, forecast));
        let (round, opened_at) = (outlook.round.to_string(), outlook.opened_at.0);
        self.append(Record::Forecast { round: round.clone(), opened_at, told }).await;
        let Some(watched) = &mut self.round else { return };
        let done = forecast.regime == Regime::Done;
        let newly_done = done && !std::mem::replace(&mut watched.done, done);
        let due =
            watched.parts_at.is_none_or(|last| forecast.at >= last.saturating_add(PARTS_EVERY));
        if due {
            watched.parts_at = Some(forecast.at);
            let parts = Parts::of(&outlook.model, forecast);
            self.append(Record::Parts { round, opened_at, parts }).await;
        }
        if newly_done {
            // Its finish is known: what was forecast of it can be judged.
            self.known.so_far = self.kept.known().await.so_far;
        }
    }

    /// Adds a line of the watched round to the file.
    async fn append(&mut self, record: Record) {
        let (code, opened_at) = record.round();
        self.known.unclosed.insert((code.to_owned(), opened_at));
        self.kept.append(record).await;
    }

    fn gauges(&self) {
        let newest = self.forecaster.inner.newest.borrow().clone();
        let forecast =
            newest.as_ref().and_then(|outlook| Some((outlook, outlook.forecast.as_ref().ok()?)));
        let (age, finish, in_time) = match forecast {
            Some((outlook, forecast)) => {
                let age = outlook.age_ms(self.handle.now()) as f64 / 1_000.0;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(minute: i64, seq: u64) -> Seen {
        let figures = Arc::new(FiguresAt { seq, ..FiguresAt::default() });
        Seen { now: Time(minute * 60_000), figures }
    }

    fn stood(minute: i64, seq: u64) -> Option<Stood> {
        let Seen { now: at, figures } = seen(minute, seq);
        Some(Stood { at, figures })
    }

    #[test]
    fn a_drill_is_read_as_it_stood_when_its_clock_moved_on_or_after_a_long_quiet() {
        let read = |quiet: &Quiet, stood| {
            quiet.settled(stood).map(|seen| (seen.now.0 / 60_000, seen.figures.seq))
        };
        let mut quiet = Quiet::after(None, seen(30, 5));
        assert_eq!(read(&quiet, None), None);
        // The player has moved the clock and says nothing of the step for some looks: its counts are those of the step before.
        for _ in 0..3 {
            quiet = Quiet::after(Some(quiet), seen(30, 5));
            assert_eq!(read(&quiet, stood(15, 4)), Some((15, 4)));
        }
        // It has spoken and the clock goes on, whatever a look in between saw.
        quiet = Quiet::after(Some(quiet), seen(45, 9));
        assert_eq!(read(&quiet, stood(30, 8)), Some((30, 8)));
        // Nobody moves the clock any more.
        for _ in 0..QUIET_LOOKS {
            quiet = Quiet::after(Some(quiet), seen(45, 11));
            assert_eq!(read(&quiet, stood(30, 8)), Some((30, 8)));
        }
        quiet = Quiet::after(Some(quiet), seen(45, 11));
        assert_eq!(read(&quiet, stood(30, 8)), Some((45, 11)));
    }

    #[test]
    fn each_look_at_a_drill_is_settled_by_those_before_and_a_live_folder_is_read_at_once() {
        // The player moves the clock and then says what happened; what stood when it moved on is read until it moves again.
        let looks = [(30, 1, None), (30, 2, None), (45, 3, stood(30, 2)), (45, 4, stood(30, 2))];
        let quiet = std::iter::repeat_n((45, 4, stood(30, 2)), QUIET_LOOKS as usize);
        let all: Vec<_> = looks.into_iter().chain(quiet).collect();
        let read = |kind| {
            let mut before = None;
            let read = |(now, seq, stood)| read_of(kind, &mut before, seen(now, seq), stood);
            let read = all.iter().cloned().map(read);
            read.map(|seen| seen.map(|seen| (seen.now.0 / 60_000, seen.figures.seq))).collect()
        };
        let drill: Vec<Option<(i64, u64)>> = read(FolderKind::Drill);
        assert_eq!(drill[..4], [None, None, Some((30, 2)), Some((30, 2))]);
        let (last, until) = drill.split_last().unwrap();
        assert!(until[4..].iter().all(|read| *read == Some((30, 2))), "{until:?}");
        assert_eq!(*last, Some((45, 4)), "nothing has come for long");
        let live: Vec<Option<(i64, u64)>> = read(FolderKind::Live);
        assert_eq!(live, all.iter().map(|(now, seq, _)| Some((*now, *seq))).collect::<Vec<_>>());
    }
}
