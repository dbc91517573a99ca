//! Whose tubes may go to which labs: those of a street to the labs within its reach, those of a street that was told where
//! to send to that lab alone.

use super::flow::Allotment;
use crate::planner::city::City;
use crate::planner::reach::{self, CutOff};

/// A street all of whose tubes go to one lab, whichever labs serve its district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Code of the district, `/`, code of the street; a district without streets by its own code. As in an assignment.
    pub street: String,
    /// Number of the lab in the city; one that is not there takes nothing.
    pub lab: usize,
}

/// Where each source's tubes may go. The streets of a district that reach the same labs are one source, and so is each
/// street that was told where to send.
pub(super) struct Sources {
    /// Number of the district, by source.
    district: Vec<usize>,
    /// Tubes of one round, by source.
    pub(super) tubes: Vec<u64>,
    /// Numbers of the labs that may take them, by source.
    pub(super) labs: Vec<Vec<usize>>,
    /// By district: tubes of streets that reach no lab. No capacity of any stage would help, so they are in no source.
    pub(super) cut_off: Vec<u64>,
}

/// The code of a street as an assignment has it.
fn code(district: &str, street: &str) -> String {
    match street == district {
        true => district.to_owned(),
        false => format!("{district}/{street}"),
    }
}

/// Streets that send to no lab that works, but for those that were told where to send.
pub(super) fn cut_off(city: &City, sent: &[Sent]) -> Vec<CutOff> {
    let told = |one: &CutOff| {
        let name = code(&one.district, &one.street);
        sent.iter().any(|sent| sent.street == name)
    };
    reach::cut_off(city).into_iter().filter(|one| !told(one)).collect()
}

impl Sources {
    /// Of a city; where a street is told twice, the last word holds.
    pub(super) fn of(city: &City, sent: &[Sent]) -> Sources {
        let mut all = Sources {
            district: Vec::new(),
            tubes: Vec::new(),
            labs: Vec::new(),
            cut_off: vec![0; city.districts.len()],
        };
        let mut told = Vec::new();
        for (i, district) in city.districts.iter().enumerate() {
            let (first, serving) = (all.district.len(), reach::serving(city, district));
            for street in city.streets_of(district) {
                let name = code(&district.code, &street.code);
                let tubes = street.population.value.div_ceil(city.street_pool(district, &street));
                if let Some(sent) = sent.iter().rev().find(|sent| sent.street == name) {
                    let labs = Some(sent.lab).filter(|l| *l < city.labs.len());
                    told.push((i, tubes, labs.into_iter().collect()));
                    continue;
                }
                let labs: Vec<usize> = reach::labs(city, &serving, &street).collect();
                if labs.is_empty() {
                    all.cut_off[i] = all.cut_off[i].saturating_add(tubes);
                    continue;
                }
                match (first..all.labs.len()).find(|&source| all.labs[source] == labs) {
                    Some(source) => all.tubes[source] = all.tubes[source].saturating_add(tubes),
                    None => all.push(i, tubes, labs),
                }
            }
        }
        told.into_iter().for_each(|(district, tubes, labs)| all.push(district, tubes, labs));
        all
    }

    fn push(&mut self, district: usize, tubes: u64, labs: Vec<usize>) {
        self.district.push(district);
        self.tubes.push(tubes);
        self.labs.push(labs);
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
            unmet: self.cut_off.clone(),
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
