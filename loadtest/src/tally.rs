//! What was counted and how long it took.

use crate::api::{FactOutcome, Outcome, Reason, Refusal, Times};
use crate::kinds::Kinds;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A message under way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The device.
    pub device: u32,
    /// Number of its first fact.
    pub first: u64,
    /// Its facts.
    pub count: u32,
    /// When it was due; in a closed loop, when it left.
    pub due: Instant,
    /// When it was given to the connection.
    pub at: Instant,
}

/// Durations in microseconds, three digits exact.
#[derive(Clone, Debug)]
pub struct Latency(pub Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Latency(Histogram::new(3).expect("three digits are within what the histogram can do"))
    }
}

impl Latency {
    /// Notes a duration so many times.
    pub fn note(&mut self, took: Duration, times: u64) {
        self.note_us(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), times);
    }

    fn note_us(&mut self, us: u64, times: u64) {
        // An hour is more than a run waits; what is longer counts as an hour.
        self.0.record_n(us.min(3_600_000_000), times).expect("the histogram grows by itself");
    }

    /// Adds what another noted.
    pub fn add(&mut self, other: &Latency) {
        self.0.add(&other.0).expect("the histogram grows by itself");
    }

    /// The duration that this share of all stayed within, in milliseconds; 0 when nothing was noted.
    pub fn ms(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// The same; `None` when nothing was noted.
    pub fn known_ms(&self, quantile: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.ms(quantile))
    }
}

/// Numbers of each device, as ranges with both ends.
pub type Ranges = BTreeMap<u32, Vec<(u64, u64)>>;

/// What one connection counted; all together at the end.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages sent.
    pub messages: u64,
    /// Tubes sent.
    pub sent: u64,
    /// Tubes recorded for the first time.
    pub recorded: u64,
    /// Tubes that had been recorded before.
    pub duplicates: u64,
    /// Tubes refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Tubes sent that nobody answered.
    pub unanswered: u64,
    /// Tubes that were due and could not be sent in time.
    pub unsent: u64,
    /// Recorded tubes with something odd about them.
    pub odd: u64,
    /// Streams and calls that failed as a whole.
    pub failures: Kinds,
    /// From the time a tube was due until it was acknowledged. Tubes that never were count up to
    /// the moment when the run really ended, so that they weigh on the figures instead of vanishing
    /// from them. What would have been due only later has no latency.
    pub latency: Latency,
    /// From the time it was sent.
    pub from_sending: Latency,
    /// How late it was sent.
    pub lateness: Latency,
    /// From the time it was due until it was refused.
    pub refusal: Latency,
    /// How long the refusals ask to wait; nought where they do not say.
    pub retry: Latency,
    /// The server's own times.
    pub waiting: Latency,
    /// The same.
    pub deciding: Latency,
    /// The same.
    pub disk: Latency,
    /// What was acknowledged.
    pub acknowledged: Ranges,
    /// When the last answer came.
    pub last_answer: Option<Instant>,
}

impl Tally {
    /// Tubes acknowledged.
    pub fn acknowledged_tubes(&self) -> u64 {
        self.recorded + self.duplicates
    }

    /// Tubes refused.
    pub fn refused_tubes(&self) -> u64 {
        self.refused.values().sum()
    }

    /// A message was given to the connection.
    pub fn sent(&mut self, message: &Sent) {
        self.messages += 1;
        self.sent += u64::from(message.count);
        self.lateness
            .note(message.at.saturating_duration_since(message.due), u64::from(message.count));
    }

