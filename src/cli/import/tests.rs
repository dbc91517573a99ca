//! Every bad file is answered with its line and with what is expected; the example files are sound;
//! and the same file is always cut into the same facts.

use super::pieces::{Named, calls, epoch};
use super::server::Call;
use super::*;
use crate::api::pb;

/// Sound reference data; the tests break one line of it at a time.
const SOUND: &str = r#"[[jurisdiction]]
code = "99"
name = "例市"
level = "city"
[[jurisdiction]]
code = "9901"
name = "东例区"
level = "区县"
parent = "99"
[[site]]
code = "S1"
name = "小学"
jurisdiction = "9901"
[[desk]]
code = "D1"
site = "S1"
[[device]]
code = "P1"
desk = "D1"
[[lab]]
code = "L1"
name = "疾控"
tubes_per_day_max = 3600
[[instrument]]
code = "I1"
lab = "L1"
model = "cycler"
[[kit]]
code = "K"
name = "Kit"
version = 1
positive_controls_min = 1
negative_controls_min = 3
status = "assumed"
source = "leaflet"
[[kit.target]]
name = "ORF1ab"
cut_off = 38.0
grey_to = 40
[[kit.target]]
name = "IC"
internal_control = true
cut_off = 40
[[lot]]
code = "LOT1"
kind = "pcr"
product = "K"
expires_at = 2027-11-30
[barcodes]
prefix = "T"
length = 12
luhn = true
"#;

const HEADER: &str = "document_type,number,district\n";

fn reference(text: &str) -> File {
    of_bytes("city/ref.toml", Kind::Reference, text.as_bytes().to_vec())
}

fn people(text: &str) -> File {
    of_bytes("people.csv", Kind::Roster, text.as_bytes().to_vec())
}

/// The problems of files, as the user reads them.
fn problems(mut files: Vec<File>) -> String {
    cross::check(&mut files);
    files.iter().map(|file| file.findings.problems_text(&file.path)).collect()
}

/// That one line of each language names the place, the words and what is expected.
#[track_caller]
fn says(text: &str, place: &str, zh: &str, en: &str) {
    for (words, mark) in [(zh, "；应为："), (en, "; expected: ")] {
        let found = text.lines().any(|line| {
            let rest = line.strip_prefix(place);
            // The figure must end there: line 1 is not line 18.
            rest.is_some_and(|rest| rest.starts_with([':', '：']))
                && line.contains(words)
                && line.contains(mark)
        });
        assert!(found, "wanted {place}, {words}, {mark}\n{text}");
    }
}

#[test]
fn sound_reference_data_is_read_to_the_last_number() {
    let file = reference(SOUND);
    assert_eq!(problems(vec![reference(SOUND)]), "");
    assert_eq!(file.findings.counts(), (0, 0));
    let Content::Reference(items) = &file.content else { panic!("reference data") };
    assert_eq!(items.len(), 10);
    let wire = |code: &str| {
        let item = items.iter().find(|item| item.code == code).expect(code);
        item.wire.item.clone().expect("an item")
    };
    use pb::reference_item::Item;
    let Item::Kit(kit) = wire("K v1") else { panic!("a kit") };
    let targets: Vec<_> =
        kit.targets.iter().map(|rule| (rule.cut_off_hundredths, rule.grey_to_hundredths)).collect();
    assert_eq!(targets, [(3800, 4000), (4000, 0)]);
    assert!(kit.targets[1].is_internal_control);
    let Item::Lot(lot) = wire("LOT1") else { panic!("a lot") };
    assert_eq!(lot.expires_at_ms, parse_moment("2027-11-30T23:59:59.999+08:00").unwrap());
    assert_eq!(lot.kind(), pb::LotKind::Pcr);
    let Item::Jurisdiction(district) = wire("9901") else { panic!("a district") };
    assert_eq!((district.level(), district.parent.as_str()), (pb::Level::District, "99"));
}

