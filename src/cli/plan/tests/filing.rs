//! One number to file for each item at a place, in every form; references name what is there; nothing is told in one language.

use super::compare::compared;
use super::layers::{TINY, asked};
use super::people::of_units;
use super::questions::said;
use super::remedy::Units;
use super::sheet::{Cell, Sheet, sheets};
use super::words::MEASURES;
use super::*;
use crate::planner::filing::{Flows, beyond_totals};
use crate::planner::{Basis, Item, StageKind};
use serde_json::Value;

pub(super) fn report_of(args: &PlanArgs) -> Report {
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    let dice = Dice { replications: args.replications, seed: args.seed };
    Report::of(path, city, args.target, args.filled, dice, &Progress::silent())
}

/// Every text of a sheet.
fn texts(sheet: &Sheet) -> Vec<String> {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    };
    let lines = sheet.lines.iter().flat_map(|line| [line.zh.clone(), line.en.clone()]);
    lines.chain(sheet.table.rows.iter().flatten().filter_map(cell)).collect()
}

#[test]
fn the_list_has_the_one_number_to_file_and_the_others_stand_beside_it_in_every_form() {
    let args = args("jiyuan");
    let report = report_of(&args);
    let mut lines: Vec<_> =
        report.plan.shortages.iter().map(|s| (&s.place, s.item, s.basis)).collect();
    let listed = lines.len();
    lines.sort_by_key(|line| format!("{line:?}"));
    lines.dedup();
    assert_eq!(lines.len(), listed, "one line for an item, place and basis");
    let layers = report.layers.as_ref().expect("layers");
    let more = layers.remedy.as_ref().and_then(|remedy| remedy.more.as_ref()).expect("measures");
    let all = compared(&report);
    for line in report.plan.shortages.iter().filter(|line| line.basis == Basis::Target) {
        let one = all.iter().find(|one| (&one.place, one.item) == (&line.place, line.item));
        assert_eq!(one.map(|one| one.listed), Some(line.need), "{line:?}");
    }
    let extract = Item::LabUnit(StageKind::Extract);
    let one = all.iter().find(|one| one.item == extract).expect("extractors");
    let flow = layers.flow.labs[0].units_needed[StageKind::Extract.index()].expect("a number");
    let Units { now, more, .. } =
        *more.units.iter().find(|units| units.stage == StageKind::Extract).expect("extractors");
    assert_eq!((one.flows, one.measures), (Flows::Units(flow.into()), Some((now + more).into())));
    assert_ne!(Some(one.listed), one.measures, "the case that has to be told");

    let said = "File the numbers of the list of shortages: one for each item, place and basis";
    let text = text::report(&report, Some(Lang::En));
    let list = text.split_once("5. Shortages").expect("the list").1;
    let list = list.split_once("6. Flows").expect("its end").0;
    assert!(list.contains(said) && list.contains("list: file this"), "{list}");
    assert!(text.contains("for comparison, not to be filed"), "{text}");
    let document = json::report(&report);
    let filing = &document["filing"];
    assert!(filing["sentence"]["en"].as_str().is_some_and(|told| told.starts_with(said)));
    let told = filing["compared"].as_array().expect("a list");
    let told = told.iter().find(|one| one["item"] == "lab_unit.extract").expect("extractors");
    let numbers = ["listed", "flows", "measures"].map(|key| told[key].as_u64());
    assert_eq!(numbers, [Some(one.listed), Some(flow.into()), one.measures]);
    let all = sheets(&report);
    assert!(all[0].lines.iter().any(|line| line.en.starts_with(said)));
    let beside = all.iter().find(|sheet| sheet.name.en == "Layers compared").expect("a sheet");
    let name = extract.name();
    let row = beside.table.rows.iter().find(|row| row[1] == Cell::both(&name)).expect("a row");
    let counts = [Some(one.listed), Some(flow.into()), one.measures].map(|n| n.map(Cell::Count));
    assert_eq!(row[5..8].iter().cloned().map(Some).collect::<Vec<_>>(), counts);
}