    /// A message was answered with an outcome for each fact, or for the refused ones only when
    /// `silence_is_recorded`.
    pub fn answered(
        &mut self,
        message: &Sent,
        outcomes: &[FactOutcome],
        silence_is_recorded: bool,
        times: Option<&Times>,
    ) {
        let now = Instant::now();
        let mut left = vec![true; usize::try_from(message.count).unwrap_or(0)];
        let (mut kept, mut refused) = (0, 0);
        for outcome in outcomes {
            let place = left.get_mut(usize::try_from(outcome.index).unwrap_or(usize::MAX));
            let Some(place) = place.filter(|left| **left) else {
                self.failure(format!("an outcome for fact {}, which was not asked", outcome.index));
                continue;
            };
            *place = false;
            match outcome.outcome() {
                Outcome::Recorded => self.recorded += 1,
                Outcome::Duplicate => self.duplicates += 1,
                Outcome::Refused | Outcome::Unspecified => {
                    self.refuse(outcome.refusal.as_ref(), 1);
                    refused += 1;
                    continue;
                }
            }
            kept += 1;
            self.odd += u64::from(!outcome.findings.is_empty());
            note(&mut self.acknowledged, message.device, message.first + u64::from(outcome.index));
        }
        for (index, _) in left.iter().enumerate().filter(|(_, left)| **left) {
            if silence_is_recorded {
                self.recorded += 1;
                kept += 1;
                note(&mut self.acknowledged, message.device, message.first + index as u64);
            } else {
                self.unanswered += 1;
            }
        }
        self.latency.note(now.saturating_duration_since(message.due), kept);
        self.from_sending.note(now.saturating_duration_since(message.at), kept);
        self.refusal.note(now.saturating_duration_since(message.due), refused);
        if let Some(times) = times {
            self.waiting.note_us(times.waiting_us, kept);
            self.deciding.note_us(times.deciding_us, kept);
            self.disk.note_us(times.disk_us, kept);
        }
        self.last_answer = Some(now);
    }

    /// A message was refused as a whole.
    pub fn refused(&mut self, message: &Sent, refusal: &Refusal) {
        let now = Instant::now();
        self.refuse(Some(refusal), u64::from(message.count));
        self.refusal.note(now.saturating_duration_since(message.due), u64::from(message.count));
        self.last_answer = Some(now);
    }

    /// A message was sent and not answered up to the end of the run.
    pub fn unanswered(&mut self, message: &Sent, end: Instant) {
        self.unanswered += u64::from(message.count);
        self.charge(message.due, message.count, end);
    }

    /// Tubes were due and could not be sent up to the end of the run.
    pub fn unsent(&mut self, due: Instant, count: u32, end: Instant) {
        self.unsent += u64::from(count);
        self.charge(due, count, end);
    }

    /// Tubes waited for nothing from when they were due until the run ended.
    fn charge(&mut self, due: Instant, count: u32, end: Instant) {
        if let Some(waited) = end.checked_duration_since(due) {
            self.latency.note(waited, u64::from(count));
        }
    }

    /// A stream or call failed.
    pub fn failure(&mut self, text: String) {
        self.failures.note(text);
    }

    fn refuse(&mut self, refusal: Option<&Refusal>, count: u64) {
        let reason = refusal.map_or(Reason::Unspecified, Refusal::reason).as_str_name();
        let reason = reason.trim_start_matches("REASON_").to_owned();
        let retry_ms = refusal.map_or(0, |refusal| refusal.retry_after_ms);
        self.retry.note(Duration::from_millis(retry_ms.min(3_600_000)), count);
        *self.refused.entry(reason).or_default() += count;
    }

    /// Adds what another connection counted.
    pub fn add(&mut self, other: Tally) {
        self.messages += other.messages;
        self.sent += other.sent;
        self.recorded += other.recorded;
        self.duplicates += other.duplicates;
        self.unanswered += other.unanswered;
        self.unsent += other.unsent;
        self.odd += other.odd;
        self.failures.add(other.failures);
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.from_sending.add(&other.from_sending);
        self.lateness.add(&other.lateness);
        self.refusal.add(&other.refusal);
        self.retry.add(&other.retry);
        self.waiting.add(&other.waiting);
        self.deciding.add(&other.deciding);
        self.disk.add(&other.disk);
        self.acknowledged.extend(other.acknowledged);
        self.last_answer = self.last_answer.max(other.last_answer);
    }
}

/// What a crowd of devices came to.
pub struct Went {
    /// What was counted.
    pub tally: Tally,
    /// From the start to the last answer.
    pub elapsed: Duration,
    /// From the start until no device sent or waited any more.
    pub ended: Duration,
}

/// What a device leaves behind when it ends: without an answer, and not even sent. How long that waited is known only when
/// the whole run is over.
pub struct Left {
    /// Sent and not answered.
    pub unanswered: Vec<Sent>,
    /// Tubes of a message that was not sent.
    pub batch: u32,
    /// When those were due, counted from the start.
    pub unsent: Box<dyn Iterator<Item = Duration> + Send>,
    /// When the device ended.
    pub at: Instant,
}