#[test]
fn bad_reference_data_is_answered_with_line_and_expectation() {
    let table = [
        // Missing, of another kind, or out of bounds.
        ("code = \"S1\"\n", "", 10, "缺少“code”", "`code` is missing"),
        ("code = \"S1\"", "code = 17", 11, "“code”为 17", "`code` is 17"),
        ("code = \"S1\"", "code = \" S1\"", 11, "首尾无空格", "no blanks at its ends"),
        ("code = \"S1\"", "code = \"\"", 11, "1 到 64 字节", "1 to 64 bytes"),
        (
            "name = \"疾控\"",
            "name = \"一二三四五六七八九十一二三四五六七八九十一二\"",
            22,
            "64 字节",
            "64 bytes",
        ),
        ("level = \"区县\"", "level = \"county\"", 8, "区县, subdistrict", "one of city"),
        ("parent = \"99\"\n", "", 5, "缺少“parent”", "`parent` is missing"),
        ("3600", "-1", 23, "1 到 100000000 的整数", "`tubes_per_day_max` is -1"),
        ("3600", "0", 23, "1 到 100000000 的整数", "a whole number from 1"),
        ("3600", "99.5", 23, "“tubes_per_day_max”为 99.5", "a whole number from 1"),
        ("version = 1", "version = 0", 31, "1 到 1000000 的整数", "`version` is 0"),
        ("positive_controls_min = 1\n", "", 28, "缺少“positive_controls_min”", "is missing"),
        ("negative_controls_min = 3", "negative_controls_min = -3", 33, "0 到 95", "is -3"),
        ("status = \"assumed\"", "status = \"sure\"", 34, "norm, measured", "one of norm"),
        ("source = \"leaflet\"\n", "", 28, "数值出处", "where the numbers come from"),
        ("cut_off = 38.0\n", "", 36, "缺少“cut_off”", "`cut_off` is missing"),
        ("cut_off = 38.0", "cut_off = 45.01", 38, "“cut_off”为 45.01", "cycles from 0 to 45"),
        ("cut_off = 38.0", "cut_off = 3800", 38, "0 到 45 的循环数", "`cut_off` is 3800"),
        ("cut_off = 38.0", "cut_off = -38.0", 38, "“cut_off”为 -38", "cycles from 0 to 45"),
        ("cut_off = 38.0", "cut_off = 37.995", 38, "最多两位小数", "at most two decimals"),
        ("cut_off = 38.0", "cut_off = 0", 38, "大于 0", "more than 0"),
        ("internal_control = true", "internal_control = 1", 42, "true 或 false", "true or false"),
        ("kind = \"pcr\"", "kind = \"swab\"", 46, "采样管", "one of tube"),
        ("2027-11-30", "\"soon\"", 48, "“expires_at”为 \"soon\"", "a date without quotes"),
        ("2027-11-30", "2027-11-30T10:00:00", 48, "带时区的时间", "a time with its offset"),
        ("2027-11-30", "2027-02-30", 48, "TOML 语法错误", "valid TOML"),
        ("luhn = true\n", "", 49, "缺少“luhn”", "`luhn` is missing"),
        ("length = 12", "length = 65", 51, "1 到 64 的整数", "a whole number from 1 to 64"),
        ("prefix = \"T\"", "prefix = \"管\"", 50, "非 ASCII", "is not ASCII"),
        // In contradiction.
        (
            "grey_to = 40",
            "grey_to = 37.5",
            39,
            "“grey_to”37.50 小于“cut_off”38.00",
            "`grey_to` 37.50 is below `cut_off` 38.00",
        ),
        ("length = 12", "length = 2", 51, "前缀和校验位已占 2 位", "at least 3"),
        (
            "positive_controls_min = 1",
            "positive_controls_min = 95",
            32,
            "质控孔共 98 个",
            "98 control wells in all",
        ),
        ("name = \"IC\"", "name = \"ORF1ab\"", 41, "靶标“ORF1ab”重复", "\"ORF1ab\" is given twice"),
        (
            "name = \"ORF1ab\"",
            "name = \"X\"\ninternal_control = true",
            28,
            "没有非内标靶标",
            "no target that is not",
        ),
        (
            "code = \"9901\"",
            "code = \"99\"",
            6,
            "辖区“99”已在第 2 行给出",
            "\"99\" was given in line 2 already",
        ),
        (
            "level = \"city\"",
            "level = \"city\"\nparent = \"9901\"",
            5,
            "去掉“parent”",
            "a city has a `parent`",
        ),
        (
            "level = \"city\"",
            "level = \"district\"\nparent = \"0\"",
            10,
            "“parent”为区县级的“99”",
            "a level above district",
        ),
        (
            "jurisdiction = \"9901\"",
            "jurisdiction = \"99\"",
            13,
            "采样点按区县计数",
            "counted by district",
        ),
        // Not known here.
        (
            "code = \"D1\"",
            "code = \"D1\"\nfloor = 2",
            16,
            "不认识的键“floor”",
            "unknown key `floor`",
        ),
        ("[[desk]]", "[[bench]]", 14, "不认识的键“bench”", "unknown key `bench`"),
        ("[[desk]]", "[desk]", 14, "一组 [[表]]", "a list of [[tables]]"),
        ("[barcodes]", "[[barcodes]]", 49, "一个表", "a table"),
        ("code = \"S1\"", "code = ", 11, "TOML 语法错误", "not TOML"),
    ];
    for (old, new, line, zh, en) in table {
        assert!(SOUND.contains(old), "{old}");
        let text = problems(vec![reference(&SOUND.replacen(old, new, 1))]);
        says(&text, &format!("city/ref.toml:{line}"), zh, en);
    }
    says(&problems(vec![reference("")]), "city/ref.toml:1", "文件为空", "the file holds nothing");
    let other = of_bytes("gbk.toml", Kind::Reference, b"[[site]]\nname = \"\xb6\xab\"\n".to_vec());
    says(&problems(vec![other]), "gbk.toml:2", "不是 UTF-8 文字", "not UTF-8 text");
}

