//! Half load: questions are measured while the service takes facts in at half of what it can. Intake that does not come to
//! that half makes the questions look better than they are.

use serde_json::{Value, json};

/// The share of the half that intake has to keep, for the questions to count as asked at half load.
const KEPT_MIN: f64 = 0.95;

/// Writes into the details what full load is, what half of it was due, and what was kept, in tubes a second.
pub fn half_load(details: &mut Value, full: f64, taken: f64) {
    let due = full / 2.0;
    let kept = taken / due;
    details["ingest_full_tubes_per_s"] = json!(full);
    details["ingest_tubes_per_s_due"] = json!(due);
    details["ingest_tubes_per_s"] = json!(taken);
    details["kept"] = json!(kept);
    details["below_half"] = match kept >= KEPT_MIN {
        true => Value::Null,
        false => json!(format!(
            "intake kept only {:.0} % of the half that was due: the questions were asked at less than half load",
            100.0 * kept
        )),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intake_below_half_load_is_told() {
        for (full, taken, kept, below) in [
            (200.0, 100.0, 1.0, false),
            (200.0, 95.0, 0.95, false),
            (200.0, 94.0, 0.94, true),
            (200.0, 40.0, 0.4, true),
        ] {
            let mut details = json!({ "people": 7 });
            half_load(&mut details, full, taken);
            assert_eq!((&details["kept"], &details["people"]), (&json!(kept), &json!(7)));
            assert_eq!(details["ingest_tubes_per_s_due"], 100.0);
            assert_eq!(details["below_half"].is_string(), below, "{taken} of {full}");
        }
        let mut details = json!({});
        half_load(&mut details, 200.0, 40.0);
        assert!(details["below_half"].as_str().unwrap().contains("40 %"));
    }
}
