//! The way in: a message of 20 whole tubes of ten people is decoded, its people get their keys, and
//! it becomes facts. Elements are tubes, but for the keys, where they are people.

use criterion::{Criterion, Throughput};
use prost::Message;
use std::hint::black_box;
use swabline::api::{FactContext, pb};
use swabline::domain::Time;
use swabline::domain::reference::{Reference, Round};
use swabline::keyring::{Document, DocumentType, KeyRing, resident_id_check};

/// Tubes in the message.
const TUBES: u64 = 20;
/// People in a tube.
const POOL: u64 = 10;

fn number(person: u64) -> String {
    let digits = format!("110105{:08}{:03}", 19_400_101 + person / 1_000, person % 1_000);
    let check = char::from(resident_id_check(digits.as_bytes()));
    format!("{digits}{check}")
}

fn tube(nth: u64) -> pb::Fact {
    let member = |at| pb::Identity {
        document_type: pb::DocumentType::ResidentId.into(),
        number: number(nth * POOL + at).into(),
    };
    let body = pb::fact::Body::TubeCollected(pb::TubeCollected {
        tube: format!("TB{nth:010}"),
        pool: 10,
        desk: "D0001".into(),
        members: (0..POOL).map(member).collect(),
        ..Default::default()
    });
    pb::Fact {
        id: Some(pb::FactId { number: nth + 1, ..Default::default() }),
        captured_at_ms: 1_700_000_000_000,
        round: "R1".into(),
        body: Some(body),
    }
}

fn reference() -> Reference {
    let mut reference = Reference::default();
    let round = Round {
        name: "R1".into(),
        key_id: "k1".into(),
        pool: 10,
        opened_at: Time(0),
        closed_at: None,
    };
    reference.rounds.insert("R1".into(), round);
    reference
}

/// Decoding, keys, and both with everything between.
pub fn group(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let keys = KeyRing::open(dir.path()).expect("a key ring");
    keys.create("k1").expect("a key");
    let (reference, stream) = (reference(), ("scanner-0001".into(), 1));
    let batch = pb::FactBatch { message_number: 1, facts: (0..TUBES).map(tube).collect() };
    let request = pb::RecordRequest { body: Some(pb::record_request::Body::Facts(batch)) };
    let bytes = request.encode_to_vec();
    let numbers: Vec<String> = (0..TUBES * POOL).map(number).collect();

    let mut group = criterion.benchmark_group("wire");
    group.throughput(Throughput::Elements(TUBES));
    group.bench_function("decode_20_tubes", |bencher| {
        bencher.iter(|| pb::RecordRequest::decode(black_box(&bytes[..])).expect("a message"));
    });
    group.bench_function("read_20_decoded_tubes", |bencher| {
        let Some(pb::record_request::Body::Facts(batch)) = &request.body else { unreachable!() };
        bencher.iter(|| {
            let context = FactContext::new(&keys, &reference, Some(&stream));
            let read = |wire| context.fact(wire).expect("a fact");
            batch.facts.iter().map(read).collect::<Vec<_>>()
        });
    });
    group.bench_function("size_of_20_tubes", |bencher| {
        bencher.iter(|| black_box(&request).encoded_len());
    });
    group.throughput(Throughput::Elements(TUBES * POOL));
    group.bench_function("keys_of_200_people", |bencher| {
        bencher.iter(|| {
            let round = keys.round("k1").expect("a key");
            for tube in numbers.chunks(10) {
                let document = |number: &String| Document::new(DocumentType::ResidentId, number);
                let documents: Result<Vec<_>, _> = black_box(tube).iter().map(document).collect();
                black_box(round.people(&documents.expect("numbers")));
            }
        });
    });
    group.finish();
}
