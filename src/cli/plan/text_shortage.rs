//! The list of shortages as tables: sums by item, then place by place.

use super::layers_text::answer;
use super::words::{basis, grouped, pick, place_name, say, table};
use super::{Lang, Report, compare, filled};
use crate::planner::{Item, Norm, Words};

/// How the sums by item are to be read.
pub(super) fn totals_note(norm: &Norm) -> Words {
    let (all, shelf) = (norm.rounds.value, norm.rounds_physical.value);
    Words::new(
        format!(
            "缺：各处缺口之和，一处有余不抵另一处不足，故可大于“需”减“有”。储备 {all} 轮的缺口含实物 {shelf} 轮的缺口，不可相加。\
             请求支援：向上级申请的数量，其余由本地解决；采样人员、实验室设备和检测人员本地能解决多少无从推算，先按全部缺口列出，由各处落实后核减"
        ),
        format!(
            "Short is the sum of the gaps of all places: what one has too much of fills no gap of another, so it may be more than need \
             less have. The gap of {all} rounds contains that of the {shelf} on the shelf: they do not add up. Support is what is asked \
             of the level above; the rest is found in the place itself. Of samplers, units and people of labs nobody can reckon how much that \
             is: all that is short is asked for until the place takes off what it has found"
        ),
    )
}

/// The tables.
pub(super) fn shortages(report: &Report, lang: Option<Lang>) -> String {
    let Report { city, plan, .. } = report;
    let to_file = compare::which_to_file(report).map(|words| answer(&words, lang));
    let to_file = to_file.unwrap_or_default();
    if plan.shortages.is_empty() {
        let none = format!("  {}\n", pick(lang, "无缺口", "none"));
        return none + &to_file + &compare::text(report, lang);
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
    let mut out = to_file + "\n" + &table(&rows);
    out += &format!("  {}\n\n", say(lang, &totals_note(&city.norm)));
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
    let mut nothing_sent = std::collections::BTreeMap::new();
    for s in &plan.shortages {
        let place: &Words = &s.place_name;
        let mark = if s.blocks { "* " } else { "  " };
        let lab = matches!(s.item, Item::LabUnit(_) | Item::LabStaff(_));
        let mut mend = say(lang, &s.mend);
        if let Some(deadline) = &s.deadline {
            mend += &format!(" [{}]", deadline);
        }
        let name = place_name(lang, place);
        let mut name = if lab { format!("{} {name}", s.place) } else { name };
        if let Some(note) = report.none_sent(s) {
            name += " †";
            nothing_sent.insert(&s.place, note);
        }
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
        pick(
            lang,
            "按指南算术，不补齐则不能按时完成；未标的为规范或储备要求。方括号内为城市文件给出的物资补齐期限，没有方括号的未给出",
            "by the guide's arithmetic the target cannot be met without it; lines without are asked for by the norm or the \
             reserve. In square brackets: when goods must be there; where there are none the city file gives no date",
        )
    );
    for (lab, note) in nothing_sent {
        out += &format!("  † {lab}: {}\n", say(lang, &note));
    }
    if let Some(enough) = filled::sentence(report) {
        out += &answer(&enough, lang);
    }
    out + &compare::text(report, lang)
}
