//! The layers after the rules as tables: all three side by side, assignment, simulation. The flows: `flow_text`.

use super::filled::Filled;
use super::layers::Layers;
use super::remedy_text;
use super::words::{
    grouped, in_minutes, lasting_short, never, pick, place_name, range, say, span, table,
    table_hours,
};
use super::{Lang, Report};
use crate::planner::assign::{by_mean_pace, whole_outside};
use crate::planner::model::Ms;
use crate::planner::study::Quantiles;
use crate::planner::{self, City, Plan, Words, chance};

/// The three layers side by side, and the answer in a sentence.
pub(super) fn side_by_side(report: &Report, lang: Option<Lang>) -> String {
    let title = pick(lang, "三层并列", "the layers side by side");
    let mut out = format!("  {title}:\n");
    let layers = match &report.layers {
        Ok(layers) => layers,
        Err(why) => {
            let lacks = planner::shelf_words(&report.plan.shelf());
            let lacks = lacks.map(|lacks| answer(&lacks, lang)).unwrap_or_default();
            return out_of_reach(why, lang) + &lacks;
        }
    };
    out += &layer_table(&report.city, &report.plan, layers, lang);
    out += &apart(report, layers, lang);
    out.push('\n');
    out += &answer(&remedy_text::sentence(report, layers), lang);
    out
}

/// The same once every shortage is filled: the arithmetic then says yes, the other layers need not.
pub(super) fn filled(filled: &Filled, lang: Option<Lang>) -> String {
    let title = pick(
        lang,
        "补齐全部缺口后，三层并列",
        "with every shortage filled, the layers side by side",
    );
    let mut out = format!("\n  {title}:\n");
    let layers = match &filled.layers {
        Ok(layers) => layers,
        Err(why) => return out + &out_of_reach(why, lang),
    };
    out += &layer_table(&filled.city, &filled.plan, layers, lang);
    out.push('\n');
    out += &answer(&remedy_text::filled_sentence(filled, layers), lang);
    out
}

fn out_of_reach(why: &Words, lang: Option<Lang>) -> String {
    let (zh, en) =
        ("流体层和模拟层无法推算，因此不能完成", "no flows and no simulation, so the answer is no");
    let mut out = format!("  {}:\n", pick(lang, zh, en));
    for (zh, en) in why.zh.lines().zip(why.en.lines()) {
        let reason = Words::new(zh, en);
        answer(&reason, lang).lines().for_each(|line| out += &format!("  {line}\n"));
    }
    out
}

/// A sentence; in both languages each on a line of its own.
pub(super) fn answer(answer: &Words, lang: Option<Lang>) -> String {
    match lang {
        Some(_) => format!("  {}\n", say(lang, answer)),
        None => format!("  {}\n  {}\n", answer.zh, answer.en),
    }
}

fn layer_table(city: &City, plan: &Plan, layers: &Layers, lang: Option<Lang>) -> String {
    let verdict = &plan.verdict;
    let yes_no = |yes| if yes { pick(lang, "能", "yes") } else { pick(lang, "不能", "no") };
    let rules = match verdict.minutes {
        Some(minutes) => say(lang, &super::words::hours(minutes)),
        None => say(lang, &super::words::not_within()),
    };
    let head = [("层", "layer"), ("需时", "needs"), ("按时", "in time"), ("瓶颈", "binding")];
    let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
    let at = verdict.binding.tightest.as_ref().map(|(_, name)| place_name(lang, name));
    rows.push(vec![
        pick(lang, "测算（指南算术）", "rules (the guide's arithmetic)"),
        rules,
        yes_no(verdict.yes),
        format!("{} {}", say(lang, &verdict.binding.stage.name()), at.unwrap_or_default()),
    ]);
    let model = &layers.round.model;
    rows.push(vec![
        pick(lang, "流体", "flows"),
        say(lang, &span(layers.flow.finish)),
        yes_no(layers.flow.finish <= model.target),
        say(lang, &layers.binds(city)),
    ]);
    if let Some(study) = &layers.study {
        let q = &study.finish;
        let name = match study.spreads() {
            true => ("模拟（中位数）", "simulation (median)"),
            false => ("模拟（一次）", "simulation (once)"),
        };
        rows.push(vec![
            pick(lang, name.0, name.1),
            say(lang, &span(q.p50)),
            yes_no(q.p50 <= model.target),
            say(lang, &range(study)),
        ]);
    }
    table(&rows)
}

