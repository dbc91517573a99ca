//! The forecaster: beside the engine, above the planner. It reads the open round's counters every minute, keeps the
//! readings and what was forecast from them in the folder, and gives everybody who reckons a turn, lowest class of all.
//!
//! It only looks: nothing that it does is on the way of a fact, and it proposes and can order nothing.
//!
//! In reading order:
//! - `options`: what it can be told; `plan`: the city, and a round of it as it was really opened;
//! - `places`: the places of the city file; `tally`: counters by code; `history`: readings of the model's streets and labs, in order, with counts that rise;
//! - `record`: what stands in a line of the file `forecasts`;
//! - `kept`: the file as it is used; `watch`: the loop, and the last lines of rounds; `turn`: whose turn it is to reckon;
//! - `left`: what is left of a round to send; `stock`: what runs out before it is done; `change`: a lab with more or fewer units;
//! - `held`: forecasts against what really happened, `held_parts`: those of streets and laboratories.

mod change;
mod held;
mod held_parts;
mod history;
mod kept;
mod left;
mod options;
mod places;
mod plan;
mod record;
mod stock;
mod tally;
mod turn;
mod watch;

pub use change::{Change, changed, compare};
pub use held::{Coverage, Held, RoundHeld, SoFar, held};
pub use held_parts::{PartHeld, PartsHeld};
pub use history::{History, Taken, Unknown, Whose};
pub use kept::{Kept, open_file};
pub use left::{LeftOver, left_over};
pub use options::Options;
pub use places::{Place, Places, place_key};
pub use plan::{CityPlan, round_of};
pub use record::{Done, Record, regime_name};
pub use stock::RunsOut;
pub use tally::{Before, Boxes, Sent, Tally, Tested};
pub use turn::{StopOnDrop, Turn, TurnError};
pub use watch::open_round;

use crate::city_file;
use crate::domain::words::{Code, Time};
use crate::planner::Words;
use crate::planner::forecast::{Forecast, Reading};
use crate::planner::round::Round;
use std::sync::Arc;
use tokio::sync::watch as channel;

/// What is known of the open round, from its newest reading.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Code of the round.
    pub round: Code,
    /// When it was opened: times of the forecast count from here.
    pub opened_at: Time,
    /// Position of the log that the reading is of.
    pub seq: u64,
    /// The newest reading.
    pub reading: Reading,
    /// Tubes that the model has no place for.
    pub unknown: Unknown,
    /// Boxes at the reading.
    pub boxes: Boxes,
    /// How the forecasts of the folder have held so far.
    pub so_far: SoFar,
    /// The round as it was reckoned with.
    pub model: Arc<Round>,
    /// The forecast, or why there is none.
    pub forecast: Result<Forecast, Words>,
    /// What runs out before the round is done, soonest first.
    pub runs_out: Vec<RunsOut>,
}

impl Outlook {
    /// Milliseconds from the reading that it was made from until `now`, by the folder's clock.
    pub fn age_ms(&self, now: Time) -> i64 {
        now.ms_since(self.opened_at.plus_ms(i64::from(self.reading.at)))
    }
}

/// Why the forecaster cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The city file is wrong.
    #[error("planner.city:\n{0}")]
    City(#[from] city_file::Error),
    /// The norm pack is wrong.
    #[error("planner.norm:\n{0}")]
    Norm(#[source] city_file::Error),
    /// Threads cannot be had.
    #[error("planner.threads_max: cannot start threads: {0} 无法启动计算线程")]
    Threads(String),
}

/// The forecaster, as everybody holds it.
#[derive(Clone)]
pub struct Forecaster {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    plan: Option<CityPlan>,
    turns: turn::Turns,
    newest: channel::Sender<Option<Arc<Outlook>>>,
    unknown: channel::Sender<Unknown>,
}

impl Forecaster {
    /// Reads the norm pack and the city file, and gets ready. Touches no folder.
    ///
    /// # Errors
    /// What is wrong with the norm pack or the city file, with its lines; when threads cannot be had.
    pub fn new(options: Options) -> Result<Forecaster, Error> {
        let norm = options.norm.as_deref().map(city_file::open_norm).transpose();
        let norm = norm.map_err(Error::Norm)?;
        let plan = options.city.as_deref().map(|city| CityPlan::read(city, norm)).transpose()?;
        Forecaster::of(options, plan)
    }

    /// Gets ready for this city, whatever the options name.
    ///
    /// # Errors
    /// When threads cannot be had.
    pub fn of(options: Options, plan: Option<CityPlan>) -> Result<Forecaster, Error> {
        let turns = turn::Turns::new(&options).map_err(Error::Threads)?;
        let (newest, unknown) = (channel::Sender::new(None), channel::Sender::default());
        Ok(Forecaster { inner: Arc::new(Inner { options, plan, turns, newest, unknown }) })
    }

    /// What it was told.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The city that is planned for; `None` = the configuration names none.
    pub fn plan(&self) -> Option<&CityPlan> {
        self.inner.plan.as_ref()
    }

    /// Tubes of the open round, at the newest reading, that the model has no place for, to be waited on. With none but those
    /// there is no forecast at all.
    pub fn unknown(&self) -> channel::Receiver<Unknown> {
        self.inner.unknown.subscribe()
    }

    /// What is known of the open round, to be waited on; `None` before its first forecast.
    pub fn outlook(&self) -> channel::Receiver<Option<Arc<Outlook>>> {
        self.inner.newest.subscribe()
    }
}
