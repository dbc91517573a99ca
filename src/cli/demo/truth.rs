//! What really happens in the drill: who stands at which desk, when, and in which tube. All of it
//! follows by arithmetic from the city, the number of people and the seed; nobody is stored.
//!
//! A *slot* is a place for one pool tube in the order of desks and time; `code` gives its barcode.

use crate::api::client::pb;
use crate::domain::reference::BarcodePattern;
use crate::keyring::resident_id_check;
use crate::planner::City;
use std::fmt::Write;

/// When the first desks may open: 06:00 in Beijing on 18 April 2022.
pub const OPENS_AT_MS: i64 = 1_650_232_800_000;

/// A minute in milliseconds.
pub const MINUTE_MS: i64 = 60_000;

/// Tubes from here on are single tubes; below are the slots of pools.
pub const SINGLES: u32 = 1 << 31;

/// Of so many people on the roster one does not turn up.
const ABSENT_ONE_IN: u32 = 509;

/// Desks open within this time, so that the day begins slowly.
pub const OPENING_MS: i64 = 90 * MINUTE_MS;

/// Serial numbers of pool tubes and of single tubes begin here.
const POOL_SERIAL: u64 = 20_000_000_000;
const SINGLE_SERIAL: u64 = 90_000_000_000;

/// Birth dates in use: 80 years of 12 months of 28 days, so that every date exists.
const BIRTH_DATES: u32 = 80 * 12 * 28;

/// A number for (seed, cause, index): one stream for each cause, none of them stored.
pub fn mix(seed: u64, cause: u64, index: u64) -> u64 {
    let step = |mut z: u64| {
        // SplitMix64.
        z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    step(step(step(seed) ^ cause) ^ index)
}

/// A number below `n` for (seed, cause, index).
pub fn below(n: u64, seed: u64, cause: u64, index: u64) -> u64 {
    ((u128::from(mix(seed, cause, index)) * u128::from(n)) >> 64) as u64
}

/// A person of the drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    /// The one at this place of the district's roster.
    Resident { district: u16, place: u32 },
    /// Somebody passing through, on no roster.
    Traveller { number: u32 },
}

/// A district.
#[derive(Clone, Debug)]
pub struct District {
    /// Code in the reference data.
    pub code: String,
    /// Name in Chinese.
    pub name: String,
    /// First six digits of its people's identity numbers.
    prefix: String,
    /// People on its roster.
    pub people: u32,
    /// People who turn up.
    pub attending: u32,
    /// How many swabs go into a tube.
    pub pool: u32,
    /// Place, in each group of [`ABSENT_ONE_IN`], of the one who does not turn up.
    absent: u32,
    /// Its first site and how many it has.
    pub first_site: u32,
    /// Number of sites.
    pub sites: u32,
    /// Its first desk and how many it has.
    pub first_desk: u32,
    /// Number of desks.
    pub desks: u32,
}

/// A desk and its day.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Index of the district.
    pub district: u16,
    /// Index of the site, over the whole city.
    pub site: u32,
    /// Place of its first person among those of the district who turn up.
    first_person: u32,
    /// People who come.
    pub people: u32,
    /// Its first slot.
    pub first_slot: u32,
    /// Tubes that it fills.
    pub slots: u32,
    /// When it opens.
    opens_at: i64,
    /// Reports swab by swab instead of tube by tube.
    pub swab_by_swab: bool,
}

/// The whole city.
pub struct Truth {
    /// The seed of everything.
    pub seed: u64,
    /// In the order of the city file.
    pub districts: Vec<District>,
    /// By district, then by number.
    pub desks: Vec<Desk>,
    /// Number of sites, over the whole city.
    pub sites: u32,
    /// Number of slots.
    pub slots: u32,
    /// Milliseconds that a desk needs for one person.
    pace_ms: i64,
    barcodes: BarcodePattern,
}

/// How tube barcodes look in the drill.
pub fn barcodes() -> BarcodePattern {
    BarcodePattern { prefix: "C".into(), length: 13, luhn: true }
}

fn small(n: u64) -> u32 {
    u32::try_from(n).expect("a city's people and desks fit into 32 bits")
}

/// The part of `n` that ends before `at` of `of` equal shares.
fn share(n: u32, at: u32, of: u32) -> u32 {
    small(u64::from(n) * u64::from(at) / u64::from(of.max(1)))
}

