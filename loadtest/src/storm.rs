//! The reconnect storm: the network comes back, and every device of the city connects at once to
//! hand in what it took meanwhile, while other desks go on scanning.

use crate::api::{Acknowledgement, Outcome};
use crate::connect::Target;
use crate::exit::{Verdict, Wrong};
use crate::files;
use crate::kinds::Kinds;
use crate::load::{Load, RUN_UP, now_ms};
use crate::order::{self, CONNECT_PATIENCE, STREAMS_PER_CONNECTION_MAX};
use crate::report::{machine, object, quantiles, read_back_json};
use crate::schedule::{Shape, mix};
use crate::stream::{self, Crowd};
use crate::tally::{Latency, Ranges, Tally};
use crate::verify::{self, ReadBack};
use crate::wire::{Broken, Dialer, Line, Talk};
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

/// Tries of a connection's devices to connect and to hand in.
const TRIES_MAX: u64 = 200;
/// How long a device waits for the answer before it tries again: busy servers answer late, lost
/// connections never.
const TRY_PATIENCE: Duration = Duration::from_secs(60);
/// First and longest pause between two tries; in between it doubles, with some chance in it.
const PAUSE_MS: u64 = 100;
const PAUSE_MS_MAX: u64 = 5_000;
/// No storm lasts longer: what is not acknowledged by then counts as lost to the devices.
const SECONDS_MAX: f64 = 600.0;
/// The queued tubes were filled so long ago: two hours without network.
const QUEUED_AGE_MS: u64 = 2 * 3_600_000;
/// Sources that are read back; with more, every so many-th.
const SOURCES_READ_BACK: usize = 2_000;

/// A storm.
#[derive(Clone, Debug)]
pub struct Order {
    /// Devices that come back.
    pub devices: u32,
    /// Their connections [one for each, or as many as files allow].
    pub connections: Option<u32>,
    /// Tubes that each has queued; they go in one message.
    pub tubes: u32,
    /// Desks that go on scanning.
    pub live_devices: u32,
    /// Tubes a second that are due over those desks.
    pub live_rate: f64,
}

impl Default for Order {
    /// Harbin's devices after an outage of 2 h; 2,000 desks with a tube every 20 s.
    fn default() -> Order {
        Order {
            devices: 26_000,
            connections: None,
            tubes: 20,
            live_devices: 2_000,
            live_rate: 100.0,
        }
    }
}

/// What became of it.
pub struct Found {
    /// Connections of the devices that came back.
    pub connections: u32,
    /// From the start of the storm until the last queued tube was acknowledged.
    pub seconds: f64,
    /// The same of each device.
    drained: Latency,
    /// Queued tubes that were acknowledged.
    tubes: u64,
    /// Devices whose tubes were never acknowledged, and what tries failed of.
    pub lost: u64,
    errors: Kinds,
    /// Messages that were told to come back; tries that failed.
    refusals: u64,
    retries: u64,
    /// The desks that went on.
    pub live: Tally,
    read_back: ReadBack,
}

/// What one connection's devices counted.
#[derive(Default)]
struct Part {
    drained: Latency,
    tubes: u64,
    last: Duration,
    refusals: u64,
    retries: u64,
    lost: u64,
    errors: Kinds,
    acknowledged: Vec<u32>,
    /// Devices that are done stay online until the storm is over.
    online: Vec<(Line, Talk)>,
}

/// A thread apart. Desks have computers of their own: the live ones must not wait in this process's queue behind thousands
/// that connect.
struct Apart(Option<Runtime>);

