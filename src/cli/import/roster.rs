//! Rosters: a CSV file of people who are to be tested, with document type, number and district.
//!
//! Identities live here from the file to the request. No message shows a cell, only line and
//! column: a header that is missing, or columns that were mixed up, would put a number into it.

use super::findings::{Findings, both};
use super::form::is_code;
use super::pieces::PEOPLE_MAX;
use super::reference::not_utf8;
use crate::api::pb;
use crate::keyring::{DocumentType, NUMBER_BYTES_MAX, normalise, resident_id_holds};
use csv::StringRecord;
use std::collections::{BTreeMap, HashMap};

/// The columns: every name that each may have. The first two are told to the user.
const COLUMNS: [&[&str]; 3] = [
    &["document_type", "证件类型"],
    &["number", "证件号", "证件号码"],
    &["district", "区县", "区县代码"],
];

/// Where the columns of [`COLUMNS`] stand in a record.
type Places = [usize; 3];

/// A roster that was checked.
#[derive(Default)]
pub(super) struct Roster {
    bytes: Vec<u8>,
    places: Places,
    /// How many people are in it.
    pub(super) people: u64,
    /// Each district, with the line of its first person.
    pub(super) districts: BTreeMap<String, usize>,
}

/// Some people of one district.
pub(super) struct Piece {
    pub(super) district: String,
    pub(super) people: Vec<pb::Identity>,
}

/// One line of people.
struct Row<'r> {
    document: DocumentType,
    number: &'r str,
    district: &'r str,
}

/// Checks a file to its end. With problems in the findings the roster is incomplete.
pub(super) fn read(bytes: Vec<u8>) -> (Roster, Findings) {
    let mut findings = Findings::default();
    let mut roster = Roster::default();
    if let Err(error) = std::str::from_utf8(&bytes) {
        not_utf8(&mut findings, &bytes, error.valid_up_to());
        return (roster, findings);
    }
    let mut records = Records::new(&bytes);
    let Some(places) = header(&mut records, &mut findings) else { return (roster, findings) };
    // By a short hash of the document, so that a whole city fits: line and district.
    let mut seen: HashMap<u128, (usize, usize)> = HashMap::new();
    while let Some(line) = records.next() {
        let Some(row) = row(&records.record, &places, line, &mut findings) else { continue };
        roster.people += 1;
        roster.districts.entry(row.district.to_owned()).or_insert(line);
        if row.document == DocumentType::ResidentId && !resident_id_holds(&normalise(row.number)) {
            let what = both(
                format!("第 {} 列：身份证号校验位不符", places[1] + 1),
                format!("column {}: the check digit of the number is wrong", places[1] + 1),
            );
            findings.warn(
                line,
                what,
                both("请核对；仍会导入", "check it; it is imported as it is"),
            );
        }
        let district = roster.districts[row.district];
        if let Some((first, in_district)) = seen.insert(print_of(&row), (line, district)) {
            let what = match in_district == district {
                true => both(
                    format!("与第 {first} 行是同一证件"),
                    format!("the same document as in line {first}"),
                ),
                false => both(
                    format!("与第 {first} 行是同一证件，但区县不同"),
                    format!("the same document as in line {first}, in another district"),
                ),
            };
            findings.warn(
                line,
                what,
                both("请核对；仍会导入", "check it; it is imported as it is"),
            );
        }
    }
    if roster.people == 0 && findings.is_sound() {
        let what = both("名册没有人员", "the roster holds nobody");
        findings.problem(
            1,
            what,
            both("表头之后每人一行", "one line for each person after the header"),
        );
    }
    drop(records);
    (Roster { bytes, places, ..roster }, findings)
}

