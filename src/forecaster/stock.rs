//! What runs out before a round is done: the stock on the shelf that the city file states, less what the round has used.
//!
//! Collection tubes are a district's own; reagents are counted for the whole city, because readings tell by laboratory alone
//! what is on plates, and a laboratory takes what is there. The file's stock is that of the beginning of the round. Where more
//! has been used than it states, the stock is not known, and nothing is said of it. The forecast itself reckons as if nothing
//! ran out.

use crate::planner::forecast::{Forecast, LabCount, Reading, Regime, Situation, StreetCount};
use crate::planner::model::{HORIZON_MS, HOUR, Ms};
use crate::planner::round::Round;
use crate::planner::{Article, City, District, Item, Words};

/// Something that runs out before the last first test has what it needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsOut {
    /// What.
    pub article: Article,
    /// Code and name of the district; of reagents the city's.
    pub place: (String, Words),
    /// How much is left, in tubes or reactions.
    pub left: u64,
    /// How much more is needed than is left, same unit: the middle of what may come.
    pub missing: u64,
    /// When it runs out at the pace of the last hour; `None` = nothing was used in it.
    pub at: Option<Ms>,
    /// The same in words.
    pub words: Words,
}

/// What is asked of one article at one place.
struct Asked<'a> {
    article: Article,
    place: (String, Words),
    /// On the shelf when the round began.
    stock: u64,
    /// Still needed after the newest reading.
    to_come: u64,
    /// Used at a reading.
    used: &'a dyn Fn(&Reading) -> u64,
}

/// What runs out before the round is done, soonest first.
pub fn runs_out(
    city: &City,
    round: &Round,
    situation: &Situation,
    forecast: &Forecast,
) -> Vec<RunsOut> {
    let Some(newest) = situation.readings.last() else { return Vec::new() };
    if forecast.regime == Regime::Done {
        return Vec::new();
    }
    let mut found = Vec::new();
    for district in &city.districts {
        let here = |i: &usize| round.streets.get(*i).is_some_and(|of| of.district == district.code);
        let streets: Vec<usize> = (0..round.streets.len()).filter(here).collect();
        let used = |reading: &Reading| {
            streets.iter().filter_map(|i| reading.streets.get(*i)).map(tubes_used).sum()
        };
        let asked = Asked {
            article: Article::Tube,
            place: (district.code.clone(), district.name.clone()),
            stock: district.stock.tubes.physical,
            to_come: streets.iter().filter_map(|i| forecast.to_come.get(*i)).sum(),
            used: &used,
        };
        found.extend(one(round, situation, &asked));
    }
    let to_come = forecast.to_come.iter().sum::<u64>()
        + newest.streets.iter().map(on_its_way).sum::<u64>()
        + newest.labs.iter().map(on_no_plate).sum::<u64>();
    let shelf =
        |of: fn(&District) -> u64| city.districts.iter().map(of).fold(0, u64::saturating_add);
    for (article, stock) in [
        (Article::Extraction, shelf(|district| district.stock.extraction.physical)),
        (Article::Pcr, shelf(|district| district.stock.pcr.physical)),
    ] {
        let place = (city.code.clone(), city.name.clone());
        let used = |reading: &Reading| reading.labs.iter().map(|lab| lab.plated).sum();
        found.extend(one(round, situation, &Asked { article, place, stock, to_come, used: &used }));
    }
    found.sort_by_key(|one| one.at.unwrap_or(Ms::MAX));
    found
}

/// Collection tubes that a street has used, as far as readings tell single tubes of recalls.
fn tubes_used(street: &StreetCount) -> u64 {
    street.collected + street.singles_waiting + street.singles_sent
}

/// Tubes of a street that no laboratory has.
fn on_its_way(street: &StreetCount) -> u64 {
    street.collected.saturating_sub(street.delivered)
}

/// Tubes of a laboratory that are on no plate, with the single tubes of recalls that it waits for.
fn on_no_plate(lab: &LabCount) -> u64 {
    lab.first_waiting() + lab.recalls_open.saturating_sub(lab.singles_plated)
}

