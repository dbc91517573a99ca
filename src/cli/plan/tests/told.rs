//! What tables, pictures and sheets tell of labs that no stage alone holds up, of what is never done, and of numbers that stand beside
//! each other.

use super::enough::Beyond;
use super::layers::{TINY, asked};
use super::sheet::{Cell, rows_of, sheets};
use super::vehicles::waiting;
use super::*;
use crate::planner::StageKind;
use crate::planner::fluid::Held;
use crate::planner::model::{HORIZON_MS, HOUR, Ms, Rests};

/// A report of a text of a city file, not simulated.
fn report(text: &str) -> Report {
    let (_folder, args) = asked(text);
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    Report::of(path, city, None, false, Dice { replications: 0, seed: 1 }, &Progress::silent())
}

fn shown(text: &str, lang: Lang, replications: usize) -> String {
    let (_folder, args) = asked(text);
    answer(&PlanArgs { lang: Some(lang), replications, ..args }).expect("an answer").0
}

/// Two vehicles of one tube: not done in forty days, or only by chance.
fn endless() -> String {
    waiting(2, 2).replace("capacity_tubes = 500", "capacity_tubes = 1")
}

#[test]
fn with_the_most_that_is_tried_each_reason_has_its_own_words() {
    let report = report(TINY);
    let mut layers = report.layers;
    let layers = layers.as_mut().expect("a round");
    let k = |kind: StageKind| kind.index();
    let rows: [(Held, bool, &[&str], &[&str]); 6] = [
        (
            Held::Backlog,
            false,
            &[
                "Then extraction at L1 East lab still has more waiting than it can take: that takes another lab, or more time.",
            ],
            &["届时 L1 东区实验室的核酸提取仍有积压，须另增实验室或放宽时限。"],
        ),
        (
            Held::Rest,
            false,
            &[
                "Then at L1 East lab the instruments for extraction work 18 h of a day",
                "that takes other shifts or hours of the instruments",
            ],
            &["届时 L1 东区实验室：核酸提取仪器每天只工作 18 小时", "须调整班次或仪器工作时间"],
        ),
        (
            Held::Run,
            false,
            &[
                "Then the last tubes of L1 East lab wait for the run before theirs in extraction: that takes shorter runs, or more time.",
            ],
            &["届时 L1 东区实验室最后的样本要等核酸提取做完前一批"],
        ),
        (
            Held::Stages,
            false,
            &[
                "wait at one after the other, longest after extraction (done at 20.0 h); PCR set-up is done at 30.0 h: that takes another lab",
            ],
            &[
                "没有哪个环节单独积压",
                "核酸提取 20.0 h 完成后等得最久，体系配制 30.0 h 才完成；须另增实验室或放宽时限",
            ],
        ),
        (
            Held::Stages,
            true,
            &[
                "where they miss the end of a shift and have to wait for the next; PCR set-up is done at 30.0 h: that takes other shifts or hours of the instruments",
            ],
            &["等得最久，错过收班、要等下一班，体系配制 30.0 h 才完成；须调整班次或仪器工作时间"],
        ),
        (
            Held::Way,
            false,
            &[" What binds are fixed times, whatever the numbers"],
            &["受限于固定时间，与数量无关"],
        ),
    ];
    for (held, shifts, en, zh) in rows {
        let mut flow = layers.flow.labs[0].clone();
        (flow.held, flow.binding) = (held, StageKind::Extract);
        for (kind, h) in StageKind::ALL.into_iter().zip([17, 18, 19, 20, 30, 31, 32]) {
            flow.stages[k(kind)].last = h * HOUR;
        }
        let setup = &mut layers.round.model.labs[0].stages[k(StageKind::Setup)];
        setup.rests = match shifts {
            true => vec![vec![(0, 16 * HOUR)]; setup.units as usize].into(),
            false => Rests::default(),
        };
        let beyond = Beyond { finish: 33 * HOUR, lab: 0, flow, sampled: 16 * HOUR };
        let said = remedy_text::beyond_words(&report.city, layers, &beyond);
        for (text, words) in [(&said.en, en), (&said.zh, zh)] {
            words
                .iter()
                .for_each(|words| assert!(text.contains(words), "{held:?}: {words}\n{text}"));
        }
        let backlog = said.en.contains("more waiting than") || said.zh.contains("仍有积压");
        assert_eq!(backlog, held == Held::Backlog, "{held:?} {said:?}");
    }
}

