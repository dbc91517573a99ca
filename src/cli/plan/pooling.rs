//! `swabline plan pooling`: how many swabs to put into one tube, zone by zone, against the recalls that follow.
//!
//! Zones are those that the city file names for its districts and streets; what names none is "elsewhere". Exit code: 0
//! answered, 64 a file or argument is wrong.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::json::{origin, words};
use super::layers::Dice;
use super::pooling_ends::Ends;
use super::progress::Progress;
use super::words::{grouped, pick, say, table};
use super::{Error, Lang, REPLICATIONS, city_file, json as report_json, number};
use crate::planner::pooling::{
    Advice, Belief, Error as Refused, Model, PRICE_MAX, Price, Prior, Zone, ZoneKind, advise,
};
use crate::planner::{City, Origin, Words};

/// How many swabs to put into one tube? Exit code 0: answered, 64: wrong. 混采规格建议
#[derive(Clone, Debug, clap::Args)]
pub struct PoolingArgs {
    /// City file (CITY.toml), or a built-in city. 城市文件或内置城市
    pub city: PathBuf,
    /// Share of infected people, taken as known, such as 0.002 [default: the norm pack's belief]. 已知阳性率，默认取规范包
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    #[arg(value_parser = number::decimal(0.0..=1.0, "0.002"))]
    pub prevalence: Option<f64>,
    /// What a recall costs, in tubes: the visit of a team and its trip. 一次复采的代价（折合管数）
    #[arg(long, value_name = "TUBES", default_value_t = 1.0, allow_negative_numbers = true)]
    #[arg(value_parser = number::decimal(0.0..=PRICE_MAX, "2.5"))]
    pub recall_price: f64,
    /// What a person called back costs, in tubes: 1 is the single tube alone. 每名复采者的代价（折合管数）
    #[arg(long, value_name = "TUBES", default_value_t = 1.0, allow_negative_numbers = true)]
    #[arg(value_parser = number::decimal(0.0..=PRICE_MAX, "2.5"))]
    pub single_price: f64,
    /// Level of the quantile of the extra load, more than 0 and less than 1. 额外工作量的分位，大于 0 且小于 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = level)]
    #[arg(allow_negative_numbers = true)]
    pub level: f64,
    /// Norm pack to use instead of the city's own: a file, or a built-in name. 改用的规范包：文件或内置名称
    #[arg(long, value_name = "FILE")]
    pub norm: Option<PathBuf>,
    /// Print one JSON document instead of tables. 输出 JSON
    #[arg(long)]
    pub json: bool,
    /// Language of the tables; both unless given. 语言，默认中英双语
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
}

/// A level of a quantile.
fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("应大于 0 且小于 1，如 0.9 / expected more than 0 and less than 1, such as 0.9"
            .to_owned()),
    }
}

/// A zone of the city with the advice for it.
struct Advised {
    key: String,
    name: Words,
    persons: u64,
    /// Swabs per tube that the city file and norm pack say now.
    now: Vec<u64>,
    advice: Advice,
}

/// What is printed and the exit code.
pub(super) fn answer(args: &PoolingArgs) -> Result<(String, u8), Error> {
    let norm = args.norm.as_deref().map(city_file::open_norm).transpose()?;
    let city = city_file::open(&args.city, norm)?;
    let zones = advised(args, &city)?;
    let progress = Progress::on_stderr(args.lang);
    let ends = Ends::of([&city, &with_pools(&city, &zones)], args.prevalence, DICE, &progress);
    progress.end();
    let output = match args.json {
        true => report_json::document(&document(args, &city, &zones, &ends)),
        false => text(args, &city, &zones, &ends),
    };
    Ok((output, 0))
}

/// The city with the advised pool sizes.
fn with_pools(city: &City, zones: &[Advised]) -> City {
    let mut changed = city.clone();
    let advised = |zone: Option<&str>| {
        let of = zones.iter().find(|advised| advised.key == zone.unwrap_or(NO_ZONE));
        of.map(|advised| u64::from(advised.advice.choice().pool))
    };
    for district in &mut changed.districts {
        let of_district = district.zone.clone();
        district.pool = advised(of_district.as_deref()).or(district.pool);
        for street in &mut district.streets {
            street.pool =
                advised(street.zone.as_deref().or(of_district.as_deref())).or(street.pool);
        }
    }
    changed
}

/// What `swabline plan` simulates with unless told otherwise: so the plan as it is has the same finish here and there.
const DICE: Dice = Dice { replications: REPLICATIONS, seed: 1 };

/// The key of what lies in no zone.
const NO_ZONE: &str = "none";

/// Correlation within a tube, at most what the model takes.
fn rho(city: &City) -> f64 {
    (city.norm.prevalence.rho_permille.value as f64 / 1000.0).min(0.999)
}