impl Truth {
    /// The truth of a city.
    pub fn new(city: &City, seed: u64) -> Truth {
        let pace_ms =
            36_000_000 / i64::try_from(city.norm.desk_rate_tenths.value.max(1)).unwrap_or(1);
        let mut truth = Truth {
            seed,
            districts: Vec::new(),
            desks: Vec::new(),
            sites: 0,
            slots: 0,
            pace_ms: pace_ms.max(1),
            barcodes: barcodes(),
        };
        // The smallest district works swab by swab; where there is only one, some of its sites.
        let smallest =
            (0..city.districts.len()).min_by_key(|i| city.districts[*i].population.value);
        let several = city.districts.len() > 1;
        for (index, district) in city.districts.iter().enumerate() {
            let people = small(district.population.value);
            let absent = small(below(ABSENT_ONE_IN.into(), seed, 1, index as u64));
            let attending = people - (people + ABSENT_ONE_IN - 1 - absent) / ABSENT_ONE_IN;
            let usable =
                district.code.len() == 6 && district.code.bytes().all(|b| b.is_ascii_digit());
            let place = District {
                code: district.code.clone(),
                name: district.name.zh.clone(),
                prefix: if usable { district.code.clone() } else { format!("{}", 900_000 + index) },
                people,
                attending,
                pool: small(city.pool_of(district)),
                absent,
                first_site: truth.sites,
                sites: small(district.have.sites.max(1)),
                first_desk: small(truth.desks.len() as u64),
                desks: small(district.have.desks.max(1)),
            };
            for desk in 0..place.desks {
                let site = place.first_site + share(place.sites, desk, place.desks);
                let swab_by_swab = if several { Some(index) == smallest } else { site % 5 == 2 };
                truth.add_desk(index, &place, desk, site, swab_by_swab);
            }
            truth.sites += place.sites;
            truth.districts.push(place);
        }
        truth
    }

    fn add_desk(
        &mut self,
        index: usize,
        district: &District,
        desk: u32,
        site: u32,
        swab_by_swab: bool,
    ) {
        let first_person = share(district.attending, desk, district.desks);
        let people = share(district.attending, desk + 1, district.desks) - first_person;
        let number = self.desks.len() as u64;
        let late = below(OPENING_MS as u64, self.seed, 2, number);
        let slots = people.div_ceil(district.pool);
        self.desks.push(Desk {
            district: u16::try_from(index).expect("districts are few"),
            site,
            first_person,
            people,
            first_slot: self.slots,
            slots,
            opens_at: OPENS_AT_MS + late as i64,
            swab_by_swab,
        });
        self.slots += slots;
    }

    /// The desk of a slot, by index.
    pub fn desk_of(&self, slot: u32) -> u32 {
        // Desks without people have no slots and share their start with the next one.
        let at = self.desks.partition_point(|desk| desk.first_slot <= slot);
        small(at as u64 - 1)
    }

    /// People of the desk up to and including those of its `nth` tube.
    fn people_to(&self, desk: &Desk, nth: u32) -> u32 {
        ((nth + 1) * self.districts[usize::from(desk.district)].pool).min(desk.people)
    }

    /// Places of a tube's people in the desk's queue: first and one past the last.
    pub fn queue(&self, desk: &Desk, nth: u32) -> (u32, u32) {
        let pool = self.districts[usize::from(desk.district)].pool;
        (nth * pool, self.people_to(desk, nth))
    }

    /// When the person at a place of the desk's queue is swabbed.
    pub fn swabbed_at(&self, desk: &Desk, place: u32) -> i64 {
        desk.opens_at + i64::from(place + 1) * self.pace_ms
    }

    /// When the desk's `nth` tube is full and closed.
    pub fn closed_at(&self, desk: &Desk, nth: u32) -> i64 {
        self.swabbed_at(desk, self.people_to(desk, nth) - 1) + 1_000
    }

    /// The person at a place of the desk's queue.
    pub fn person(&self, desk: &Desk, place: u32) -> Person {
        let district = &self.districts[usize::from(desk.district)];
        let attending = desk.first_person + place;
        let group = attending / (ABSENT_ONE_IN - 1);
        let within = attending % (ABSENT_ONE_IN - 1);
        let after_absent = u32::from(within >= district.absent);
        Person::Resident {
            district: desk.district,
            place: group * ABSENT_ONE_IN + within + after_absent,
        }
    }

    /// A person's document.
    pub fn identity(&self, person: Person) -> pb::Identity {
        let mut number = String::with_capacity(18);
        match person {
            Person::Resident { district, place } => {
                let date = place % BIRTH_DATES;
                let (year, month, day) = (1940 + date / 336, 1 + date / 28 % 12, 1 + date % 28);
                let serial = place / BIRTH_DATES;
                number.push_str(&self.districts[usize::from(district)].prefix);
                let day_number = (year * 100 + month) * 100 + day;
                let _ = write!(number, "{day_number}{serial:03}");
                number.push(char::from(resident_id_check(number.as_bytes())));
                pb::Identity {
                    document_type: pb::DocumentType::ResidentId.into(),
                    number: number.into(),
                }
            }
            Person::Traveller { number: passport } => {
                let _ = write!(number, "E{passport:08}");
                pb::Identity {
                    document_type: pb::DocumentType::Passport.into(),
                    number: number.into(),
                }
            }
        }
    }

