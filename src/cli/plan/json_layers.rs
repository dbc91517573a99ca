//! The layers after the rules as JSON. Times are milliseconds since the start of the round (`_ms`), or hours.

use serde_json::{Value, json};

use super::Report;
use super::json::{item_key, words};
use super::known::Known;
use super::layers::Layers;
use super::layers_text::seven;
use super::moving::{Move, Moving};
use super::people;
use super::remedy::{More, Outcome, Remedy};
use super::remedy_text;
use super::words::{in_hours, in_minutes, never};
use crate::planner::apart::{Apart, Steps};
use crate::planner::assign::{Cut, LabLoad, Share};
use crate::planner::fluid::{Held, LabFlow, Transport};
use crate::planner::model::Ms;
use crate::planner::study::{Paired, Quantiles, Study};
use crate::planner::{self, City, Far, FieldMore, Item, OneMore, Shelf, StageKind};

/// All of the layers.
pub(super) fn layers(report: &Report, layers: &Layers) -> Value {
    let model = &layers.round.model;
    json!({
        "in_time": layers.in_time(),
        "finish_hours": in_hours(layers.finish()),
        "start_ms_of_day": model.midnight_offset,
        "target_ms": model.target,
        "sentence": words(&remedy_text::sentence(report, layers)),
        "flow": flow(layers),
        "assignment": assignment(&report.city, layers),
        "simulation": simulation(report, layers),
        "flow_and_rules": layers.steps(&report.city, &report.plan).as_ref().map(steps),
        "simulation_and_flow": layers.apart.as_ref().map(apart),
        "shelf": report.plan.shelf().iter().map(shelf).collect::<Vec<_>>(),
        "remedy": layers.remedy.as_ref().map(|found| remedy(&report.city, layers, found)),
    })
}

/// What one round lacks of an article on the shelf.
fn shelf(lacks: &Shelf) -> Value {
    json!({
        "item": item_key(lacks.item),
        "item_name": words(&lacks.item.name()),
        "short": lacks.short,
        "have": lacks.have,
        "places": lacks.places.iter().map(|(code, _)| code).collect::<Vec<_>>(),
    })
}

/// The layers of a changed city: when it is done, without the tables.
pub(super) fn brief(layers: &Layers) -> Value {
    let lab = layers.flow.last_lab();
    json!({
        "in_time": layers.in_time(),
        "finish_hours": in_hours(layers.finish()),
        "flow_hours": in_hours(layers.flow.finish),
        "last_lab": lab.map(|lab| lab_code(layers, lab)),
        "binding": lab.map(|lab| layers.flow.labs[lab].binding.key()),
        "simulated_hours": layers.study.as_ref().map(|study| quantiles(&study.finish)),
        "in_time_probability": layers.study.as_ref().and_then(Study::probability),
    })
}

/// A time: milliseconds and hours.
pub(super) fn time(at: Ms) -> Value {
    json!({ "ms": at, "hours": in_hours(at) })
}

fn lab_code(layers: &Layers, lab: usize) -> &str {
    layers.round.labs.get(lab).map_or("", |(code, _)| code)
}

fn flow(layers: &Layers) -> Value {
    let flow = &layers.flow;
    let labs = flow.labs.iter().enumerate().map(|(i, lab)| lab_flow(layers, i, lab));
    json!({
        "sampled": time(flow.sampled),
        "delivered": time(flow.delivered),
        "finish": time(flow.finish),
        "closed": time(flow.closed),
        "in_time": flow.finish <= layers.round.model.target,
        "last_lab": flow.last_lab().map(|lab| lab_code(layers, lab)),
        "labs": labs.collect::<Vec<_>>(),
    })
}

/// One lab of the flows.
pub(super) fn lab_flow(layers: &Layers, number: usize, lab: &LabFlow) -> Value {
    let model = &layers.round.model;
    let stages = StageKind::ALL.map(|kind| {
        let k = kind.index();
        let stage = &lab.stages[k];
        json!({
            "stage": kind.key(),
            "done": time(stage.last),
            "binds_from": layers.binds_from(number, kind).map(time),
            "waiting_max_tubes": stage.waiting_max.round(),
            "alone": time(lab.alone[k]),
            "slack_hours": slack(model.target, lab.alone[k]),
            "units_working": model.labs[number].stages[k].units,
            "units_needed": lab.units_needed[k],
            "one_more_saves_ms": layers.one_more[number][k].saves.lab,
            "one_more_saves_city_ms": layers.one_more[number][k].saves.city,
            "one_more": one_more(&layers.one_more[number][k]),
        })
    });
    json!({
        "lab": lab_code(layers, number),
        "tubes": lab.tubes,
        "recalled": lab.recalled,
        "delivered": time(lab.delivered),
        "finish": time(lab.finish),
        "closed": time(lab.closed),
        "binding": lab.binding.key(),
        "held_by": held_by(lab.held),
        "chain": time(lab.chain),
        "first_result": time(lab.soonest),
        "transport": lab.transport.as_ref().map(|of| transport(layers, of)),
        "binds_from": layers.binds_from(number, lab.binding).map(time),
        "stages": stages,
        "field_more": layers.field_more[number].as_ref().map(|all| {
            all.iter().map(|one| field_more(layers, one)).collect::<Vec<_>>()
        }),
    })
}

