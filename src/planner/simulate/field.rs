//! A street: desks fill boxes, vehicles take them to the lab.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::conserved::OnTheWay;
use super::random::{Cause, Stream};
use super::stage::Lot;
use crate::planner::model::{HORIZON_MS, HOUR, MINUTE, Ms, RECALL_MIN, Recall, Street};

/// Spread of the time per person at a desk: standard deviation over mean (gamma with shape 4).
const PERSON_SPREAD: f64 = 0.5;

/// Desks of a site: Xi'an had 2.3, the guide's 2,000 to 3,000 persons a site and 600 to 800 a desk give 2.5 to 5.
const SITE_DESKS: u32 = 3;

/// Where a street begins.
#[derive(Clone, Debug, PartialEq)]
pub struct StreetStart {
    /// From when on desks and vehicles are reckoned.
    pub from: Ms,
    /// Tubes that will be filled by people who come when the desks are open to them.
    pub main: f64,
    /// Tubes that will be filled by people who come late.
    pub late: f64,
    /// When the late ones began to come; `None`: after the main ones.
    pub late_from: Option<Ms>,
    /// For how long the desks are still slow.
    pub ramp: Ms,
    /// Boxes that are closed and wait for a trip: when each was closed, and its tubes.
    pub closed: Vec<(Ms, u32)>,
    /// Boxes on the road: when each will be there, and its tubes.
    pub on_road: Vec<(Ms, u32)>,
}

impl StreetStart {
    /// The street at the start of the round.
    pub fn whole(street: &Street) -> StreetStart {
        let tubes = street.tubes() as f64;
        let late = tubes * street.late_share;
        StreetStart {
            from: 0,
            main: tubes - late,
            late,
            late_from: None,
            ramp: street.ramp,
            closed: Vec::new(),
            on_road: Vec::new(),
        }
    }

    /// Tubes that its people still have to fill.
    fn to_fill(&self) -> u64 {
        (self.main + self.late).round().max(0.0) as u64
    }
}

/// The streams of chance of one street in one replication.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    desk: Stream,
    person: Stream,
    road: Stream,
    unclean: Stream,
}

impl Chances {
    pub fn of(seed: u64, replication: u64, street: u64) -> Chances {
        let of = |cause| Stream::of(seed, replication, cause, street);
        Chances {
            desk: of(Cause::Desk),
            person: of(Cause::Box),
            road: of(Cause::Road),
            unclean: of(Cause::Unclean),
        }
    }
}

/// Closed boxes of a street, and what they become.
#[derive(Debug, Default)]
pub(super) struct Field {
    /// (closed, tubes), packed so that sorting is by time.
    boxes: Vec<u64>,
    /// When each vehicle is back.
    vehicles: BinaryHeap<Reverse<(Ms, u32)>>,
    /// Speed of each desk, as a share of the usual one.
    speeds: Vec<f64>,
}

/// A trip: when it is at the lab, and its boxes in the list that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trip {
    /// At the door.
    pub at: Ms,
    /// Away from the street.
    pub left: Ms,
    pub street: u32,
    pub first: u32,
    pub boxes: u32,
}

/// What a street did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreetRun {
    /// The last swab.
    pub sampled: Ms,
    /// The last tube at the lab's door.
    pub delivered: Ms,
    /// Tubes, those on the road at the start included.
    pub tubes: u64,
}

fn pack(closed: f64, tubes: u32) -> u64 {
    (closed.clamp(0.0, f64::from(Ms::MAX)) as u64) << 32 | u64::from(tubes)
}

