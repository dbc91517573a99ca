//! Reference data: a TOML file to the items that the API takes, each with its line.

use super::block::{Block, Sheet};
use super::findings::{Findings, both};
use super::{form, kit};
use crate::api::pb;
use crate::cli::city_file::Problem;
use crate::domain::words::Level;
use pb::reference_item::Item as Wire;
use toml::de::DeTable;

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Jurisdiction,
    Site,
    Desk,
    Device,
    Lab,
    Instrument,
    Kit,
    Lot,
    Barcodes,
}

impl Table {
    /// What the table holds: Chinese, English.
    pub(super) fn words(self) -> [&'static str; 2] {
        match self {
            Table::Jurisdiction => ["辖区", "jurisdiction"],
            Table::Site => ["采样点", "site"],
            Table::Desk => ["采样台", "desk"],
            Table::Device => ["设备", "device"],
            Table::Lab => ["实验室", "lab"],
            Table::Instrument => ["仪器", "instrument"],
            Table::Kit => ["试剂盒", "kit"],
            Table::Lot => ["批号", "lot"],
            Table::Barcodes => ["条码规则", "barcodes"],
        }
    }
}

/// One item, and what has to be known to check it against the others.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) table: Table,
    /// What nothing else in its table may be called.
    pub(super) code: String,
    /// Line of the code.
    pub(super) line: usize,
    /// What it lies in or belongs to.
    pub(super) within: Option<Within>,
    /// Of a jurisdiction.
    pub(super) level: Option<Level>,
    pub(super) wire: pb::ReferenceItem,
}

/// A reference to another item.
#[derive(Debug)]
pub(super) struct Within {
    pub(super) key: &'static str,
    pub(super) table: Table,
    pub(super) code: String,
    pub(super) line: usize,
}

/// Reads a file to its end. With problems in the findings the items are incomplete.
pub(super) fn read(bytes: &[u8]) -> (Vec<Item>, Findings) {
    let text = match std::str::from_utf8(bytes) {
        // Some editors put a mark at the beginning of every UTF-8 file.
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let mut findings = Findings::default();
            not_utf8(&mut findings, bytes, error.valid_up_to());
            return (Vec::new(), findings);
        }
    };
    let sheet = Sheet::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let Problem { zh, en, expected_zh, expected_en, .. } = Problem::not_toml(text, error);
        let (what, expected) = (both(zh, en), both(expected_zh, expected_en));
        sheet.problem(&error.span().unwrap_or_default(), what, expected);
    }
    // What is left of a table with a slip of the pen in it would be called missing or unknown.
    let items = if errors.is_empty() { items(&sheet, table.get_ref()) } else { Vec::new() };
    (items, sheet.into_findings())
}

/// Notes that a file is in another encoding.
pub(super) fn not_utf8(findings: &mut Findings, bytes: &[u8], good: usize) {
    let line = 1 + bytes[..good].iter().filter(|&&byte| byte == b'\n').count();
    let what = both("不是 UTF-8 文字", "not UTF-8 text");
    let expected = both(
        "UTF-8 编码（电子表格请另存为“CSV UTF-8”）",
        "UTF-8 (in a spreadsheet: save as \"CSV UTF-8\")",
    );
    findings.problem(line, what, expected);
}

