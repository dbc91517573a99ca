//! The report as tables.

use super::diff::head_line;
use super::layers::Layers;
use super::words::{
    MEASURES, grouped, hours, minutes, not_within, pick, place_name, say, table, tenths,
};
use super::{
    Lang, Report, claim_text, crews_text, flow_text, layers_text, measures_text, targets,
    text_shortage,
};
use crate::planner::reach::NoReach;
use crate::planner::{
    ChainStage, District, Ledger, Plan, Range, StageCapacity, StageKind, StageTime, Status, Stock,
    Words, explain,
};

/// The whole report.
pub(super) fn report(report: &Report, lang: Option<Lang>) -> String {
    let Report { city, plan, .. } = report;
    let mut out = String::new();
    let title = say(lang, &city.name);
    let head = pick(lang, "全员核酸检测能力测算", "capacity for testing everyone");
    out += &format!("{title}  {head}\n");
    let norm = &city.norm;
    out += &format!(
        "{}: {} ({})\n",
        pick(lang, "规范包", "norm pack"),
        pick(lang, &norm.title_zh, &norm.title_en),
        norm.name
    );
    if city.plan.version > 0 {
        out += &format!("{}: {}\n", pick(lang, "方案", "plan"), head_line(&city.plan, lang));
    }
    out += &format!(
        "{}: {}  [{}] {}\n\n",
        pick(lang, "人口", "population"),
        grouped(city.population.value),
        pick(lang, city.population.origin.status.word_zh(), city.population.origin.status.word()),
        say(lang, &city.population.origin.source)
    );
    out += &section(lang, "一、结论", "1. Verdict");
    out += &format!("  {}:\n", pick(lang, "按指南算术", "by the guide's arithmetic"));
    let layers = report.layers.as_ref().ok();
    for plan in std::iter::once(plan).chain(&report.others) {
        out += &verdict(plan, layers, lang);
    }
    if let Some(filled) = report.filled_told() {
        out += &format!("  {}:\n", pick(lang, "补齐全部缺口后", "with every shortage filled"));
        out += &verdict(&filled.plan, filled.layers.as_ref().ok(), lang);
    }
    out += &stages(plan, lang);
    out.push('\n');
    out += &layers_text::side_by_side(report, lang);
    if let Some(filled) = report.filled_told() {
        out += &layers_text::filled(filled, lang);
    }
    out += &section(lang, "二、各区县需求与现有", "2. Needs per district, and what is there");
    out += &needs(report, lang);
    out += &crews_text::crews(report, lang);
    out += &section(lang, "三、试剂与采样管储备", "3. Tubes and reagents by rounds");
    out += &reserve(report, lang);
    out += &section(
        lang,
        "四、实验室各环节能力（整批运行，管）",
        "4. Labs by stage (whole runs, tubes)",
    );
    out += &labs(plan, lang);
    out += &section(lang, "五、缺口清单", "5. Shortages");
    out += &text_shortage::shortages(report, lang);
    if let Ok(layers) = &report.layers {
        out += &section(lang, "六、流体层：各环节何时完成", "6. Flows: when each stage is done");
        out += &flow_text::flows(report, layers, lang);
        let shelf = plan.shelf();
        if layers.remedy.is_some() || !shelf.is_empty() {
            let (zh, en) = MEASURES;
            out += &section(lang, &format!("七、{zh}"), &format!("7. {en}"));
            out += &measures_text::shelf(&shelf, lang);
            out += &measures_text::measures(report, layers, lang);
        }
        out += &section(lang, "八、分派：街道与实验室", "8. Assignment of streets to labs");
        out += &layers_text::assignment(&report.city, layers, lang);
        out += &section(lang, "九、模拟", "9. Simulation");
        out += &layers_text::simulation(report, layers, lang);
    }
    for claim in &city.claims {
        out += &section(lang, "十、公布能力的解释", "10. A declared capacity explained");
        out += &claim_text::explanation(&explain(claim, norm), lang);
    }
    out += &section(lang, "附、所用常数与来源", "Constants, their status and source");
    out += &sources(report, lang);
    match lang {
        Some(Lang::Zh) => full_width(&out),
        Some(Lang::En) | None => out,
    }
}

