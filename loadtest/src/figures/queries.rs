//! Questions about people over gRPC, while the server takes facts in at half of what it can.

use super::Sheet;
use super::grpc::{gateways, whole};
use super::half::half_load;
use super::place::Served;
use crate::api::{GetPeopleReply, GetPersonReply};
use crate::encode::Encoder;
use crate::load::{Load, RUN_UP, put_people};
use crate::order::{CONNECT_PATIENCE, Order};
use crate::report::object;
use crate::schedule::{Shape, mix};
use crate::stream::{Crowd, never};
use crate::tally::{Latency, Ranges, Tally, Went};
use crate::wire::{Broken, Line};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use prost::Message;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tonic::Code;

const GET_PERSON: &str = "/swabline.v1.Queries/GetPerson";
const GET_PEOPLE: &str = "/swabline.v1.Queries/GetPeople";
/// People of one question, when several are asked about at once: what a health-code service gathers
/// in some milliseconds.
const AT_ONCE: u64 = 50;
/// Connections that ask, and questions under way on each: all together fewer than a server answers
/// at a time by default (64).
const CONNECTIONS: u32 = 4;
/// The same.
const UNDER_WAY: u64 = 14;
/// One answer in so many is looked into; all are waited for.
const LOOKED_INTO: u64 = 64;
/// Pause after a refusal.
const PAUSE: Duration = Duration::from_millis(5);

/// What was asked and answered.
#[derive(Default)]
struct Asked {
    /// Calls that were answered.
    calls: u64,
    refused: u64,
    latency: Latency,
}

/// Tubes that can be asked about.
struct Known {
    load: Arc<Load>,
    ranges: Vec<(u32, u64, u64)>,
}

impl Known {
    fn new(load: Arc<Load>, acknowledged: &Ranges) -> Known {
        let each = acknowledged.iter().flat_map(|(device, ranges)| {
            ranges.iter().map(|(first, last)| (*device, *first, *last))
        });
        Known { load, ranges: each.collect() }
    }

    /// Somebody in one of the tubes, by chance.
    fn somebody(&self, chance: u64) -> u64 {
        let (device, first, last) = self.ranges[(chance % self.ranges.len() as u64) as usize];
        let number = first + mix(chance) % (last - first + 1);
        let people = u64::from(self.load.people_in(device, number));
        self.load.first_person(device, number) + mix(chance ^ 1) % people
    }
}

/// Measures it.
pub async fn over_grpc(sheet: &mut Sheet) -> Result<()> {
    let server = Served::start(&sheet.place, "queries", false).await?;
    server.serving().await?;
    let target = &server.target;
    let filled = gateways(sheet.scale("seconds of filling", 60.0, 6.0)).run(target).await?;
    whole(&filled.tally)?;
    let full = sheet.batched_rate(&server).await?;
    let seconds = sheet.scale("seconds", 60.0, 6.0);
    let known = Arc::new(Known::new(filled.load.clone(), &filled.tally.acknowledged));
    ensure!(!known.ranges.is_empty(), "there is nobody to ask about");

    for (name, at_once) in [("person_queries_grpc", 1), ("people_queries_grpc", AT_ONCE)] {
        let asked = while_half_loaded(&server, &known, full / 2.0, seconds, at_once).await?;
        let mut details = json!({
            "ingest_ms": object(&asked.ingest.latency),
            "query_ms": object(&asked.all.latency),
            "refused": asked.all.refused,
            "connections": CONNECTIONS,
            "under_way": u64::from(CONNECTIONS) * UNDER_WAY,
            "at_once": at_once,
            "people": filled.tally.acknowledged_tubes() * 10,
            "seconds": seconds,
        });
        half_load(&mut details, full, asked.ingest_tubes_per_s);
        let answers = asked.all.calls * at_once;
        sheet.put(name, answers as f64 / asked.seconds, details);
    }
    server.stop().await?;
    sheet.forget("queries")
}

/// What a period of asking came to.
struct Period {
    all: Asked,
    seconds: f64,
    ingest: Tally,
    /// Tubes a second that were taken, those that came late over the time that they took.
    ingest_tubes_per_s: f64,
}

/// Asks about `at_once` people in each question while tubes come in at `rate`.
async fn while_half_loaded(
    server: &Served,
    known: &Arc<Known>,
    rate: f64,
    seconds: f64,
    at_once: u64,
) -> Result<Period> {
    let target = &server.target;
    let order = Order { shape: Some(Shape::steady(rate, seconds)), ..gateways(seconds) };
    let load = order.prepare(target, order.devices).await?;
    let dialer =
        target.server.dialer(&target.desk, order.connections + CONNECTIONS, CONNECT_PATIENCE)?;
    let crowd = Crowd::open(&dialer, &load, &order.timing(), order.connections).await?;
    let mut asking = JoinSet::new();
    let start = Instant::now() + RUN_UP;
    let over = start + Duration::from_secs_f64(seconds);
    let ingest = tokio::spawn(crowd.run(start, never()));
    for connection in 0..CONNECTIONS {
        let line = dialer.line(order.connections + connection).await?;
        for nth in 0..UNDER_WAY {
            let seed = (u64::from(connection) * UNDER_WAY + nth) << 40;
            asking.spawn(ask(line.clone(), known.clone(), seed, over, at_once));
        }
    }
    let begun = Instant::now();
    let mut all = Asked::default();
    while let Some(asked) = asking.join_next().await {
        let asked = asked??;
        all.calls += asked.calls;
        all.refused += asked.refused;
        all.latency.add(&asked.latency);
    }
    let asked_for = begun.elapsed().as_secs_f64();
    let Went { tally, elapsed, .. } = ingest.await.context("the load")??;
    whole(&tally)?;
    let ingest_tubes_per_s = tally.acknowledged_tubes() as f64 / elapsed.as_secs_f64().max(seconds);
    Ok(Period { all, seconds: asked_for, ingest: tally, ingest_tubes_per_s })
}

/// Asks one question after the other.
async fn ask(
    line: Line,
    known: Arc<Known>,
    seed: u64,
    over: Instant,
    at_once: u64,
) -> Result<Asked> {
    let mut asked = Asked::default();
    let mut encoder = Encoder::default();
    let round = known.load.round.as_bytes();
    for nth in 0.. {
        let at = Instant::now();
        if at > over {
            break;
        }
        let question = encoder.message(|to| {
            for other in 0..at_once {
                put_people(to, 1, known.somebody(mix(seed + nth * at_once + other)), 1);
            }
            to.text(2, round);
        });
        let call = if at_once == 1 { GET_PERSON } else { GET_PEOPLE };
        match line.ask(call, question).await {
            Ok(answer) => {
                asked.calls += 1;
                asked.latency.note(at.elapsed(), 1);
                if nth % LOOKED_INTO == 0 {
                    look_into(answer, at_once)?;
                }
            }
            Err(Broken::Status(Code::ResourceExhausted, _)) => {
                asked.refused += 1;
                sleep(PAUSE).await;
            }
            Err(broken) => return Err(broken.into()),
        }
    }
    Ok(asked)
}

/// Everybody who was asked about is in a tube.
fn look_into(answer: Bytes, at_once: u64) -> Result<()> {
    let people = match at_once {
        1 => vec![GetPersonReply::decode(answer)?],
        _ => GetPeopleReply::decode(answer)?.people,
    };
    let known = |person: &GetPersonReply| person.registered && !person.samples.is_empty();
    ensure!(
        people.len() as u64 == at_once && people.iter().all(known),
        "somebody whose tube was acknowledged is not known"
    );
    Ok(())
}
