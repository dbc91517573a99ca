//! Answers about people come from memory where they can. They are those of the files all the same: while
//! tubes move to a file, are told of again, leave memory because it is small, and come back to it after a
//! restart. The files' own way is asked beside it: the tube by its code, with its people from the log.

use crate::common::{code, fact, members, person, submit};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use swabline::domain::Time;
use swabline::domain::fact::{Body, Fact, Member};
use swabline::domain::words::{Call, Code, Condition, Status};
use swabline::engine::query::person::{person as answer, person_in_memory};
use swabline::engine::{Engine, Handle, Options};
use swabline::store::{FolderKind, Options as StoreOptions, Store};

const BATCHES: u64 = 40;
const TUBES: u64 = 21;

fn tiny(tubes: usize, index: usize) -> StoreOptions {
    StoreOptions {
        index_run_entries: 700,
        index_pending_max: 20_000,
        records_run: 70,
        records_pending_max: 2_000,
        tubes_memory_bytes: tubes,
        index_memory_bytes: index,
        ..StoreOptions::default()
    }
}

fn tube(number: u64) -> Code {
    code(&format!("T{number:05}"))
}

fn into(tube: Code, pool: u16, members: Vec<Member>) -> Body {
    let (desk, device, lot) = (code("D1"), Code::default(), Code::default());
    Body::TubeCollected { tube, pool, desk, device, lot, members }
}

/// What is told first of a tube, by the kind that its number gives it.
fn first(n: u64) -> Body {
    let people = n * 10..n * 10 + 10;
    match n % 7 {
        // A tube for one, whose person was scanned twice.
        1 => into(tube(n), 1, members([n * 10, n * 10])),
        // A tube for one.
        2 => into(tube(n), 1, members([n * 10])),
        // Swab by swab; the others come later.
        3 => Body::PersonSwabbed {
            tube: tube(n),
            pool: 10,
            desk: code("D1"),
            device: Code::default(),
            lot: Code::default(),
            member: members([n * 10]).remove(0),
        },
        _ => into(tube(n), 10, members(people)),
    }
}

/// What is told of it later.
fn later(n: u64) -> Vec<Body> {
    let received = Body::TubeReceived { tube: tube(n), lab: lab(n), condition: Condition::Good };
    let own = match n % 7 {
        1 | 2 => vec![amended(n)],
        3 => vec![into(tube(n), 10, members(n * 10..n * 10 + 4))],
        4 => vec![Body::MemberWithdrawn { tube: tube(n), person: person(n * 10) }],
        5 => {
            let new = members([1_000_000 + n]).remove(0);
            vec![Body::MemberCorrected { tube: tube(n), old: person(n * 10), new }]
        }
        // Somebody else in a tube that is closed.
        6 => vec![into(tube(n), 10, members([2_000_000 + n]))],
        _ => vec![],
    };
    own.into_iter().chain([received]).collect()
}

fn amended(n: u64) -> Body {
    Body::ResultAmended { tube: tube(n), call: Call::Positive, reason: code("x") }
}

fn lab(n: u64) -> Code {
    code(&format!("L{}", n % 3))
}

fn told(source: &str, bodies: impl IntoIterator<Item = Body>, from: u64) -> Vec<Fact> {
    (from..).zip(bodies).map(|(number, body)| fact(source, number, body)).collect()
}

/// Asks about a person, who is or was named in tube `n`; true when memory gave the answer.
fn same_as_files(handle: &Handle, n: u64, number: u64) -> bool {
    let (read, keys, reference) = (handle.read(), [person(number)], handle.feed().reference());
    let in_memory = person_in_memory(read, &reference, &keys, Time(0));
    let found =
        in_memory.clone().unwrap_or_else(|| answer(read, &reference, &keys, Time(0)).unwrap());
    let view = read.tube(&tube(n)).unwrap().expect("a tube that was acknowledged").view();
    let member = view.members.contains(&keys[0]);
    assert_eq!(found.samples.len(), usize::from(member), "tube {n} person {number}: {found:?}");
    assert_eq!(found.taken_out_of.len(), usize::from(!member), "tube {n} person {number}");
    for sample in &found.samples {
        let said = (&sample.tube, sample.status, &sample.lab, sample.pool, sample.single);
        let stands = (&tube(n), view.status, &view.lab, view.pool, view.is_single());
        assert_eq!(said, stands, "person {number}");
    }
    let positive = n % 7 == 1 || n % 7 == 2;
    if view.call.is_some() {
        let call = found.result.as_ref().map(|result| result.call);
        assert_eq!(call, positive.then_some(Call::Positive), "tube {n}: a single tube tells");
    }
    in_memory.is_some()
}