/// "Eight times one more than the units of every stage, no more than two for each plate of its tubes": that is what is tried.
#[test]
fn the_most_that_is_tried_is_what_is_said_of_it() {
    let layers = report(TINY).layers.expect("a round");
    let model = &layers.round.model;
    let most = steps::Most::of(model).all(model);
    let mut by_plates = 0;
    for (lab, tubes) in model.tubes_by_lab().into_iter().enumerate() {
        for (now, with) in model.labs[lab].stages.iter().zip(&most.labs[lab].stages) {
            let plates = 2 * tubes.div_ceil(u64::from(now.batch));
            let eight = 8 * (u64::from(now.units) + 1);
            by_plates += usize::from(plates < eight);
            assert_eq!(u64::from(with.units), eight.min(plates), "{now:?}");
        }
    }
    assert!(by_plates > 0, "nothing was held by its plates");
}

#[test]
fn stages_that_are_late_only_together_are_told_below_their_table() {
    let report = report(TINY);
    let mut layers = report.layers;
    let layers = layers.as_mut().expect("a round");
    let target = layers.round.model.target;
    type Said = Option<(&'static str, &'static str)>;
    let rows: [(Ms, Ms, Said); 4] = [
        (
            target + 17 * HOUR,
            target - HOUR,
            Some((
                "L1 East lab: no stage alone is late, together they are 17.0 h late: the last tubes wait longest after ",
                "L1 东区实验室：没有哪个环节单独超时，合在一起超时 17.0 h：最后的样本在",
            )),
        ),
        (
            target + 17 * HOUR,
            target + HOUR,
            Some((
                "no stage alone is more than 1.0 h late, together they are 17.0 h late",
                "单独受限的环节至多超时 1.0 h，合在一起超时 17.0 h",
            )),
        ),
        // In time, or as late as a stage alone is.
        (target - HOUR, target - 2 * HOUR, None),
        (target + 17 * HOUR, target + 17 * HOUR - 60_000, None),
    ];
    for (finish, alone, told) in rows {
        let flow = &mut layers.flow.labs[0];
        (flow.finish, flow.alone) = (finish, [alone; StageKind::COUNT]);
        let said = held_text::together(&report.city, layers, 0);
        assert_eq!(said.is_some(), told.is_some(), "{finish} {alone} {said:?}");
        if let (Some(said), Some((en, zh))) = (said, told) {
            assert!(said.en.contains(en) && said.zh.contains(zh), "{said:?}");
        }
    }
    // The shift ends before the last plates are through: it stands in the report.
    let night = TINY.replacen(
        "serves = [",
        "shifts = [ { from = \"20:00\", to = \"04:00\" } ]\nserves = [",
        1,
    );
    let (en, zh) = (shown(&night, Lang::En, 0), shown(&night, Lang::Zh, 0));
    assert!(en.contains("together they are ") && zh.contains("合在一起超时 "), "{en}");
}

#[test]
fn the_end_of_what_is_reckoned_is_no_result() {
    let text = endless();
    for replications in [0, 2] {
        let (en, zh) = (shown(&text, Lang::En, replications), shown(&text, Lang::Zh, replications));
        for said in [&en, &zh] {
            assert!(!said.contains("960.0") && !said.contains("936.0"), "{said}");
            assert!(said.contains(">960"), "{said}");
        }
        for words in
            ["the flows are not done within 40 days, and how much later is not known", ">960 (–)"]
        {
            assert!(en.contains(words), "{words}\n{en}");
        }
        let late = |line: &&str| line.contains("L1 East lab") && line.contains(" over 40 days ");
        let row = en.lines().filter(late).find(|line| line.contains(">960")).expect("a row");
        assert!(row.contains(" transport "), "{row}");
        let both =
            "simulation and flows: not compared, for not all of them are done within 40 days";
        assert_eq!(en.contains(both), replications > 0, "{en}");
        assert!(zh.contains("流体 40 天内不能完成，晚多少不知"), "{zh}");
    }
    let (_folder, args) = asked(&text);
    let (json, _) = answer(&PlanArgs { json: true, replications: 2, ..args }).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
    let layers = &json["layers"];
    assert!(layers["flow"]["labs"][0]["stages"][3]["slack_hours"].is_null());
    assert!(layers["flow_and_rules"]["ms"].is_null() && layers["simulation_and_flow"].is_null());
    let steps = layers["flow_and_rules"]["steps"].as_array().expect("steps");
    assert!(steps.last().expect("vehicles")["ms"].is_null() && !steps[0]["ms"].is_null());
    let report = report(&text);
    let labs = sheets(&report).into_iter().find(|sheet| sheet.name.zh == "实验室各环节");
    let rows = labs.expect("a sheet").table.rows;
    let east: Vec<_> = rows.iter().filter(|row| row[6] == Cell::Text(">960".to_owned())).collect();
    assert!(!east.is_empty() && east.iter().all(|row| row[9] == Cell::Blank), "{rows:?}");
    // Nothing binds at a lab that waits for its tubes.
    assert!(east.iter().all(|row| row[2] == Cell::Blank), "{rows:?}");
    let flow = report.layers.expect("a round").flow;
    assert_eq!(flow.labs[0].finish, HORIZON_MS);
}

