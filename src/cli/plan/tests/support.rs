//! The list of shortages in its words: what is asked of the level above, how numbers are written, Chinese as it is set.

use super::layers::{TINY, asked};
use super::*;
use crate::planner::{Basis, Item};

/// Every list of the built-in cities within a day, and of a small one with nothing on its shelf.
fn lists() -> Vec<Shortage> {
    let bare = TINY.replacen("tubes = { physical = 36000,", "tubes = { physical = 1000,", 1);
    let (_folder, args) = asked(&bare);
    let own = city_file::open(args.city.as_deref().expect("a city"), None).expect("a city file");
    let built_in = city_file::BUILTIN.iter().map(|b| city_file::builtin(b.0).expect("a city"));
    built_in.chain([own]).flat_map(|city| planner::solve(&city, 24).shortages).collect()
}

/// The number that is asked of the level above and the words beside it say the same: nothing, all until the place has found some,
/// or as many as are named.
#[test]
fn the_solution_says_what_is_asked_of_the_level_above() {
    let mut seen = [0; 3];
    for line in lists() {
        let Words { zh, en } = &line.mend;
        let stock = matches!(line.item, Item::Tube | Item::ExtractionReagent | Item::PcrReagent);
        let kind = match line.support {
            0 => {
                assert!(!en.contains("asked for") && !zh.contains("支援"), "{line:?}");
                0
            }
            n if stock => {
                assert_eq!(line.basis, Basis::PhysicalRounds);
                let first =
                    format!("the {} that the first round lacks are asked for", words::grouped(n));
                assert!(en.contains(&first) && zh.contains("其中首轮所缺"), "{line:?}");
                1
            }
            n => {
                assert_eq!(n, line.short, "all of it");
                assert!(en.contains("until then") && zh.contains("之前"), "{line:?}");
                let lowered = en.contains("lower the support asked by as many");
                assert!(lowered && zh.contains("落实多少支援数减多少"), "{line:?}");
                2
            }
        };
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    let notes = text_shortage::totals_note(&city_file::builtin("chifeng").expect("a city").norm);
    assert!(notes.en.contains("all that is short is asked for until the place takes off"));
}

/// What a line asks for is the same number in the text, the document and the sheet, and the sums are of these; of tubes the
/// first round's alone are asked for.
#[test]
fn what_is_asked_of_the_level_above_is_the_same_number_in_every_form() {
    let bare = TINY.replacen("tubes = { physical = 36000,", "tubes = { physical = 1000,", 1);
    let (_folder, args) = asked(&bare);
    let report = filing::report_of(&args);
    let (plan, json) = (&report.plan, json::report(&report));
    let text = text::report(&report, Some(Lang::En));
    let in_text = |numbers: [u64; 4]| {
        let numbers = numbers.map(words::grouped);
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.any(|line| line.windows(4).any(|four| four == numbers))
    };
    let table = &sheet::sheets(&report)[0].table;
    let (mut rows, mut sums) = (Vec::new(), Vec::new());
    for (at, row) in table.rows.iter().enumerate() {
        if table.sums.contains(&at) { sums.push(row) } else { rows.push(row) }
    }
    let told = |key: &str| json[key].as_array().expect("a list").clone();
    assert_eq!(rows.len(), plan.shortages.len());
    for ((line, row), told) in plan.shortages.iter().zip(rows).zip(told("shortages")) {
        assert_eq!(row[8], sheet::Cell::Count(line.support), "{line:?}");
        assert_eq!(told["support"], line.support, "{line:?}");
        assert!(in_text([line.need, line.have, line.short, line.support]), "{line:?}\n{text}");
    }
    let part = |line: &Shortage| 0 < line.support && line.support < line.short;
    assert!(plan.shortages.iter().any(part), "of tubes the first round's alone");
    let sums = &sums[sums.len() - plan.item_totals.iter().filter(|t| t.short > 0).count()..];
    let totals = plan.item_totals.iter().zip(told("item_totals"));
    for ((total, told), sum) in totals.filter(|(total, _)| total.short > 0).zip(sums) {
        assert_eq!(sum[8], sheet::Cell::Count(total.support), "{total:?}");
        assert_eq!(told["support"], total.support, "{total:?}");
        assert!(in_text([total.need, total.have, total.short, total.support]), "{total:?}\n{text}");
    }
    for total in &plan.item_totals {
        let all = plan.item_totals.iter().filter(|t| t.item == total.item).map(|t| t.support);
        let lines = plan.shortages.iter().filter(|line| line.item == total.item);
        assert_eq!(all.sum::<u64>(), lines.map(|line| line.support).sum::<u64>(), "{total:?}");
    }
    // What the round lacks on the shelf is what is asked for, in the measures, too.
    for lack in plan.shelf() {
        let lines = plan.shortages.iter().filter(|line| line.item == lack.item && line.blocks);
        assert_eq!(lack.short, lines.map(|line| line.support).sum::<u64>(), "{lack:?}");
    }
}

#[test]
fn numbers_in_the_solutions_are_grouped_as_in_the_tables() {
    let mut grouped = 0;
    for line in lists() {
        for text in [&line.mend.zh, &line.mend.en] {
            let most = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            assert!(most.unwrap_or(0) <= 3, "{text}");
            grouped += usize::from(text.contains(','));
        }
    }
    assert!(grouped > 10, "{grouped}");
}

#[test]
fn chinese_alone_has_its_own_colons_and_no_stray_spaces() {
    let text = |lang| answer(&PlanArgs { lang, ..args("kunming") }).expect("kunming").0;
    let zh = text(Some(Lang::Zh));
    for said in ["规范包：", "人口：", "24 h：不能完成（流体：不能，", "；瓶颈："]
    {
        assert!(zh.contains(said), "{said}\n{zh}");
    }
    let wide = |c: char| c >= '\u{2e80}';
    for line in zh.lines() {
        let letters: Vec<char> = line.chars().collect();
        for three in letters.windows(3) {
            let half = matches!(three[1], ':' | ';') && wide(three[0]) && three[2] == ' ';
            assert!(!half, "{line}");
        }
    }
    assert!(!zh.contains(" 最后完成") && !zh.contains(" 最后一管 第"), "{zh}");
    // Both together keep what stands between them, and so does a path.
    assert!(text(None).contains("规范包 / norm pack: "));
}

#[test]
fn a_declared_capacity_is_counted_as_it_is_spoken() {
    let norm = city_file::norm::builtin("chifeng-2022").expect("a norm pack");
    for (cyclers, extractors, said) in
        [(5, 1, "5 PCR cyclers + 1 extractor = "), (1, 20, "1 PCR cycler + 20 extractors = ")]
    {
        let claim = Claim { cyclers, extractors, ..guandu() };
        let text = claim_text::explanation(&planner::explain(&claim, &norm), Some(Lang::En));
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn the_high_load_has_no_column_of_its_own_where_the_prevalence_is_known() {
    let pooling = |more: &[&str]| {
        let words = [&["pooling", "jiyuan", "--lang", "en"], more].concat();
        answer(&typed(&words).expect("arguments")).expect("an answer").0
    };
    let (belief, known) = (pooling(&[]), pooling(&["--prevalence", "0.002"]));
    assert!(belief.contains("extra (%) extra, high (%) cost in tubes"), "{belief}");
    assert!(known.contains("extra (%) cost in tubes") && known.contains("←"), "{known}");
}

/// Streets that share what their district has lack it in one line; one that has its own in a line of its own.
#[test]
fn what_a_district_has_none_of_is_told_once() {
    let street = |n: u32, have: &str| {
        format!(
            "[[district.street]]\ncode = \"999901-{n}\"\nname = \"{n}街\"\nname_en = \"Street {n}\"\n\
             population = {{ value = 10000, status = \"assumed\", source = \"made_up\" }}\n{have}\n"
        )
    };
    let own = "have = { status = \"assumed\", source = \"made_up\", sites = 0, desks = 0, samplers = 2, registrars = 0 }";
    const NONE: &str = "sites = 0\ndesks = 0\nsamplers = 12\nregistrars = 0";
    for (last, lines) in [("", 1), (own, 6)] {
        let streets: String = (1..=6).map(|n| street(n, last)).collect();
        let text = TINY
            .replacen("sites = 30\ndesks = 75\nsamplers = 160\nregistrars = 80", NONE, 1)
            .replacen(
                "\n[[district]]\ncode = \"999902\"",
                &format!("\n{streets}\n[[district]]\ncode = \"999902\""),
                1,
            );
        let (_folder, args) = asked(&text);
        let (said, code) = answer(&PlanArgs { lang: Some(Lang::En), ..args }).expect("an answer");
        assert_eq!(code, EXIT_NO);
        assert_eq!(said.matches("people and no desk (0): add desks").count(), lines, "{said}");
        let together = ":31: Street 1, Street 2, Street 3 and 3 more have people and no desk (0)";
        assert_eq!(said.contains(together), lines == 1, "{said}");
    }
}