/// Text in Chinese alone with its colons and semicolons as Chinese has them: those after or before a Chinese character, with the
/// space behind them. Columns stay, for both take two.
fn full_width(text: &str) -> String {
    let chinese = |c: char| c >= '\u{2e80}';
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = letters.get(at) {
        let beside =
            |i: Option<usize>| i.and_then(|i| letters.get(i)).copied().is_some_and(chinese);
        let stands = letters.get(at + 1) == Some(&' ')
            && (beside(at.checked_sub(1)) || beside(Some(at + 2)));
        match c {
            ':' | ';' if stands => {
                out.push(if c == ':' { '：' } else { '；' });
                at += 1;
            }
            c => out.push(c),
        }
        at += 1;
    }
    out
}

fn section(lang: Option<Lang>, zh: &str, en: &str) -> String {
    format!("\n{}\n", pick(lang, zh, en))
}

/// The arithmetic's answer to a plan's target, with that of the other layers beside it.
fn verdict(plan: &Plan, layers: Option<&Layers>, lang: Option<Lang>) -> String {
    let verdict = &plan.verdict;
    let h = verdict.target_h;
    let answer = say(lang, &targets::answer(verdict, layers));
    let needed = match verdict.minutes {
        Some(minutes) => {
            let hours = hours(minutes);
            pick(lang, &format!("需 {}", hours.zh), &format!("needs {}", hours.en))
        }
        None => say(lang, &not_within()),
    };
    let binding = &verdict.binding;
    let at = binding.tightest.as_ref().map(|(_, name)| format!(" ({})", place_name(lang, name)));
    format!(
        "  {h} h: {answer}; {needed}; {}: {}{}\n",
        pick(lang, "瓶颈", "binding stage"),
        say(lang, &binding.stage.name()),
        at.unwrap_or_default()
    )
}

fn stages(plan: &Plan, lang: Option<Lang>) -> String {
    let mut rows = vec![vec![
        pick(lang, "环节（其余环节不受限时）", "stage, were it the only limit"),
        pick(lang, "需时", "needs"),
        pick(lang, "最紧处", "tightest at"),
    ]];
    for StageTime { stage: which, minutes, tightest } in &plan.verdict.stages {
        let unreached = plan.cut_off.iter().any(|one| !matches!(one.why, NoReach::Idle { .. }));
        let needs = match (which, minutes) {
            (ChainStage::Way, None) if unreached => {
                pick(lang, "有街道送不到任何实验室", "streets that reach no lab")
            }
            // A minute is the least that is tried: nothing is asked of the labs at all.
            (ChainStage::Lab(_), Some(_)) if tightest.is_none() => {
                pick(lang, "没有样本能送到", "no tube can get there")
            }
            (_, None) => {
                let Words { zh, en } = not_within();
                pick(lang, &format!("不足，{zh}"), &format!("not enough, {en}"))
            }
            (ChainStage::TubeStock, _)
            | (ChainStage::ExtractionStock, _)
            | (ChainStage::PcrStock, _) => pick(lang, "充足", "enough"),
            (_, Some(minutes)) => say(lang, &hours(*minutes)),
        };
        let at = tightest.as_ref().map(|(_, name)| place_name(lang, name)).unwrap_or_default();
        rows.push(vec![say(lang, &which.name()), needs, at]);
    }
    table(&rows)
}

fn range(range: Range) -> String {
    format!("{}–{}", grouped(range.low), grouped(range.high))
}