impl Went {
    /// Adds up what was counted, and charges what is left until the last device ended.
    pub fn new(tallies: impl IntoIterator<Item = Tally>, left: Vec<Left>, start: Instant) -> Went {
        let mut tally = crate::merge(tallies);
        let end = left.iter().map(|left| left.at).max().unwrap_or(start);
        for Left { unanswered, batch, unsent, .. } in left {
            unanswered.iter().for_each(|sent| tally.unanswered(sent, end));
            unsent.for_each(|due| tally.unsent(start + due, batch, end));
        }
        let elapsed =
            tally.last_answer.map_or(Duration::ZERO, |last| last.saturating_duration_since(start));
        Went { tally, elapsed, ended: end.saturating_duration_since(start) }
    }
}

/// Adds a number to a device's ranges. Most come in order; those that do not make a range of their
/// own.
fn note(ranges: &mut Ranges, device: u32, number: u64) {
    let ranges = ranges.entry(device).or_default();
    match ranges.last_mut() {
        Some((_, last)) if *last + 1 == number => *last = number,
        _ => ranges.push((number, number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(first: u64, count: u32, due_ms_ago: u64) -> Sent {
        let at = Instant::now();
        let due = at - Duration::from_millis(due_ms_ago);
        Sent { device: 3, first, count, due, at }
    }

    fn outcome(index: u32, outcome: Outcome) -> FactOutcome {
        FactOutcome { index, outcome: outcome.into(), ..FactOutcome::default() }
    }

    #[test]
    fn latency_counts_from_the_time_a_tube_was_due() {
        let mut tally = Tally::default();
        tally.answered(&sent(1, 1, 500), &[outcome(0, Outcome::Recorded)], false, None);
        assert!(tally.latency.ms(1.0) >= 500.0);
        assert!(tally.from_sending.ms(1.0) < 400.0);
    }

    #[test]
    fn every_tube_of_a_message_is_counted_once() {
        let mut tally = Tally::default();
        let outcomes = [
            outcome(0, Outcome::Recorded),
            outcome(1, Outcome::Refused),
            outcome(2, Outcome::Duplicate),
            outcome(2, Outcome::Recorded),
        ];
        tally.answered(&sent(10, 4, 0), &outcomes, false, None);
        assert_eq!((tally.recorded, tally.duplicates, tally.refused_tubes()), (1, 1, 1));
        assert_eq!((tally.unanswered, tally.failures.total()), (1, 1));
        assert_eq!(tally.acknowledged[&3], [(10, 10), (12, 12)]);
    }

    #[test]
    fn silence_means_recorded_only_where_it_was_agreed() {
        let mut tally = Tally::default();
        tally.answered(&sent(1, 3, 0), &[outcome(1, Outcome::Refused)], true, None);
        assert_eq!((tally.recorded, tally.unanswered), (2, 0));
        assert_eq!(tally.acknowledged[&3], [(1, 1), (3, 3)]);
    }

    #[test]
    fn what_is_never_answered_weighs_on_the_latency() {
        let mut tally = Tally::default();
        let end = Instant::now();
        tally.unanswered(&sent(1, 2, 700), end);
        tally.unsent(end - Duration::from_millis(900), 1, end);
        assert_eq!((tally.unanswered, tally.unsent), (2, 1));
        assert!(tally.latency.ms(0.0) >= 690.0 && tally.latency.ms(1.0) >= 899.0);
    }

    #[test]
    fn what_broke_counts_until_the_run_really_ended_and_no_longer() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let broken = Sent { device: 1, first: 1, count: 3, due: at(500), at: at(510) };
        let unsent = [2_000, 6_000].map(Duration::from_millis);
        let left = |unanswered, unsent: Vec<Duration>, ended| Left {
            unanswered,
            batch: 1,
            unsent: Box::new(unsent.into_iter()),
            at: at(ended),
        };
        let left = vec![left(vec![broken], unsent.to_vec(), 1_000), left(vec![], vec![], 4_000)];
        let went = Went::new([Tally::default()], left, start);
        assert_eq!((went.tally.unanswered, went.tally.unsent), (3, 2));
        assert_eq!((went.ended, went.elapsed), (Duration::from_secs(4), Duration::ZERO));
        let near = |quantile, ms: f64| (went.tally.latency.ms(quantile) - ms).abs() < 5.0;
        assert!(near(0.0, 2_000.0) && near(1.0, 3_500.0), "{:?}", went.tally.latency.ms(1.0));
        assert_eq!(went.tally.latency.0.len(), 4);
    }

    #[test]
    fn what_would_have_been_due_after_the_end_has_no_latency() {
        let mut tally = Tally::default();
        let end = Instant::now();
        tally.unsent(end + Duration::from_millis(1), 5, end);
        assert_eq!((tally.unsent, tally.latency.known_ms(1.0)), (5, None));
    }
}
