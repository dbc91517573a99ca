//! What the advised pool sizes do to the finish: by the flows, and simulated with the same seeds as the sizes in use; with the
//! recalls of the prevalence that the advice is for.

use serde_json::{Value, json};

use super::Lang;
use super::json::words;
use super::json_layers::{paired, quantiles, time};
use super::layers::{Dice, simulated};
use super::layers_text::percent;
use super::progress::Progress;
use super::whatif::gained_in_pairs;
use super::words::{pick, say, simulated_by, span};
use crate::planner::fluid;
use crate::planner::model::Ms;
use crate::planner::round::Round;
use crate::planner::study::{Paired, Study};
use crate::planner::what_if::{Alter, Altered};
use crate::planner::{City, Words, chance};

/// When the round is done: the last first result, recalls closed, and the simulation of it.
struct Done {
    finish: Ms,
    closed: Ms,
    /// None with 0 replications.
    study: Option<Study>,
}

/// When the round is done with the pool sizes of the plan, and with the advised ones; or why that is not reckoned.
pub(super) struct Ends {
    now: Result<Done, Words>,
    advised: Result<Done, Words>,
    /// The prevalence that was asked about; the norm pack's belief where none was.
    prevalence: Option<f64>,
    dice: Dice,
}

/// Which sizes, in both languages, and when the round is done with them.
type Named<'e> = ((&'static str, &'static str), &'e Result<Done, Words>);

/// What the finish with the advised sizes leaves open.
fn note(prevalence: Option<f64>) -> Words {
    let (of_zh, of_en) = match prevalence {
        None => ("规范包的阳性率".to_owned(), "the norm pack's prevalence".to_owned()),
        Some(p) => (
            format!("所问的阳性率 {p}（视为已知）"),
            format!("the prevalence asked about, {p}, taken as known, for both"),
        ),
    };
    Words::new(
        format!("召回按{of_zh}推算，街道重新分派；采用前请改写城市文件的每管人数后重新测算"),
        format!(
            "Recalls are those of {of_en}, and streets are assigned anew. Before it is put to use, write the sizes into the city \
             file and run the plan again"
        ),
    )
}

/// The city with the prevalence that was asked about.
fn asked(city: &City, prevalence: Option<f64>) -> Result<City, Words> {
    let changes: Vec<Alter> =
        prevalence.into_iter().map(|share| Alter::Prevalence { share }).collect();
    Ok(Altered::of(city, &changes)?.city)
}

impl Done {
    fn of(
        city: &City,
        prevalence: Option<f64>,
        dice: Dice,
        progress: &Progress,
    ) -> Result<Done, Words> {
        let city = asked(city, prevalence)?;
        progress.step("分派街道到实验室", "assigning streets to labs");
        let mut round = Round::of(&city).map_err(|error| error.words())?;
        if prevalence.is_some() {
            // Taken as known, so it is drawn from no belief.
            round.doubt.prevalence = (0.0, 0.0);
        }
        let flow = fluid::city(&round.model);
        let study = simulated(&round, &round.model, dice, progress);
        Ok(Done { finish: flow.finish, closed: flow.closed, study })
    }

    /// "last first result in 31 h 08 min, recalls closed in 35 h".
    fn by_the_flows(&self) -> Words {
        let (finish, closed) = (span(self.finish), span(self.closed));
        Words::new(
            format!("首检全部出结果需 {}，召回复采办结需 {}", finish.zh, closed.zh),
            format!("last first result in {}, recalls closed in {}", finish.en, closed.en),
        )
    }

    /// "last first result in 31 h 08 min (P10–P90: 30 h – 33 h), in time with 12 %".
    fn simulated(&self) -> Option<Words> {
        let study = self.study.as_ref()?;
        let [low, middle, high] = [study.finish.p10, study.finish.p50, study.finish.p90].map(span);
        let Some(share) = study.probability().map(percent) else {
            let Words { zh, en } = chance::once();
            return Some(Words::new(
                format!("首检全部出结果需 {}（{zh}）", middle.zh),
                format!("last first result in {} ({en})", middle.en),
            ));
        };
        Some(Words::new(
            format!(
                "首检全部出结果需 {}（P10–P90：{}–{}），按时概率 {share}",
                middle.zh, low.zh, high.zh
            ),
            format!(
                "last first result in {} (P10–P90: {} – {}), in time with {share}",
                middle.en, low.en, high.en
            ),
        ))
    }
}