fn needs(report: &Report, lang: Option<Lang>) -> String {
    let Report { city, plan, .. } = report;
    let mut rows = vec![vec![
        pick(lang, "区县", "district"),
        pick(lang, "人口", "persons"),
        pick(lang, "采样点", "sites"),
        pick(lang, "有", "have"),
        pick(lang, "采样台", "desks"),
        pick(lang, "有", "have"),
        pick(lang, "采样员", "samplers"),
        pick(lang, "有", "have"),
        pick(lang, "登记员", "registrars"),
        pick(lang, "有", "have"),
        pick(lang, "管/轮", "tubes"),
        pick(lang, "采样能力(人)", "can sample"),
        pick(lang, "未安排(管)", "no lab for"),
    ]];
    let mut have = [0u64; 4];
    for (district, d) in city.districts.iter().zip(&plan.districts) {
        let here = &district.have;
        let held = [here.sites, here.desks, here.samplers, here.registrars];
        have.iter_mut().zip(held).for_each(|(sum, n)| *sum = sum.saturating_add(n));
        rows.push(needs_row(
            place_name(lang, &d.name),
            d.population,
            [range(d.sites), range(d.desks), grouped(d.samplers), grouped(d.registrars)],
            held,
            [d.tubes, d.persons_by_desks.min(d.persons_by_samplers), d.tubes_unmet],
        ));
    }
    let t = &plan.total;
    let can = plan.districts.iter().map(|d| d.persons_by_desks.min(d.persons_by_samplers)).sum();
    rows.push(needs_row(
        pick(lang, "合计", "total"),
        t.population,
        [range(t.sites), range(t.desks), grouped(t.samplers), grouped(t.registrars)],
        have,
        [t.tubes, can, t.tubes_unmet],
    ));
    let mut out = table(&rows);
    for note in [needs_note(report), once_for_the_city(report)] {
        out += &format!("  {}\n", say(lang, &note));
    }
    out
}

/// What the columns of the needs are.
fn needs_note(report: &Report) -> Words {
    let (norm, h) = (&report.city.norm, report.plan.target_h);
    let (site, desk) = (
        [norm.persons_per_site_max.value, norm.persons_per_site_min.value],
        [norm.persons_per_desk_max.value, norm.persons_per_desk_min.value],
    );
    let sampler = norm.persons_per_sampler.value;
    let registrars = norm.registrars_per_desk.value;
    let clerks = Words::many(registrars, "registrar");
    Words::new(
        format!(
            "采样点、采样台、采样员、登记员为规范要求，其后的“有”为现有：每 {}–{} 人一个采样点，每 {}–{} 人一个采样台，\
             每 {sampler} 人一名采样员，按最少台数每台 {registrars} 名登记员。采样能力：现有台和人员按最后一管仍能在 {h} 小时内\
             出结果计可采的人数；没有实验室可送的区县按就地有一处移动方舱实验室计。未安排：实验室在 {h} 小时内做不完的管数",
            grouped(site[0]),
            grouped(site[1]),
            grouped(desk[0]),
            grouped(desk[1])
        ),
        format!(
            "Sites, desks, samplers and registrars are what the norm asks for, and \"have\" behind each what there is: one site for \
             {} to {} persons, one desk for {} to {}, one sampler for {sampler}, {clerks} at each desk of the lower \
             number. Can sample: persons whom the desks and people there can swab early enough for the last tube to be resulted \
             within {h} h; a district that reaches no lab as if a mobile lab stood there. No lab for: tubes that the labs cannot do within {h} h",
            grouped(site[0]),
            grouped(site[1]),
            grouped(desk[0]),
            grouped(desk[1])
        ),
    )
}

/// What the norm asks of the city as one, and why it is less than the total of the table.
fn once_for_the_city(report: &Report) -> Words {
    let c = &report.plan.total.ceilings;
    let (sites, desks, samplers, tubes) =
        (range(c.sites), range(c.desks), grouped(c.samplers), grouped(c.tubes));
    // Who has one pool size for all has its total divided once; else each size has its own persons.
    let (pool_zh, pool_en) = match c.pool.low == c.pool.high {
        true => (format!("每管 {} 人", c.pool.low), format!("{} persons to a tube", c.pool.low)),
        false => (
            format!("每管 {}–{} 人，每种混采规格各取整一次", c.pool.low, c.pool.high),
            format!("{}–{} persons to a tube, each size rounded once", c.pool.low, c.pool.high),
        ),
    };
    Words::new(
        format!(
            "合计为各行之和：每个街道（未列街道的区县按一个街道计）各自进位取整。全市人口合并、只取整一次则为：采样点 {sites}，\
             采样台 {desks}，采样人员 {samplers}，采样管 {tubes}（{pool_zh}）；上报以合计为准"
        ),
        format!(
            "The total is the sum of the rows, each street (a district that names none is one) rounded up by itself. The city's \
             persons together, rounded up only once, would be: sites {sites}, desks {desks}, samplers {samplers}, tubes {tubes} \
             ({pool_en}); what is filed is the total"
        ),
    )
}

