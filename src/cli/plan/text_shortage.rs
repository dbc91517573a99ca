//! The list of shortages as tables: sums by item, then place by place.

use super::layers_text::answer;
use super::words::{basis, grouped, pick, place_name, say, table};
use super::{Lang, Report, filled};
use crate::planner::{Item, Words};

/// The tables.
pub(super) fn shortages(report: &Report, lang: Option<Lang>) -> String {
    let Report { city, plan, .. } = report;
    if plan.shortages.is_empty() {
        return format!("  {}\n", pick(lang, "无缺口", "none"));
    }
    let mut rows = vec![vec![
        pick(lang, "合计", "total"),
        pick(lang, "依据", "basis"),
        pick(lang, "需", "need"),
        pick(lang, "有", "have"),
        pick(lang, "缺", "short"),
        pick(lang, "请求支援", "support"),
        pick(lang, "单位", "unit"),
    ]];
    for t in plan.item_totals.iter().filter(|t| t.short > 0) {
        rows.push(vec![
            say(lang, &t.item.name()),
            say(lang, &basis(t.basis, &city.norm)),
            grouped(t.need),
            grouped(t.have),
            grouped(t.short),
            grouped(t.support),
            say(lang, &t.unit),
        ]);
    }
    let mut out = table(&rows);
    out.push('\n');
    let mut rows = vec![vec![
        pick(lang, "单位", "place"),
        pick(lang, "项目", "item"),
        pick(lang, "依据", "basis"),
        pick(lang, "需", "need"),
        pick(lang, "有", "have"),
        pick(lang, "缺", "short"),
        pick(lang, "请求支援", "support"),
        pick(lang, "解决办法", "how to mend"),
    ]];
    for s in &plan.shortages {
        let place: &Words = &s.place_name;
        let mark = if s.blocks { "* " } else { "  " };
        let lab = matches!(s.item, Item::LabUnit(_) | Item::LabStaff(_));
        let mut mend = say(lang, &s.mend);
        if let Some(deadline) = &s.deadline {
            mend += &format!(" [{}]", deadline);
        }
        let name = place_name(lang, place);
        let name = if lab { format!("{} {name}", s.place) } else { name };
        rows.push(vec![
            format!("{mark}{name}"),
            say(lang, &s.item.name()),
            say(lang, &basis(s.basis, &city.norm)),
            grouped(s.need),
            grouped(s.have),
            grouped(s.short),
            grouped(s.support),
            mend,
        ]);
    }
    out += &table(&rows);
    out += &format!(
        "  * {}\n",
        pick(lang, "不补齐则不能按时完成", "the target cannot be met without it")
    );
    if let Some(enough) = filled::sentence(report) {
        out += &answer(&enough, lang);
    }
    out
}