/// What tells two documents apart, in 16 bytes.
fn print_of(row: &Row<'_>) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[row.document.number()]);
    hasher.update(normalise(row.number).as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(short)
}

/// Finds the columns.
fn header(records: &mut Records<'_>, findings: &mut Findings) -> Option<Places> {
    let expected = || {
        both(
            "表头恰为三列：证件类型,证件号,区县（姓名等不要导入）",
            "a header of exactly three columns: document_type,number,district (no names)",
        )
    };
    let Some(line) = records.next() else {
        findings.problem(1, both("文件为空", "the file holds nothing"), expected());
        return None;
    };
    let mut places = [None; 3];
    for (at, cell) in records.record.iter().enumerate() {
        let cell = cell.trim().to_lowercase();
        let column = at + 1;
        match COLUMNS.iter().position(|names| names.contains(&cell.as_str())) {
            Some(known) if places[known].is_none() => places[known] = Some(at),
            Some(_) => {
                let what =
                    both(format!("第 {column} 列重复"), format!("column {column} is there twice"));
                findings.problem(line, what, expected());
            }
            None => {
                let what =
                    both(format!("不认识第 {column} 列"), format!("column {column} is not known"));
                findings.problem(line, what, expected());
            }
        }
    }
    for (names, place) in COLUMNS.iter().zip(&places) {
        if place.is_none() {
            let what = both(format!("缺少“{}”列", names[1]), format!("no column `{}`", names[0]));
            findings.problem(line, what, expected());
        }
    }
    match places {
        [Some(document), Some(number), Some(district)] if findings.is_sound() => {
            Some([document, number, district])
        }
        _ => None,
    }
}

/// Reads a line of people; `None` when something is wrong with it.
fn row<'r>(
    record: &'r StringRecord,
    places: &Places,
    line: usize,
    findings: &mut Findings,
) -> Option<Row<'r>> {
    if record.len() != 3 {
        let what = both(format!("有 {} 列", record.len()), format!("{} columns", record.len()));
        findings.problem(line, what, both("3 列，与表头一致", "3, like the header"));
        return None;
    }
    let [document, number, district] = places.map(|at| record[at].trim());
    let mut wrong = |at: usize, what: [&str; 2], expected: [String; 2]| {
        let column = places[at] + 1;
        let what =
            both(format!("第 {column} 列{}", what[0]), format!("column {column}: {}", what[1]));
        findings.problem(line, what, expected);
    };
    let kind = document_type(document);
    if kind.is_none() {
        let what = match document.is_empty() {
            true => ["缺少证件类型", "the document type is missing"],
            false => ["不是证件类型", "not a type of document"],
        };
        wrong(0, what, documents());
    }
    let bytes = normalise(number).len();
    let number_ok = if bytes == 0 {
        let expected = both(
            "证件上的号码；无证件者为“其他”并自编号码",
            "the number of the document; without one: other, and a number of your own",
        );
        wrong(1, ["缺少证件号", "the number is missing"], expected);
        false
    } else if is_rounded(number) {
        let expected = both(
            "电子表格中该列设为文本格式后重新导出",
            "set the column to text in the spreadsheet, and export again",
        );
        wrong(1, ["号码已被电子表格改成科学计数", "a spreadsheet rounded the number"], expected);
        false
    } else if bytes > NUMBER_BYTES_MAX || number.chars().any(char::is_control) {
        let expected = both(
            format!("1 到 {NUMBER_BYTES_MAX} 字节的号码"),
            format!("a number of 1 to {NUMBER_BYTES_MAX} bytes"),
        );
        wrong(1, ["不是证件号", "not a document number"], expected);
        false
    } else {
        true
    };
    let expected = || both("区县代码，如 150402", "the code of the district, such as 150402");
    let district_ok = if district.is_empty() {
        wrong(2, ["缺少区县", "the district is missing"], expected());
        false
    } else if !is_code(district) || looks_like_identity(district) {
        // It would be written into the log as it stands.
        wrong(2, ["不是区县代码", "not the code of a district"], expected());
        false
    } else {
        true
    };
    let document = kind?;
    (number_ok && district_ok).then_some(Row { document, number, district })
}

