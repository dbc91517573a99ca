//! One-to-one (一一对应): every street sends to exactly one lab.
//!
//! The divided streets of the flow go whole to the lab that has most of their tubes. Then the lab that ends last gives
//! a street away or exchanges one, again and again, the best exchange each time even if it is none (tabu search, Glover
//! 1989: what was given away does not come back at once). Then ways are shortened without any lab ending later than the
//! last. How long it searches is counted in looks at an exchange, not in seconds: the same question has the same answer.

use super::level::Level;
use super::net::Net;
use super::place::Place;

/// Looks at an exchange, at most, in each search; about 10 ns each.
const LOOKS: u64 = 12_000_000;
/// Steps per street, at most. Small problems are done long before they have used up their looks.
const STEPS_PER_STREET: u64 = 60;
/// Close enough to what cannot be beaten: 0.1 %. What is left of the search is better spent on shorter ways.
pub(super) const NEAR_ENOUGH: f64 = 1.001;
/// Rounds of shortening ways, at most.
const ROUNDS: usize = 40;

/// The arc per street where each goes whole: most tubes first, then the cheaper way. Streets without tubes: cheapest.
pub(super) fn rounded(net: &Net, cost: &[i64], sent: &[u64]) -> Vec<Option<usize>> {
    let best = |street: usize| {
        net.arcs_of(street).min_by_key(|&arc| (std::cmp::Reverse(sent[arc]), cost[arc]))
    };
    (0..net.streets()).map(best).collect()
}

/// Improves on `start`: first the finish, as far as it is later than `floor_h`, then the cost.
pub(super) fn improve(
    net: &Net,
    cost: &[i64],
    start: &[Option<usize>],
    floor_h: f64,
) -> Vec<Option<usize>> {
    let mut place = Place::new(net, start);
    let goal_h = floor_h * NEAR_ENOUGH;
    earlier(net, cost, &mut place, goal_h, LOOKS);
    if place.last().1 > goal_h {
        // From the other side: the fewest tube-hours, which also fill the labs evenly, whatever the way.
        let mut level = Level::free(Place::new(net, start), net);
        level.settle();
        let mut even = level.place;
        earlier(net, cost, &mut even, goal_h, LOOKS);
        if even.last().1 < place.last().1 {
            place = even;
        }
    }
    let ceiling = place.last().1.max(goal_h);
    shorter(net, cost, &mut place, ceiling);
    place.arcs()
}

/// A street to another lab, and perhaps one of that lab's in exchange.
#[derive(Clone, Copy)]
struct Step {
    street: usize,
    arc: usize,
    exchange: Option<(usize, usize)>,
}

/// Searches for an earlier finish until `goal_h`; the cost breaks ties only.
pub(super) fn earlier<'a>(
    net: &'a Net,
    cost: &[i64],
    place: &mut Place<'a>,
    goal_h: f64,
    mut looks: u64,
) {
    let steps = STEPS_PER_STREET * net.streets() as u64;
    let mut best = (place.last().1, place.arcs());
    let mut closed_until = vec![0; net.arcs()];
    let mut incoming: Vec<Vec<(usize, usize)>> = vec![Vec::new(); net.labs()];
    for step in 1..=steps {
        let (late, hours) = place.last();
        if hours < best.0 {
            best = (hours, place.arcs());
        }
        if hours <= goal_h || looks == 0 {
            break;
        }
        incoming.iter_mut().for_each(Vec::clear);
        for &arc in net.arcs_into(late) {
            let street = net.street_of[arc];
            if net.tubes[street] > 0 && place.lab(street) != late && closed_until[arc] < step {
                incoming[place.lab(street)].push((street, arc));
            }
        }
        let open = |arc: usize| closed_until[arc] < step;
        let Some(found) = best_step(net, cost, place, late, &incoming, open, &mut looks) else {
            continue;
        };
        // What leaves stays away for some steps, not always as many, or the search runs in circles.
        let away = 6 + step % 11;
        let mut put = |street: usize, arc: usize| {
            if let Some(left) = place.arc(street) {
                closed_until[left] = step + away;
            }
            place.put(street, arc);
        };
        put(found.street, found.arc);
        if let Some((street, arc)) = found.exchange {
            put(street, arc);
        }
    }
    if best.0 < place.last().1 {
        *place = Place::new(net, &best.1);
    }
}