#[test]
fn one_run_names_everything_that_is_wrong() {
    let text =
        SOUND.replace("3600", "-1").replace("version = 1", "version = 0").replace("= 12", "= 1");
    let text = problems(vec![reference(&text), reference(SOUND)]);
    for line in [23, 31, 51] {
        assert!(text.contains(&format!("city/ref.toml:{line}：")), "{line}\n{text}");
    }
    // The second file gives everything again; the message says where it was first.
    says(
        &text,
        "city/ref.toml:11",
        "采样点“S1”已在city/ref.toml:11给出",
        "was given in city/ref.toml:11",
    );
}

#[test]
fn what_no_file_has_is_only_a_warning() {
    let desk = "[[desk]]\ncode = \"D9\"\nsite = \"S9\"\n";
    let mut files = vec![reference(SOUND), reference(desk)];
    cross::check(&mut files);
    assert_eq!(files[1].findings.counts(), (0, 1));
    let text = files[1].findings.warnings_text("desks.toml");
    assert!(text.contains("提示 desks.toml:3：“site”指向的采样点“S9”不在所给文件中"), "{text}");
    assert!(text.contains("warning desks.toml:3: `site` names the site \"S9\""), "{text}");
    // In another file of the same run it is found.
    let mut files = vec![reference(&desk.replace("S9", "S1")), reference(SOUND)];
    cross::check(&mut files);
    assert_eq!(files[0].findings.counts(), (0, 0));
}

#[test]
fn a_roster_is_read_with_either_header_in_any_order_and_line_ending() {
    let files = [
        format!("{HEADER}resident_id,440524188001010022,9901\npassport,P1,9902\n"),
        "证件类型,证件号码,区县\n居民身份证,440524188001010022,9901\n护照,P1,9902".to_owned(),
        "\u{feff}区县,证件号,证件类型\r\n9901,\"440524188001010022\",身份证\r\n\r\n,,\r\n9902, P1 ,passport\r\n".to_owned(),
    ];
    for text in files {
        let file = people(&text);
        assert_eq!(file.findings.counts(), (0, 0), "{}", file.findings.problems_text("people.csv"));
        let Content::Roster(roster) = &file.content else { panic!("a roster") };
        let pieces: Vec<_> = roster
            .pieces()
            .map(|piece| {
                (piece.district, piece.people[0].document_type, piece.people[0].number.clone())
            })
            .collect();
        let wanted = [("9901", 1, "440524188001010022"), ("9902", 2, "P1")];
        assert_eq!(pieces, wanted.map(|(d, t, n)| (d.to_owned(), t, n.into())), "{text}");
        assert_eq!(roster.people, 2);
    }
}

