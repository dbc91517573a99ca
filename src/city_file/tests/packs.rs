//! Norm packs: what the built-in ones say, what stands on what, what is refused.

use super::*;
use crate::planner::Words;

#[test]
fn the_built_in_norms_say_pool_sizes_by_zone_and_the_target_of_a_large_city() {
    // pack, hours up to 5 million, hours above, then persons per tube: nowhere in particular, by zone
    for (name, small, large, pool, zones) in [
        ("practice-2020", 120, 120, 10, [1, 10, 10, 10, 10]),
        ("qilin-2020", 120, 120, 10, [1, 10, 10, 10, 10]),
        ("jiyuan-2021", 48, 48, 10, [1, 10, 10, 10, 10]),
        ("guide-1st-2021", 48, 120, 10, [1, 10, 10, 10, 10]),
        ("guide-2nd-2021", 48, 72, 10, [1, 2, 5, 10, 10]),
        ("guide-3rd-2022", 24, 24, 10, [1, 1, 10, 20, 20]),
        ("chifeng-2022", 24, 24, 10, [1, 1, 10, 20, 20]),
    ] {
        let norm = norm::builtin(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (norm.target_for(5_000_000), norm.target_for(5_000_001)),
            (small, large),
            "{name}"
        );
        let of = |key| norm.zone_pool(key).unwrap_or_default();
        let by_zone = ["isolation", "sealed", "controlled", "prevention", "other"].map(of);
        assert_eq!((norm.pool.value, by_zone), (pool, zones), "{name}");
        assert_eq!(norm.controls_per_plate(), 2, "{name}");
    }
    assert_eq!(norm::BUILTIN.len(), 7);
}

#[test]
fn the_target_of_a_large_city_is_the_packs_unless_the_city_states_one() {
    let large =
        SOUND.replace("value = 1000", "value = 6000000").replace("chifeng-2022", "guide-2nd-2021");
    assert_eq!(read_text(&large).expect("sound").target_h, 72);
    let own = large.replace("schema = 1", "schema = 1\ntarget_hours = 36");
    assert_eq!(read_text(&own).expect("sound").target_h, 36);
}

#[test]
fn the_first_pack_says_where_each_new_number_comes_from() {
    let norm = norm::builtin("chifeng-2022").expect("pack");
    // What can be traced to a round or a model is not called assumed, and the rest is.
    for (number, value, status) in [
        (&norm.field.ramp_percent, 72, Status::Calculated),
        (&norm.field.straggler_permille, 100, Status::Calculated),
        (&norm.field.straggler_tail_s, 14_400, Status::Assumed),
        (&norm.field.box_tubes, 94, Status::Assumed),
        (&norm.transport.vehicle_tubes, 2000, Status::Assumed),
        (&norm.transport.travel_s, 1800, Status::Assumed),
        (&norm.recall.delay_s, 5400, Status::Assumed),
        (&norm.prevalence.alpha_milli, 1000, Status::Assumed),
        (&norm.derate.mean_permille, 850, Status::Calculated),
        (&norm.stage(StageKind::Extract).breakdowns_permille_day, 40, Status::Sourced),
        (&norm.stage(StageKind::Setup).breakdowns_permille_day, 0, Status::Assumed),
        (&norm.stage(StageKind::Pcr).breakdowns_permille_day, 20, Status::Sourced),
        (&norm.stage(StageKind::Pcr).spread_permille, 100, Status::Sourced),
        (&norm.stage(StageKind::Review).spread_permille, 760, Status::Sourced),
        (&norm.stage(StageKind::Decap).repair_s, 7200, Status::Assumed),
        (&norm.kit_reactions, 96, Status::Assumed),
    ] {
        assert_eq!(
            (number.value, number.origin.status),
            (value, status),
            "{}",
            number.origin.source.zh
        );
    }
}

#[test]
fn a_pack_without_base_takes_what_it_leaves_out_from_the_first_pack() {
    let (_, text) = norm::BUILTIN[0];
    let field = text.find("[field]").expect("field");
    let transport = text.find("[transport]").expect("transport");
    let own = format!("{}{}", &text[..field], &text[transport..]).replace("chifeng-2022", "own");
    let own = own.replace("kit_reactions = { value = 96", "kit_reactions = { value = 50");
    let (pack, root) =
        (norm::parse("own.toml", &own, None).expect("own"), norm::builtin("chifeng-2022"));
    let root = root.expect("root");
    assert_eq!((pack.name.as_str(), pack.kit_reactions.value), ("own", 50));
    assert_eq!((pack.field, pack.zones), (root.field, root.zones));
}

