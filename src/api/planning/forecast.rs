//! GetForecast and WatchForecast: what the forecaster knows of the open round.

use super::city;
use super::simulate::streets;
use super::words::{hours, quantiles, sentences, some, spread, stage, text, time};
use crate::api::errors::Error;
use crate::api::pb;
use crate::api::shared::Shared;
use crate::api::watched::{Watched, watched};
use crate::forecaster::{Boxes, Outlook, RunsOut};
use crate::planner::forecast::{Forecast, LabCount, Regime, StreetCount};
use crate::planner::model::{MINUTE, Street};
use crate::planner::round::StreetOf;
use crate::planner::times::never;
use crate::planner::{Article, Words};
use std::sync::Arc;
use std::time::Duration;

/// Who watches is told this late of a reason that comes with time alone.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The newest forecast.
pub fn newest(shared: &Shared) -> Result<pb::ForecastReply, Error> {
    workable(shared)?;
    told(shared, shared.forecaster.outlook().borrow().clone())
}

/// What is told of an outlook, or why nothing is.
fn told(shared: &Shared, outlook: Option<Arc<Outlook>>) -> Result<pb::ForecastReply, Error> {
    let outlook = super::newest(shared, outlook)?;
    match &outlook.forecast {
        Ok(forecast) => Ok(reply(shared, &outlook, forecast)),
        Err(words) => Err(words.clone().into()),
    }
}

/// A message that there is no forecast, and why.
fn none(shared: &Shared, because: pb::Text) -> pb::ForecastReply {
    let as_of = Some(shared.as_of());
    pb::ForecastReply { as_of, none_because: Some(because), ..Default::default() }
}

/// The newest forecast at once, or why there is none, and each new one, until the client goes or the server stops. While none comes,
/// the last is told again as it gets old.
pub fn watch(shared: &Arc<Shared>) -> Result<Watched<pb::ForecastReply>, Error> {
    workable(shared)?;
    let shared = Arc::clone(shared);
    let (mut teller, watched) = watched(&shared, 1)?;
    tokio::spawn(async move {
        let (mut outlook, mut unknown) = (shared.forecaster.outlook(), shared.forecaster.unknown());
        let mut stopping = shared.stopping.clone();
        let (mut is_new, mut because) = (true, None);
        let (mut waited, mut old_told) = (false, 0);
        loop {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                wanted = teller.wanted() => if !wanted { return },
            }
            // Also what came while the answer before was being read.
            is_new |= outlook.has_changed().unwrap_or(true);
            unknown.borrow_and_update();
            let now = outlook.borrow_and_update().clone();
            let old = now.as_deref().map_or(0, |outlook| Age::of(&shared, outlook).times_old());
            let message = match told(&shared, now) {
                Ok(_) if !(is_new || waited && old > old_told) => None,
                Ok(forecast) => {
                    (because, old_told) = (None, old);
                    Some(forecast)
                }
                Err(error) => {
                    let (zh, en) = error.texts();
                    let why = pb::Text { zh, en };
                    // Once for each reason: every look may find the same one.
                    let told = because.replace(why.clone());
                    (told.as_ref() != Some(&why)).then(|| none(&shared, why))
                }
            };
            if let Some(message) = message
                && !teller.tell(Ok(message)).await
            {
                return;
            }
            waited = false;
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = teller.closed() => return,
                changed = outlook.changed() => {
                    if changed.is_err() { break }
                    is_new = true;
                }
                changed = unknown.changed() => {
                    if changed.is_err() { break }
                    is_new = false;
                }
                // A round that nobody closes becomes too old without anything else happening, and so does a forecast after which none
                // comes. A drill's clock goes on by hours, and the forecast of that comes a moment later: it is waited for.
                () = tokio::time::sleep(LOOK_AGAIN) => (is_new, waited) = (false, true),
            }
        }
        teller.tell(Err(Error::ShuttingDown)).await;
    });
    Ok(watched)
}

/// There is a city, and it gives a round.
fn workable(shared: &Shared) -> Result<(), Error> {
    city(shared)?.round.as_ref().map(drop).map_err(|words| words.clone().into())
}

