//! The forecast of a drill, whose time goes by its own clock alone, over a real socket; and what a drill leaves behind.

use crate::common::{Place, Server, binary, collected, fact, noon, seqs, submit, wait_until};
use crate::forecasts::{import, next, office, tube};
use crate::planning::{city_file, planning, reason, said};
use crate::service::open_round;
use std::time::Duration;
use swabline::api::client::{
    AdministrationClient, Channel, PlanningClient, RecordingClient, Status, Streaming, connect, pb,
};
use swabline::domain::fact::Body;
use tokio_stream::StreamExt;

/// Why there is none any more, after the forecasts that still come.
async fn none(watching: &mut Streaming<pb::ForecastReply>) -> pb::Text {
    loop {
        let forecast = next(watching).await;
        if let Some(because) = forecast.none_because {
            assert_eq!(forecast.round, "");
            return because;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stood_when_a_drills_clock_moved_on_is_kept_until_it_moves_again() {
    use swabline::domain::Time;
    let dir = tempfile::tempdir().unwrap();
    let options = swabline::store::Options::default();
    let kind = Some(swabline::store::FolderKind::Drill);
    let store = swabline::store::Store::open(dir.path(), kind, &options).unwrap();
    let engine =
        swabline::engine::Engine::start(store, &swabline::engine::Options::default()).unwrap();
    let handle = engine.handle();
    let tick = |number: u64, minute: i64| {
        let now = Time(noon() + minute * 60_000);
        fact("player", number, Body::ClockTicked { now })
    };
    let stood = || handle.feed().stood().map(|stood| (stood.at, stood.figures.seq));
    submit(&engine, &[tick(1, 0)]).await;
    let said = submit(&engine, &[fact("desk", 1, collected("T1", 0..10))]).await;
    let said = seqs(&said)[0];
    submit(&engine, &[tick(2, 15)]).await;
    // All that was said before it moved on, and nothing that comes with the new time.
    let first = Some((Time(noon()), said));
    assert_eq!(stood(), first);
    submit(&engine, &[fact("desk", 2, collected("T2", 10..20))]).await;
    assert!(stood() == first && handle.feed().figures().seq > said);
    // A clock that is told to go back has not moved.
    submit(&engine, &[tick(3, 10)]).await;
    assert_eq!(stood(), first);
    submit(&engine, &[tick(4, 30)]).await;
    let second = stood().unwrap();
    assert!(second.0 == Time(noon() + 15 * 60_000) && second.1 > said + 1, "{second:?}");
    engine.stop().unwrap();
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
    // Nothing yet: who watches is told so at once, and again when a round is open.
    let mut watching =
        client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap().into_inner();
    let because = next(&mut watching).await.none_because.expect("why there is none").en;
    assert!(because.contains("no round is open: open one, and after its first tube"), "{because}");
    assert!(!because.contains("swabline forecasts"), "nothing is kept yet: {because}");
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
    let because = next(&mut watching).await.none_because.expect("why there is none").en;
    assert!(because.contains("the round R1 is open and nothing was forecast of it yet: after its"));
    drop(watching);
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
    // Who watches is told of the forecast at once, and that there is none any more when the round is closed.
    let mut watching =
        client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap().into_inner();
    let first = next(&mut watching).await;
    assert!(first.none_because.is_none() && first.round == "R1", "{first:?}");
    // Weeks later, when nobody has closed it, nothing happens but that time goes by.
    let weeks = pb::TickRequest { fact: office(4), now_ms: noon() + 60 * 24 * 3_600_000 };
    administration.tick(weeks).await.unwrap();
    let because = none(&mut watching).await;
    assert!(because.en.contains("60 days") && because.zh.contains("60 天"), "{because:?}");
    let closed = pb::CloseRoundRequest { fact: office(5), round: "R1".into() };
    administration.close_round(closed).await.unwrap();
    let because = none(&mut watching).await;
    assert!(because.en.contains("no round is open") && because.zh.contains("没有开放的轮次"));
    assert!(because.en.contains("`swabline forecasts DIR`"), "{}", because.en);
    assert!(because.zh.contains("swabline forecasts "), "{}", because.zh);
    let status = client.get_forecast(pb::GetForecastRequest {}).await.unwrap_err();
    assert_eq!((reason(&status), status.message()), ("NO_FORECAST".into(), &*because.en));
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

/// What is said first of a reading at this time, in milliseconds from the opening.
async fn forecast_at(ms: i64, watching: &mut Streaming<pb::ForecastReply>) -> String {
    loop {
        let forecast = next(watching).await;
        if forecast.none_because.is_none() && forecast.reading_ms == ms {
            return said(&forecast.summary);
        }
    }
}

/// A simulation that outlasts the test, once it runs or waits for its turn.
async fn simulation(
    client: &mut PlanningClient<Channel>,
) -> Result<Streaming<pb::SimulatePlanReply>, Status> {
    let asked = pb::SimulatePlanRequest { replications: 1_000_000, ..Default::default() };
    let mut replies = client.simulate_plan(asked).await?.into_inner();
    replies.next().await.expect("a message").map(|_| replies)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_plans_keeps_the_forecast_waiting_and_an_old_one_says_how_old_it_is() {
    let place = Place::new();
    let city = city_file(&place).display().to_string();
    let environment = [
        ("SWABLINE_PLANNER__CITY", city.as_str()),
        ("SWABLINE_KIND", "drill"),
        ("SWABLINE_ENGINE__PLANNING_MAX", "1"),
        ("SWABLINE_PLANNER__PLANS_WAITING_MAX", "1"),
        ("SWABLINE_PLANNER__REPLICATIONS_MAX", "1000000"),
    ];
    let server = Server::start_with(&place.data(), &place.keys(), &environment);
    let mut client = planning(&server).await;
    let mut administration = AdministrationClient::new(connect(&server.address).await.unwrap());
    let mut minutes = 0;
    let mut tick = async |more: i64| {
        minutes += more;
        let now_ms = noon() + minutes * 60_000;
        let moved = pb::TickRequest { fact: office(2 + minutes as u64), now_ms };
        administration.tick(moved).await.unwrap();
        minutes * 60_000
    };
    tick(0).await;
    import(&server.address).await;
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    let facts = vec![tube(1), tube(2), tube(3)];
    recording.record_batch(pb::RecordBatchRequest { facts, ..Default::default() }).await.unwrap();
    let mut watching =
        client.watch_forecast(pb::WatchForecastRequest {}).await.unwrap().into_inner();
    next(&mut watching).await.none_because.expect("no forecast yet");

    // One runs, one waits, and no other is let in, neither before the forecast nor after it.
    let running = simulation(&mut client).await.unwrap();
    let waiting = simulation(&mut client).await.unwrap();
    let refused = simulation(&mut client).await.expect_err("all places are taken");
    assert_eq!(reason(&refused), "OVERLOADED");
    let told = forecast_at(tick(10).await, &mut watching).await;
    assert!(!told.contains(" old: "), "{told}");
    let refused = simulation(&mut client).await.expect_err("all places are taken still");
    assert_eq!(reason(&refused), "OVERLOADED");
    drop((running, waiting));

    // A drill is not read while what happened is still coming in, though its clock has moved on.
    let feeding = tokio::spawn(async move {
        for number in (1..).filter(|number| number % 10 > 0).skip(3) {
            let facts = vec![tube(number)];
            let batch = pb::RecordBatchRequest { facts, ..Default::default() };
            recording.record_batch(batch).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let (mut now, mut old) = (0, String::new());
    // On a machine that stood still for seconds it was read all the same.
    for _ in 0..5 {
        now = tick(115).await;
        old = said(&next(&mut watching).await.summary);
        if old.contains(" old: ") {
            break;
        }
    }
    assert!(old.starts_with("This forecast is 1 h 55 min old: "), "{old}");
    let asked = client.get_forecast(pb::GetForecastRequest {}).await.unwrap().into_inner();
    assert_eq!(said(&asked.summary), old);
    feeding.abort();
    let told = forecast_at(now, &mut watching).await;
    assert!(!told.contains(" old: "), "{told}");
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
    // A city of one plate to a laboratory is the hardest to forecast; half-way, the middle is within a tenth of the end all the same,
    // and what is told to be nearly certain is nearer to the end than when the first tubes came in.
    let out = binary().arg("forecasts").arg(folder.join("data")).arg("--json").output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a document");
    let round = &told["rounds"][0];
    let of = |one: &serde_json::Value, key: &str| one[key].as_f64().expect("a number");
    let finish = of(round, "finish_ms");
    let forecasts = round["forecasts"].as_array().expect("forecasts");
    let off = |one: &serde_json::Value| of(one, "error_ms").abs() / finish;
    let half = forecasts.iter().find(|one| of(one, "at_ms") * 2.0 >= finish).expect("half-way");
    assert!(off(half) < 0.1, "{half}");
    let [first, last] = [forecasts.first(), forecasts.last()].map(|one| off(one.expect("one")));
    assert!(last < 0.02 && last < first, "{first} and then {last}");
}