#[test]
fn a_bad_roster_is_answered_with_line_and_column_and_never_with_a_number() {
    let secret = "440524188001010022";
    let table = [
        ("", 1, "文件为空", "the file holds nothing"),
        (HEADER, 1, "名册没有人员", "the roster holds nobody"),
        ("resident_id,@,9901\n", 1, "不认识第 2 列", "column 2 is not known"),
        ("document_type,number\nresident_id,@\n", 1, "缺少“区县”列", "no column `district`"),
        ("姓名,证件类型,证件号,区县\n张三,护照,@,9901\n", 1, "不认识第 1 列", "no names"),
        ("number,number,district\n", 1, "第 2 列重复", "column 2 is there twice"),
        ("#resident_id,@\n", 2, "有 2 列", "2 columns"),
        ("#resident_id,@,9901,x\n", 2, "3 列，与表头一致", "4 columns"),
        ("#,@,9901\n", 2, "第 1 列缺少证件类型", "the document type is missing"),
        ("#@,1,9901\n", 2, "第 1 列不是证件类型", "one of resident_id, passport"),
        ("#resident_id,,9901\n", 2, "第 2 列缺少证件号", "the number is missing"),
        ("#resident_id,4.40524E+17,9901\n", 2, "科学计数", "a spreadsheet rounded the number"),
        ("#resident_id,@@@@,9901\n", 2, "1 到 64 字节的号码", "not a document number"),
        ("#resident_id,@,\n", 2, "第 3 列缺少区县", "column 3: the district is missing"),
        ("#resident_id,9901,@\n", 2, "第 3 列不是区县代码", "not the code of a district"),
        ("#passport,\"P1\nresident_id,@,9901\n", 2, "有 2 列", "2 columns"),
        ("#passport,P1,9901\r\n\r\npassport,P2,\r\n", 4, "缺少区县", "the district is missing"),
    ];
    for (text, line, zh, en) in table {
        let text = text.replace('#', HEADER).replace('@', secret);
        let found = problems(vec![people(&text)]);
        says(&found, &format!("people.csv:{line}"), zh, en);
        assert!(!found.contains(secret) && !found.contains("4.40524"), "{found}");
        assert!(!found.contains("张三") && !found.contains("P1"), "{found}");
    }
}

#[test]
fn odd_people_are_warned_of_and_imported() {
    let wrong = "440524188001010023";
    let rows = format!(
        "{HEADER}resident_id,{wrong},9901\npassport,p1,9901\npassport,P-1,9901\npassport,P1,9909\n"
    );
    let mut files = vec![reference(SOUND), people(&rows)];
    cross::check(&mut files);
    assert!(files[1].findings.is_sound());
    let text = files[1].findings.warnings_text("people.csv");
    for words in [
        "people.csv:2：第 2 列：身份证号校验位不符",
        "people.csv:2: column 2: the check digit of the number is wrong",
        "people.csv:4：与第 3 行是同一证件；",
        "people.csv:5: the same document as in line 4, in another district",
        "people.csv:5: the code in the district column is no district of the files",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains(wrong) && !text.contains("9909"), "{text}");
    let Content::Roster(roster) = &files[1].content else { panic!("a roster") };
    assert_eq!(roster.pieces().map(|piece| piece.people.len()).sum::<usize>(), 4);
}

const NAMED: Named<'static> = Named { round: "r1", roster: "all" };

/// Number, district and count of each call that imports a file.
fn cut(file: &File, named: Named<'_>) -> Vec<(u64, u64, String, u64)> {
    let told = |(call, count)| {
        let (fact, district, inside) = match call {
            Call::Reference(call) => (call.fact, String::new(), call.items.len()),
            Call::Roster(call) => (call.fact, call.district, call.people.len()),
            _ => panic!("no call of an import"),
        };
        let id = fact.and_then(|fact| fact.id).expect("an id");
        assert_eq!((id.source.as_str(), inside as u64), ("import", count));
        (id.epoch, id.number, district, count)
    };
    calls(file, "import", named).map(told).collect()
}

