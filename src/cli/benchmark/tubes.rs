//! What is put in: whole tubes of ten people each, all different, with keys that do not compress.

use crate::domain::fact::{Body, Fact, FactId, Member};
use crate::domain::reference::ReferenceItem;
use crate::domain::words::{Code, Level, PersonKey, Time};
use crate::engine::Submission;

/// People in a tube.
pub const PEOPLE: u64 = 10;
/// Desks, each a source of its own.
pub const DESKS: u64 = 2_000;
/// Tubes that a desk sends in one message.
pub const PER_MESSAGE: u64 = 20;
/// The round.
pub const ROUND: &str = "R1";

/// A person that does not exist. SplitMix64 of the number, twice: as evenly spread as a real key.
pub fn person(number: u64) -> PersonKey {
    let mix = |mut word: u64| {
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let high = mix(number.wrapping_add(0x9e37_79b9_7f4a_7c15));
    let low = mix(high.wrapping_add(number));
    PersonKey((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// The time by the device's clock of a tube; a thousand tubes are filled in each millisecond, so
/// that a long run stays within what a clock may be off.
fn captured(number: u64) -> Time {
    Time(1_700_000_000_000 + i64::try_from(number / 1_000).unwrap_or(i64::MAX))
}

/// A prefix of at most eight bytes and a number of so many digits. Not by a formatter: making a tube is not to take part of
/// what is measured.
fn code(prefix: &str, number: u64, digits: usize) -> Code {
    let mut text = [b'0'; 24];
    text[..prefix.len()].copy_from_slice(prefix.as_bytes());
    let text = &mut text[..prefix.len() + digits];
    let mut left = number;
    for digit in text[prefix.len()..].iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
    }
    Code::from(std::str::from_utf8(text).expect("digits after a prefix are text"))
}

/// A tube with its ten people.
pub fn tube(number: u64) -> Submission {
    let (message, in_message) = (number / PER_MESSAGE, number % PER_MESSAGE);
    let (desk, nth) = (message % DESKS, message / DESKS * PER_MESSAGE + in_message);
    let member = |at| Member { person: person(number * PEOPLE + at), id_check_failed: false };
    let body = Body::TubeCollected {
        // Barcodes of a lot are handed out all over the city.
        tube: code("TB", number.wrapping_mul(7_919_317) % 1_000_000_000_000, 12),
        pool: 10,
        desk: code("D", desk, 5),
        device: Code::default(),
        lot: Code::default(),
        members: (0..PEOPLE).map(member).collect(),
    };
    let id = FactId { source: code("desk-", desk, 5), epoch: 1, number: nth + 1 };
    let fact = Fact { id, captured_at: captured(number), round: Code::from(ROUND), body };
    Submission { fact, clock_offset_ms: 0 }
}

/// Facts of the set-up.
pub const SET_UP: u64 = 3;

/// What has to be known before: desks at sites in a city of ten districts, and the round. Sent
/// again, it changes nothing.
pub fn set_up() -> Vec<Submission> {
    let place = |code: String, parent: &str, level| ReferenceItem::Jurisdiction {
        name: Code::from(code.as_str()),
        code: Code::from(code),
        parent: Code::from(parent),
        level,
    };
    let mut items = vec![place("C".into(), "", Level::City)];
    items.extend((0..10).map(|n| place(format!("C{n}"), "C", Level::District)));
    for desk in 0..DESKS {
        let site = Code::from(format!("S{:04}", desk / 4));
        if desk % 4 == 0 {
            let jurisdiction = Code::from(format!("C{}", desk / 4 % 10));
            let (code, name) = (site.clone(), site.clone());
            items.push(ReferenceItem::Site { code, jurisdiction, name });
        }
        items.push(ReferenceItem::Desk { code: code("D", desk, 5), site });
    }
    let reference = Body::ReferenceImported { file: Code::from("benchmark"), items };
    let (name, key_id) = (Code::from(ROUND), Code::from(ROUND));
    // The clock of a drill does not move unless it is told.
    let tick = Body::ClockTicked { now: captured(0) };
    let round = Body::RoundOpened { name, key_id, pool: 10 };
    vec![office(1, tick), office(2, reference), office(3, round)]
}

/// A part of a roster.
pub fn roster(number: u64, people: impl Iterator<Item = u64>) -> Submission {
    let persons = people.map(person).collect();
    let (roster, district) = (Code::from("roster"), Code::from("C0"));
    office(number, Body::RosterImported { roster, district, persons })
}

fn office(number: u64, body: Body) -> Submission {
    let id = FactId { source: Code::from("office"), epoch: 1, number };
    let fact = Fact { id, captured_at: captured(0), round: Code::from(ROUND), body };
    Submission { fact, clock_offset_ms: 0 }
}