fn items(sheet: &Sheet, table: &DeTable<'_>) -> Vec<Item> {
    let top = Block::new(sheet, table, 0..0);
    type Read = fn(&Block<'_>) -> Option<Item>;
    let tables: [(&'static str, Read); 8] = [
        ("jurisdiction", jurisdiction),
        ("site", site),
        ("desk", desk),
        ("device", device),
        ("lab", lab),
        ("instrument", instrument),
        ("kit", kit::kit),
        ("lot", lot),
    ];
    let mut items = Vec::new();
    let mut seen = 0;
    for (name, read) in tables {
        for block in top.blocks(name) {
            seen += 1;
            items.extend(read(&block));
            block.close();
        }
    }
    if let Some(block) = top.block("barcodes") {
        seen += 1;
        items.extend(kit::barcodes(&block));
        block.close();
    }
    if seen == 0 && table.is_empty() {
        let expected =
            both("至少一个 [[表]]，如 [[site]]", "at least one [[table]], such as [[site]]");
        sheet.problem(&(0..0), both("文件为空", "the file holds nothing"), expected);
    }
    top.close();
    items
}

/// An item of a table; `code` must have been read from the block's key `code`.
pub(super) fn item(
    block: &Block<'_>,
    table: Table,
    code: String,
    within: Option<Within>,
    wire: Wire,
) -> Item {
    let line = block.sheet.line(&block.spot("code"));
    let wire = pb::ReferenceItem { item: Some(wire) };
    Item { table, code, line, within, level: None, wire }
}

/// The code of another item under `key`.
fn within(block: &Block<'_>, key: &'static str, table: Table) -> Option<Within> {
    let code = block.need(key, form::code())?;
    Some(Within { key, table, code, line: block.sheet.line(&block.spot(key)) })
}

fn jurisdiction(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let name = block.need("name", form::code());
    let level = block.need("level", form::level());
    // `None` = wrong; `Some(None)` = at the top.
    let parent = match level {
        Some(Level::City) => {
            if block.or("parent", String::new(), form::code()).is_some_and(|code| !code.is_empty())
            {
                let what = both("市级辖区写了“parent”", "a city has a `parent`");
                let expected = both("市级为最高一级，去掉“parent”", "none: the city is the top");
                block.sheet.problem(&block.spot("parent"), what, expected);
            }
            Some(None)
        }
        Some(_) => within(block, "parent", Table::Jurisdiction).map(Some),
        // Whether there must be one is not known.
        None => block.or("parent", String::new(), form::code()).map(|_| None),
    };
    let (code, name, level, parent) = (code?, name?, level?, parent?);
    let wire = pb::Jurisdiction {
        code: code.clone(),
        parent: parent.as_ref().map(|parent| parent.code.clone()).unwrap_or_default(),
        level: level.number().into(),
        name,
    };
    let item = item(block, Table::Jurisdiction, code, parent, Wire::Jurisdiction(wire));
    Some(Item { level: Some(level), ..item })
}

fn site(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let name = block.need("name", form::code());
    let within = within(block, "jurisdiction", Table::Jurisdiction);
    let (code, name, within) = (code?, name?, within?);
    let wire = pb::Site { code: code.clone(), jurisdiction: within.code.clone(), name };
    Some(item(block, Table::Site, code, Some(within), Wire::Site(wire)))
}

fn desk(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let within = within(block, "site", Table::Site);
    let (code, within) = (code?, within?);
    let wire = pb::Desk { code: code.clone(), site: within.code.clone() };
    Some(item(block, Table::Desk, code, Some(within), Wire::Desk(wire)))
}

fn device(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let within = within(block, "desk", Table::Desk);
    let (code, within) = (code?, within?);
    let wire = pb::Device { code: code.clone(), desk: within.code.clone() };
    Some(item(block, Table::Device, code, Some(within), Wire::Device(wire)))
}

fn lab(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let name = block.need("name", form::code());
    // Left out = it declared nothing. No lab declares more than a whole country tests in a day.
    let tubes_per_day_max = block.or("tubes_per_day_max", 0, form::whole(1..=100_000_000));
    let (code, name, tubes_per_day_max) = (code?, name?, tubes_per_day_max?);
    let wire = pb::Lab { code: code.clone(), name, tubes_per_day_max };
    Some(item(block, Table::Lab, code, None, Wire::Lab(wire)))
}

fn instrument(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let model = block.need("model", form::code());
    let within = within(block, "lab", Table::Lab);
    let (code, model, within) = (code?, model?, within?);
    let wire = pb::Instrument { code: code.clone(), lab: within.code.clone(), model };
    Some(item(block, Table::Instrument, code, Some(within), Wire::Instrument(wire)))
}

fn lot(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let kind = block.need("kind", form::lot_kind());
    let product = block.need("product", form::code());
    let expires_at_ms = block.need("expires_at", form::expiry());
    let (code, kind, product, expires_at_ms) = (code?, kind?, product?, expires_at_ms?);
    let wire = pb::Lot { code: code.clone(), kind: kind.number().into(), product, expires_at_ms };
    Some(item(block, Table::Lot, code, None, Wire::Lot(wire)))
}
