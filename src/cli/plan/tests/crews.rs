//! Shifts, teams, vehicles and trips of each district, in every form of the report, with what they rest on.

use super::layers::{TINY, asked};
use super::sheet::{Cell, sheets};
use super::*;

/// A fleet for the east: too small.
const FLEET: &str = "[district.fleet]\nstatus = \"sourced\"\nsource = \"made_up\"\nvehicles = 1\ncapacity_tubes = 300\n";

fn town() -> String {
    TINY.replacen("[district.have]", &format!("{FLEET}\n[district.have]"), 1)
}

#[test]
fn a_district_is_told_its_shifts_teams_vehicles_and_trips() {
    let (_folder, args) = asked(&town());
    let text = |lang| {
        let asked = PlanArgs { lang: Some(lang), ..args.clone() };
        let text = answer(&asked).expect("an answer").0;
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (en, zh) = (text(Lang::En), text(Lang::Zh));
    for words in [
        "East 1/1 64/80 167/160 (−7) 75/80 75/80 ≥2/1 (−1) ≥20/13 (−7) assumed / sourced",
        "≥: a district whose streets the city file does not name is taken for one street; vehicles and trips are the least that it can need, more with each street",
        "2/0 (−2) is 2 needed, 0 there, 2 short",
        "Desk-shifts: one desk with its people for one shift. Needed: persons / (persons per desk and hour × hours of a shift).",
        "persons per desk and hour 118.7 persons measured",
        "registrars per desk 1 persons assumed",
        "transport: tubes of one trip 2000 tubes assumed",
        "East: tubes of one trip 300 tubes sourced",
    ] {
        assert!(en.contains(words), "{words}\n{en}");
    }
    for words in [
        "东区 1/1",
        "≥2/1 (−1)",
        "按一个街道计，车辆和趟次为最低需要",
        "假定 / 公布",
        "每个所需采样台每班一组，每组 1 名采样人员和规定的登记人员",
        "每台登记人员 1 人 假定",
    ] {
        assert!(zh.contains(words), "{words}\n{zh}");
    }
}

#[test]
fn the_document_and_the_sheet_say_what_each_line_rests_on() {
    let (_folder, args) = asked(&town());
    let json = answer(&PlanArgs { json: true, ..args.clone() }).expect("an answer").0;
    let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
    let vehicles = &json["crews"][5];
    assert_eq!((&vehicles["district"], &vehicles["item"]), (&"999901".into(), &"vehicles".into()));
    for (key, n) in [("need", 2), ("have", 1), ("short", 1), ("support", 1)] {
        assert_eq!(vehicles[key], n, "{key}");
    }
    assert_eq!(vehicles["have_origin"]["status"], "sourced");
    let least = |at: usize| json["crews"][at]["need_is_least"].as_bool().expect("it is said");
    assert_eq!([0, 4, 5, 6].map(least), [false, false, true, true], "no street is named");
    let keys = vehicles["rests_on"].as_array().expect("a list").iter().map(|c| &c["key"]);
    assert!(
        keys.clone().any(|key| key == "district[999901].fleet.capacity_tubes") && keys.count() == 5
    );
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    let report =
        Report::of(path, city, None, false, Dice { replications: 0, seed: 1 }, &Progress::silent());
    let sheets = sheets(&report);
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        _ => String::new(),
    };
    let rows = &sheets[1].table.rows;
    assert_eq!(rows.len(), 2 * (planner::CrewItem::ALL.len() + 1));
    let row = rows.iter().find(|row| text(&row[1]).ends_with("\nvehicles")).expect("a row");
    assert_eq!(row[3..6], [Cell::Count(2), Cell::Count(1), Cell::Count(1)]);
    assert_eq!((&row[7], &row[9]), (&Cell::Count(1), &Cell::Day(2022, 4, 30)));
    assert!(text(&row[6]).contains("requisition") && text(&row[8]).contains("东区"));
    assert!(
        text(&row[10]).contains("district[999901].fleet.capacity_tubes = 300 管 [公布 / sourced] ")
    );
    let [least, teams] =
        [row, &rows[4]].map(|row| text(&row[10]).starts_with("至少：城市文件未列"));
    assert!(least && !teams && text(&row[10]).contains(" / at least: the city file does not name"));
    assert!(text(&row[11]).starts_with("[公布 / sourced] "));
    // The list of shortages says that there is more on another sheet; that one is no part of it.
    let pointer = sheets[0].lines.iter().find(|line| line.zh.contains("“班组与车辆”")).expect("it");
    let short = report.plan.crews.iter().filter(|line| line.short > 0).count();
    assert!(pointer.en.ends_with(&format!("{short} short")), "{}", pointer.en);
    let source = sheets
        .last()
        .expect("the last")
        .table
        .rows
        .iter()
        .any(|row| text(&row[0]) == "district[999901].fleet");
    assert!(source, "where the vehicles come from stands among the assumptions");
}

#[test]
fn built_in_cities_are_told_what_a_hand_calculation_gives() {
    use planner::CrewItem::{DeskShifts, Registrars, Samplers, Shifts, Teams};
    // Census people p; the norm's desks, p / 800, swab 118.7 persons an hour each, so that p / (desks × 118.7) is 6.7 h
    // everywhere: one shift of 8 h. Desk-shifts: p / (118.7 × 8 h). A team is one sampler and one registrar and works a shift a
    // day of the time for sampling; shifts there = desk-shifts there / needed. Samplers p / 360, registrars one for a desk.
    for (name, district, [shifts, desk_shifts, samplers, registrars, teams]) in [
        // 996,279: 1,049.2; five days of 1,019 teams are 5,095, 4.9 times as many
        ("qujing", "530302", [[1, 4], [1050, 5095], [2768, 2042], [1246, 1019], [1246, 1019]]),
        // 193,137: 203.4; five days of 146
        ("qujing", "530304", [[1, 3], [204, 730], [537, 362], [242, 146], [242, 146]]),
        // 469,079: 493.98; one day of 527: registrars are short by the norm, and all the same everybody is swabbed
        ("chifeng", "150402", [[1, 1], [494, 527], [1303, 1068], [587, 527], [587, 527]]),
        // 284,990: 300.1; one day of 224
        ("chifeng", "150403", [[1, 0], [301, 224], [792, 506], [357, 224], [357, 224]]),
        // 727,265: 765.9; two days of 818
        ("jiyuan", "419001", [[1, 2], [766, 1636], [2021, 1656], [910, 818], [910, 818]]),
        // 1,143,085: 1,203.8; one day of 203 samplers
        ("kunming", "530102", [[1, 0], [1204, 203], [3176, 203], [1429, 405], [1429, 203]]),
    ] {
        let city = city_file::builtin(name).expect("a city");
        let plan = planner::solve(&city, city.target_h);
        let line = |item| plan.crews.iter().find(|one| one.place == district && one.item == item);
        for (item, expected) in [
            (Shifts, shifts),
            (DeskShifts, desk_shifts),
            (Samplers, samplers),
            (Registrars, registrars),
            (Teams, teams),
        ] {
            let told = line(item).expect("a line");
            assert_eq!([told.need, told.have], expected, "{name} {district} {item:?}");
        }
        // Where a day has one shift, people are those of the list of shortages.
        for (item, of) in
            [(Samplers, planner::Item::Sampler), (Registrars, planner::Item::Registrar)]
        {
            let listed = plan.shortages.iter().find(|s| s.place == district && s.item == of);
            let (told, listed) = (line(item).expect("a line"), listed.expect("short"));
            assert_eq!((told.need, told.have), (listed.need, listed.have), "{name} {district}");
        }
    }
}