#[test]
fn of_two_numbers_of_vehicles_it_is_said_which_to_order_by() {
    let mut layers = report(&waiting(2, 2)).layers;
    let layers = layers.as_mut().expect("a round");
    let transport = layers.flow.labs[0].transport.expect("it waits for vehicles");
    let by_flows = transport.needed - transport.vehicles;
    let remedy = layers.remedy.as_ref().expect("it is late");
    let mut more = remedy.more.clone().expect("vehicles help");
    let row = more.vehicles.first().expect("vehicles").clone();
    for (n, told) in [(by_flows, false), (by_flows + 3, true)] {
        more.vehicles = vec![remedy::Vehicles { more: n, ..row.clone() }];
        let said = remedy_text::which_vehicles(layers, &more);
        assert_eq!(said.is_some(), told, "{said:?}");
        if let Some(said) = said {
            let en = format!(
                "the one to order by is the measures', {n} more; {by_flows} more is the flows'"
            );
            assert!(said.en.contains(&en), "{}", said.en);
            let zh =
                format!("以后者（加 {n} 辆，措施的数）为准；前面的加 {by_flows} 辆是流体层的数");
            assert!(said.zh.contains(&zh), "{}", said.zh);
        }
    }
    // Where another thing is what binds, the flows have named no number.
    let flow = &mut layers.flow.labs[0];
    (flow.held, flow.units_needed) = (Held::Backlog, [Some(1); StageKind::COUNT]);
    assert_eq!(remedy_text::which_vehicles(layers, &more), None);
}

/// Texts of a picture with their place, size and anchor.
fn texts(svg: &str) -> Vec<(f64, f64, String, String)> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\"")).expect("an attribute");
        rest.split('"').next().expect("a value").to_owned()
    };
    let texts = svg.split("<text").skip(1).map(|piece| {
        let (tag, rest) = piece.split_once('>').expect("a tag ends");
        let text = rest.split("</text>").next().expect("a text");
        let number = |name: &str| attribute(tag, name).parse::<f64>().expect("a number");
        (number("x"), number("font-size"), attribute(tag, "text-anchor"), text.to_owned())
    });
    texts.collect()
}

#[test]
fn no_text_of_a_picture_runs_over_its_edge() {
    let long = "很长的城市名称".repeat(12);
    let named = TINY.replacen("name = \"", &format!("name = \"{long}"), 1);
    for text in [TINY, &waiting(2, 2), &named] {
        let (_folder, args) = asked(text);
        let path = args.city.as_deref().expect("a city");
        let city = city_file::open(path, None).expect("a city file");
        let dice = Dice { replications: 3, seed: 1 };
        let report = Report::of(path, city, None, false, dice, &Progress::silent());
        for svg in [picture::backlog(&report), picture::finish(&report)] {
            let svg = svg.expect("a picture");
            for (x, size, anchor, text) in texts(&svg) {
                let text =
                    text.replace("&apos;", "'").replace("&#39;", "'").replace("&quot;", "\"");
                let wide = picture::text_width(&text, size);
                let from = match anchor.as_str() {
                    "start" => x,
                    "middle" => x - wide / 2.0,
                    _ => x - wide,
                };
                assert!(from >= 0.0 && from + wide <= 1120.0, "{from} + {wide}: {text}");
                assert!(size >= 6.0, "too small to be read: {size} {text}");
            }
        }
        // What binds is told in full, each language by itself.
        let binds = report.layers.as_ref().expect("a round").binds(&report.city);
        let svg = picture::backlog(&report).expect("a picture");
        let told = texts(&svg).into_iter().map(|(.., text)| text);
        let told: Vec<String> = told.map(|text| text.replace("&#39;", "'")).collect();
        let joined = |by: &str| told.join(by);
        assert!(joined(" ").contains(&binds.en), "{told:?}");
        assert!(joined("").replace(' ', "").contains(&binds.zh.replace(' ', "")), "{told:?}");
    }
}

