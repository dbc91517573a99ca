//! Shifts, teams, vehicles and trips of each district as a table, with what they rest on.

use super::words::{grouped, pick, place_name, say, table};
use super::{Lang, Report};
use crate::planner::{CrewItem, CrewLine, Words, crew_constants};

/// What is counted, and what it is taken for, a line each: said wherever the lines stand.
pub(super) fn conventions() -> Vec<Words> {
    let lines = [
        (
            "本表为缺口清单之外的参考，不影响结论。缺口清单的人数按全天计，此处按班计",
            "This stands beside the list of shortages and turns no verdict. That list counts people for the day, this one by shift",
        ),
        (
            "班次：所需采样台全部开台、按规范采样速度，需要几班才能采完；“有”为现有人员够几班（按台班折算，取整班）。区县未写采样班次的，每班时长同实验室班次",
            "Shifts: how many it takes the desks that are needed to swab everybody, at the norm's speed; there are those that the \
             people at hand go for, by their desk-shifts, whole shifts alone. Where a district states no sampling shifts, one is as \
             long as a lab's",
        ),
        (
            "台班：一个采样台配齐人员干一班。需＝人口÷（每台每小时采样人数×每班小时数）；有＝现有人员在可采样时间内每人每天一班能开出的台班，不超过所需台数",
            "Desk-shifts: one desk with its people for one shift. Needed: persons / (persons per desk and hour × hours of a shift). \
             There: those that the people at hand man in the time for sampling, each of them one shift a day, at no more desks than \
             are needed",
        ),
        (
            "采样组：每个所需采样台每班一组，每组 1 名采样人员和规定的登记人员；按一天的班次计，同每班采样、登记人员两列",
            "Teams: one for each desk that is needed and each shift of a day, of a sampler and the norm's registrars; the samplers and \
             registrars of a shift are counted for the same shifts",
        ),
        (
            "趟次：每个街道每个封箱间隔至少一趟，往返最近的可达实验室为一趟；城市文件未写车队的，现有车辆按规范包折算",
            "Trips: each street is driven to at least once a box interval, there and back to the nearest lab within reach. Where the \
             city file names no vehicles, the norm pack's are taken as there",
        ),
        (
            "≥：城市文件未列该区县的街道，按一个街道计，车辆和趟次为最低需要；街道越多需要越多，无缺口也不等于够用",
            "≥: a district whose streets the city file does not name is taken for one street; vehicles and trips are the least that \
             it can need, more with each street, and nothing short does not mean enough",
        ),
    ];
    lines.into_iter().map(|(zh, en)| Words::new(zh, en)).collect()
}

/// The table: need / have, and what is short.
pub(super) fn crews(report: &Report, lang: Option<Lang>) -> String {
    let title = pick(
        lang,
        "班次、采样组、车辆与趟次：需/有（−缺），如 2/0 (−2) 为需 2、有 0、缺 2",
        "shifts, teams, vehicles and trips: need/have (−short), so 2/0 (−2) is 2 needed, 0 there, 2 short",
    );
    let mut head = vec![pick(lang, "区县", "district")];
    head.extend(CrewItem::ALL.map(|item| say(lang, &item.name())));
    head.push(pick(lang, "现有人员/车辆数的状态", "status of people/vehicles there"));
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
    let mut out = format!("\n  {title}\n{}", table(&rows));
    for line in conventions() {
        out += &format!("  {}\n", say(lang, &line));
    }
    let rests_on = pick(lang, "以上需要数所依据的常数：", "The needs above rest on:");
    out += &format!("  {rests_on}\n");
    let mut rows = Vec::new();
    for c in crew_constants(&report.city, &report.plan) {
        let status = pick(lang, c.origin.status.word_zh(), c.origin.status.word());
        let source = say(lang, &c.origin.source);
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
