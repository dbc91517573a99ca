//! The words of the answer, a line for each fact, in both languages: what binds, since when, and what would mend it.

use super::layers::{TINY, asked};
use super::moving::{Move, Moving};
use super::remedy::{Both, Desks, More, Outcome, Remedy, Units, Vehicles};
use super::search::Searched;
use super::sheet::Cell;
use super::*;
use crate::planner::StageKind;
use crate::planner::fluid::{Held, LabFlow, Transport};
use crate::planner::model::{HOUR, MINUTE, Ms};

/// The tiny city's report, whose first lab is last.
fn report() -> Report {
    let (_folder, args) = asked(TINY);
    let path = args.city.as_deref().expect("a city");
    let city = city_file::open(path, None).expect("a city file");
    Report::of(path, city, None, false, Dice { replications: 0, seed: 1 }, &Progress::silent())
}

/// Done last in 27 h 40 min: extraction has a backlog from 8 h on, and units help.
fn late(flow: &mut LabFlow) {
    let k = StageKind::Extract.index();
    (flow.finish, flow.delivered) = (27 * HOUR + 40 * MINUTE, 18 * HOUR);
    (flow.chain, flow.soonest) = (5 * HOUR, 3 * HOUR);
    (flow.binding, flow.held) = (StageKind::Extract, Held::Backlog);
    flow.units_needed[k] = Some(5);
    flow.stages[k].backlog_from = Some(8 * HOUR + 7 * MINUTE);
}

#[test]
fn what_binds_and_since_when_is_told_by_its_own_sentence() {
    let mut report = report();
    let city = report.city.clone();
    let layers = report.layers.as_mut().expect("a round");
    let reckoned = layers.flow.labs[0].clone();
    let mut binds = |change: &dyn Fn(&mut LabFlow)| {
        layers.flow.labs[0] = reckoned.clone();
        late(&mut layers.flow.labs[0]);
        change(&mut layers.flow.labs[0]);
        layers.binds(&city)
    };
    let extract = StageKind::Extract.index();
    for (from, zh, en) in
        [(8 * HOUR + 7 * MINUTE, " 14:07", "14:07"), (19 * HOUR, "次日 01:00", "01:00 next day")]
    {
        let said = binds(&|flow| flow.stages[extract].backlog_from = Some(from));
        let zh = format!("L1 东区实验室的核酸提取自{zh} 起成为瓶颈");
        assert_eq!(said, Words::new(zh, format!("extraction at L1 East lab binds from {en}")));
    }
    for (held, [zh, en]) in [
        (Held::Rest, ["：核酸提取仪器每天只工作 18 小时，最后的样本要等仪器休息完", REST]),
        (Held::Run, ["：最后的样本要等核酸提取做完前一批", RUN]),
        (Held::Stages, ["：最后的样本在几个环节各等一段", STAGES]),
        (Held::Way, ["，无积压：最后一管次日 00:00 送达，其后各环节各一次需 5 小时", WAY]),
    ] {
        let said = binds(&|flow| flow.held = held);
        let zh = format!("L1 东区实验室最后完成{zh}");
        assert_eq!(said, Words::new(zh, format!("L1 East lab is last{en}")));
    }
    let first = binds(&|flow| (flow.units_needed[extract], flow.soonest) = (None, 25 * HOUR));
    let zh = "流程本身：L1 东区实验室的首个结果（封箱、转运、各环节各一次）也要 25 小时";
    let en = "the way itself: even the first result of L1 East lab (box, transport, one run of each stage) takes 25 h";
    assert_eq!(first, Words::new(zh, en));
    let last = binds(&|flow| (flow.units_needed[extract], flow.delivered) = (None, 20 * HOUR));
    let zh = "采样和送达：L1 东区实验室最后一管次日 02:00 才到，其后各环节各一次还需 5 小时";
    let en = "collection: the last tube of L1 East lab comes at 02:00 next day, and one run of each stage takes 5 h more";
    assert_eq!(last, Words::new(zh, en));
}

