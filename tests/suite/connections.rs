//! Clients that connect and do not do their part: they cost others nothing.

use crate::common::{Place, Server, wait_until, with_files};
use crate::service::{id, open_round, tube};
use std::net::TcpStream;
use std::time::Duration;
use swabline::api::client::{Channel, RecordingClient, connect, pb};

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