impl Field {
    /// Runs a street to its end; what would be later than `HORIZON_MS` is told there. Trips and the boxes in them (with the time at which each was closed) are appended.
    #[expect(clippy::too_many_arguments, reason = "one street's numbers, called from one place")]
    pub fn run(
        &mut self,
        street: &Street,
        number: u32,
        start: &StreetStart,
        recall: &Recall,
        chances: Chances,
        trips: &mut Vec<Trip>,
        lots: &mut Vec<Lot>,
    ) -> StreetRun {
        self.boxes.clear();
        let since = street.worked(u64::from(start.from));
        // Desks that have closed for the day do not open again for an hour of work.
        let closed = u64::from(start.from) > street.wall(since) + u64::from(MINUTE);
        let long = street.with_overtime(start.main, since, start.ramp);
        let street = if closed { street } else { &long };
        let mut run = StreetRun { sampled: start.from, ..StreetRun::default() };
        let at_desks = self.desks(street, start, chances, &mut run);
        let in_boxes = self.boxes.iter().map(|packed| u64::from(*packed as u32)).sum();
        for &(closed, tubes) in &start.closed {
            self.boxes.push(pack(f64::from(closed), tubes));
        }
        self.boxes.sort_unstable();

        let first = lots.len();
        let mut unclean = Unclean::new(street.pool, recall, chances.unclean);
        for &(at, tubes) in &start.on_road {
            let members = unclean.members(tubes);
            let left = start.from.min(at);
            trips.push(Trip { at, left, street: number, first: lots.len() as u32, boxes: 1 });
            lots.push(Lot { ready: start.from, tubes, members, singles: 0 });
            run.delivered = run.delivered.max(at);
        }
        self.trips(street, number, start.from, chances.road, &mut unclean, trips, lots, &mut run);
        run.tubes = lots[first..].iter().map(|lot| u64::from(lot.tubes)).sum();
        let tubes = |boxes: &[(Ms, u32)]| boxes.iter().map(|b| u64::from(b.1)).sum();
        OnTheWay {
            street: number,
            to_fill: start.to_fill(),
            at_desks,
            in_boxes,
            closed_before: tubes(&start.closed),
            on_road: tubes(&start.on_road),
            in_trips: run.tubes,
        }
        .hold();
        run
    }

    /// Fills the boxes. People go where the queue is shorter: each desk has a share of the tubes by its speed, whole
    /// ones, which add up to the street's. Returns the tubes that the desks were given.
    fn desks(
        &mut self,
        street: &Street,
        start: &StreetStart,
        chances: Chances,
        run: &mut StreetRun,
    ) -> u64 {
        let desks = street.desks.max(1);
        let all = start.to_fill();
        let main_all = (start.main.round().max(0.0) as u64).min(all);
        self.speeds.clear();
        let speed = |k: u32| (street.desk_spread * chances.desk.noise(2 * u64::from(k))).exp();
        self.speeds.extend((0..desks).map(speed));
        let whole: f64 = self.speeds.iter().sum();
        let since = street.worked(u64::from(start.from));
        let box_time = f64::from(street.box_time.max(1));
        let decay = (-box_time / f64::from(street.late_mean.max(1))).exp();
        let (mut upto, mut main_given, mut all_given) = (0.0, 0, 0);
        let (mut site_late, mut site_end) = (0, since as f64);
        for desk in 0..desks {
            let speed = self.speeds[desk as usize];
            upto += speed / whole;
            // The last one has what is left, whatever rounding made of the share.
            let part = if desk + 1 == desks { 1.0 } else { upto };
            let given = |total: u64| ((total as f64 * part + 1e-9) as u64).min(total);
            let (main_to, all_to) = (given(main_all), given(all));
            let main = main_to - main_given;
            // One desk may have rounded its share of all down and of the queue up.
            let late = all_to.saturating_sub(all_given + main);
            (main_given, all_given) = (main_to, all_given + main + late);
            let k = u64::from(desk);
            let per_ms = street.desk_rate * speed / f64::from(street.pool.max(1)) / f64::from(HOUR);
            let phase = chances.desk.unit(2 * k + 1);
            let person = chances.person.below(k);
            let end = self.main_boxes(street, start, main, per_ms, since, phase, person, run);
            // Who comes late finds one desk of each site open.
            site_late += late;
            site_end = site_end.max(end);
            let last_of_site = (desk + 1) % SITE_DESKS == 0 || desk + 1 == desks;
            if last_of_site {
                if site_late > 0 {
                    let from = start.late_from.map_or(site_end, |at| {
                        site_end.max(street.worked(u64::from(at)) as f64).max(since as f64)
                    });
                    let horizon = HORIZON_MS.max(start.from);
                    let late = (site_late, horizon);
                    self.late_boxes(street, late, from, decay, per_ms, phase, person, run);
                }
                (site_late, site_end) = (0, since as f64);
            }
        }
        all_given
    }

