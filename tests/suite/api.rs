//! The API against a real server on port 0 in a temporary folder.

use std::sync::Arc;
use std::time::Duration;
use swabline::api::client::{self, Channel, ProgressClient, RecordingClient, Status, pb};
use swabline::api::{self, Api};
use swabline::engine::Engine;
use swabline::forecaster::Forecaster;
use swabline::keyring::KeyRing;
use swabline::store::{FolderKind, Store};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic_types::StatusExt;

const ALICE: &str = "11010519491231002X";
const BOB: &str = "440524188001010014";

struct House {
    _dir: tempfile::TempDir,
    channel: Channel,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<Result<(), api::Error>>,
    engine: Option<Engine>,
}

impl House {
    async fn open(options: api::Options) -> House {
        let dir = tempfile::tempdir().unwrap();
        let store =
            Store::open(&dir.path().join("data"), Some(FolderKind::Live), &Default::default())
                .unwrap();
        let engine = Engine::start(store, &Default::default()).unwrap();
        let keys = Arc::new(KeyRing::open(&dir.path().join("keys")).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let forecaster = Forecaster::new(Default::default()).unwrap();
        let api = Api { handle: engine.handle(), keys, forecaster, options };
        let served =
            tokio::spawn(api::serve(listener, api, None, async move { drop(stopped.await) }));
        let channel = client::connect(&address).await.unwrap();
        House { _dir: dir, channel, stop: Some(stop), served, engine: Some(engine) }
    }
    fn recording(&self) -> RecordingClient<Channel> {
        RecordingClient::new(self.channel.clone()).max_encoding_message_size(64 << 20)
    }
    async fn round(&self) {
        let mut admin = client::administration(self.channel.clone());
        let reply = admin
            .open_round(pb::OpenRoundRequest {
                fact: said(1),
                round: "r1".into(),
                name: "首轮".into(),
                key_id: String::new(),
                pool: 10,
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(reply.outcome.unwrap().outcome(), pb::Outcome::Recorded);
        // The same again: the same answer, though `captured_at_ms` was left out both times.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let reply = admin
            .open_round(pb::OpenRoundRequest {
                fact: said(1),
                round: "r1".into(),
                name: "首轮".into(),
                key_id: String::new(),
                pool: 10,
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(reply.outcome.unwrap().outcome(), pb::Outcome::Duplicate);
    }
    async fn close(mut self) {
        let _ = self.stop.take().unwrap().send(());
        let engine = self.engine.take().unwrap();
        drop(self.channel);
        tokio::time::timeout(Duration::from_secs(5), self.served).await.unwrap().unwrap().unwrap();
        tokio::task::spawn_blocking(move || engine.stop()).await.unwrap().unwrap();
    }
}

fn said(number: u64) -> Option<pb::AdministrationFact> {
    Some(pb::AdministrationFact {
        id: Some(pb::FactId { source: "office".into(), epoch: 1, number }),
        captured_at_ms: 0,
    })
}
fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}
fn who(number: &str) -> pb::Identity {
    pb::Identity { document_type: pb::DocumentType::ResidentId.into(), number: number.into() }
}
fn fact(source: &str, number: u64, body: pb::fact::Body) -> pb::Fact {
    pb::Fact {
        id: Some(pb::FactId { source: source.into(), epoch: 1, number }),
        captured_at_ms: now(),
        round: "r1".into(),
        body: Some(body),
    }
}
fn collected(number: u64, tube: &str, people: &[&str]) -> pb::Fact {
    fact(
        "s1",
        number,
        pb::fact::Body::TubeCollected(pb::TubeCollected {
            tube: tube.into(),
            pool: 10,
            desk: "d1".into(),
            members: people.iter().map(|p| who(p)).collect(),
            ..Default::default()
        }),
    )
}
fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let zh = &details.localized_message().expect("zh").message;
    assert!(
        zh.chars().any(|c| c > '\u{2fff}') && status.message().contains(": "),
        "{zh} {}",
        status.message()
    );
    details.error_info().unwrap().reason.clone()
}

struct Talk {
    to: mpsc::Sender<pb::RecordRequest>,
    from: client::Streaming<pb::RecordReply>,
}
impl Talk {
    async fn hello(house: &House, kind: pb::AcknowledgementKind) -> (Talk, pb::Welcome) {
        let (to, rx) = mpsc::channel(64);
        to.send(pb::RecordRequest {
            body: Some(pb::record_request::Body::Hello(pb::Hello {
                source: "s1".into(),
                epoch: 1,
                device_now_ms: now(),
                acknowledgement: kind.into(),
                software: String::new(),
            })),
        })
        .await
        .unwrap();
        let from = house.recording().record(ReceiverStream::new(rx)).await.unwrap().into_inner();
        let mut talk = Talk { to, from };
        let Some(pb::record_reply::Body::Welcome(welcome)) =
            talk.from.message().await.unwrap().unwrap().body
        else {
            panic!()
        };
        (talk, welcome)
    }
    async fn say(&self, message_number: u64, facts: Vec<pb::Fact>) {
        self.to
            .send(pb::RecordRequest {
                body: Some(pb::record_request::Body::Facts(pb::FactBatch {
                    message_number,
                    facts,
                })),
            })
            .await
            .unwrap();
    }
    async fn hear(&mut self) -> pb::Acknowledgement {
        let Some(pb::record_reply::Body::Acknowledgement(ack)) =
            self.from.message().await.unwrap().unwrap().body
        else {
            panic!()
        };
        ack
    }
}

fn kinds(outcomes: &[pb::FactOutcome]) -> Vec<String> {
    outcomes
        .iter()
        .map(|o| match &o.refusal {
            Some(r) => r.reason().as_str_name().into(),
            None => format!("{:?}", o.outcome()),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_and_can_be_taken_up_again() {
    let house = House::open(Default::default()).await;
    house.round().await;
    let (mut talk, welcome) = Talk::hello(&house, pb::AcknowledgementKind::EachFact).await;
    assert_eq!(welcome.arrived.unwrap().watermark, 0);
    assert_eq!(welcome.open_rounds[0].code, "r1");
    assert_eq!(welcome.folder_kind, pb::FolderKind::Live as i32);
    let mut short = collected(1, "T1", &[ALICE]);
    short.id = Some(pb::FactId { number: 1, ..Default::default() });
    talk.say(11, vec![short.clone(), collected(2, "", &[BOB]), collected(3, "T3", &[BOB])]).await;
    talk.say(12, vec![]).await;
    talk.say(13, vec![short.clone(), collected(3, "T4", &[BOB])]).await;
    for n in 4..60 {
        talk.say(10 + n, vec![collected(n, &format!("T{n}"), &[BOB])]).await;
    }
    let ack = talk.hear().await;
    assert_eq!((ack.message_number, ack.watermark), (11, 1));
    assert_eq!(kinds(&ack.outcomes), ["Recorded", "REASON_NO_BARCODE", "Recorded"]);
    assert!(ack.outcomes[0].findings.iter().any(|f| f.code() == pb::Discrepancy::UnknownDesk));
    let ack = talk.hear().await;
    assert_eq!((ack.message_number, ack.refusal.unwrap().reason()), (12, pb::Reason::EmptyBatch));
    let ack = talk.hear().await;
    assert_eq!(kinds(&ack.outcomes), ["Duplicate", "REASON_FACT_ID_REUSED"]);
    for n in 4..60 {
        let ack = talk.hear().await;
        assert_eq!(ack.message_number, 10 + n);
        assert_eq!(kinds(&ack.outcomes), ["Recorded"]);
    }
    drop(talk);
    let (mut talk, welcome) = Talk::hello(&house, pb::AcknowledgementKind::WatermarkOnly).await;
    let arrived = welcome.arrived.unwrap();
    assert_eq!((arrived.watermark, arrived.highest, arrived.gaps.len()), (1, 59, 1));
    talk.say(1, vec![collected(2, "T2", &[ALICE])]).await;
    let ack = talk.hear().await;
    assert_eq!((ack.watermark, ack.outcomes.len()), (59, 0));
    assert!(ack.times.unwrap().disk_us > 0);
    // Over the limit of a stream's message: that message only.
    let many: Vec<_> = (100..1_100)
        .map(|n| collected(n, &"9".repeat(60), &[ALICE, BOB, ALICE, BOB, ALICE, BOB, ALICE, BOB]))
        .collect();
    talk.say(2, many).await;
    assert_eq!(talk.hear().await.refusal.unwrap().reason(), pb::Reason::TooLarge);
    talk.say(3, vec![collected(61, "T61", &[ALICE]), collected(62, "", &[])]).await;
    assert_eq!(kinds(&talk.hear().await.outcomes), ["REASON_NO_BARCODE"]);
    // Stop while a stream is open: told why, and the server ends.
    let stopping = tokio::spawn(house.close());
    let end = loop {
        match talk.from.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&end), "SHUTTING_DOWN");
    drop(talk);
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_watermarks_only_one_answer_may_stand_for_several_messages_but_not_for_a_refused_one()
{
    let house = House::open(Default::default()).await;
    house.round().await;
    let (mut talk, _) = Talk::hello(&house, pb::AcknowledgementKind::WatermarkOnly).await;
    let (mut said, mut number) = (0, 0);
    let (mut answered, mut refused, mut acks) = (0, Vec::new(), 0);
    // Waves, so that some answers come together and some do not.
    for wave in 0..30 {
        for at in 0..12 {
            said += 1;
            match at {
                // Nothing in it; a tube without a barcode.
                5 => talk.say(said, vec![]).await,
                8 => talk.say(said, vec![collected(1_000_000 + said, "", &[])]).await,
                _ => {
                    number += 1;
                    let tube = format!("W{wave}-{at}");
                    talk.say(said, vec![collected(number, &tube, &[ALICE])]).await;
                }
            }
        }
        while answered < said {
            let ack = talk.hear().await;
            acks += 1;
            assert!(ack.messages >= 1);
            answered += u64::from(ack.messages);
            assert_eq!(ack.message_number, answered, "in order, none left out, none twice");
            let refuses = ack.refusal.is_some() || !ack.outcomes.is_empty();
            assert!(!refuses || ack.messages == 1, "a refused message is answered alone");
            assert!(!refuses || ack.outcomes.len() + usize::from(ack.refusal.is_some()) == 1);
            if refuses {
                refused.push((answered - 1) % 12);
            }
        }
        assert_eq!(answered, said);
    }
    assert_eq!(refused, [5, 8].repeat(30));
    assert!(acks <= said, "{acks} answers to {said} messages");
    println!("{acks} answers to {said} messages");
    talk.say(said + 1, vec![collected(number + 1, "last", &[BOB])]).await;
    assert_eq!(talk.hear().await.watermark, number + 1);
    drop(talk);
    house.close().await;
}

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
    let unknown = recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![collected(1, "T1", &[ALICE])],
            device_now_ms: 0,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(kinds(&unknown.outcomes), ["REASON_ROUND_UNKNOWN"]);
    house.round().await;
    let again = recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![collected(1, "T1", &[ALICE])],
            device_now_ms: 0,
        })
        .await
        .unwrap()
        .into_inner();
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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_can_be_asked_for() {
    let house = House::open(Default::default()).await;
    house.round().await;
    let mut admin = client::administration(house.channel.clone());
    let items = vec![
        pb::reference_item::Item::Jurisdiction(pb::Jurisdiction {
            code: "dist".into(),
            parent: String::new(),
            level: pb::Level::District.into(),
            name: "东区".into(),
        }),
        pb::reference_item::Item::Site(pb::Site {
            code: "s".into(),
            jurisdiction: "dist".into(),
            name: "站".into(),
        }),
        pb::reference_item::Item::Desk(pb::Desk { code: "d1".into(), site: "s".into() }),
    ]
    .into_iter()
    .map(|item| pb::ReferenceItem { item: Some(item) })
    .collect();
    admin
        .import_reference(pb::ImportReferenceRequest { fact: said(2), file: "f.csv".into(), items })
        .await
        .unwrap();
    let carol = "130503670401001";
    admin
        .import_roster(pb::ImportRosterRequest {
            fact: said(3),
            round: String::new(),
            roster: "all".into(),
            district: "dist".into(),
            people: vec![who(ALICE), who(carol), who(BOB)],
        })
        .await
        .unwrap();
    let mut progress = ProgressClient::new(house.channel.clone());
    let mut watch = progress
        .watch_progress(pb::WatchProgressRequest { what: None, interval_ms: 200 })
        .await
        .unwrap()
        .into_inner();
    let before = watch.message().await.unwrap().unwrap();
    assert_eq!(before.total.unwrap().tubes, 0);
    let mut recording = house.recording();
    recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![collected(1, "T1", &[ALICE, BOB])],
            device_now_ms: now(),
        })
        .await
        .unwrap();
    let after = tokio::time::timeout(Duration::from_secs(5), watch.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(after.total.unwrap().swabs, 2);
    let told = progress
        .get_progress(pb::GetProgressRequest {
            round: "r1".into(),
            by: pb::GroupBy::District.into(),
            codes: vec![],
            with_people: true,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (told.rows[0].code.as_str(), told.rows[0].name.as_str(), told.rows[0].tubes),
        ("dist", "东区", 1)
    );
    let people = told.people.unwrap().total.unwrap();
    assert_eq!((people.roster, people.sampled_unresulted, people.missing), (3, 2, 1));
    let mut queries = client::queries(house.channel.clone());
    let missing =
        queries.list_missing(pb::ListMissingRequest::default()).await.unwrap().into_inner();
    let person = missing.people[0].person.clone().unwrap();
    assert_eq!((missing.people.len(), person.fact.unwrap().number, person.position), (1, 3, 1));
    let tube = queries
        .get_tube(pb::GetTubeRequest { tube: "T1".into(), with_proofs: true })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((tube.tube.unwrap().swabs, tube.history.len()), (2, 1));
    let proof = tube.history[0].proof.clone().unwrap();
    assert_eq!(proof.leaf.len(), 32);
    let person = queries
        .get_person(pb::GetPersonRequest {
            person: Some(who(&ALICE.to_lowercase())),
            round: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    assert!(person.registered);
    assert_eq!(
        (person.gate(), person.samples.len(), person.rounds[0].roster.as_str()),
        (pb::Gate::AtSite, 1, "all")
    );
    let nobody = queries
        .get_person(pb::GetPersonRequest {
            person: Some(who("110101199003070011")),
            round: "r1".into(),
        })
        .await
        .unwrap()
        .into_inner();
    assert!(!nobody.registered);
    // Checked beforehand: Bob is in an open tube.
    let check = recording
        .check(pb::CheckRequest { fact: Some(collected(9, "T9", &[BOB])), device_now_ms: 0 })
        .await
        .unwrap()
        .into_inner();
    assert!(
        check.findings.iter().any(|f| f.code() == pb::Discrepancy::PersonInTwoTubes),
        "{:?}",
        check.findings
    );
    // The pool is positive: a recall for each.
    let lab = |number, body| fact("lab", number, body);
    recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![lab(
                1,
                pb::fact::Body::ResultAmended(pb::ResultAmended {
                    tube: "T1".into(),
                    call: pb::Call::Positive.into(),
                    reason: "x".into(),
                }),
            )],
            device_now_ms: 0,
        })
        .await
        .unwrap();
    let mut token = String::new();
    let mut seen = 0;
    loop {
        let page = queries
            .list_recalls(pb::ListRecallsRequest {
                page: Some(pb::PageRequest { size: 1, token }),
                ..Default::default()
            })
            .await
            .unwrap()
            .into_inner();
        for recall in &page.recalls {
            assert_eq!((recall.kind(), recall.tube.as_str()), (pb::RecallKind::Recall, "T1"));
            assert_eq!(recall.person.clone().unwrap().fact.unwrap().source, "s1");
        }
        seen += page.recalls.len();
        token = page.next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 2);
    let mut lost = fact(
        "s1",
        50,
        pb::fact::Body::TubeReceived(pb::TubeReceived {
            tube: "T77".into(),
            lab: "l1".into(),
            condition: 0,
        }),
    );
    lost.captured_at_ms -= 1;
    recording
        .record_batch(pb::RecordBatchRequest { facts: vec![lost], device_now_ms: 0 })
        .await
        .unwrap();
    let unaccounted =
        queries.list_unaccounted(pb::ListUnaccountedRequest::default()).await.unwrap().into_inner();
    assert_eq!(unaccounted.tubes[0].why(), pb::UnaccountedWhy::AwaitingRegistration);
    let odd = queries
        .list_discrepancies(pb::ListDiscrepanciesRequest {
            code: pb::Discrepancy::UnknownLab.into(),
            page: None,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(odd.records[0].code, "T77");
    let capacity =
        progress.check_capacity(pb::CheckCapacityRequest::default()).await.unwrap().into_inner();
    assert_eq!((capacity.labs[0].lab.as_str(), capacity.labs[0].awaiting), ("l1", 1));
    let source = recording
        .get_source(pb::GetSourceRequest { source: "s1".into() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((source.epochs[0].watermark, source.epochs[0].gaps[0].last), (1, 49));
    drop(watch);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_the_server_and_health_is_open_to_all() {
    let tokens = api::Tokens { office: "oo".into(), ..Default::default() };
    let house = House::open(api::Options { tokens: Some(tokens), ..Default::default() }).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(house.channel.clone());
    for service in ["", "swabline.v1.Recording", "swabline.v1.Progress"] {
        let mut status = 0;
        for _ in 0..100 {
            let asked = health
                .check(tonic_health::pb::HealthCheckRequest { service: service.into() })
                .await;
            if let Ok(told) = asked {
                status = told.into_inner().status;
            }
            if status == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(status, 1, "{service}");
    }
    let mut reflection =
        tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(
            house.channel.clone(),
        );
    let ask = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            tonic_reflection::pb::v1::server_reflection_request::MessageRequest::ListServices(
                String::new(),
            ),
        ),
    };
    let mut told =
        reflection.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    assert!(format!("{:?}", told.message().await.unwrap()).contains("swabline.v1.Recording"));
    let mut progress = ProgressClient::new(house.channel.clone());
    let mut watch = progress
        .watch_progress(client::with_token(tonic::Request::new(Default::default()), "oo"))
        .await
        .unwrap()
        .into_inner();
    watch.message().await.unwrap().unwrap();
    let closing = tokio::spawn(house.close());
    assert_eq!(reason(&watch.message().await.unwrap_err()), "SHUTTING_DOWN");
    drop((health, told, reflection, progress, watch));
    closing.await.unwrap();
}
