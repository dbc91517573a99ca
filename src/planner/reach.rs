//! Which labs a street can send to, and the streets that can send to none.
//!
//! A lab is within reach of a street when it serves the street's district and the way there is not over the city's
//! `max_travel_minutes`. What is on the road takes at least the norm's median, however near the lab is.

use super::city::{City, District, Lab, Place, StageKind, Street, Words};
use super::rules::units_working;

/// A street whose tubes no lab can take, as the city stands: with it the answer is no, whatever the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// Code of its district.
    pub district: String,
    /// Its code; the district's own where that has no streets.
    pub street: String,
    /// Its name.
    pub name: Words,
    /// Its tubes of one round.
    pub tubes: u64,
    /// Where it stands in the city file, `file:line`; `None` for a city that was not read from one.
    pub written: Option<String>,
    /// Why no lab can take them.
    pub why: NoReach,
}

/// Why no lab can take the tubes of a street.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReach {
    /// No lab serves its district.
    Unserved,
    /// Every lab that serves its district is farther than the limit.
    TooFar {
        /// The nearest of them.
        nearest: Near,
        /// The city's `max_travel_minutes`, seconds.
        limit_s: u64,
        /// The norm's median time on the road, seconds: no way is shorter.
        least_s: u64,
        /// The nearest lab of the city, of those with a place on the map, that works within the limit and does not
        /// serve the district.
        other: Option<Near>,
    },
    /// A stage of every lab within reach has no unit or nobody.
    Idle {
        /// These labs, the nearest first, each with the first such stage and whether it has units, and so lacks people.
        labs: Vec<(Near, StageKind, bool)>,
        /// The nearest lab that serves the district, works, and is over the limit, with the limit in seconds.
        beyond: Option<(Near, u64)>,
    },
}

/// A lab and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Words,
    /// Time on the road, seconds.
    pub way_s: u64,
}

/// Seconds on the road from a street to a lab: as far as it is on open roads, and never below the norm's median.
pub(super) fn way_s(city: &City, from: Option<&Place>, lab: &Lab) -> u64 {
    let transport = &city.norm.transport;
    transport.way_s(from, lab.place.as_ref()).max(transport.travel_s.value)
}

/// The labs that serve a district, by number.
pub(super) fn serving(city: &City, district: &District) -> Vec<usize> {
    (0..city.labs.len()).filter(|&lab| city.labs[lab].serves.contains(&district.code)).collect()
}

/// Those of the labs that serve its district that are within reach of a street, one of `City::streets_of`.
pub(super) fn labs<'c>(
    city: &'c City,
    serving: &'c [usize],
    street: &'c Street,
) -> impl Iterator<Item = usize> + 'c {
    let near = |max: u64, lab: usize| way_s(city, street.place.as_ref(), &city.labs[lab]) <= max;
    serving.iter().copied().filter(move |&lab| city.max_travel_s.is_none_or(|max| near(max, lab)))
}

/// Seconds on the road that the arithmetic takes off, of these ways: what the norm allows, or the shortest of those within the city's
/// `max_travel_minutes` where all are longer.
pub(super) fn reckoned_s(city: &City, ways: impl Iterator<Item = u64>) -> u64 {
    let limit = city.norm.transport_s.value;
    let mut least = None;
    for way in ways.filter(|way| city.max_travel_s.is_none_or(|max| *way <= max)) {
        if way <= limit {
            return limit;
        }
        least = Some(least.map_or(way, |least: u64| least.min(way)));
    }
    least.unwrap_or(limit)
}

/// The places that send from a district: of its streets, where it names any.
pub(super) fn places(district: &District) -> impl Iterator<Item = Option<&Place>> {
    let own = district.place.as_ref();
    let whole = district.streets.is_empty().then_some(own);
    let streets = district.streets.iter().map(move |street| street.place.as_ref().or(own));
    whole.into_iter().chain(streets)
}

/// The first stage of a lab that has no unit or nobody to run one, and whether there are units.
fn idle_stage(city: &City, lab: &Lab) -> Option<(StageKind, bool)> {
    let idle = lab.stages.iter().find(|stage| units_working(lab, stage, &city.norm) == 0);
    idle.map(|stage| (stage.kind, stage.units > 0))
}

/// The streets of a city that can send to no lab that works, in the order of the file.
pub fn cut_off(city: &City) -> Vec<CutOff> {
    let idle: Vec<Option<(StageKind, bool)>> =
        city.labs.iter().map(|lab| idle_stage(city, lab)).collect();
    let mut all = Vec::new();
    for district in &city.districts {
        let serving = serving(city, district);
        for street in city.streets_of(district) {
            let tubes = street.population.value.div_ceil(city.street_pool(district, &street));
            let taken = labs(city, &serving, &street).any(|lab| idle[lab].is_none());
            if tubes > 0 && !taken {
                all.push(CutOff {
                    why: why(city, &serving, &street, &idle),
                    district: district.code.clone(),
                    written: city.written.as_ref().and_then(|w| w.place(&street.code)),
                    street: street.code,
                    name: street.name,
                    tubes,
                });
            }
        }
    }
    all
}

