//! What is not known for sure of a round, and by how much.

use super::units::permille;
use crate::planner::city::City;

/// What is not known for sure, as standard deviations of logarithms unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// Speed of a street's desks.
    pub desk_rate: f64,
    /// Speed of the whole city's desks.
    pub desk_rate_city: f64,
    /// Pace of most labs; the others are slower (`derate`).
    pub lab_pace: f64,
    /// The mean derate of labs, a share of their nameplate: none is faster than that.
    pub lab_derate: f64,
    /// People of a street who come, over those whom the plan thinks of; besides them, chance counts people (`turnout_of`).
    pub turnout: f64,
    /// The same of the whole city.
    pub turnout_city: f64,
    /// Share of people who come late.
    pub late_share: f64,
    /// Mean time by which they come late.
    pub late_mean: f64,
    /// Time on the road.
    pub travel: f64,
    /// Prior of the share of infected people: Beta(a, b).
    pub prevalence: (f64, f64),
}

/// People who come or stay away together: a household (the census of 2020 counted 2.62 persons).
const TOGETHER: f64 = 2.6;

impl Doubt {
    /// Turnout of a street of so many people. They are counted one by one, or household by household: of few, nobody can say how
    /// many will come, however well the share of a city is known (a Poisson count).
    pub fn turnout_of(&self, persons: u32) -> f64 {
        self.turnout.hypot((TOGETHER / f64::from(persons.max(1))).sqrt())
    }
}

pub(super) fn doubt(city: &City) -> Doubt {
    let (field, prior) = (&city.norm.field, &city.norm.prevalence);
    Doubt {
        desk_rate: permille(field.site_spread_permille.value),
        desk_rate_city: permille(field.site_spread_permille.value) / 2.0,
        lab_pace: permille(city.norm.derate.spread_permille.value) * 1000.0
            / city.norm.derate.mean_permille.value.max(1) as f64,
        lab_derate: permille(city.norm.derate.mean_permille.value),
        // Assumed: who has left, is away or has moved in is known to so much, and nobody publishes it by street.
        turnout: 0.04,
        turnout_city: 0.02,
        late_share: 0.4,
        late_mean: 0.3,
        travel: 0.15,
        prevalence: (
            prior.alpha_milli.value as f64 / 1000.0,
            prior.beta_milli.value as f64 / 1000.0,
        ),
    }
}