fn not_reckoned(why: &Words) -> Words {
    Words::new(
        format!("未推算（{}）", why.zh.replace('\n', "；")),
        format!("not reckoned ({})", why.en.replace('\n', "; ")),
    )
}

impl Ends {
    /// Of the city with the sizes in use and with the advised ones, and the prevalence that was asked about.
    pub fn of(
        cities: [&City; 2],
        prevalence: Option<f64>,
        dice: Dice,
        progress: &Progress,
    ) -> Ends {
        let [now, advised] = cities.map(|city| Done::of(city, prevalence, dice, progress));
        Ends { now, advised, prevalence, dice }
    }

    /// By how much earlier the advised sizes are, in pairs with the same chance.
    fn paired(&self) -> Option<Paired> {
        let [now, advised] =
            [&self.now, &self.advised].map(|done| done.as_ref().ok()?.study.as_ref());
        let times = |(a, b): (&Ms, &Ms)| (f64::from(*a), f64::from(*b));
        let both: Vec<(f64, f64)> =
            now?.finishes.iter().zip(&advised?.finishes).map(times).collect();
        Some(Paired::of(&both))
    }

    fn both(&self) -> [Named<'_>; 2] {
        [(("现用规格", "sizes now"), &self.now), (("建议规格", "advised sizes"), &self.advised)]
    }

    pub fn text(&self, lang: Option<Lang>) -> String {
        let line =
            |title: &Words, said: &Words| format!("  {}: {}\n", say(lang, title), say(lang, said));
        let title = |(zh, en): (&str, &str), (by_zh, by_en): (&str, &str)| {
            Words::new(format!("{zh}（{by_zh}）"), format!("{en} ({by_en})"))
        };
        let mut out = format!(
            "\n{}\n",
            pick(
                lang,
                "对完成时间的影响（设备人员不变）",
                "What it does to the finish (with what is there)"
            )
        );
        for (name, done) in self.both() {
            let said = done.as_ref().map_or_else(not_reckoned, Done::by_the_flows);
            out += &line(&title(name, ("流体", "by the flows")), &said);
        }
        for (name, done) in self.both() {
            let Ok(done) = done else { continue };
            if let (Some(study), Some(said)) = (&done.study, done.simulated()) {
                out += &line(&title(name, simulated_by(study)), &said);
            }
        }
        if let Some(p) = self.paired() {
            let with = Words::new(
                "采用建议规格（模拟，同一随机数成对比较）",
                "with the advised sizes (simulated in pairs with the same chance)",
            );
            out += &line(&with, &gained_in_pairs(&p));
        }
        out + &format!("  {}\n", say(lang, &note(self.prevalence)))
    }

    /// What the flows say, as a document.
    pub fn by_the_flows(&self) -> Value {
        let document = |done: &Result<Done, Words>| match done {
            Ok(done) => json!({ "finish": time(done.finish), "closed": time(done.closed) }),
            Err(why) => json!({ "why_not": words(why) }),
        };
        json!({
            "now": document(&self.now),
            "advised": document(&self.advised),
            "note": words(&note(self.prevalence)),
        })
    }

    /// What the simulation says; null where one of both gives no round.
    pub fn simulated(&self) -> Option<Value> {
        let document = |done: &Result<Done, Words>| {
            let study = done.as_ref().ok()?.study.as_ref()?;
            Some(json!({
                "finish_hours": quantiles(&study.finish),
                "in_time_probability": study.probability(),
            }))
        };
        let (now, advised) = (document(&self.now), document(&self.advised));
        (now.is_some() || advised.is_some()).then(|| {
            json!({
                "replications": self.dice.replications,
                "seed": self.dice.seed,
                "now": now,
                "advised": advised,
                "paired": self.paired().as_ref().map(paired),
            })
        })
    }
}
