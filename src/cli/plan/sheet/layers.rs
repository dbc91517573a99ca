//! A sheet for each layer: the guide's arithmetic by district, labs by stage, the assignment, the simulation.

use super::super::json_layers::slack;
use super::super::layers::Layers;
use super::super::layers_text::seven;
use super::super::remedy_text::sentence;
use super::super::words::{beyond_hours, clock_time, in_hours, never, span};
use super::super::{Report, targets};
use super::{Cell, Sheet, Table};
use crate::planner::assign::by_mean_pace;
use crate::planner::fluid::Held;
use crate::planner::model::{HOUR, Ms};
use crate::planner::study::Quantiles;
use crate::planner::{StageKind, Words, chance};

/// Hours as a number; beyond what is reckoned, that it is.
fn hours(at: Ms) -> Cell {
    match never(at) {
        true => Cell::text(beyond_hours()),
        false => Cell::Number(in_hours(at)),
    }
}

/// Hours with two decimals that one more unit saves; negative where it costs some.
fn saved_hours(ms: i64) -> f64 {
    (ms as f64 / f64::from(HOUR) * 100.0).round() / 100.0 + 0.0
}

pub(super) fn lab(found: &Layers, lab: usize) -> Cell {
    found.round.labs.get(lab).map_or(Cell::Blank, |(code, name)| {
        Cell::both(&Words::new(format!("{code} {}", name.zh), format!("{code} {}", name.en)))
    })
}

/// 测算: needs per district, and what is there.
pub(super) fn rules(report: &Report) -> Sheet {
    let mut table = Table::new(&[
        ("区县", "district", 20.0),
        ("人口", "persons", 12.0),
        ("每管人数", "per tube", 10.0),
        ("管/轮", "tubes", 12.0),
        ("采样点（少）", "sites, low", 11.0),
        ("采样点（多）", "sites, high", 11.0),
        ("现有", "have", 10.0),
        ("采样台（少）", "desks, low", 11.0),
        ("采样台（多）", "desks, high", 11.0),
        ("现有", "have", 10.0),
        ("采样人员", "samplers", 11.0),
        ("现有", "have", 10.0),
        ("登记人员", "registrars", 11.0),
        ("现有", "have", 10.0),
        ("储备（全部轮次）", "reserve, all rounds", 14.0),
        ("其中实物", "on the shelf", 14.0),
        ("未安排实验室（管）", "no lab for", 14.0),
    ]);
    let mut held = [0u64; 4];
    for (district, d) in report.city.districts.iter().zip(&report.plan.districts) {
        let have = &district.have;
        let here = [have.sites, have.desks, have.samplers, have.registrars];
        held.iter_mut().zip(here).for_each(|(sum, n)| *sum = sum.saturating_add(n));
        let mut row = vec![Cell::both(&d.name)];
        row.push(Cell::Count(d.population));
        row.push(match d.pool == d.pool_most {
            true => Cell::Count(d.pool),
            false => Cell::text(format!("{}–{}", d.pool, d.pool_most)),
        });
        row.push(Cell::Count(d.tubes));
        row.extend([d.sites.low, d.sites.high, here[0]].map(Cell::Count));
        row.extend([d.desks.low, d.desks.high, here[1]].map(Cell::Count));
        row.extend([d.samplers, here[2], d.registrars, here[3]].map(Cell::Count));
        row.extend([d.reserve, d.reserve_physical, d.tubes_unmet].map(Cell::Count));
        table.rows.push(row);
    }
    let t = &report.plan.total;
    let mut sum = vec![Cell::both(&Words::new("合计", "total")), Cell::Count(t.population)];
    sum.extend([Cell::Blank, Cell::Count(t.tubes)]);
    sum.extend([t.sites.low, t.sites.high, held[0]].map(Cell::Count));
    sum.extend([t.desks.low, t.desks.high, held[1]].map(Cell::Count));
    sum.extend([t.samplers, held[2], t.registrars, held[3]].map(Cell::Count));
    sum.extend([t.reserve, t.reserve_physical, t.tubes_unmet].map(Cell::Count));
    table.sum(sum);
    let answers = std::iter::once(&report.plan).chain(&report.others).map(|plan| {
        let v = &plan.verdict;
        let answer = targets::answer(v, report.layers.as_ref().ok());
        let h = v.target_h;
        Words::new(format!("{h} 小时：{}", answer.zh), format!("{h} h: {}", answer.en))
    });
    let mut lines: Vec<Words> = answers.collect();
    if let Err(why) = &report.layers {
        lines.push(why.clone());
    }
    Sheet {
        name: Words::new("测算", "Arithmetic"),
        title: Words::new("按指南测算", "the guide's arithmetic"),
        lines,
        table,
    }
}