/// What is told of vehicles: whose, since when, of how many streets, and how far as many more of them go.
#[test]
fn vehicles_that_hold_a_lab_up_are_told_with_since_when_and_how_many_are_enough() {
    let mut report = report();
    let layers = report.layers.as_mut().expect("a round");
    let whole = Transport {
        street: 0,
        source: Some(0),
        since: Some(3 * HOUR),
        vehicles: 2,
        needed: 5,
        in_time: true,
        streets: 1,
    };
    for (of, zh, en) in [
        (
            whole,
            "东区现有 2 辆，自 09:00 起运力不足，",
            "the 2 vehicles of East take less than is filled from 09:00 on, and ",
        ),
        (
            Transport { vehicles: 1, ..whole },
            "东区现有 1 辆，自 09:00 起运力不足，",
            "the one vehicle of East takes less than is filled from 09:00 on, and ",
        ),
        (
            Transport { since: None, ..whole },
            "东区现有 2 辆，最后的样本采完时车辆在途，",
            "the 2 vehicles of East are away when the last tubes are filled, and ",
        ),
        (
            Transport { streets: 3, ..whole },
            "（该实验室另有 2 个街道也等车），",
            " (at 2 other streets of this lab tubes wait for vehicles, too), and ",
        ),
        (
            whole,
            "；增至 5 辆（加 3 辆）即不误时限",
            "; with 5, 3 more, it would come early enough for the target",
        ),
        (
            Transport { in_time: false, ..whole },
            "；增至 5 辆（加 3 辆）即无样本等车，仍误时限",
            "; with 5, 3 more, none would wait for a vehicle, and it would still come too late",
        ),
    ] {
        let flow = &mut layers.flow.labs[0];
        late(flow);
        (flow.held, flow.transport) = (Held::Transport, Some(of));
        let said = layers.binds(&report.city);
        assert!(
            said.zh.starts_with("L1 东区实验室受限于转运车辆：") && said.zh.contains(zh),
            "{}",
            said.zh
        );
        let start = "transport holds up L1 East lab: ";
        assert!(said.en.starts_with(start) && said.en.contains(en), "{}", said.en);
    }
}

/// Why a lab is last, where its units would help.
const REST: &str =
    ": the instruments for extraction work 18 h of a day, and the last tubes wait while they rest";
const RUN: &str = ": its last tubes wait for the run before theirs in extraction";
const STAGES: &str = ": its last tubes wait at one stage after the other";
const WAY: &str = " and nothing queues there: its last tube comes at 00:00 next day, and one run of each stage takes 5 h";

fn outcome(fluid: Ms) -> Outcome {
    Outcome { fluid, simulated: None, in_time: None }
}

fn units(lab: usize, stage: StageKind, more: u32) -> Units {
    Units { lab, stage, now: 2, more }
}

fn more(units: Vec<Units>, desks: Vec<Desks>, finish: Ms) -> More {
    let (vehicles, held, outcome) = (Vec::new(), Vec::new(), outcome(finish));
    More { desks, vehicles, units, held, outcome, least: true, paired: None }
}

fn only(more: More) -> Remedy {
    Remedy {
        more: Some(more),
        moving: Moving::Pointless,
        both: None,
        beyond: None,
        searched: Searched::default(),
    }
}

fn moved(tubes: u64, serves: bool) -> Move {
    Move { from: 0, to: 1, tubes, streets: Vec::new(), serves }
}

