//! What is sent: names, barcodes, people and facts, all different from those of every other run.

use crate::api::{DocumentType, Fact, FactId, Identity, TubeCollected, fact};
use crate::people::{PEOPLE_PER_AREA, resident_number};
use crate::schedule::Schedule;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep_until};

/// Messages of a device that may be under way in an open loop: far more than a server that keeps
/// up ever leaves open. At the limit the device waits, and the wait counts as latency.
const INFLIGHT_MAX: usize = 1_024;

/// Time between the last connection opened and the first message due.
pub const RUN_UP: Duration = Duration::from_millis(200);

/// Timers go off on the next millisecond. Messages therefore leave up to so much before they are
/// due rather than after, and count from when they left.
const TIMER_STEP: Duration = Duration::from_millis(1);

/// The names of a run, made from the moment it began.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Milliseconds since 1970.
    began_ms: u64,
    /// The same, short enough for a barcode.
    tag: String,
}

impl Numbers {
    /// Names for a run that begins now.
    pub fn of_this_moment() -> Numbers {
        Numbers::of(now_ms())
    }

    fn of(began_ms: u64) -> Numbers {
        Numbers { began_ms, tag: base36(began_ms) }
    }

    /// The round that is made for the run.
    pub fn round(&self) -> String {
        format!("loadtest-{}", self.tag)
    }

    /// A name that no other run has.
    pub fn name(&self, what: &str) -> String {
        format!("loadtest-{}-{what}", self.tag)
    }

    /// The source that a device is.
    pub fn source(&self, device: u32) -> String {
        format!("L{}-{device:05}", self.tag)
    }

    /// The epoch of every source of the run.
    pub fn epoch(&self) -> u64 {
        self.began_ms
    }

    /// The barcode of a device's tube with this fact number.
    pub fn barcode(&self, device: u32, number: u64) -> String {
        format!("L{}{device:05}{number:06}", self.tag)
    }

    /// The counter of the first person in a tube that so many others are counted before.
    fn first_person(&self, tubes_before: u64, people: u32) -> u64 {
        // A run begins in an area of its own.
        let run = self.began_ms / 1_000 % 10_000 * PEOPLE_PER_AREA;
        run.wrapping_add(tubes_before.wrapping_mul(u64::from(people)))
    }
}

/// The load of a run.
#[derive(Clone, Debug)]
pub struct Load {
    /// Names.
    pub numbers: Numbers,
    /// The round that all facts name.
    pub round: String,
    /// Devices.
    pub devices: u32,
    /// Desks that the devices stand at.
    pub desks: u32,
    /// People in a tube.
    pub people: u32,
    /// Tubes in a message.
    pub batch: u32,
    /// Ask streams for outcomes of refused facts only.
    pub watermark_only: bool,
}

impl Load {
    /// The desk that a device stands at.
    pub fn desk(&self, device: u32) -> String {
        desk(device % self.desks)
    }

    /// A tube filled at a device now. `source` is left empty on a stream, which has said it.
    pub fn tube(&self, device: u32, number: u64, on_stream: bool) -> Fact {
        let numbers = &self.numbers;
        let before = (number - 1) * u64::from(self.devices) + u64::from(device);
        let first = numbers.first_person(before, self.people);
        let member = |nth: u32| Identity {
            document_type: DocumentType::ResidentId.into(),
            number: resident_number(first.wrapping_add(u64::from(nth))),
        };
        let collected = TubeCollected {
            tube: numbers.barcode(device, number),
            // The smallest pool that is made for so many.
            pool: [1, 5, 10, 20].into_iter().find(|pool| *pool >= self.people).unwrap_or(20),
            desk: self.desk(device),
            members: (0..self.people).map(member).collect(),
            ..TubeCollected::default()
        };
        let id = if on_stream {
            FactId { number, ..FactId::default() }
        } else {
            FactId { source: numbers.source(device), epoch: numbers.epoch(), number }
        };
        Fact {
            id: Some(id),
            captured_at_ms: i64::try_from(now_ms()).unwrap_or(i64::MAX),
            round: self.round.clone(),
            body: Some(fact::Body::TubeCollected(collected)),
        }
    }
}