#[test]
fn every_line_of_which_another_layer_can_speak_stands_beside_it_and_sums_of_what_is_beyond_add_up()
{
    // Less on the shelf than one round takes, 72,727 tubes, and desks and people for less than a day and a half.
    let mut city = include_str!("../../../../deploy/cities/jiyuan.toml").to_owned();
    for (there, less) in [
        ("\ndesks = 909", "\ndesks = 250"),
        ("\nsamplers = 1656", "\nsamplers = 250"),
        ("\nregistrars = 818", "\nregistrars = 250"),
        ("tubes = { physical = 477000", "tubes = { physical = 2500"),
    ] {
        assert!(city.contains(there), "{there}");
        city = city.replacen(there, less, 1);
    }
    let (_folder, mut args) = asked(&city);
    args.target = Some(36);
    let report = report_of(&args);
    let all = compared(&report);
    for line in &report.plan.shortages {
        let one = all
            .iter()
            .find(|one| (&one.place, one.item, one.basis) == (&line.place, line.item, line.basis));
        // Sites, and the stock of all rounds, have no other number than the list's.
        let alone = line.item == Item::Site || line.basis == Basis::AllRounds;
        assert_eq!(
            one.map(|one| (one.have, one.listed)),
            (!alone).then_some((line.have, line.need))
        );
    }
    let tubes = all.iter().find(|one| one.item == Item::Tube).expect("tubes");
    assert_eq!((tubes.have, tubes.listed, tubes.measures), (2500, 436_362, Some(72_727)));
    let layers = report.layers.as_ref().expect("layers");
    let more = layers.remedy.as_ref().and_then(|remedy| remedy.more.as_ref()).expect("measures");
    let [samplers, registrars, staff] = people::of_all(&report.city, layers, more);
    let added = |wanted: fn(Item) -> bool| -> u64 {
        let of = all.iter().filter(|one| wanted(one.item));
        of.filter_map(|one| Some(one.measures? - one.have)).sum()
    };
    assert!(samplers > 0 && registrars > 0 && staff > 0);
    assert_eq!(added(|item| item == Item::Sampler), samplers);
    assert_eq!(added(|item| item == Item::Registrar), registrars);
    assert_eq!(added(|item| matches!(item, Item::LabStaff(_))), staff);

    let totals = beyond_totals(&all);
    assert!(!totals.is_empty());
    let text = text::report(&report, Some(Lang::En));
    let text = text.split_once("summed up by item for the covering note").expect("the sums").1;
    let document = json::report(&report);
    let told = document["filing"]["beyond_totals"].as_array().expect("a list");
    assert_eq!(told.len(), totals.len());
    let sheets = sheets(&report);
    let sheet = sheets.iter().find(|sheet| sheet.name.en == "Layers compared").expect("a sheet");
    assert_eq!(sheet.table.sums.len(), totals.len());
    for ((total, told), row) in totals.iter().zip(told).zip(&sheet.table.sums) {
        let of = || all.iter().filter(|one| one.item == total.item && one.beyond() > 0);
        assert_eq!(total.places, of().count() as u64);
        assert_eq!(total.beyond, of().map(|one| one.beyond()).sum::<u64>());
        assert_eq!(total.measures, total.listed + total.beyond, "the sums add up");
        let numbers = [total.places, total.have, total.listed, total.measures, total.beyond];
        let keys = ["places", "have", "listed", "measures", "measures_beyond_list"];
        assert_eq!(keys.map(|key| told[key].as_u64().expect("a number")), numbers);
        let line = text.lines().find(|line| line.trim_start().starts_with(&total.item.name().en));
        let line = line.expect("a row").split_whitespace().rev().skip(1).take(5);
        let line: Vec<String> = line.map(str::to_owned).collect();
        assert!(line.iter().rev().eq(numbers.map(words::grouped).iter()), "{line:?}");
        let row = &sheet.table.rows[*row];
        assert_eq!(row[1], Cell::both(&total.item.name()));
        let counts = [&row[4], &row[5], &row[7], &row[8]].map(Cell::clone);
        assert_eq!(counts, [numbers[1], numbers[2], numbers[3], numbers[4]].map(Cell::Count));
    }
}