/// The vehicles for which the last tubes of a lab wait.
fn transport(layers: &Layers, of: &Transport) -> Value {
    json!({
        "street": layers.round.streets.get(of.street).map(|street| street.code.as_str()),
        "binds_from": of.since.map(time),
        "vehicles": of.vehicles,
        "vehicles_needed": of.needed,
        "enough_for_the_target": of.in_time,
        "streets": of.streets,
    })
}

/// One more of what the street has that this lab waits for longest, and what it saves.
fn field_more(layers: &Layers, one: &FieldMore) -> Value {
    let [desks, samplers, registrars] = one.takes;
    json!({
        "street": layers.round.problem.streets.get(one.street).map(|street| street.code.as_str()),
        "item": one.item.key(),
        "desks": desks,
        "samplers": samplers,
        "registrars": registrars,
        "saves_lab_ms": one.saves.lab,
        "saves_city_ms": one.saves.city,
    })
}

/// From the arithmetic to the flows, step by step.
fn steps(of: &Steps) -> Value {
    let by = of.by.iter().enumerate().map(|(i, (step, ms))| {
        let known = i < of.known().len();
        json!({ "step": step.key(), "ms": known.then_some(ms) })
    });
    json!({
        "ms": of.endless.is_none().then_some(of.gap),
        "steps": by.collect::<Vec<_>>(),
        "left_ms": of.left,
        "sentence": words(&of.words()),
    })
}

/// Why the simulation is later than the flows, or earlier.
fn apart(of: &Apart) -> Value {
    let by = of.by.iter().map(|(effect, ms)| json!({ "effect": effect.key(), "ms": ms }));
    json!({
        "ms": of.gap,
        "median_ms": of.median,
        "by": by.collect::<Vec<_>>(),
        "left_ms": of.left,
        "replications": of.replications,
        "sentence": words(&of.words()),
    })
}

/// What one more unit is: of which stage, how many units and people it takes.
fn one_more(one: &OneMore) -> Value {
    json!({ "stage": one.stage.key(), "units": one.units, "people": one.people })
}

/// What keeps a lab from being done sooner.
pub(super) fn held_by(held: Held) -> &'static str {
    match held {
        Held::Backlog => "backlog",
        Held::Rest => "rest",
        Held::Run => "run",
        Held::Stages => "stages",
        Held::Transport => "transport",
        Held::Way => "way",
    }
}

/// Hours to the target, negative when it is late; none of what is never done.
pub(super) fn slack(target: Ms, at: Ms) -> Option<f64> {
    let hours = (i64::from(target) - i64::from(at)) as f64 / 36e5;
    (!never(at)).then(|| (hours * 100.0).round() / 100.0)
}