fn milli(value: u64) -> f64 {
    value as f64 / 1000.0
}

/// Where a number comes from, as `[assumed] …`.
fn told_origin(of: &Origin, lang: Option<Lang>) -> String {
    let status = pick(lang, of.status.word_zh(), of.status.word());
    format!("[{status}] {}", say(lang, &of.source))
}

/// The share of infected people and how they cluster, each with where it comes from.
fn beliefs(args: &PoolingArgs, city: &City) -> String {
    let (lang, belief) = (args.lang, &city.norm.prevalence);
    let mut out = String::new();
    let mut line = |name: String, value: String, from: String| {
        out += &format!("{name}: {value}  {from}\n");
    };
    let prevalence = pick(lang, "阳性率", "prevalence");
    match args.prevalence {
        Some(p) => {
            let from = pick(lang, "[参数 --prevalence]", "[from --prevalence]");
            line(prevalence, p.to_string(), from);
        }
        None => {
            let (alpha, beta) = (milli(belief.alpha_milli.value), milli(belief.beta_milli.value));
            let zh = format!("平均 {}，贝塔分布 α = {alpha}，β = {beta}", alpha / (alpha + beta));
            let en = format!(
                "mean {}, beta distribution α = {alpha}, β = {beta}",
                alpha / (alpha + beta)
            );
            let [a, b] = [&belief.alpha_milli.origin, &belief.beta_milli.origin];
            let mut from = told_origin(a, lang);
            if a != b {
                from = format!("α: {from}; β: {}", told_origin(b, lang));
            }
            line(prevalence, pick(lang, &zh, &en), from);
        }
    }
    let name = pick(lang, "管内相关 ρ", "correlation within a tube, ρ");
    line(name, rho(city).to_string(), told_origin(&belief.rho_permille.origin, lang));
    out
}

/// The zones that have people, in the order of the norm pack, what names none last.
fn advised(args: &PoolingArgs, city: &City) -> Result<Vec<Advised>, Error> {
    let prior = &city.norm.prevalence;
    let prior = match args.prevalence {
        Some(p) => Prior::Fixed(p),
        None => Prior::Beta {
            alpha: milli(prior.alpha_milli.value),
            beta: milli(prior.beta_milli.value),
        },
    };
    let refused = |error: Refused| Error::Argument(error.words());
    let belief = Belief::new(prior).map_err(refused)?;
    let model = Model::new(1.0, 1.0, rho(city)).map_err(refused)?;
    let mut keys: Vec<(Option<String>, Words)> =
        city.norm.zones.iter().map(|z| (Some(z.key.clone()), z.title.clone())).collect();
    keys.push((None, Words::new("未划分区的地区", "where no zone is named")));
    let mut all = Vec::new();
    for (key, name) in keys {
        let (persons, now) = people(city, key.as_deref());
        if persons == 0 {
            continue;
        }
        let zone = Zone {
            name: name.clone(),
            persons,
            sizes: sizes(key.as_deref()),
            belief: belief.clone(),
            model,
            price: Price { recall_tubes: args.recall_price, single_tubes: args.single_price },
            level: args.level,
        };
        let advice = advise(&zone).map_err(refused)?;
        let key = key.unwrap_or_else(|| NO_ZONE.to_owned());
        all.push(Advised { key, name, persons, now, advice });
    }
    Ok(all)
}

/// Sizes that a zone allows: single tubes at places of isolation and in sealed zones.
fn sizes(key: Option<&str>) -> Vec<u32> {
    let kind = match key {
        Some("isolation" | "sealed") => ZoneKind::Sealed,
        Some("controlled") => ZoneKind::Controlled,
        _ => ZoneKind::Prevention,
    };
    kind.sizes().value.to_vec()
}

/// People of a zone who come, and the sizes in use there.
fn people(city: &City, key: Option<&str>) -> (u64, Vec<u64>) {
    let (mut persons, mut now) = (0u64, Vec::new());
    for district in &city.districts {
        for street in city.streets_of(district) {
            if street.zone.as_deref().or(district.zone.as_deref()) != key {
                continue;
            }
            let coverage = city.norm.field.coverage_permille.value;
            persons =
                persons.saturating_add(street.population.value.saturating_mul(coverage) / 1000);
            now.push(city.street_pool(district, &street));
        }
    }
    now.sort_unstable();
    now.dedup();
    (persons, now)
}

fn percent(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v < 0.1 => format!("{v:.4}"),
        v => format!("{v:.2}"),
    }
}

/// The column of the extra load's quantile.
const HIGH: usize = 5;

