//! Which messages are answered together, and which alone.

use super::*;
use crate::engine::Outcome;
use std::task::Waker;

type Sent = oneshot::Sender<Result<Receipt, engine::Error>>;

/// A message of one fact with this number.
fn message(number: u64, refused: Vec<(usize, Error)>) -> (Sent, Pending) {
    let (sent, coming) = oneshot::channel();
    let places = Places::of(vec![number], refused);
    (sent, Pending { message_number: number, places, answer: Answer::Coming(coming) })
}

fn receipt(outcomes: Vec<Outcome>, disk_us: u64) -> Receipt {
    Receipt { outcomes, times: Times { disk_us, ..Times::default() } }
}

fn recorded(seq: u64) -> Receipt {
    receipt(vec![Outcome::Recorded { seq, found: Default::default() }], seq)
}

/// All that can be told now: message number, messages, watermark, whether it tells a refusal.
fn told(answers: &mut Answers) -> Vec<(u64, u32, u64, bool)> {
    let mut context = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    while let Poll::Ready(Some((ack, _))) = answers.poll(&mut context) {
        let refuses = ack.refusal.is_some() || !ack.outcomes.is_empty();
        all.push((ack.message_number, ack.messages, ack.watermark, refuses));
    }
    all
}

/// Ten messages: the fourth is refused, of the seventh the only fact is, the eighth's fact has
/// another's id. The ninth is not there yet.
fn ten(each_fact: bool) -> (Answers, Vec<Sent>) {
    let mut answers = Answers::new(SourceState::default(), each_fact);
    let mut late = Vec::new();
    for number in 1..=10 {
        let refused = match number {
            7 => vec![(0, Error::NoBarcode { field: "tube".into() })],
            _ => Vec::new(),
        };
        let (sent, pending) = message(number, refused);
        answers.push(pending);
        let _ = match number {
            4 => sent.send(Err(engine::Error::Overloaded { cause: "test", retry_after_ms: 1 })),
            7 => sent.send(Ok(receipt(Vec::new(), 0))),
            8 => sent.send(Ok(receipt(vec![Outcome::IdReused { seq: 1 }], 0))),
            9 => {
                late.push(sent);
                Ok(())
            }
            _ => sent.send(Ok(recorded(number))),
        };
    }
    (answers, late)
}

#[test]
fn messages_that_are_there_together_are_told_together_and_a_refused_one_alone() {
    let (mut answers, mut late) = ten(false);
    let first = [(3, 3, 3, false), (4, 1, 3, true), (6, 2, 3, false), (7, 1, 3, true)];
    assert_eq!(told(&mut answers), [&first[..], &[(8, 1, 3, true)]].concat());
    assert_eq!(answers.len(), 2, "the ninth holds up the tenth: answers keep the order");
    let _ = late.remove(0).send(Ok(recorded(9)));
    assert_eq!(told(&mut answers), [(10, 2, 3, false)]);
    assert_eq!(answers.len(), 0);
}

#[test]
fn a_source_that_wants_each_fact_gets_each_message() {
    let (mut answers, late) = ten(true);
    let told = told(&mut answers);
    assert!(told.iter().map(|ack| (ack.0, ack.1)).eq((1..=8).map(|number| (number, 1))));
    drop(late);
}

#[test]
fn an_answer_to_several_tells_the_longest_times() {
    let mut answers = Answers::new(SourceState::default(), false);
    for number in [1, 3, 2] {
        let (sent, pending) = message(number, Vec::new());
        answers.push(pending);
        let _ = sent.send(Ok(recorded(number)));
    }
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Some((ack, None))) = answers.poll(&mut context) else { panic!() };
    assert_eq!((ack.messages, ack.watermark, ack.times.unwrap().disk_us), (3, 3, 3));
}

#[test]
fn a_lost_answer_is_a_refusal_that_ends_the_stream() {
    let mut answers = Answers::new(SourceState::default(), false);
    let (sent, pending) = message(1, Vec::new());
    answers.push(pending);
    drop(sent);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Some((ack, Some(end)))) = answers.poll(&mut context) else { panic!() };
    assert_eq!(ack.refusal.unwrap().reason(), pb::Reason::ShuttingDown);
    assert!(matches!(end, Error::ShuttingDown));
}