fn assignment(city: &City, layers: &Layers) -> Value {
    let (of, problem) = (&layers.round.assignment, &layers.round.problem);
    let lab = |lab: usize| lab_code(layers, lab);
    let street = |street: usize| problem.streets.get(street).map_or("", |s| s.code.as_str());
    let share = |share: &Share| {
        json!({
            "street": street(share.street),
            "lab": lab(share.lab),
            "tubes": share.tubes,
            "minutes": share.minutes,
            "km": share.km,
        })
    };
    let load = |(i, load): (usize, &LabLoad)| {
        let more = layers.best_more(i);
        json!({
            "lab": lab(i),
            "tubes_per_hour": problem.labs.get(i).map(|lab| lab.rate),
            "outside": problem.labs.get(i).map(|lab| lab.outside),
            "streets": load.streets,
            "tubes": load.tubes,
            "finish_hours": load.finish_h,
            "one_more_saves_city_minutes": more.map(|more| in_minutes(more.saves.city)),
            "one_more_saves_lab_minutes": more.map(|more| in_minutes(more.saves.lab)),
            "one_more": more.as_ref().map(one_more),
        })
    };
    let far = |far: &Far| {
        json!({
            "street": street(layers.round.source[far.street]),
            "lab": lab(far.lab),
            "minutes": in_minutes(far.way.into()),
            "limit_minutes": in_minutes(far.limit.into()),
        })
    };
    let cut = |cut: &Cut| {
        json!({
            "streets": cut.streets.iter().map(|&i| street(i)).collect::<Vec<_>>(),
            "labs": cut.labs.iter().map(|&i| lab(i)).collect::<Vec<_>>(),
            "tubes": cut.tubes,
            "tubes_per_hour": cut.rate,
            "hours": cut.hours,
        })
    };
    let then = of.then.iter().flat_map(|bound| &bound.cuts).map(cut);
    let last = planner::at_the_last(city, &layers.flow, &layers.one_more).map(|last| {
        json!({
            "lab": lab(last.one.lab),
            "one_more": one_more(&last.one),
            "saves_city_minutes": in_minutes(last.one.saves.city),
            "saves_city_assigned_anew_minutes": last.anew.map(in_minutes),
            "sentence": words(&last.words(city)),
        })
    });
    let whole = of
        .whole
        .lab_of
        .iter()
        .enumerate()
        .map(|(i, to)| json!({ "street": street(i), "lab": to.map(lab) }));
    json!({
        "sentence": words(&of.words),
        "bound_hours": of.whole.bound_h,
        "own_bound_hours": of.bound.hours,
        "bound_with_outside_hours": of.bound_with_outside.as_ref().map(|bound| bound.hours),
        "aim_hours": of.aim_h,
        "cuts": of.bound.cuts.iter().map(cut).collect::<Vec<_>>(),
        "then": then.collect::<Vec<_>>(),
        "one_more_at_the_last": last,
        "over_limit": planner::far(&layers.round).iter().map(far).collect::<Vec<_>>(),
        "one_to_one": layers.one_to_one,
        "one_to_one_hours": of.whole.finish_h,
        "one_to_one_least_hours": of.whole.least_h,
        "one_to_one_gap": of.whole.gap,
        "labs": layers.loads().iter().enumerate().map(load).collect::<Vec<_>>(),
        "streets": whole.collect::<Vec<_>>(),
        "divided": of.shares.sent.iter().map(share).collect::<Vec<_>>(),
        "overflow": {
            "tubes": of.overflow.tubes,
            "sent": of.overflow.sent.iter().map(share).collect::<Vec<_>>(),
        },
    })
}

/// Quantiles, in hours.
pub(super) fn quantiles(q: &Quantiles) -> Value {
    let [p05, p10, p25, p50, p75, p90, p95] = seven(q).map(in_hours);
    json!({ "p05": p05, "p10": p10, "p25": p25, "p50": p50, "p75": p75, "p90": p90, "p95": p95 })
}

fn simulation(report: &Report, layers: &Layers) -> Value {
    let Some(study) = &layers.study else { return Value::Null };
    let labs = study.labs.iter().zip(&study.bottlenecks).enumerate().map(|(i, (q, busiest))| {
        json!({
            "lab": lab_code(layers, i),
            "finish_hours": quantiles(q),
            "busiest": busiest.key(),
        })
    });
    let streets = study.streets.iter().zip(&layers.round.streets).map(|(q, street)| {
        json!({
            "district": street.district,
            "street": street.code,
            "finish_hours": quantiles(q),
        })
    });
    json!({
        "replications": study.replications,
        "seed": report.dice.seed,
        "in_time_probability": study.probability(),
        "sampled_hours": quantiles(&study.sampled),
        "delivered_hours": quantiles(&study.delivered),
        "finish_hours": quantiles(&study.finish),
        "closed_hours": quantiles(&study.closed),
        "recalled_mean": study.recalled,
        "labs": labs.collect::<Vec<_>>(),
        "streets": streets.collect::<Vec<_>>(),
    })
}

fn outcome(layers: &Layers, outcome: &Outcome) -> Value {
    json!({
        "enough": outcome.finish() <= layers.round.model.target,
        "finish_hours": in_hours(outcome.finish()),
        "flow_hours": in_hours(outcome.fluid),
        "simulated_hours": outcome.simulated.as_ref().map(quantiles),
        "in_time_probability": outcome.in_time,
    })
}