#[test]
fn what_would_mend_it_is_told_measure_by_measure() {
    use StageKind::{Decap, Extract, Pcr, Receive};
    let desks = |more| vec![Desks { street: 0, now: 75, more }];
    let nothing = || Remedy {
        more: None,
        moving: Moving::Pointless,
        both: None,
        beyond: None,
        searched: Searched::default(),
    };
    let limit = Searched { tubes_max: 3_500_000_000, ..Searched::default() };
    let cut_off = Searched { tries: 1, left_out: 1, ..limit };
    let moves = |list: Vec<Move>, finish, least| Remedy {
        moving: Moving::Moves { moves: list, outcome: outcome(finish), least },
        ..only(more(vec![units(0, Extract, 1)], Vec::new(), 23 * HOUR))
    };
    let driven_by = |more_vehicles, more_units, finish| {
        let vehicles = vec![Vehicles { street: 0, now: 2, more: more_vehicles }];
        only(More { vehicles, ..more(more_units, Vec::new(), finish) })
    };
    let driven = |more_vehicles, more_units| driven_by(more_vehicles, more_units, 23 * HOUR);
    let cases: Vec<(Remedy, &str, &str)> = vec![
        (
            driven(1, Vec::new()),
            "在 1 个街道增加 1 辆转运车，可提前到 23 小时。",
            "1 more vehicle in 1 street would bring it to 23 h.",
        ),
        (
            driven(1200, vec![units(0, Extract, 1)]),
            "在 1 个街道增加 1,200 辆转运车，在 L1 东区实验室增加 1 台核酸提取仪，可提前到 23 小时。",
            "1,200 more vehicles in 1 street and 1 more extractor at L1 East lab would bring it to 23 h.",
        ),
        (
            only(more(vec![units(0, Extract, 2)], Vec::new(), 23 * HOUR)),
            "在该处增加 2 台核酸提取仪，可提前到 23 小时。",
            "2 more extractors there would bring it to 23 h.",
        ),
        (
            only(more(vec![units(1, Decap, 1), units(0, Receive, 2)], desks(40), 25 * HOUR)),
            "在 1 个街道增设 40 个采样台（采样人员不另增、信息登记人员 35 名），在 L2 西区实验室增加 1 台生物安全柜及其 6 名人员，\
             在 L1 东区实验室增加 2 台样本接收台及其 6 名人员，只能提前到 25 小时，仍不够。所试各法均不能按时完成；最接近的为 25 小时，仍超时 1 小时。",
            "40 more desks with no more samplers and 35 registrars in 1 street and 1 more biosafety cabinet with 6 people at \
             L2 West lab and 2 more reception benches with 6 people at L1 East lab would bring it only to 25 h, which is not enough. Nothing that was tried reaches the target; the nearest \
             is 25 h, 1 h late.",
        ),
        (
            only(more(
                vec![
                    units(0, Receive, 1),
                    units(0, Extract, 3),
                    units(1, Extract, 2),
                    units(1, Pcr, 1),
                ],
                Vec::new(),
                24 * HOUR,
            )),
            "在 2 家实验室共增加 1 台样本接收台、5 台核酸提取仪、1 台 PCR 扩增仪及其 3 名人员（见“按时完成的措施”），可提前到 24 小时。",
            "1 more reception bench, 5 more extractors, 1 more PCR cycler with 3 people at 2 labs (see \"Measures to be in time\") would bring it to 24 h.",
        ),
        (
            moves(vec![moved(61_000, true)], 23 * HOUR, true),
            "在该处增加 1 台核酸提取仪，可提前到 23 小时。或将 61,000 管改送 L2 西区实验室，可提前到 23 小时，不改送即不能按时完成。",
            "1 more extractor there would bring it to 23 h. Or 61,000 tubes to L2 West lab would bring it to 23 h; without that it is late.",
        ),
        (
            moves(vec![moved(1, false)], 25 * HOUR, false),
            "在该处增加 1 台核酸提取仪，可提前到 23 小时。或将 1 管改送 L2 西区实验室（须跨片区承检），只能提前到 25 小时，仍不够。",
            "1 more extractor there would bring it to 23 h. Or 1 tube to L2 West lab, which must take tubes of other districts, would \
             bring it only to 25 h, which is not enough.",
        ),
        (
            Remedy {
                more: Some(more(vec![units(0, Extract, 1)], Vec::new(), 25 * HOUR)),
                moving: Moving::NoRoom { excess: 9_000, room: 700, whole: false },
                both: Some(Both {
                    moves: vec![moved(700, true), moved(20, true)],
                    least: true,
                    more: more(vec![units(0, Extract, 1)], Vec::new(), 24 * HOUR),
                }),
                beyond: None,
                searched: Searched::default(),
            },
            "在该处增加 1 台核酸提取仪，只能提前到 25 小时，仍不够。单靠调整分派不够：超出 9,000 管，其他实验室只能再承担 700 管。\
             两者并用：将 720 管改送其他实验室（见“按时完成的措施”），并在该处增加 1 台核酸提取仪，可提前到 24 小时，各项改送缺一即不能按时完成。",
            "1 more extractor there would bring it only to 25 h, which is not enough. Moving tubes alone is not enough: 9,000 are too \
             many, the other labs have room for 700. Both partly: 720 tubes to other labs (see \"Measures to be in time\") and 1 more extractor there \
             would bring it to 24 h; without any one of these moves it is late.",
        ),
        (
            moves(vec![Move { streets: vec![0, 1], ..moved(6_500, true) }], 23 * HOUR, true),
            "在该处增加 1 台核酸提取仪，可提前到 23 小时。或将 2 个街道的全部 6,500 管改送 L2 西区实验室，可提前到 23 小时，\
             不改送即不能按时完成。",
            "1 more extractor there would bring it to 23 h. Or 2 whole streets with 6,500 tubes to L2 West lab would bring it to \
             23 h; without that it is late.",
        ),
        (
            Remedy {
                moving: Moving::NoRoom { excess: 600, room: 700, whole: true },
                ..only(more(vec![units(0, Extract, 2)], Vec::new(), 23 * HOUR))
            },
            "在该处增加 2 台核酸提取仪，可提前到 23 小时。单靠调整分派不够：超出 600 管，其他实验室合计可再承担 700 管，\
             但一一对应时须整条街道改送，没有合适的街道。",
            "2 more extractors there would bring it to 23 h. Moving streets alone is not enough: 600 tubes are too many and the \
             other labs together have room for 700, but one street sends to one lab, and no whole streets fit.",
        ),
        (
            Remedy {
                searched: Searched {
                    tries: 31,
                    left_out: 4,
                    tubes_max: 3_500_000_000,
                    confirmed_with: 47,
                    fewer: true,
                },
                ..only(more(vec![units(0, Extract, 2)], Vec::new(), 23 * HOUR))
            },
            "在该处增加 2 台核酸提取仪，可提前到 23 小时。寻找措施到达上限（共模拟 3,500 百万管）：至少 35 次试算中完成 31 次；\
             所列为已试中最好的，未必最早，也未必最少。城市很大，各项措施以 47 次模拟确认。",
            "2 more extractors there would bring it to 23 h. The search for remedies ended at its limit of 3,500 million simulated \
             tubes: 31 of at least 35 tries were made. What is told is the best of these; it need be neither the earliest nor the \
             least. In so large a city measures are confirmed with 47 replications.",
        ),
        (
            Remedy { searched: cut_off, ..nothing() },
            "寻找措施到达模拟量上限，未能搜索到底：更多设备、采样台和车辆是否足够，尚不清楚；将自成一片的区县及其实验室单列一个城市文件，可搜索得更远。\
             寻找措施到达上限（共模拟 3,500 百万管）：至少 2 次试算中完成 1 次；所列为已试中最好的，未必最早，也未必最少。已试各法均无效果。",
            "The search met its limit of simulated tubes before it was seen whether more units, desks and vehicles are enough: that is not \
             known; districts with labs of their own are searched further in a city file of their own. The search for remedies \
             ended at its limit of 3,500 million simulated tubes: 1 of at least 2 tries were made. What is told is the best of \
             these; it need be neither the earliest nor the least. Nothing that was tried so far helps.",
        ),
        (
            Remedy { searched: cut_off, ..driven_by(1, Vec::new(), 25 * HOUR) },
            "在 1 个街道增加 1 辆转运车，只能提前到 25 小时，仍不够。\
             寻找措施到达模拟量上限，未能搜索到底：更多设备、采样台和车辆是否足够，尚不清楚；将自成一片的区县及其实验室单列一个城市文件，可搜索得更远。\
             寻找措施到达上限（共模拟 3,500 百万管）：至少 2 次试算中完成 1 次；所列为已试中最好的，未必最早，也未必最少。\
             所试各法均不能按时完成；最接近的为 25 小时，仍超时 1 小时。",
            "1 more vehicle in 1 street would bring it only to 25 h, which is not enough. \
             The search met its limit of simulated tubes before it was seen whether more units, desks and vehicles are enough: that is not \
             known; districts with labs of their own are searched further in a city file of their own. The search for remedies \
             ended at its limit of 3,500 million simulated tubes: 1 of at least 2 tries were made. What is told is the best of \
             these; it need be neither the earliest nor the least. Nothing that was tried reaches the target; the nearest is 25 h, \
             1 h late.",
        ),
    ];
    let mut report = report();
    let layers = report.layers.as_mut().expect("a round");
    late(&mut layers.flow.labs[0]);
    layers.flow.finish = layers.flow.labs[0].finish;
    for (remedy, zh, en) in cases {
        report.layers.as_mut().expect("a round").remedy = Some(remedy);
        let layers = report.layers.as_ref().expect("a round");
        let said = remedy_text::sentence(&report, layers);
        let zh = format!(
            "不能按时完成：27 小时 40 分。L1 东区实验室的核酸提取自 14:07 起成为瓶颈。{zh}"
        );
        let en = format!("No: 27 h 40 min. Extraction at L1 East lab binds from 14:07. {en}");
        assert_eq!(said, Words::new(zh, en));
    }
}

