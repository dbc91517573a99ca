//! Calls that are refused: what is wrong with them and what to do; who may not call at all.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn bad_calls_say_what_to_do() {
    let house = House::open(Default::default()).await;
    let mut recording = house.recording();
    let empty = recording.record_batch(pb::RecordBatchRequest::default()).await.unwrap_err();
    assert_eq!(reason(&empty), "EMPTY_BATCH");
    let lost = fact("s1", 1, pb::fact::Body::TubeLost(pb::TubeLost { tube: "T".repeat(2 << 20) }));
    let large = recording
        .record_batch(pb::RecordBatchRequest { facts: vec![lost], device_now_ms: 0 })
        .await
        .unwrap_err();
    assert_eq!(reason(&large), "TOO_LARGE", "{large:?}");
    let batch =
        pb::RecordBatchRequest { facts: vec![collected(1, "T1", &[ALICE])], device_now_ms: 0 };
    let unknown = recording.record_batch(batch.clone()).await.unwrap().into_inner();
    assert_eq!(kinds(&unknown.outcomes), ["REASON_ROUND_UNKNOWN"]);
    house.round().await;
    let again = recording.record_batch(batch).await.unwrap().into_inner();
    assert_eq!(kinds(&again.outcomes), ["Recorded"]);
    // No Hello.
    let first =
        pb::RecordRequest { body: Some(pb::record_request::Body::Facts(Default::default())) };
    let mut replies = recording.record(tokio_stream::once(first)).await.unwrap().into_inner();
    assert_eq!(reason(&replies.message().await.unwrap_err()), "HELLO_EXPECTED");
    let mut replies = recording
        .record(tokio_stream::once(pb::RecordRequest {
            body: Some(pb::record_request::Body::Hello(Default::default())),
        }))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(reason(&replies.message().await.unwrap_err()), "INVALID");
    let mut queries = client::queries(house.channel.clone());
    assert_eq!(
        reason(
            &queries
                .get_tube(pb::GetTubeRequest { tube: "nope".into(), with_proofs: false })
                .await
                .unwrap_err()
        ),
        "NOT_FOUND"
    );
    assert_eq!(
        reason(&queries.get_person(pb::GetPersonRequest::default()).await.unwrap_err()),
        "NO_IDENTITY"
    );
    for (people, expected) in [
        (vec![who(ALICE), who("")], "NO_IDENTITY"),
        (vec![who(ALICE), pb::Identity::default()], "INVALID"),
        (vec![who(ALICE); 501], "TOO_LARGE"),
    ] {
        let asked = pb::GetPeopleRequest { people, round: String::new() };
        let refused = queries.get_people(asked).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
        assert!(refused.message().contains("people"), "{refused:?}");
    }
    assert_eq!(
        reason(
            &queries.list_discrepancies(pb::ListDiscrepanciesRequest::default()).await.unwrap_err()
        ),
        "INVALID"
    );
    let mut admin = client::administration(house.channel.clone());
    assert_eq!(
        reason(&admin.tick(pb::TickRequest { fact: said(9), now_ms: 1 }).await.unwrap_err()),
        "NOT_A_DRILL"
    );
    assert_eq!(
        reason(
            &admin
                .close_round(pb::CloseRoundRequest { fact: said(9), round: "r7".into() })
                .await
                .unwrap_err()
        ),
        "ROUND_UNKNOWN"
    );
    assert_eq!(
        reason(
            &admin
                .open_round(pb::OpenRoundRequest {
                    fact: said(1),
                    round: "r2".into(),
                    name: "x".into(),
                    key_id: String::new(),
                    pool: 1
                })
                .await
                .unwrap_err()
        ),
        "FACT_ID_REUSED"
    );
    house.close().await;
}