fn why(
    city: &City,
    serving: &[usize],
    street: &Street,
    idle: &[Option<(StageKind, bool)>],
) -> NoReach {
    let near = |number: usize| {
        let lab = &city.labs[number];
        let way_s = way_s(city, street.place.as_ref(), lab);
        Near { code: lab.code.clone(), name: lab.name.clone(), way_s }
    };
    let nearest = |labs: &mut dyn Iterator<Item = usize>| labs.map(near).min_by_key(|n| n.way_s);
    let Some(closest) = nearest(&mut serving.iter().copied()) else { return NoReach::Unserved };
    let limit_s = city.max_travel_s.unwrap_or(u64::MAX);
    let mut within: Vec<(Near, StageKind, bool)> = labs(city, serving, street)
        .filter_map(|lab| idle[lab].map(|(stage, units)| (near(lab), stage, units)))
        .collect();
    if within.is_empty() {
        // Of a lab without a place nobody knows whether it is near.
        let known = |lab: &Lab| !lab.outside && lab.place.is_some() && street.place.is_some();
        let works = |n: &usize| idle[*n].is_none() && known(&city.labs[*n]);
        let mut others = (0..city.labs.len()).filter(|n| !serving.contains(n)).filter(works);
        let other = nearest(&mut others).filter(|near| near.way_s <= limit_s);
        let least_s = city.norm.transport.travel_s.value;
        return NoReach::TooFar { nearest: closest, limit_s, least_s, other };
    }
    within.sort_by_key(|(near, _, _)| near.way_s);
    let mut works = serving.iter().copied().filter(|n| idle[*n].is_none());
    let beyond = nearest(&mut works).map(|near| (near, limit_s));
    NoReach::Idle { labs: within, beyond }
}

/// Most streets that a sentence names; the others are counted.
pub(super) const NAMED_MAX: usize = 5;

/// Minutes, with one decimal where there is one, rounded up: what is over a limit is also written as more.
pub(super) fn minutes(seconds: u64) -> String {
    let tenths = seconds.div_ceil(6);
    match tenths % 10 {
        0 => format!("{}", tenths / 10),
        part => format!("{}.{part}", tenths / 10),
    }
}

impl Near {
    /// Of the nearest lab that works: that it is over the limit.
    fn too_far(&self, limit_s: u64) -> Words {
        let (way, limit) = (minutes(self.way_s), minutes(limit_s));
        Words::new(
            format!(
                "能运行的最近一家 {} 在途 {way} 分钟，超过 max_travel_minutes 的 {limit} 分钟",
                self.zh()
            ),
            format!(
                "the nearest that works, {}, is {way} min away, over the {limit} min of max_travel_minutes",
                self.en()
            ),
        )
    }

    fn zh(&self) -> String {
        format!("{} {}", self.code, self.name.zh)
    }

    fn en(&self) -> String {
        format!("{} {}", self.code, self.name.en)
    }
}

impl CutOff {
    /// Whether one more lab in the street would take its tubes: not where the limit is below the norm's own time.
    pub fn lab_helps(&self) -> bool {
        match self.why {
            NoReach::Unserved => true,
            NoReach::TooFar { limit_s, least_s, .. } => least_s <= limit_s,
            NoReach::Idle { .. } => false,
        }
    }

    /// Whether nothing else would help than what its labs lack: where that is told, nothing is left to tell.
    pub(super) fn is_up_to_its_labs(&self) -> bool {
        matches!(self.why, NoReach::Idle { beyond: None, .. })
    }

    /// Reason and mend beside what the labs lack, which is told with their own places.
    fn beside_lacks(&self) -> [Words; 2] {
        let NoReach::Idle { beyond: Some((near, limit_s)), .. } = &self.why else {
            return [self.reason(), self.mend()];
        };
        let (too_far, way) = (near.too_far(*limit_s), minutes(near.way_s));
        let reason = Words::new(
            format!("能送到的实验室都不能运行；{}", too_far.zh),
            format!("reaches only labs that cannot work; {}", too_far.en),
        );
        let mend = Words::new(
            format!("指定其他实验室承检，或把 max_travel_minutes 放宽到 {way} 以上"),
            format!(
                "let another lab serve its district, or raise max_travel_minutes to {way} or more"
            ),
        );
        [reason, mend]
    }

    /// The street with where it stands in the city file.
    fn who(&self) -> Words {
        let at = self.written.as_deref();
        let with = |name: &str, open, close| match at {
            Some(at) => format!("{name}{open}{at}{close}"),
            None => name.to_owned(),
        };
        Words::new(with(&self.name.zh, "（", "）"), with(&self.name.en, " (", ")"))
    }

