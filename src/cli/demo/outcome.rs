//! What the service says of the round, beside what it must say. Every kind of fault has its
//! observable; expected and found stand side by side.

use super::expect::{Expected, Found, Row};
use super::faults::Fate;
use super::play::Player;
use super::saying::{Script, Source};
use crate::api::client::pb;
use crate::domain::words::Status;
use anyhow::Result;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Everything that the service says in the end.
pub struct Outcome {
    /// Faults with their observables.
    pub faults: Vec<Row>,
    /// Tubes by status.
    pub statuses: Vec<Row>,
    /// Recalls and recollections.
    pub recalls: Vec<Row>,
    /// People.
    pub people: Vec<Row>,
    /// What must be nought: parts that differ from totals, things left open.
    pub checks: Vec<Row>,
    /// People by district, as the service gives them.
    pub districts: Vec<pb::PeopleRow>,
    /// The figures of the whole.
    pub total: pb::ProgressRow,
}

impl Outcome {
    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let groups = [&self.faults, &self.statuses, &self.recalls, &self.people, &self.checks];
        groups.into_iter().flatten()
    }
}

fn total(reply: &pb::ProgressReply) -> pb::ProgressRow {
    reply.total.clone().unwrap_or_default()
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn with_status(row: &pb::ProgressRow, status: pb::Status) -> u64 {
    let figures = row.statuses.iter().filter(|figure| figure.status() == status);
    count(figures.map(|figure| figure.tubes).sum())
}

fn with_call(row: &pb::ProgressRow, call: pb::Call) -> u64 {
    let figures = row.calls.iter().filter(|figure| figure.call() == call);
    count(figures.map(|figure| figure.tubes).sum())
}

/// Tubes of a status in an answer.
pub fn tubes(reply: &pb::ProgressReply, status: pb::Status) -> u64 {
    with_status(&total(reply), status)
}

/// Asks the service what came of the round.
pub async fn outcome(player: &mut Player) -> Result<Outcome> {
    let script = Arc::clone(&player.script);
    let expected = Expected::of(&script);
    // The two long questions at one time.
    let (mut first, mut second) = (player.ask.clone(), player.ask.clone());
    let (people, unaccounted) = tokio::try_join!(first.people(), second.unaccounted())?;
    let figures = player.ask.figures().await?;
    let total = total(&figures);
    let row = |zh, en, expected, found| Row {
        zh,
        en,
        injected: None,
        observable: String::new(),
        expected,
        found,
    };
    let statuses = Status::ALL.iter().map(|status| {
        let wire = pb::Status::try_from(i32::from(status.number())).unwrap_or_default();
        let found = with_status(&total, wire);
        row(status.zh(), status.en(), expected.with_status(&script, wire), found)
    });
    let twice = people.total.clone().unwrap_or_default().in_two_tubes;
    let (people_rows, people_parts) = people_rows(&expected, &people, row);
    let parts = parts(player, &figures).await? + people_parts;
    let open = player.ask.open_recalls().await?.len() as u64;
    let (missing, behind) = sources(player).await?;
    let mut faults = seen_on_the_way(&script, &player.found);
    let (odd, strangers) = discrepancies(player, &script, &total).await?;
    faults.extend(odd);
    faults.extend(statuses_and_calls(&script, &expected, &total));
    let checks = vec![
        row("合计与各部分不符", "parts that differ from their total", 0, parts),
        row("采样两次而无需要的人", "people in two tubes without need", 0, twice),
        row("去向不明的管", "tubes unaccounted for", 0, unaccounted),
        row("未关闭的复采和重采", "recalls and recollections open", 0, open),
        row("异常清单中多出的记录", "records listed as odd that are not", 0, strangers),
        row("编号空缺", "numbers missing of sources", 0, missing),
        row("未到齐的来源", "sources not complete", 0, behind),
    ];
    Ok(Outcome {
        faults,
        statuses: statuses.collect(),
        recalls: vec![
            row("复采：开", "recalls opened", expected.recalls, count(total.recalls_opened)),
            row("复采：闭", "recalls closed", expected.recalls, count(total.recalls_closed)),
            row(
                "重采：开",
                "recollections opened",
                expected.recollections,
                count(total.recollections_opened),
            ),
            row(
                "重采：闭",
                "recollections closed",
                expected.recollections,
                count(total.recollections_closed),
            ),
            row("单采管", "single tubes", expected.singles(), player.singles.len() as u64),
        ],
        people: people_rows,
        checks,
        districts: people.districts,
        total,
    })
}

fn people_rows(
    expected: &Expected,
    people: &pb::People,
    row: impl Fn(&'static str, &'static str, u64, u64) -> Row,
) -> (Vec<Row>, u64) {
    let all = people.total.clone().unwrap_or_default();
    let absent = expected.roster - expected.attending;
    let rows = vec![
        row("名册人数", "people on the roster", expected.roster, all.roster),
        row("已采", "sampled", expected.attending, all.resulted + all.sampled_unresulted),
        row("已出结果", "resulted", expected.attending, all.resulted),
        row("已采未出结果", "sampled, no result yet", 0, all.sampled_unresulted),
        row("未采", "missing", absent, all.missing),
        row("名册外", "outside the roster", expected.travellers, all.outside_roster),
        row("名册外已出结果", "outside, resulted", expected.travellers, all.outside_resulted),
    ];
    let adds_up = |row: &pb::PeopleRow| {
        row.roster == row.resulted + row.sampled_unresulted + row.missing
            && row.outside_roster
                == row.outside_resulted + row.outside_unresulted + row.outside_unsampled
    };
    let mut wrong = people.districts.iter().chain([&all]).filter(|row| !adds_up(row)).count();
    let fields: [fn(&pb::PeopleRow) -> u64; 5] = [
        |r| r.roster,
        |r| r.resulted,
        |r| r.sampled_unresulted,
        |r| r.missing,
        |r| r.outside_roster,
    ];
    wrong += fields
        .iter()
        .filter(|field| people.districts.iter().map(*field).sum::<u64>() != field(&all))
        .count();
    (rows, wrong as u64)
}

/// Answers of which the parts are not the total.
async fn parts(player: &mut Player, by_district: &pb::ProgressReply) -> Result<u64> {
    let by_lab = player.ask.progress_by(pb::GroupBy::Lab, false).await?;
    let by_desk = player.ask.progress_by(pb::GroupBy::Desk, false).await?;
    let mut wrong = 0;
    for reply in [by_district, &by_lab, &by_desk] {
        let total = total(reply);
        for row in reply.rows.iter().chain([&total]) {
            let tubes: i64 = row.statuses.iter().map(|figure| figure.tubes).sum();
            let swabs: i64 = row.statuses.iter().map(|figure| figure.swabs).sum();
            wrong += u64::from(tubes != row.tubes) + u64::from(swabs != row.swabs);
        }
        wrong += u64::from(reply.rows.iter().map(|row| row.tubes).sum::<i64>() != total.tubes);
        wrong += u64::from(reply.rows.iter().map(|row| row.swabs).sum::<i64>() != total.swabs);
    }
    Ok(wrong)
}

/// Numbers missing of the sources that had faults and of the laboratories, and how many of those
/// sources have not said all that they had to say.
async fn sources(player: &mut Player) -> Result<(u64, u64)> {
    let script = Arc::clone(&player.script);
    let odd = [Fate::Duplicate, Fate::Offline, Fate::Reordered];
    let slots = odd.into_iter().flat_map(|fate| script.faults.slots(fate));
    let desks: HashSet<u32> = slots.map(|slot| script.truth.desk_of(slot)).collect();
    let mut wanted: Vec<(Source, u64)> =
        desks.into_iter().map(|desk| (Source::Desk(desk), script.facts_of(desk))).collect();
    let labs = (0..script.labs.len()).map(Source::Lab);
    wanted.extend(labs.map(|lab| (lab, player.last_number(lab))));
    let (mut missing, mut behind) = (0, 0);
    for (source, last) in wanted {
        let (watermark, highest, holes) = player.ask.source(&script, source).await?;
        missing += holes;
        behind += u64::from(watermark != last || highest != last);
    }
    Ok((missing, behind))
}

/// A row of the table of faults.
fn fault(
    (zh, en): (&'static str, &'static str),
    injected: u64,
    observable: &str,
    (expected, found): (u64, u64),
) -> Row {
    Row { zh, en, injected: Some(injected), observable: observable.to_owned(), expected, found }
}

/// What showed while the round ran.
fn seen_on_the_way(script: &Script, seen: &Found) -> Vec<Row> {
    let of = |fate| script.faults.count(fate);
    let facts = |fate| Expected::facts(script, fate);
    let offline = of(Fate::Offline);
    vec![
        fault(
            ("重复上报", "sent twice"),
            of(Fate::Duplicate),
            "facts answered DUPLICATE",
            (facts(Fate::Duplicate), seen.duplicates),
        ),
        fault(
            ("断网补报", "offline desk"),
            offline,
            "tubes listed AWAITING_REGISTRATION when its box is there and it is not",
            seen.awaiting_offline,
        ),
        fault(
            ("待登记合计", "all that await their registration"),
            offline + of(Fate::Misread) + of(Fate::Reordered),
            "status AWAITING at the same moment",
            seen.awaiting_all,
        ),
        fault(
            ("乱序上报", "out of order"),
            of(Fate::Reordered),
            "numbers missing at their source until they come",
            (facts(Fate::Reordered), seen.holes),
        ),
        fault(
            ("误读条码：真管", "misread: the real tube"),
            of(Fate::Misread),
            "status AWAITING just before it is mended",
            seen.awaiting_misread,
        ),
    ]
}

/// Names, how many were injected, what shows it, and the records that must have it.
type Kind = ((&'static str, &'static str), u64, pb::Discrepancy, BTreeSet<String>);

/// Faults that are a discrepancy: by list and by counter. Also how many records are listed that
/// should not be, and the sum of all other counters.
async fn discrepancies(
    player: &mut Player,
    script: &Script,
    total: &pb::ProgressRow,
) -> Result<(Vec<Row>, u64)> {
    use pb::Discrepancy as Odd;
    let of = |fate| script.faults.count(fate);
    let codes = |fates: &[Fate]| -> BTreeSet<String> {
        let slots = fates.iter().flat_map(|fate| script.faults.slots(*fate));
        slots.map(|slot| script.faults.code_as_read(&script.truth, slot)).collect()
    };
    let (used, missing) = (of(Fate::UsedFirst), of(Fate::Straggler) + of(Fate::Vanished));
    let plates = player.found.bad_plates.clone();
    let kinds: [Kind; 6] = [
        (
            ("误读条码", "misread"),
            of(Fate::Misread),
            Odd::BarcodeCheckDigit,
            codes(&[Fate::Misread]),
        ),
        (
            ("超员（含重复使用的管）", "overfilled (and used twice)"),
            of(Fate::Overfilled) + used,
            Odd::PoolOverfilled,
            codes(&[Fate::Overfilled, Fate::UsedFirst]),
        ),
        (("重复使用", "used twice"), used, Odd::TubeReused, codes(&[Fate::UsedFirst])),
        (
            ("重复使用：另一采样台", "used twice: at another desk"),
            used,
            Odd::DesksDiffer,
            codes(&[Fate::UsedFirst]),
        ),
        (
            ("箱内缺管", "missing in the box"),
            missing,
            Odd::BoxTubeMissing,
            codes(&[Fate::Straggler, Fate::Vanished]),
        ),
        (("质控失败", "failed controls"), plates.len() as u64, Odd::ControlsFailed, plates),
    ];
    let (mut rows, mut strangers) = (Vec::new(), 0);
    let mut others = total.discrepancies.clone();
    for (names, injected, code, wanted) in kinds {
        let listed = player.ask.with_discrepancy(code).await?;
        strangers += listed.difference(&wanted).count() as u64;
        let found = listed.intersection(&wanted).count() as u64;
        let counted = others.iter().find(|figure| figure.code() == code);
        let counted = counted.map_or(0, |figure| count(figure.records));
        others.retain(|figure| figure.code() != code);
        let (name, wanted) = (code.as_str_name(), wanted.len() as u64);
        let name = name.trim_start_matches("DISCREPANCY_");
        rows.push(fault(names, injected, &format!("{name}, list"), (wanted, found)));
        rows.push(fault(names, injected, &format!("{name}, counter"), (wanted, counted)));
    }
    let others = others.iter().map(|figure| figure.records).sum();
    let names = ("其他异常", "anything else odd");
    rows.push(fault(names, 0, "all other counters", (0, count(others))));
    Ok((rows, strangers))
}

/// Faults that are a status or a call.
fn statuses_and_calls(script: &Script, expected: &Expected, total: &pb::ProgressRow) -> Vec<Row> {
    let of = |fate| script.faults.count(fate);
    let status = |status| (expected.with_status(script, status), with_status(total, status));
    let lost = of(Fate::Lost) + of(Fate::Vanished);
    let mut rows = vec![
        fault(
            ("遗失（含箱内未找到）", "lost (and never found)"),
            lost,
            "status LOST",
            status(pb::Status::Lost),
        ),
        fault(
            ("拒收", "rejected"),
            of(Fate::Rejected),
            "status REJECTED",
            status(pb::Status::Rejected),
        ),
    ];
    let mut unclean = 0;
    let mut call = |names, injected, expected, call: pb::Call| {
        unclean += expected;
        let observable = call.as_str_name().replacen("CALL_", "call ", 1);
        rows.push(fault(names, injected, &observable, (expected, with_call(total, call))));
    };
    let pools = of(Fate::Positive);
    let infected = expected.infected;
    let (single, grey, invalid) = (of(Fate::SingleTarget), of(Fate::Grey), of(Fate::Invalid));
    call(
        ("阳性：混采管与其中的人", "positive: pools, and people in them"),
        pools + infected,
        pools + infected,
        pb::Call::Positive,
    );
    call(("单靶标", "single target"), single, single, pb::Call::SingleTarget);
    call(("灰区", "grey zone"), grey, grey, pb::Call::Grey);
    call(("结果无效", "invalid"), invalid, invalid, pb::Call::Invalid);
    let negative = expected.tested + expected.singles() - unclean;
    let found = with_call(total, pb::Call::Negative);
    rows.push(fault(("阴性", "negative"), 0, "call NEGATIVE", (negative, found)));
    rows
}