#[test]
fn the_measures_have_a_sheet_with_their_people_and_every_reference_names_one_that_is_there() {
    for city in [TINY.to_owned(), TINY.replacen("one_to_one = true", "one_to_one = false", 1)] {
        let (_folder, args) = asked(&city);
        let report = report_of(&args);
        let all = sheets(&report);
        let names: Vec<&str> =
            all.iter().flat_map(|sheet| [&*sheet.name.zh, &*sheet.name.en]).collect();
        for text in all.iter().flat_map(texts) {
            for (before, close) in [("见“", '”'), ("see \"", '"'), ("see the sheet \"", '"')] {
                for rest in text.split(before).skip(1) {
                    let name = rest.split(close).next().unwrap_or_default();
                    assert!(names.contains(&name), "{name} in {text}");
                }
            }
            for nowhere in ["见下）", "listed below", "see above, ", "见上。"] {
                assert!(!text.contains(nowhere), "{text}");
            }
        }
        let measures = all.iter().find(|sheet| sheet.name.zh == MEASURES.0).expect("measures");
        assert_eq!(measures.name.en, MEASURES.1);
        let layers = report.layers.as_ref().expect("layers");
        let more = layers.remedy.as_ref().and_then(|remedy| remedy.more.as_ref());
        for units in &more.expect("measures").units {
            let (name, stage) = (Item::LabUnit(units.stage).name(), units.stage);
            let row = measures.table.rows.iter().find(|row| row[1] == Cell::both(&name));
            let row = row.expect("a row");
            let changed = planner::with_units(&report.city, units.lab, stage, units.more.into());
            let staff = |city: &City| city.labs[units.lab].stage(stage).staff;
            let people = staff(&changed) - staff(&report.city);
            assert_eq!(row[5..6], [Cell::Count(units.more.into())]);
            assert_eq!(row[8], Cell::Count(people), "{stage:?}");
        }
    }
}

#[test]
fn sheets_have_names_that_excel_takes_in_both_languages() {
    let all = sheets(&report_of(&args("chifeng")));
    for Sheet { name: Words { zh, en }, .. } in &all {
        let tab = format!("{zh} {en}");
        assert!(tab.chars().count() <= 31 && !tab.contains(['[', ']', ':', '*', '?', '/', '\\']));
        assert!(zh.chars().all(|c| c > '\u{2e80}') && en.is_ascii(), "{tab}");
    }
}

#[test]
fn the_english_report_of_a_city_with_english_names_has_no_chinese() {
    for (name, _) in city_file::BUILTIN {
        let mut asked = args(name);
        (asked.lang, asked.guandu) = (Some(Lang::En), true);
        let (text, _) = answer(&asked).expect("an answer");
        let chinese = text.lines().find(|line| line.contains(|c: char| c > '\u{2e80}'));
        assert_eq!(chinese, None, "{name}");
    }
    let written = city_file::builtin("chifeng").expect("chifeng");
    let source = &written.norm.persons_per_site_min.origin.source;
    let document = json::report(&report_of(&args("chifeng")));
    let constants = document["norm"]["constants"].as_array().expect("a list");
    let site = constants.iter().find(|one| one["key"] == "persons_per_site_min").expect("sites");
    let told = ["source", "source_en"].map(|key| site["origin"][key].as_str());
    assert_eq!(told, [Some(&*source.zh), Some(&*source.en)]);
}

#[test]
fn the_axes_of_the_pictures_are_in_both_languages() {
    let late = TINY.replacen("extract = { units = 2,", "extract = { units = 1,", 1);
    let (_folder, mut args) = asked(&late);
    args.replications = 3;
    let svg = picture::backlog(&report_of(&args)).expect("a picture");
    assert!(svg.contains(">次日 ") && svg.contains(" next day<"), "{svg}");
    assert!(svg.contains(">第 3 天 ") && svg.contains(" on day 3<"), "{svg}");
}