/// 实验室各环节: the flows, a row per lab and stage.
pub(super) fn labs(report: &Report, found: &Layers) -> Sheet {
    let mut table = Table::new(&[
        ("实验室", "lab", 28.0),
        ("环节", "stage", 16.0),
        ("瓶颈", "binds", 8.0),
        ("可用台数", "units working", 12.0),
        (
            "流体层所需台数（对照，不上报）",
            "units needed by the flows: comparison, not filed",
            18.0,
        ),
        ("管数", "tubes", 12.0),
        ("完成（小时）", "done (h)", 12.0),
        ("完成时刻", "done at", 18.0),
        ("成为瓶颈自（小时）", "binds from (h)", 14.0),
        ("距时限余量（小时）", "slack (h)", 14.0),
        ("再增 1 台提前（小时）", "one more saves the lab (h)", 16.0),
        ("再增 1 台为", "one more is", 28.0),
    ]);
    for (i, flow) in found.flow.labs.iter().enumerate().filter(|(_, flow)| flow.tubes > 0) {
        for kind in StageKind::ALL {
            let k = kind.index();
            let stage = &flow.stages[k];
            // Of a lab that waits for its tubes no stage binds.
            let binds = flow.binding == kind && !matches!(flow.held, Held::Transport | Held::Way);
            let saved = saved_hours(found.one_more[i][k].saves.lab);
            let row = vec![
                lab(found, i),
                Cell::both(&kind.name()),
                if binds { Cell::both(&Words::new("是", "yes")) } else { Cell::Blank },
                Cell::Count(found.round.model.labs[i].stages[k].units.into()),
                flow.units_needed[k].map_or(Cell::Blank, |n| Cell::Count(n.into())),
                Cell::Count(flow.tubes),
                hours(stage.last),
                Cell::both(&clock_time(&report.city, stage.last)),
                found.binds_from(i, kind).map_or(Cell::Blank, hours),
                slack(found.round.model.target, flow.alone[k]).map_or(Cell::Blank, Cell::Number),
                if never(flow.finish) { Cell::Blank } else { Cell::Number(saved) },
                Cell::both(&found.one_more[i][k].label()),
            ];
            match binds {
                true => table.sum(row),
                false => table.rows.push(row),
            }
        }
    }
    Sheet {
        name: Words::new("实验室各环节", "Labs by stage"),
        title: Words::new("流体层：实验室各环节", "flows: labs by stage"),
        lines: vec![
            sentence(report, found),
            Words::new(
                "余量：该环节单独受限时距时限的小时数，负数为超时，空白为 40 天内不能完成；所需台数空白：样本送达已迟或仪器休息，增加设备无效",
                "slack: hours to the target were the stage the only limit, negative is late, none is not done within 40 days; no units needed: tubes come too late, or the instruments rest, for any number",
            ),
        ],
        table,
    }
}

/// When the round is done by the flows, beside the hours of the assignment.
fn done_by_flows(found: &Layers) -> Words {
    let done = span(found.flow.finish);
    Words::new(format!("流体层的完成时间：{}", done.zh), format!("done by the flows: {}", done.en))
}