fn needs_row(
    name: String,
    population: u64,
    need: [String; 4],
    have: [u64; 4],
    rest: [u64; 3],
) -> Vec<String> {
    let mut row = vec![name, grouped(population)];
    for (need, have) in need.into_iter().zip(have) {
        row.push(need);
        row.push(grouped(have));
    }
    row.extend(rest.map(grouped));
    row
}

fn reserve(report: &Report, lang: Option<Lang>) -> String {
    let Report { city, plan, .. } = report;
    let norm = &city.norm;
    let (all, shelf) = (norm.rounds.value, norm.rounds_physical.value);
    let mut out = format!(
        "  {}\n",
        pick(
            lang,
            &format!("每种按 {all} 轮储备，其中实物不少于 {shelf} 轮；协议储备缴纳定金后方计入"),
            &format!(
                "each for {all} rounds, {shelf} of them on the shelf; agreements count once the deposit is paid"
            ),
        )
    );
    let mut rows = vec![vec![
        pick(lang, "区县", "district"),
        pick(lang, &format!("{all} 轮需"), &format!("need {all}")),
        pick(lang, &format!("实物 {shelf} 轮需"), &format!("shelf {shelf}")),
        pick(lang, "采样管", "tubes"),
        pick(lang, "提取试剂", "extraction"),
        pick(lang, "扩增试剂", "PCR"),
        pick(lang, "可用天数 实物/合计", "days of cover, shelf/all"),
    ]];
    let ledger = |l: &Ledger| {
        let mark = match (l.agreement, l.deposit_paid) {
            (0, _) => String::new(),
            (n, true) => format!("+{}", grouped(n)),
            (n, false) => format!("(+{})", grouped(n)),
        };
        format!("{}{mark}", grouped(l.physical))
    };
    for (district, d) in city.districts.iter().zip(&plan.districts) {
        let stock = &district.stock;
        rows.push(vec![
            place_name(lang, &d.name),
            grouped(d.reserve),
            grouped(d.reserve_physical),
            ledger(&stock.tubes),
            ledger(&stock.extraction),
            ledger(&stock.pcr),
            cover(stock, d.tubes),
        ]);
    }
    let total = &plan.total;
    rows.push(vec![
        pick(lang, "合计", "total"),
        grouped(total.reserve),
        grouped(total.reserve_physical),
    ]);
    out += &table(&rows);
    out += &format!(
        "  {}\n",
        pick(
            lang,
            "各种试剂列：实物+协议储备；括号内的协议储备未缴定金，不计入。“需”为每种物资各自的需要数（支、人份），每管一份。可用天数：每日一轮、最先用完的一种，仅实物/连同计入的协议",
            "under each article: what is on the shelf + what is agreed; in brackets: no deposit, does not count. \"need\" and \"shelf\" are \
             what is needed of each article (tubes, reactions: one for each tube). Days of cover at a round a day, by the article \
             that is used up first: with the shelf alone / with the agreements that count",
        )
    );
    out
}

/// Days until the first of the three articles is used up: on the shelf, and with what counts besides.
fn cover(stock: &Stock, tubes: u64) -> String {
    let all = [&stock.tubes, &stock.extraction, &stock.pcr].map(|l| l.cover_tenths(tubes));
    let least = |k: usize| all.iter().map(|cover| cover[k]).min().unwrap_or(0);
    match least(0) {
        u64::MAX => "—".to_owned(),
        shelf => format!("{}/{}", tenths(shelf), tenths(least(1))),
    }
}

