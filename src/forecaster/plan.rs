//! The city that is planned for, and a round of it as it was really opened.

use super::history::{History, Whose};
use super::places::Places;
use crate::city_file;
use crate::domain::words::Time;
use crate::planner::model::{DAY, HORIZON_MS, HOUR, Ms};
use crate::planner::round::{Error, Round};
use crate::planner::{City, Norm, Words};
use std::path::Path;

/// China has one time of day.
const CHINA_MS: i64 = 8 * 3_600_000;

/// A round that is opened up to so long before the time at which the city file says it starts begins at that time; one that
/// is opened later began when it was opened.
const AHEAD_MAX: Ms = 18 * HOUR;

/// The city of the configuration.
#[derive(Clone, Debug)]
pub struct CityPlan {
    /// The city as its file says it.
    pub city: City,
    /// Its round, or why there is none.
    pub round: Result<Round, Words>,
    /// Its places, to count by.
    pub places: Places,
    /// Who in the round is meant by a code.
    pub whose: Whose,
}

/// A round of the city: the same arithmetic for another target.
///
/// # Errors
/// Why there is none, in two languages.
pub fn round_of(city: &City, target_h: u32) -> Result<Round, Words> {
    let round = match target_h == city.target_h {
        true => Round::of(city),
        false => Round::of(&City { target_h, ..city.clone() }),
    };
    round.map_err(|error| match error {
        Error::Assign(error) => {
            let Words { zh, en } = error.words();
            Words::new(
                format!("无法为各街道分配实验室（{zh}）：请核对城市文件"),
                format!("no assignment of streets to laboratories: {en}; check the city file"),
            )
        }
        error => error.words(),
    })
}

impl CityPlan {
    /// Opens a city, a file or a built-in name, with another norm pack than it names where one is given. A city that is read and
    /// gives no round is told in the log and in every answer.
    ///
    /// # Errors
    /// What is wrong with the file, with its lines.
    pub fn read(path: &Path, norm: Option<Norm>) -> Result<CityPlan, city_file::Error> {
        let plan = CityPlan::of(city_file::open(path, norm)?);
        if let Err(words) = &plan.round {
            tracing::warn!(problem = words.en, "the city file gives no round to reckon with");
        }
        Ok(plan)
    }

    /// A city that is compiled in, for tests.
    #[cfg(test)]
    pub fn builtin(name: &str) -> CityPlan {
        CityPlan::of(city_file::builtin(name).unwrap())
    }

    /// A made-up city of a text.
    #[cfg(test)]
    pub fn written(text: &str) -> CityPlan {
        CityPlan::of(city_file::parse("town.toml", text, None, None).expect("a city"))
    }

    /// Of a city.
    pub fn of(city: City) -> CityPlan {
        let round = round_of(&city, city.target_h);
        let mut streets = Vec::new();
        for district in &city.districts {
            for street in city.streets_of(district) {
                let pool = city.street_pool(district, &street);
                streets.push((district.code.clone(), street.code, pool));
            }
        }
        let places = Places::of(
            streets.iter().map(|(district, code, pool)| (district.as_str(), code.as_str(), *pool)),
        );
        let whose = round.as_ref().map(Whose::of).unwrap_or_default();
        CityPlan { city, round, places, whose }
    }

    /// The round as it was opened: its clocks hang on the real time of day, and its desks on when they really began. One that
    /// was opened for one person to a tube (`pool` 1) has as many tubes as people.
    pub fn round_opened(
        &self,
        opened_at: Time,
        pool: u64,
        history: &History,
    ) -> Result<Round, Words> {
        let mut round = self.round.clone()?;
        if pool == 1 {
            one_to_a_tube(&mut round);
        }
        let model = &mut round.model;
        let (midnight_offset, planned) = begins(opened_at, model.midnight_offset);
        let began = began(planned, history);
        model.midnight_offset = midnight_offset;
        // What is not done by the horizon is in time for no target.
        model.target = model.target.saturating_add(planned).min(HORIZON_MS - 1);
        for street in &mut model.streets {
            street.open = street.open.saturating_add(began);
        }
        Ok(round)
    }
}

/// A round in which every tube is for one person.
fn one_to_a_tube(round: &mut Round) {
    let sources = &mut round.problem.streets;
    sources.iter_mut().for_each(|source| source.tubes = 0);
    for (street, source) in round.model.streets.iter_mut().zip(&round.source) {
        street.pool = 1;
        if let Some(source) = sources.get_mut(*source) {
            source.tubes += street.tubes();
        }
    }
}

/// Of a round that was opened at a time: the time of day at which it was, and how long after it the desks are to begin.
fn begins(opened_at: Time, start_of_day: Ms) -> (Ms, Ms) {
    let day = i64::from(DAY);
    let of_day = opened_at.0.saturating_add(CHINA_MS).rem_euclid(day);
    let of_day = Ms::try_from(of_day).unwrap_or(0);
    let ahead = (start_of_day % DAY + DAY - of_day) % DAY;
    (of_day, if ahead <= AHEAD_MAX { ahead } else { 0 })
}

