//! The API against a real server on port 0 in a temporary folder. By theme: the stream of facts, what is refused, what can
//! be asked for, what is watched.

mod questions;
mod refused;
mod stream;
mod watched;

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
        let request = pb::OpenRoundRequest {
            fact: said(1),
            round: "r1".into(),
            name: "首轮".into(),
            key_id: String::new(),
            pool: 10,
        };
        // The same again: the same answer, though `captured_at_ms` was left out both times.
        for expected in [pb::Outcome::Recorded, pb::Outcome::Duplicate] {
            let mut admin = client::administration(self.channel.clone());
            let reply = admin.open_round(request.clone()).await.unwrap().into_inner();
            assert_eq!(reply.outcome.unwrap().outcome(), expected);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
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
