//! The model: a round as plain numbers, the one problem that the fluid layer, the simulation and the forecast solve.
//!
//! A city file says what is known and where from; a model says what is reckoned with. Times are milliseconds since the
//! start of the round (`Ms`), so that a key of an event is one small number.

use super::city::StageKind;
pub use super::units::{PartOfDay, Rests, staggered};

/// Milliseconds since the start of the round. 49 days fit; nothing is reckoned beyond `HORIZON_MS`, and a time that is
/// `HORIZON_MS` says "not by then".
pub type Ms = u32;

/// One minute.
pub const MINUTE: Ms = 60_000;
/// One hour.
pub const HOUR: Ms = 60 * MINUTE;
/// One day.
pub const DAY: Ms = 24 * HOUR;
/// Days that the flows, the simulation and the forecast reckon: what is not done by then is said to take longer, and is not
/// simulated to its end. The arithmetic, which costs nothing, looks further (`planner::DAYS_MAX`).
pub const HORIZON_DAYS: u32 = 40;
/// The same in ms.
pub const HORIZON_MS: Ms = HORIZON_DAYS * DAY;
/// Days that a round may take without any waiting: half the horizon, for waiting of one part for another adds to it.
pub const WORK_DAYS_MAX: u32 = HORIZON_DAYS / 2;

/// A round to be reckoned.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Time of day at which the round starts, ms since midnight. Daily calendars hang on it.
    pub midnight_offset: Ms,
    /// Time in which the whole city is to be done, less than `HORIZON_MS`.
    pub target: Ms,
    /// Streets: people, desks, boxes, vehicles.
    pub streets: Vec<Street>,
    /// Labs.
    pub labs: Vec<Lab>,
    /// How many pools are unclean, and what follows.
    pub recall: Recall,
}

/// Desks do not send people home whose turn would come within so much more time.
pub const OVERTIME: Ms = HOUR;

/// The people of a street, and how their tubes come to the lab.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Street {
    /// People who will come.
    pub persons: u32,
    /// Persons per tube, at least 1.
    pub pool: u32,
    /// Desks.
    pub desks: u32,
    /// Persons whom one desk samples in an hour, after the ramp.
    pub desk_rate: f64,
    /// Spread of the speed of desks, sigma of a lognormal.
    pub desk_spread: f64,
    /// When desks open.
    pub open: Ms,
    /// How long desks work on each day, from their opening on.
    pub hours: Ms,
    /// How long they are slow at first.
    pub ramp: Ms,
    /// Speed in that time, as a share of the later one.
    pub ramp_speed: f64,
    /// Share of the people who come late.
    pub late_share: f64,
    /// Mean time by which they come after the others; nobody comes after the desks have closed for the day.
    pub late_mean: Ms,
    /// Tubes at which a box is full.
    pub box_tubes: u32,
    /// Time after which a box is closed all the same.
    pub box_time: Ms,
    /// Vehicles.
    pub vehicles: u32,
    /// Tubes that a vehicle takes.
    pub vehicle_tubes: u32,
    /// Longest wait of a closed box for its trip while a vehicle is free.
    pub trip_hold: Ms,
    /// Loading and handing over.
    pub handling: Ms,
    /// Median time on the road.
    pub travel: Ms,
    /// Sigma of the lognormal of the time on the road.
    pub travel_spread: f64,
    /// Longest time on the road: what the norm allows (the two-hour rule), or more for a lab that is farther (`send_to`).
    pub travel_max: Ms,
    /// Shortest time from one departure of a vehicle to its next one, where it may only make so many trips a day; 0 = as the way
    /// allows.
    pub round_trip_min: Ms,
    /// Number of its lab in `Model::labs`.
    pub lab: usize,
    /// Where it is a part of a street that sends to several labs: a number that its parts share. What is in doubt of the street
    /// is the same of all of them; divided into many parts a street is not slower.
    pub part_of: Option<u32>,
}

/// A lab.
#[derive(Clone, Debug, PartialEq)]
pub struct Lab {
    /// Its stages, in the order of `StageKind::ALL`.
    pub stages: [Stage; StageKind::COUNT],
}

/// What one run of a stage takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// What came together, for a time in proportion to its tubes: `run` is the time of `batch` tubes (reception).
    Box,
    /// Tubes that wait, up to `batch`, for the whole time: a plate. Also behind the stage at which plates are filled: a
    /// plate that would only wait there is not closed half full but kept open (`planner::simulate::stage`).
    Fill,
}