#[test]
fn advice_on_pools_says_what_it_rests_on_and_what_it_does_to_the_finish() {
    let pooling = |words: &[&str]| {
        said(TINY, &[&["pooling", "jiyuan"], words].concat()).expect("an answer").0
    };
    let text = pooling(&["--lang", "en"]);
    for told in [
        "prevalence: mean 0.0001, beta distribution α = 1, β = 9999  [assumed] assumed by this pack",
        "correlation within a tube, ρ: 0.1  [assumed] assumed: correlation within a tube 0.1;",
        "What it does to the finish (with what is there)\n  sizes now (by the flows): last first result in ",
        "\n  advised sizes (by the flows): last first result in ",
        "\n  sizes now (simulated, median): last first result in ",
        "\n  advised sizes (simulated, median): last first result in ",
        "\n  with the advised sizes (simulated in pairs with the same chance): on average ",
        " min (95 % interval of the mean difference of 200 pairs)\n",
        "Before it is put to use, write the sizes into the city file",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    let known = pooling(&["--lang", "zh", "--prevalence", "0.002"]);
    assert!(known.contains("阳性率: 0.002  [参数 --prevalence]"), "{known}");
    assert!(known.contains("召回按所问的阳性率 0.002（视为已知）推算"), "{known}");
    let document: Value = serde_json::from_str(&pooling(&["--json"])).expect("a document");
    let belief = &document["belief"];
    assert_eq!((&belief["alpha"], &belief["rho"]), (&1.0.into(), &0.1.into()));
    assert_eq!(belief["alpha_origin"]["status"], "assumed");
    let finish = |of: &str| document["by_the_flows"][of]["finish"]["ms"].as_u64().expect("a time");
    assert!(finish("advised") < finish("now"), "twenty to a tube are half the tubes");
    assert_eq!(finish("now"), {
        let city = city_file::builtin("jiyuan").expect("jiyuan");
        let round = planner::round::Round::of(&city).expect("a round");
        u64::from(planner::fluid::city(&round.model).finish)
    });
    // The sizes in use are simulated as the plan itself is; the advised ones beside them with the same chance.
    let simulated = &document["simulated"];
    let (text, _) = said(TINY, &["jiyuan", "--json"]).expect("an answer");
    let plan: Value = serde_json::from_str(&text).expect("a document");
    let of_plan = &plan["layers"]["simulation"];
    assert_eq!(simulated["now"]["finish_hours"], of_plan["finish_hours"]);
    assert_eq!(simulated["now"]["in_time_probability"], of_plan["in_time_probability"]);
    let median = |of: &str| simulated[of]["finish_hours"]["p50"].as_f64().expect("hours");
    let saved = simulated["paired"]["saved_minutes"].as_f64().expect("minutes") / 60.0;
    assert!(
        saved > 1.0 && (median("now") - median("advised") - saved).abs() < saved / 2.0,
        "{simulated}"
    );
    assert_eq!(simulated["paired"]["pairs"], 200);
}

#[test]
fn long_times_are_told_in_hours_and_minutes() {
    for (minutes, zh, en) in [
        (12.34, "12.3 分钟", "12.3 min"),
        (59.96, "60.0 分钟", "60.0 min"),
        (60.0, "1 小时", "1 h"),
        (5661.4, "94 小时 21 分", "94 h 21 min"),
    ] {
        assert_eq!(words::lasting(minutes), Words::new(zh, en));
    }
    assert_eq!(words::lasting_short(-339_684_000), "−94 h 21 min");
}

#[test]
fn a_unit_that_stands_idle_is_not_to_be_got_but_its_people_are() {
    let mut city = city_file::builtin("jiyuan").expect("jiyuan");
    // A cabinet takes six people over three shifts.
    for (people, now, expected) in
        [(78, 13, (2, 12)), (72, 12, (1, 12)), (75, 12, (1, 9)), (60, 10, (0, 12))]
    {
        let stage = StageKind::Decap;
        city.labs[0].stages[stage.index()].staff = people;
        assert_eq!(city.labs[0].stage(stage).units, 13);
        let take = of_units(&city, &Units { lab: 0, stage, now, more: 2 });
        assert_eq!((take.bought, take.people), expected, "{people}");
    }
}
