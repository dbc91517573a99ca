//! What is sent: names, barcodes, people and facts, all different from those of every other run.

use crate::api::{DocumentType, Fact, FactId, Identity, TubeCollected, fact};
use crate::encode::Encoder;
use crate::people::{PEOPLE_PER_AREA, Residents, digits, resident_number};
use crate::schedule::{Schedule, Shape, mix};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Messages of a device that may be under way in an open loop: far more than a server that keeps
/// up ever leaves open. At the limit the device waits, and the wait counts as latency.
const INFLIGHT_MAX: usize = 256;

/// Digits of a tube's number in its barcode; larger numbers take as many as they need.
const BARCODE_DIGITS: usize = 6;

/// People in a large tube of a mixed load.
const LARGE_POOL: u32 = 20;

/// Time between the last connection opened and the first message due.
pub const RUN_UP: Duration = Duration::from_millis(200);

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

    /// A source of a district.
    pub fn source_of(&self, what: &str, district: u64) -> String {
        format!("L{}-{what}-{district:02}", self.tag)
    }

    /// The epoch of every source of the run.
    pub fn epoch(&self) -> u64 {
        self.began_ms
    }

    /// The barcode of a device's tube with this fact number.
    pub fn barcode(&self, device: u32, number: u64) -> String {
        let mut barcode = self.barcode_of(device).into_bytes();
        push_number(&mut barcode, number);
        barcode.into_iter().map(char::from).collect()
    }

    /// What the barcodes of a device begin with.
    fn barcode_of(&self, device: u32) -> String {
        format!("L{}{device:05}", self.tag)
    }

    /// The short tag that stands in every code of the run.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The counter of the first person in a tube that so many others are counted before.
    pub fn first_person(&self, tubes_before: u64, people: u32) -> u64 {
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
    /// So many tubes of a thousand hold 20 people instead.
    pub large_per_1000: u32,
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

    /// People in a tube of a device.
    pub fn people_in(&self, device: u32, number: u64) -> u32 {
        let chance = || mix(self.before(device, number) ^ 0x5EED) % 1_000;
        match self.large_per_1000 > 0 && chance() < u64::from(self.large_per_1000) {
            true => LARGE_POOL,
            false => self.people,
        }
    }

    /// The smallest pool that is made for so many.
    fn pool(people: u32) -> u32 {
        [1, 5, 10, 20].into_iter().find(|pool| *pool >= people).unwrap_or(20)
    }

    /// Tubes that are counted before this one.
    fn before(&self, device: u32, number: u64) -> u64 {
        (number - 1) * u64::from(self.devices) + u64::from(device)
    }

    /// The counter of the first person in a tube.
    pub fn first_person(&self, device: u32, number: u64) -> u64 {
        let room = if self.large_per_1000 > 0 { LARGE_POOL } else { self.people };
        self.numbers.first_person(self.before(device, number), room)
    }

    /// A tube filled at a device at some time, in milliseconds since 1970. `source` is left empty on
    /// a stream, which has said it.
    pub fn tube(&self, device: u32, number: u64, on_stream: bool, captured_ms: u64) -> Fact {
        let numbers = &self.numbers;
        let first = self.first_person(device, number);
        let people = self.people_in(device, number);
        let member = |nth: u32| Identity {
            document_type: DocumentType::ResidentId.into(),
            number: resident_number(first.wrapping_add(u64::from(nth))),
        };
        let collected = TubeCollected {
            tube: numbers.barcode(device, number),
            pool: Load::pool(people),
            desk: self.desk(device),
            members: (0..people).map(member).collect(),
            ..TubeCollected::default()
        };
        let id = if on_stream {
            FactId { number, ..FactId::default() }
        } else {
            FactId { source: numbers.source(device), epoch: numbers.epoch(), number }
        };
        Fact {
            id: Some(id),
            captured_at_ms: i64::try_from(captured_ms).unwrap_or(i64::MAX),
            round: self.round.clone(),
            body: Some(fact::Body::TubeCollected(collected)),
        }
    }

    /// The pen of a device.
    pub fn pen(self: &Arc<Self>, device: u32) -> Pen {
        let barcode = self.numbers.barcode_of(device).into_bytes();
        Pen {
            own: barcode.len(),
            barcode,
            desk: self.desk(device).into_bytes(),
            load: self.clone(),
            device,
            encoder: Encoder::default(),
        }
    }
}

/// Writes the messages of one device's stream.
pub struct Pen {
    load: Arc<Load>,
    device: u32,
    desk: Vec<u8>,
    /// A barcode, and how much of it all barcodes of the device have.
    barcode: Vec<u8>,
    own: usize,
    encoder: Encoder,
}

