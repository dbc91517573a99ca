//! What the round must come to, by the truth, and what the service says that it came to. Every kind
//! of fault has its observable; expected and found stand side by side.

use super::faults::Fate;
use super::play::Player;
use super::saying::{Script, Source};
use crate::api::client::pb;
use anyhow::Result;
use std::collections::{BTreeSet, HashSet};

/// What the player saw on the way.
#[derive(Debug, Default)]
pub struct Found {
    /// Facts acknowledged.
    pub facts: u64,
    /// Facts sent a second time on purpose, and those of them answered as duplicates.
    pub sent_again: u64,
    /// See `sent_again`.
    pub duplicates: u64,
    /// Facts sent again because the service was busy.
    pub resent: u64,
    /// Tubes known by their box only, just before the network was back: expected and found.
    pub awaiting_offline: (u64, u64),
    /// All such tubes at that moment, by the counter.
    pub awaiting_all: (u64, u64),
    /// Such tubes whose barcode was misread, each just before it was mended.
    pub awaiting_misread: (u64, u64),
    /// Facts held back, and numbers that the service missed of their sources.
    pub holes: (u64, u64),
    /// Plates whose first run had failed controls.
    pub bad_plates: u64,
    /// Their codes.
    pub bad_codes: BTreeSet<String>,
    /// When the last pool was released, and when the last recall was closed.
    pub pools_done_at: i64,
    /// See `pools_done_at`.
    pub over_at: i64,
}

/// A figure as it must be and as it is.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is about.
    pub zh: &'static str,
    /// See `zh`.
    pub en: &'static str,
    /// How many were injected, for faults.
    pub injected: Option<u64>,
    /// What shows it.
    pub observable: String,
    /// By the truth.
    pub expected: u64,
    /// By the service.
    pub found: u64,
}

impl Row {
    /// True when the two agree.
    pub fn holds(&self) -> bool {
        self.expected == self.found
    }
}

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

/// The figures that the round must come to, by the truth alone.
pub struct Expected {
    /// Pools that got as far as a plate.
    pub tested: u64,
    /// People recalled, and people recollected.
    pub recalls: u64,
    /// See `recalls`.
    pub recollections: u64,
    /// Tubes used twice.
    pub used_twice: u64,
    /// Infected people.
    pub infected: u64,
    /// Travellers.
    pub travellers: u64,
    /// People on the roster, and those who turned up.
    pub roster: u64,
    /// See `roster`.
    pub attending: u64,
}

impl Expected {
    /// By the truth.
    pub fn of(script: &Script) -> Expected {
        let (truth, faults) = (&script.truth, &script.faults);
        let mut expected = Expected {
            tested: 0,
            recalls: 0,
            recollections: 0,
            used_twice: faults.count(Fate::UsedFirst),
            infected: faults.infected(),
            travellers: 0,
            roster: truth.districts.iter().map(|d| u64::from(d.people)).sum(),
            attending: truth.districts.iter().map(|d| u64::from(d.attending)).sum(),
        };
        for slot in 0..truth.slots {
            let fate = faults.fate(slot);
            expected.tested += u64::from(!fate.ends_before_plate());
            if fate == Fate::Plain {
                continue;
            }
            let desk = &truth.desks[truth.desk_of(slot) as usize];
            let (from, to) = truth.queue(desk, slot - desk.first_slot);
            let members = faults.members(truth, slot).len() as u64;
            expected.travellers += members - u64::from(to - from);
            match fate {
                Fate::Positive | Fate::SingleTarget | Fate::Grey => expected.recalls += members,
                Fate::Invalid => expected.recollections += members,
                fate if fate.ends_before_plate() => expected.recollections += members,
                _ => {}
            }
        }
        expected
    }

    /// Single tubes: one for everybody who came back.
    pub fn singles(&self) -> u64 {
        self.recalls + self.recollections
    }

    fn with_status(&self, script: &Script, status: pb::Status) -> u64 {
        let count = |fate| script.faults.count(fate);
        match status {
            // Whatever is rejected, lost or used twice is in a status of its own.
            pb::Status::Released => self.tested + self.singles(),
            pb::Status::Void => count(Fate::Misread),
            pb::Status::Rejected => count(Fate::Rejected),
            pb::Status::Lost => count(Fate::Lost) + count(Fate::Vanished),
            pb::Status::Reused => self.used_twice,
            _ => 0,
        }
    }
}

