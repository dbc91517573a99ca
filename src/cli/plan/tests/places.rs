//! Streets with a pool size of their own, and labs of other cities, as the user sees them.

use super::layers::{TINY, asked};
use super::*;

/// The small city with two streets in the east, one of them sealed, and another city's lab.
fn with_streets_and_a_lab_outside() -> String {
    let streets = "
[[district.street]]
code = \"999901001\"
name = \"一街\"
name_en = \"First\"
population = { value = 55000, status = \"assumed\", source = \"made_up\" }

[[district.street]]
code = \"999901002\"
name = \"二街\"
name_en = \"Second\"
zone = \"sealed\"
population = { value = 5000, status = \"assumed\", source = \"made_up\" }

[[district]]
code = \"999902\"";
    let lab = "
[[lab]]
code = \"L3\"
name = \"邻市实验室\"
name_en = \"Neighbour lab\"
outside = true
serves = [\"999901\"]
status = \"assumed\"
source = \"made_up\"
receive = { units = 2, staff = 6 }
inactivate = { units = 6 }
decap = { units = 6, staff = 36 }
extract = { units = 4, run_minutes = 30, load_minutes = 4, wells = 96, usable = 94 }
setup = { units = 2, staff = 6 }
pcr = { units = 14, run_minutes = 108, load_minutes = 0, wells = 96, usable = 94 }
review = { units = 1, staff = 3 }
";
    TINY.replacen("\n[[district]]\ncode = \"999902\"", streets, 1) + lab
}

#[test]
fn a_sealed_street_counts_its_own_tubes_and_what_is_too_much_goes_outside_apart() {
    let (_folder, args) = asked(&with_streets_and_a_lab_outside());
    let (text, _) = answer(&PlanArgs { lang: Some(Lang::En), ..args.clone() }).expect("an answer");
    // 5,500 tubes of ten and 5,000 single ones, where one district of ten to a tube would have 6,000.
    let once = "tubes 11,500 (1–20 persons to a tube, each size rounded once)";
    assert!(text.contains(once), "{text}");
    let east = text.lines().find(|line| line.trim_start().starts_with("East ")).expect("east");
    assert!(east.contains(" 10,500 "), "{east}");
    let (own, outside) = text
        .split_once("labs of other cities (only what the city's own cannot take)")
        .expect("labs of other cities apart");
    assert!(own.contains("L1 East lab") && !own.contains("  L3 Neighbour lab"));
    // Of its own, two extractors do 30 runs of 94 each: 5,640. Outside, six cabinets do 23 at 85 %.
    for words in ["L3 Neighbour lab 4,860", "(by the assignment: see there): 11,026 / 4,860"] {
        assert!(outside.contains(words), "{words}\n{outside}");
    }
    // Whole streets take fewer out than must go, or more; both numbers stand in one sentence with the reason.
    let why = "One-to-one a street is not divided and goes or stays as a whole: 1 street with 5,500 tubes goes, 408 fewer than must, \
               so it ends only at 25.7 h.";
    assert!(
        text.contains(&format!("At least 5,908 tubes must go to other cities. {why}")),
        "{text}"
    );
    assert!(text.contains(&format!("to 1 lab. {why}")), "{text}");
    let (text, _) = answer(&PlanArgs { json: true, ..args }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    for (pointer, value) in [
        ("/districts/0/tubes", serde_json::json!(10_500)),
        ("/districts/0/persons_per_tube", serde_json::json!(1)),
        ("/districts/0/persons_per_tube_most", serde_json::json!(10)),
        ("/labs/0/outside", serde_json::json!(false)),
        ("/labs/2/outside", serde_json::json!(true)),
        ("/labs/2/load", serde_json::json!(4860)),
        ("/labs/0/stages/2/derate_percent", serde_json::json!(85.0)),
        ("/labs/0/stages/3/derate_percent", serde_json::json!(100.0)),
        // 55,000 people of the east by ten, 5,000 one by one, and 20,000 of the west by twenty.
        ("/total/city_ceilings/tubes", serde_json::json!(11_500)),
        ("/total/city_ceilings/persons_per_tube", serde_json::json!({ "low": 1, "high": 20 })),
        ("/total/outside_lab_tubes", serde_json::json!(11_026)),
        ("/total/tubes_sent_outside", serde_json::json!(4860)),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
}