/// When the desks really began: as planned, but not before the last reading without a tube, and not after the first
/// with one.
fn began(planned: Ms, history: &History) -> Ms {
    let readings = &history.situation().readings;
    let any = |at: usize| readings[at].streets.iter().any(|street| street.collected > 0);
    let first = (0..readings.len()).find(|&at| any(at));
    let empty_until =
        first.unwrap_or(readings.len()).checked_sub(1).map_or(0, |at| readings[at].at);
    let filled_at = first.map_or(Ms::MAX, |at| readings[at].at);
    planned.clamp(empty_until, filled_at.max(empty_until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::{Forecaster, Options};
    use crate::planner::forecast::{Reading, StreetCount};
    use crate::planner::model::MINUTE;

    /// 2026-11-22, so many hours after midnight in China.
    fn at(hour: i64) -> Time {
        Time(1_795_276_800_000 + hour * 3_600_000)
    }

    #[test]
    fn a_round_begins_at_its_time_of_day_or_when_it_was_opened_later() {
        let six = 6 * HOUR;
        assert_eq!(begins(at(6), six), (6 * HOUR, 0));
        assert_eq!(begins(at(5), six), (5 * HOUR, HOUR));
        assert_eq!(begins(at(20), six), (20 * HOUR, 10 * HOUR));
        assert_eq!(begins(at(9), six), (9 * HOUR, 0));
        // Whatever a clock says, a time of day and no more than is waited for.
        for far in [i64::MIN, i64::MAX] {
            let (of_day, ahead) = begins(Time(far), six);
            assert!(of_day < DAY && ahead <= AHEAD_MAX, "{far}");
        }
    }

    #[test]
    fn the_first_tube_says_when_the_desks_began() {
        let history = |counts: &[(Ms, u64)]| {
            let mut history = History::new(100);
            for (minute, collected) in counts {
                let street = StreetCount { collected: *collected, ..StreetCount::default() };
                history.take(Reading { at: minute * MINUTE, streets: vec![street], labs: vec![] });
            }
            history
        };
        type Case<'a> = (&'a [(Ms, u64)], Ms, Ms);
        let cases: [Case<'_>; 6] = [
            (&[], 60, 60),
            (&[(1, 0), (2, 0)], 60, 60),
            // Nobody has come yet, though the desks should be open.
            (&[(1, 0), (90, 0)], 60, 90),
            // Earlier and later than planned.
            (&[(1, 0), (5, 0), (6, 3)], 60, 6),
            (&[(1, 0), (80, 0), (81, 3), (90, 9)], 60, 80),
            // The readings begin late: nothing is known better.
            (&[(200, 70)], 60, 60),
        ];
        for (counts, planned, expected) in cases {
            let began = began(planned * MINUTE, &history(counts));
            assert_eq!(began, expected * MINUTE, "{counts:?}");
        }
    }

    #[test]
    fn a_city_is_opened_by_its_file_or_by_its_built_in_name() {
        let city = CityPlan::read(Path::new("jiyuan"), None).unwrap().city;
        assert_eq!(city.name.en, "Jiyuan");
        let error = CityPlan::read(Path::new("jiyuann"), None).unwrap_err().to_string();
        assert!(error.contains("内置：chifeng, jiyuan") && error.contains("built in: chifeng"));
    }

    #[test]
    fn the_options_name_another_pack_and_what_a_city_states_of_its_own_stays_over_it() {
        let folder = tempfile::tempdir().unwrap();
        let city = folder.path().join("city.toml");
        let (_, jiyuan) = city_file::BUILTIN.iter().find(|(name, _)| *name == "jiyuan").unwrap();
        let own = "[constants]\nbox_minutes = { value = 45, status = \"assumed\", source = \"assumed\" }\n";
        std::fs::write(&city, jiyuan.replacen("\n[sources]\n", &format!("\n{own}[sources]\n"), 1))
            .unwrap();
        let with = |norm: Option<&str>| {
            let norm = norm.map(Into::into);
            let options = Options { city: Some(city.clone()), norm, ..Options::default() };
            Forecaster::new(options)
        };
        for (named, pack, target_h) in
            [(None, "jiyuan-2021", 48), (Some("chifeng-2022"), "chifeng-2022", 24)]
        {
            let forecaster = with(named).unwrap();
            let city = &forecaster.plan().unwrap().city;
            assert_eq!((city.norm.name.as_str(), city.target_h), (pack, target_h));
            assert_eq!(city.norm.box_s.value, 45 * 60);
        }
        let error = with(Some("mars")).err().unwrap().to_string();
        assert!(error.starts_with("planner.norm:\nmars："), "{error}");
        assert!(error.contains("built in: chifeng-2022"), "{error}");
    }

    #[test]
    fn a_built_in_city_has_places_and_a_round() {
        let plan = CityPlan::builtin("chifeng");
        let round = plan.round.as_ref().unwrap();
        let opened = plan.round_opened(at(5), 10, &History::new(9)).unwrap();
        assert_eq!(opened.model.tubes(), round.model.tubes());
        assert_eq!(opened.model.streets[0].open, round.model.streets[0].open + HOUR);
        assert_eq!(opened.model.target, round.model.target + HOUR);
        assert!(opened.model.check().is_ok());
        // One person to a tube, whatever the plan pools.
        let single = plan.round_opened(at(5), 1, &History::new(9)).unwrap();
        let people: u64 = single.model.streets.iter().map(|street| u64::from(street.persons)).sum();
        assert_eq!([single.model.tubes(), single.problem.tubes()], [people; 2]);
    }
}
