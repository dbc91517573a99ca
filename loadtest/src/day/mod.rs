//! A whole day of a city: every tube is collected, packed, handed over, received, plated, run and
//! released, with all the stages live at once. It fills a folder as fast as the server goes, with a
//! limit on what is on its way.

mod codes;
mod pen;
mod source;

use crate::connect::Target;
use crate::exit::Verdict;
use crate::kinds::Kinds;
use crate::load::Numbers;
use crate::order::CONNECT_PATIENCE;
use crate::report::{machine, object, quantiles};
use crate::set_up;
use crate::tally::Latency;
use anyhow::Result;
use codes::{BOX_TUBES, DESKS, DISTRICTS, Day, PLATE_TUBES};
use serde_json::{Value, json};
use source::{Desk, Place, Said};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Sources of a district that collect.
const DESK_STREAMS: u64 = 4;
/// Tubes that were collected and are not released yet. At the limit the desks wait. On a short day
/// it is a quarter of all, so that laboratories work while desks still collect.
const TUBES_ON_THE_WAY_MAX: usize = 200_000;
/// The same on the shortest day: a few boxes for each desk, and a plate for each laboratory.
const TUBES_ON_THE_WAY_MIN: usize = 20_000;
/// A stage follows the one before after so long, so that all of them are live together.
const LAG: Duration = Duration::from_millis(500);
/// How long others may go on when a source has broken: those that broke with it say so.
const GIVE_UP: Duration = Duration::from_secs(2);
/// How often the progress is told.
const PROGRESS: Duration = Duration::from_secs(10);

/// A day that is wanted.
#[derive(Clone, Debug)]
pub struct Order {
    /// People.
    pub people: u64,
    /// Tubes collected a second; 0 = as fast as it goes.
    pub rate: f64,
}

/// Tubes that reached each stage.
#[derive(Debug, Default)]
pub struct Stages {
    collected: AtomicU64,
    packed: AtomicU64,
    received: AtomicU64,
    plated: AtomicU64,
    ran: AtomicU64,
    released: AtomicU64,
    /// Milliseconds from the start to the first release, and to the last collection.
    first_release_ms: AtomicU64,
    last_collection_ms: AtomicU64,
}

