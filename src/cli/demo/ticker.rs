//! Progress while the round runs: once a second, on standard error, with figures that the service
//! gives.

use super::ask::Ask;
use super::outcome::tubes;
use super::play::Seen;
use super::truth::OPENS_AT_MS;
use super::wire::Wire;
use crate::api::client::pb::{ProgressReply, Status};
use crate::cli::output;
use crate::domain::words::HOUR_MS;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shows progress until it is dropped.
pub struct Ticker {
    task: tokio::task::JoinHandle<()>,
    /// People imported so far.
    pub roster: Arc<AtomicU64>,
}

impl Ticker {
    /// Starts.
    pub fn start(wire: &Wire, seen: &Arc<Seen>) -> Ticker {
        let roster = Arc::new(AtomicU64::new(0));
        let (ask, seen) = (Ask::over(wire.channel()), Arc::clone(seen));
        let (imported, acknowledged) = (Arc::clone(&roster), Arc::clone(&wire.acknowledged));
        let task = tokio::spawn(show(ask, seen, imported, acknowledged));
        Ticker { task, roster }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.task.abort();
        if std::io::stderr().is_terminal() {
            output::aside("");
        }
    }
}

async fn show(mut ask: Ask, seen: Arc<Seen>, roster: Arc<AtomicU64>, acknowledged: Arc<AtomicU64>) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut before, mut at) = (0, Instant::now());
    loop {
        every.tick().await;
        let now = seen.now.load(Ordering::Relaxed);
        if now == 0 {
            let people = roster.load(Ordering::Relaxed);
            line(&format!("名册 roster {people}"));
            continue;
        }
        let facts = acknowledged.load(Ordering::Relaxed);
        let rate = (facts - before) as f64 / at.elapsed().as_secs_f64().max(0.001);
        (before, at) = (facts, Instant::now());
        // The next second brings the next answer.
        let Ok(figures) = ask.figures().await else { continue };
        let of = |from: Status| from_stage(&figures, from);
        line(&format!(
            "第 {:>5.2} 小时 h | 采 collected {} | 收 received {} | 出 resulted {} | 发 released {} | {rate:.0} facts/s | 复采重采 recalls {} 待登记 awaiting {}",
            (now - OPENS_AT_MS) as f64 / HOUR_MS as f64,
            of(Status::Open),
            of(Status::Received),
            of(Status::Resulted),
            of(Status::Released),
            seen.open_recalls.load(Ordering::Relaxed),
            tubes(&figures, Status::Awaiting),
        ));
    }
}

/// Tubes at this stage of the way or beyond.
fn from_stage(figures: &ProgressReply, from: Status) -> u64 {
    let way = [
        Status::Open,
        Status::Sealed,
        Status::Packed,
        Status::InTransit,
        Status::Received,
        Status::Plated,
        Status::Resulted,
        Status::Released,
    ];
    way.into_iter().skip_while(|stage| *stage != from).map(|stage| tubes(figures, stage)).sum()
}

fn line(text: &str) {
    match std::io::stderr().is_terminal() {
        true => output::aside_as_it_is(&format!("\r\x1b[K{text}")),
        false => output::aside(text),
    }
}