/// Capacity of the labs by stage, and which stage is the bottleneck.
pub(super) fn labs(plan: &Plan, lang: Option<Lang>) -> String {
    let mut out = labs_table(plan, false, lang);
    if let Some(lab) = plan.labs.first() {
        let windows = lab.capacity.stages.map(|s| {
            format!("{} {}", pick(lang, &s.kind.name().zh, &s.kind.name().en), minutes(s.window_s))
        });
        out += &format!(
            "  {}\n  {}: {} ({})\n",
            pick(
                lang,
                "承担：指南算术分给该实验室的管数，包括它做不完而别处也做不完的；各环节：时限内可做的管数；能力最小的环节括号内：台数×每台批数×每批管数×折减",
                "asked: tubes that the arithmetic gives the lab, with those that neither it nor any other has room for; by stage: \
                 tubes within the target; in brackets at the stage with the least: units × runs of each × tubes of a run × derate",
            ),
            pick(
                lang,
                "各环节可用分钟：取工作时长（按班次、仪器日）与“时限减去首箱等待和其余环节各一次”的较短者",
                "minutes of each stage: the shorter of its working time (shifts, instrument day) and the target less the first box and one run of the others",
            ),
            windows.join(", "),
            lab.code
        );
    }
    if let Some(one) = one_bottleneck(plan) {
        out += &format!("  {}\n", say(lang, &one));
    }
    let t = &plan.total;
    out += &format!(
        "  {}: {} / {}\n",
        pick(lang, "本市实验室合计能力与需检管数", "the city's labs together, and tubes to test"),
        grouped(t.lab_tubes),
        grouped(t.tubes)
    );
    if plan.labs.iter().any(|lab| lab.outside) {
        out += &format!(
            "\n  {}\n",
            pick(
                lang,
                "外地实验室（只承担本市实验室做不完的部分）",
                "labs of other cities (only what the city's own cannot take)",
            )
        );
        out += &labs_table(plan, true, lang);
        out += &format!(
            "  {}: {} / {}\n",
            pick(
                lang,
                "外地实验室合计能力与按指南算术外送的管数（按分派外送的见“分派”）",
                "these together, and tubes that the arithmetic sends there (by the assignment: see there)"
            ),
            grouped(t.outside_tubes),
            grouped(t.tubes_sent_outside)
        );
    }
    out
}

/// Where the lab stage that binds is not the one that does least within the target at its lab: which of both is the bottleneck,
/// and why they differ.
fn one_bottleneck(plan: &Plan) -> Option<Words> {
    let ChainStage::Lab(binds) = plan.verdict.binding.stage else { return None };
    let (code, _) = plan.verdict.binding.tightest.as_ref()?;
    let lab = plan.labs.iter().find(|lab| lab.code == *code)?;
    let least = lab.capacity.binding;
    if least == binds {
        return None;
    }
    let tubes = |kind: StageKind| grouped(lab.capacity.stages[kind.index()].tubes);
    let (h, binds_tubes, least_tubes) = (plan.target_h, tubes(binds), tubes(least));
    let (binds, least) = (binds.name(), least.name());
    Some(Words::new(
        format!(
            "瓶颈只有一个：{code} 的{}（见“结论”，单独受限时需时最长，应先补）。上表{}在 {h} 小时内做得更少（{least_tubes} 管，{}为 {binds_tubes} 管），\
             但做完全部样本更早：时限内只计整批，且受班次和仪器休息影响，各环节的管数按批跳增，某一时限时的多少不等于谁最后做完",
            binds.zh, least.zh, binds.zh
        ),
        format!(
            "There is one bottleneck: {} at {code}, which needs longest for all tubes (see the verdict) and is to be mended first. In \
             this table {} does fewer within {h} h ({least_tubes} tubes, {} {binds_tubes}) and is all the same done with all of them \
             sooner: only whole runs count within the target, and shifts and rests, so tubes go up run by run, and who has fewest at one \
             hour need not be last at the end",
            binds.en, least.en, binds.en
        ),
    ))
}