    /// Boxes of a desk while people queue; the working time at which the last one was done.
    #[expect(clippy::too_many_arguments, reason = "one desk's numbers, called from one place")]
    fn main_boxes(
        &mut self,
        street: &Street,
        start: &StreetStart,
        tubes: u64,
        per_ms: f64,
        since: u64,
        phase: f64,
        person: Stream,
        run: &mut StreetRun,
    ) -> f64 {
        let since = since as f64;
        if tubes == 0 {
            return since;
        }
        let ramp = f64::from(start.ramp);
        let box_tubes = u64::from(street.box_tubes);
        let persons = f64::from(street.pool.max(1));
        let mut done = 0;
        let mut at = 0.0;
        let mut length = f64::from(street.box_time) * phase.max(0.05);
        let mut filled = 0.0;
        let mut k = 0;
        let horizon = u64::from(HORIZON_MS.max(start.from));
        let clock = |at: f64| street.wall((since + at) as u64).min(horizon);
        while done < tubes {
            let speed = if at < ramp { per_ms * street.ramp_speed } else { per_ms };
            let mut step = length;
            let mut more = speed * step;
            // The noise of people's times; a box never loses people.
            let noise = PERSON_SPREAD * (more / persons).max(0.0).sqrt() * person.noise(k);
            more = (more + noise).max(more * 0.2);
            let left = (tubes as f64 - filled).min(box_tubes as f64);
            if more > left && left > 0.0 {
                step *= left / more;
                more = left;
            }
            at += step.max(1.0);
            filled += more;
            length = f64::from(street.box_time);
            k += 1;
            let closed = clock(at);
            // Beyond the horizon nobody asks when which box is full.
            let all = filled >= tubes as f64 - 1e-6 || closed == horizon;
            let upto = if all { tubes } else { filled as u64 };
            let now = (upto - done).min(box_tubes);
            if now > 0 {
                done += now;
                self.boxes.push(pack(closed as f64, now as u32));
            }
        }
        run.sampled = run.sampled.max(clock(at) as Ms);
        since + at
    }

    /// Boxes of a desk for those who come late: exponential after `from`, cut off when the desks close for the day.
    #[expect(clippy::too_many_arguments, reason = "one desk's numbers, called from one place")]
    fn late_boxes(
        &mut self,
        street: &Street,
        (tubes, horizon): (u64, Ms),
        from: f64,
        decay: f64,
        per_ms: f64,
        phase: f64,
        person: Stream,
        run: &mut StreetRun,
    ) {
        let day = f64::from(street.hours.max(1));
        let box_time = f64::from(street.box_time.max(1));
        // What is left of the day; those whom it does not hold come as fast as the desk can take them.
        let room = day - (from % day);
        let need = tubes as f64 / per_ms;
        let room = room.max(need.min(day));
        let cut = 1.0 - (-room / f64::from(street.late_mean.max(1))).exp();
        let mut staying = 1.0;
        let mut done = 0;
        let mut at = 0.0;
        let mut k = 0;
        let offset = person.unit(1 << 32 | 1);
        while done < tubes && at < room {
            let step = if k == 0 { box_time * phase.max(0.05) } else { box_time };
            staying *= if k == 0 { decay.powf(phase.max(0.05)) } else { decay };
            at = (at + step).min(room);
            k += 1;
            let share = ((1.0 - staying) / cut).min(1.0);
            let able = per_ms * at + 1.0;
            let upto =
                if at >= room { tubes } else { (tubes as f64 * share + offset).min(able) as u64 };
            let now = upto.min(tubes).saturating_sub(done);
            if now > 0 {
                done += now;
                let mut left = now;
                let closed = street.wall((from + at) as u64).min(u64::from(horizon)) as f64;
                run.sampled = run.sampled.max(closed as Ms);
                while left > 0 {
                    let n = left.min(u64::from(street.box_tubes));
                    self.boxes.push(pack(closed, n as u32));
                    left -= n;
                }
            }
        }
    }

