//! Plans and forecasts over a real socket: the binary with a small city file, and without one.

use crate::common::{Place, Server, binary, noon};
use crate::service::open_round;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use swabline::api::client::{
    AdministrationClient, Channel, PlanningClient, ProgressClient, RecordingClient, Status,
    Streaming, connect, pb,
};
use tokio_stream::StreamExt;
use tonic_types::StatusExt;

/// A town of two districts, one of them with two streets, and two laboratories.
const CITY: &str = include_str!("town.toml");

pub fn city_file(place: &Place) -> PathBuf {
    let file = place.root.path().join("town.toml");
    std::fs::write(&file, CITY).unwrap();
    file
}

pub fn serve(place: &Place, city: &Path) -> Server {
    let city = city.display().to_string();
    let environment =
        [("SWABLINE_PLANNER__CITY", city.as_str()), ("SWABLINE_PLANNER__FORECAST_SECONDS", "1")];
    Server::start_with(&place.data(), &place.keys(), &environment)
}

pub async fn planning(server: &Server) -> PlanningClient<Channel> {
    PlanningClient::new(connect(&server.address).await.unwrap())
}

/// The reason of a refusal, which is told in both languages.
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let zh = &details.localized_message().expect("zh").message;
    assert!(zh.chars().any(|c| c > '\u{2fff}'), "{zh} {}", status.message());
    details.error_info().unwrap().reason.clone()
}

/// What is said in both languages.
fn said(text: &Option<pb::Text>) -> String {
    let text = text.clone().expect("a text");
    assert!(text.zh.ends_with('。') && text.en.ends_with('.'), "{text:?}");
    text.en
}

fn units(lab: &str, stage: pb::PlanStage, units: i32) -> pb::UnitChange {
    pb::UnitChange { lab: lab.into(), stage: stage.into(), units }
}