/// Everybody without papers under one number: what an answer about it costs is bounded, and says why there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_stands_for_many_people_has_no_answer_of_its_own() {
    const EVENTS_MAX: u64 = 2_000;
    const NOBODY: &str = "11010519491231007X";
    let house = House::open(Default::default()).await;
    house.round().await;
    let (mut recording, mut queries) = (house.recording(), client::queries(house.channel.clone()));
    let mut record = async |facts| {
        let batch = pb::RecordBatchRequest { facts, device_now_ms: 0 };
        let reply = recording.record_batch(batch).await.unwrap().into_inner();
        assert!(kinds(&reply.outcomes).iter().all(|kind| *kind == "Recorded"));
    };
    let tube = |n: u64| collected(n, &format!("T{n}"), &[NOBODY]);
    record((1..=EVENTS_MAX / 2).map(tube).collect()).await;
    record((EVENTS_MAX / 2 + 1..=EVENTS_MAX).map(tube).collect()).await;
    let person = Some(who(NOBODY));
    let asked = || pb::GetPersonRequest { person: person.clone(), round: String::new() };
    let answer = queries.get_person(asked()).await.unwrap().into_inner();
    assert_eq!(answer.samples.len() as u64, EVENTS_MAX);
    let rejected = pb::TubeRejected { tube: "T7".into(), lab: "L1".into(), ..Default::default() };
    let rejected = fact("s1", EVENTS_MAX + 2, pb::fact::Body::TubeRejected(rejected));
    record(vec![tube(EVENTS_MAX + 1), rejected]).await;
    let refused = queries.get_person(asked()).await.unwrap_err();
    assert_eq!(reason(&refused), "TOO_LARGE");
    assert!(refused.message().contains("person.number"), "{refused:?}");
    let people = vec![who(ALICE), who(NOBODY)];
    let refused = queries.get_people(pb::GetPeopleRequest { people, round: String::new() }).await;
    assert!(refused.unwrap_err().message().contains("people[1].number"));
    let twice = queries.list_sampled_twice(pb::ListSampledTwiceRequest::default()).await;
    let twice = twice.unwrap().into_inner().people;
    let [twice] = twice.as_slice() else { panic!("{twice:?}") };
    assert_eq!((twice.tubes.len(), u64::from(twice.tubes_total)), (100, EVENTS_MAX));
    assert_eq!(twice.tubes.last().map(String::as_str), Some("T2001"));
    let by = |person: &Option<pb::PersonRef>| person.clone().unwrap().fact.unwrap().number;
    assert_eq!(by(&twice.person), EVENTS_MAX + 1);
    let recalls = queries.list_recalls(pb::ListRecallsRequest::default()).await.unwrap();
    let recalls = recalls.into_inner().recalls;
    assert_eq!(recalls.iter().map(|recall| by(&recall.person)).collect::<Vec<_>>(), [7]);
    house.close().await;
}

/// An empty fact is two bytes on the wire and hundreds in memory: very many of them are not even made.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_too_many_facts_is_refused_and_one_of_very_many_is_not_decoded() {
    let house = House::open(Default::default()).await;
    let mut recording = house.recording();
    let facts = |count: usize| vec![pb::Fact::default(); count];
    for count in [1_001, 8_000, 8_001, 400_000] {
        let batch = pb::RecordBatchRequest { facts: facts(count), device_now_ms: 0 };
        let refused = recording.record_batch(batch).await.unwrap_err();
        assert_eq!(reason(&refused), "TOO_LARGE", "{count}");
        assert!(refused.message().contains("1000 facts"), "{refused:?}");
    }
    for (count, goes_on) in [(1_001, true), (8_001, false), (120_000, false)] {
        let hello = pb::Hello { source: "s1".into(), epoch: 1, ..Default::default() };
        let batch = pb::FactBatch { message_number: 7, facts: facts(count) };
        let said = [pb::record_request::Body::Hello(hello), pb::record_request::Body::Facts(batch)];
        let said = said.map(|body| pb::RecordRequest { body: Some(body) });
        let mut replies = recording.record(tokio_stream::iter(said)).await.unwrap().into_inner();
        replies.message().await.unwrap().expect("a welcome");
        match replies.message().await {
            Ok(reply) => assert!(goes_on && reply.is_some(), "{count}: {reply:?}"),
            Err(status) => assert_eq!((goes_on, reason(&status)), (false, "TOO_LARGE".into())),
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_the_token_gets_nowhere() {
    let tokens = api::Tokens { desk: "dd".into(), admin: "aa".into(), ..Default::default() };
    let house = House::open(api::Options { tokens: Some(tokens), ..Default::default() }).await;
    let ask = || tonic::Request::new(pb::GetSourceRequest { source: "s1".into() });
    assert_eq!(reason(&house.recording().get_source(ask()).await.unwrap_err()), "UNAUTHENTICATED");
    house.recording().get_source(client::with_token(ask(), "dd")).await.unwrap();
    let mut progress = ProgressClient::new(house.channel.clone());
    let status = progress
        .get_progress(client::with_token(tonic::Request::new(Default::default()), "dd"))
        .await
        .unwrap_err();
    assert_eq!(reason(&status), "FORBIDDEN");
    house.close().await;
}