    /// Vehicles take what is closed: when one is free, and a load is full or its first box has waited long enough.
    #[expect(clippy::too_many_arguments, reason = "one street's numbers, called from one place")]
    fn trips(
        &mut self,
        street: &Street,
        number: u32,
        from: Ms,
        road: Stream,
        unclean: &mut Unclean,
        trips: &mut Vec<Trip>,
        lots: &mut Vec<Lot>,
        run: &mut StreetRun,
    ) {
        self.vehicles.clear();
        // One vehicle to a box is as many as can go.
        let vehicles =
            street.vehicles.clamp(1, u32::try_from(self.boxes.len()).unwrap_or(1).max(1));
        self.vehicles.extend((0..vehicles).map(|vehicle| Reverse((from, vehicle))));
        let horizon = HORIZON_MS.max(from);
        let (mut next, mut trip) = (0, 0);
        while next < self.boxes.len() {
            let closed = |i: usize| (self.boxes[i] >> 32) as Ms;
            let tubes = |i: usize| self.boxes[i] as u32;
            let Some(Reverse((free, vehicle))) = self.vehicles.pop() else { return };
            // Full at, or held long enough.
            let held = closed(next).saturating_add(street.trip_hold);
            let (mut end, mut load) = (next, 0u64);
            let mut leave = held.max(free);
            while end < self.boxes.len() && load < u64::from(street.vehicle_tubes) {
                if closed(end) > leave {
                    break;
                }
                // A box that no longer fits goes with the next trip; a load is never empty.
                if end > next && load + u64::from(tubes(end)) > u64::from(street.vehicle_tubes) {
                    break;
                }
                load += u64::from(tubes(end));
                end += 1;
                if load >= u64::from(street.vehicle_tubes) {
                    leave = leave.min(closed(end - 1).max(free));
                }
            }
            let time = f64::from(street.travel) * (street.travel_spread * road.noise(trip)).exp();
            let time = time.min(f64::from(street.travel_max.max(1))) as Ms;
            let at = leave.saturating_add(street.handling).saturating_add(time).min(horizon);
            let next_at = leave.saturating_add(street.round_trip_min);
            self.vehicles.push(Reverse((at.saturating_add(time).max(next_at), vehicle)));
            let leave = leave.min(horizon);
            let first = lots.len() as u32;
            for i in next..end {
                let tubes = tubes(i);
                let members = unclean.members(tubes);
                lots.push(Lot { ready: closed(i), tubes, members, singles: 0 });
            }
            trips.push(Trip { at, left: leave, street: number, first, boxes: (end - next) as u32 });
            run.delivered = run.delivered.max(at);
            next = end;
            trip += 1;
        }
    }
}

/// Which tubes are unclean: clusters of neighbouring tubes at random places, so that only the unclean ones cost time.
#[derive(Debug)]
pub(super) struct Unclean {
    stream: Stream,
    k: u64,
    /// Tubes until the next unclean one; `u64::MAX` when there is none.
    skip: u64,
    /// How many are unclean from there on.
    length: u64,
    /// Probability that a cluster begins at a tube that is in none.
    begin: f64,
    cluster: f64,
    pool: u32,
}

impl Unclean {
    /// Among tubes of `pool` people.
    pub fn new(pool: u32, recall: &Recall, stream: Stream) -> Unclean {
        // A single tube that is positive is its person's result: nobody is called back.
        let unclean = if pool > 1 { recall.unclean(pool) } else { 0.0 };
        let mut new = Unclean {
            stream,
            k: 0,
            skip: u64::MAX,
            length: 0,
            // Clusters and the gaps between them: of clusters this long and gaps of (1 − b)/b, this share is unclean.
            begin: unclean / (unclean + recall.cluster * (1.0 - unclean)),
            cluster: recall.cluster,
            pool,
        };
        if new.begin > 0.0 {
            new.next();
        }
        new
    }

    fn next(&mut self) {
        let gap = self.stream.unit(2 * self.k).ln() / (1.0 - self.begin).ln();
        let more = self.cluster - 1.0;
        // Geometric with mean `cluster`, at least 1.
        let length = if more > 0.0 {
            self.stream.unit(2 * self.k + 1).ln() / (more / self.cluster).ln()
        } else {
            0.0
        };
        self.skip = if self.begin >= 1.0 { 0 } else { gap.min(1e15) as u64 };
        self.length = 1 + length.min(1e6) as u64;
        self.k += 1;
    }

    /// Members of the unclean pools among the next `tubes` tubes.
    pub fn members(&mut self, tubes: u32) -> u32 {
        if self.skip >= u64::from(tubes) {
            if self.skip != u64::MAX {
                self.skip -= u64::from(tubes);
            }
            return 0;
        }
        let (mut at, end) = (0u64, u64::from(tubes));
        let mut unclean = 0u64;
        loop {
            at += self.skip;
            if at >= end {
                self.skip = at - end;
                break;
            }
            let here = self.length.min(end - at);
            unclean += here;
            at += here;
            self.length -= here;
            self.skip = 0;
            if self.length == 0 {
                self.next();
            } else {
                break;
            }
        }
        (unclean as u32).saturating_mul(self.pool)
    }
}

/// Time from the result of unclean pools to their members' single tubes at the lab's door.
pub(super) fn recall_time(recall: &Recall, stream: Stream, k: u64) -> Ms {
    let delay = f64::from(recall.delay) * (recall.delay_spread * stream.noise(2 * k)).exp();
    let road = f64::from(recall.travel) * (0.35 * stream.noise(2 * k + 1)).exp();
    ((delay + road) as Ms).max(RECALL_MIN)
}
