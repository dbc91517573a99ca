//! The service Planning: what the planner says of the configured city and of the open round. It asks, turns into
//! messages, and decides nothing.
//!
//! What takes long is reckoned on the planner's own threads, when it is its turn (`forecaster::turn`); what takes
//! milliseconds is reckoned at once, in the same class. Both stop when nobody waits for them any more, and neither holds any
//! part of the engine while it runs.

mod assign;
mod changes;
mod check;
mod crews;
mod filing;
mod filled;
mod forecast;
mod shortages;
mod simulate;
#[cfg(test)]
mod tests;
mod what_if;
mod what_if_city;
mod words;

use super::errors::{Error, NoForecast};
use super::pb;
use super::pb::planning_server::Planning;
use super::shared::Shared;
use super::watched::Watched;
use crate::domain::words::Time;
use crate::engine::Class;
use crate::forecaster::{CityPlan, Outlook, StopOnDrop, open_round};
use crate::planner::model::{DAY, Ms};
use crate::store::FolderKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tonic::{Request, Response, Status};

/// The service Planning.
pub struct Service(pub Arc<Shared>);

/// The city that is planned for.
fn city(shared: &Shared) -> Result<&CityPlan, Error> {
    shared.forecaster.plan().ok_or(Error::NoCity)
}

/// Why there is no forecast now, and what to do in a folder of this kind.
fn no_forecast(shared: &Shared) -> Error {
    let reference = shared.handle.feed().reference();
    let open = open_round(&reference);
    let why = match (open, shared.forecaster.unknown().borrow().collected) {
        (Some((round, opened_at)), _)
            if let Some(days) = too_long(opened_at, shared.handle.now()) =>
        {
            NoForecast::TooLong { round: round.to_string(), days }
        }
        (None, _) => NoForecast::NoRound { over: !reference.rounds.is_empty() },
        (Some(_), tubes @ 1..) => NoForecast::Unknown(tubes),
        (Some((round, _)), 0) => NoForecast::NotYet { round: round.to_string() },
    };
    Error::NoForecast { drill: shared.kind() == FolderKind::Drill, why }
}

/// Days since a round was opened, when they are more than a time of the model holds (`Ms`): then no reading of it is taken.
fn too_long(opened_at: Time, now: Time) -> Option<i64> {
    let since = now.ms_since(opened_at);
    (since > i64::from(Ms::MAX)).then_some(since / i64::from(DAY))
}

/// The newest outlook, while the open round is not too old for it to be news: what was known of it weeks ago says nothing of it now.
fn newest(shared: &Shared, outlook: Option<Arc<Outlook>>) -> Result<Arc<Outlook>, Error> {
    let reference = shared.handle.feed().reference();
    let beyond = |at| too_long(at, shared.handle.now()).is_some();
    let beyond = open_round(&reference).is_some_and(|(_, at)| beyond(at));
    outlook.filter(|_| !beyond).ok_or_else(|| no_forecast(shared))
}

/// Waits for a turn and reckons with the city. `work` is told to stop when whoever asked is gone.
async fn reckon<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&CityPlan, &AtomicBool) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    city(shared)?;
    let gone = StopOnDrop::new();
    let turn = shared.forecaster.turn(&shared.handle).await?;
    let (forecaster, stop) = (shared.forecaster.clone(), gone.flag());
    turn.reckon(move || work(forecaster.plan().ok_or(Error::NoCity)?, &stop)).await?
}

/// Says whether anybody still waits for an answer.
type GoOn<'a> = &'a dyn Fn() -> bool;

/// Goes on, or ends here because nobody waits for the answer: the error is told to nobody.
fn go_on(waited_for: GoOn<'_>) -> Result<(), Error> {
    if waited_for() { Ok(()) } else { Err(Error::Busy) }
}

/// Reckons something that takes milliseconds: beside what takes long, in the same class. `work` asks between its steps
/// whether anybody still waits for it. None of them is longer than a fifth of a second, for the largest city.
async fn at_once<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce(&CityPlan, GoOn<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    city(shared)?;
    let gone = StopOnDrop::new();
    let permit = shared.handle.admit(Class::Planning)?;
    let (forecaster, stop) = (shared.forecaster.clone(), gone.flag());
    let answer = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let plan = forecaster.plan().ok_or(Error::NoCity)?;
        // On the planner's threads: the rest of the machine stays with intake. A long plan may have them all for a while.
        forecaster.threads().install(|| {
            let waited_for = || !stop.load(Ordering::Acquire);
            go_on(&waited_for)?;
            work(plan, &waited_for)
        })
    });
    answer.await?
}

#[tonic::async_trait]
impl Planning for Service {
    async fn check_plan(
        &self,
        request: Request<pb::CheckPlanRequest>,
    ) -> Result<Response<pb::CheckPlanReply>, Status> {
        Ok(Response::new(check::answer(&self.0, request.into_inner()).await?))
    }

    type SimulatePlanStream = Watched<pb::SimulatePlanReply>;

    async fn simulate_plan(
        &self,
        request: Request<pb::SimulatePlanRequest>,
    ) -> Result<Response<Self::SimulatePlanStream>, Status> {
        Ok(Response::new(simulate::begin(&self.0, request.into_inner())?))
    }

    async fn what_if(
        &self,
        request: Request<pb::WhatIfRequest>,
    ) -> Result<Response<pb::WhatIfReply>, Status> {
        Ok(Response::new(what_if::answer(&self.0, request.into_inner()).await?))
    }

    async fn assign(
        &self,
        request: Request<pb::AssignRequest>,
    ) -> Result<Response<pb::AssignReply>, Status> {
        Ok(Response::new(assign::answer(&self.0, request.into_inner()).await?))
    }

    async fn get_forecast(
        &self,
        _: Request<pb::GetForecastRequest>,
    ) -> Result<Response<pb::ForecastReply>, Status> {
        Ok(Response::new(forecast::newest(&self.0)?))
    }

    type WatchForecastStream = Watched<pb::ForecastReply>;

    async fn watch_forecast(
        &self,
        _: Request<pb::WatchForecastRequest>,
    ) -> Result<Response<Self::WatchForecastStream>, Status> {
        Ok(Response::new(forecast::watch(&self.0)?))
    }
}

/// Runs `work` for a caller who goes away after so many questions whether it is still there, for every number of them, and
/// says after how many it was done. Each time before, it must have ended without an answer.
#[cfg(test)]
fn every_step_is_the_last<T>(mut work: impl FnMut(GoOn<'_>) -> Result<T, Error>) -> usize {
    for patience in 0..100 {
        let asked = std::cell::Cell::new(0);
        let waited_for = || {
            asked.set(asked.get() + 1);
            asked.get() <= patience
        };
        match work(&waited_for) {
            Ok(_) => {
                assert_eq!(asked.get(), patience, "it goes on only when somebody waits");
                return patience;
            }
            Err(error) => {
                assert!(matches!(error, Error::Busy), "{error}");
                assert_eq!(asked.get(), patience + 1, "it ends where it was told to");
            }
        }
    }
    panic!("it never ends")
}