fn rising(of: &Option<pb::Quantiles>) -> i64 {
    let q = of.as_ref().expect("quantiles");
    let all = [q.p05_ms, q.p10_ms, q.p25_ms, q.p50_ms, q.p75_ms, q.p90_ms, q.p95_ms];
    assert!(all.windows(2).all(|two| two[0] <= two[1]), "{all:?}");
    q.p50_ms
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_city_every_call_says_what_to_do_and_readings_are_kept_all_the_same() {
    let place = Place::new();
    let environment = [("SWABLINE_PLANNER__FORECAST_SECONDS", "1")];
    let server = Server::start_with(&place.data(), &place.keys(), &environment);
    let mut client = planning(&server).await;
    let mut told = vec![
        reason(&client.check_plan(pb::CheckPlanRequest::default()).await.unwrap_err()),
        reason(&client.what_if(pb::WhatIfRequest::default()).await.unwrap_err()),
        reason(&client.assign(pb::AssignRequest::default()).await.unwrap_err()),
        reason(&client.get_forecast(pb::GetForecastRequest {}).await.unwrap_err()),
        reason(&client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap_err()),
    ];
    let status = client.simulate_plan(pb::SimulatePlanRequest::default()).await.unwrap_err();
    assert!(status.message().contains("[planner] city"), "{}", status.message());
    told.push(reason(&status));
    assert!(told.iter().all(|reason| reason == "NO_CITY"), "{told:?}");
    open_round(&server.address, "R1", "r1").await;
    wait_until("a reading", || {
        std::fs::read_to_string(place.data().join("forecasts"))
            .is_ok_and(|text| text.contains("\"line\":\"reading\""))
    });
    server.stop();
    let verified = binary().arg("verify").arg(place.data()).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[test]
fn a_city_file_that_is_wrong_keeps_the_service_from_starting() {
    let place = Place::new();
    let file = place.root.path().join("bad.toml");
    std::fs::write(&file, CITY.replacen("units = 2, staff = 6", "units = -2, staff = 6", 1))
        .unwrap();
    let line = CITY.lines().position(|line| line.contains("units = 2, staff = 6")).unwrap() + 1;
    let output = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
        .arg(place.data())
        .arg("--keys")
        .arg(place.keys())
        .env("SWABLINE_PLANNER__CITY", &file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{told}");
    assert!(told.contains(&format!("bad.toml:{line}")) && !told.is_ascii(), "{told}");
    assert!(!place.data().exists(), "no folder is made for a service that does not start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_checked_simulated_changed_and_assigned() {
    let place = Place::new();
    let server = serve(&place, &city_file(&place));
    let mut client = planning(&server).await;

    let check = client.check_plan(pb::CheckPlanRequest::default()).await.unwrap().into_inner();
    assert_eq!((check.city.as_str(), check.target_ms), ("990000", 24 * 3_600_000));
    let fluid = check.fluid.expect("it can be reckoned");
    let labs: Vec<&str> = fluid.labs.iter().map(|lab| lab.lab.as_str()).collect();
    assert_eq!(labs, ["LE", "LW"]);
    assert!(fluid.labs.iter().all(|lab| lab.stages.len() == 7));
    assert_eq!(fluid.slack_ms, check.target_ms - fluid.finish_ms);
    assert_eq!(fluid.in_time, fluid.slack_ms >= 0);
    let rules = check.rules.expect("rules");
    assert_eq!(rules.shortages.len(), rules.shortages_total as usize);
    let answer = said(&check.summary);
    assert!(answer.starts_with(if fluid.in_time { "Yes" } else { "No" }), "{answer}");
    // A target that nobody can meet, and one that is no target.
    let asked = pb::CheckPlanRequest { target_hours: 1, ..Default::default() };
    let hurry = client.check_plan(asked).await.unwrap().into_inner();
    assert!(!hurry.fluid.unwrap().in_time && said(&hurry.summary).starts_with("No"));
    let asked = pb::CheckPlanRequest { target_hours: 100_000, ..Default::default() };
    assert_eq!(reason(&client.check_plan(asked).await.unwrap_err()), "INVALID");

    let asked = pb::SimulatePlanRequest { replications: 40, seed: 7, ..Default::default() };
    let first = simulated(&mut client, asked.clone()).await;
    assert_eq!((first.replications, first.labs.len()), (40, 2));
    assert!(first.streets.len() >= 3 && (0.0..=1.0).contains(&first.in_time));
    assert!(rising(&first.sampled) < rising(&first.finish));
    said(&first.summary);
    let again = simulated(&mut client, asked.clone()).await;
    assert_eq!(again.finish, first.finish, "the same seed, the same answer");
    let one_less = || vec![units("LE", pb::PlanStage::Extract, -1)];
    let fewer =
        simulated(&mut client, pb::SimulatePlanRequest { units: one_less(), ..asked }).await;
    assert!(rising(&fewer.finish) > rising(&first.finish), "one of two extractors less is later");
    let asked = pb::CheckPlanRequest { units: one_less(), ..Default::default() };
    let fewer = client.check_plan(asked).await.unwrap().into_inner();
    assert!(fewer.fluid.as_ref().unwrap().finish_ms > fluid.finish_ms);
    assert_eq!(fewer.fluid.unwrap().labs[0].stages[3].units, 1);
    assert!(fewer.rules.unwrap().takes_ms > rules.takes_ms);
    let west = pb::StreetMove { street: "990001/990001001".into(), lab: "LW".into() };
    let asked = pb::CheckPlanRequest { moves: vec![west.clone()], ..Default::default() };
    let moved = client.check_plan(asked).await.unwrap().into_inner();
    let by_rules = moved.rules.unwrap();
    assert_ne!(
        (by_rules.takes_ms, &by_rules.binding_place),
        (rules.takes_ms, &rules.binding_place)
    );
    let moved = moved.fluid.unwrap();
    let tubes =
        |fluid: &pb::FluidVerdict| fluid.labs.iter().map(|lab| lab.tubes).collect::<Vec<_>>();
    assert!(tubes(&moved)[1] >= 2_500 && tubes(&moved) != tubes(&fluid), "{:?}", tubes(&moved));
    assert_eq!(tubes(&moved).iter().sum::<u64>(), tubes(&fluid).iter().sum::<u64>());
    for (units, moves, expected) in [
        (vec![units("L?", pb::PlanStage::Extract, 1)], vec![], "NOT_FOUND"),
        (vec![units("LE", pb::PlanStage::Unspecified, 1)], vec![], "INVALID"),
        (vec![units("LE", pb::PlanStage::Pcr, 0)], vec![], "INVALID"),
        (vec![units("LE", pb::PlanStage::Pcr, 1); 1_001], vec![], "INVALID"),
        (vec![], vec![pb::StreetMove { street: "990003".into(), ..west.clone() }], "NOT_FOUND"),
    ] {
        let asked = pb::CheckPlanRequest { target_hours: 0, units, moves };
        assert_eq!(reason(&client.check_plan(asked.clone()).await.unwrap_err()), expected);
        let pb::CheckPlanRequest { units, moves, .. } = asked;
        let asked = pb::SimulatePlanRequest { units, moves, ..Default::default() };
        assert_eq!(reason(&client.simulate_plan(asked).await.unwrap_err()), expected);
    }
    // What can then never end is told, not refused.
    let asked = pb::CheckPlanRequest {
        units: vec![units("LE", pb::PlanStage::Extract, -2)],
        ..Default::default()
    };
    let never = client.check_plan(asked).await.unwrap().into_inner();
    let why = never.unworkable.expect("why it cannot be reckoned");
    assert!(never.fluid.is_none() && why.en.contains("no unit") && why.zh.contains("没有可用设备"));

    let asked = pb::WhatIfRequest {
        lab: "LE".into(),
        stage: pb::PlanStage::Extract.into(),
        units: 1,
        replications: 30,
        ..Default::default()
    };
    let more = client.what_if(asked.clone()).await.unwrap().into_inner();
    assert_eq!((more.units_before, more.units_after, more.pairs), (2, 3, 30));
    assert!(more.saved_ms >= 0.0 && more.fluid_city_after_ms <= more.fluid_city_before_ms);
    said(&more.summary);
    let fewer = pb::WhatIfRequest { units: -1, ..asked.clone() };
    let fewer = client.what_if(fewer).await.unwrap().into_inner();
    assert!(fewer.saved_ms < 0.0, "one of two extractors less is later: {fewer:?}");
    for (request, expected) in [
        (pb::WhatIfRequest { units: -2, ..asked.clone() }, "UNWORKABLE"),
        (pb::WhatIfRequest { units: 0, ..asked.clone() }, "INVALID"),
        (pb::WhatIfRequest { stage: 99, ..asked.clone() }, "INVALID"),
        (pb::WhatIfRequest { lab: "L?".into(), ..asked }, "NOT_FOUND"),
    ] {
        assert_eq!(reason(&client.what_if(request).await.unwrap_err()), expected);
    }
    let asked = pb::CheckPlanRequest { target_hours: 100_000, ..Default::default() };
    let status = client.check_plan(asked).await.unwrap_err();
    assert!(status.message().contains("100000 is out of range: give 1 to 2160"), "{status}");
    let status = client
        .what_if(pb::WhatIfRequest { lab: "L?".into(), units: 1, stage: 4, ..Default::default() })
        .await;
    let status = status.unwrap_err();
    assert!(status.message().contains("no `lab` \"L?\": check it; there are: LE, LW"), "{status}");

    let assigned = client.assign(pb::AssignRequest::default()).await.unwrap().into_inner();
    let streets: Vec<&str> = assigned.streets.iter().map(|one| one.street.as_str()).collect();
    assert_eq!(streets, ["990001/990001001", "990001/990001002", "990002"]);
    let tubes = assigned.streets.iter().map(|one| one.tubes).sum::<u64>();
    assert_eq!(assigned.labs.iter().map(|lab| lab.tubes).sum::<u64>(), tubes);
    assert!(!assigned.cuts.is_empty() && assigned.finish_hours >= assigned.bound_hours - 1e-9);
    said(&assigned.summary);
    let during = pb::AssignRequest { during_round: true, ..Default::default() };
    assert_eq!(reason(&client.assign(during).await.unwrap_err()), "NO_FORECAST");
    let wrong = pb::AssignRequest { penalty_minutes: f64::NAN, ..Default::default() };
    assert_eq!(reason(&client.assign(wrong).await.unwrap_err()), "INVALID");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_lacks_something_is_told_what_and_what_one_unit_more_would_bring() {
    let place = Place::new();
    let file = place.root.path().join("lacking.toml");
    let city = CITY.replacen("extract = { units = 2,", "extract = { units = 0,", 1).replacen(
        "extract = { units = 1,",
        "extract = { units = 0,",
        1,
    );
    std::fs::write(&file, city).unwrap();
    let server = serve(&place, &file);
    let mut client = planning(&server).await;
    let lacks = "East Lab has no unit for extraction (0): add at least one extractor";

    let check = client.check_plan(pb::CheckPlanRequest::default()).await.unwrap().into_inner();
    let answer = said(&check.summary);
    assert!(answer.starts_with("No: ") && answer.contains(lacks), "{answer}");
    let why = check.unworkable.expect("why it cannot be reckoned");
    // Calls that take no units say the same.
    let status = client.assign(pb::AssignRequest::default()).await.unwrap_err();
    assert!(reason(&status) == "UNWORKABLE" && status.message().contains(lacks), "{status}");
    let status = client.get_forecast(pb::GetForecastRequest {}).await.unwrap_err();
    assert!(reason(&status) == "UNWORKABLE" && status.message().contains(lacks), "{status}");

    let asked = pb::WhatIfRequest {
        lab: "LE".into(),
        stage: pb::PlanStage::Extract.into(),
        units: 1,
        replications: 20,
        ..Default::default()
    };
    let cured = client.what_if(asked.clone()).await.unwrap().into_inner();
    assert_eq!(cured.unworkable_before.as_ref(), Some(&why));
    assert_eq!((cured.units_before, cured.units_after, cured.pairs), (0, 1, 20));
    assert_eq!((cured.before_ms, cured.saved_ms, cured.fluid_city_before_ms), (-1.0, 0.0, -1));
    assert!(cured.assigned_anew && cured.after_ms > 0.0);
    let answer = said(&cured.summary);
    assert!(answer.starts_with("As it is, the round is never done: LE East Lab"), "{answer}");
    assert!(answer.contains(" With 1 more for extraction at East Lab the whole city is done in "));
    // The same units make the other plans answer, and end the flows at the same time.
    let one_more = || vec![units("LE", pb::PlanStage::Extract, 1)];
    let request = pb::CheckPlanRequest { units: one_more(), ..Default::default() };
    let check = client.check_plan(request).await.unwrap().into_inner();
    assert_eq!(check.fluid.unwrap().finish_ms, cured.fluid_city_after_ms);
    let request =
        pb::SimulatePlanRequest { units: one_more(), replications: 5, ..Default::default() };
    said(&simulated(&mut client, request).await.summary);
    // Units where they cure nothing.
    let elsewhere = pb::WhatIfRequest { stage: pb::PlanStage::Pcr.into(), ..asked };
    let status = client.what_if(elsewhere).await.unwrap_err();
    assert_eq!(reason(&status), "UNWORKABLE");
    let still = format!("with this change the round is still never done: LE {lacks}");
    assert!(status.message().contains(&still), "{status}");
    server.stop();
}

/// Reads a simulation to its end: progress that never falls, then one result.
async fn simulated(
    client: &mut PlanningClient<Channel>,
    request: pb::SimulatePlanRequest,
) -> pb::SimulationResult {
    use pb::simulate_plan_reply::Body;
    let mut replies = client.simulate_plan(request).await.unwrap().into_inner();
    let mut done = 0;
    while let Some(reply) = replies.next().await {
        match reply.unwrap().body.unwrap() {
            Body::Progress(progress) => {
                assert!(progress.done >= done && progress.done <= progress.of);
                done = progress.done;
            }
            Body::Result(result) => {
                assert!(replies.next().await.is_none(), "the result is the last message");
                return result;
            }
        }
    }
    panic!("no result");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_gives_its_turn_back() {
    let place = Place::new();
    let server = serve(&place, &city_file(&place));
    let mut client = planning(&server).await;
    let long = pb::SimulatePlanRequest { replications: 1_000, ..Default::default() };
    for _ in 0..3 {
        let mut replies = client.simulate_plan(long.clone()).await.unwrap().into_inner();
        replies.next().await.unwrap().unwrap();
    }
    // There is one turn at a time: it comes soon only if the three are not played to their end.
    let begun = Instant::now();
    let short = pb::SimulatePlanRequest { replications: 1, ..Default::default() };
    simulated(&mut client, short).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    server.stop();
}

pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub fn tube(number: u64) -> pb::Fact {
    let who = pb::Identity {
        document_type: pb::DocumentType::Passport.into(),
        number: format!("E{number:08}").into(),
    };
    // Every tenth comes from a desk that nobody imported.
    let desk = if number.is_multiple_of(10) { "D?" } else { "D1" };
    let collected = pb::TubeCollected {
        tube: format!("T{number}"),
        pool: 10,
        desk: desk.into(),
        members: vec![who],
        ..Default::default()
    };
    pb::Fact {
        id: Some(pb::FactId { source: "desk".into(), epoch: 1, number }),
        captured_at_ms: noon() + 1_000,
        round: "R1".into(),
        body: Some(pb::fact::Body::TubeCollected(collected)),
    }
}

/// A district, a street of the town in it, a community in the street, a site in the community with a desk.
pub async fn import(address: &str) {
    use pb::reference_item::Item;
    let jurisdiction = |code: &str, parent: &str, level: pb::Level| {
        let (code, parent) = (code.to_owned(), parent.to_owned());
        let level = level.into();
        Item::Jurisdiction(pb::Jurisdiction { name: code.clone(), code, parent, level })
    };
    let items = [
        jurisdiction("990001", "990000", pb::Level::District),
        jurisdiction("990001002", "990001", pb::Level::Subdistrict),
        jurisdiction("990001002001", "990001002", pb::Level::Community),
        Item::Site(pb::Site {
            code: "S1".into(),
            jurisdiction: "990001002001".into(),
            name: "一号点".into(),
        }),
        Item::Desk(pb::Desk { code: "D1".into(), site: "S1".into() }),
    ];
    let fact = pb::AdministrationFact {
        id: Some(pb::FactId { source: "office".into(), epoch: 2, number: 1 }),
        captured_at_ms: noon() - 1_000,
    };
    let items = items.into_iter().map(|item| pb::ReferenceItem { item: Some(item) }).collect();
    let request = pb::ImportReferenceRequest { fact: Some(fact), file: "town.toml".into(), items };
    let mut client = AdministrationClient::new(connect(address).await.unwrap());
    client.import_reference(request).await.unwrap();
}

/// The metrics endpoint tells what a forecast told. One is made every second, so they are asked for until nothing came
/// between.
async fn gauges_tell_the_forecast(server: &Server, client: &mut PlanningClient<Channel>) {
    let metric = |name: &str| server.metric(&format!("swabline_forecast_{name} "));
    for _ in 0..50 {
        let forecast = client.get_forecast(pb::GetForecastRequest {}).await.unwrap().into_inner();
        let told = ["finish_p50_hours", "in_time_probability", "age_seconds"].map(metric);
        let [Some(finish), Some(in_time), Some(age)] = told else { panic!("{told:?}") };
        let hours = rising(&forecast.finish) as f64 / 3_600_000.0;
        if (finish - hours).abs() < 1e-6 && (in_time - forecast.in_time).abs() < 1e-6 {
            assert!((0.0..30.0).contains(&age), "made a moment ago: {age}");
            assert!(hours > 1.0, "the round began an hour ago: {hours}");
            assert!(metric(r#"forecasts_total{outcome="made"}"#).is_some_and(|made| made >= 1.0));
            assert!(metric("readings_total").is_some_and(|read| read >= 1.0));
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the gauges never were those of the forecast");
}

/// A single tube of somebody who was called back, and a box with twenty tubes on its way: by street, box, lab and stage.
async fn work_in_progress_is_told(
    server: &Server,
    recording: &mut RecordingClient<Channel>,
    watching: &mut Streaming<pb::ForecastReply>,
) {
    use pb::fact::Body;
    let mut single = tube(51);
    if let Some(Body::TubeCollected(collected)) = &mut single.body {
        collected.pool = 1;
    }
    let tubes = (1..=22).filter(|number| number % 10 > 0).map(|number| format!("T{number}"));
    let packed = pb::TubesPacked { r#box: "B1".into(), tubes: tubes.collect() };
    let handed = pb::BoxHandedOver { r#box: "B1".into(), lab: "LE".into(), ..Default::default() };
    let waits = pb::TubesPacked { r#box: "B2".into(), tubes: vec!["T41".into()] };
    let bodies = [Body::TubesPacked(packed), Body::BoxHandedOver(handed), Body::TubesPacked(waits)];
    let facts = bodies.into_iter().zip(60..).map(|(body, number)| pb::Fact {
        id: Some(pb::FactId { source: "desk".into(), epoch: 1, number }),
        body: Some(body),
        ..tube(number)
    });
    let facts = facts.chain([single]).collect();
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    let forecast = loop {
        let next = tokio::time::timeout(Duration::from_secs(30), watching.next()).await;
        let forecast = next.expect("a forecast in time").expect("the stream goes on").unwrap();
        if forecast.counts.unwrap().sent == 20 {
            break forecast;
        }
    };
    let counts = forecast.counts.unwrap();
    // The single tube is no first test of the street.
    assert_eq!((counts.collected, counts.singles_under_way), (45, 1));
    assert_eq!([counts.boxes_packed, counts.boxes_in_transit, counts.boxes_received], [1, 1, 0]);
    assert!(counts.boxes_told);
    let streets = forecast.street_work.iter().filter(|street| street.street == "990001002");
    let sum = |of: fn(&pb::StreetWork) -> u64| streets.clone().map(of).sum::<u64>();
    assert_eq!((sum(|street| street.waiting), sum(|street| street.in_transit)), (25, 20));
    let singles = (sum(|street| street.singles_waiting), sum(|street| street.singles_in_transit));
    assert_eq!(singles, (1, 0));
    let labs: Vec<_> =
        forecast.lab_work.iter().map(|lab| (lab.lab.as_str(), lab.boxes_in_transit)).collect();
    assert_eq!(labs, [("LE", 1), ("LW", 0)]);

    let by = pb::GroupBy::Lab.into();
    let asked = pb::GetProgressRequest { by, ..Default::default() };
    let mut progress = ProgressClient::new(connect(&server.address).await.unwrap());
    let rows = progress.get_progress(asked).await.unwrap().into_inner().rows;
    let boxes: Vec<_> = rows
        .iter()
        .map(|row| (row.code.as_str(), row.boxes, row.boxes_packed, row.boxes_in_transit))
        .collect();
    assert_eq!(boxes, [("", 1, 1, 0), ("LE", 1, 0, 1)]);
}

pub fn office(number: u64) -> Option<pb::AdministrationFact> {
    let id = Some(pb::FactId { source: "office".into(), epoch: 1, number });
    Some(pb::AdministrationFact { id, captured_at_ms: noon() + 1_000 * number as i64 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forecast_follows_the_round_and_survives_a_restart() {
    let place = Place::new();
    let city = city_file(&place);
    let server = serve(&place, &city);
    import(&server.address).await;
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    let facts = (1..=50).map(tube).collect();
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();

    let mut client = planning(&server).await;
    let mut watching =
        client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap().into_inner();
    let forecast = loop {
        let next = tokio::time::timeout(Duration::from_secs(30), watching.next()).await;
        let forecast = next.expect("a forecast in time").expect("the stream goes on").unwrap();
        if forecast.counts.unwrap().collected == 45 {
            break forecast;
        }
    };
    // The five of the unknown desk are told apart; the others are the second street's.
    assert_eq!((forecast.unknown_collected, forecast.round.as_str()), (5, "R1"));
    assert_eq!(forecast.opened_at_ms, noon());
    let minutes = forecast.reading_ms / 60_000;
    assert!((60..70).contains(&minutes), "the round was opened an hour ago: {minutes}");
    rising(&forecast.finish);
    assert_eq!(forecast.labs.len(), 2);
    // Nothing has ended in this folder, so nothing that was forecast can be judged.
    assert_eq!(forecast.past, Some(pb::ForecastsHeld::default()));
    // What is waited for is the planner's to say; that nothing is done yet is certain.
    assert!(![pb::Regime::Unspecified, pb::Regime::Done].contains(&forecast.regime()));
    said(&forecast.summary);
    gauges_tell_the_forecast(&server, &mut client).await;
    work_in_progress_is_told(&server, &mut recording, &mut watching).await;
    drop(watching);

    let during = pb::AssignRequest { during_round: true, ..Default::default() };
    let assigned = client.assign(during).await.unwrap().into_inner();
    assert!(assigned.finish_unchanged_hours > 0.0);
    said(&assigned.summary);
    server.stop();

    let listed = binary().arg("forecasts").arg(place.data()).arg("--json").output().unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let round = &listed["rounds"][0];
    assert!(round["readings"].as_u64().unwrap() > 0 && round["finish_ms"].is_null(), "{round}");
    assert!(!round["forecasts"].as_array().unwrap().is_empty(), "{round}");
    // Each street and laboratory was forecast too; none of them has ended.
    let parts = |of: &str| round[of].as_array().unwrap().clone();
    assert_eq!((parts("streets").len(), parts("labs").len()), (3, 2), "{round}");
    assert!(parts("streets").iter().chain(&parts("labs")).all(|part| part["finish_ms"].is_null()));
    let verified = binary().arg("verify").arg(place.data()).output().unwrap();
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");

    let lines = || {
        let text = std::fs::read_to_string(place.data().join("forecasts")).unwrap();
        text.matches("\"line\":\"reading\"").count()
    };
    let before = lines();
    // A torn line, as a power cut leaves one.
    let mut bytes = std::fs::read(place.data().join("forecasts")).unwrap();
    bytes.extend_from_slice(b"0123456789abcdef {\"line\":\"rea");
    std::fs::write(place.data().join("forecasts"), bytes).unwrap();
    let server = serve(&place, &city);
    let mut client = planning(&server).await;
    let begun = Instant::now();
    let again = loop {
        match client.get_forecast(pb::GetForecastRequest {}).await {
            Ok(reply) => break reply.into_inner(),
            Err(status) => assert_eq!(reason(&status), "NO_FORECAST"),
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no forecast after the restart");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((again.counts.unwrap().collected, again.unknown_collected), (45, 5));
    wait_until("more readings", || lines() > before);
    server.stop();
}