impl Apart {
    fn new() -> Result<Apart> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Apart(Some(runtime)))
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.as_ref().expect("it is there until it is dropped").spawn(work)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // Among tasks nobody may wait for a runtime to end.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs it.
pub async fn run(target: &Target, order: &Order) -> Result<Found> {
    let most = files::connections_max(target.files);
    let live_connections = order.live_devices.min(most / 10).max(1);
    let wanted = order.connections.unwrap_or(order.devices);
    let connections = wanted.min(most.saturating_sub(live_connections)).clamp(1, order.devices);
    if connections < wanted {
        eprintln!(
            "loadtest: {} devices share {connections} connections: this process may open {} files",
            order.devices, target.files
        );
    }
    ensure!(
        order.devices.div_ceil(connections) <= STREAMS_PER_CONNECTION_MAX,
        Wrong(format!("at most {STREAMS_PER_CONNECTION_MAX} devices share a connection"))
    );
    let live = order::Order {
        devices: order.live_devices,
        desks: order.live_devices + order.devices,
        connections: live_connections,
        shape: Some(Shape::steady(order.live_rate, SECONDS_MAX)),
        seconds: SECONDS_MAX,
        ..order::Order::default()
    };
    let load = live.prepare(target, order.live_devices + order.devices).await?;
    let dialer =
        target.server.dialer(&target.desk, connections + live_connections, CONNECT_PATIENCE)?;
    let desks = Apart::new()?;
    let (stop, stopped) = watch::channel(false);
    let (begin, begun) = oneshot::channel();
    let going = {
        let (dialer, load, timing) = (dialer.clone(), load.clone(), live.timing());
        desks.spawn(async move {
            let crowd = Crowd::open(&dialer, &load, &timing, live_connections).await?;
            let start = Instant::now() + RUN_UP;
            let _ = begin.send(start);
            crowd.run(start, stopped).await
        })
    };
    let Ok(start) = begun.await else {
        let opened = going.await.context("the live desks")?;
        return Err(opened.err().unwrap_or_else(|| anyhow!("the live desks did not begin")));
    };
    tokio::time::sleep_until(start).await;
    let mut storm = JoinSet::new();
    for first in 0..connections {
        let devices = (first..order.devices).step_by(usize::try_from(connections)?);
        let devices = devices.map(|device| order.live_devices + device).collect::<Vec<_>>();
        // Numbers after those of the live desks, so that source addresses differ too.
        let number = live_connections + first;
        let (dialer, load) = (dialer.clone(), load.clone());
        let place = Place { dialer, number, load, start, tubes: order.tubes };
        storm.spawn(place.come_back(devices));
    }
    let mut all = Part::default();
    while let Some(part) = storm.join_next().await {
        all.add(part?);
    }
    stop.send_replace(true);
    let live = going.await.context("the live desks")??.tally;

    let mut acknowledged: Ranges = live.acknowledged.clone();
    let tubes = u64::from(order.tubes);
    acknowledged.extend(all.acknowledged.iter().map(|device| (*device, vec![(1, tubes)])));
    let step = acknowledged.len().div_ceil(SOURCES_READ_BACK).max(1);
    let some = acknowledged.into_iter().step_by(step).collect();
    let read_back = verify::read_back(target, &load, &some, 200).await;
    Ok(Found {
        connections,
        seconds: all.last.as_secs_f64(),
        drained: all.drained,
        tubes: all.tubes,
        lost: all.lost,
        errors: all.errors,
        refusals: all.refusals,
        retries: all.retries,
        live,
        read_back,
    })
}

impl Part {
    fn add(&mut self, other: Part) {
        self.drained.add(&other.drained);
        self.tubes += other.tubes;
        self.last = self.last.max(other.last);
        self.refusals += other.refusals;
        self.retries += other.retries;
        self.lost += other.lost;
        self.errors.add(other.errors);
        self.acknowledged.extend(other.acknowledged);
        self.online.extend(other.online);
    }
}

/// A connection's place in the storm.
#[derive(Clone)]
struct Place {
    dialer: Dialer,
    number: u32,
    load: Arc<Load>,
    start: Instant,
    tubes: u32,
}