/// Code of a desk.
pub fn desk(desk: u32) -> String {
    format!("LT-{desk:05}")
}

/// When messages are due, and how many may be under way.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Devices.
    pub devices: u32,
    /// Tubes a second over all devices; 0 = closed loop.
    pub rate: f64,
    /// Tubes in a message.
    pub batch: u32,
    /// How long messages are due.
    pub seconds: Duration,
    /// How long what was due may still be sent and answered after that.
    pub grace: Duration,
    /// Messages of a device under way in a closed loop.
    pub window: usize,
}

impl Timing {
    /// The end of sending. In an open loop everything that was due is still sent, as a desk would;
    /// in a closed loop nothing is due.
    pub fn over(&self, start: Instant) -> Instant {
        if self.is_open() { self.give_up(start) } else { start + self.seconds }
    }

    /// The end of the run.
    pub fn give_up(&self, start: Instant) -> Instant {
        start + self.seconds + self.grace
    }

    /// True when messages are due by the clock and not by answers.
    pub fn is_open(&self) -> bool {
        self.rate > 0.0
    }

    /// Messages of a device that may be under way.
    pub fn inflight_max(&self) -> usize {
        if self.is_open() { INFLIGHT_MAX } else { self.window }
    }

    /// The times of a device; in a closed loop it is always time.
    pub fn due(&self, device: u32) -> Box<dyn Iterator<Item = Duration> + Send> {
        if self.is_open() {
            Box::new(Schedule::new(device, self.devices, self.rate, self.batch, self.seconds))
        } else {
            Box::new(std::iter::repeat(Duration::ZERO))
        }
    }
}

/// Waits until a message may leave.
pub async fn until(due: Instant) {
    let leave = due - TIMER_STEP;
    if leave > Instant::now() {
        sleep_until(leave).await;
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[usize::try_from(number % 36).unwrap_or(0)],
        );
        number /= 36;
    }
    digits.reverse();
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn load() -> Load {
        let numbers = Numbers::of(1_790_000_000_000);
        let (devices, desks) = (100_000, 3);
        Load {
            numbers,
            round: "R".into(),
            devices,
            desks,
            people: 10,
            batch: 1,
            watermark_only: false,
        }
    }

    #[test]
    fn no_two_tubes_share_a_barcode_or_a_person() {
        let load = load();
        let (mut barcodes, mut people) = (HashSet::new(), HashSet::new());
        for device in [0, 1, 2, 99_998] {
            for number in 1..=50 {
                let Some(fact::Body::TubeCollected(tube)) = load.tube(device, number, true).body
                else {
                    unreachable!("a load is made of whole tubes");
                };
                assert!(tube.tube.len() <= 24, "{}", tube.tube);
                assert!(barcodes.insert(tube.tube));
                assert!(tube.members.into_iter().all(|member| people.insert(member.number)));
            }
        }
        assert_eq!((barcodes.len(), people.len()), (200, 2_000));
    }

    #[test]
    fn a_fact_outside_a_stream_says_its_source() {
        let id = |on_stream| load().tube(7, 1, on_stream).id.unwrap();
        assert_eq!(id(true).source, "");
        assert!(id(false).source.ends_with("-00007"));
        assert_eq!((id(true).number, id(false).number), (1, 1));
    }

    #[test]
    fn a_closed_loop_is_always_due() {
        let timing = Timing {
            devices: 1,
            rate: 0.0,
            batch: 1,
            seconds: Duration::from_secs(1),
            grace: Duration::ZERO,
            window: 4,
        };
        assert_eq!(timing.due(0).nth(1_000), Some(Duration::ZERO));
        assert_eq!(timing.inflight_max(), 4);
    }
}
