//! What the service meets at its limits: a full disk, a port in use, a missing key, and a folder
//! that is told to stop.

use crate::common::{Place, Server, binary, collected, fact, members, not_run, small_round};
use std::process::{Command, Stdio};
use swabline::domain::Code;
use swabline::domain::counters::{CellKey, Figures};
use swabline::domain::discrepancy::Discrepancy;
use swabline::domain::fact::{Body, Fact, Well, WellContent};
use swabline::domain::words::{Condition, Status};
use swabline::engine::{Engine, Error, Options, Outcome, Submission};
use swabline::store::{FolderKind, Options as StoreOptions, Store, verify};

fn submissions(facts: Vec<Fact>) -> Vec<Submission> {
    facts.into_iter().map(|fact| Submission { fact, clock_offset_ms: 0 }).collect()
}

/// A small file system in memory, unmounted when dropped; `None` where it cannot be had.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "none"])
            .arg(dir.path())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(SmallDisk(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_intake_with_its_cause_and_loses_nothing_acknowledged() {
    let Some(disk) = SmallDisk::new("24m") else {
        not_run("a full disk", "mounting a small file system needs root");
        return;
    };
    let dir = disk.0.path().join("data");
    let options = StoreOptions { write_buffer_bytes: 1 << 20, ..StoreOptions::default() };
    let store = Store::open(&dir, Some(FolderKind::Live), &options).unwrap();
    let engine = Engine::start(store, &Options::default()).unwrap();
    let handle = engine.handle();
    handle.submit(submissions(small_round())).await.unwrap();
    let mut last = 0_u64;
    let error = loop {
        let facts = (0..200).map(|n| {
            let number = last + n + 1;
            let mut fact = fact(
                "desk-2",
                number,
                collected(&format!("D{number}"), number * 20..number * 20 + 20),
            );
            fact.captured_at = swabline::domain::Time(crate::common::noon());
            fact
        });
        match handle.submit(submissions(facts.collect())).await {
            Ok(_) => last += 200,
            Err(error) => break error,
        }
        assert!(last < 40_000, "24 MB cannot hold this");
    };
    let Error::StorageFault { cause } = &error else { panic!("{error}") };
    assert!(cause.contains("No space left") && cause.contains("磁盘空间不足"), "{cause}");
    let again = handle.submit(submissions(vec![fact("desk-3", 1, collected("X", 0..1))])).await;
    assert!(matches!(again, Err(Error::StorageFault { .. })), "nothing is taken after a fault");
    assert!(handle.read().tube("T1").unwrap().is_some(), "reads go on");
    drop(handle);
    engine.stop().unwrap();

    // Room is made; everything acknowledged is there.
    assert!(
        Command::new("mount")
            .args(["-o", "remount,size=200m"])
            .arg(disk.0.path())
            .status()
            .unwrap()
            .success()
    );
    let report = verify(&dir).unwrap();
    assert_eq!(report.findings_total, 0, "{:?}", report.findings);
    assert!(report.events >= 12 + last, "{} events, {last} acknowledged", report.events);
    let store = Store::open(&dir, None, &options).unwrap();
    let engine = Engine::start(store, &Options::default()).unwrap();
    assert!(engine.handle().read().tube(&format!("D{last}")).unwrap().is_some());
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_queue_holds_is_refused_at_once_with_a_time_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), None, &StoreOptions::default()).unwrap();
    let options = Options { queue_facts_max: 50, ..Options::default() };
    let engine = Engine::start(store, &options).unwrap();
    let handle = engine.handle();
    let jobs: Vec<_> = (0..200_u64)
        .map(|job| {
            let facts = (1..=20)
                .map(|n| fact(&format!("s{job}"), n, collected(&format!("T{job}-{n}"), 0..10)))
                .collect();
            handle.enqueue(submissions(facts))
        })
        .collect();
    let refused = jobs.iter().filter(|job| job.is_err()).count();
    assert!(refused > 0, "200 jobs of 20 facts do not fit a queue of 50");
    let mut recorded = 0;
    for job in jobs {
        match job {
            Ok(answer) => recorded += answer.await.unwrap().unwrap().outcomes.len(),
            Err(Error::Overloaded { cause, retry_after_ms }) => {
                assert_eq!((cause, retry_after_ms > 0), ("queue_facts_max", true));
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(handle.read().last_seq(), recorded as u64, "what was refused was not recorded");
    drop(handle);
    engine.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_everything_that_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), None, &StoreOptions::default()).unwrap();
    let engine = Engine::start(store, &Options::default()).unwrap();
    let handle = engine.handle();
    let taken: Vec<_> = (1..=500)
        .map(|n| {
            handle
                .enqueue(submissions(vec![fact("s", n, collected(&format!("T{n}"), 0..10))]))
                .unwrap()
        })
        .collect();
    let stopped = tokio::task::spawn_blocking(move || engine.stop());
    for answer in taken {
        assert_eq!(answer.await.unwrap().unwrap().outcomes.len(), 1);
    }
    stopped.await.unwrap().unwrap();
    let late = handle
        .submit(submissions(vec![fact("s", 501, Body::TubeLost { tube: "T1".into() })]))
        .await;
    assert!(matches!(late, Err(Error::ShuttingDown)));
    assert_eq!(members(0..1).len(), 1);
}

fn serve(place: &Place, more: &[&str]) -> std::process::Output {
    binary()
        .args(["serve", "--metrics", "127.0.0.1:0", "--data"])
        .arg(place.data())
        .arg("--keys")
        .arg(place.keys())
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = serve(&Place::new(), &["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains(&address) && said.contains("another address") && said.contains("换一个地址"),
        "{said}"
    );
}

#[test]
fn a_certificate_that_is_none_keeps_the_service_from_starting() {
    let place = Place::new();
    let garbage = place.root.path().join("garbage.pem");
    std::fs::write(&garbage, "no certificate").unwrap();
    let garbage = garbage.to_str().unwrap().to_owned();
    let file = place.root.path().join("swabline.toml");
    std::fs::write(&file, format!("tls_certificate = '{garbage}'\ntls_key = '{garbage}'\n"))
        .unwrap();
    let output = serve(&place, &["--listen", "127.0.0.1:0", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("tls_certificate") && said.contains("证书"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_of_an_open_round_keeps_the_service_from_starting() {
    let place = Place::new();
    let server = Server::start(&place.data(), &place.keys());
    crate::service::open_round(&server.address, "R1", "r1").await;
    server.stop();
    let key = place.keys().join("r1.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let output = serve(&place, &["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("r1.key") && said.contains("缺失"), "{said}");
    std::fs::write(&key, kept).unwrap();
    Server::start(&place.data(), &place.keys()).stop();
}

#[test]
fn an_unknown_key_of_the_configuration_is_an_error_and_the_rest_can_be_printed() {
    let place = Place::new();
    let file = place.root.path().join("swabline.toml");
    std::fs::write(&file, "[engine]\nqueue_fact_max = 5\n").unwrap();
    let output = serve(&place, &["--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("queue_fact_max"));
    let output = serve(&place, &["--print-config"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("queue_facts_max = 100000"));
}

/// Facts that each name something else that nobody planned: so many of those are counted each by itself, also after the folder
/// was opened again, and every tube is counted somewhere.
async fn made_up_codes_are_counted_up_to(
    counted_max: usize,
    fact_of: impl Fn(u64) -> Fact,
    is_named: impl Fn(&CellKey) -> bool,
) {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for more in [counted_max as u64 + 40, 60] {
        let store =
            Store::open(dir.path(), Some(FolderKind::Live), &StoreOptions::default()).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let handle = engine.handle();
        handle.submit(submissions((last..last + more).map(&fact_of).collect())).await.unwrap();
        last += more;
        let figures = handle.feed().figures();
        let named = figures.cells.keys().filter(|cell| is_named(cell)).count();
        assert_eq!(named, counted_max, "and no more after the folder was opened again");
        let all: i64 = figures.cells.values().map(Figures::tubes_total).sum();
        assert_eq!(all, i64::try_from(last).unwrap(), "none is left out");
        drop(handle);
        engine.stop().unwrap();
    }
    let report = verify(dir.path()).unwrap();
    assert_eq!(report.findings_total, 0, "{:?}", report.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn desks_that_are_made_up_are_counted_under_no_desk_once_there_are_too_many() {
    let of_a_desk = |number| {
        let mut fact = fact("scanner", number + 1, collected(&format!("T{number}"), 0..1));
        if let Body::TubeCollected { desk, .. } = &mut fact.body {
            *desk = format!("made-up-{number}").into();
        }
        fact
    };
    made_up_codes_are_counted_up_to(10_000, of_a_desk, |cell| !cell.desk.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn laboratories_that_are_made_up_are_counted_under_none_once_there_are_too_many() {
    let of_a_lab = |number| {
        let (tube, lab) = (format!("T{number}").into(), format!("made-up-{number}").into());
        fact("lims", number + 1, Body::TubeReceived { tube, lab, condition: Condition::Good })
    };
    made_up_codes_are_counted_up_to(1_000, of_a_lab, |cell| !cell.lab.is_empty()).await;
}

/// One code for every tube, one for every box, one for every plate: what they cost is bounded, and the folder is as its log says.
#[tokio::test(flavor = "multi_thread")]
async fn codes_that_stand_for_many_things_are_recorded_and_taken_in_up_to_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let mut number = 0;
    for taken in [false, true] {
        let store =
            Store::open(dir.path(), Some(FolderKind::Live), &StoreOptions::default()).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let handle = engine.handle();
        let mut next = |body: Body| {
            number += 1;
            fact("lims", number, body)
        };
        let mut facts = Vec::new();
        for n in 0..700_u64 {
            let n = n + 1_000 * u64::from(taken);
            facts.push(next(collected("STUCK", n * 10..n * 10 + 10)));
            facts.push(next(collected(&format!("T{n}"), n * 10..n * 10 + 10)));
            let tubes = (0..20).map(|tube| Code::from(format!("T{n}-{tube}"))).collect();
            facts.push(next(Body::BoxReceived {
                container: "BOX".into(),
                lab: "L1".into(),
                tubes,
            }));
            let well = |content| Well { position: 0, content };
            let wells = vec![well(WellContent::Tube(format!("T{n}").into()))];
            let (plate, lab) = (Code::from("PLATE"), Code::from("L1"));
            let (kit, kit_lot) = (Code::from("K1"), Code::default());
            facts.push(next(Body::PlateLoaded { plate, lab, kit, kit_lot, wells }));
        }
        let all = facts.len();
        let receipt = handle.submit(submissions(facts)).await.unwrap();
        let told = |outcome: &&Outcome| match outcome {
            Outcome::Recorded { found, .. } => found.has(Discrepancy::CodeOverused),
            _ => panic!("{outcome:?}"),
        };
        let overused = receipt.outcomes.iter().filter(told).count();
        // The tube takes in 200 times ten swabs, the box 500 times 20 tubes, the plate 64 facts.
        let before = if taken { 0 } else { 199 + 499 + 63 };
        assert_eq!(overused, all / 4 * 3 - before);
        let read = handle.read();
        let tubes: Vec<Code> = vec!["STUCK".into(), "T5".into(), "T699-19".into()];
        let views: Vec<_> =
            read.tubes(&tubes).unwrap().into_iter().map(|t| t.unwrap().view()).collect();
        assert_eq!((views[0].status, views[0].members.len()), (Status::Reused, 2_000));
        assert_eq!(views[1].status, Status::Plated);
        assert_eq!((views[2].status, views[2].lab.as_str()), (Status::Awaiting, "L1"));
        drop(handle);
        engine.stop().unwrap();
        let report = verify(dir.path()).unwrap();
        assert_eq!(report.findings_total, 0, "{:?}", report.findings);
    }
}