    /// What is the matter, without the street's name: "reaches no lab: …".
    pub fn reason(&self) -> Words {
        match &self.why {
            NoReach::Unserved => Words::new(
                "送不到任何实验室：没有实验室承检该区县",
                "reaches no lab: none serves its district",
            ),
            NoReach::TooFar { nearest, limit_s, .. } => {
                let (way, limit) = (minutes(nearest.way_s), minutes(*limit_s));
                Words::new(
                    format!(
                        "送不到任何实验室：最近的 {} 在途 {way} 分钟，超过 max_travel_minutes 的 {limit} 分钟",
                        nearest.zh()
                    ),
                    format!(
                        "reaches no lab: the nearest, {}, is {way} min away, over the {limit} min of max_travel_minutes",
                        nearest.en()
                    ),
                )
            }
            NoReach::Idle { labs, beyond } => {
                let list = |one: &dyn Fn(&(Near, StageKind, bool)) -> String, with: &str| {
                    labs.iter().map(one).collect::<Vec<_>>().join(with)
                };
                let zh = list(
                    &|(near, stage, units)| {
                        let lacks = if *units { "无人员" } else { "无设备" };
                        format!(
                            "{}（在途 {} 分钟，{}{lacks}）",
                            near.zh(),
                            minutes(near.way_s),
                            stage.name().zh
                        )
                    },
                    "、",
                );
                let en = list(
                    &|(near, stage, units)| {
                        let lacks = if *units { "nobody" } else { "no unit" };
                        let (way, stage) = (minutes(near.way_s), stage.name().en);
                        format!("{} ({way} min away, {lacks} for {stage})", near.en())
                    },
                    ", ",
                );
                let mut words = Words::new(
                    format!("能送到的实验室都不能运行：{zh}"),
                    format!("reaches only labs that cannot work: {en}"),
                );
                if let Some((near, limit_s)) = beyond {
                    let too_far = near.too_far(*limit_s);
                    words.zh += &format!("；{}", too_far.zh);
                    words.en += &format!("; {}", too_far.en);
                }
                words
            }
        }
    }

    /// What to do about it.
    pub fn mend(&self) -> Words {
        match &self.why {
            NoReach::Unserved => {
                Words::new("指定承检机构或调派移动方舱实验室", "name a lab or ask for a mobile one")
            }
            NoReach::TooFar { nearest, limit_s, least_s, other } => {
                let (limit, least) = (minutes(*limit_s), minutes(*least_s));
                if !self.lab_helps() {
                    return Words::new(
                        format!(
                            "把 max_travel_minutes 放宽到 {} 以上（规范包的在途时间即为 {least} 分钟，增加实验室无效）",
                            minutes(nearest.way_s)
                        ),
                        format!(
                            "the norm's own time on the road is {least} min, so no lab helps: raise max_travel_minutes to {} or more",
                            minutes(nearest.way_s)
                        ),
                    );
                }
                let (name_zh, name_en) = match other {
                    Some(near) => {
                        let way = minutes(near.way_s);
                        (
                            format!("指定 {}（在途 {way} 分钟）承检该区县", near.zh()),
                            format!("let {} ({way} min away) serve its district", near.en()),
                        )
                    }
                    None => (
                        format!("指定在途 {limit} 分钟以内的实验室"),
                        format!("name a lab within {limit} min"),
                    ),
                };
                let way = minutes(nearest.way_s);
                Words::new(
                    format!(
                        "{name_zh}，或调派移动方舱实验室，或把 max_travel_minutes 放宽到 {way} 以上"
                    ),
                    format!(
                        "{name_en}, ask for a mobile lab, or raise max_travel_minutes to {way} or more"
                    ),
                )
            }
            NoReach::Idle { beyond, .. } => {
                let mut words = Words::new(
                    "补足这些实验室的设备和人员，或指定其他实验室承检",
                    "give these labs units and people, or let another lab serve its district",
                );
                if let Some((near, _)) = beyond {
                    let way = minutes(near.way_s);
                    words.zh += &format!("，或把 max_travel_minutes 放宽到 {way} 以上");
                    words.en += &format!(", or raise max_travel_minutes to {way} or more");
                }
                words
            }
        }
    }
}

/// What is the matter with these streets, and what to do, beside what their labs lack, in one sentence without its full stop;
/// none of no streets. The first ones are named.
pub fn words(cut_off: &[CutOff]) -> Option<Words> {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for one in cut_off.iter().take(NAMED_MAX) {
        let (who, [reason, mend]) = (one.who(), one.beside_lacks());
        zh.push(format!("{}{}，请{}", who.zh, reason.zh, mend.zh));
        en.push(format!("{} {}: {}", who.en, reason.en, mend.en));
    }
    if let Some(more) = cut_off.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        zh.push(format!("另有 {more} 个街道同样没有可送的实验室"));
        en.push(match more {
            1 => "1 more street has no lab either".to_owned(),
            more => format!("{more} more streets have no lab either"),
        });
    }
    (!cut_off.is_empty()).then(|| Words::new(zh.join("；"), en.join("; ")))
}
