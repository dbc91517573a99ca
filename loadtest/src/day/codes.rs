//! The names of a day, and what is true of its tubes. Everything follows from a number, so that a day
//! of millions of tubes needs no memory.

use crate::api::reference_item::Item;
use crate::api::{Instrument, Kit, Lab, Lot, LotKind, TargetRule};
use crate::load::{Numbers, desk, now_ms};
use crate::people::digits;
use crate::schedule::mix;

/// People in a tube, tubes in a message of a desk, tubes in a box, tubes on a plate of 96.
pub const TUBE_PEOPLE: u64 = 10;
/// The same.
pub const MESSAGE_TUBES: u64 = 20;
/// The same.
pub const BOX_TUBES: u64 = 100;
/// The same; the two wells left hold the controls.
pub const PLATE_TUBES: usize = 94;
/// Districts, each with a laboratory of its own.
pub const DISTRICTS: u64 = 16;
/// Desks in the reference data, spread over the districts.
pub const DESKS: u32 = 1_600;
/// One pool in so many is positive.
const POSITIVE_ONE_IN: u64 = 2_000;

/// The kit of every laboratory.
pub const KIT: &str = "LT-KIT";
/// Its lot.
pub const KIT_LOT: &str = "LT-KIT-LOT";
/// Its targets; the last is the internal control.
pub const TARGETS: [&str; 3] = ["ORF1ab", "N", "IC"];
/// A curve up to here is a detection; hundredths of a cycle.
const CUT_OFF: u32 = 3_800;
/// And up to here grey.
const GREY_TO: u32 = 4_000;
/// How long a lot can be used.
const LOT_MS: u64 = 365 * 24 * 3_600_000;

/// The names and sizes of a day.
#[derive(Clone, Debug)]
pub struct Day {
    /// Names.
    pub numbers: Numbers,
    /// The round.
    pub round: String,
    /// People.
    pub people: u64,
}

impl Day {
    /// Tubes of the day.
    pub fn tubes(&self) -> u64 {
        self.people.div_ceil(TUBE_PEOPLE)
    }

    /// Boxes of the day.
    pub fn boxes(&self) -> u64 {
        self.tubes().div_ceil(BOX_TUBES)
    }

    /// The tubes in a box.
    pub fn tubes_in(&self, container: u64) -> std::ops::Range<u64> {
        container * BOX_TUBES..((container + 1) * BOX_TUBES).min(self.tubes())
    }

    /// People in a tube.
    pub fn people_in(&self, tube: u64) -> u32 {
        (self.people - tube * TUBE_PEOPLE).min(TUBE_PEOPLE) as u32
    }

    /// The counter of a tube's first person.
    pub fn first_person(&self, tube: u64) -> u64 {
        self.numbers.first_person(tube, TUBE_PEOPLE as u32)
    }

    /// The barcode of a tube, in place of what is there.
    pub fn tube(&self, tube: u64, into: &mut Vec<u8>) {
        self.code(b"L", b"T", tube, into);
    }

    /// The code of a box.
    pub fn container(&self, container: u64, into: &mut Vec<u8>) {
        self.code(b"L", b"B", container, into);
    }

    /// The code of the plate of this number in a laboratory.
    pub fn plate(&self, lab: u64, plate: u64, into: &mut Vec<u8>) {
        self.code(b"L", b"P", lab * 10_000_000 + plate, into);
    }

    fn code(&self, before: &[u8], kind: &[u8], number: u64, into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(before);
        into.extend_from_slice(self.numbers.tag().as_bytes());
        into.extend_from_slice(kind);
        let at = into.len();
        into.resize(at + 9, b'0');
        digits(number, &mut into[at..]);
    }

    /// The desk where a tube was filled: desks of a district are 1 in 16 of all.
    pub fn desk(&self, tube: u64) -> String {
        let district = tube / BOX_TUBES % DISTRICTS;
        let nth = mix(tube / MESSAGE_TUBES) % (u64::from(DESKS) / DISTRICTS);
        desk((district * (u64::from(DESKS) / DISTRICTS) + nth) as u32)
    }

    /// True when the pool is positive.
    pub fn is_positive(&self, tube: u64) -> bool {
        mix(tube ^ self.numbers.epoch()).is_multiple_of(POSITIVE_ONE_IN)
    }
}

/// Code of a district's laboratory.
pub fn lab(district: u64) -> String {
    format!("LT-LAB{district:02}")
}

/// Laboratories with their instruments, the kit with its rule, its lot.
pub fn items() -> Vec<Item> {
    let expires_at_ms = i64::try_from(now_ms() + LOT_MS).unwrap_or(i64::MAX);
    let target = |(nth, name): (usize, &&str)| {
        let is_internal_control = nth + 1 == TARGETS.len();
        TargetRule {
            name: (*name).to_owned(),
            is_internal_control,
            cut_off_hundredths: CUT_OFF,
            grey_to_hundredths: if is_internal_control { 0 } else { GREY_TO },
        }
    };
    let mut items = vec![
        Item::Kit(Kit {
            code: KIT.to_owned(),
            name: KIT.to_owned(),
            version: 1,
            targets: TARGETS.iter().enumerate().map(target).collect(),
            positive_controls_min: 1,
            negative_controls_min: 1,
        }),
        Item::Lot(Lot {
            code: KIT_LOT.to_owned(),
            kind: LotKind::Pcr.into(),
            product: KIT.to_owned(),
            expires_at_ms,
        }),
    ];
    for district in 0..DISTRICTS {
        let lab = lab(district);
        let instrument =
            Instrument { code: format!("{lab}-PCR1"), lab: lab.clone(), model: "PCR-96".into() };
        items.push(Item::Lab(Lab { code: lab.clone(), name: lab, tubes_per_day_max: 0 }));
        items.push(Item::Instrument(instrument));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn day(people: u64) -> Day {
        Day { numbers: Numbers::of_this_moment(), round: "R".into(), people }
    }

    #[test]
    fn a_day_has_all_its_people_and_no_more() {
        for people in [10, 11, 994, 10_000, 123_457] {
            let day = day(people);
            assert_eq!(
                (0..day.tubes()).map(|tube| u64::from(day.people_in(tube))).sum::<u64>(),
                people
            );
            assert_eq!(
                (0..day.boxes()).map(|one| day.tubes_in(one).count() as u64).sum::<u64>(),
                day.tubes()
            );
        }
    }

    #[test]
    fn codes_fit_and_differ() {
        let day = day(100);
        let mut codes = std::collections::HashSet::new();
        let mut code = Vec::new();
        for number in [0, 1, 99_999_999] {
            day.tube(number, &mut code);
            assert!(code.len() <= 24 && codes.insert(code.clone()));
            day.container(number, &mut code);
            assert!(codes.insert(code.clone()));
            day.plate(number % 16, number % 10, &mut code);
            assert!(codes.insert(code.clone()));
        }
    }

    #[test]
    fn one_pool_in_two_thousand_is_positive() {
        let day = day(10_000_000);
        let positive = (0..1_000_000).filter(|tube| day.is_positive(*tube)).count();
        assert!((400..600).contains(&positive), "{positive}");
    }

    #[test]
    fn every_desk_is_in_the_reference_data() {
        let day = day(10_000_000);
        let last = desk(DESKS - 1);
        assert!((0..1_000_000).step_by(7).all(|tube| day.desk(tube) <= last));
    }
}
