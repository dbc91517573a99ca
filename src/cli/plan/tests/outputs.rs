//! The workbook and the pictures: the rows that are set, and files that are what they should be.

use super::layers::{TINY, asked};
use super::sheet::{Cell, sheets};
use super::*;
use crate::planner::fluid;

fn report(text: &str, replications: usize) -> Report {
    let (_folder, args) = asked(text);
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    Report::of(path, city, None, false, Dice { replications, seed: 1 }, &Progress::silent())
}

fn text(cell: &Cell) -> &str {
    match cell {
        Cell::Text(text) => text,
        _ => "",
    }
}

#[test]
fn the_list_of_shortages_has_a_row_for_each_with_owner_and_deadline() {
    let held = "[[district.stock.held]]\nowner = \"street\"\narticle = \"tube\"\nphysical = 36000\nagreement = 24000\ndeposit_paid = false\n";
    let whole = TINY.replacen(
        "[[district]]\ncode = \"999902\"",
        &format!("{held}\n[[district]]\ncode = \"999902\""),
        1,
    );
    let report = report(&whole, 0);
    let list = &sheets(&report)[0];
    assert_eq!(list.name, Words::new("缺口清单", "Shortages"));
    let heads: Vec<&str> = list.table.columns.iter().map(|c| c.zh.as_str()).collect();
    for head in ["需要", "现有", "缺口", "解决办法", "需上级支持", "责任单位", "完成时限"]
    {
        assert!(heads.contains(&head), "{head}");
    }
    let row = |item: &str| {
        let rows = list.table.rows.iter();
        rows.clone().find(|row| text(&row[1]).starts_with(item)).expect("a row").clone()
    };
    let tubes = row("采样管");
    assert_eq!(tubes[4..7], [Cell::Count(60_000), Cell::Count(36_000), Cell::Count(24_000)]);
    assert_eq!(
        text(&tubes[7]),
        "缴纳定金确认协议储备 24,000\npay the deposit: 24,000 by agreement then count"
    );
    assert_eq!(text(&tubes[9]), "东区（街道）\nEast (street)");
    assert_eq!(tubes[10], Cell::Day(2022, 4, 30));
    let extractor = row("核酸提取仪");
    assert_eq!(extractor[4..7], [Cell::Count(3), Cell::Count(2), Cell::Count(1)]);
    assert_eq!(text(&extractor[0]), "L1 东区实验室\nL1 East lab");
    assert_eq!(text(&extractor[11]), "是\nyes");
    // Every shortage, one line under each place, and the sums, which agree with the rows.
    let plan = &report.plan;
    let totals = plan.item_totals.iter().filter(|t| t.short > 0).count();
    assert_eq!(list.table.rows.len(), plan.shortages.len() + 2 + totals);
    assert!(list.table.rows.iter().all(|row| row.len() == list.table.columns.len()));
    let last = list.table.rows.last().expect("a sum");
    assert!(text(&last[0]).starts_with("全市合计") && last[6] == Cell::Count(1));
}

#[test]
fn owner_and_deadline_are_the_same_everywhere_and_never_blank() {
    let none = "城市文件未给出\nnone given in the city file";
    for (written, goods) in [
        (TINY.to_owned(), Cell::Day(2022, 4, 30)),
        (TINY.replacen("deadline = \"2022-04-30\"\n", "", 1), Cell::Text(none.to_owned())),
    ] {
        let report = report(&written, 0);
        let all = sheets(&report);
        let document = json::report(&report);
        let list = |key: &str| document[key].as_array().expect("a list").clone();
        let both = |told: &serde_json::Value| {
            let (zh, en) = (told["zh"].as_str(), told["en"].as_str());
            format!("{}\n{}", zh.expect("Chinese"), en.expect("English"))
        };
        let rows = |sheet: usize| {
            let (rows, sums) = (all[sheet].table.rows.iter(), &all[sheet].table.sums);
            rows.enumerate().filter(|(at, _)| !sums.contains(at)).map(|(_, row)| row)
        };
        for (sheet, key, [owner, deadline]) in [(0, "shortages", [9, 10]), (1, "crews", [8, 9])] {
            let told = list(key);
            assert_eq!(rows(sheet).count(), told.len());
            for (row, told) in rows(sheet).zip(&told) {
                assert_eq!(text(&row[owner]), both(&told["owner"]));
                let given = told["deadline"].as_str();
                match (&row[deadline], given) {
                    (Cell::Day(2022, 4, 30), Some("2022-04-30")) => {}
                    (Cell::Text(text), None) if text == none || told["short"] == 0 => {}
                    other => panic!("{told}: {other:?}"),
                }
            }
        }
        let tubes = rows(0).find(|row| text(&row[1]).starts_with("采样管")).expect("tubes");
        assert_eq!(tubes[10], goods);
        assert_eq!(
            text(&tubes[9]),
            "东区（城市文件未注明持有单位）\nEast (the city file does not say who holds it)"
        );
    }
}

