//! Whose tubes may go to which labs: those of a district to the labs that serve it, those of a street that was told where to
//! send to that lab alone.

use super::flow::Allotment;
use crate::planner::city::{City, District, Street};

/// A street all of whose tubes go to one lab, whichever labs serve its district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Code of the district, `/`, code of the street; a district without streets by its own code. As in an assignment.
    pub street: String,
    /// Number of the lab in the city; one that is not there takes nothing.
    pub lab: usize,
}

/// Where each source's tubes may go. A district is a source, and so is each street that was told where to send.
pub(super) struct Sources {
    /// Number of the district, by source; the districts themselves first.
    district: Vec<usize>,
    /// Tubes of one round, by source.
    pub(super) tubes: Vec<u64>,
    /// Numbers of the labs that may take them, by source.
    pub(super) labs: Vec<Vec<usize>>,
}

/// The code of a street as an assignment has it.
fn code(district: &District, street: &Street) -> String {
    match street.code == district.code {
        true => district.code.clone(),
        false => format!("{}/{}", district.code, street.code),
    }
}

impl Sources {
    /// Of a city; where a street is told twice, the last word holds.
    pub(super) fn of(city: &City, sent: &[Sent]) -> Sources {
        let serving = |d: &District| {
            (0..city.labs.len()).filter(|&l| city.labs[l].serves.contains(&d.code)).collect()
        };
        let mut all = Sources {
            district: (0..city.districts.len()).collect(),
            tubes: city.districts.iter().map(|d| city.tubes_of(d)).collect(),
            labs: city.districts.iter().map(serving).collect(),
        };
        for (i, district) in city.districts.iter().enumerate().filter(|_| !sent.is_empty()) {
            for street in city.streets_of(district) {
                let name = code(district, &street);
                let Some(sent) = sent.iter().rev().find(|sent| sent.street == name) else {
                    continue;
                };
                let pool = city.street_pool(district, &street);
                let tubes = street.population.value.div_ceil(pool).min(all.tubes[i]);
                all.tubes[i] -= tubes;
                all.district.push(i);
                all.tubes.push(tubes);
                all.labs
                    .push(Some(sent.lab).filter(|l| *l < city.labs.len()).into_iter().collect());
            }
            if all.tubes[i] == 0 && all.district.iter().filter(|d| **d == i).count() > 1 {
                // Everything that it has goes elsewhere.
                all.labs[i].clear();
            }
        }
        all
    }

    /// The labs of a district and its streets.
    pub(super) fn labs_of(&self, district: usize) -> impl Iterator<Item = usize> {
        let own = self.district.iter().zip(&self.labs).filter(move |(d, _)| **d == district);
        own.flat_map(|(_, labs)| labs.iter().copied())
    }

    /// What was dealt by source, by district.
    pub(super) fn by_district(&self, districts: usize, dealt: &Allotment) -> Allotment {
        let mut sum = Allotment {
            sent: vec![Vec::new(); districts],
            unmet: vec![0; districts],
            load: dealt.load.clone(),
        };
        for (source, &district) in self.district.iter().enumerate() {
            sum.unmet[district] += dealt.unmet[source];
            for &(lab, tubes) in &dealt.sent[source] {
                match sum.sent[district].iter_mut().find(|known| known.0 == lab) {
                    Some(known) => known.1 += tubes,
                    None => sum.sent[district].push((lab, tubes)),
                }
            }
        }
        sum.sent.iter_mut().for_each(|labs| labs.sort_unstable());
        sum
    }
}
