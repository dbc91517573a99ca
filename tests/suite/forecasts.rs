//! The forecast of the open round over a real socket. What is forecast is kept, of rounds that were closed too, and `swabline
//! forecasts` tells it. Drills: `drill_forecasts`.

use crate::common::{Place, Server, binary, fact, noon, open, submit, wait_until};
use crate::planning::{city_file, planning, reason, rising, said, serve};
use crate::service::open_round;
use std::path::Path;
use std::time::{Duration, Instant};
use swabline::api::client::{
    AdministrationClient, Channel, PlanningClient, ProgressClient, RecordingClient, Streaming,
    connect, pb,
};
use swabline::domain::fact::Body;
use tokio_stream::StreamExt;

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
        if forecast.counts.is_some_and(|counts| counts.sent == 20) {
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

/// The next message of a watch.
pub async fn next(watching: &mut Streaming<pb::ForecastReply>) -> pb::ForecastReply {
    let next = tokio::time::timeout(Duration::from_secs(30), watching.next()).await;
    next.expect("a message in time").expect("the stream goes on").unwrap()
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
        if forecast.counts.is_some_and(|counts| counts.collected == 45) {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_is_two_months_ahead_spoils_no_forecast() {
    let place = Place::new();
    let server = serve(&place, &city_file(&place));
    import(&server.address).await;
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    // Every second tube is of that device, some with their round, some without.
    let ahead = 61 * 24 * 3_600_000;
    let facts = (1..=50).map(|number| match number % 4 {
        1 => pb::Fact { captured_at_ms: noon() + ahead, ..tube(number) },
        3 => pb::Fact { captured_at_ms: noon() + ahead, round: String::new(), ..tube(number) },
        _ => tube(number),
    });
    let facts = facts.collect();
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    let mut client = planning(&server).await;
    let mut watching =
        client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap().into_inner();
    let forecast = loop {
        let forecast = next(&mut watching).await;
        // All of them count, but for those of the desk that nobody imported.
        if forecast.counts.is_some_and(|counts| counts.collected == 45) {
            break forecast;
        }
    };
    let minutes = forecast.reading_ms / 60_000;
    assert!((60..70).contains(&minutes), "the round was opened an hour ago: {minutes}");
    for at in [rising(&forecast.sampled), rising(&forecast.finish)] {
        assert!((forecast.reading_ms..4 * 24 * 3_600_000).contains(&at), "{at} ms");
    }
    said(&forecast.summary);
    // The next ones go on from there.
    let later = next(&mut watching).await;
    assert!(later.reading_ms > forecast.reading_ms && later.none_because.is_none(), "{later:?}");
    server.stop();
}

/// The rounds that `forecasts` says were closed.
fn closed_rounds(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.data().join("forecasts")).unwrap_or_default();
    let closed =
        text.lines().filter_map(|line| line.split_once("\"line\":\"closed\",\"round\":\""));
    closed.filter_map(|(_, rest)| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_round_that_was_closed_has_its_last_line() {
    let place = Place::new();
    let environment = [("SWABLINE_PLANNER__FORECAST_SECONDS", "1")];
    let start = || Server::start_with(&place.data(), &place.keys(), &environment);
    let readings_of = |round: &str| {
        let text = std::fs::read_to_string(place.data().join("forecasts")).unwrap_or_default();
        text.matches(&format!("\"line\":\"reading\",\"round\":\"{round}\"")).count()
    };
    let server = start();
    open_round(&server.address, "R1", "r1").await;
    wait_until("a reading of the first round", || readings_of("R1") > 0);
    // Left for a newer one: it is still open, so it has no last line yet.
    let opened = pb::OpenRoundRequest {
        fact: office(2),
        round: "R2".into(),
        name: "第二轮".into(),
        key_id: "r2".into(),
        pool: 10,
    };
    let mut administration = AdministrationClient::new(connect(&server.address).await.unwrap());
    administration.open_round(opened).await.unwrap();
    wait_until("a reading of the second round", || readings_of("R2") > 0);
    assert_eq!(closed_rounds(&place), [""; 0]);
    // It goes on all the same, and its last reading says how far it came.
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    let facts = vec![tube(1), tube(2), tube(3)];
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    let closed = pb::CloseRoundRequest { fact: office(3), round: "R1".into() };
    administration.close_round(closed).await.unwrap();
    wait_until("the last line of the first", || closed_rounds(&place) == ["R1"]);
    let text = std::fs::read_to_string(place.data().join("forecasts")).unwrap();
    let last = text.lines().rfind(|line| line.contains(r#""line":"reading","round":"R1""#));
    assert!(last.is_some_and(|line| line.contains(r#""collected":3"#)), "{last:?}");
    server.stop();
    // Closed while nobody looks: as if by another program on the same folder.
    let engine = open(&place.data());
    let close = swabline::domain::fact::Fact {
        round: "R2".into(),
        ..fact("office", 4, Body::RoundClosed {})
    };
    submit(&engine, &[close]).await;
    engine.stop().unwrap();
    assert_eq!(closed_rounds(&place), ["R1"]);
    let server = start();
    wait_until("the last line of the second", || closed_rounds(&place) == ["R1", "R2"]);
    server.stop();
    // Once is enough.
    let server = start();
    std::thread::sleep(Duration::from_millis(2_500));
    server.stop();
    assert_eq!(closed_rounds(&place), ["R1", "R2"]);
}

#[test]
fn forecasts_of_what_is_no_data_folder_say_so_and_where_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let of = |dir: &Path| {
        let out = binary().arg("forecasts").arg(dir).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    for (path, hint) in [(dir.path().join("nowhere"), false), (dir.path().to_owned(), false)] {
        let (code, said) = of(&path);
        assert!(code == Some(64) && said.contains("not a data folder"), "{said}");
        assert!(said.contains("不是数据目录") && said.contains("did you mean") == hint, "{said}");
    }
    let within = dir.path().join("data");
    let options = swabline::store::Options::default();
    swabline::store::Store::open(&within, None, &options).unwrap().close().unwrap();
    let (code, said) = of(dir.path());
    assert!(code == Some(64) && said.contains(&within.display().to_string()), "{said}");
    assert_eq!(of(&within), (Some(0), String::new()));
}
