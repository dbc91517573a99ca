//! Clients that connect and do not do their part: they cost others nothing.

use crate::common::{Place, Server, wait_until, with_files};
use crate::service::{id, open_round, tube};
use http_body::Body as _;
use prost::Message;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use swabline::api::client::{Channel, ProgressClient, RecordingClient};
use swabline::api::client::{connect, connect_tls, pb, queries};
use tonic::body::Body;
use tonic::codegen::{Bytes, Service, http};

fn silent(server: &Server, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(&server.address).unwrap()).collect()
}

/// Records tubes one after the other, and a box of each twenty.
async fn record(recording: &mut RecordingClient<Channel>, tubes: std::ops::Range<u64>) {
    for n in tubes {
        let mut facts = vec![tube("desk", n, &format!("T{n}"), n * 10..n * 10 + 10)];
        if n % 20 == 0 {
            let mut packed = facts[0].clone();
            packed.id = id("packer", n);
            packed.body = Some(pb::fact::Body::TubesPacked(pb::TubesPacked {
                r#box: format!("B{n}"),
                tubes: (n.saturating_sub(19)..=n).map(|n| format!("T{n}")).collect(),
            }));
            facts.push(packed);
        }
        let sent = facts.len();
        let request = pb::RecordBatchRequest { facts, device_now_ms: 0 };
        let reply = recording.record_batch(request).await.unwrap().into_inner();
        let recorded = |fact: &&pb::FactOutcome| fact.outcome() == pb::Outcome::Recorded;
        assert_eq!(reply.outcomes.iter().filter(recorded).count(), sent, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_silent_connections_than_files_do_not_stop_intake() {
    let place = Place::new();
    // Small runs and buffers: files are made again and again.
    let small = [
        ("SWABLINE_STORE__WRITE_BUFFER_BYTES", "65536"),
        ("SWABLINE_STORE__RECORDS_RUN", "50"),
        ("SWABLINE_STORE__INDEX_RUN_ENTRIES", "500"),
    ];
    let server = Server::start_as(with_files(600), &place.data(), &place.keys(), &small);
    open_round(&server.address, "R1", "r1").await;
    let mut recording = RecordingClient::new(connect(&server.address).await.unwrap());
    record(&mut recording, 1..20).await;
    let idle = silent(&server, 700);
    // Those that find no place wait in the kernel's queue.
    tokio::time::sleep(Duration::from_millis(500)).await;
    record(&mut recording, 20..1_000).await;
    assert_eq!(server.metric("swabline_engine_storage_fault").unwrap_or(0.0), 0.0);
    drop(idle);
    wait_until("a connection after them", || TcpStream::connect(&server.address).is_ok());
    record(&mut RecordingClient::new(connect(&server.address).await.unwrap()), 1_000..1_010).await;
    server.stop();
}

#[test]
fn with_too_few_files_the_service_says_what_to_raise_and_does_not_start() {
    let place = Place::new();
    let output = with_files(300)
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
        .arg(place.data())
        .arg("--keys")
        .arg(place.keys())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("may open 300 files") && said.contains("LimitNOFILE"), "{said}");
    assert!(said.contains("请调高硬限制"), "{said}");
    assert!(!place.data().exists(), "nothing was begun");
}

/// Bytes that a client without a word for the server begins with: a few, the whole preface, preface and settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Waits until the server has closed a connection.
fn closed(mut connection: TcpStream) {
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut rest = Vec::new();
    if let Err(error) = connection.read_to_end(&mut rest) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "the server did not close it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_a_call_make_way_and_those_with_one_stay() {
    let place = Place::new();
    let limits =
        [("SWABLINE_API__CONNECTIONS_MAX", "20"), ("SWABLINE_API__FIRST_CALL_MS_MAX", "1500")];
    let server = Server::start_with(&place.data(), &place.keys(), &limits);
    open_round(&server.address, "R1", "r1").await;
    let mut desk = RecordingClient::new(connect(&server.address).await.unwrap());
    record(&mut desk, 1..2).await;
    let idle = silent(&server, 30);
    for (at, mut connection) in (0..).zip(&idle) {
        let said = [&b""[..], &PREFACE[..9], PREFACE, &[PREFACE, SETTINGS].concat()];
        // Some are in the kernel's queue and some are closed while the later ones speak.
        let _ = connection.write_all(said[at % 4]);
    }
    // Full. The desk that is in works on, and one that comes gets in behind them.
    record(&mut desk, 2..10).await;
    let mut late = RecordingClient::new(connect(&server.address).await.unwrap());
    record(&mut late, 10..20).await;
    idle.into_iter().for_each(closed);
    record(&mut desk, 20..30).await;
    let metric = |name: &str| server.metric(name).unwrap_or(0.0);
    wait_until("the end of connections without a call", || {
        metric("swabline_api_connections") == 2.0
    });
    assert!(metric("swabline_api_connections_waited_total") >= 1.0);
    assert_eq!(metric("swabline_api_connections_uncalled_total"), 30.0);
    let said = std::fs::read_to_string(place.data().with_extension("log")).unwrap();
    for line in ["new ones wait until one ends", "over which no call came were given up"] {
        assert!((1..10).contains(&said.matches(line).count()), "not thirty times: {said}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_too_a_connection_without_a_call_is_given_up() {
    let place = Place::new();
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let files = ["tls.crt", "tls.key"].map(|name| place.root.path().join(name));
    std::fs::write(&files[0], signed.cert.pem()).unwrap();
    std::fs::write(&files[1], signed.signing_key.serialize_pem()).unwrap();
    let [certificate, key] = files.each_ref().map(|file| file.to_str().unwrap());
    let settings = [
        ("SWABLINE_TLS_CERTIFICATE", certificate),
        ("SWABLINE_TLS_KEY", key),
        ("SWABLINE_API__FIRST_CALL_MS_MAX", "1500"),
    ];
    let server = Server::start_with(&place.data(), &place.keys(), &settings);
    let authority = signed.cert.pem();
    let connect = || connect_tls(&server.address, authority.as_bytes());
    let mut desk = RecordingClient::new(connect().await.unwrap());
    let ask = pb::GetSourceRequest { source: "desk".into() };
    desk.get_source(ask.clone()).await.unwrap();
    // After the handshake it says its preface and settings, and nothing else.
    let mut quiet = RecordingClient::new(connect().await.unwrap());
    let metric = |name: &str| server.metric(name).unwrap_or(0.0);
    wait_until("the end of the connection without a call", || {
        metric("swabline_api_connections_uncalled_total") == 1.0
    });
    assert_eq!(metric("swabline_api_connections"), 1.0);
    desk.get_source(ask.clone()).await.unwrap();
    // Its client connects again by itself.
    quiet.get_source(ask).await.unwrap();
    assert_eq!(metric("swabline_api_connections"), 2.0);
    server.stop();
}

/// A request of which a part is sent, and the rest never.
struct Part(Option<Bytes>);

impl http_body::Body for Part {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0
            .take()
            .map_or(Poll::Pending, |part| Poll::Ready(Some(Ok(http_body::Frame::data(part)))))
    }
}

/// The beginning of a message of so many bytes.
fn begun(announced: u32, sent: usize) -> Vec<u8> {
    [&[0][..], &announced.to_be_bytes(), &vec![0; sent]].concat()
}

/// Makes a call with a part of its request; gives its status when the server has ended it.
async fn call(channel: Channel, method: &str, part: Vec<u8>) -> String {
    let uri = format!("http://localhost/swabline.v1.Recording/{method}");
    let request = http::Request::post(uri).header("content-type", "application/grpc");
    let request = request.body(Body::new(Part(Some(part.into())))).unwrap();
    let mut channel = channel;
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let response = channel.call(request).await.unwrap();
    let status = |headers: &http::HeaderMap| {
        headers.get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
    };
    if let Some(status) = status(response.headers()) {
        return status;
    }
    let mut body = response.into_body();
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let frame = frame.expect("a status at the end").unwrap();
        if let Some(trailers) = frame.trailers_ref() {
            return status(trailers).unwrap();
        }
    }
}

/// RESOURCE_EXHAUSTED, as gRPC numbers it.
const EXHAUSTED: &str = "8";

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_messages_hold_no_more_than_they_may_and_not_for_ever() {
    let place = Place::new();
    let limits = [
        ("SWABLINE_API__INCOMING_BYTES_MAX", "4194304"),
        ("SWABLINE_API__CALL_MS_MAX", "6000"),
        ("SWABLINE_API__STREAMS_MAX", "30"),
    ];
    let server = Server::start_with(&place.data(), &place.keys(), &limits);
    open_round(&server.address, "R1", "r1").await;
    let channel = connect(&server.address).await.unwrap();
    let mut desk = RecordingClient::new(connect(&server.address).await.unwrap());
    let metric = |name: &str| server.metric(name).unwrap_or(0.0);
    let halted =
        |cause: &str| metric(&format!("swabline_api_incoming_halted_total{{cause=\"{cause}\"}}"));
    // Room for four of a million bytes.
    let half = (0..10)
        .map(|_| tokio::spawn(call(channel.clone(), "RecordBatch", begun(1_000_000, 100_000))));
    let half: Vec<_> = half.collect();
    wait_until("the refusal of six", || halted("bytes") == 6.0);
    assert_eq!(metric("swabline_api_incoming_bytes"), 4_000_000.0);
    // What desks send gets through.
    record(&mut desk, 1..30).await;
    for call in half {
        assert_eq!(call.await.unwrap(), EXHAUSTED);
    }
    assert_eq!(metric("swabline_api_incoming_bytes"), 0.0, "given up when their time was over");
    // A stream that begins a message and does not go on.
    let hello = pb::Hello { source: "s1".into(), epoch: 1, ..Default::default() };
    let hello = pb::RecordRequest { body: Some(pb::record_request::Body::Hello(hello)) };
    let hello = hello.encode_to_vec();
    let length = u32::try_from(hello.len()).unwrap().to_be_bytes();
    let said = [&[0][..], &length, &hello, &begun(200_000, 150_000)].concat();
    let before = halted("time");
    assert_eq!(call(channel.clone(), "Record", said).await, EXHAUSTED);
    assert_eq!(halted("time"), before + 1.0);
    assert_eq!(metric("swabline_api_incoming_bytes"), 0.0);
    // More calls than may be open.
    let many = (0..40).map(|_| tokio::spawn(call(channel.clone(), "RecordBatch", begun(9, 1))));
    let many: Vec<_> = many.collect();
    wait_until("the refusal of ten", || halted("streams") >= 10.0);
    for call in many {
        assert_eq!(call.await.unwrap(), EXHAUSTED);
    }
    record(&mut desk, 30..40).await;
    server.stop();
}

/// What is said to a client that asks and never reads: its status where it is refused, else the answer that waits.
async fn ask_unread(channel: &Channel, request: &impl Message) -> Result<Body, String> {
    let uri = "http://localhost/swabline.v1.Queries/ListUnaccounted";
    let message = request.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let whole = Bytes::from([&[0][..], &length, &message].concat());
    let whole = http_body_util::Full::new(whole);
    let request = http::Request::post(uri).header("content-type", "application/grpc");
    let mut channel = channel.clone();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let response = channel.call(request.body(Body::new(whole)).unwrap()).await.unwrap();
    match response.headers().get("grpc-status") {
        Some(status) => {
            assert!(
                response.body().is_end_stream(),
                "a status in the headers, and nothing follows"
            );
            Err(status.to_str().unwrap().to_owned())
        }
        None => Ok(response.into_body()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_not_read_hold_no_more_than_they_may() {
    const OUTGOING_BYTES_MAX: f64 = 4_194_304.0;
    let place = Place::new();
    let limits = [("SWABLINE_API__OUTGOING_BYTES_MAX", "4194304")];
    let server = Server::start_with(&place.data(), &place.keys(), &limits);
    open_round(&server.address, "R1", "r1").await;
    let channel = connect(&server.address).await.unwrap();
    let mut desk = RecordingClient::new(channel.clone());
    let facts = (1..=1_000).map(|n| tube("desk", n, &format!("T{n}"), n * 10..n * 10 + 1));
    let request = pb::RecordBatchRequest { facts: facts.collect(), device_now_ms: 0 };
    desk.record_batch(request).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    // Its window takes a few bytes of each answer.
    let narrow = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address));
    let narrow = narrow.unwrap().initial_stream_window_size(64).connect().await.unwrap();
    let page = Some(pb::PageRequest { size: 1_000, token: String::new() });
    let all = pb::ListUnaccountedRequest { silent_ms_min: 1, page, ..Default::default() };
    let metric = |name: &str| server.metric(name).unwrap_or(0.0);
    let (mut unread, mut refused) = (Vec::new(), 0);
    for _ in 0..100 {
        match ask_unread(&narrow, &all).await {
            Ok(answer) => unread.push(answer),
            Err(status) => {
                assert_eq!(status, EXHAUSTED);
                refused += 1;
            }
        }
    }
    assert!(unread.len() > 5 && refused > 5, "{} and {refused}", unread.len());
    let held = metric("swabline_api_outgoing_bytes");
    assert!(held > OUTGOING_BYTES_MAX / 2.0 && held <= OUTGOING_BYTES_MAX, "{held}");
    assert_eq!(metric("swabline_api_outgoing_refused_total"), f64::from(refused));
    // What is small gets through, and what is large when they are gone.
    desk.get_source(pb::GetSourceRequest { source: "desk".into() }).await.unwrap();
    let mut queries = queries(channel);
    assert_eq!(queries.list_unaccounted(all.clone()).await.unwrap_err().code() as i32, 8);
    drop((unread, narrow));
    wait_until("room", || metric("swabline_api_outgoing_bytes") == 0.0);
    assert_eq!(queries.list_unaccounted(all).await.unwrap().into_inner().tubes.len(), 1_000);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_watch_as_may_and_the_next_one_when_one_has_gone() {
    const WATCHING_MAX: usize = 1_000;
    let place = Place::new();
    let server = Server::start_with(&place.data(), &place.keys(), &[]);
    let mut watching = Vec::new();
    for _ in 0..WATCHING_MAX / 100 {
        let mut progress = ProgressClient::new(connect(&server.address).await.unwrap());
        for _ in 0..100 {
            watching
                .push(progress.watch_progress(pb::WatchProgressRequest::default()).await.unwrap());
        }
    }
    let mut another = ProgressClient::new(connect(&server.address).await.unwrap());
    let refused = another.watch_progress(pb::WatchProgressRequest::default()).await;
    assert_eq!(refused.unwrap_err().code() as i32, 8);
    drop(watching.pop());
    let mut seen = None;
    for _ in 0..100 {
        seen = another.watch_progress(pb::WatchProgressRequest::default()).await.ok();
        match seen {
            Some(_) => break,
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    let mut seen = seen.expect("a place that is free").into_inner();
    assert!(seen.message().await.unwrap().expect("a first answer").total.is_some());
    server.stop();
}