/// Why each layer is later or earlier than the one before.
fn apart(report: &Report, layers: &Layers, lang: Option<Lang>) -> String {
    let steps = layers.steps(&report.city, &report.plan).map(|steps| steps.words());
    let simulated = match &layers.apart {
        Some(apart) => Some(apart.words()),
        None => layers.not_apart(),
    };
    steps.iter().chain(&simulated).map(|words| answer(words, lang)).collect()
}

/// A probability in percent.
pub(super) fn percent(p: f64) -> String {
    let percent = p * 100.0;
    if percent > 0.0 && percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// Code and name of a lab of the round, as tables show them.
pub(super) fn lab_name(layers: &Layers, lab: usize, lang: Option<Lang>) -> String {
    layers
        .round
        .labs
        .get(lab)
        .map_or_else(String::new, |(code, name)| format!("{code} {}", place_name(lang, name)))
}

/// The sentence of the cut, the load and finish of each lab, what goes outside.
pub(super) fn assignment(city: &City, layers: &Layers, lang: Option<Lang>) -> String {
    let (of, problem) = (&layers.round.assignment, &layers.round.problem);
    let mut out = format!("  {}\n", say(lang, &of.words));
    let h = |hours: f64| format!("{hours:.1}");
    let gap = 100.0 * of.whole.gap.max(0.0);
    let (bound, least, finish) = (h(of.whole.bound_h), h(of.whole.least_h), h(of.whole.finish_h));
    out += &format!(
        "  {}\n",
        pick(
            lang,
            &format!(
                "下限 {bound} h；一一对应至少 {least} h，本方案 {finish} h，比下限多 {gap:.2}%"
            ),
            &format!(
                "bound {bound} h; one-to-one at least {least} h, this one {finish} h, {gap:.2} % above the bound"
            ),
        )
    );
    let flows = span(layers.flow.finish);
    out += &format!("  {}\n", say(lang, &by_mean_pace()));
    out += &format!(
        "  {}\n",
        pick(
            lang,
            &format!("流体层的完成时间：{}", flows.zh),
            &format!("done by the flows: {}", flows.en)
        )
    );
    // What one more saves of what is never done is not known.
    let last = planner::at_the_last(city, &layers.flow, &layers.one_more);
    if let Some(last) = last.filter(|_| !never(layers.flow.finish)) {
        out += &format!("  {}\n", say(lang, &last.words(city)));
        let field = layers.field_more[last.one.lab].as_ref();
        if let Some(words) = field.and_then(|all| planner::field_words(&layers.round, all)) {
            out += &format!("  {}\n", say(lang, &words));
        }
    }
    let follows = match layers.one_to_one {
        true => ("推算按一一对应方案", "the round is reckoned one-to-one"),
        false => (
            "推算按可分拆方案（一街道可送多家）",
            "the round is reckoned with streets divided among labs",
        ),
    };
    out += &format!("  {}\n", pick(lang, follows.0, follows.1));
    let head = [
        ("实验室", "lab"),
        ("管/h", "tubes/h"),
        ("街道", "streets"),
        ("管数", "tubes"),
        ("完成，按平均速率(h)", "done at mean pace (h)"),
        ("+1 全市", "+1 city"),
        ("+1 本室", "+1 lab"),
        ("+1 为", "+1 is"),
    ];
    let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
    for (i, load) in layers.loads().iter().enumerate() {
        let more = layers.best_more(i);
        let gained = |saved: Option<i64>, before: Ms| {
            let saved = saved.filter(|_| !never(before));
            saved.map_or("–".to_owned(), lasting_short)
        };
        let (city_at, lab_at) = (layers.flow.finish, layers.flow.labs[i].finish);
        rows.push(vec![
            lab_name(layers, i, lang),
            grouped(problem.labs.get(i).map_or(0.0, |lab| lab.rate).round() as u64),
            grouped(load.streets as u64),
            grouped(load.tubes),
            h(load.finish_h),
            gained(more.map(|more| more.saves.city), city_at),
            gained(more.map(|more| more.saves.lab), lab_at),
            more.filter(|_| !never(lab_at)).map_or("–".to_owned(), |more| {
                match in_minutes(more.saves.city.max(more.saves.lab)) <= 0.0 {
                    true => pick(lang, "增加任何一台都不提前", "no unit makes it earlier"),
                    false => say(lang, &more.label()),
                }
            }),
        ]);
    }
    out += &table(&rows);
    out += &format!(
        "  {}\n",
        pick(
            lang,
            "+1：在该实验室增加一台（或使其开动所缺的人员），取最见效的环节；按流体层、各街道送样不变，全市和该实验室提前的时间；– 为无样本，或 40 天内不能完成",
            "+1: one more unit at the lab, or the people that one lacks there, where it saves most; by how much the whole city, and \
             this lab, is then done earlier by the flows, every street at its lab; – where it has no tubes, or is not done within 40 days",
        )
    );
    out += &match of.overflow.tubes {
        0 => format!("  {}\n", pick(lang, "无须外送", "nothing need go to other cities")),
        least => {
            let n = least;
            let (n, of) = (grouped(n), Words::tube_or_tubes(n));
            let (zh, en) = (
                format!("至少须外送 {n} 管。"),
                format!("At least {n} {of} must go to other cities."),
            );
            let why = match layers.one_to_one {
                true => whole_outside(problem, &layers.round.assignment.whole, least),
                false => None,
            };
            let why = why.unwrap_or_default();
            let words = Words::new(zh + &why.zh, format!("{en} {}", why.en).trim_end());
            format!("  {}\n", say(lang, &words))
        }
    };
    out
}

/// Quantiles of the round, and by lab.
pub(super) fn simulation(report: &Report, layers: &Layers, lang: Option<Lang>) -> String {
    let Some(study) = &layers.study else {
        return format!(
            "  {}\n",
            pick(lang, "未模拟（--replications 0）", "not simulated (--replications 0)")
        );
    };
    let (n, seed) = (study.replications, report.dice.seed);
    let recalled = study.recalled;
    let words = match study.probability().map(percent) {
        Some(share) => Words::new(
            format!("模拟 {n} 次，种子 {seed}；按时概率 {share}；平均召回 {recalled:.0} 人单采"),
            format!(
                "{n} replications, seed {seed}; in time with {share}; {recalled:.0} people called back on average"
            ),
        ),
        None => {
            let Words { zh, en } = chance::once();
            Words::new(
                format!("{zh}，种子 {seed}；召回 {recalled:.0} 人单采"),
                format!("{en}, seed {seed}; {recalled:.0} people called back"),
            )
        }
    };
    let mut out = format!("  {}\n", say(lang, &words));
    // One replication has its time, and no quantiles.
    let told = |q: &Quantiles, of: &[Ms]| match study.spreads() {
        true => of.iter().copied().map(table_hours).collect(),
        false => vec![table_hours(q.p50)],
    };
    let heads = |of: &[&str]| match study.spreads() {
        true => of.iter().map(|name| (*name).to_owned()).collect(),
        false => vec![pick(lang, "一次", "once")],
    };
    let mut head = vec![match study.spreads() {
        true => pick(lang, "分位（h）", "quantiles (h)"),
        false => pick(lang, "用时（h）", "time (h)"),
    }];
    head.extend(heads(&["5%", "10%", "25%", "50%", "75%", "90%", "95%"]));
    let mut rows = vec![head];
    for (zh, en, q) in [
        ("最后采样", "last swab", &study.sampled),
        ("最后送达", "last at a lab", &study.delivered),
        ("首检完成", "first results", &study.finish),
        ("召回办结", "recalls closed", &study.closed),
    ] {
        let mut row = vec![pick(lang, zh, en)];
        row.extend(told(q, &seven(q)));
        rows.push(row);
    }
    out += &table(&rows);
    let mut head = vec![pick(lang, "实验室", "lab")];
    head.extend(heads(&["10%", "50%", "90%"]));
    head.push(pick(lang, "最忙环节", "busiest stage"));
    let mut rows = vec![head];
    let labs = study.labs.iter().zip(&study.bottlenecks).enumerate();
    for (i, (q, busiest)) in labs.filter(|(_, (q, _))| q.p95 > 0) {
        let mut row = vec![lab_name(layers, i, lang)];
        row.extend(told(q, &[q.p10, q.p50, q.p90]));
        row.push(say(lang, &busiest.name()));
        rows.push(row);
    }
    out += "\n";
    out += &table(&rows);
    out
}

/// The seven quantiles, rising.
pub(super) fn seven(q: &Quantiles) -> [Ms; 7] {
    [q.p05, q.p10, q.p25, q.p50, q.p75, q.p90, q.p95]
}