#[test]
fn the_measures_stand_one_by_one_in_their_table() {
    use crate::planner::study::Paired;
    let mut report = report();
    let (saved, half_width) = (f64::from(132 * MINUTE), Some(f64::from(MINUTE / 2)));
    let paired = Paired { pairs: 40, saved, half_width, ..Paired::default() };
    let desks = vec![Desks { street: 1, now: 25, more: 3 }];
    let vehicles = vec![Vehicles { street: 1, now: 1, more: 4 }];
    let with = more(vec![units(0, StageKind::Extract, 2)], desks, 23 * HOUR);
    let with = More { vehicles, ..with };
    report.layers.as_mut().expect("a round").remedy = Some(Remedy {
        moving: Moving::Moves {
            moves: vec![moved(61_000, false)],
            outcome: outcome(23 * HOUR),
            least: true,
        },
        ..only(More { paired: Some((0, paired)), ..with.clone() })
    });
    let told = |report: &Report, lang| {
        let layers = report.layers.as_ref().expect("a round");
        let text = measures_text::measures(report, layers, Some(lang));
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    let en = [
        "measure where now more more people",
        "desks West 25 3 no more samplers and no more registrars",
        "vehicles West 1 4",
        "extractor L1 East lab 2 2 0",
        "No more samplers: those who are there keep these desks at their speed. The list asks for more of them by the norm, and its \
         number is filed all the same",
        "one fewer of any of these, and it is late",
        "L1 East lab: in 40 pairs of simulations its units save 2 h 12 min ± 0.5 min (everything else at its planned value)",
        "from to tubes district",
        "L1 East lab L2 West lab 61,000 another's",
    ];
    assert_eq!(told(&report, Lang::En), en);
    let zh = [
        "措施 处 现有 增加 增加人员",
        "采样台 西区 25 3 采样人员不另增、信息登记人员不另增",
        "转运车辆 西区 1 4",
        "核酸提取仪 L1 东区实验室 2 2 0",
        "“采样人员不另增”：现有人员足以使这些采样台不减速；缺口清单另按规范（配备标准）所缺的人数照报，两者依据不同，不矛盾",
        "以上各项少一台（个、辆）即不能按时完成",
        "L1 东区实验室：配对模拟 40 次，上列设备使其提前 2 小时 12 分 ± 0.5 分钟（其余各数取计划值）",
        "由 改送 管数 片区",
        "L1 东区实验室 L2 西区实验室 61,000 须跨片区",
    ];
    assert_eq!(told(&report, Lang::Zh), zh);
    // The sheet has the row of vehicles, too, and the name of the way has them.
    let sheets = sheet::sheets(&report);
    let measures =
        sheets.iter().find(|sheet| sheet.name.zh == words::MEASURES.0).expect("measures");
    let name = Cell::Text("转运车辆\nvehicles".to_owned());
    let row = measures.table.rows.iter().find(|row| row[1] == name).expect("a row");
    assert_eq!(
        row[0],
        Cell::Text("增加设备、采样台与车辆\nmore units, desks and vehicles".to_owned())
    );
    assert_eq!(row[4..8], [1, 4, 5, 4].map(Cell::Count));
    // What was not seen to be least is not said to be.
    let layers = report.layers.as_mut().expect("a round");
    layers.remedy = Some(only(More { least: false, ..with }));
    assert_eq!(told(&report, Lang::En), en[..5]);
}