fn one(round: &Round, situation: &Situation, asked: &Asked<'_>) -> Option<RunsOut> {
    let newest = situation.readings.last()?;
    // What was used beyond it was not in the file.
    let left = asked.stock.checked_sub((asked.used)(newest))?;
    let missing = asked.to_come.checked_sub(left).filter(|missing| *missing > 0)?;
    let at = match left {
        0 => Some(newest.at),
        left => pace(situation, asked.used).and_then(|pace| {
            let at = f64::from(newest.at) + left as f64 / pace;
            (at < f64::from(HORIZON_MS)).then_some(at as Ms)
        }),
    };
    let words = words(round, asked, left, missing, at);
    let Asked { article, place, .. } = asked;
    Some(RunsOut { article: *article, place: place.clone(), left, missing, at, words })
}

/// Used in a millisecond, over the last hour or as much of it as was read; `None` = nothing.
fn pace(situation: &Situation, used: &dyn Fn(&Reading) -> u64) -> Option<f64> {
    let (newest, before) = situation.readings.split_last()?;
    let hour_ago = newest.at.saturating_sub(HOUR);
    let since = before.iter().rfind(|reading| reading.at <= hour_ago).or(before.first())?;
    let gone = used(newest).saturating_sub(used(since));
    let lasted = newest.at.saturating_sub(since.at);
    (gone > 0 && lasted > 0).then(|| gone as f64 / f64::from(lasted))
}

