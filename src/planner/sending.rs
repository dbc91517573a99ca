//! Where a street of a round could send to: the way to any lab, and a street that sends to another one; and what is short
//! at a lab to which none sends.

use super::city::{City, District, Words, grouped};
use super::model::{HORIZON_MS, MINUTE, Ms};
use super::round::Round;
use super::rules::{Item, Plan, Shortage};

/// The district of a street of the round's model.
pub fn district<'c>(city: &'c City, round: &Round, street: usize) -> Option<&'c District> {
    let code = &round.streets.get(street)?.district;
    city.districts.iter().find(|d| d.code == *code)
}

/// Time on the road from a street of the round's model to a lab of the city, ms: by its own place or its district's, the
/// norm's median where no place is known, and never below it, as in the round itself.
pub fn way(city: &City, round: &Round, street: usize, lab: usize) -> Ms {
    let transport = &city.norm.transport;
    let place = district(city, round, street).and_then(|district| {
        let own = round.streets.get(street)?;
        let street = district.streets.iter().find(|s| s.code == own.code);
        street.and_then(|s| s.place).or(district.place)
    });
    let there = city.labs.get(lab).and_then(|lab| lab.place.as_ref());
    let seconds = transport.way_s(place.as_ref(), there);
    let ms = seconds.max(transport.travel_s.value).saturating_mul(1000);
    ms.clamp(MINUTE.into(), HORIZON_MS.into()) as Ms
}

/// Lets a street, by its number in the round's problem, send all its tubes to one lab.
pub fn send(city: &City, round: &mut Round, street: usize, lab: usize) {
    for i in 0..round.model.streets.len() {
        if round.source.get(i) == Some(&street) {
            let travel = way(city, round, i, lab);
            let limit = round.travel_limit(i);
            round.model.streets[i].send_to(lab, travel, limit);
            let whole = round.whole.get_mut(street);
            for part in whole.into_iter().flat_map(|whole| &mut whole.parts) {
                (part.lab, part.travel) = (lab, travel);
            }
        }
    }
}

/// Said of a line of the list of shortages at a lab to which no street sends in the round. The line stands, because the
/// list is the arithmetic's, which gives such a lab what the others cannot do in time; whoever asks for units there has to
/// know with how many tubes it reckons, and that they help only once streets send there.
pub fn none_sent(round: &Round, plan: &Plan, line: &Shortage) -> Option<Words> {
    if !matches!(line.item, Item::LabUnit(_) | Item::LabStaff(_)) {
        return None;
    }
    let lab = round.labs.iter().position(|(code, _)| *code == line.place)?;
    let sends = round.model.streets.iter().any(|street| street.lab == lab && street.persons > 0);
    let asked = plan.labs.iter().find(|lab| lab.code == line.place);
    let (tubes, beyond) = asked.map_or((0, 0), |lab| (lab.asked(), lab.beyond));
    let (zh, en) = match beyond {
        0 => (String::new(), String::new()),
        n => (
            format!("（其中 {} 管是各处时限内都做不完的）", grouped(n)),
            format!(" ({} of them are beyond what any lab can do in time)", grouped(n)),
        ),
    };
    (!sends).then(|| {
        Words::new(
            format!(
                "目前的街道分派不向该处送样；本项按指南算术列入：其他实验室做不完的样本分给它，共 {} 管{zh}，改派街道送样后才起作用",
                grouped(tubes)
            ),
            format!(
                "the assignment of streets sends no tubes there today; the arithmetic asks for it because it gives this lab what \
                 the others cannot do in time, {} tubes{en}, and it helps only once streets send there",
                grouped(tubes)
            ),
        )
    })
}

/// How a line of the list of shortages is mended, with what [`none_sent`] says of it.
pub fn mend_there(round: Option<&Round>, plan: &Plan, line: &Shortage) -> Words {
    let Words { zh, en } = &line.mend;
    match round.and_then(|round| none_sent(round, plan, line)) {
        Some(note) => Words::new(format!("{zh}；{}", note.zh), format!("{en}; {}", note.en)),
        None => line.mend.clone(),
    }
}
