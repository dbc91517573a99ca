//! The city as the drill plays it, for the forecast: held against the real city's numbers, every forecast of a drill would be
//! hours late. Each number here is one of the player's (`truth`, `field`, `labs`, `faults`), none is fitted to a city.

use super::expect::Expected;
use super::faults::Faults;
use super::labs::plate_ms;
use super::saying::Script;
use super::truth::{OPENING_MS, Truth};
use crate::forecaster::CityPlan;
use crate::planner::round::Doubt;
use crate::planner::{City, InstrumentDay, Plan, StageKind};

/// Units of the stages that nothing waits for in a drill, over those that the city has.
const PLENTY: u64 = 3;

/// How sure the share of infected people is in a drill, which has it written down: as sure as if ten million people had been
/// looked at. Both numbers of the norm's belief are in thousandths of a person and together so many, so that forecasts draw next to
/// the same share every time.
const CERTAIN: f64 = 1e10;

/// Residents of a vehicle where nothing ever waits for one.
const PERSONS_PER_VEHICLE: u64 = 500;

/// The seed of the drill that numbers of all drills are taken from: how many tubes a desk fills and how many are tested again
/// hardly differ by seed, and of the drill that is played nothing is told.
const ANY_SEED: u64 = 0;

/// The city for the forecast, with what is certain in a drill: everybody who is expected comes.
pub fn plan(city: &City, plan: &Plan) -> CityPlan {
    let mut played = CityPlan::of(as_played(city, plan));
    if let Ok(round) = &mut played.round {
        round.doubt = Doubt { turnout: 0.0, turnout_city: 0.0, ..round.doubt };
    }
    played
}

/// The city as the drill plays it: desks open one by one and work at full speed from then on, nobody comes long after the
/// others, each desk ends with a tube that is not full, boxes leave as they are fetched and are two hours on the road on average,
/// as many are tested again as plates show in the drill, and laboratories load plates at the pace of their slowest stage, round
/// the clock, without rests, shifts, breakdowns or a derate; what is loaded waits for nothing.
fn as_played(city: &City, plan: &Plan) -> City {
    let mut played = city.clone();
    let norm = &mut played.norm;
    // Half of the desks are open, on average, until the last one is.
    norm.field.ramp_s.value = u64::try_from(OPENING_MS / 1_000).unwrap_or_default();
    norm.field.ramp_percent.value = 50;
    norm.field.straggler_permille.value = 0;
    norm.field.desk_spread_permille.value = 0;
    norm.field.coverage_permille.value = 1_000;
    // What the norm allows at most is what the drill takes on average (`field`), give or take 40 %.
    norm.transport.travel_s.value = norm.transport_s.value;
    norm.transport.travel_spread_permille.value = 230;
    norm.transport_s.value = norm.transport_s.value * 14 / 10;
    (norm.transport.hold_s.value, norm.transport.handling_s.value) = (0, 0);
    norm.transport.persons_per_vehicle.value = PERSONS_PER_VEHICLE;
    norm.staff_hours.value = 24;
    // A share below one, or there would be no doubt to draw.
    norm.derate.mean_permille.value = 995;
    norm.derate.spread_permille.value = 5;
    let truth = Truth::new(city, ANY_SEED);
    let script = Script { faults: Faults::choose(&truth), truth, labs: Vec::new() };
    let (truth, expected) = (&script.truth, Expected::of(&script));
    // Tubes whose people are tested again for what their plate shows, as a share of all: as if by chance each, and for certain. Those
    // that come to no plate are not among them: their people have come again long before the last plate, and what waits in a
    // laboratory would else be thought to call back twice as many as it does.
    let pool = norm.pool.value.max(1);
    let unclean = expected.after_plates as f64 / pool as f64 / f64::from(truth.slots.max(1));
    let infected = 1.0 - (1.0 - unclean.min(1.0)).powf(1.0 / pool as f64);
    norm.prevalence.alpha_milli.value = ((infected * CERTAIN) as u64).max(1);
    norm.prevalence.beta_milli.value = ((1.0 - infected) * CERTAIN) as u64;
    norm.prevalence.rho_permille.value = 0;
    for (index, (district, place)) in played.districts.iter_mut().zip(&truth.districts).enumerate()
    {
        district.fleet = None;
        let desks = truth.desks.iter().filter(|desk| usize::from(desk.district) == index);
        let tubes: u64 = desks.map(|desk| u64::from(desk.slots)).sum();
        let (people, before) = (tubes * u64::from(place.pool), district.population.value.max(1));
        district.population.value = people;
        for street in &mut district.streets {
            street.population.value = street.population.value * people / before;
        }
    }
    for (lab, planned) in played.labs.iter_mut().zip(&plan.labs) {
        let plate_s = (u64::try_from(plate_ms(lab, planned)).unwrap_or_default() / 1_000).max(1);
        lab.shifts.clear();
        lab.instrument_day = Some(InstrumentDay::Staggered { hours: 24 });
        lab.derate = Some(norm.derate.mean_permille.clone());
        let [receive_s, decap_s] =
            [StageKind::Receive, StageKind::Decap].map(|kind| lab.stage(kind).cycle_s());
        // A plate is in hand for a pace before it is loaded. So much shorter is what comes before (`Lab::of`): minutes in a city, and all
        // of it where a lab has one unit. What comes behind keeps its time, which counts from the loading.
        for stage in &mut lab.stages {
            (stage.spread_permille, stage.breakdowns_permille_day, stage.crew) = (0, 0, 0);
            stage.units *= PLENTY;
            match stage.kind {
                // What waits for a plate is ready for it: its time comes before. So does that of the reception, which is no shorter for
                // a box of few tubes.
                StageKind::Inactivate => {
                    let before_s = receive_s + stage.cycle_s() + decap_s;
                    (stage.run_s, stage.load_s) = (before_s.saturating_sub(plate_s), 0);
                }
                StageKind::Decap => (stage.units, stage.run_s, stage.load_s) = (1, plate_s, 0),
                // A tube has its result when the instrument is through, before anybody reviews it.
                StageKind::Receive | StageKind::Review => (stage.run_s, stage.load_s) = (0, 0),
                _ => {}
            }
        }
    }
    played
}