fn words(round: &Round, asked: &Asked<'_>, left: u64, missing: u64, at: Option<Ms>) -> Words {
    let (item, many) = match asked.article {
        Article::Tube => (Item::Tube, "collection tubes"),
        Article::Extraction => (Item::ExtractionReagent, "extraction reagent"),
        Article::Pcr => (Item::PcrReagent, "PCR reagent"),
    };
    let (Words { zh: place, en: place_en }, Words { zh: unit, en: unit_en }) =
        (&asked.place.1, item.unit());
    let what = item.name().zh;
    let needed = (
        format!("本轮约还差 {missing} {unit}"),
        format!("about {missing} more {unit_en} are needed for this round"),
    );
    let (zh, en) = match (left, at) {
        (0, _) => (
            format!("{place}的{what}按城市文件的实物库存已用完"),
            format!("{place_en} has no {many} left of the city file's stock on the shelf"),
        ),
        (_, Some(at)) => {
            let clock = round.clock(at);
            (
                format!("{place}的{what}按最近一小时的用量约在 {clock} 用完"),
                format!("{place_en} has {many} until about {clock} at the pace of the last hour"),
            )
        }
        (_, None) => (
            format!("{place}的{what}不够用到本轮结束"),
            format!("{place_en} has not enough {many}"),
        ),
    };
    Words::new(format!("{zh}，{}", needed.0), format!("{en}: {}", needed.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecaster::CityPlan;
    use crate::planner::forecast::of_model;
    use crate::planner::model::MINUTE;

    /// A town of two districts, the first with two streets.
    fn town() -> CityPlan {
        CityPlan::written(include_str!("../../tests/suite/town.toml"))
    }

    /// Readings of a round at so many minutes: tubes collected of each street, and tubes received and plated of the first lab.
    fn read(round: &Round, counts: &[(Ms, u64, [u64; 2])]) -> Situation {
        let reading = |(minute, collected, [received, plated]): &(Ms, u64, [u64; 2])| {
            let street = StreetCount { collected: *collected, ..StreetCount::default() };
            let mut labs = vec![LabCount::default(); round.labs.len()];
            labs[0] = LabCount { received: *received, plated: *plated, ..LabCount::default() };
            Reading { at: minute * MINUTE, streets: vec![street; round.streets.len()], labs }
        };
        Situation { readings: counts.iter().map(reading).collect() }
    }

    /// What runs out in the town with these stocks of tubes by district, and of both reagents in the city, while each street
    /// has 500 tubes to come and had 100 an hour ago and 400 now, of which 300 were put on plates in that hour.
    fn told(tubes: [u64; 2], reagents: u64) -> Vec<RunsOut> {
        let mut plan = town();
        for (district, tubes) in plan.city.districts.iter_mut().zip(tubes) {
            district.stock.tubes.physical = tubes;
            district.stock.extraction.physical = reagents / 2;
            district.stock.pcr.physical = reagents - reagents / 2;
        }
        let round = plan.round.unwrap();
        let situation =
            read(&round, &[(60, 100, [0, 0]), (120, 100, [0, 0]), (180, 400, [350, 300])]);
        let mut forecast = of_model(&round.model, &round.doubt, &situation, 1, 10).unwrap();
        forecast.to_come = vec![500; round.streets.len()];
        runs_out(&plan.city, &round, &situation, &forecast)
    }

    #[test]
    fn what_runs_out_is_told_with_when_and_how_much_is_missing_and_nothing_else() {
        let (plan, plenty) = (town(), 1_000_000);
        let round = plan.round.as_ref().unwrap();
        let here =
            |code: &str| round.streets.iter().filter(|of| of.district == code).count() as u64;
        let [first, second] = [0, 1].map(|i| here(&plan.city.districts[i].code));
        let all = first + second;
        let brief = |told: &[RunsOut]| {
            let one =
                |one: &RunsOut| (one.place.0.clone(), one.article, one.left, one.missing, one.at);
            told.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(brief(&told([plenty; 2], plenty)), []);
        // As many as are needed are enough; one less is not.
        assert_eq!(brief(&told([900 * first, plenty], plenty)), []);
        let [code, other] = [0, 1].map(|i| plan.city.districts[i].code.clone());
        let at = 180 * MINUTE;
        // In the last hour 300 of each street: what is left lasts in proportion.
        let last = |left: u64, streets: u64| {
            Some(at + (left as f64 / (300 * streets) as f64 * f64::from(HOUR)) as Ms)
        };
        let short = told([900 * first - 1, plenty], plenty);
        let left = 500 * first - 1;
        assert_eq!(brief(&short), [(code.clone(), Article::Tube, left, 1, last(left, first))]);
        // All used is known to be used; used beyond it, nothing is known.
        let none = told([plenty, 400 * second], plenty);
        assert_eq!(brief(&none), [(other.clone(), Article::Tube, 0, 500 * second, Some(at))]);
        assert_eq!(brief(&told([plenty, 400 * second - 1], plenty)), []);
        // Reagents: what is to come, on its way, or waits at a laboratory.
        let needed = 900 * all + 50;
        let both = told([plenty; 2], 300 + needed - 10);
        let left = needed - 10;
        let when = Some(at + (left as f64 / 300.0 * f64::from(HOUR)) as Ms);
        let of = |article| (plan.city.code.clone(), article, left, 10, when);
        assert_eq!(brief(&both), [of(Article::Extraction), of(Article::Pcr)]);
        // The soonest first.
        let three = told([900 * first - 1, 400 * second], 300 + needed - 10);
        let articles: Vec<Article> = three.iter().map(|one| one.article).collect();
        assert_eq!((&three[0].place.0, articles.len()), (&other, 4));
        assert!(three.windows(2).all(|two| two[0].at <= two[1].at));
    }

    #[test]
    fn what_runs_out_is_told_in_words_and_where_nothing_was_used_without_a_time() {
        let plan = town();
        let round = plan.round.as_ref().unwrap();
        let name = &plan.city.districts[1].name;
        let second = round.streets.iter().filter(|of| of.district == plan.city.districts[1].code);
        let second = second.count() as u64;
        let said = |tubes| told([1_000_000, tubes], 1_000_000)[0].words.clone();
        let missing = 500 * second;
        let (zh, en) = (&name.zh, &name.en);
        let none = said(400 * second);
        assert_eq!(
            none.zh,
            format!("{zh}的采样管按城市文件的实物库存已用完，本轮约还差 {missing} 支")
        );
        let begins = format!(
            "{en} has no collection tubes left of the city file's stock on the shelf: about {missing} more tubes"
        );
        assert!(none.en.starts_with(&begins), "{}", none.en);
        // Half an hour at the pace of the last one.
        let clock = round.clock(210 * MINUTE);
        let half = said(550 * second);
        assert!(half.zh.contains(&format!("按最近一小时的用量约在 {clock} 用完")), "{}", half.zh);
        assert!(half.en.contains(&format!("until about {clock} at the pace of the last hour: ")));
        let situation = read(round, &[(60, 400, [0, 0]), (180, 400, [0, 0])]);
        let mut forecast = of_model(&round.model, &round.doubt, &situation, 1, 10).unwrap();
        forecast.to_come = vec![500; round.streets.len()];
        let mut city = plan.city.clone();
        city.districts[1].stock.tubes.physical = 401 * second;
        let still = runs_out(&city, round, &situation, &forecast);
        assert_eq!((still.len(), still[0].at), (1, None));
        assert!(
            still[0].words.zh.contains("不够用到本轮结束，本轮约还差 "),
            "{:?}",
            still[0].words
        );
        forecast.regime = Regime::Done;
        assert_eq!(runs_out(&city, round, &situation, &forecast), []);
    }
}
