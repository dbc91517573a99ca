//! The profiles: loads that cities had, by published figures, and loads that they would have feared.
//! What no source says is marked as assumed.

use crate::schedule::Shape;
use clap::ValueEnum;

/// A load with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Tianjin, 20 January 2022: 10 M people in 4.5 h, peak 43,500 registrations a minute (725
    /// people/s), tubes of 10. Assumed: the peak lasts 10 minutes, desks open and close within 13
    Tianjin,
    /// Harbin, March 2022: more than 26,000 devices online, peak 1.07 M samples in an hour (297/s).
    /// A stream and a connection for each device; each sample is a tube (the harder reading)
    Harbin,
    /// Shanghai, 4 April 2022: 25.665 M people in 2.427 M tubes (10.57 in a tube) in a day. Assumed:
    /// the hours of the day; tubes of 10, and 57 in a thousand of 20
    ShanghaiDay,
    /// After 2 h without network Harbin's 26,000 devices connect at once, each with 200 people (20
    /// tubes) taken meanwhile, while 2,000 desks go on scanning. Nobody publishes that test
    ReconnectStorm,
    /// Twice what the server takes (--rate, or found by a closed loop first): what is refused, and
    /// what becomes of the rest. Chengdu, 3 September 2022: one scan took 4 to 5 minutes
    Overload,
    /// A whole day of --people-total: collected, packed, handed over, received, plated, run and
    /// released, all stages at once, as fast as it goes. For filling a folder. 1 pool in 2,000 positive
    CityDay,
}

/// What an open-loop profile asks for.
#[derive(Clone, Debug)]
pub struct Course {
    /// Devices.
    pub devices: u32,
    /// A connection for each device; else devices share some.
    pub own_connections: bool,
    /// People in a tube.
    pub people: u32,
    /// So many tubes of a thousand hold 20.
    pub large_per_1000: u32,
    /// Tubes due in real time.
    pub shape: Shape,
}

/// Shanghai's day, assumed: parts of a hundred by hour, midnight first. Sampling began early and was
/// mostly over by noon, with an afternoon and an evening for those at work.
const SHANGHAI_HOURS: [f64; 24] = [
    0.0, 0.0, 0.5, 2.0, 6.0, 10.0, 12.0, 12.0, 11.0, 9.0, 7.0, 5.0, 4.0, 4.0, 4.0, 3.5, 3.0, 2.0,
    2.0, 1.5, 1.0, 0.5, 0.0, 0.0,
];
/// Tubes of that day.
const SHANGHAI_TUBES: f64 = 2_427_000.0;

impl Profile {
    /// The name as it is given.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The course of an open-loop profile; `None` for those that have a way of their own.
    pub fn course(self) -> Option<Course> {
        match self {
            Profile::Tianjin => Some(Course {
                devices: 5_000,
                own_connections: false,
                people: 10,
                large_per_1000: 0,
                shape: tianjin(),
            }),
            Profile::Harbin => Some(Course {
                devices: 26_000,
                own_connections: true,
                people: 10,
                large_per_1000: 0,
                shape: Shape::steady(1_070_000.0 / 3_600.0, 3_600.0),
            }),
            Profile::ShanghaiDay => Some(Course {
                devices: 5_000,
                own_connections: false,
                people: 10,
                large_per_1000: 57,
                shape: shanghai(),
            }),
            Profile::ReconnectStorm | Profile::Overload | Profile::CityDay => None,
        }
    }
}

/// 10 M people in 16,200 s, with a peak of 725 people/s for 600 s in the middle. Opening and closing
/// take a twentieth each, in five steps; the rate between is what is left for it.
fn tianjin() -> Shape {
    const PEOPLE: f64 = 10_000_000.0;
    const SECONDS: f64 = 16_200.0;
    const PEAK: f64 = 725.0;
    const PEAK_SECONDS: f64 = 600.0;
    let edge = SECONDS / 20.0;
    // The steps of an edge are 1/6 to 5/6 of the plain rate: half of it on the average.
    let plain_seconds = SECONDS - 2.0 * edge - PEAK_SECONDS;
    let plain = (PEOPLE - PEAK * PEAK_SECONDS) / (plain_seconds + edge);
    let up = (1..=5).map(|step| (edge / 5.0, plain * f64::from(step) / 6.0));
    let middle = [(plain_seconds / 2.0, plain), (PEAK_SECONDS, PEAK), (plain_seconds / 2.0, plain)];
    let down = (1..=5).rev().map(|step| (edge / 5.0, plain * f64::from(step) / 6.0));
    let people = up.chain(middle).chain(down);
    Shape::pieces(people.map(|(seconds, rate)| (seconds, rate / 10.0)))
}

fn shanghai() -> Shape {
    let sum: f64 = SHANGHAI_HOURS.iter().sum();
    Shape::pieces(SHANGHAI_HOURS.map(|part| (3_600.0, SHANGHAI_TUBES * part / sum / 3_600.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64) {
        assert!((value / wanted - 1.0).abs() < 1e-3, "{value}, not {wanted}");
    }

    #[test]
    fn shapes_add_up_to_the_published_totals() {
        let tianjin = Profile::Tianjin.course().unwrap().shape;
        near(tianjin.total() * 10.0, 10_000_000.0);
        near(tianjin.seconds(), 4.5 * 3_600.0);
        near(tianjin.peak() * 10.0, 725.0);
        let harbin = Profile::Harbin.course().unwrap();
        near(harbin.shape.peak(), 297.2);
        near(harbin.shape.total(), 1_070_000.0);
        assert!(harbin.own_connections && harbin.devices == 26_000);
        let shanghai = Profile::ShanghaiDay.course().unwrap();
        near(shanghai.shape.total(), SHANGHAI_TUBES);
        near(shanghai.shape.seconds(), 86_400.0);
    }

    #[test]
    fn the_mix_of_tubes_gives_shanghais_people() {
        let course = Profile::ShanghaiDay.course().unwrap();
        let large = f64::from(course.large_per_1000) / 1_000.0;
        let people = course.shape.total() * (large * 20.0 + (1.0 - large) * 10.0);
        near(people, 25_665_000.0);
    }

    #[test]
    fn every_profile_says_its_figures() {
        for profile in Profile::value_variants() {
            let value = profile.to_possible_value().unwrap();
            assert!(
                value.get_help().is_some_and(|help| help.to_string().len() > 60),
                "{profile:?}"
            );
        }
    }
}