fn text(args: &PoolingArgs, city: &City, zones: &[Advised], ends: &Ends) -> String {
    let lang = args.lang;
    let mut out = format!(
        "{}  {}\n",
        say(lang, &city.name),
        pick(lang, "混采规格建议", "how many swabs to put into one tube")
    );
    let (recall, single) = (args.recall_price, args.single_price);
    let tubes = if recall == 1.0 { "tube" } else { "tubes" };
    out += &pick(
        lang,
        &format!("召回一次按 {recall} 管计、召回一人按 {single} 管计（假定，可用参数修改）"),
        &format!(
            "a recall counts as {recall} {tubes}, a person called back as {single} (assumed; see --help)"
        ),
    );
    out.push('\n');
    out += &beliefs(args, city);
    for zone in zones {
        let now: Vec<String> = zone.now.iter().map(u64::to_string).collect();
        out += &format!(
            "\n{}: {} {}; {} {}\n",
            say(lang, &zone.name),
            grouped(zone.persons),
            pick(lang, "人", "persons"),
            pick(lang, "现用每管人数", "persons per tube now"),
            now.join(", ")
        );
        let head = [
            ("每管人数", "per tube"),
            ("采样管", "tubes"),
            ("预计召回管", "recalls"),
            ("召回人数", "called back"),
            ("增加(%)", "extra (%)"),
            ("高位增加(%)", "extra, high (%)"),
            ("折合管数", "cost in tubes"),
            ("建议", "advice"),
        ];
        // Of a prevalence that is taken as known, every quantile is the same.
        let spread = args.prevalence.is_none();
        let told = |column: &usize| spread || *column != HIGH;
        let mut rows = vec![head.map(|(zh, en)| pick(lang, zh, en)).to_vec()];
        for (i, choice) in zone.advice.choices.iter().enumerate() {
            let load = &choice.load;
            rows.push(vec![
                choice.pool.to_string(),
                grouped(load.tubes),
                format!("{:.1}", load.recalls),
                format!("{:.1}", load.recalled),
                percent(load.extra_percent()),
                percent(choice.extra_percent_quantile),
                grouped(choice.cost_tubes.round() as u64),
                if i == zone.advice.advised { "←".to_owned() } else { String::new() },
            ]);
        }
        let kept =
            |row: &Vec<String>| (0..row.len()).filter(told).map(|i| row[i].clone()).collect();
        out += &table(&rows.iter().map(kept).collect::<Vec<Vec<String>>>());
        for sentence in &zone.advice.sentences {
            out += &format!("  {}\n", say(lang, sentence));
        }
    }
    out + &ends.text(lang)
}

fn document(args: &PoolingArgs, city: &City, zones: &[Advised], ends: &Ends) -> Value {
    let belief = &city.norm.prevalence;
    let zone = |zone: &Advised| {
        let choices = zone.advice.choices.iter().map(|choice| {
            json!({
                "persons_per_tube": choice.pool,
                "tubes": choice.load.tubes,
                "unclean": choice.load.unclean,
                "recalls": choice.load.recalls,
                "recalled_persons": choice.load.recalled,
                "extra_percent": choice.load.extra_percent(),
                "extra_percent_quantile": choice.extra_percent_quantile,
                "cost_tubes": choice.cost_tubes,
            })
        });
        json!({
            "zone": zone.key,
            "name": words(&zone.name),
            "persons": zone.persons,
            "persons_per_tube_now": zone.now,
            "choices": choices.collect::<Vec<_>>(),
            "advised": zone.advice.choice().pool,
            "prevalence": zone.advice.prevalence,
            "flip": zone.advice.flip.as_ref().map(|flip| json!({
                "prevalence": flip.prevalence,
                "unclean_share": flip.unclean_share,
                "to": flip.to,
            })),
            "sentences": zone.advice.sentences.iter().map(words).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": 1,
        "city": { "code": city.code, "name": words(&city.name) },
        "price": { "recall_tubes": args.recall_price, "single_tubes": args.single_price },
        "level": args.level,
        "belief": {
            "prevalence": args.prevalence,
            "alpha": args.prevalence.is_none().then_some(milli(belief.alpha_milli.value)),
            "beta": args.prevalence.is_none().then_some(milli(belief.beta_milli.value)),
            "alpha_origin": args.prevalence.is_none().then(|| origin(&belief.alpha_milli.origin)),
            "beta_origin": args.prevalence.is_none().then(|| origin(&belief.beta_milli.origin)),
            "rho": rho(city),
            "rho_origin": origin(&belief.rho_permille.origin),
        },
        "by_the_flows": ends.by_the_flows(),
        "simulated": ends.simulated(),
        "zones": zones.iter().map(zone).collect::<Vec<_>>(),
    })
}