/// The city's own labs, or those of other cities, by stage.
fn labs_table(plan: &Plan, outside: bool, lang: Option<Lang>) -> String {
    let mut head = vec![pick(lang, "实验室", "lab"), pick(lang, "承担", "asked")];
    head.extend(StageKind::ALL.map(|kind| say(lang, &kind.name())));
    head.push(pick(lang, "时限内能力最小", "least within the target"));
    let mut rows = vec![head];
    for lab in plan.labs.iter().filter(|lab| lab.outside == outside) {
        let mut row = vec![
            format!("{} {}", lab.code, place_name(lang, &lab.name)),
            grouped(lab.load.saturating_add(lab.beyond)),
        ];
        row.extend(lab.capacity.stages.iter().map(|s| grouped(s.tubes)));
        row.push(binding(&lab.capacity.stages[lab.capacity.binding.index()], lang));
        rows.push(row);
    }
    table(&rows)
}

/// How the tubes of the binding stage come about: units, runs of each, tubes of a run, and the derate of staffed stages.
fn binding(stage: &StageCapacity, lang: Option<Lang>) -> String {
    let (units, runs, tubes) = (stage.units_working, stage.runs_per_unit, stage.tubes_per_run);
    // Where a shift mans only a part of the units, there are fewer runs than units times runs.
    let made = match units.saturating_mul(runs) == stage.runs {
        true => format!("{units}×{runs}×{tubes}"),
        false => format!("{}×{tubes}", stage.runs),
    };
    let derate = match stage.derate_permille {
        1000 => String::new(),
        permille => format!("×{}%", tenths(permille)),
    };
    format!("{} ({made}{derate})", say(lang, &stage.kind.name()))
}

fn sources(report: &Report, lang: Option<Lang>) -> String {
    let city = &report.city;
    let mut rows = Vec::new();
    for c in city.norm.constants() {
        let status = pick(lang, c.origin.status.word_zh(), c.origin.status.word());
        rows.push(vec![c.key, c.value, say(lang, &c.unit), status, say(lang, &c.origin.source)]);
    }
    for given in city.given() {
        let (status, source) = match &given.origin {
            Some(origin) => (
                pick(lang, origin.status.word_zh(), origin.status.word()),
                say(lang, &origin.source),
            ),
            None => ("–".to_owned(), say(lang, &given.from_words())),
        };
        let value = say(lang, &given.value);
        rows.push(vec![
            format!("city.{}", given.key),
            value,
            say(lang, &given.unit),
            status,
            source,
        ]);
    }
    let mut out = table(&rows);
    let assumed = |status| status == Status::Assumed;
    let have = city.districts.iter().filter(|d| assumed(d.have.origin.status)).count();
    let stock = city.districts.iter().filter(|d| assumed(d.stock.origin.status)).count();
    let labs = city.labs.iter().filter(|l| assumed(l.origin.status)).count();
    let streets = city.districts.iter().flat_map(|d| &d.streets);
    let streets = streets.filter(|s| assumed(s.population.origin.status)).count();
    let own_fleet = |d: &&District| d.fleet.as_ref().is_some_and(|f| assumed(f.origin.status));
    let fleets = city.districts.iter().filter(own_fleet).count();
    let counted = [
        (have, "个区县的点台人员", "people and places of", "district"),
        (stock, "个区县的库存", "stock of", "district"),
        (labs, "个实验室的设备", "instruments of", "lab"),
        (streets, "个街道的人口", "persons of", "street"),
        (fleets, "个区县的车队", "vehicles of", "district"),
    ];
    // What is assumed of none is not told.
    let (zh, en): (Vec<String>, Vec<String>) = counted
        .into_iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, zh, en, one)| {
            (format!("{n} {zh}"), format!("{en} {}", Words::many(n as u64, one)))
        })
        .unzip();
    if !zh.is_empty() {
        let zh = format!("假定值：{}；请以本地数字替换", zh.join("、"));
        let en = format!("assumed, to be replaced by local figures: {}", en.join(", "));
        out += &format!("  {}\n", pick(lang, &zh, &en));
    }
    out
}