/// A stage of a lab.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Units that are staffed at some time of the day.
    pub units: u32,
    /// Most tubes of one run.
    pub batch: u32,
    /// Mean time of one run with loading, at the pace that is reckoned with.
    pub run: Ms,
    /// Spread of that time: standard deviation over mean.
    pub run_spread: f64,
    /// What a run takes.
    pub takes: Takes,
    /// Longest wait for a run to fill while a unit is free; only where runs are filled. 0 behind the filling of plates.
    pub hold: Ms,
    /// When each unit rests, every day: by unit, windows of (start, length), ms since midnight. Shorter than `units`:
    /// the rest never rest.
    pub rests: Rests,
    /// Failures of one unit in a day.
    pub failures_per_day: f64,
    /// Mean time of a repair.
    pub repair: Ms,
}

/// Unclean pools and what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    /// Share of people who are infected.
    pub prevalence: f64,
    /// Correlation of two people of one tube (households and queue neighbours share tubes).
    pub correlation: f64,
    /// Mean number of unclean tubes that lie side by side, at least 1.
    pub cluster: f64,
    /// Median time from the result of the pool to the single swabs of its members.
    pub delay: Ms,
    /// Sigma of the lognormal of that time.
    pub delay_spread: f64,
    /// Median time on the road of the second trip.
    pub travel: Ms,
    /// Longest wait of a priority plate for more tubes.
    pub hold: Ms,
}

/// Shortest way round the loop from the result of a pool to the single tubes at the lab's door.
pub const RECALL_MIN: Ms = 45 * MINUTE;

/// Why a model cannot be reckoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unworkable {
    /// A street has people and no desk.
    NoDesk {
        /// Number of the street.
        street: usize,
    },
    /// A street has boxes and no vehicle.
    NoVehicle {
        /// Number of the street.
        street: usize,
    },
    /// A street names a lab that does not exist.
    NoLab {
        /// Number of the street.
        street: usize,
    },
    /// A lab has tubes to do and a stage without a unit that ever works.
    NoUnit {
        /// Number of the lab.
        lab: usize,
        /// The stage.
        stage: StageKind,
    },
    /// Even without any waiting it takes longer than the horizon.
    BeyondHorizon {
        /// Days that the slowest part alone takes.
        days: u64,
    },
    /// A number is not finite, negative, or 0 where it cannot be.
    BadNumber {
        /// Which field, in words of this file.
        field: &'static str,
        /// Number of the street or lab.
        at: usize,
    },
}

impl Street {
    /// Sends to a lab that is `travel` away, where the norm allows `limit` on the road.
    ///
    /// The limit cuts off the long tail of the times on the road, for who keeps to it sends another way round. It brings no lab
    /// nearer: no trip is longer than the limit or a seventh over the way, whichever is more. So from seven eighths of the
    /// limit on the tail is cut at the same share of the way, and a lab a minute farther is never reached sooner.
    pub fn send_to(&mut self, lab: usize, travel: Ms, limit: Ms) {
        let travel = travel.max(MINUTE);
        (self.lab, self.travel) = (lab, travel);
        self.travel_max = limit.max(travel.saturating_add(travel / 7));
    }

    /// Tubes of the street.
    pub fn tubes(&self) -> u64 {
        u64::from(self.persons.div_ceil(self.pool.max(1)))
    }

    /// Tubes an hour of all desks together, after the ramp.
    pub fn tubes_per_hour(&self) -> f64 {
        f64::from(self.desks) * self.desk_rate / f64::from(self.pool.max(1))
    }

    /// Mean speed of its desks over the speed of a desk in the middle: of a lognormal, `exp(σ²/2)`.
    pub fn mean_speed(&self) -> f64 {
        (self.desk_spread.powi(2) / 2.0).exp()
    }

    /// The street with the hours that its desks will really keep for `main` tubes from the working time `since` on: when a
    /// queue would be left at the end of a day that is done within `OVERTIME`, they stay.
    pub fn with_overtime(&self, main: f64, since: u64, ramp: Ms) -> Street {
        if main < 0.5 {
            return *self;
        }
        let hours = f64::from(self.hours.clamp(1, DAY));
        let each = main / (f64::from(self.desks.max(1)) * self.mean_speed());
        let end = since as f64 + Street { ramp, ..*self }.desk_time(each, 1.0);
        let days = ((end - f64::from(OVERTIME)) / hours).ceil().max(1.0);
        // A little more than is expected: chance must not send the last ones home.
        let hours = hours.max((end * 1.05 / days).min(hours + 2.0 * f64::from(OVERTIME)));
        Street { hours: (hours as Ms).min(DAY), ..*self }
    }

