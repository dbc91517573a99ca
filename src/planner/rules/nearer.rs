//! The arithmetic brought nearer to the flows, one thing at a time, to see what each of them costs: tubes at the lab that they are
//! sent to, slower stages, people street by street, rests that fall on the work as well. What is on the shelf is left out.

use super::chain::{View, first_minute};
use super::labs::{tubes_nearer, units_working};
use crate::planner::city::{City, StageKind};

/// What is reckoned in another way than `solve` does it.
#[derive(Clone, Debug)]
pub struct Nearer {
    /// Tubes by lab: each lab has to do its own, and none of another's.
    pub loads: Vec<u64>,
    /// By lab and stage: what it does of what its numbers say, a share.
    pub pace: Vec<[f64; StageKind::COUNT]>,
    /// By lab and stage: seconds in which a tube passes that stage and no other can have it.
    pub passing_s: Vec<[u64; StageKind::COUNT]>,
    /// Collection by street, number of its district and seconds; empty: district by district.
    pub streets: Vec<(usize, f64)>,
    /// Whether instruments rest, shifts are off and desks are closed in their share of the time in which there is work, too, and not
    /// only while nothing is there to be done; wherever in the day they lie.
    pub rests_in_work: bool,
}

impl Nearer {
    /// What `solve` does, but for tubes, which go to the labs that they are sent to.
    pub fn with_loads(city: &City, loads: Vec<u64>) -> Nearer {
        Nearer {
            loads,
            pace: vec![[1.0; StageKind::COUNT]; city.labs.len()],
            passing_s: city.labs.iter().map(|lab| lab.stages.map(|s| s.cycle_s())).collect(),
            streets: Vec::new(),
            rests_in_work: false,
        }
    }

    /// Minutes that the whole city then needs; `None` when it would never end.
    pub fn minutes(&self, city: &City) -> Option<u64> {
        let view = View::of(city, &[]);
        first_minute(|s| view.collected(self, s) && self.labs_do(city, s))
    }

    /// The same if only collection had limits.
    pub fn minutes_collected(&self, city: &City) -> Option<u64> {
        let view = View::of(city, &[]);
        first_minute(|s| view.collected(self, s))
    }

    fn labs_do(&self, city: &City, target_s: u64) -> bool {
        let busy = |&lab: &usize| self.loads[lab] > 0;
        let does = |lab: usize, kind: StageKind| {
            let stage = city.labs[lab].stage(kind);
            let units = units_working(&city.labs[lab], stage, &city.norm);
            tubes_nearer(city, lab, stage, units, target_s, self) >= self.loads[lab]
        };
        let labs = 0..city.labs.len().min(self.loads.len());
        labs.filter(busy).all(|lab| StageKind::ALL.into_iter().all(|kind| does(lab, kind)))
    }
}