fn reply(shared: &Shared, outlook: &Outlook, forecast: &Forecast) -> pb::ForecastReply {
    let round = &outlook.model;
    let labs = forecast.labs.iter().zip(&round.labs).map(|(finish, (code, name))| pb::LabSpread {
        lab: code.clone(),
        name: some(name),
        finish: quantiles(finish),
        bottleneck: pb::PlanStage::Unspecified.into(),
    });
    let bottleneck = forecast.bottleneck.as_ref().map(|bound| {
        let lab = bound.lab.and_then(|lab| round.labs.get(lab));
        let street = bound.street.and_then(|street| round.streets.get(street));
        pb::ForecastBottleneck {
            lab: lab.map(|lab| lab.0.clone()).unwrap_or_default(),
            stage: bound.stage.map_or(pb::PlanStage::Unspecified, stage).into(),
            street: street.map(|street| street.code.clone()).unwrap_or_default(),
            from_ms: bound.from.into(),
            text: some(&bound.words),
        }
    });
    let measures = forecast.measures.iter().map(|measure| pb::ForecastMeasure {
        text: some(&measure.words),
        saves_ms: measure.saves.into(),
        in_time: measure.in_time,
    });
    pb::ForecastReply {
        as_of: Some(shared.as_of_seq(outlook.seq)),
        round: outlook.round.to_string(),
        opened_at_ms: outlook.opened_at.0,
        reading_ms: forecast.at.into(),
        target_ms: forecast.target.into(),
        in_time: forecast.in_time,
        sampled: quantiles(&forecast.sampled),
        finish: quantiles(&forecast.finish),
        labs: labs.collect(),
        streets: streets(round, &forecast.streets),
        regime: regime(forecast.regime).into(),
        bottleneck,
        measures: measures.collect(),
        unknown_collected: outlook.unknown.collected,
        unknown_received: outlook.unknown.received,
        counts: Some(counts(outlook)),
        street_work: street_work(outlook),
        lab_work: lab_work(outlook),
        past: Some(pb::ForecastsHeld {
            rounds: u32::try_from(outlook.so_far.rounds).unwrap_or(u32::MAX),
            judged: outlook.so_far.judged as u64,
            held: outlook.so_far.held as u64,
            coverage: outlook.so_far.share(),
        }),
        summary: Some(text(&with_age(
            Age::of(shared, outlook),
            summary(forecast, &outlook.runs_out),
        ))),
        particles: u32::try_from(forecast.particles).unwrap_or(u32::MAX),
        none_because: None,
        runs_out: outlook.runs_out.iter().map(runs_out).collect(),
    }
}

fn runs_out(one: &RunsOut) -> pb::ForecastStock {
    pb::ForecastStock {
        article: match one.article {
            Article::Tube => pb::StockArticle::Tube,
            Article::Extraction => pb::StockArticle::Extraction,
            Article::Pcr => pb::StockArticle::Pcr,
        }
        .into(),
        place: one.place.0.clone(),
        place_name: some(&one.place.1),
        left: one.left,
        missing: one.missing,
        runs_out_ms: one.at.map_or(-1, i64::from),
        text: some(&one.words),
    }
}

fn regime(of: Regime) -> pb::Regime {
    match of {
        Regime::Collecting => pb::Regime::Collecting,
        Regime::Backlog => pb::Regime::Backlog,
        Regime::Stragglers => pb::Regime::Stragglers,
        Regime::Done => pb::Regime::Done,
    }
}

fn counts(outlook: &Outlook) -> pb::ForecastCounts {
    let mut counts =
        pb::ForecastCounts { expected: outlook.model.model.tubes(), ..Default::default() };
    for street in &outlook.reading.streets {
        counts.collected += street.collected;
        counts.sent += street.sent;
        counts.delivered += street.delivered;
        counts.singles_under_way += street.singles_waiting + street.singles_sent;
    }
    for lab in &outlook.reading.labs {
        counts.received += lab.received;
        counts.plated += lab.plated;
        counts.resulted += lab.resulted;
        counts.recalls_open += lab.recalls_open;
        counts.singles_under_way += lab.singles_waiting + lab.singles_plated;
    }
    let Boxes { told, packed, sent, received } = outlook.boxes;
    counts.boxes_told = told;
    (counts.boxes_packed, counts.boxes_in_transit, counts.boxes_received) =
        (packed, sent, received);
    counts
}

