//! Kits with their calling rules, and how barcodes look: where a wrong number would call people
//! wrongly or flag every tube.

use super::block::Block;
use super::findings::both;
use super::form;
use super::reference::{Item, Table, item};
use crate::api::limits::TARGETS_MAX;
use crate::api::pb;
use pb::reference_item::Item as Wire;

/// Most controls of a kind that a rule may ask for: more do not fit beside a single tube.
const CONTROLS_MAX: u32 = 95;

/// A kit with one version of its rule. Its numbers decide about people, so they must say where they
/// come from (`source`) and how far to trust them (`status`); a target may say it for itself.
pub(super) fn kit(block: &Block<'_>) -> Option<Item> {
    let code = block.need("code", form::code());
    let name = block.need("name", form::code());
    let version = block.need("version", form::whole(1..=1_000_000));
    let positive = block.need("positive_controls_min", form::whole(0..=CONTROLS_MAX));
    let negative = block.need("negative_controls_min", form::whole(0..=CONTROLS_MAX));
    let status = block.need("status", form::status());
    let source = block.need("source", form::source());
    if let (Some(positive), Some(negative)) = (positive, negative)
        && positive + negative > CONTROLS_MAX
    {
        let what = both(
            format!("质控孔共 {} 个", positive + negative),
            format!("{} control wells in all", positive + negative),
        );
        let expected = both("96 孔板上至少留一孔给样本", "one well of 96 is left for a tube");
        block.sheet.problem(&block.spot("positive_controls_min"), what, expected);
    }
    let targets = targets(block);
    let (code, name, version) = (code?, name?, version?);
    let wire = pb::Kit {
        code: code.clone(),
        name,
        version,
        targets: targets?,
        positive_controls_min: positive?,
        negative_controls_min: negative?,
    };
    status.zip(source)?;
    let kit = item(block, Table::Kit, code, None, Wire::Kit(wire));
    // The versions of a kit stand beside each other.
    Some(Item { code: format!("{} v{version}", kit.code), ..kit })
}

fn targets(kit: &Block<'_>) -> Option<Vec<pb::TargetRule>> {
    let blocks = kit.blocks("target");
    let count = blocks.len();
    let mut targets: Vec<pb::TargetRule> = Vec::new();
    for block in blocks {
        if let Some(rule) = target(&block) {
            if targets.iter().any(|known| known.name == rule.name) {
                let what = both(
                    format!("靶标“{}”重复", rule.name),
                    format!("the target \"{}\" is given twice", rule.name),
                );
                let expected = both("每个靶标一次", "each target once");
                block.sheet.problem(&block.spot("name"), what, expected);
            }
            targets.push(rule);
        }
        block.close();
    }
    let whole = targets.len() == count;
    if whole && !targets.iter().any(|rule| !rule.is_internal_control) {
        let what = both("没有非内标靶标", "no target that is not the internal control");
        let expected = both("至少一个 [[kit.target]]", "at least one [[kit.target]]");
        kit.sheet.problem(&kit.at, what, expected);
    }
    if count > TARGETS_MAX {
        let what = both(format!("靶标 {count} 个"), format!("{count} targets"));
        let expected = both(format!("不超过 {TARGETS_MAX} 个"), format!("at most {TARGETS_MAX}"));
        kit.sheet.problem(&kit.at, what, expected);
    }
    whole.then_some(targets)
}

fn target(block: &Block<'_>) -> Option<pb::TargetRule> {
    let name = block.need("name", form::code());
    let is_internal_control = block.or("internal_control", false, form::flag());
    let cut_off = block.need("cut_off", form::cycles());
    let grey_to = block.or("grey_to", 0, form::cycles());
    let status = block.or("status", crate::planner::Status::Assumed, form::status());
    let source = block.or("source", (), form::source());
    if cut_off == Some(0) {
        let what = both("“cut_off”为 0", "`cut_off` is 0");
        let expected =
            both("大于 0：否则什么也检不出", "more than 0: else nothing is ever detected");
        block.sheet.problem(&block.spot("cut_off"), what, expected);
    }
    if let (Some(cut_off), Some(grey_to)) = (cut_off, grey_to)
        && grey_to != 0
        && grey_to < cut_off
    {
        let (grey, cut) = (shown(grey_to), shown(cut_off));
        let what = both(
            format!("“grey_to”{grey} 小于“cut_off”{cut}"),
            format!("`grey_to` {grey} is below `cut_off` {cut}"),
        );
        let expected = both(
            format!("不小于 {cut}；没有灰区则去掉“grey_to”"),
            format!("at least {cut}; without a grey zone leave `grey_to` out"),
        );
        block.sheet.problem(&block.spot("grey_to"), what, expected);
    }
    status.zip(source)?;
    Some(pb::TargetRule {
        name: name?,
        is_internal_control: is_internal_control?,
        cut_off_hundredths: cut_off?,
        grey_to_hundredths: grey_to?,
    })
}

/// Hundredths as cycles.
fn shown(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// How tube barcodes look.
pub(super) fn barcodes(block: &Block<'_>) -> Option<Item> {
    let prefix = block.or("prefix", String::new(), form::code());
    let length = block.need("length", form::whole(1..=super::CODE_BYTES_MAX as u32));
    let luhn = block.need("luhn", form::flag());
    let (prefix, length, luhn) = (prefix?, length?, luhn?);
    if !prefix.is_ascii() {
        let what = both("“prefix”含非 ASCII 字符", "`prefix` is not ASCII");
        let expected =
            both("扫码枪能读的字母、数字或符号", "what a scanner reads: letters, digits, signs");
        block.sheet.problem(&block.spot("prefix"), what, expected);
    }
    let taken = prefix.len() + usize::from(luhn);
    if length as usize <= taken {
        let what = both(
            format!("“length”为 {length}，前缀和校验位已占 {taken} 位"),
            format!("`length` is {length}, and prefix and check digit take {taken}"),
        );
        let expected = both(format!("至少 {}", taken + 1), format!("at least {}", taken + 1));
        block.sheet.problem(&block.spot("length"), what, expected);
    }
    let wire = pb::BarcodePattern { prefix, length, luhn };
    Some(item(block, Table::Barcodes, "barcodes".to_owned(), None, Wire::Barcodes(wire)))
}
