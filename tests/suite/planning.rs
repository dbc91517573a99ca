//! Plans over a real socket: the binary with a small city file, and without one. Forecasts: `forecasts`.

use crate::common::{Place, Server, binary, wait_until};
use crate::service::open_round;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use swabline::api::client::{Channel, PlanningClient, Status, connect, pb};
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
pub fn said(text: &Option<pb::Text>) -> String {
    let text = text.clone().expect("a text");
    assert!(text.zh.ends_with('。') && text.en.ends_with('.'), "{text:?}");
    text.en
}

fn units(lab: &str, stage: pb::PlanStage, units: i32) -> pb::UnitChange {
    pb::UnitChange { lab: lab.into(), stage: stage.into(), units }
}

/// The question whether more or fewer extractors at the first laboratory would help.
fn extractors(units: i32, replications: u32) -> pb::WhatIfRequest {
    pb::WhatIfRequest {
        lab: "LE".into(),
        stage: pb::PlanStage::Extract.into(),
        units,
        replications,
        ..Default::default()
    }
}

/// The median of quantiles that rise.
pub fn rising(of: &Option<pb::Quantiles>) -> i64 {
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
    let says = if fluid.in_time { "in time: " } else { "too late: " };
    assert!(answer.starts_with(&format!("By the flows, chance left out, {says}")), "{answer}");
    // A target that nobody can meet, and one that is no target.
    let asked = pb::CheckPlanRequest { target_hours: 1, ..Default::default() };
    let hurry = client.check_plan(asked).await.unwrap().into_inner();
    assert!(!hurry.fluid.unwrap().in_time && said(&hurry.summary).contains("too late: "));
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
        (vec![units("LE", pb::PlanStage::Extract, -1_000)], vec![], "INVALID"),
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

    let asked = extractors(1, 30);
    let more = client.what_if(asked.clone()).await.unwrap().into_inner();
    assert_eq!((more.units_before, more.units_after, more.pairs), (2, 3, 30));
    assert!(more.saved_ms >= 0.0 && more.fluid_city_after_ms <= more.fluid_city_before_ms);
    said(&more.summary);
    let fewer = pb::WhatIfRequest { units: -1, ..asked.clone() };
    let fewer = client.what_if(fewer).await.unwrap().into_inner();
    assert!(fewer.saved_ms < 0.0, "one of two extractors less is later: {fewer:?}");
    let none = pb::WhatIfRequest { units: -2, ..asked.clone() };
    let none = client.what_if(none).await.unwrap().into_inner();
    assert!(none.assigned_anew && none.units_after == 0, "its streets go to the other: {none:?}");
    assert!(none.fluid_city_after_ms > none.fluid_city_before_ms);
    assert_eq!(
        (none.after_ms, none.pairs),
        (-1.0, 0),
        "a lab without tubes has no finish to simulate"
    );
    for (request, expected) in [
        (pb::WhatIfRequest { units: 0, ..asked.clone() }, "INVALID"),
        (pb::WhatIfRequest { units: -3, ..asked.clone() }, "INVALID"),
        (pb::WhatIfRequest { stage: 99, ..asked.clone() }, "INVALID"),
        (pb::WhatIfRequest { lab: "L?".into(), ..asked }, "NOT_FOUND"),
    ] {
        assert_eq!(reason(&client.what_if(request).await.unwrap_err()), expected);
    }
    let asked = pb::CheckPlanRequest { target_hours: 100_000, ..Default::default() };
    let status = client.check_plan(asked).await.unwrap_err();
    assert!(status.message().contains("100000 is out of range: give 1 to 959"), "{status}");
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

/// The document of `swabline plan`, by the guide's arithmetic and the flows.
fn by_command(city: &Path, target_hours: u32) -> Value {
    let output = binary()
        .arg("plan")
        .arg(city)
        .args(["--json", "--replications", "0", "--target", &target_hours.to_string()])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_crews_and_whether_the_list_is_enough_as_the_command_does() {
    let place = Place::new();
    let file = city_file(&place);
    // Tubes are short for any target.
    let city = CITY.replacen("tubes = { physical = 60000,", "tubes = { physical = 1000,", 1);
    std::fs::write(&file, city).unwrap();
    let server = serve(&place, &file);
    let mut client = planning(&server).await;
    let mut enough = Vec::new();
    for target_hours in [8, 24, 48] {
        let asked = pb::CheckPlanRequest { target_hours, ..Default::default() };
        let check = client.check_plan(asked).await.unwrap().into_inner();
        let told = by_command(&file, target_hours);
        let crews = told["crews"].as_array().unwrap();
        assert_eq!((check.crews.len(), check.crews_total), (crews.len(), 14));
        for (crew, line) in check.crews.iter().zip(crews) {
            assert_eq!(crew.district, line["district"], "{line}");
            let [name, unit, mend] = [&crew.item_name, &crew.unit, &crew.mend].map(Option::as_ref);
            for (text, key) in [(name, "item_name"), (unit, "unit"), (mend, "mend")] {
                let text = text.unwrap();
                assert_eq!([&text.zh, &text.en], [&line[key]["zh"], &line[key]["en"]].map(text_of));
            }
            let numbers = [crew.need, crew.have, crew.short, crew.support];
            assert_eq!(
                numbers,
                ["need", "have", "short", "support"].map(|key| line[key].as_u64().unwrap())
            );
            assert_eq!(crew.need_is_least, line["need_is_least"]);
            let origin = &line["have_origin"];
            assert_eq!(crew.have_source, source_of(origin));
            let status = crew.have_status().as_str_name().trim_start_matches("PLAN_STATUS_");
            assert_eq!(status.to_lowercase(), origin["status"]);
            let constants = line["rests_on"].as_array().unwrap();
            for key in &crew.rests_on {
                let constant = check.crews_rest_on.iter().find(|one| one.key == *key).unwrap();
                let line = constants.iter().find(|one| one["key"] == **key).unwrap();
                assert_eq!(
                    (&*constant.value, &*constant.source),
                    (text_of(&line["value"]), &*source_of(&line["origin"]))
                );
            }
        }
        let (shortages, lines) = (check.rules.unwrap().shortages, &told["shortages"]);
        assert_eq!(shortages.len(), lines.as_array().unwrap().len());
        for (shortage, line) in shortages.iter().zip(lines.as_array().unwrap()) {
            let basis = shortage.basis().as_str_name().trim_start_matches("PLAN_BASIS_");
            assert_eq!(basis.to_lowercase(), line["basis"]);
            let name = shortage.basis_name.as_ref().unwrap();
            assert_eq!(
                [&name.zh, &name.en],
                [&line["basis_name"]["zh"], &line["basis_name"]["en"]].map(text_of)
            );
            assert_eq!(shortage.support, line["support"].as_u64().unwrap());
            assert_eq!(shortage.deadline, line["deadline"].as_str().unwrap_or_default());
            let owners: Vec<&str> =
                line["owners"].as_array().unwrap().iter().map(text_of).collect();
            assert_eq!(shortage.held_by, owners);
        }
        filing_as_the_command_has_it(check.filing.unwrap(), &told);
        let (filled, line) = (check.shortages_filled.unwrap(), &told["shortages_filled"]);
        assert_eq!(filled.meets_target, line["meets_target"]);
        enough.push(filled.meets_target);
        let hours = |ms: i64| (ms as f64 / 36e3).round() / 100.0;
        assert_eq!(hours(filled.finish_ms), line["finish_hours"]);
        assert_eq!(hours(filled.slack_ms), line["slack_hours"]);
        let (binding, line) = (filled.binding.as_ref().unwrap(), &line["binding"]);
        let named = |name: &str| name.rsplit('_').next().unwrap().to_lowercase();
        assert_eq!(binding.lab, line["lab"]);
        assert_eq!(named(binding.stage().as_str_name()), line["stage"]);
        assert_eq!(named(binding.held_by().as_str_name()), line["held_by"]);
        let from = line["binds_from"]["ms"].as_i64().unwrap_or(-1);
        assert_eq!(binding.binds_from_ms, from);
        assert_eq!(binding.units_working, line["units_working"]);
        assert_eq!(binding.units_needed, line["units_needed"].as_i64().unwrap_or(-1));
        // The command says also where in its report it tells what is needed beside the list.
        let (said, sentence) = (said(&filled.summary), &told["shortages_filled"]["sentence"]["en"]);
        assert!(text_of(sentence).starts_with(said.trim_end_matches('.')), "{said} {sentence}");
    }
    assert_eq!(enough, [false, false, true]);
    server.stop();
}

/// Which number to file is told as by the command, which searches measures besides.
fn filing_as_the_command_has_it(filing: pb::PlanFiling, told: &Value) {
    let (line, measures) = (&told["filing"], told["layers"]["remedy"].is_object());
    let sentence = filing.sentence.unwrap();
    let both = [(&sentence.zh, "zh", "。按班次计"), (&sentence.en, "en", ". People and")];
    for (said, language, cut) in both {
        let by_command = text_of(&line["sentence"][language]);
        // What the command says of its measures besides stands before the last sentence.
        let (first, last) = said.split_once(cut).unwrap();
        assert!(by_command.starts_with(first) && by_command.ends_with(last), "{by_command}");
        assert_eq!(said == by_command, !measures, "{said} {by_command}");
    }
    let number = |n: i64| u64::try_from(n).ok();
    let mut asked = filing.compared.iter();
    let mut by_measures = 0;
    for line in line["compared"].as_array().unwrap() {
        let (have, listed) = (line["have"].as_u64().unwrap(), line["listed"].as_u64().unwrap());
        let flows = line["flows"].as_u64();
        let stock = line["basis"] == "physical_rounds";
        if listed <= have && flows.is_none_or(|flows| flows <= have) && !stock {
            // Only measures ask for it.
            by_measures += 1;
            continue;
        }
        let one = asked.next().unwrap();
        let texts =
            [(&one.place_name, "place_name"), (&one.item, "item_name"), (&one.unit, "unit")];
        for (text, key) in texts.into_iter().chain([(&one.basis_name, "basis_name")]) {
            let text = text.as_ref().unwrap();
            assert_eq!([&text.zh, &text.en], [&line[key]["zh"], &line[key]["en"]].map(text_of));
        }
        let basis = one.basis().as_str_name().trim_start_matches("PLAN_BASIS_");
        assert_eq!(
            (&*one.place, &*basis.to_lowercase()),
            (text_of(&line["place"]), text_of(&line["basis"]))
        );
        assert_eq!((one.have, one.listed, number(one.flows)), (have, listed, flows));
        assert_eq!(!one.no_number_helps, line["flows_any_number_helps"]);
        if stock {
            assert_eq!(number(one.measures), line["measures"].as_u64());
        }
    }
    assert!(asked.next().is_none() && (by_measures == 0 || measures));
    assert_eq!(filing.compared_total as usize, filing.compared.len());
    assert!(filing.compared.iter().any(|one| one.measures >= 0), "the shelf lacks tubes");
    let tubes = line["tubes"].as_array().unwrap();
    assert_eq!(filing.tubes.len(), tubes.len());
    for (one, line) in filing.tubes.iter().zip(tubes) {
        assert_eq!(
            (&*one.lab, one.name.as_ref().unwrap().en.as_str()),
            (text_of(&line["lab"]), text_of(&line["name"]["en"]))
        );
        assert_eq!(
            (one.listed, one.sent),
            (line["listed"].as_u64().unwrap(), line["sent"].as_u64().unwrap())
        );
    }
}

/// The source of an origin as the API tells it: both languages in one text.
fn source_of(origin: &Value) -> String {
    let (zh, en) = (text_of(&origin["source"]), text_of(&origin["source_en"]));
    if zh == en { zh.to_owned() } else { format!("{zh} / {en}") }
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
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

    let asked = extractors(1, 20);
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
