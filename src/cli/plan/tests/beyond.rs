//! Rounds that are not done within the forty days that are reckoned, and the longest target.

use super::layers::asked;
use super::*;

const JIYUAN: &str = include_str!("../../../../deploy/cities/jiyuan.toml");

/// Jiyuan with so many cyclers, and more in its file.
fn jiyuan(cyclers: u32, more: &str) -> String {
    let all = JIYUAN.replace("pcr = { units = 32,", &format!("pcr = {{ units = {cyclers},"));
    assert!(all != JIYUAN || cyclers == 32);
    all + more
}

fn answered(text: &str, change: impl FnOnce(&mut PlanArgs)) -> (String, u8) {
    let (_folder, mut args) = asked(text);
    args.lang = Some(Lang::En);
    change(&mut args);
    answer(&args).expect("an answer")
}

#[test]
fn a_round_that_chance_takes_beyond_the_horizon_says_so() {
    let slow = "\n[field]\nsite_spread_percent = { value = 200, status = \"assumed\", source = \"assumed\" }\n";
    for (text, target, replications) in
        [(jiyuan(4, ""), Some(480), 300), (jiyuan(32, slow), None, 50)]
    {
        let (text, code) = answered(&text, |args| {
            args.target = target;
            args.replications = replications;
        });
        assert!(text.contains("9. Simulation") && [0, EXIT_NO].contains(&code), "{text}");
        assert!(!text.contains("1193 h"), "{text}");
    }
    // Nearly everybody is infected: eleven times the tubes.
    let all = "\n[prevalence]\nalpha = { value = 30, status = \"assumed\", source = \"assumed\" }\n\
        beta = { value = 70, status = \"assumed\", source = \"assumed\" }\n";
    let (text, code) = answered(&jiyuan(6, all), |args| args.replications = 20);
    assert_eq!(code, EXIT_NO);
    assert!(
        text.contains("days even without any waiting, over the 20 that can be planned"),
        "{text}"
    );
}

/// Of the longest target every layer says by how much it is met; what is longer is refused where it is read.
#[test]
fn the_longest_target_is_met_with_all_of_its_slack() {
    let answer = |hours| {
        let (text, code) = answered(&jiyuan(32, ""), |args| {
            (args.target, args.replications, args.json) = (Some(hours), 0, true);
        });
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((code, &json["layers"]["target_ms"]), (0, &(hours * 3_600_000).into()));
        json["layers"]["flow"]["labs"][0]["stages"][0]["slack_hours"].as_f64().expect("a slack")
    };
    let (short, long) = (answer(900), answer(TARGET_HOURS_MAX));
    assert!((long - short - 59.0).abs() < 1e-6, "{short} {long}");
}
