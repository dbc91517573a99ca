//! The way of facts in: each is read by itself, so that a bad one stops no other; what can be
//! understood goes to the engine together.

use super::convert::receipt::{outcome, refused};
use super::errors::Error;
use super::limits::FACTS_MAX;
use super::pb;
use super::shared::Shared;
use crate::domain::fact::FactId;
use crate::domain::words::Code;
use crate::engine::{Outcome, Receipt, Submission};

/// Facts that were read.
pub struct Taken {
    /// What goes to the engine.
    pub submissions: Vec<Submission>,
    /// What became of each fact, in order.
    pub places: Vec<Place>,
}

/// What became of one fact when it was read.
pub struct Place {
    number: u64,
    read: Result<FactId, Error>,
}

/// Reads facts. Fails only when there are none or too many.
pub fn take(
    shared: &Shared,
    facts: &[pb::Fact],
    stream: Option<&(Code, u64)>,
    clock_offset_ms: i64,
) -> Result<Taken, Error> {
    if facts.is_empty() {
        return Err(Error::EmptyBatch);
    }
    if facts.len() > FACTS_MAX {
        let unit = ("条记录", "facts");
        return Err(Error::TooLarge { field: "facts".into(), limit: FACTS_MAX, unit });
    }
    let reference = shared.handle.feed().reference();
    let recorded_round = |id: &FactId| {
        let first = shared.handle.read().event_of_fact(id).ok().flatten()?;
        Some(first.stamps.round)
    };
    let mut context = shared.context(&reference, stream);
    context.clock_offset_ms = clock_offset_ms;
    context.recorded_round = &recorded_round;
    let mut taken = Taken { submissions: Vec::with_capacity(facts.len()), places: Vec::new() };
    for wire in facts {
        let read = context.fact(wire).map(|fact| {
            let id = fact.id.clone();
            taken.submissions.push(Submission { fact, clock_offset_ms });
            id
        });
        let number = wire.id.as_ref().map_or(0, |id| id.number);
        taken.places.push(Place { number, read });
    }
    Ok(taken)
}

/// The outcome of each fact, in order. `receipt` answers those that went to the engine.
pub fn outcomes(places: &[Place], receipt: &Receipt) -> Vec<pb::FactOutcome> {
    let mut answers = receipt.outcomes.iter();
    let told = places.iter().enumerate().map(|(index, place)| match &place.read {
        Err(error) => refused(index, place.number, error),
        Ok(_) => match answers.next() {
            Some(answer) => outcome(index, place.number, answer),
            // The engine answers each submission; without an answer nothing may be called recorded.
            None => refused(index, place.number, &Error::Broken),
        },
    });
    told.collect()
}

/// The ids of facts that are in the log.
pub fn recorded<'a>(places: &'a [Place], receipt: &'a Receipt) -> impl Iterator<Item = &'a FactId> {
    let ids = places.iter().filter_map(|place| place.read.as_ref().ok());
    ids.zip(&receipt.outcomes).filter_map(|(id, outcome)| match outcome {
        Outcome::Recorded { .. } | Outcome::Duplicate { .. } => Some(id),
        Outcome::IdReused { .. } => None,
    })
}

/// Sends what was read to the engine and waits until it is durable.
pub async fn submit(shared: &Shared, submissions: Vec<Submission>) -> Result<Receipt, Error> {
    match submissions.is_empty() {
        true => Ok(Receipt { outcomes: Vec::new(), times: Default::default() }),
        false => Ok(shared.handle.submit(submissions).await?),
    }
}