fn street_work(outlook: &Outlook) -> Vec<pb::StreetWork> {
    let round = &outlook.model;
    let streets = round.streets.iter().zip(&round.model.streets).zip(&outlook.reading.streets);
    let work = |((of, street), count): ((&StreetOf, &Street), &StreetCount)| pb::StreetWork {
        district: of.district.clone(),
        street: of.code.clone(),
        lab: round.labs.get(street.lab).map(|lab| lab.0.clone()).unwrap_or_default(),
        waiting: count.collected.saturating_sub(count.sent),
        in_transit: count.sent.saturating_sub(count.delivered),
        singles_waiting: count.singles_waiting,
        singles_in_transit: count.singles_sent,
    };
    streets.map(work).collect()
}

fn lab_work(outlook: &Outlook) -> Vec<pb::LabInWork> {
    let labs = outlook.model.labs.iter().zip(&outlook.reading.labs);
    let work = |((code, _), count): (&(String, Words), &LabCount)| pb::LabInWork {
        lab: code.clone(),
        boxes_in_transit: count.boxes_sent,
        received: count.received.saturating_sub(count.plated),
        plated: count.plated.saturating_sub(count.resulted),
        plates_open: count.plates.saturating_sub(count.plates_done),
        singles_received: count.singles_waiting,
        singles_plated: count.singles_plated,
        recalls_open: count.recalls_open,
    };
    labs.map(work).collect()
}

/// The age of a forecast and the age from which it is old, milliseconds.
#[derive(Clone, Copy)]
struct Age {
    ms: i64,
    old_after: i64,
}

impl Age {
    /// By the folder's clock.
    fn of(shared: &Shared, outlook: &Outlook) -> Age {
        let old_after = shared.forecaster.options().old_after_ms();
        Age { ms: outlook.age_ms(shared.handle.now()), old_after }
    }

    /// How many times as old as it may be without its being told; 0 = it is not old.
    fn times_old(self) -> i64 {
        self.ms.saturating_sub(1).max(0) / self.old_after
    }
}

/// A summary, after how old its forecast is when it is old: the round has gone on since.
fn with_age(age: Age, summary: Words) -> Words {
    if age.times_old() == 0 {
        return summary;
    }
    let long = match age.ms / i64::from(MINUTE) {
        0 => Words::new(format!("{} 秒", age.ms / 1_000), format!("{} s", age.ms / 1_000)),
        _ => hours(age.ms),
    };
    let old = Words::new(
        format!("本预测是 {} 前作出的，其后的进展未计入。", long.zh),
        format!("This forecast is {} old: nothing that has happened since is in it.", long.en),
    );
    sentences(&[old, summary])
}

