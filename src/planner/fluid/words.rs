//! What holds a lab up, and why units stand still while tubes wait, in Chinese and English.

use super::answer::{CityFlow, Held, LabFlow, NoUnits};
use super::transport::Transport;
use crate::planner::city::{City, Clock, InstrumentDay, StageKind, Words, time_of_day};
use crate::planner::model::Ms;
use crate::planner::times::{clock_time, never, span};

/// The rest of the units of a stage of a lab, which holds its tubes up: "the extractors work 18 hours of each day, one after
/// the other, and rest for the others". Without its full stop.
pub fn rest(city: &City, lab: usize, kind: StageKind) -> Words {
    let stage = kind.name();
    let Some(lab) = city.labs.get(lab) else { return stage };
    let (zh, en) = match (lab.stage(kind).clock, lab.instrument_day(&city.norm)) {
        (Clock::Staffed, _) => (
            format!("{}环节有时无人当班，最后的样本要等到下一班", stage.zh),
            format!(
                "no shift is on for {} at times, and the last tubes wait for the next one",
                stage.en
            ),
        ),
        (Clock::Instrument, InstrumentDay::Staggered { hours }) => (
            format!("{}仪器每天只工作 {hours} 小时，最后的样本要等仪器休息完", stage.zh),
            format!(
                "the instruments for {} work {hours} h of a day, and the last tubes wait while they rest",
                stage.en
            ),
        ),
        (Clock::Instrument, InstrumentDay::Window { from_s, to_s }) => {
            let (from, to) = (time_of_day(from_s / 60), time_of_day(to_s / 60));
            (
                format!("{}仪器只在 {from} 至 {to} 工作，最后的样本要等仪器休息完", stage.zh),
                format!(
                    "the instruments for {} work from {from} to {to} only, and the last tubes wait while they rest",
                    stage.en
                ),
            )
        }
    };
    Words::new(zh, en)
}

/// What keeps the lab that is last from being done sooner, and since when, by the clock: "extraction at L3 Lab 3 binds from
/// 14:00". Without its full stop.
pub fn binds(city: &City, flow: &CityFlow, target: Ms) -> Words {
    let Words { zh, en } = bound(city, flow, target);
    Words::new(Words::closed(&zh), en)
}

fn bound(city: &City, flow: &CityFlow, target: Ms) -> Words {
    let last = flow.last_lab().filter(|lab| flow.labs[*lab].tubes > 0);
    let Some((lab, of)) = last.and_then(|lab| Some((lab, city.labs.get(lab)?))) else {
        return Words::new("无样本", "there are no tubes");
    };
    let flow = &flow.labs[lab];
    let (code, name) = (&of.code, &of.name);
    let last_tube = clock_time(city, flow.delivered);
    match flow.no_units(target) {
        Some(NoUnits::FirstResult) => {
            let first = span(flow.soonest);
            return Words::new(
                format!(
                    "流程本身：{code} {} 的首个结果（封箱、转运、各环节各一次）也要 {}",
                    name.zh, first.zh
                ),
                format!(
                    "the way itself: even the first result of {code} {} (box, transport, one run of each stage) takes {}",
                    name.en, first.en
                ),
            );
        }
        Some(NoUnits::LastTube) => {
            let chain = span(flow.chain);
            return Words::new(
                format!(
                    "采样和送达：{code} {} 最后一管 {} 才到，其后各环节各一次还需 {}",
                    name.zh, last_tube.zh, chain.zh
                ),
                format!(
                    "collection: the last tube of {code} {} comes at {}, and one run of each stage takes {} more",
                    name.en, last_tube.en, chain.en
                ),
            );
        }
        Some(NoUnits::Transport) => return late_vehicles(city, lab, flow),
        Some(NoUnits::Rest) | None => {}
    }
    let stage = flow.binding.name();
    match (flow.held, flow.backlog().map(|(_, from)| from)) {
        (Held::Rest, _) => {
            let rest = rest(city, lab, flow.binding);
            Words::new(
                format!("{code} {} 最后完成：{}", name.zh, rest.zh),
                format!("{code} {} is last: {}", name.en, rest.en),
            )
        }
        (Held::Backlog, Some(from)) => {
            let from = clock_time(city, from);
            Words::new(
                format!("{code} {}的{}自 {} 起成为瓶颈", name.zh, stage.zh, from.zh),
                format!("{} at {code} {} binds from {}", stage.en, name.en, from.en),
            )
        }
        (Held::Run | Held::Backlog, _) => Words::new(
            format!("{code} {} 最后完成：最后的样本要等{}做完前一批", name.zh, stage.zh),
            format!(
                "{code} {} is last: its last tubes wait for the run before theirs in {}",
                name.en, stage.en
            ),
        ),
        (Held::Stages, _) => Words::new(
            format!("{code} {} 最后完成：最后的样本在几个环节各等一段", name.zh),
            format!("{code} {} is last: its last tubes wait at one stage after the other", name.en),
        ),
        (Held::Transport, _) => late_vehicles(city, lab, flow),
        (Held::Way, _) => {
            let chain = span(flow.chain);
            Words::new(
                format!(
                    "{code} {} 最后完成，无积压：最后一管 {} 送达，其后各环节各一次需 {}",
                    name.zh, last_tube.zh, chain.zh
                ),
                format!(
                    "{code} {} is last and nothing queues there: its last tube comes at {}, and one run of each stage takes {}",
                    name.en, last_tube.en, chain.en
                ),
            )
        }
    }
}