/// The kind of document that a word means.
fn document_type(word: &str) -> Option<DocumentType> {
    if word == "身份证" {
        return Some(DocumentType::ResidentId);
    }
    let word = word.to_lowercase();
    DocumentType::ALL.iter().copied().find(|kind| kind.zh() == word || snake(kind.name()) == word)
}

/// The words for documents: Chinese, English.
fn documents() -> [String; 2] {
    let list = |words: Vec<String>| words.join(", ");
    both(
        format!(
            "以下之一：{}",
            list(DocumentType::ALL.iter().map(|kind| kind.zh().into()).collect())
        ),
        format!(
            "one of {}",
            list(DocumentType::ALL.iter().map(|kind| snake(kind.name())).collect())
        ),
    )
}

/// `TaiwanPermit` as `taiwan_permit`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// True for 4.40524E+17: what a spreadsheet makes of a number of 18 digits. Its last digits are lost.
fn is_rounded(number: &str) -> bool {
    let number = number.to_uppercase();
    let Some((digits, power)) = number.split_once("E+") else { return false };
    let digit = |c: char| c.is_ascii_digit() || c == '.';
    !digits.is_empty() && digits.chars().all(digit) && power.chars().all(|c| c.is_ascii_digit())
}

/// True for what has the form of a resident identity number, right or wrong.
fn looks_like_identity(text: &str) -> bool {
    let text = normalise(text);
    let digits = text.strip_suffix('X').unwrap_or(&text);
    matches!(text.len(), 15 | 17 | 18) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Roster {
    /// The roster in pieces, in the order of the file: a district's people are handed out whenever
    /// so many have come together, and the rest at the end. The same file gives the same pieces.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut records = Records::new(&self.bytes);
        records.next();
        let mut waiting: BTreeMap<String, Vec<pb::Identity>> = BTreeMap::new();
        std::iter::from_fn(move || {
            while let Some(line) = records.next() {
                // Nothing is found: the same bytes were checked before.
                let found = &mut Findings::default();
                let Some(row) = row(&records.record, &self.places, line, found) else { continue };
                let people = match waiting.get_mut(row.district) {
                    Some(people) => people,
                    None => waiting.entry(row.district.to_owned()).or_default(),
                };
                let document_type = row.document.number().into();
                people.push(pb::Identity { document_type, number: row.number.into() });
                if people.len() == PEOPLE_MAX {
                    let people = std::mem::take(people);
                    return Some(Piece { district: row.district.to_owned(), people });
                }
            }
            loop {
                let (district, people) = waiting.pop_first()?;
                if !people.is_empty() {
                    return Some(Piece { district, people });
                }
            }
        })
    }
}

/// The records of a file that is UTF-8, with their lines. Lines of blanks are left out.
struct Records<'b> {
    bytes: &'b [u8],
    reader: csv::Reader<&'b [u8]>,
    record: StringRecord,
    /// Up to here lines were counted.
    counted: usize,
    line: usize,
}

impl<'b> Records<'b> {
    fn new(bytes: &'b [u8]) -> Records<'b> {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        Records { bytes, reader, record: StringRecord::new(), counted: 0, line: 1 }
    }

    /// Reads the next record and says its line.
    fn next(&mut self) -> Option<usize> {
        // The only error that reading memory knows is a text that is not UTF-8.
        while self.reader.read_record(&mut self.record).ok()? {
            if !self.record.iter().all(|cell| cell.trim().is_empty()) {
                let at = self.record.position()?.byte();
                return Some(self.line_of(usize::try_from(at).ok()?));
            }
        }
        None
    }

    /// The line of the record that begins at a byte. The reader's own count is one behind after a
    /// carriage return, and takes no notice of empty lines before a record.
    fn line_of(&mut self, byte: usize) -> usize {
        let rest = &self.bytes[byte..];
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = &self.bytes[self.counted..byte + blank];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
        self.counted = byte + blank;
        self.line
    }
}
