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