#[test]
fn a_norm_pack_with_bad_parts_is_an_error() {
    let pack = |line: &str| {
        format!(
            "name = \"x\"\ntitle = \"甲\"\ntitle_en = \"x\"\nbase = \"chifeng-2022\"\n{line}\n[sources]\na = \"乙\"\n"
        )
    };
    let zone = "[[zone]]\nkey = \"a\"\ntitle = \"甲\"\ntitle_en = \"A\"\npersons_per_tube = { value = 5, status = \"norm\", source = \"a\" }\n";
    let twice = format!("{zone}{zone}");
    let hot = zone.replace("value = 5", "value = 51");
    for (line, at, words) in [
        (twice.as_str(), 11, "[[zone]] key \"a\" is used twice"),
        (hot.as_str(), 9, "from 1 to 50"),
        ("[field]\nbox = 1", 6, "unknown key `box`"),
        ("field = 3", 5, "a table"),
        (
            "[large_city]\ntarget_hours = { value = 72, status = \"norm\", source = \"a\" }",
            5,
            "`above_persons` is missing",
        ),
        (
            "[field]\nbox_tubes = { value = 3000, status = \"norm\", source = \"a\" }",
            5,
            "`box_tubes` 3000 is more than",
        ),
    ] {
        let error = norm::parse("pack.toml", &pack(line), None).expect_err(line);
        let found = error
            .en()
            .lines()
            .any(|l| l.starts_with(&format!("pack.toml:{at}:")) && l.contains(words));
        assert!(found, "{line}\nwanted line {at}, {words}\n{error}");
    }
}

#[test]
fn the_page_on_city_files_names_every_constant() {
    let page = include_str!("../../../deploy/cities/README.md");
    for constant in norm::builtin("guide-2nd-2021").expect("pack").constants() {
        let key = constant.key.rsplit('.').next().unwrap_or_default();
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
    for (name, _) in norm::BUILTIN {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_source_of_the_built_in_packs_and_cities_is_told_in_both_languages() {
    for (name, _) in norm::BUILTIN {
        let norm = norm::builtin(name).expect("a built-in pack");
        for constant in norm.constants() {
            let Words { zh, en } = &constant.origin.source;
            assert!(zh.chars().any(|c| c > '\u{2e80}'), "{name} {}: {zh}", constant.key);
            assert!(!en.chars().any(|c| c > '\u{2e80}'), "{name} {}: {en}", constant.key);
        }
    }
    for (name, _) in BUILTIN {
        let city = builtin(name).expect("a built-in city");
        let mut all = vec![&city.population.origin];
        all.extend(city.districts.iter().flat_map(|d| [&d.have.origin, &d.stock.origin]));
        all.extend(city.labs.iter().map(|lab| &lab.origin));
        all.extend(city.claims.iter().map(|claim| &claim.origin));
        for Words { zh, en } in all.into_iter().map(|origin| &origin.source) {
            assert!(zh.chars().any(|c| c > '\u{2e80}'), "{name}: {zh}");
            assert!(!en.chars().any(|c| c > '\u{2e80}'), "{name}: {en}");
        }
    }
}

#[test]
fn a_source_is_told_in_english_where_the_file_has_it_and_as_it_stands_where_not() {
    let (listed, own) = ("census = \"普查\"\n", "census = \"普查\"\n[sources_en]\n");
    for (english, expected) in [("", "普查"), ("census = \"census\"\n", "census")] {
        let text = SOUND.replacen(listed, &format!("{own}{english}"), 1);
        let city = parse("x.toml", &text, None, None).expect("a city");
        let source = &city.population.origin.source;
        assert_eq!((source.zh.as_str(), source.en.as_str()), ("普查", expected));
    }
    let text = SOUND.replacen(listed, &format!("{own}survey = \"survey\"\n"), 1);
    let refused = parse("x.toml", &text, None, None).expect_err("refused").to_string();
    assert!(refused.contains("source \"survey\" is not listed"), "{refused}");
}