#[test]
fn a_gap_at_a_lab_to_which_nothing_is_sent_says_why_it_stands() {
    // In Chifeng the arithmetic asks for units at T02; here whoever deals the streets sends all of them elsewhere.
    let path = Path::new("chifeng");
    let city = city_file::open(path, None).expect("chifeng");
    let mut report =
        Report::of(path, city, None, false, Dice { replications: 0, seed: 1 }, &Progress::silent());
    let (city, layers) = (&report.city, report.layers.as_mut().expect("a round"));
    let number = |code: &str| city.labs.iter().position(|lab| lab.code == code).expect("a lab");
    let parts = layers.round.model.streets.iter_mut();
    parts.filter(|part| part.lab == number("T02")).for_each(|part| part.lab = number("T01"));
    layers.flow = fluid::city(&layers.round.model);
    let document = json::report(&report);
    let lines = document["shortages"].as_array().expect("a list");
    let noted = |line: &&serde_json::Value| line["note"].is_object();
    let there = lines.iter().filter(|line| line["place"] == "T02");
    assert!(there.clone().count() > 0 && there.clone().all(|line| noted(&line)));
    assert_eq!(lines.iter().filter(noted).count(), there.count());
    let list = &sheets(&report)[0];
    let mends = |place: &str| {
        let rows = list.table.rows.iter().filter(move |row| text(&row[0]).starts_with(place));
        let told = |row: &&Vec<Cell>| {
            let mend = text(&row[7]);
            mend.contains("目前的街道分派不向该处送样")
                && mend.contains("sends no tubes there today")
        };
        rows.filter(told).count()
    };
    assert!(mends("T02") > 0 && mends("L") == 0);
    let said = text::report(&report, Some(Lang::En));
    assert!(
        said.contains("T02 Third-party lab B (assumed) †")
            && !said.contains("L01 Hongshan testing lab (assumed) †")
    );
    assert!(said.contains("  † T02: the assignment of streets sends no tubes there today; "));
    // With how many tubes the list reckons there, in the note and beside the layers' numbers.
    let lab = report.plan.labs.iter().find(|lab| lab.code == "T02").expect("T02");
    let [asked, beyond] = [lab.load + lab.beyond, lab.beyond].map(words::grouped);
    let note = format!("{asked} tubes ({beyond} of them are beyond what any lab can do in time)");
    assert!(lab.beyond > 0 && said.contains(&note), "{note}");
    assert!(
        text::report(&report, Some(Lang::Zh)).contains(&format!("共 {asked} 管（其中 {beyond} 管"))
    );
    let tubes = document["filing"]["tubes"].as_array().expect("a list");
    let there = tubes.iter().find(|one| one["lab"] == "T02").expect("T02");
    assert_eq!((&there["listed"], &there["sent"]), (&(lab.load + lab.beyond).into(), &0.into()));
    // Both spread the same tubes over the labs.
    let differ = tubes.iter().map(|one| &one["lab"]).collect::<Vec<_>>();
    let same = report.plan.labs.iter().filter(|lab| !differ.iter().any(|code| **code == *lab.code));
    let same: u64 = same.map(|lab| lab.load + lab.beyond).sum();
    let sum = |key: &str| tubes.iter().map(|one| one[key].as_u64().expect("tubes")).sum::<u64>();
    assert_eq!([sum("listed"), sum("sent")].map(|n| n + same), [report.plan.total.tubes; 2]);
}

#[test]
fn deadlines_are_days_where_they_are_written_as_days() {
    let city = |deadline: &str| TINY.replace("2022-04-30", deadline);
    for (written, cell) in [
        ("2022-05-06", Cell::Day(2022, 5, 6)),
        ("2022-02-29", Cell::Text("2022-02-29".to_owned())),
        ("2022-04-31", Cell::Text("2022-04-31".to_owned())),
        ("2022 年 4 月底前", Cell::Text("2022 年 4 月底前".to_owned())),
    ] {
        let text = city(written).replace("approved_on = \"2022-02-29\"", "");
        let list = &sheets(&report(&text, 0))[0];
        assert!(list.table.rows.iter().any(|row| row[10] == cell), "{written}");
    }
}

#[test]
fn there_is_a_sheet_for_each_layer_and_every_assumption_is_on_the_last() {
    let report = report(TINY, 10);
    let sheets = sheets(&report);
    let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.zh.as_str()).collect();
    assert_eq!(
        names,
        [
            "缺口清单",
            "班组与车辆",
            "测算",
            "各层对照",
            "按时完成的措施",
            "实验室各环节",
            "分派",
            "模拟",
            "依据与状态"
        ]
    );
    for sheet in &sheets {
        let columns = sheet.table.columns.len();
        assert!(sheet.table.rows.iter().all(|row| row.len() == columns), "{}", sheet.name.zh);
    }
    let last = &sheets[8];
    assert!(
        last.lines[0].zh.contains("第 3 版") && last.lines[0].zh.contains("批准 乙 2022-04-20")
    );
    for constant in report.city.norm.constants() {
        let row = last.table.rows.iter().find(|row| text(&row[0]) == constant.key);
        let row = row.unwrap_or_else(|| panic!("{} is missing", constant.key));
        let Words { zh, en } = &constant.origin.source;
        assert_eq!(text(&row[5]), format!("{zh}\n{en}"), "{}", constant.key);
        assert_eq!(text(&row[4]).lines().last(), Some(constant.origin.status.word()));
    }
    // Labs by stage: seven rows each, the binding one marked.
    let labs = &sheets[5].table;
    assert_eq!((labs.rows.len(), labs.sums.len()), (14, 2));
    assert_eq!(
        labs.rows[3][2..5],
        [Cell::Text("是\nyes".to_owned()), Cell::Count(2), Cell::Count(3)]
    );
}