/// 分派: which street sends to which lab, and the load of each lab.
pub(super) fn assignment(found: &Layers) -> Sheet {
    let mut table = Table::new(&[
        ("街道 / 区县", "street / district", 28.0),
        ("实验室", "lab", 28.0),
        ("管数", "tubes", 12.0),
        ("路程（公里）", "way (km)", 12.0),
        ("路程（分钟）", "way (min)", 12.0),
        ("实验室完成，按平均速率（小时）", "lab done, at its mean pace (h)", 16.0),
    ]);
    let (of, problem) = (&found.round.assignment, &found.round.problem);
    let sent: Vec<(usize, usize, u64)> = match found.one_to_one {
        true => {
            let whole = of.whole.lab_of.iter().enumerate();
            whole.filter_map(|(i, to)| Some((i, (*to)?, problem.streets.get(i)?.tubes))).collect()
        }
        false => of.shares.sent.iter().map(|s| (s.street, s.lab, s.tubes)).collect(),
    };
    for (i, to, tubes) in sent {
        let Some(street) = problem.streets.get(i) else { continue };
        let way = street.ways.iter().find(|way| way.lab == to);
        let code = street.code.rsplit('/').next().unwrap_or(&street.code);
        let name = found.round.streets.iter().find(|s| s.code == code);
        table.rows.push(vec![
            name.map_or_else(|| Cell::text(code), |s| Cell::both(&s.name)),
            lab(found, to),
            Cell::Count(tubes),
            way.map_or(Cell::Blank, |way| Cell::Number(way.km)),
            way.map_or(Cell::Blank, |way| Cell::Number(way.minutes)),
            found.loads().get(to).map_or(Cell::Blank, |load| Cell::Number(load.finish_h)),
        ]);
    }
    for (i, load) in found.loads().iter().enumerate() {
        table.sum(vec![
            Cell::both(&Words::new("实验室小计", "lab")),
            lab(found, i),
            Cell::Count(load.tubes),
            Cell::Blank,
            Cell::Blank,
            Cell::Number(load.finish_h),
        ]);
    }
    Sheet {
        name: Words::new("分派", "Assignment"),
        title: Words::new("街道与实验室分派", "assignment of streets to labs"),
        lines: vec![of.words.clone(), by_mean_pace(), done_by_flows(found)],
        table,
    }
}

/// 模拟: quantiles of the city and of each lab.
pub(super) fn simulation(report: &Report, found: &Layers) -> Sheet {
    let mut columns = vec![("对象", "what", 32.0)];
    let quantiles = ["5%", "10%", "25%", "50%", "75%", "90%", "95%"];
    columns.extend(quantiles.map(|q| (q, "h", 10.0)));
    columns.push(("最忙环节", "busiest stage", 18.0));
    let mut table = Table::new(&columns);
    let mut lines = Vec::new();
    if let Some(study) = &found.study {
        let row = |what: Cell, q: &Quantiles, busiest: Cell| {
            let mut row = vec![what];
            row.extend(seven(q).map(hours));
            row.push(busiest);
            row
        };
        for (zh, en, q) in [
            ("最后采样", "last swab", &study.sampled),
            ("最后送达", "last tube at a lab", &study.delivered),
            ("首检全部完成", "last first result", &study.finish),
            ("召回办结", "recalls closed", &study.closed),
        ] {
            table.sum(row(Cell::both(&Words::new(zh, en)), q, Cell::Blank));
        }
        for (i, (q, busiest)) in study.labs.iter().zip(&study.bottlenecks).enumerate() {
            if q.p95 > 0 {
                table.rows.push(row(lab(found, i), q, Cell::both(&busiest.name())));
            }
        }
        let (n, seed) = (study.replications, report.dice.seed);
        lines.push(match study.probability().map(|p| p * 100.0) {
            Some(p) => Words::new(
                format!("模拟 {n} 次，种子 {seed}；按时完成概率 {p:.1}%"),
                format!("{n} replications, seed {seed}; in time with {p:.1} %"),
            ),
            None => {
                let Words { zh, en } = chance::once();
                Words::new(
                    format!("{zh}，种子 {seed}；各分位即该次用时"),
                    format!("{}, seed {seed}; every quantile is its time", Words::capital(&en)),
                )
            }
        });
    } else {
        lines.push(Words::new("未模拟", "not simulated"));
    }
    Sheet {
        name: Words::new("模拟", "Simulation"),
        title: Words::new(
            "模拟：完成时间的分位数（小时）",
            "simulation: quantiles of the finish (h)",
        ),
        lines,
        table,
    }
}
