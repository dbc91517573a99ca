//! The running service is killed under load, again and again; every acknowledged fact is there
//! afterwards, and there once.

use crate::common::{Place, Server};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use swabline::api::client::{AdministrationClient, QueriesClient, RecordingClient, connect, pb};
use swabline::domain::fact::FactId;
use swabline::store::{Store, verify};

const SOURCES: u64 = 6;
const KILLS: u32 = 20;

fn fact(source: &str, number: u64) -> pb::Fact {
    let members = (0..10)
        .map(|at| pb::Identity {
            document_type: pb::DocumentType::Other.into(),
            number: format!("{source}-{number}-{at}").into(),
        })
        .collect();
    pb::Fact {
        id: Some(pb::FactId { source: source.into(), epoch: 1, number }),
        captured_at_ms: crate::common::noon(),
        round: "R1".into(),
        body: Some(pb::fact::Body::TubeCollected(pb::TubeCollected {
            tube: format!("{source}T{number}"),
            pool: 10,
            desk: "D1".into(),
            members,
            ..Default::default()
        })),
    }
}

async fn open_round(address: &str) {
    let mut administration = AdministrationClient::new(connect(address).await.unwrap());
    let id = Some(pb::FactId { source: "office".into(), epoch: 1, number: 1 });
    let fact = Some(pb::AdministrationFact { id, captured_at_ms: crate::common::noon() });
    let request = pb::OpenRoundRequest {
        fact,
        round: "R1".into(),
        name: "第一轮".into(),
        key_id: "r1".into(),
        pool: 10,
    };
    administration.open_round(request).await.unwrap();
}

/// Sends one message of two facts after the other until the service dies; notes what was
/// acknowledged. Starts again a little before the last number, as a scanner does.
async fn scan(
    address: String,
    source: String,
    next: Arc<AtomicU64>,
    acknowledged: Arc<Mutex<BTreeSet<FactId>>>,
) {
    let Ok(channel) = connect(&address).await else { return };
    let mut recording = RecordingClient::new(channel);
    loop {
        let number = next.load(Ordering::Relaxed);
        let facts = vec![fact(&source, number), fact(&source, number + 1)];
        let request = pb::RecordBatchRequest { facts, device_now_ms: 0 };
        let Ok(reply) = recording.record_batch(request).await else { return };
        for outcome in reply.into_inner().outcomes {
            assert_ne!(outcome.outcome, i32::from(pb::Outcome::Refused), "{:?}", outcome.refusal);
            let id = FactId { source: source.as_str().into(), epoch: 1, number: outcome.number };
            acknowledged.lock().unwrap().insert(id);
        }
        next.store(number + 2, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_nothing_acknowledged_and_double_nothing() {
    let place = Place::new();
    let acknowledged: Arc<Mutex<BTreeSet<FactId>>> = Arc::default();
    let next: Vec<Arc<AtomicU64>> = (0..SOURCES).map(|_| Arc::new(AtomicU64::new(1))).collect();
    for kill in 0..KILLS {
        // Every second time files of indexes and records are written all the while, so that kills
        // fall into that too.
        let small_runs: &[_] =
            &[("SWABLINE_STORE__INDEX_RUN_ENTRIES", "50"), ("SWABLINE_STORE__RECORDS_RUN", "30")];
        let environment = if kill % 2 == 1 { small_runs } else { &[] };
        let server = Server::start_with(&place.data(), &place.keys(), environment);
        open_round(&server.address).await;
        let scanners: Vec<_> = (0..SOURCES)
            .zip(&next)
            .map(|(source, next)| {
                // Facts whose acknowledgement was lost are sent again, and some that were not.
                next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                    Some(n.saturating_sub(6).max(1))
                })
                .unwrap();
                tokio::spawn(scan(
                    server.address.clone(),
                    format!("desk{source}"),
                    Arc::clone(next),
                    Arc::clone(&acknowledged),
                ))
            })
            .collect();
        let before = acknowledged.lock().unwrap().len();
        // The load must be real before the kill, and the kills must fall at different moments.
        while acknowledged.lock().unwrap().len() < before + 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(u64::from(kill * 37 % 211))).await;
        server.kill();
        for scanner in scanners {
            scanner.await.unwrap();
        }
    }
    let server = Server::start(&place.data(), &place.keys());
    let mut queries = QueriesClient::new(connect(&server.address).await.unwrap());
    let last = acknowledged.lock().unwrap().last().unwrap().clone();
    let tube = format!("{}T{}", last.source, last.number);
    let request = pb::GetTubeRequest { tube, with_proofs: true };
    let reply = queries.get_tube(request).await.unwrap().into_inner();
    assert_eq!(reply.tube.unwrap().swabs, 10);
    server.stop();

    let report = verify(&place.data()).unwrap();
    assert_eq!(report.findings_total, 0, "{:?}", report.findings);
    let read = Store::open_read_only(&place.data()).unwrap();
    let acknowledged = acknowledged.lock().unwrap();
    println!("{} acknowledged over {KILLS} kills, {} events", acknowledged.len(), report.events);
    for id in acknowledged.iter() {
        let event = read.event_of_fact(id).unwrap();
        assert!(event.is_some(), "{id:?} was acknowledged and is gone");
        let tube = read.tube(&format!("{}T{}", id.source, id.number)).unwrap().unwrap();
        assert_eq!(tube.marks.len(), 1, "{id:?} stands in the log more than once");
    }
}
