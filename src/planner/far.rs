//! Streets that are farther from their lab than the norm allows: every layer reckons with the real way, and who reads the answer has
//! to know that the limit is not kept.

use super::city::Words;
use super::model::{Ms, Street};
use super::reach::{NAMED_MAX, minutes};
use super::round::Round;

/// A street of the round whose lab is farther than the norm's limit of transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Far {
    /// Number of the street in the round's model.
    pub street: usize,
    /// Number of its lab.
    pub lab: usize,
    /// Median time on the road, ms.
    pub way: Ms,
    /// The norm's limit, ms.
    pub limit: Ms,
}

/// The streets that send to a lab over the norm's limit, in the order of the round.
pub fn far(round: &Round) -> Vec<Far> {
    let with_people = round.model.streets.iter().enumerate().filter(|(_, s)| s.persons > 0);
    let one = |(street, of): (usize, &Street)| {
        let limit = round.travel_limit(street);
        (of.travel > limit).then_some(Far { street, lab: of.lab, way: of.travel, limit })
    };
    with_people.filter_map(one).collect()
}

/// That the limit is not kept, by whom and by how much, in sentences; none where it is. The first streets are named.
pub fn far_words(round: &Round) -> Option<Words> {
    let far = far(round);
    let limit = minutes(u64::from(far.first()?.limit / 1000));
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for one in far.iter().take(NAMED_MAX) {
        let (street, (code, lab)) =
            (&round.streets.get(one.street)?.name, round.labs.get(one.lab)?);
        let way = minutes(u64::from(one.way).div_ceil(1000));
        zh.push(format!("{}送 {code} {}在途 {way} 分钟", street.zh, lab.zh));
        en.push(format!("{} is {way} min from {code} {}", street.en, lab.en));
    }
    if let Some(more) = far.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        zh.push(format!("另有 {more} 处"));
        en.push(format!("{more} more are as well"));
    }
    Some(Words::new(
        format!(
            "转运时限 {limit} 分钟（transport_minutes）不能满足：{}；各层按实际路程计算。",
            zh.join("，")
        ),
        format!(
            "The limit of transport, {limit} min (transport_minutes), is not kept: {}; every layer reckons with the real way.",
            en.join(", ")
        ),
    ))
}
