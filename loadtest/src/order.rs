//! One load, as it is ordered and as it went.

use crate::connect::Target;
use crate::exit::Wrong;
use crate::load::{Load, Numbers, Timing};
use crate::schedule::Shape;
use crate::tally::{Tally, Went};
use crate::verify::{self, ReadBack};
use crate::{batch, files, set_up, stream};
use anyhow::{Result, ensure};
use clap::ValueEnum;
use std::sync::Arc;
use std::time::Duration;

/// How long messages may still be sent and answered after the last one was due.
pub const GRACE: Duration = Duration::from_secs(10);
/// Streams asked of one connection at most; servers commonly allow 100 to 128.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 100;
/// How long a connection may take when very many are opened.
pub const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// Tubes that may be due in a load: each is counted, sent or not.
const TUBES_DUE_MAX: f64 = 1e9;

/// How facts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// One stream for each device (`Record`)
    Stream,
    /// One call for each message (`RecordBatch`)
    Batch,
}

/// A load that is wanted.
#[derive(Clone, Debug)]
pub struct Order {
    /// How facts are sent.
    pub mode: Mode,
    /// Devices.
    pub devices: u32,
    /// Connections that they share.
    pub connections: u32,
    /// Desks that they stand at.
    pub desks: u32,
    /// Tubes in a message.
    pub batch: u32,
    /// People in a tube.
    pub people: u32,
    /// So many tubes of a thousand hold 20 people instead.
    pub large_per_1000: u32,
    /// When tubes are due; `None` = closed loop.
    pub shape: Option<Shape>,
    /// How long messages are due.
    pub seconds: f64,
    /// Messages of a device under way in a closed loop.
    pub window: u32,
    /// Ask for outcomes of refused facts only.
    pub watermark_only: bool,
    /// An open round to use; else one is made with its desks.
    pub round: Option<String>,
    /// Read back every source and so many tubes.
    pub verify: Option<usize>,
}

impl Default for Order {
    /// A closed loop of 200 devices for 10 seconds.
    fn default() -> Order {
        Order {
            mode: Mode::Stream,
            devices: 200,
            connections: 4,
            desks: 200,
            batch: 1,
            people: 10,
            large_per_1000: 0,
            shape: None,
            seconds: 10.0,
            window: 8,
            watermark_only: false,
            round: None,
            verify: None,
        }
    }
}

/// A load as it went.
pub struct Ran {
    /// What was counted.
    pub tally: Tally,
    /// From the start to the last answer.
    pub elapsed: Duration,
    /// From the start until no device sent or waited any more.
    pub ended: Duration,
    /// What reading back found, if it was asked for.
    pub read_back: Option<ReadBack>,
    /// The names that were used.
    pub load: Arc<Load>,
}

impl Order {
    /// Tubes that are due: the whole messages of the shape; 0 = closed loop.
    pub fn tubes_due(&self) -> u64 {
        let messages = self.shape.as_ref().map_or(0, |shape| shape.messages(self.batch));
        messages * u64::from(self.batch)
    }

    /// The same a second, on the average.
    pub fn rate(&self) -> f64 {
        self.shape.as_ref().map_or(0.0, |shape| self.tubes_due() as f64 / shape.seconds())
    }

    /// Its timing.
    pub fn timing(&self) -> Timing {
        Timing {
            devices: self.devices,
            shape: self.shape.clone().map(Arc::new),
            batch: self.batch,
            seconds: Duration::from_secs_f64(self.seconds),
            grace: GRACE,
            window: usize::try_from(self.window).unwrap_or(usize::MAX),
        }
    }

    /// Makes the round and the names. `devices` may be more than send in this order.
    pub async fn prepare(&self, target: &Target, devices: u32) -> Result<Arc<Load>> {
        let numbers = Numbers::of_this_moment();
        let round = match &self.round {
            Some(round) => round.clone(),
            None => {
                let channel = target.server.channel().await?;
                set_up::round(&target.admin, &channel, &numbers, devices, self.desks).await?
            }
        };
        Ok(Arc::new(self.load(numbers, round, devices)))
    }

