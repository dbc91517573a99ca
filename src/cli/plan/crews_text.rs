//! Shifts, teams, vehicles and trips of each district as a table, with what they rest on.

use super::words::{grouped, pick, place_name, say, table};
use super::{Lang, Report};
use crate::planner::{CrewItem, CrewLine, Words, crew_constants};

/// What is counted, and what it is taken for: said wherever the lines stand.
pub(super) fn convention() -> Words {
    Words::new(
        "每班时长按实验室班制折算；每台每班至少 1 名采样人员和规定的登记人员；每个街道每个封箱间隔至少一趟，送最近的可达实验室往返一次为一趟。\
         城市文件未列街道的区县按一个街道计，车辆和趟次为最低需要（≥），街道越多需要越多，无缺口也不等于够用。\
         缺口清单的人数按全天计、不分班；以下各项不影响结论。城市文件未写车队的，现有车辆按规范包折算",
        "a shift is as long as a lab's; each desk has a sampler and the norm's registrars in each shift; each street is driven \
         to at least once a box interval, there and back to the nearest lab within reach. A district whose streets the city file \
         does not name is taken for one street: vehicles and trips are the least that it can need (≥), more with each street, and \
         nothing short does not mean enough. The list of shortages counts people for the day and not by shift; none of this turns \
         the verdict. Where the city file names no vehicles, the norm pack's are taken as there",
    )
}

/// The table: need / have, and what is short.
pub(super) fn crews(report: &Report, lang: Option<Lang>) -> String {
    let title = pick(
        lang,
        "班次、采样组、车辆与趟次：需/有（−缺）",
        "shifts, teams, vehicles and trips: need/have (−short)",
    );
    let mut head = vec![pick(lang, "区县", "district")];
    head.extend(CrewItem::ALL.map(|item| say(lang, &item.name())));
    head.push(pick(lang, "人员/车辆数据", "people/vehicles are"));
    let mut rows = vec![head];
    for lines in report.plan.crews.chunks(CrewItem::ALL.len()) {
        let Some((first, last)) = lines.first().zip(lines.last()) else { continue };
        let mut row = vec![place_name(lang, &first.place_name)];
        row.extend(lines.iter().map(cell));
        let status = [first, last].map(|line| {
            let status = line.have_origin.status;
            pick(lang, status.word_zh(), status.word())
        });
        row.push(status.join(" / "));
        rows.push(row);
    }
    let mut out = format!("\n  {title}\n{}  {}\n", table(&rows), say(lang, &convention()));
    let mut rows = Vec::new();
    for c in crew_constants(&report.city.norm) {
        let status = pick(lang, c.origin.status.word_zh(), c.origin.status.word());
        let source = c.origin.source.clone();
        rows.push(vec![say(lang, &c.title), c.value, say(lang, &c.unit), status, source]);
    }
    out += &table(&rows);
    out
}

fn cell(line: &CrewLine) -> String {
    let least = if line.need_is_least { "≥" } else { "" };
    let both = format!("{least}{}/{}", grouped(line.need), grouped(line.have));
    if line.short == 0 { both } else { format!("{both} (−{})", grouped(line.short)) }
}
