//! What is forecast is kept, of rounds that were closed and of drills, and `swabline forecasts` tells it.

use crate::common::{Place, Server, binary, fact, noon, open, submit};
use crate::planning::{city_file, import, office, planning, reason, tube, wait_until};
use crate::service::open_round;
use std::path::Path;
use std::time::Duration;
use swabline::api::client::{AdministrationClient, RecordingClient, connect, pb};
use swabline::domain::fact::Body;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_forecast_by_its_own_clock_and_whoever_has_not_moved_it_is_told_so() {
    let place = Place::new();
    let city = city_file(&place).display().to_string();
    let environment = [
        ("SWABLINE_PLANNER__CITY", city.as_str()),
        ("SWABLINE_KIND", "drill"),
        ("SWABLINE_LOG__FILTER", "info"),
    ];
    let server = Server::start_with(&place.data(), &place.keys(), &environment);
    let mut client = planning(&server).await;
    // As an office moves it, and then as a player does.
    let url = format!("http://{}", server.address);
    let words = ["round", "tick", "--server", &url, "--to", "2020-01-01T06:00:00+08:00"];
    let out = binary().args(words).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let mut administration = AdministrationClient::new(connect(&server.address).await.unwrap());
    let first = pb::TickRequest { fact: office(2), now_ms: noon() };
    administration.tick(first).await.unwrap();
    // Who turns it back is told that it does not go.
    let out = binary().args(words).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(text.contains("did not move: it stands at") && text.contains("只能向前"), "{text}");
    import(&server.address).await;
    open_round(&server.address, "R1", "r1").await;
    wait_until("the first reading", || {
        std::fs::read_to_string(place.data().join("forecasts"))
            .is_ok_and(|text| text.contains("\"line\":\"reading\""))
    });
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    let facts = vec![tube(1), tube(2), tube(3)];
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    // Time stands still: no reading, no forecast, and why.
    std::thread::sleep(Duration::from_millis(1_500));
    let status = client.get_forecast(pb::GetForecastRequest {}).await.unwrap_err();
    assert_eq!(reason(&status), "NO_FORECAST");
    assert!(status.message().contains("swabline round tick"), "{}", status.message());
    let later = pb::TickRequest { fact: office(3), now_ms: noon() + 600_000 };
    administration.tick(later).await.unwrap();
    let mut told = None;
    for _ in 0..200 {
        match client.get_forecast(pb::GetForecastRequest {}).await {
            Ok(reply) => told = Some(reply.into_inner()),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
        if told.is_some() {
            break;
        }
    }
    assert!(
        told.is_some_and(|told| told.round == "R1"),
        "a forecast after ten minutes of the drill"
    );
    server.stop();
    // A log that goes into a file has no colours.
    let log = std::fs::read_to_string(place.data().with_extension("log")).unwrap();
    assert!(log.contains("listening") && !log.contains('\u{1b}'), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_forecast_of_tubes_at_unknown_places_is_told_that() {
    let place = Place::new();
    let city = city_file(&place).display().to_string();
    let environment = [("SWABLINE_PLANNER__CITY", city.as_str()), ("SWABLINE_KIND", "drill")];
    let server = Server::start_with(&place.data(), &place.keys(), &environment);
    let mut client = planning(&server).await;
    let mut administration = AdministrationClient::new(connect(&server.address).await.unwrap());
    let first = pb::TickRequest { fact: office(2), now_ms: noon() };
    administration.tick(first).await.unwrap();
    import(&server.address).await;
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    // Its desk was never imported.
    let facts = vec![tube(10)];
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    let later = pb::TickRequest { fact: office(3), now_ms: noon() + 600_000 };
    administration.tick(later).await.unwrap();
    let mut told = String::new();
    for _ in 0..100 {
        let status = client.get_forecast(pb::GetForecastRequest {}).await.unwrap_err();
        assert_eq!(reason(&status), "NO_FORECAST");
        told = status.message().to_owned();
        if told.contains("the only tube was collected at places that the city file does not name") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(told.contains("does not name"), "{told}");
    server.stop();
}

#[test]
fn what_a_drill_leaves_behind_is_forecasts_and_what_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("drill");
    let played =
        binary().args(["demo", "--people", "20000", "--keep"]).arg(&folder).output().unwrap();
    assert_eq!(played.status.code(), Some(0), "{played:?}");
    let said = String::from_utf8_lossy(&played.stderr).into_owned();
    assert!(said.contains("swabline forecasts "), "{said}");
    let out = binary().arg("forecasts").arg(folder.join("data")).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    for words in ["done after ", "opening at 2022-04-18 05:00, China time", "80 % interval held "] {
        assert!(told.contains(words), "{words:?} in {told}");
    }
    assert!(!told.contains("not finished") && !told.contains("no forecast"), "{told}");
}