/// Asks the service what came of the round.
pub async fn outcome(player: &mut Player) -> Result<Outcome> {
    let script = std::sync::Arc::clone(&player.script);
    let expected = Expected::of(&script);
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
    let statuses = crate::domain::words::Status::ALL.iter().map(|status| {
        let wire = pb::Status::try_from(i32::from(status.number())).unwrap_or_default();
        let found = with_status(&total, wire);
        row(status.zh(), status.en(), expected.with_status(&script, wire), found)
    });
    let people = player.ask.people().await?;
    let everybody = people.total.clone().unwrap_or_default();
    let (people_rows, people_parts) = people_rows(&expected, &people, row);
    let mut checks = vec![
        row(
            "合计与各部分不符",
            "parts that differ from their total",
            0,
            parts(player, &figures).await? + people_parts,
        ),
        row("采样两次而无需要的人", "people in two tubes without need", 0, everybody.in_two_tubes),
        row("去向不明的管", "tubes unaccounted for", 0, player.ask.unaccounted().await?),
        row(
            "未关闭的复采和重采",
            "recalls and recollections open",
            0,
            player.ask.open_recalls().await?.len() as u64,
        ),
    ];
    let (missing, behind) = sources(player).await?;
    checks.push(row("编号空缺", "numbers missing of sources", 0, missing));
    checks.push(row("未到齐的来源", "sources not complete", 0, behind));
    let faults = fault_rows(player, &script, &expected, &total).await?;
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
    let script = std::sync::Arc::clone(&player.script);
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

async fn fault_rows(
    player: &mut Player,
    script: &Script,
    expected: &Expected,
    total: &pb::ProgressRow,
) -> Result<Vec<Row>> {
    use pb::Discrepancy as Odd;
    let count = |fate| script.faults.count(fate);
    let codes = |fates: &[Fate]| -> BTreeSet<String> {
        let slots = fates.iter().flat_map(|fate| script.faults.slots(*fate));
        slots.map(|slot| script.faults.code_as_read(&script.truth, slot)).collect()
    };
    let row = |zh, en, injected, observable: &str, (expected, found)| Row {
        zh,
        en,
        injected: Some(injected),
        observable: observable.to_owned(),
        expected,
        found,
    };
    let seen = &player.found;
    let (desks, offline) = (script.faults.offline_desks().len() as u64, count(Fate::Offline));
    let mut rows = vec![
        row(
            "重复上报",
            "sent twice",
            count(Fate::Duplicate),
            "outcome DUPLICATE",
            (seen.sent_again, seen.duplicates),
        ),
        row(
            "断网补报",
            "offline desk",
            offline,
            "AWAITING_REGISTRATION before it delivers",
            seen.awaiting_offline,
        ),
        row(
            "断网采样台",
            "desks offline",
            desks,
            "status AWAITING before they deliver (all kinds)",
            seen.awaiting_all,
        ),
        row(
            "乱序上报",
            "out of order",
            count(Fate::Reordered),
            "numbers missing at the source, then filled",
            seen.holes,
        ),
        row(
            "误读条码",
            "misread",
            count(Fate::Misread),
            "status AWAITING of the real tube, just before it is mended",
            seen.awaiting_misread,
        ),
    ];
    let bad = (seen.bad_plates, seen.bad_codes.clone());
    let listed: [(&str, &str, u64, Odd, BTreeSet<String>); 6] = [
        (
            "误读条码",
            "misread",
            count(Fate::Misread),
            Odd::BarcodeCheckDigit,
            codes(&[Fate::Misread]),
        ),
        (
            "超员（含重复使用的管）",
            "overfilled (and used twice)",
            count(Fate::Overfilled),
            Odd::PoolOverfilled,
            codes(&[Fate::Overfilled, Fate::UsedFirst]),
        ),
        ("重复使用", "used twice", expected.used_twice, Odd::TubeReused, codes(&[Fate::UsedFirst])),
        (
            "重复使用（另一采样台）",
            "used twice, other desk",
            expected.used_twice,
            Odd::DesksDiffer,
            codes(&[Fate::UsedFirst]),
        ),
        (
            "箱内缺管",
            "missing in the box",
            count(Fate::Straggler) + count(Fate::Vanished),
            Odd::BoxTubeMissing,
            codes(&[Fate::Straggler, Fate::Vanished]),
        ),
        ("质控失败", "failed controls", bad.0, Odd::ControlsFailed, bad.1),
    ];
    let mut known = HashSet::new();
    for (zh, en, injected, code, wanted) in listed {
        known.insert(i32::from(code));
        let listed = player.ask.with_discrepancy(code).await?;
        // A record too many is as wrong as one too few.
        let found =
            listed.intersection(&wanted).count() + listed.difference(&wanted).count() * 1_000_000;
        let counted = total.discrepancies.iter().filter(|figure| figure.code() == code);
        let counted = counted.map(|figure| figure.records).sum::<i64>();
        let name = code.as_str_name().trim_start_matches("DISCREPANCY_").to_owned();
        rows.push(row(zh, en, injected, &name, (wanted.len() as u64, found as u64)));
        rows.push(row(
            zh,
            en,
            injected,
            &format!("{name} (counter)"),
            (wanted.len() as u64, self::count(counted)),
        ));
    }
    let others = total.discrepancies.iter().filter(|figure| !known.contains(&figure.code));
    rows.push(row(
        "其他异常",
        "anything else odd",
        0,
        "all other counters",
        (0, self::count(others.map(|figure| figure.records).sum())),
    ));
    let status = |status| (expected.with_status(script, status), with_status(total, status));
    rows.push(row(
        "遗失（含箱内未找到）",
        "lost (and never found)",
        count(Fate::Lost) + count(Fate::Vanished),
        "status LOST",
        status(pb::Status::Lost),
    ));
    rows.push(row(
        "拒收",
        "rejected",
        count(Fate::Rejected),
        "status REJECTED",
        status(pb::Status::Rejected),
    ));
    let positives = count(Fate::Positive) + expected.infected;
    let negatives = expected.tested + expected.singles()
        - positives
        - [Fate::SingleTarget, Fate::Grey, Fate::Invalid].map(count).iter().sum::<u64>();
    let call = |expected, call| (expected, with_call(total, call));
    rows.push(row(
        "阳性混采管与阳性者",
        "positive pools and people",
        positives,
        "call POSITIVE",
        call(positives, pb::Call::Positive),
    ));
    rows.push(row(
        "单靶标",
        "single target",
        count(Fate::SingleTarget),
        "call SINGLE_TARGET",
        call(count(Fate::SingleTarget), pb::Call::SingleTarget),
    ));
    rows.push(row(
        "灰区",
        "grey zone",
        count(Fate::Grey),
        "call GREY",
        call(count(Fate::Grey), pb::Call::Grey),
    ));
    rows.push(row(
        "结果无效",
        "invalid",
        count(Fate::Invalid),
        "call INVALID",
        call(count(Fate::Invalid), pb::Call::Invalid),
    ));
    rows.push(row("阴性", "negative", 0, "call NEGATIVE", call(negatives, pb::Call::Negative)));
    Ok(rows)
}