impl Place {
    /// Connects, and lets its devices hand in what they have; again with those that could not. A
    /// connection that broke is given up before there is another, so that never more are open than
    /// were asked for.
    async fn come_back(self, mut devices: Vec<u32>) -> Part {
        let mut all = Part::default();
        let mut line = None;
        while !devices.is_empty() {
            let held = match line.take() {
                Some(line) => line,
                None => {
                    all.online.clear();
                    match self.dialer.line(self.number).await {
                        Ok(line) => line,
                        Err(broken) if all.may_try_again(&self, &broken) => {
                            all.pause(&self).await;
                            continue;
                        }
                        Err(_) => break,
                    }
                }
            };
            let mut handing = JoinSet::new();
            for device in devices.drain(..) {
                handing.spawn(self.clone().hand_in(held.clone(), device));
            }
            let (mut is_whole, mut goes_on) = (true, true);
            while let Some(handed) = handing.join_next().await {
                let (device, done) = match handed {
                    Ok(handed) => handed,
                    Err(panicked) => {
                        all.errors.note(panicked.to_string());
                        all.lost += 1;
                        continue;
                    }
                };
                match done {
                    Ok(done) => all.handed_in(&self, device, done),
                    Err(broken) => {
                        devices.push(device);
                        is_whole &= !matches!(broken, Broken::Line(_));
                        goes_on &= all.may_try_again(&self, &broken);
                    }
                }
            }
            if !goes_on {
                break;
            }
            if !devices.is_empty() {
                line = is_whole.then_some(held);
                all.pause(&self).await;
            }
        }
        all.lost += devices.len() as u64;
        all
    }

    /// One device: opens its stream and sends its tubes until they are acknowledged.
    async fn hand_in(self, line: Line, device: u32) -> (u32, Result<Done, Broken>) {
        let handed = timeout(TRY_PATIENCE, self.try_once(line, device)).await;
        let late = |_| Err(Broken::Line("no acknowledgement in time".to_owned()));
        (device, handed.unwrap_or_else(late))
    }

    async fn try_once(&self, line: Line, device: u32) -> Result<Done, Broken> {
        let (mut talk, _) = stream::open(&line, &self.load, device).await?;
        let mut pen = self.load.pen(device);
        let framed = pen.message(1, 1, self.tubes, now_ms() - QUEUED_AGE_MS);
        let mut refusals = 0;
        loop {
            talk.out.send_data(framed.clone(), false)?;
            let answer = stream::acknowledgement(&mut talk).await?;
            let answer = answer.ok_or_else(|| Broken::Line("the stream ended".to_owned()))?;
            let Some(retry_ms) = again_after(&answer)? else {
                return Ok(Done { after: self.start.elapsed(), refusals, online: (line, talk) });
            };
            refusals += 1;
            sleep(Duration::from_millis(retry_ms)).await;
        }
    }
}

/// A device that has handed in everything.
struct Done {
    after: Duration,
    refusals: u64,
    online: (Line, Talk),
}

impl Part {
    fn handed_in(&mut self, place: &Place, device: u32, done: Done) {
        self.last = self.last.max(done.after);
        self.drained.note(done.after, u64::from(place.tubes));
        self.tubes += u64::from(place.tubes);
        self.refusals += done.refusals;
        self.acknowledged.push(device);
        self.online.push(done.online);
    }

    /// Notes a try that failed; false when there is no other.
    fn may_try_again(&mut self, place: &Place, broken: &Broken) -> bool {
        self.retries += 1;
        self.errors.note(broken.to_string());
        self.retries < TRIES_MAX && place.start.elapsed().as_secs_f64() < SECONDS_MAX
    }

    /// Waits before another try.
    async fn pause(&self, place: &Place) {
        let longest = (PAUSE_MS << self.retries.min(10)).min(PAUSE_MS_MAX);
        let chance = mix(self.retries << 32 | u64::from(place.number)) % longest;
        sleep(Duration::from_millis(longest / 2 + chance / 2)).await;
    }
}