impl Stages {
    fn numbers(&self) -> [(&'static str, u64); 6] {
        [
            ("collected", &self.collected),
            ("packed", &self.packed),
            ("received", &self.received),
            ("plated", &self.plated),
            ("run", &self.ran),
            ("released", &self.released),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }

    /// Stages that not all tubes reached.
    fn behind(&self, tubes: u64) -> Vec<String> {
        let behind = self.numbers().into_iter().filter(|(_, count)| *count != tubes);
        behind.map(|(name, count)| format!("{count} tubes {name}, not {tubes}")).collect()
    }

    fn json(&self) -> Value {
        self.numbers().into_iter().map(|(name, n)| (name.to_owned(), Value::from(n))).collect()
    }

    fn text(&self) -> String {
        self.numbers().map(|(name, count)| format!("{name} {count}")).join(", ")
    }
}

/// A day as it went.
pub struct Found {
    /// The day.
    people: u64,
    tubes: u64,
    positive: u64,
    seconds: f64,
    /// How long desks and laboratories were both at work.
    overlap_s: f64,
    stages: Arc<Stages>,
    said: Said,
    /// Why sources broke.
    failures: Kinds,
}

/// Runs it.
pub async fn run(target: &Target, order: &Order) -> Result<Found> {
    let numbers = Numbers::of_this_moment();
    let mut items = set_up::items(&numbers, 0, DESKS);
    items.extend(codes::items());
    let channel = target.server.channel().await?;
    let round = set_up::round_with(&target.admin, &channel, &numbers, items).await?;
    let day = Arc::new(Day { numbers, round, people: order.people });
    let stages = Arc::<Stages>::default();
    let quarter = usize::try_from(day.tubes() / 4)?;
    let room = quarter.clamp(TUBES_ON_THE_WAY_MIN, TUBES_ON_THE_WAY_MAX);
    let room = Arc::new(Semaphore::new(room));
    let dialer = target.server.dialer(&target.desk, DISTRICTS as u32, CONNECT_PATIENCE)?;

    let start = Instant::now();
    let mut sources: JoinSet<Result<()>> = JoinSet::new();
    let mut saids = Vec::new();
    for district in 0..DISTRICTS {
        let line = dialer.line(district as u32).await?;
        let (to_courier, courier) = mpsc::channel(source::QUEUED_MAX);
        let (to_reception, reception) = mpsc::channel(source::QUEUED_MAX);
        let (to_lab, lab) = mpsc::channel(source::QUEUED_MAX);
        let mut place = |what: &str| Place {
            said: saids_of(&mut saids),
            day: day.clone(),
            district,
            line: line.clone(),
            source: day.numbers.source_of(what, district),
            stages: stages.clone(),
            start,
        };
        let boxes = Arc::new(AtomicU64::new(district));
        for nth in 0..DESK_STREAMS {
            let desk = Desk {
                place: place(&format!("desk{nth}")),
                boxes: boxes.clone(),
                room: room.clone(),
                rate: order.rate,
                to_courier: to_courier.clone(),
            };
            sources.spawn(desk.run());
        }
        drop(to_courier);
        sources.spawn(place("courier").courier(courier, to_reception));
        sources.spawn(place("reception").reception(reception, to_lab));
        sources.spawn(place("lab").lab(lab, room.clone()));
    }

    let mut failures = Kinds::default();
    let mut broke: Option<Instant> = None;
    let mut ticks = interval(PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    loop {
        tokio::select! {
            ended = sources.join_next() => match ended {
                Some(ended) => if let Err(why) = ended.map_err(Into::into).and_then(|done| done) {
                    failures.note(format!("{why:#}"));
                    broke.get_or_insert_with(Instant::now);
                },
                None => break,
            },
            // Those that are quiet do not see that their stream has broken; others wait for them.
            () = source::time_of(broke.map(|at| at + GIVE_UP)) => break,
            _ = ticks.tick() => eprintln!(
                "loadtest: {:.0} s, tubes of {}: {}",
                start.elapsed().as_secs_f64(),
                day.tubes(),
                stages.text()
            ),
        }
    }
    let seconds = broke.unwrap_or_else(Instant::now).duration_since(start).as_secs_f64();
    sources.shutdown().await;
    let mut said = Said::default();
    for of_source in saids {
        said.add(&of_source.lock().unwrap_or_else(PoisonError::into_inner));
    }
    let at = |ms: &AtomicU64| ms.load(Ordering::Relaxed) as f64 / 1_000.0;
    Ok(Found {
        people: day.people,
        tubes: day.tubes(),
        positive: (0..day.tubes()).filter(|tube| day.is_positive(*tube)).count() as u64,
        seconds,
        overlap_s: match stages.released.load(Ordering::Relaxed) {
            0 => 0.0,
            _ => at(&stages.last_collection_ms) - at(&stages.first_release_ms),
        },
        stages,
        said,
        failures,
    })
}

/// A place for what another source says.
fn saids_of(saids: &mut Vec<Arc<Mutex<Said>>>) -> Arc<Mutex<Said>> {
    let said = Arc::<Mutex<Said>>::default();
    saids.push(said.clone());
    said
}

impl Found {
    /// Why it is not the whole day; empty when it is.
    pub fn broken(&self) -> Vec<String> {
        self.failures.lines().into_iter().chain(self.stages.behind(self.tubes)).collect()
    }

    /// What follows from it for how the program ends.
    pub fn verdict(&self) -> Verdict {
        Verdict { is_broken: !self.broken().is_empty(), ..Verdict::default() }
    }

    /// Tubes a second through all stages.
    fn tubes_per_s(&self) -> f64 {
        self.stages.released.load(Ordering::Relaxed) as f64 / self.seconds
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            writeln!(out, "{name:<14}{text}").expect("a string takes every text");
        };
        line("machine", machine());
        line("day", format!("{} people in {} tubes", self.people, self.tubes));
        line(
            "",
            format!(
                "{:.1} s, {:.0} tubes/s through all stages, all of them live for {:.1} s",
                self.seconds,
                self.tubes_per_s(),
                self.overlap_s.max(0.0)
            ),
        );
        line("tubes", format!("{}; {} of the day are positive", self.stages.text(), self.positive));
        line("facts", format!("{} in {} messages", self.said.facts, self.said.messages));
        line("", format!("{} messages sent again", self.said.again));
        line("desks", format!("{} (ms from sending)", quantiles(&self.said.desks)));
        line("others", format!("{} (ms from sending)", quantiles(&self.said.others)));
        self.broken().into_iter().for_each(|text| line("NOT THE DAY", text));
        out
    }

    /// The report for programs.
    pub fn json(&self) -> Value {
        json!({
            "loadtest": 1,
            "people": self.people,
            "tubes": self.tubes,
            "positive": self.positive,
            "seconds": self.seconds,
            "tubes_per_s": self.tubes_per_s(),
            "stages": self.stages.json(),
            "failures": self.failures.total(),
            "failures_by_text": self.failures.json(),
            "overlap_s": self.overlap_s.max(0.0),
            "facts": self.said.facts,
            "messages": self.said.messages,
            "messages_again": self.said.again,
            "desks_ms": object(&self.said.desks),
            "others_ms": object(&self.said.others),
            "machine": machine(),
        })
    }
}

impl Said {
    fn add(&mut self, other: &Said) {
        self.facts += other.facts;
        self.messages += other.messages;
        self.again += other.again;
        self.desks.add(&other.desks);
        self.others.add(&other.others);
    }
}

/// Whose latency it is.
fn latency_of(said: &mut Said, of_desk: bool) -> &mut Latency {
    if of_desk { &mut said.desks } else { &mut said.others }
}

// What waits between two stages is bounded by the tubes on the way: a queue that holds a box or a
// plate for each of them is never full.
const _: () = assert!(
    source::QUEUED_MAX
        > TUBES_ON_THE_WAY_MAX / BOX_TUBES as usize + TUBES_ON_THE_WAY_MAX / PLATE_TUBES
);

#[cfg(test)]
mod tests {
    use super::*;

    fn found(reached: u64, failures: &[&str]) -> Found {
        let stages = Stages::default();
        let Stages { collected, packed, received, plated, ran, released, .. } = &stages;
        collected.store(100, Ordering::Relaxed);
        for stage in [packed, received, plated, ran, released] {
            stage.store(reached, Ordering::Relaxed);
        }
        let mut kinds = Kinds::default();
        failures.iter().for_each(|text| kinds.note((*text).to_owned()));
        Found {
            people: 1_000,
            tubes: 100,
            positive: 0,
            seconds: 2.0,
            overlap_s: 0.0,
            stages: Arc::new(stages),
            said: Said::default(),
            failures: kinds,
        }
    }

    #[test]
    fn a_day_that_broke_is_told_with_what_there_is() {
        let whole = found(100, &[]);
        assert_eq!((whole.broken().len(), whole.verdict().number()), (0, 0));
        assert_eq!(whole.json()["tubes_per_s"], 50.0);
        let broken = found(40, &["broken pipe", "broken pipe"]);
        assert_eq!(broken.verdict().number(), 2);
        assert_eq!(found(40, &[]).verdict().number(), 2);
        let json = broken.json();
        assert_eq!(
            (&json["stages"]["collected"], &json["stages"]["released"]),
            (&json!(100), &json!(40))
        );
        assert_eq!((&json["failures"], &json["tubes_per_s"]), (&json!(2), &json!(20.0)));
        let text = broken.text();
        for wanted in ["2 × broken pipe", "40 tubes released, not 100", "collected 100"] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