#[test]
fn the_files_are_written_and_are_what_they_should_be() {
    let (folder, mut args) = asked(TINY);
    let path = |name: &str| Some(folder.path().join(name));
    args.replications = 20;
    (args.xlsx, args.svg_backlog, args.svg_finish) =
        (path("plan.xlsx"), path("backlog.svg"), path("finish.svg"));
    answer(&args).expect("an answer");
    let book = std::fs::read(folder.path().join("plan.xlsx")).expect("the workbook");
    assert!(book.starts_with(b"PK\x03\x04"));
    for (name, words) in [
        ("backlog.svg", ["在途 on the way", "核酸提取 extraction", "时限 24 h / target"]),
        ("finish.svg", ["P10", "按时概率", "时限 24 h / target"]),
    ] {
        let svg = std::fs::read_to_string(folder.path().join(name)).expect("a picture");
        well_formed(&svg);
        for words in words {
            assert!(svg.contains(words), "{name} {words}");
        }
    }
}

#[test]
fn excel_files_open_and_hold_numbers_as_numbers() {
    let (folder, mut args) = asked(TINY);
    let path = folder.path().join("plan.xlsx");
    args.xlsx = Some(path.clone());
    answer(&args).expect("an answer");
    let look = "
import sys, zipfile, xml.dom.minidom as dom
book = zipfile.ZipFile(sys.argv[1])
assert book.testzip() is None
for name in book.namelist():
    if name.endswith('.xml') or name.endswith('.rels'):
        dom.parseString(book.read(name))
sheet = dom.parseString(book.read('xl/worksheets/sheet1.xml'))
numbers = [c for c in sheet.getElementsByTagName('c') if not c.getAttribute('t') and c.getElementsByTagName('v')]
assert any(c.getElementsByTagName('v')[0].firstChild.data == '60000' for c in numbers)
assert sheet.getElementsByTagName('pane')[0].getAttribute('state') == 'frozen'
print('ok')
";
    // A second reader of the format, on machines that have one.
    let Ok(out) = std::process::Command::new("python3").args(["-c", look]).arg(&path).output()
    else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "ok", "{out:?}");
}

#[test]
fn names_with_markup_do_not_break_a_picture() {
    let odd = TINY.replace("name_en = \"Tinytown\"", "name_en = \"A<b>&'c\\\"\"");
    let mut report = report(&odd, 3);
    // No file can hold that.
    report.city.name.en.push('\u{7}');
    for svg in [picture::backlog(&report), picture::finish(&report)] {
        let svg = svg.expect("a picture");
        well_formed(&svg);
        assert!(svg.contains("A&lt;b&gt;&amp;&#39;c&quot;"));
    }
}

#[test]
fn one_replication_and_a_city_that_is_done_at_once_still_give_pictures() {
    for (replications, spreads) in [(1, false), (2, true)] {
        let report = report(TINY, replications);
        let finishes = picture::finish(&report).expect("finishes");
        well_formed(&finishes);
        // One finish has no quantiles, no median and no share in time; neither the curve nor the legend has them.
        for words in ["P10", "P90", "quantiles", "median", "in time with"] {
            assert_eq!(finishes.contains(words), spreads, "{replications}: {words}");
        }
        well_formed(&picture::backlog(&report).expect("backlog"));
    }
}

#[test]
fn a_picture_that_cannot_be_drawn_is_refused_in_words() {
    let (folder, mut args) = asked(TINY);
    args.svg_finish = Some(folder.path().join("finish.svg"));
    let error = answer(&args).expect_err("nothing was simulated");
    assert!(error.zh().contains("需要模拟") && error.en().contains("needs a simulation"));
    args.svg_finish = None;
    args.xlsx = Some(folder.path().join("no/such/folder/plan.xlsx"));
    let error = answer(&args).expect_err("no such folder");
    assert!(error.zh().contains("无法写入") && error.en().contains("cannot be written"));
}

/// Every tag that is opened is closed in order, attributes are quoted, and every number is one.
fn well_formed(svg: &str) {
    assert!(svg.starts_with("<?xml") && !svg.contains("NaN") && !svg.contains("inf"));
    assert!(svg.contains("viewBox=\"0 0 ") && svg.contains("<title ") && svg.contains("<desc "));
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or("");
        match (tag.starts_with('?'), tag.starts_with('/'), tag.ends_with('/')) {
            (true, ..) | (_, _, true) => {}
            (_, true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
            _ => open.push(name),
        }
        for amp in text.split('&').skip(1) {
            assert!(
                amp.split(';')
                    .next()
                    .is_some_and(|e| ["amp", "lt", "gt", "quot", "#39"].contains(&e))
            );
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