impl Pen {
    /// A message with tubes that were all filled at one time (milliseconds since 1970), framed.
    pub fn message(&mut self, number: u64, first: u64, count: u32, captured_ms: u64) -> Bytes {
        let Pen { load, device, desk, barcode, own, encoder } = self;
        encoder.message(|to| {
            to.nested(2, |to| {
                to.number(1, number);
                for tube in first..first + u64::from(count) {
                    to.nested(2, |to| {
                        to.nested(1, |to| to.number(3, tube));
                        to.number(2, captured_ms);
                        to.text(3, load.round.as_bytes());
                        to.nested(11, |to| {
                            barcode.truncate(*own);
                            push_number(barcode, tube);
                            let people = load.people_in(*device, tube);
                            to.text(1, barcode);
                            to.number(2, u64::from(Load::pool(people)));
                            to.text(3, desk);
                            put_people(to, 6, load.first_person(*device, tube), people);
                        });
                    });
                }
            });
        })
    }
}

/// The people from a counter on, as identities in a field.
pub fn put_people(to: &mut Encoder, field: u32, first: u64, people: u32) {
    let mut residents = Residents::from(first);
    for _ in 0..people {
        to.nested(field, |to| {
            to.number(1, DocumentType::ResidentId as u64);
            to.text(2, &residents.next_number());
        });
    }
}

/// Adds a tube's number to what its barcode begins with.
fn push_number(barcode: &mut Vec<u8>, number: u64) {
    let more = number.checked_ilog10().unwrap_or(0) as usize + 1;
    let at = barcode.len();
    barcode.resize(at + more.max(BARCODE_DIGITS), b'0');
    digits(number, &mut barcode[at..]);
}

/// Code of a desk.
pub fn desk(desk: u32) -> String {
    format!("LT-{desk:05}")
}

/// When messages are due, and how many may be under way.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Devices.
    pub devices: u32,
    /// When tubes are due over all devices; `None` = closed loop.
    pub shape: Option<Arc<Shape>>,
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
        self.shape.is_some()
    }

    /// Messages of a device that may be under way.
    pub fn inflight_max(&self) -> usize {
        if self.is_open() { INFLIGHT_MAX } else { self.window }
    }

    /// The times of a device; in a closed loop it is always time.
    pub fn due(&self, device: u32) -> Box<dyn Iterator<Item = Duration> + Send> {
        match &self.shape {
            Some(shape) => Box::new(Schedule::new(device, self.devices, self.batch, shape.clone())),
            None => Box::new(std::iter::repeat(Duration::ZERO)),
        }
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
    use crate::api::{FactBatch, RecordRequest, record_request};
    use crate::encode::FRAME_BYTES;
    use prost::Message;
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
            large_per_1000: 0,
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
                let Some(fact::Body::TubeCollected(tube)) = load.tube(device, number, true, 0).body
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
        let id = |on_stream| load().tube(7, 1, on_stream, 0).id.unwrap();
        assert_eq!(id(true).source, "");
        assert!(id(false).source.ends_with("-00007"));
        assert_eq!((id(true).number, id(false).number), (1, 1));
    }

    #[test]
    fn a_closed_loop_is_always_due() {
        let timing = Timing {
            devices: 1,
            shape: None,
            batch: 1,
            seconds: Duration::from_secs(1),
            grace: Duration::ZERO,
            window: 4,
        };
        assert_eq!(timing.due(0).nth(1_000), Some(Duration::ZERO));
        assert_eq!(timing.inflight_max(), 4);
    }

    #[test]
    fn what_a_pen_writes_is_what_prost_would() {
        for (people, large_per_1000) in [(1, 0), (10, 0), (11, 0), (200, 0), (10, 57)] {
            let load = Arc::new(Load { people, large_per_1000, ..load() });
            let mut pen = load.pen(4_711);
            for (number, first, count) in [(1, 1, 1), (2, 2, 20), (300, 999_990, 40)] {
                let framed = pen.message(number, first, count, 1_790_000_000_123);
                let numbers = first..first + u64::from(count);
                let tube = |number| load.tube(4_711, number, true, 1_790_000_000_123);
                let batch =
                    FactBatch { message_number: number, facts: numbers.map(tube).collect() };
                let wanted = RecordRequest { body: Some(record_request::Body::Facts(batch)) };
                assert!(framed[FRAME_BYTES..] == wanted.encode_to_vec(), "{number} of {people}");
            }
        }
    }

    #[test]
    fn large_tubes_come_as_often_as_asked() {
        let load = Load { large_per_1000: 57, ..load() };
        let people = (1..=20_000).map(|number| u64::from(load.people_in(3, number))).sum::<u64>();
        let mean = people as f64 / 20_000.0;
        assert!((mean - 10.57).abs() < 0.05, "{mean}");
    }

    #[test]
    fn a_tube_costs_the_client_little() {
        let load = Arc::new(load());
        let mut pen = load.pen(1);
        let begun = std::time::Instant::now();
        let bytes: usize = (0..5_000).map(|n| pen.message(n, n * 20 + 1, 20, 1).len()).sum();
        let us = begun.elapsed().as_secs_f64() * 1e6 / 100_000.0;
        println!("{us:.3} us and {} bytes a tube", bytes / 100_000);
        // A wide limit: tests run side by side on busy machines. 3 us is the aim.
        assert!(us < 15.0, "{us} us");
    }
}
