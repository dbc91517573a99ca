//! Identity numbers for people who do not exist: well-formed resident numbers with the right check
//! digit, in areas (99....) that were never given to a place. Written digit by digit: a load of a
//! million people a second must not cost what it measures.

/// Days from which birthdays are taken, beginning with 1920-01-01.
const DAYS: u64 = 36_500;
/// Serial numbers of one birthday in one area.
const SERIALS: u64 = 1_000;
/// Areas 990000 to 999999.
const AREAS: u64 = 10_000;
/// People of one area; a run begins with an area of its own.
pub const PEOPLE_PER_AREA: u64 = DAYS * SERIALS;
/// Characters of a number.
pub const NUMBER_BYTES: usize = 18;
/// Area and birthday; the rest is serial number and check digit.
const PREFIX_BYTES: usize = 14;
/// 1920-01-01 in days from 0000-03-01, where the calendar's arithmetic begins.
const FIRST_DAY: u64 = 719_468 - 18_263;

/// The numbers from one counter on; different for the first 365 billion counters.
pub struct Residents {
    counter: u64,
    /// Area and birthday of the number that comes next.
    prefix: [u8; PREFIX_BYTES],
    /// What the prefix adds to the check digit.
    weight: u32,
}

impl Residents {
    /// The numbers of this counter and those after it.
    pub fn from(counter: u64) -> Residents {
        let mut residents = Residents { counter, prefix: [0; PREFIX_BYTES], weight: 0 };
        residents.turn();
        residents
    }

    /// Works out area and birthday.
    fn turn(&mut self) {
        let (year, month, day) = date(self.counter / SERIALS % DAYS);
        self.prefix[..2].copy_from_slice(b"99");
        digits(self.counter / PEOPLE_PER_AREA % AREAS, &mut self.prefix[2..6]);
        digits(year, &mut self.prefix[6..10]);
        digits(month, &mut self.prefix[10..12]);
        digits(day, &mut self.prefix[12..]);
        // Three digits more follow, each of which doubles what stands before it.
        self.weight = folded(&self.prefix) * 8 % 11;
    }

    /// The next number.
    pub fn next_number(&mut self) -> [u8; NUMBER_BYTES] {
        let mut number = [0; NUMBER_BYTES];
        number[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        digits(self.counter % SERIALS, &mut number[PREFIX_BYTES..NUMBER_BYTES - 1]);
        let serial = folded(&number[PREFIX_BYTES..NUMBER_BYTES - 1]);
        number[NUMBER_BYTES - 1] = check_digit(self.weight + serial);
        self.counter = self.counter.wrapping_add(1);
        if self.counter.is_multiple_of(SERIALS) {
            self.turn();
        }
        number
    }
}

/// The number of the person with this counter.
pub fn resident_number(counter: u64) -> String {
    Residents::from(counter).next_number().map(char::from).iter().collect()
}

/// Writes a number with leading zeros; digits that have no place are cut off in front.
pub fn digits(mut number: u64, place: &mut [u8]) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The weighted sum of digits: ISO 7064 MOD 11-2, as GB 11643 prescribes.
fn folded(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11)
}

/// The check digit that belongs to a weighted sum.
fn check_digit(folded: u32) -> u8 {
    match (12 - folded % 11) % 11 {
        10 => b'X',
        digit => b'0' + digit as u8,
    }
}

/// The date that lies this many days after 1920-01-01, by the arithmetic of the 400-year cycle.
fn date(day: u64) -> (u64, u64, u64) {
    let days = day + FIRST_DAY;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn check_digit_of(digits: &str) -> char {
        char::from(check_digit(folded(digits.as_bytes())))
    }

    #[test]
    fn check_digits_are_those_of_the_standard() {
        // The examples of GB 11643-1999.
        assert_eq!(check_digit_of("11010519491231002"), 'X');
        assert_eq!(check_digit_of("44052418800101001"), '4');
    }

    #[test]
    fn numbers_are_well_formed_and_all_different() {
        let counters = (0..20_000).map(|n| n * 18_251);
        let numbers: HashSet<String> = counters.map(resident_number).collect();
        assert_eq!(numbers.len(), 20_000);
        for number in &numbers {
            assert_eq!(number.len(), 18, "{number}");
            assert!(number.ends_with(check_digit_of(&number[..17])), "{number}");
        }
    }

    #[test]
    fn numbers_in_a_row_are_those_of_their_counters() {
        let first = 7 * PEOPLE_PER_AREA - 1_500;
        let mut row = Residents::from(first);
        for counter in first..first + 3_000 {
            let next: String = row.next_number().map(char::from).iter().collect();
            assert_eq!(next, resident_number(counter));
        }
    }

    #[test]
    fn days_are_days_of_the_calendar() {
        assert_eq!(date(0), (1920, 1, 1));
        assert_eq!(date(59), (1920, 2, 29));
        assert_eq!(date(366), (1921, 1, 1));
        assert_eq!(date(DAYS - 1), (2019, 12, 6));
        let mut expected = (1920, 1, 1);
        for day in 0..DAYS {
            assert_eq!(date(day), expected);
            let (year, month, of_month) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = 28 + u64::from(leap);
            let length = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1];
            expected = match (of_month == length, month == 12) {
                (false, _) => (year, month, of_month + 1),
                (true, false) => (year, month + 1, 1),
                (true, true) => (year + 1, 1, 1),
            };
        }
    }
}