/// When a message has to be sent again; `None` when everything in it is recorded.
pub fn again_after(answer: &Acknowledgement) -> Result<Option<u64>, Broken> {
    let of_facts = answer
        .outcomes
        .iter()
        .filter(|outcome| !matches!(outcome.outcome(), Outcome::Recorded | Outcome::Duplicate));
    let refusals = of_facts.map(|outcome| outcome.refusal.clone().unwrap_or_default());
    let mut longest = None;
    for refusal in answer.refusal.clone().into_iter().chain(refusals) {
        if refusal.retry_after_ms == 0 {
            let text = refusal.text.clone().unwrap_or_default().en;
            return Err(Broken::Line(format!(
                "refused for good: {} {} {text}",
                refusal.reason().as_str_name(),
                refusal.field
            )));
        }
        longest = longest.max(Some(refusal.retry_after_ms));
    }
    Ok(longest)
}

impl Found {
    /// What follows from it for how the program ends.
    pub fn verdict(&self) -> Verdict {
        let is_broken = self.lost > 0 || self.live.failures.total() > 0;
        Verdict { is_broken, ..verify::verdict(Some(&self.read_back)) }
    }

    /// The report for people.
    pub fn text(&self, order: &Order) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            writeln!(out, "{name:<14}{text}").expect("a string takes every text");
        };
        line("machine", machine());
        line(
            "storm",
            format!(
                "{} devices on {} connections, {} tubes each: {} tubes in {:.2} s, {} devices lost",
                order.devices, self.connections, order.tubes, self.tubes, self.seconds, self.lost
            ),
        );
        line("", format!("{} (ms until a tube was acknowledged)", quantiles(&self.drained)));
        line("", format!("{} refused for a while, {} tries failed", self.refusals, self.retries));
        self.errors.lines().into_iter().for_each(|text| line("trouble", text));
        line(
            "live desks",
            format!("{} tubes/s due at {} desks", order.live_rate, order.live_devices),
        );
        line("", format!("{} (ms from the time due)", quantiles(&self.live.latency)));
        self.live.failures.lines().into_iter().for_each(|text| line("failures", text));
        self.read_back.lines().into_iter().for_each(|text| line("read back", text));
        out
    }

    /// The report for programs.
    pub fn json(&self, order: &Order) -> Value {
        json!({
            "loadtest": 1,
            "devices": order.devices,
            "connections": self.connections,
            "tubes_per_device": order.tubes,
            "seconds": self.seconds,
            "tubes": self.tubes,
            "devices_lost": self.lost,
            "refusals": self.refusals,
            "retries": self.retries,
            "retried_after": self.errors.json(),
            "drained_ms": object(&self.drained),
            "live_devices": order.live_devices,
            "live_tubes_per_s_due": order.live_rate,
            "live_tubes": self.live.acknowledged_tubes(),
            "live_unanswered": self.live.unanswered + self.live.unsent,
            "live_failures": self.live.failures.total(),
            "live_ms": object(&self.live.latency),
            "read_back": read_back_json(&self.read_back),
            "machine": machine(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FactOutcome, Reason, Refusal};

    #[test]
    fn what_passes_by_itself_is_sent_again() {
        let mut answer = Acknowledgement::default();
        assert_eq!(again_after(&answer).unwrap(), None);
        let later = |ms| Refusal { retry_after_ms: ms, ..Refusal::default() };
        answer.refusal = Some(later(70));
        assert_eq!(again_after(&answer).unwrap(), Some(70));
        let refused = FactOutcome {
            outcome: Outcome::Refused.into(),
            refusal: Some(later(90)),
            ..FactOutcome::default()
        };
        answer.outcomes = vec![refused];
        assert_eq!(again_after(&answer).unwrap(), Some(90));
        answer.refusal = Some(Refusal { reason: Reason::Invalid.into(), ..Refusal::default() });
        assert!(again_after(&answer).unwrap_err().to_string().contains("REASON_INVALID"));
    }
}
