//! The running binary over real gRPC: what a scanner vendor sees, bad input included.

use crate::common::{Place, Server, noon};
use swabline::api::client::{
    AdministrationClient, ProgressClient, QueriesClient, RecordingClient, connect, pb,
};
use tokio_stream::StreamExt;

pub async fn open_round(address: &str, round: &str, key_id: &str) {
    let mut administration = AdministrationClient::new(connect(address).await.unwrap());
    let fact = Some(pb::AdministrationFact { id: id("office", 1), captured_at_ms: noon() });
    let (round, key_id) = (round.to_owned(), key_id.to_owned());
    let request = pb::OpenRoundRequest { fact, round, name: "第一轮".into(), key_id, pool: 10 };
    administration.open_round(request).await.unwrap();
}

pub fn id(source: &str, number: u64) -> Option<pb::FactId> {
    Some(pb::FactId { source: source.into(), epoch: 1, number })
}

pub fn tube(source: &str, number: u64, tube: &str, people: std::ops::Range<u64>) -> pb::Fact {
    let members = people
        .map(|n| pb::Identity {
            document_type: pb::DocumentType::Passport.into(),
            number: format!("E{n:08}").into(),
        })
        .collect();
    let collected = pb::TubeCollected {
        tube: tube.into(),
        pool: 10,
        desk: "D1".into(),
        members,
        ..Default::default()
    };
    pb::Fact {
        id: id(source, number),
        captured_at_ms: noon(),
        round: "R1".into(),
        body: Some(pb::fact::Body::TubeCollected(collected)),
    }
}

