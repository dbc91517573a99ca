//! Identity numbers for people who do not exist: well-formed resident numbers with the right check
//! digit, in areas (99....) that were never given to a place.

/// Days from which birthdays are taken.
const DAYS: u64 = 36_500;
/// Serial numbers of one birthday in one area.
const SERIALS: u64 = 1_000;
/// Areas 990000 to 999999.
const AREAS: u64 = 10_000;
/// People of one area; a run begins with an area of its own.
pub const PEOPLE_PER_AREA: u64 = DAYS * SERIALS;

/// The number of the person with this counter; different for the first 365 billion.
pub fn resident_number(counter: u64) -> String {
    let serial = counter % SERIALS;
    let day = counter / SERIALS % DAYS;
    let area = counter / PEOPLE_PER_AREA % AREAS;
    let (year, month, day) = date(day);
    let mut number = format!("99{area:04}{year:04}{month:02}{day:02}{serial:03}");
    number.push(check_digit(&number));
    number
}

/// The check digit of 17 digits: ISO 7064 MOD 11-2, as GB 11643 prescribes.
pub fn check_digit(digits: &str) -> char {
    let fold = |sum: u32, byte: u8| (sum + u32::from(byte - b'0')) * 2 % 11;
    let sum = digits.bytes().fold(0, fold);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from(b'0' + u8::try_from(digit).unwrap_or_default()),
    }
}

/// The date that lies this many days after 1920-01-01.
fn date(mut day: u64) -> (u64, u64, u64) {
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1920;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for days in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    (year, month, day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn check_digits_are_those_of_the_standard() {
        // The examples of GB 11643-1999.
        assert_eq!(check_digit("11010519491231002"), 'X');
        assert_eq!(check_digit("44052418800101001"), '4');
    }

    #[test]
    fn numbers_are_well_formed_and_all_different() {
        let counters = (0..20_000).map(|n| n * 18_251);
        let numbers: HashSet<String> = counters.map(resident_number).collect();
        assert_eq!(numbers.len(), 20_000);
        for number in &numbers {
            assert_eq!(number.len(), 18, "{number}");
            assert!(number.ends_with(check_digit(&number[..17])), "{number}");
        }
    }

    #[test]
    fn days_are_days_of_the_calendar() {
        assert_eq!(date(0), (1920, 1, 1));
        assert_eq!(date(59), (1920, 2, 29));
        assert_eq!(date(366), (1921, 1, 1));
        assert_eq!(date(DAYS - 1), (2019, 12, 6));
    }
}