    /// The time of the round at which the desks have worked for `work` ms.
    pub fn wall(&self, work: u64) -> u64 {
        let hours = u64::from(self.hours.clamp(1, DAY));
        let day = work.saturating_sub(1) / hours;
        u64::from(self.open) + day * u64::from(DAY) + (work - day * hours)
    }

    /// The time that the desks have worked at a time of the round; the inverse of `wall`.
    pub fn worked(&self, wall: u64) -> u64 {
        let hours = u64::from(self.hours.clamp(1, DAY));
        let since = wall.saturating_sub(u64::from(self.open));
        let day = since / u64::from(DAY);
        day * hours + (since - day * u64::from(DAY)).min(hours)
    }

    /// Working time that one desk of this street takes for `tubes` tubes at `speed` times its rate.
    pub fn desk_time(&self, tubes: f64, speed: f64) -> f64 {
        let per_ms = self.desk_rate * speed / f64::from(self.pool.max(1)) / f64::from(HOUR);
        let slow = per_ms * self.ramp_speed;
        let in_ramp = slow * f64::from(self.ramp);
        if tubes <= in_ramp {
            tubes / slow
        } else {
            f64::from(self.ramp) + (tubes - in_ramp) / per_ms
        }
    }
}

impl Stage {
    /// Tubes an hour when every unit works without rest.
    pub fn tubes_per_hour(&self) -> f64 {
        f64::from(self.units) * f64::from(self.batch) * f64::from(HOUR) / f64::from(self.run.max(1))
    }

    /// The windows of a unit in which it starts no run, as windows in which it does not work: a run that is going on when one
    /// begins goes on to its end. A unit that is never without work starts its first run at the end of the rest before, so
    /// between two rests it does a whole number of runs, and the last one goes over by what the others leave.
    pub fn idle_windows(&self, windows: &[(Ms, Ms)]) -> impl Iterator<Item = (Ms, Ms)> {
        let run = self.run.max(1);
        windows.iter().filter(|window| window.1 > 0).map(move |&(from, length)| {
            let since = |&(before, length): &(Ms, Ms)| {
                let end = (u64::from(before) + u64::from(length)) % u64::from(DAY);
                ((u64::from(from) + u64::from(DAY) - end) % u64::from(DAY)) as Ms
            };
            let work = windows.iter().map(since).min().unwrap_or(0);
            let over = (work.div_ceil(run) * run - work).min(length);
            ((from + over) % DAY, length - over)
        })
    }

    /// When a unit that would start a run at `at` may: then, or at the end of the rest it has then. Another may follow on it.
    #[inline]
    pub fn rested(&self, unit: u32, at: Ms, midnight_offset: Ms) -> Ms {
        let rests = self.rests.get(unit as usize).map_or(&[][..], Vec::as_slice);
        let of_day = (u64::from(at) + u64::from(midnight_offset)) % u64::from(DAY);
        let left = rests.iter().find_map(|&(from, length)| {
            let into = (of_day + u64::from(DAY) - u64::from(from % DAY)) % u64::from(DAY);
            u64::from(length).checked_sub(into).filter(|left| *left > 0)
        });
        at.saturating_add(left.unwrap_or(0) as Ms)
    }

    /// Share of the day in which a unit works, on average over the units.
    pub fn working_share(&self) -> f64 {
        if self.units == 0 {
            return 0.0;
        }
        let idle = |windows: &Vec<(Ms, Ms)>| {
            let sum: f64 = self.idle_windows(windows).map(|w| f64::from(w.1)).sum();
            sum.min(f64::from(DAY))
        };
        let rest: f64 = self.rests.iter().take(self.units as usize).map(idle).sum();
        1.0 - rest / f64::from(DAY) / f64::from(self.units)
    }

    /// Share of its working time in which a unit is not being repaired.
    pub fn sound_share(&self) -> f64 {
        let repair_days = f64::from(self.repair) / f64::from(DAY);
        1.0 / (1.0 + self.failures_per_day * repair_days)
    }
}

