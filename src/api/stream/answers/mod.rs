//! The answers of a stream, in the order of its messages. Each waits for the engine; with
//! WATERMARK_ONLY those that are there at the same time become one.

use super::super::convert::receipt;
use super::super::errors::Error;
use super::super::intake::{self, Places};
use super::super::pb;
use crate::domain::source::SourceState;
use crate::engine::{self, Receipt, Times};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

/// A message that was taken in.
pub(super) struct Pending {
    pub message_number: u64,
    pub places: Places,
    pub answer: Answer,
}

/// Where the answer to a message comes from.
pub(super) enum Answer {
    /// From the engine.
    Coming(oneshot::Receiver<Result<Receipt, engine::Error>>),
    /// It is known: nothing went to the engine.
    Known(Result<Receipt, Error>),
}

impl Answer {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Receipt, Error>> {
        match self {
            Answer::Known(answer) => {
                // It is taken once: who polls takes the message out of the queue with it.
                Poll::Ready(std::mem::replace(answer, Err(Error::Broken)))
            }
            Answer::Coming(coming) => Poll::Ready(match ready!(Pin::new(coming).poll(context)) {
                Ok(answer) => answer.map_err(Error::from),
                Err(_) => Err(Error::ShuttingDown),
            }),
        }
    }
}

/// An answer, and why the stream takes nothing more after it, if so.
pub(super) type Told = (pb::Acknowledgement, Option<Error>);

/// What was taken and is not answered yet.
pub(super) struct Answers {
    waiting: VecDeque<Pending>,
    /// An answer that came while others were put together and has to stand alone.
    alone: Option<(Pending, Result<Receipt, Error>)>,
    state: SourceState,
    each_fact: bool,
}

impl Answers {
    pub fn new(state: SourceState, each_fact: bool) -> Answers {
        Answers { waiting: VecDeque::new(), alone: None, state, each_fact }
    }

    /// Messages that were taken and are not answered yet.
    pub fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.alone.is_some())
    }

    pub fn push(&mut self, pending: Pending) {
        self.waiting.push_back(pending);
    }

    /// The next answer, when it is there.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Told>> {
        let Some((first, answer)) = ready!(self.next(context)) else { return Poll::Ready(None) };
        let receipt = match answer {
            Ok(receipt) => receipt,
            Err(error) => return Poll::Ready(Some(self.refuse(&first, error))),
        };
        if self.each_fact || !intake::all_recorded(&first.places, &receipt) {
            return Poll::Ready(Some((self.acknowledge(&first, &receipt), None)));
        }
        // Everything in it is recorded: nothing but the watermark has to be told, so the answers
        // behind it that are there can be told with it.
        self.note(&first.places, &receipt);
        let (mut last, mut messages, mut times) = (first.message_number, 1, receipt.times);
        while let Poll::Ready(Some((pending, answer))) = self.next(context) {
            match answer {
                Ok(receipt) if intake::all_recorded(&pending.places, &receipt) => {
                    self.note(&pending.places, &receipt);
                    last = pending.message_number;
                    messages += 1;
                    times = longest(&times, &receipt.times);
                }
                answer => {
                    self.alone = Some((pending, answer));
                    break;
                }
            }
        }
        let told = pb::Acknowledgement {
            message_number: last,
            refusal: None,
            outcomes: Vec::new(),
            watermark: self.state.watermark(),
            times: Some(receipt::times(&times)),
            messages,
        };
        Poll::Ready(Some((told, None)))
    }

    /// The next message with its answer, taken out of the queue; `None` when nothing waits.
    fn next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Pending, Result<Receipt, Error>)>> {
        if let Some(alone) = self.alone.take() {
            return Poll::Ready(Some(alone));
        }
        let Some(front) = self.waiting.front_mut() else { return Poll::Ready(None) };
        let answer = ready!(front.answer.poll(context));
        Poll::Ready(self.waiting.pop_front().map(|pending| (pending, answer)))
    }

    fn acknowledge(&mut self, pending: &Pending, receipt: &Receipt) -> pb::Acknowledgement {
        self.note(&pending.places, receipt);
        let mut outcomes = intake::outcomes(&pending.places, receipt);
        if !self.each_fact {
            outcomes.retain(|outcome| outcome.outcome() == pb::Outcome::Refused);
        }
        pb::Acknowledgement {
            message_number: pending.message_number,
            refusal: None,
            outcomes,
            watermark: self.state.watermark(),
            times: Some(receipt::times(&receipt.times)),
            messages: 1,
        }
    }

    fn refuse(&self, pending: &Pending, error: Error) -> Told {
        let refused = pb::Acknowledgement {
            message_number: pending.message_number,
            refusal: Some(error.refusal()),
            outcomes: Vec::new(),
            watermark: self.state.watermark(),
            times: None,
            messages: 1,
        };
        (refused, error.ends_stream().then_some(error))
    }

    fn note(&mut self, places: &Places, receipt: &Receipt) {
        for number in intake::recorded(places, receipt) {
            self.state.note(number);
        }
    }
}

fn longest(one: &Times, other: &Times) -> Times {
    Times {
        waiting_us: one.waiting_us.max(other.waiting_us),
        deciding_us: one.deciding_us.max(other.deciding_us),
        disk_us: one.disk_us.max(other.disk_us),
    }
}

#[cfg(test)]
mod tests;