#[test]
fn a_file_is_cut_into_numbered_pieces_that_fit() {
    let desks: String =
        (0..2_500).map(|n| format!("[[device]]\ncode = \"P{n}\"\ndesk = \"D\"\n")).collect();
    let sizes: Vec<_> = cut(&reference(&desks), NAMED).iter().map(|c| (c.1, c.3)).collect();
    assert_eq!(sizes, [(1, 1_000), (2, 1_000), (3, 500)]);

    let rows: String = (0..14_000)
        .map(|n| format!("other,N{n},{}\n", if n % 2 == 0 { "9902" } else { "9901" }))
        .collect();
    let pieces = cut(&people(&format!("{HEADER}{rows}")), NAMED);
    let sizes: Vec<_> = pieces.iter().map(|c| (c.1, c.2.as_str(), c.3)).collect();
    assert_eq!(
        sizes,
        [(1, "9902", 5_000), (2, "9901", 5_000), (3, "9901", 2_000), (4, "9902", 2_000)]
    );
}

#[test]
fn the_same_file_gives_the_same_facts_and_another_file_others() {
    let roster = || people(&format!("{HEADER}passport,P1,9901\n"));
    assert_eq!(cut(&roster(), NAMED), cut(&roster(), NAMED));
    let first = cut(&roster(), NAMED)[0].0;
    // The same roster for the next round is new; under the old id it would be refused.
    assert_ne!(first, cut(&roster(), Named { round: "r2", ..NAMED })[0].0);
    assert_ne!(first, cut(&roster(), Named { roster: "b", ..NAMED })[0].0);
    assert_ne!(first, cut(&people(&format!("{HEADER}passport,P2,9901\n")), NAMED)[0].0);
    // Once given, for ever: another value would record every file anew.
    assert_eq!(epoch(&blake3::hash(b"swabline"), &["a", "b"]), 7_401_445_668_837_819_050);
    assert_ne!(epoch(&blake3::hash(b""), &["ab", ""]), epoch(&blake3::hash(b""), &["a", "b"]));
    for word in 0..1_000_u32 {
        let epoch = epoch(&blake3::hash(&word.to_le_bytes()), &[]);
        assert!((1..=i64::MAX as u64).contains(&epoch), "{epoch}");
    }
}

#[test]
fn the_name_of_a_file_is_cut_to_what_the_history_takes() {
    assert_eq!(pieces::name("a/b/city.toml"), "city.toml");
    let long = pieces::name(&format!("a/{}.toml", "市".repeat(40)));
    assert_eq!(long, "市".repeat(21));
}

#[test]
fn the_example_files_are_sound() {
    let files = [
        ("example.toml", include_str!("../../../deploy/reference/example.toml")),
        ("kits.toml", include_str!("../../../deploy/reference/kits.toml")),
        ("roster.csv", include_str!("../../../deploy/reference/roster.csv")),
    ];
    let mut files: Vec<_> = files
        .into_iter()
        .map(|(name, text)| of_bytes(name, kind(Path::new(name)).unwrap(), text.into()))
        .collect();
    cross::check(&mut files);
    for file in &files {
        let told =
            file.findings.problems_text(&file.path) + &file.findings.warnings_text(&file.path);
        assert_eq!(told, "", "{}", file.path);
    }
    assert_eq!(totals(&files), (25, 7));
}

#[test]
fn arguments_are_checked_with_the_files() {
    let args = |files: &[&str], check: bool, roster: Option<&str>| ImportArgs {
        ca: None,
        server: None,
        token: None,
        source: "import".to_owned(),
        round: roster.map(str::to_owned),
        roster: roster.map(str::to_owned),
        check,
        files: files.iter().map(PathBuf::from).collect(),
    };
    assert_eq!(arguments(&args(&["a.toml"], false, None)), "");
    assert_eq!(arguments(&args(&["a.csv"], false, Some("r"))), "");
    assert_eq!(arguments(&args(&["a.csv"], true, None)), "");
    let wrong = arguments(&args(&["a.csv"], false, None));
    assert!(wrong.contains("--round：") && wrong.contains("--roster: missing"), "{wrong}");
    assert!(arguments(&args(&["a.csv"], false, Some(" "))).contains("--roster"));
    let told = read_all(&args(&["/nowhere/a.toml", "b.xlsx"], true, None)).err().expect("wrong");
    for words in [
        "/nowhere/a.toml：无法读取",
        "cannot be read",
        "b.xlsx：不认识的文件类型",
        "expected: .toml",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
}