/// "Done after 27 h 40 min, most likely. Between ... Extraction at Lab 3 binds from ... Tubes run out at ... Measure."
fn summary(forecast: &Forecast, runs_out: &[RunsOut]) -> Words {
    if forecast.regime == Regime::Done {
        let finish = time(forecast.finish.p50);
        return Words::new(
            format!("全部首检已出结果，用时 {}。", finish.zh),
            format!("Every first test has its result, after {}.", finish.en),
        );
    }
    let finish = time(forecast.finish.p50);
    let likely = if never(forecast.finish.p50) { "" } else { ", as likely earlier as later" };
    let mut all = vec![
        Words::new(
            format!("预计开轮后 {} 完成。", finish.zh),
            format!("Done {} after the opening{likely}.", finish.en),
        ),
        spread(&forecast.finish, forecast.in_time),
    ];
    all.extend(forecast.bottleneck.as_ref().map(|bound| bound.words.clone()));
    all.extend(runs_out.first().map(|soonest| soonest.words.clone()));
    all.push(match forecast.measures.first() {
        Some(measure) => {
            let saves = hours(measure.saves.into());
            let Words { zh, en } = &measure.words;
            Words::new(format!("{zh}，可提前 {}", saves.zh), format!("{en}: {} earlier", saves.en))
        }
        None => Words::new(
            "所试各项措施均不能明显提前完成时间",
            "Nothing that was tried makes the end noticeably earlier",
        ),
    });
    sentences(&all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::forecast::{Bottleneck, Measure};
    use crate::planner::model::{HORIZON_MS, HOUR};
    use crate::planner::study::Quantiles;

    /// Ten hours are gone; the end is in 27 h 40 min, an hour either way.
    fn forecast(regime: Regime) -> Forecast {
        let middle = 27 * HOUR + 40 * MINUTE;
        let finish = Quantiles {
            p10: middle - HOUR,
            p50: middle,
            p90: middle + HOUR,
            ..Quantiles::default()
        };
        Forecast {
            at: 10 * HOUR,
            target: 24 * HOUR,
            sampled: finish,
            finish,
            in_time: 0.02,
            by_target: [0; 7],
            streets: Vec::new(),
            labs: Vec::new(),
            to_come: Vec::new(),
            regime,
            bottleneck: None,
            standing: Vec::new(),
            measures: Vec::new(),
            particles: 1,
            finishes: Vec::new(),
        }
    }

    #[test]
    fn a_forecast_that_is_old_says_so_first_and_how_old_it_is() {
        let (second, minute) = (1_000, i64::from(MINUTE));
        let old = 3 * minute;
        for (ms, old_after, told) in [
            (-minute, old, None),
            (0, old, None),
            (old, old, None),
            (old + 1, old, Some(["0 小时 3 分", "0 h 03 min"])),
            (115 * minute, old, Some(["1 小时 55 分", "1 h 55 min"])),
            (115 * minute, 120 * minute, None),
            (4 * second, 3 * second, Some(["4 秒", "4 s"])),
        ] {
            let Words { zh, en } = with_age(Age { ms, old_after }, Words::new("完成。", "Done."));
            let [before_zh, before_en] = told.map_or_else(Default::default, |[zh, en]| {
                [
                    format!("本预测是 {zh} 前作出的，其后的进展未计入。"),
                    format!(
                        "This forecast is {en} old: nothing that has happened since is in it. "
                    ),
                ]
            });
            assert_eq!((zh, en), (format!("{before_zh}完成。"), format!("{before_en}Done.")));
        }
    }

    #[test]
    fn a_forecast_tells_what_binds_since_when_and_the_best_measure_with_what_it_saves() {
        let measure =
            |en: &str, saves| Measure { words: Words::new("甲增加", en), saves, in_time: 0.5 };
        let words =
            Words::new("甲的核酸提取自 10:00 起为瓶颈", "extraction at A binds since 10:00");
        let mut told = forecast(Regime::Backlog);
        told.bottleneck =
            Some(Bottleneck { lab: Some(0), stage: None, street: None, from: 0, words });
        told.measures = vec![measure("3 more at A", 90 * MINUTE), measure("1 more at A", HOUR)];
        let said = summary(&told, &[]);
        let head = "Done 27 h 40 min after the opening, as likely earlier as later. ";
        let end = " extraction at A binds since 10:00. 3 more at A: 1 h 30 min earlier.";
        assert!(said.en.starts_with(head) && said.en.ends_with(end), "{}", said.en);
        let end = "甲的核酸提取自 10:00 起为瓶颈。甲增加，可提前 1 小时 30 分。";
        assert!(
            said.zh.starts_with("预计开轮后 27 小时 40 分 完成。") && said.zh.ends_with(end),
            "{}",
            said.zh
        );
        // What runs out first is told before what might be done.
        let words = Words::new("甲区的采样管不够", "A has not enough tubes");
        let place = (String::new(), Words::default());
        let short = RunsOut { article: Article::Tube, place, left: 3, missing: 9, at: None, words };
        let later = RunsOut { words: Words::new("乙", "B"), ..short.clone() };
        let short = summary(&told, &[short, later]);
        assert!(short.en.contains(" since 10:00. A has not enough tubes. 3 more at A:"));
        assert!(short.zh.contains("起为瓶颈。甲区的采样管不够。甲增加，"), "{}", short.zh);
        told.measures.clear();
        let said = summary(&told, &[]);
        assert!(said.en.ends_with("Nothing that was tried makes the end noticeably earlier."));
        assert!(said.zh.ends_with("所试各项措施均不能明显提前完成时间。"));
        // Beyond what is reckoned there is no hour.
        told.finish = Quantiles { p50: HORIZON_MS, p90: HORIZON_MS, ..told.finish };
        let said = summary(&told, &[]);
        assert!(said.en.starts_with(
            "Done over 40 days after the opening. Between 26 h 40 min and over 40 days"
        ));
        assert!(said.zh.starts_with("预计开轮后 40 天以上 完成。"), "{}", said.zh);
        let said = summary(&forecast(Regime::Done), &[]);
        assert_eq!(said.en, "Every first test has its result, after 27 h 40 min.");
        assert_eq!(said.zh, "全部首检已出结果，用时 27 小时 40 分。");
    }
}