    /// What is sent, under these names.
    pub fn load(&self, numbers: Numbers, round: String, devices: u32) -> Load {
        Load {
            numbers,
            round,
            devices,
            desks: self.desks,
            people: self.people,
            large_per_1000: self.large_per_1000,
            batch: self.batch,
            watermark_only: self.watermark_only,
        }
    }

    /// That the machine and the server can do it.
    pub fn check(&self, target: &Target) -> Result<()> {
        ensure!(
            self.mode == Mode::Batch
                || self.devices.div_ceil(self.connections) <= STREAMS_PER_CONNECTION_MAX,
            Wrong(format!(
                "{} streams on {} connections: at most {STREAMS_PER_CONNECTION_MAX} go on one, give \
                 more --connections",
                self.devices, self.connections,
            ))
        );
        let due = self.shape.as_ref().map_or(0.0, Shape::total);
        ensure!(
            due <= TUBES_DUE_MAX,
            Wrong(format!(
                "{due:.0} tubes would be due, at most {TUBES_DUE_MAX:.0} may be: lower the rate or the time"
            ))
        );
        if let Some(why) = self.nothing_due() {
            return Err(Wrong(why).into());
        }
        files::check(self.connections, target.files)
    }

    /// Why nothing is due in an open loop, if so.
    fn nothing_due(&self) -> Option<String> {
        let shape = self.shape.as_ref().filter(|_| self.tubes_due() == 0)?;
        Some(format!(
            "no message is due: {:.2} tubes come in {} s, and a message has {}; raise the rate or the time, or lower --batch",
            shape.total(),
            shape.seconds(),
            self.batch
        ))
    }

    /// Does it.
    pub async fn run(&self, target: &Target) -> Result<Ran> {
        self.check(target)?;
        let load = self.prepare(target, self.devices).await?;
        let timing = self.timing();
        let Went { tally, elapsed, ended } = match self.mode {
            Mode::Stream => {
                let dialer =
                    target.server.dialer(&target.desk, self.connections, CONNECT_PATIENCE)?;
                stream::run(&dialer, &load, &timing, self.connections).await?
            }
            Mode::Batch => {
                batch::run(&target.server, &target.desk, &load, &timing, self.connections).await?
            }
        };
        let read_back = match self.verify {
            Some(tubes) => Some(verify::read_back(target, &load, &tally.acknowledged, tubes).await),
            None => None,
        };
        Ok(Ran { tally, elapsed, ended, read_back, load })
    }
}

impl Ran {
    /// Acknowledged tubes a second. A run that is over early still lasts `planned` seconds, so that
    /// the last answer's luck does not flatter an open loop; in a closed loop that is 0.
    pub fn tubes_per_s(&self, planned: f64) -> f64 {
        let seconds = self.elapsed.as_secs_f64().max(planned);
        if seconds > 0.0 { self.tally.acknowledged_tubes() as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_at_which_nothing_is_due_is_told() {
        for (rate, seconds, batch, due) in [
            (Some(0.01), 2.0, 1, 0),
            (Some(5.0), 2.0, 1_000, 0),
            (Some(0.3), 2.0, 1, 1),
            (Some(61.5), 5.0, 1, 308),
            (Some(100.0), 10.0, 30, 990),
            (None, 2.0, 1, 0),
        ] {
            let shape = rate.map(|rate| Shape::steady(rate, seconds));
            let is_open = shape.is_some();
            let order = Order { shape, seconds, batch, ..Order::default() };
            assert_eq!(order.tubes_due(), due, "{rate:?} for {seconds} s by {batch}");
            assert!((order.rate() - due as f64 / seconds).abs() < 1e-9);
            assert_eq!(order.nothing_due().is_some(), is_open && due == 0, "{rate:?}");
        }
    }
}