/// A comparison in pairs, in minutes.
pub(super) fn paired(paired: &Paired) -> Value {
    let minutes = |ms: f64| (ms / 600.0).round() / 100.0;
    json!({
        "pairs": paired.pairs,
        "before_minutes": minutes(paired.before),
        "after_minutes": minutes(paired.after),
        "saved_minutes": minutes(paired.saved),
        "half_width_minutes": paired.half_width.map(minutes),
    })
}

fn more(city: &City, layers: &Layers, more: &More) -> Value {
    let takes = people::of_desks(city, layers, &more.desks);
    let desks = more.desks.iter().zip(takes).map(|(desks, take)| {
        let street = layers.round.streets.get(desks.street);
        json!({
            "street": street.map(|s| s.code.as_str()),
            "now": desks.now,
            "more": desks.more,
            "idle": u64::from(desks.more).saturating_sub(take.desks),
            "samplers": take.samplers,
            "registrars": take.registrars,
        })
    });
    let vehicles = more.vehicles.iter().map(|vehicles| {
        let street = layers.round.streets.get(vehicles.street);
        json!({
            "street": street.map(|s| s.code.as_str()),
            "now": vehicles.now,
            "more": vehicles.more,
        })
    });
    let units = more.units.iter().map(|units| {
        let take = people::of_units(city, units);
        json!({
            "lab": lab_code(layers, units.lab),
            "stage": units.stage.key(),
            "name": words(&Item::LabUnit(units.stage).name()),
            "now": units.now,
            "more": units.more,
            "idle": take.idle,
            "people": take.people,
        })
    });
    let held = more.held.iter().map(|held| {
        json!({
            "lab": lab_code(layers, held.lab),
            "stage": held.stage.key(),
            "name": words(&Item::LabUnit(held.stage).name()),
            "units": held.units,
        })
    });
    let [samplers, registrars, staff] = people::of_all(city, layers, more);
    json!({
        "people": { "samplers": samplers, "registrars": registrars, "staff": staff },
        "desks": desks.collect::<Vec<_>>(),
        "vehicles": vehicles.collect::<Vec<_>>(),
        "units": units.collect::<Vec<_>>(),
        "held": held.collect::<Vec<_>>(),
        "outcome": outcome(layers, &more.outcome),
        "least": more.least,
        "paired": more.paired.as_ref().map(|(lab, pairs)| {
            json!({ "lab": lab_code(layers, *lab), "result": paired(pairs) })
        }),
    })
}

fn moves(layers: &Layers, moves: &[Move]) -> Value {
    let one = |m: &Move| {
        json!({
            "from": lab_code(layers, m.from),
            "to": lab_code(layers, m.to),
            "tubes": m.tubes,
            "streets": m.streets.iter().map(|&street| &layers.round.streets[street].code).collect::<Vec<_>>(),
            "serves_the_district": m.serves,
        })
    };
    moves.iter().map(one).collect()
}

fn remedy(city: &City, layers: &Layers, remedy: &Remedy) -> Value {
    let moving = match &remedy.moving {
        Moving::Pointless => Value::Null,
        Moving::NoRoom { excess, room, whole } => {
            json!({ "excess_tubes": excess, "room_tubes": room, "whole_streets": whole })
        }
        Moving::Moves { moves: list, outcome: brings, least } => json!({
            "moves": moves(layers, list),
            "outcome": outcome(layers, brings),
            "least": least,
        }),
    };
    json!({
        "search": {
            "tries": remedy.searched.tries,
            "left_out_at_least": remedy.searched.left_out,
            "tubes_max": remedy.searched.tubes_max,
            "confirmed_with": remedy.searched.confirmed_with,
        },
        "more": remedy.more.as_ref().map(|found| more(city, layers, found)),
        "moving": moving,
        "both": remedy.both.as_ref().map(|both| json!({
            "moves": moves(layers, &both.moves),
            "least": both.least,
            "more": more(city, layers, &both.more),
        })),
        "most_tried": remedy.beyond.as_ref().map(|beyond| json!({
            "lab": lab_code(layers, beyond.lab),
            "finish_hours": in_hours(beyond.finish),
            "held_by": held_by(beyond.flow.held),
            "sampled": time(beyond.sampled),
            "delivered": time(beyond.flow.delivered),
            "chain": time(beyond.flow.chain),
        })),
        "units_and_desks": Known::of(layers, remedy).key(),
        "enough": remedy.nearest().is_some_and(|at| at <= layers.round.model.target),
        "nearest_hours": remedy.nearest().map(in_hours),
    })
}