/// Who is named in tube `n` when everything was told.
fn named(n: u64) -> Vec<u64> {
    match n % 7 {
        1 | 2 => vec![n * 10],
        3 => vec![n * 10, n * 10 + 3],
        5 => vec![n * 10, n * 10 + 5, 1_000_000 + n],
        6 => vec![n * 10 + 9, 2_000_000 + n],
        _ => vec![n * 10, n * 10 + 7],
    }
}

/// Goes through tubes until memory has given some answers, where it must; it must give none with no memory
/// for tubes.
fn until_from_memory(handle: &Handle, wanted: Option<bool>) {
    let begun = Instant::now();
    loop {
        let all = (0..BATCHES * TUBES).flat_map(|n| named(n).into_iter().map(move |who| (n, who)));
        let told = all.filter(|(n, who)| same_as_files(handle, *n, *who)).count();
        if wanted.is_none_or(|wanted| wanted == (told > 0)) {
            return;
        }
        assert!(
            wanted == Some(true) && begun.elapsed() < Duration::from_secs(30),
            "{told} answers from memory"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends the asking also when an answer was wrong: else the test would wait for ever instead of failing.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_memory_is_the_answer_of_the_files() {
    // All of it, the newest tubes, no tubes, no index (what waits for a run is in memory all the same).
    let cases = [
        (1 << 20, 1 << 20, Some(true)),
        (20_000, 1 << 20, Some(true)),
        (0, 1 << 20, Some(false)),
        (1 << 20, 0, None),
    ];
    for (tubes, index, wanted) in cases {
        let options = tiny(tubes, index);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Some(FolderKind::Live), &options).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let (acknowledged, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let handle = engine.handle();
        let asked = std::thread::scope(|scope| {
            // Somebody asks all the while, about tubes of which everything has been acknowledged.
            let asking = scope.spawn(|| {
                let (mut asked, mut random) = (0, 1_u64);
                while !over.load(Ordering::Acquire) {
                    let known = acknowledged.load(Ordering::Acquire);
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    if let Some(n) = (random >> 33).checked_rem(known) {
                        let who = named(n)[0];
                        let (read, reference) = (handle.read(), handle.feed().reference());
                        let found = answer(read, &reference, &[person(who)], Time(0)).unwrap();
                        for sample in found.samples {
                            assert!(sample.status >= Status::Received, "tube {n}: {sample:?}");
                            assert_eq!(sample.lab, lab(n));
                        }
                        asked += 1;
                    }
                }
                asked
            });
            let ending = Over(&over);
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    for batch in 0..BATCHES {
                        let tubes = batch * TUBES..(batch + 1) * TUBES;
                        let source = format!("desk-{}", batch % 7);
                        let from = batch * TUBES + 1;
                        submit(&engine, &told(&source, tubes.clone().map(first), from)).await;
                        let more = told("lab", tubes.clone().flat_map(later), 1 + batch * 100);
                        submit(&engine, &more).await;
                        acknowledged.store(tubes.end, Ordering::Release);
                        for n in (0..tubes.end).step_by(11) {
                            for who in named(n) {
                                same_as_files(&handle, n, who);
                            }
                        }
                    }
                });
            });
            drop(ending);
            asking.join().expect("every answer was as it must be")
        });
        assert!(asked > 0);
        until_from_memory(&handle, wanted);
        drop(handle);
        engine.stop().unwrap();

        let store = Store::open(dir.path(), None, &options).unwrap();
        let engine = Engine::start(store, &Options::default()).unwrap();
        let handle = engine.handle();
        until_from_memory(&handle, wanted);
        drop(handle);
        engine.stop().unwrap();
    }
}