    /// The barcode of a tube.
    pub fn code(&self, tube: u32) -> String {
        let serial = match tube.checked_sub(SINGLES) {
            Some(single) => SINGLE_SERIAL + u64::from(single),
            None => POOL_SERIAL + u64::from(tube),
        };
        self.barcodes.make(serial).into()
    }

    /// The tube with this barcode; `None` for one that the drill did not make or that was misread.
    pub fn tube(&self, code: &str) -> Option<u32> {
        let serial: u64 = code.strip_prefix('C')?.get(..11)?.parse().ok()?;
        let tube = match serial.checked_sub(SINGLE_SERIAL) {
            Some(single) => SINGLES + u32::try_from(single).ok()?,
            None => u32::try_from(serial.checked_sub(POOL_SERIAL)?).ok()?,
        };
        (self.code(tube) == code).then_some(tube)
    }

    /// Code of a site.
    pub fn site_code(&self, site: u32) -> String {
        let district = self.district_of_site(site);
        let district = &self.districts[district];
        format!("{}-S{:03}", district.code, site - district.first_site + 1)
    }

    /// Index of the district of a site.
    pub fn district_of_site(&self, site: u32) -> usize {
        self.districts.partition_point(|district| district.first_site <= site) - 1
    }

    /// Code of a desk.
    pub fn desk_code(&self, desk: u32) -> String {
        let district = &self.districts[usize::from(self.desks[desk as usize].district)];
        format!("{}-D{:04}", district.code, desk - district.first_desk + 1)
    }

    /// Code of the desk at which a district swabs again.
    pub fn retest_desk_code(&self, district: usize) -> String {
        format!("{}-R", self.districts[district].code)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cli::city_file;
    use crate::keyring::resident_id_holds;
    use crate::planner;
    use std::collections::HashSet;

    pub fn truth(city: &str, people: Option<u64>, seed: u64) -> Truth {
        let mut city = city_file::builtin(city).unwrap();
        if let Some(people) = people {
            city = city.scaled(people);
        }
        let plan = planner::solve(&city, city.target_h);
        Truth::new(&planner::fill(&city, &plan), seed)
    }

    #[test]
    fn parts_are_the_whole() {
        for (city, people) in
            [("chifeng", Some(40_000)), ("chifeng", None), ("jiyuan", Some(5_000))]
        {
            let truth = truth(city, people, 3);
            let at_desks: u32 = truth.desks.iter().map(|desk| desk.people).sum();
            let attending: u32 = truth.districts.iter().map(|district| district.attending).sum();
            let roster: u32 = truth.districts.iter().map(|district| district.people).sum();
            assert_eq!(at_desks, attending, "{city}");
            assert_eq!(u64::from(roster), people.unwrap_or(4_035_967), "{city}");
            assert!(attending < roster && attending > roster - roster / 400);
            let slots: u32 = truth.desks.iter().map(|desk| desk.slots).sum();
            assert_eq!(slots, truth.slots, "{city}");
            for slot in [0, 1, slots / 2, slots - 1] {
                let desk = &truth.desks[truth.desk_of(slot) as usize];
                assert!((desk.first_slot..desk.first_slot + desk.slots).contains(&slot));
            }
        }
    }

    #[test]
    fn everybody_who_turns_up_is_one_person_of_the_roster() {
        let truth = truth("chifeng", Some(40_000), 5);
        let mut seen = HashSet::new();
        for desk in &truth.desks {
            for place in 0..desk.people {
                let person = truth.person(desk, place);
                let Person::Resident { district, place } = person else { panic!("{person:?}") };
                assert!(place < truth.districts[usize::from(district)].people);
                assert!(seen.insert(person));
            }
        }
        let numbers: HashSet<_> = seen.iter().map(|p| truth.identity(*p).number).collect();
        assert_eq!(numbers.len(), seen.len());
        assert!(numbers.iter().all(|number| resident_id_holds(number)));
    }

    #[test]
    fn a_barcode_leads_back_to_its_tube() {
        let truth = truth("jiyuan", Some(5_000), 1);
        for tube in [0, 7, truth.slots - 1, SINGLES, SINGLES + 12_345] {
            let code = truth.code(tube);
            assert_eq!(barcodes().check(&code), (true, true), "{code}");
            assert_eq!(truth.tube(&code), Some(tube));
        }
        assert_eq!(truth.tube("C200000000001"), None);
    }
}