#[test]
fn notes_of_a_sheet_stand_below_its_table_across_its_width() {
    let (folder, mut args) = asked(TINY);
    let path = folder.path().join("plan.xlsx");
    args.xlsx = Some(path.clone());
    answer(&args).expect("an answer");
    let look = "
import sys, zipfile, xml.dom.minidom as dom
book = zipfile.ZipFile(sys.argv[1])
strings = [''.join(t.firstChild.data for t in s.getElementsByTagName('t') if t.firstChild)
           for s in dom.parseString(book.read('xl/sharedStrings.xml')).getElementsByTagName('si')]
sheet = dom.parseString(book.read('xl/worksheets/sheet1.xml'))
pane = sheet.getElementsByTagName('pane')[0]
assert int(pane.getAttribute('ySplit')) <= 4, pane.toxml()
merged = {m.getAttribute('ref') for m in sheet.getElementsByTagName('mergeCell')}
notes = 0
for row in sheet.getElementsByTagName('row'):
    n = int(row.getAttribute('r'))
    for cell in row.getElementsByTagName('c'):
        if cell.getAttribute('t') != 's' or not cell.getElementsByTagName('v'): continue
        text = strings[int(cell.getElementsByTagName('v')[0].firstChild.data)]
        if cell.getAttribute('r').startswith('A') and n > 4 and len(text) > 60:
            notes += 1
            assert 'A%d:L%d' % (n, n) in merged, (n, text)
            wide = sum(2 if ord(c) >= 0x2e80 else 1 for c in text)
            assert wide <= 232 or float(row.getAttribute('ht')) >= 30, (n, wide, row.getAttribute('ht'))
assert notes > 3, notes
print('ok')
";
    // A second reader of the format, on machines that have one.
    if let Ok(out) = std::process::Command::new("python3").args(["-c", look]).arg(&path).output() {
        assert_eq!(String::from_utf8_lossy(&out.stdout).trim(), "ok", "{out:?}");
    }
    for (text, width, rows) in [
        ("", 100.0, 1),
        ("short", 100.0, 1),
        (&"字".repeat(60), 100.0, 2),
        (&"a\nb".repeat(2), 100.0, 3),
    ] {
        assert_eq!(rows_of(text, width), rows, "{text}");
    }
}

#[test]
fn what_a_new_lab_has_from_its_pack_is_one_line_of_a_diff() {
    let west = TINY.find("[[lab]]").expect("a lab");
    let lab = TINY[west..].split("\n[[").next().expect("one lab");
    let lab = lab.replace("code = \"L1\"", "code = \"L9\"");
    let more = format!("{TINY}\n[[{}\n", lab.trim_start_matches("[["));
    for (old, new, sign) in [(TINY, more.as_str(), '+'), (more.as_str(), TINY, '-')] {
        let (text, code) = diff_of(old, new, false);
        assert_eq!(code, diff::EXIT_CHANGED);
        let of_lab: Vec<&str> = text.lines().filter(|line| line.contains("lab[L9]")).collect();
        let said = of_lab.iter().filter(|line| line.contains("values as the norm pack ")).count();
        assert_eq!(said, 1, "{text}");
        assert!(of_lab.iter().all(|line| line.starts_with(sign)) && of_lab.len() < 30, "{text}");
        // What somebody put in stands there, and in JSON all of it does.
        for own in ["lab[L9].extract.run_minutes", "lab[L9].extract.units", "lab[L9].serves"] {
            assert!(of_lab.iter().any(|line| line.contains(own)), "{own} {text}");
        }
        assert!(!text.contains("lab[L9].decap.run_minutes"), "{text}");
        let (json, _) = diff_of(old, new, true);
        let json: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
        let listed = json["changes"].as_array().expect("changes");
        assert!(listed.len() > 70, "{}", listed.len());
        assert!(text.contains(&format!("{} changes", listed.len())), "{text}");
    }
}