impl Recall {
    /// Probability that a pool of `pool` people is unclean: beta-binomial, `1 − B(a, b+k)/B(a, b)` with
    /// `a = p(1−ρ)/ρ`, `b = (1−p)(1−ρ)/ρ`; binomial at ρ = 0. Sensitivity is taken as 1.
    pub fn unclean(&self, pool: u32) -> f64 {
        let p = self.prevalence.clamp(0.0, 1.0);
        let rho = self.correlation.clamp(0.0, 0.999);
        let clean = (0..pool).fold(1.0, |clean, i| {
            let i = f64::from(i);
            clean * ((1.0 - p) * (1.0 - rho) + rho * i) / ((1.0 - rho) + rho * i)
        });
        1.0 - clean
    }

    /// Single tubes of recalls by tube of `pool` people. A single tube that is positive is its person's result.
    pub fn singles(&self, pool: u32) -> f64 {
        if pool > 1 { self.unclean(pool) * f64::from(pool) } else { 0.0 }
    }
}

impl Model {
    /// Tubes of all streets.
    pub fn tubes(&self) -> u64 {
        self.streets.iter().map(Street::tubes).sum()
    }

    /// Tubes by lab.
    pub fn tubes_by_lab(&self) -> Vec<u64> {
        let mut tubes = vec![0; self.labs.len()];
        for street in &self.streets {
            if let Some(n) = tubes.get_mut(street.lab) {
                *n += street.tubes();
            }
        }
        tubes
    }

    /// Whether the model can be reckoned at all: nothing that would never end, no number out of its bounds.
    pub fn check(&self) -> Result<(), Unworkable> {
        let bad = |field, at| Err(Unworkable::BadNumber { field, at });
        let sane = |x: f64| x.is_finite() && x >= 0.0;
        for (at, s) in self.streets.iter().enumerate() {
            if s.lab >= self.labs.len() {
                return Err(Unworkable::NoLab { street: at });
            }
            if !(s.desk_rate.is_finite() && s.desk_rate > 0.0) {
                return bad("desk_rate", at);
            }
            if !(s.ramp_speed.is_finite() && s.ramp_speed > 0.0) {
                return bad("ramp_speed", at);
            }
            if ![s.desk_spread, s.travel_spread].into_iter().all(|x| sane(x) && x <= 3.0) {
                return bad("spread", at);
            }
            if !(sane(s.late_share) && s.late_share <= 1.0) {
                return bad("late_share", at);
            }
            if s.persons == 0 {
                continue;
            }
            if s.desks == 0 {
                return Err(Unworkable::NoDesk { street: at });
            }
            if s.vehicles == 0 || s.vehicle_tubes == 0 {
                return Err(Unworkable::NoVehicle { street: at });
            }
            if s.box_tubes == 0 || s.box_time == 0 || s.pool == 0 {
                return bad("box", at);
            }
            // A street slower than the horizon: said before anything is multiplied out.
            let desk_tubes = s.tubes() as f64 / f64::from(s.desks);
            let work = s.desk_time(desk_tubes, 1.0);
            let days = work / f64::from(s.hours.clamp(1, DAY));
            within_horizon(days)?;
        }
        let r = &self.recall;
        let cluster = r.cluster.is_finite() && r.cluster >= 1.0;
        if !(cluster && [r.prevalence, r.correlation, r.delay_spread].into_iter().all(sane)) {
            return bad("recall", 0);
        }
        // First tests, and the single tubes that their recalls bring.
        let mut work = vec![0.0; self.labs.len()];
        for street in &self.streets {
            work[street.lab] += street.tubes() as f64 * (1.0 + r.singles(street.pool));
        }
        for (at, (lab, tubes)) in self.labs.iter().zip(work).enumerate() {
            for (stage, kind) in lab.stages.iter().zip(StageKind::ALL) {
                if !(sane(stage.run_spread) && sane(stage.failures_per_day)) {
                    return bad("run_spread", at);
                }
                if tubes <= 0.0 {
                    continue;
                }
                let rate = stage.tubes_per_hour() * stage.working_share() * stage.sound_share();
                if !(rate.is_finite() && rate > 1e-9) {
                    return Err(Unworkable::NoUnit { lab: at, stage: kind });
                }
                within_horizon(tubes / rate / 24.0)?;
            }
        }
        Ok(())
    }
}

fn within_horizon(days: f64) -> Result<(), Unworkable> {
    if days > f64::from(WORK_DAYS_MAX) {
        return Err(Unworkable::BeyondHorizon { days: days.ceil() as u64 });
    }
    Ok(())
}
