//! What is decoded most, a message of tubes, asks for no memory for each of its people. In a program of its own: it counts
//! what the allocator is asked for.

use prost::Message;
use swabline::api::pb;

/// A message with so many tubes of so many people each, as it comes over the wire.
fn message(tubes: u64, people: u64) -> Vec<u8> {
    let member = |nth: u64| pb::Identity {
        document_type: pb::DocumentType::ResidentId.into(),
        number: format!("11010519491231{nth:04}").into(),
    };
    let tube = |nth: u64| pb::Fact {
        id: Some(pb::FactId { number: nth, ..Default::default() }),
        round: "R1".into(),
        body: Some(pb::fact::Body::TubeCollected(pb::TubeCollected {
            tube: format!("TB{nth:010}"),
            pool: 10,
            desk: "D0001".into(),
            members: (0..people).map(member).collect(),
            ..Default::default()
        })),
        ..Default::default()
    };
    let batch = pb::FactBatch { message_number: 1, facts: (1..=tubes).map(tube).collect() };
    let body = Some(pb::record_request::Body::Facts(batch));
    pb::RecordRequest { body }.encode_to_vec()
}

/// How often memory is asked for while it is decoded.
fn asked_for(tubes: u64, people: u64) -> u64 {
    let bytes = message(tubes, people);
    let mut decoded = None;
    let counted = allocation_counter::measure(|| {
        decoded = Some(pb::RecordRequest::decode(&bytes[..]).expect("a message"));
    });
    let Some(pb::record_request::Body::Facts(batch)) = decoded.and_then(|request| request.body)
    else {
        panic!("a message of tubes stays one");
    };
    assert_eq!(batch.facts.len() as u64, tubes);
    counted.count_total
}

#[test]
fn people_are_decoded_without_memory_for_each() {
    // The list of a tube's people has room for 4, 8, 16, ...: it grows as often for 9 of them as for 16.
    for tubes in [1, 20] {
        let (few, many) = (asked_for(tubes, 9), asked_for(tubes, 16));
        assert!(few > 0, "nothing was counted");
        assert_eq!(few, many, "{tubes} tubes of 9 and of 16 people");
    }
    // And four times more until there is room for 200.
    assert_eq!(asked_for(1, 200), asked_for(1, 9) + 4);
}