/// That the last tubes of a lab wait for vehicles: whose, since when, and how many would be enough. Without its full stop.
fn late_vehicles(city: &City, lab: usize, flow: &LabFlow) -> Words {
    let (Some(of), Some(transport)) = (city.labs.get(lab), flow.transport) else {
        return Words::default();
    };
    let (code, name) = (&of.code, &of.name);
    let fleet = vehicles(city, &transport);
    let enough = vehicles_needed(&transport);
    let (zh, en) = match never(flow.delivered) {
        true => {
            let at = span(flow.delivered);
            (format!("最后一管要{}才送达", at.zh), format!("its last tube takes {}", at.en))
        }
        false => {
            let at = clock_time(city, flow.delivered);
            (format!("最后一管 {} 才送达", at.zh), format!("its last tube comes at {}", at.en))
        }
    };
    Words::new(
        format!("{code} {} 受限于转运车辆：{}，{zh}；{}", name.zh, fleet.zh, enough.zh),
        format!("transport holds up {code} {}: {}, and {en}; {}", name.en, fleet.en, enough.en),
    )
}

/// Whose vehicles, how many, and since when they take less than there is: "the 2 vehicles of Jiyuan take less than is filled from
/// 09:00 on".
fn vehicles(city: &City, of: &Transport) -> Words {
    let streets = || city.districts.iter().flat_map(|district| city.streets_of(district));
    let name = of.source.and_then(|n| streets().nth(n as usize)).map(|street| street.name);
    let Words { zh, en } = name.unwrap_or(Words::new("一个街道", "a street"));
    let now = of.vehicles;
    let (fleet, take) = match now {
        1 => (format!("the one vehicle of {en}"), ["takes", "is"]),
        _ => (format!("the {now} vehicles of {en}"), ["take", "are"]),
    };
    let (zh, en) = match of.since.map(|at| clock_time(city, at)) {
        Some(from) => (
            format!("{zh}现有 {now} 辆，自 {} 起运力不足", from.zh),
            format!("{fleet} {} less than is filled from {} on", take[0], from.en),
        ),
        None => (
            format!("{zh}现有 {now} 辆，最后的样本采完时车辆在途"),
            format!("{fleet} {} away when the last tubes are filled", take[1]),
        ),
    };
    match of.streets - 1 {
        0 => Words::new(zh, en),
        others => Words::new(
            format!("{zh}（该实验室另有 {others} 个街道也等车）"),
            format!(
                "{en} (at {} of this lab tubes wait for vehicles, too)",
                Words::many(others as u64, "other street")
            ),
        ),
    }
}

/// How many vehicles would be enough, without its full stop.
fn vehicles_needed(of: &Transport) -> Words {
    let (needed, more) = (of.needed, of.needed.saturating_sub(of.vehicles));
    match of.in_time {
        true => Words::new(
            format!("增至 {needed} 辆（加 {more} 辆）即不误时限"),
            format!("with {needed}, {more} more, it would come early enough for the target"),
        ),
        false => Words::new(
            format!("增至 {needed} 辆（加 {more} 辆）即无样本等车，仍误时限"),
            format!(
                "with {needed}, {more} more, none would wait for a vehicle, and it would still come too late"
            ),
        ),
    }
}
