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
    /// What became of each fact.
    pub places: Places,
}

/// What became of each fact of a message when it was read.
#[derive(Default)]
pub struct Places {
    /// The number of each fact, in order; 0 = it has none.
    numbers: Vec<u64>,
    /// Those that were refused, by index, ascending. The others went to the engine.
    refused: Vec<(usize, Error)>,
    /// Those of another source or epoch than the stream's, by index, ascending.
    foreign: Vec<usize>,
}

#[cfg(test)]
impl Places {
    /// Facts of the stream itself, some of them refused.
    pub fn of(numbers: Vec<u64>, refused: Vec<(usize, Error)>) -> Places {
        Places { numbers, refused, foreign: Vec::new() }
    }
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
        return Err(Error::many_facts());
    }
    let reference = shared.handle.feed().reference();
    let recorded_round = |id: &FactId| {
        let first = shared.handle.read().event_of_fact(id).ok().flatten()?;
        Some(first.stamps.round)
    };
    let mut context = shared.context(&reference, stream);
    context.clock_offset_ms = clock_offset_ms;
    context.recorded_round = &recorded_round;
    let mut submissions = Vec::with_capacity(facts.len());
    let mut places = Places { numbers: Vec::with_capacity(facts.len()), ..Places::default() };
    for (index, wire) in facts.iter().enumerate() {
        places.numbers.push(wire.id.as_ref().map_or(0, |id| id.number));
        match context.fact(wire) {
            Ok(fact) => {
                let of_stream = |(source, epoch): &(Code, u64)| {
                    fact.id.source == *source && fact.id.epoch == *epoch
                };
                if stream.is_some_and(|stream| !of_stream(stream)) {
                    places.foreign.push(index);
                }
                submissions.push(Submission { fact, clock_offset_ms });
            }
            Err(error) => places.refused.push((index, error)),
        }
    }
    Ok(Taken { submissions, places })
}

/// True when each fact of the message is in the log: then there is no outcome that a source has to
/// act upon.
pub fn all_recorded(places: &Places, receipt: &Receipt) -> bool {
    let recorded = |outcome: &Outcome| !matches!(outcome, Outcome::IdReused { .. });
    places.refused.is_empty()
        && receipt.outcomes.len() == places.numbers.len()
        && receipt.outcomes.iter().all(recorded)
}

/// The outcome of each fact, in order. `receipt` answers those that went to the engine.
pub fn outcomes(places: &Places, receipt: &Receipt) -> Vec<pb::FactOutcome> {
    let mut refusals = places.refused.iter().peekable();
    let mut answers = receipt.outcomes.iter();
    let told = places.numbers.iter().enumerate().map(|(index, number)| {
        if let Some((_, error)) = refusals.next_if(|(at, _)| *at == index) {
            return refused(index, *number, error);
        }
        match answers.next() {
            Some(answer) => outcome(index, *number, answer),
            // The engine answers each submission; without an answer nothing may be called recorded.
            None => refused(index, *number, &Error::Broken),
        }
    });
    told.collect()
}

/// The numbers of the stream's own facts that are in the log.
pub fn recorded<'a>(places: &'a Places, receipt: &'a Receipt) -> impl Iterator<Item = u64> + 'a {
    let mut refusals = places.refused.iter().map(|(index, _)| *index).peekable();
    let mut foreign = places.foreign.iter().copied().peekable();
    let sent = places.numbers.iter().enumerate();
    let sent = sent.filter(move |(index, _)| refusals.next_if_eq(index).is_none());
    sent.zip(&receipt.outcomes).filter_map(move |((index, number), outcome)| {
        let of_stream = foreign.next_if_eq(&index).is_none();
        let recorded = !matches!(outcome, Outcome::IdReused { .. });
        (of_stream && recorded).then_some(*number)
    })
}

/// Sends what was read to the engine and waits until it is durable.
pub async fn submit(shared: &Shared, submissions: Vec<Submission>) -> Result<Receipt, Error> {
    match submissions.is_empty() {
        true => Ok(Receipt { outcomes: Vec::new(), times: Default::default() }),
        false => Ok(shared.handle.submit(submissions).await?),
    }
}