/// The step away from lab `late` after which the later of the two labs ends earliest, then the cheapest.
fn best_step(
    net: &Net,
    cost: &[i64],
    place: &Place,
    late: usize,
    incoming: &[Vec<(usize, usize)>],
    open: impl Fn(usize) -> bool,
    looks: &mut u64,
) -> Option<Step> {
    let mut best: Option<(f64, i128, Step)> = None;
    let (head, rate) = (net.head_start[late], net.rate[late]);
    for &street in &place.members[late] {
        let tubes = net.tubes[street];
        let rest = place.load[late] - tubes;
        let left = place.arc(street)?;
        for arc in net.arcs_of(street) {
            let to = net.lab_of[arc];
            if to == late || !open(arc) {
                continue;
            }
            let full = place.load[to] + tubes;
            let mut look = |back: u64, exchange: Option<(usize, usize)>| {
                let here = head + (rest + back) as f64 / rate;
                let there = net.head_start[to] + (full - back) as f64 / net.rate[to];
                let later = here.max(there);
                if best.as_ref().is_some_and(|best| later > best.0) {
                    return;
                }
                let mut dearer = i128::from(tubes) * i128::from(cost[arc] - cost[left]);
                if let Some((other, into)) = exchange
                    && let Some(from) = place.arc(other)
                {
                    dearer += i128::from(back) * i128::from(cost[into] - cost[from]);
                }
                if best.as_ref().is_none_or(|best| later < best.0 || dearer < best.1) {
                    best = Some((later, dearer, Step { street, arc, exchange }));
                }
            };
            look(0, None);
            for &(other, into) in &incoming[to] {
                if net.tubes[other] < tubes {
                    look(net.tubes[other], Some((other, into)));
                }
            }
            *looks = looks.saturating_sub(1 + incoming[to].len() as u64);
        }
    }
    best.map(|best| best.2)
}

/// Moves and exchanges that cost less and let no lab end after `ceiling_h`, until there are none.
fn shorter(net: &Net, cost: &[i64], place: &mut Place, ceiling_h: f64) {
    let fits = |lab: usize, load: u64| net.finish_h(lab, load) <= ceiling_h;
    let mut looks = LOOKS;
    for _ in 0..ROUNDS {
        let mut changed = false;
        for street in (0..net.streets()).filter(|&street| net.tubes[street] > 0) {
            let tubes = net.tubes[street];
            let (from, Some(left)) = (place.lab(street), place.arc(street)) else { continue };
            let mut best: Option<(i128, Step)> = None;
            for arc in net.arcs_of(street).filter(|&arc| arc != left) {
                let to = net.lab_of[arc];
                let saved = i128::from(cost[left] - cost[arc]) * i128::from(tubes);
                let full = place.load[to] + tubes;
                let rest = place.load[from] - tubes;
                let mut look = |saved: i128, step: Step| {
                    if saved > best.as_ref().map_or(0, |best| best.0) {
                        best = Some((saved, step));
                    }
                };
                if fits(to, full) {
                    look(saved, Step { street, arc, exchange: None });
                    continue;
                }
                looks = looks.saturating_sub(1 + place.members[to].len() as u64);
                for &other in &place.members[to] {
                    let back = net.tubes[other];
                    let (Some(into), Some(out)) = (net.arc(other, from), place.arc(other)) else {
                        continue;
                    };
                    if fits(to, full - back) && fits(from, rest + back) {
                        let also = i128::from(cost[out] - cost[into]) * i128::from(back);
                        let exchange = Some((other, into));
                        look(saved + also, Step { street, arc, exchange });
                    }
                }
            }
            if let Some((_, step)) = best {
                place.put(step.street, step.arc);
                if let Some((other, into)) = step.exchange {
                    place.put(other, into);
                }
                changed = true;
            }
        }
        if !changed || looks == 0 {
            return;
        }
    }
}