fn reason(status: &tonic::Status) -> String {
    use tonic_types::StatusExt;
    status.get_details_error_info().map_or_else(|| format!("{status:?}"), |info| info.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_bad_items_records_the_others_and_says_why_of_each() {
    let place = Place::new();
    let server = Server::start(&place.data(), &place.keys());
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    let mut no_id = tube("desk", 0, "T2", 10..20);
    no_id.id = None;
    let mut no_round = tube("desk", 4, "T4", 30..40);
    no_round.round = "R9".into();
    let mut no_body = tube("desk", 5, "T5", 40..50);
    no_body.body = None;
    let facts = vec![
        tube("desk", 1, "T1", 0..10),
        no_id,
        tube("desk", 3, "", 20..30),
        no_round,
        no_body,
        tube("desk", 6, &"x".repeat(200), 50..60),
        tube("desk", 1, "T1", 0..9),
        tube("desk", 8, "T8", 60..70),
    ];
    let request = pb::RecordBatchRequest { facts, device_now_ms: 0 };
    let outcomes = recording.record_batch(request).await.unwrap().into_inner().outcomes;
    use pb::{Outcome::*, Reason};
    let expected = [
        (Recorded, None),
        (Refused, Some(Reason::Invalid)),
        (Refused, Some(Reason::NoBarcode)),
        (Refused, Some(Reason::RoundUnknown)),
        (Refused, Some(Reason::KindUnknown)),
        (Refused, Some(Reason::TooLarge)),
        (Refused, Some(Reason::FactIdReused)),
        (Recorded, None),
    ];
    assert_eq!(outcomes.len(), expected.len());
    for (at, (outcome, (kind, why))) in outcomes.iter().zip(expected).enumerate() {
        assert_eq!(outcome.outcome(), kind, "item {at}: {outcome:?}");
        assert_eq!(outcome.refusal.as_ref().map(pb::Refusal::reason), why, "item {at}");
        if let Some(refusal) = &outcome.refusal {
            let text = refusal.text.as_ref().unwrap();
            assert!(!text.zh.is_ascii() && text.en.is_ascii(), "both languages: {text:?}");
        }
    }
    let empty = recording.record_batch(pb::RecordBatchRequest::default()).await.unwrap_err();
    assert_eq!(reason(&empty), "EMPTY_BATCH");
    let large = tube("desk", 9, &"T".repeat(1_100_000), 0..1);
    let request = pb::RecordBatchRequest { facts: vec![large], device_now_ms: 0 };
    let status = recording.record_batch(request).await.unwrap_err();
    assert!(!status.message().is_empty(), "{status:?}");
    let request =
        pb::RecordBatchRequest { facts: vec![tube("desk", 10, "T10", 80..90)], device_now_ms: 0 };
    assert!(recording.record_batch(request).await.is_ok(), "the service goes on");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_acknowledges_each_message_and_can_be_resumed() {
    let place = Place::new();
    let server = Server::start(&place.data(), &place.keys());
    open_round(&server.address, "R1", "r1").await;
    let hello = || pb::RecordRequest {
        body: Some(pb::record_request::Body::Hello(pb::Hello {
            source: "desk".into(),
            epoch: 1,
            device_now_ms: 0,
            ..Default::default()
        })),
    };
    let message = |number: u64, facts: Vec<pb::Fact>| pb::RecordRequest {
        body: Some(pb::record_request::Body::Facts(pb::FactBatch {
            message_number: number,
            facts,
        })),
    };
    let talk = |requests: Vec<pb::RecordRequest>| {
        let address = server.address.clone();
        async move {
            let mut recording = RecordingClient::new(connect(&address).await.unwrap());
            let replies =
                recording.record(tokio_stream::iter(requests)).await.unwrap().into_inner();
            replies.map(|reply| reply.unwrap().body.unwrap()).collect::<Vec<_>>().await
        }
    };
    use pb::record_reply::Body;
    let first = talk(vec![
        hello(),
        message(1, vec![tube("desk", 1, "T1", 0..10)]),
        message(2, vec![tube("desk", 2, "T2", 10..20), tube("desk", 5, "T5", 40..50)]),
    ])
    .await;
    let [Body::Welcome(welcome), Body::Acknowledgement(one), Body::Acknowledgement(two)] =
        &first[..]
    else {
        panic!("{first:?}")
    };
    assert_eq!(welcome.arrived.as_ref().unwrap().watermark, 0);
    assert_eq!(welcome.open_rounds[0].code, "R1");
    assert_eq!((one.message_number, one.watermark), (1, 1));
    assert_eq!((two.message_number, two.watermark), (2, 2));
    assert!(two.times.is_some());

    let second = talk(vec![
        hello(),
        message(
            1,
            vec![
                tube("desk", 2, "T2", 10..20),
                tube("desk", 3, "T3", 20..30),
                tube("desk", 4, "T4", 30..40),
            ],
        ),
    ])
    .await;
    let [Body::Welcome(welcome), Body::Acknowledgement(one)] = &second[..] else {
        panic!("{second:?}")
    };
    let arrived = welcome.arrived.as_ref().unwrap();
    assert_eq!((arrived.watermark, arrived.highest), (2, 5));
    assert_eq!(arrived.gaps, vec![pb::NumberRange { first: 3, last: 4 }]);
    let kinds: Vec<_> = one.outcomes.iter().map(pb::FactOutcome::outcome).collect();
    assert_eq!(kinds, [pb::Outcome::Duplicate, pb::Outcome::Recorded, pb::Outcome::Recorded]);
    assert_eq!(one.watermark, 5);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_progress_show_what_was_recorded_and_no_identity_is_on_the_disk() {
    let place = Place::new();
    let server = Server::start(&place.data(), &place.keys());
    open_round(&server.address, "R1", "r1").await;
    let channel = connect(&server.address).await.unwrap();
    let mut recording = RecordingClient::new(channel.clone());
    let mut secret = tube("desk", 1, "T1", 0..9);
    let planted = "11010519491231002X";
    if let Some(pb::fact::Body::TubeCollected(collected)) = &mut secret.body {
        collected.members.push(pb::Identity {
            document_type: pb::DocumentType::ResidentId.into(),
            number: planted.into(),
        });
    }
    let request = pb::RecordBatchRequest { facts: vec![secret], device_now_ms: 0 };
    recording.record_batch(request).await.unwrap();

    let mut queries = QueriesClient::new(channel.clone());
    let who = pb::Identity {
        document_type: pb::DocumentType::ResidentId.into(),
        number: planted.to_lowercase().into(),
    };
    let request = pb::GetPersonRequest { person: Some(who), round: String::new() };
    let person = queries.get_person(request).await.unwrap().into_inner();
    assert!(person.registered);
    assert_eq!(person.samples[0].tube, "T1");
    assert_eq!(person.gate(), pb::Gate::AtSite);

    let mut progress = ProgressClient::new(channel);
    let request = pb::GetProgressRequest {
        round: "R1".into(),
        by: pb::GroupBy::City.into(),
        with_people: true,
        ..Default::default()
    };
    let reply = progress.get_progress(request.clone()).await.unwrap().into_inner();
    let total = reply.total.unwrap();
    assert_eq!((total.tubes, total.swabs), (1, 10));
    assert_eq!(total.statuses.iter().map(|part| part.tubes).sum::<i64>(), total.tubes);
    assert_eq!(reply.people.unwrap().total.unwrap().outside_roster, 10);
    let watch = pb::WatchProgressRequest { what: Some(request), interval_ms: 200 };
    let mut watched = progress.watch_progress(watch).await.unwrap().into_inner();
    assert_eq!(watched.next().await.unwrap().unwrap().total.unwrap().tubes, 1);
    let request =
        pb::RecordBatchRequest { facts: vec![tube("desk", 2, "T2", 20..30)], device_now_ms: 0 };
    recording.record_batch(request).await.unwrap();
    assert_eq!(watched.next().await.unwrap().unwrap().total.unwrap().tubes, 2);
    drop(watched);
    server.stop();

    let found = std::process::Command::new("grep")
        .args(["-rlaF", "-e", planted, "-e", "11010519491231002", "-e", "E00000001"])
        .arg(place.root.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "an identity number stands in a file");
}
