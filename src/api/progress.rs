//! The service Progress.

use super::capacity;
use super::convert::figures::{self, Wanted};
use super::convert::words::{at_most, code};
use super::errors::Error;
use super::limits::{FILTER_CODES_MAX, WATCH_INTERVAL_MS, WATCH_INTERVAL_MS_MIN};
use super::pb;
use super::pb::progress_server::Progress;
use super::shared::Shared;
use super::watched::{Teller, Watched, watched};
use crate::domain::words::Code;
use crate::engine::Class;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// The service Progress.
pub struct Service(pub Arc<Shared>);

#[tonic::async_trait]
impl Progress for Service {
    async fn get_progress(
        &self,
        request: Request<pb::GetProgressRequest>,
    ) -> Result<Response<pb::ProgressReply>, Status> {
        let question = Question::new(&self.0, &request.into_inner())?;
        Ok(Response::new(question.answer(&self.0).await?))
    }

    type WatchProgressStream = Watched<pb::ProgressReply>;

    async fn watch_progress(
        &self,
        request: Request<pb::WatchProgressRequest>,
    ) -> Result<Response<Self::WatchProgressStream>, Status> {
        let wire = request.into_inner();
        let question = Question::new(&self.0, &wire.what.unwrap_or_default())?;
        let interval_ms = match u64::from(wire.interval_ms) {
            0 => WATCH_INTERVAL_MS,
            interval_ms => interval_ms.max(WATCH_INTERVAL_MS_MIN),
        };
        let shared = Arc::clone(&self.0);
        let (mut teller, watched) = watched(&shared, 1)?;
        tokio::spawn(async move {
            let interval = Duration::from_millis(interval_ms);
            if let Err(error) = watch(&shared, &question, interval, &mut teller).await {
                // The client may be gone: then nobody is left to be told.
                teller.tell(Err(error)).await;
            }
        });
        Ok(Response::new(watched))
    }

    async fn check_capacity(
        &self,
        request: Request<pb::CheckCapacityRequest>,
    ) -> Result<Response<pb::CheckCapacityReply>, Status> {
        let round = code("round", &request.into_inner().round)?;
        let reply = self.0.ask(Class::Dashboard, move |shared, _| {
            let at = shared.handle.feed().figures();
            let reference = shared.handle.feed().reference();
            let round = Some(&round).filter(|round| !round.is_empty());
            let mut reply = capacity::answer(&at, &reference, round, shared.handle.now());
            reply.as_of = Some(shared.as_of_seq(at.seq));
            Ok(reply)
        });
        Ok(Response::new(reply.await?))
    }
}

/// Answers whenever something has changed, until the client goes or the server stops.
async fn watch(
    shared: &Arc<Shared>,
    question: &Question,
    interval: Duration,
    teller: &mut Teller<pb::ProgressReply>,
) -> Result<(), Error> {
    let mut stopping = shared.stopping.clone();
    let mut seq = shared.handle.feed().seq();
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return Err(Error::ShuttingDown),
            wanted = teller.wanted() => if !wanted { return Ok(()) },
        }
        // Seen before the figures are taken: what changes after it wakes us again.
        seq.mark_unchanged();
        let pause = match question.answer(shared).await {
            Ok(reply) => match teller.tell(Ok(reply)).await {
                true => interval,
                false => return Ok(()),
            },
            // Shed with its class; the next answer comes when there is room again.
            Err(error) if error.retry_after_ms() > 0 && !error.ends_stream() => {
                seq.mark_changed();
                interval.max(Duration::from_millis(error.retry_after_ms()))
            }
            Err(error) => return Err(error),
        };
        let next = async {
            tokio::time::sleep(pause).await;
            seq.changed().await
        };
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return Err(Error::ShuttingDown),
            () = teller.closed() => return Ok(()),
            changed = next => changed.map_err(|_| Error::ShuttingDown)?,
        }
    }
}

/// A checked request.
struct Question {
    wanted: Wanted,
    /// The round whose people are asked for.
    people: Option<Code>,
}

impl Question {
    fn new(shared: &Shared, wire: &pb::GetProgressRequest) -> Result<Question, Error> {
        let round = code("round", &wire.round)?;
        let codes = at_most("codes", &wire.codes, FILTER_CODES_MAX, ("个编码", "codes"))?;
        let codes = codes.iter().map(|one| code("codes", one)).collect::<Result<_, _>>()?;
        let people = match wire.with_people {
            true => {
                let reference = shared.handle.feed().reference();
                Some(shared.context(&reference, None).round(&round)?.round)
            }
            false => None,
        };
        Ok(Question { wanted: Wanted { round, by: wire.by(), codes }, people })
    }

    async fn answer(&self, shared: &Arc<Shared>) -> Result<pb::ProgressReply, Error> {
        let people = match &self.people {
            Some(round) => Some(shared.people.of_round(shared, round.clone()).await?),
            None => None,
        };
        let wanted = self.wanted.clone();
        let sum = move |shared: &Shared, _: &crate::store::Read| {
            let at = shared.handle.feed().figures();
            let reference = shared.handle.feed().reference();
            let (rows, total, without_round) = figures::sums(&at, &reference, &wanted);
            Ok(pb::ProgressReply {
                as_of: Some(shared.as_of_seq(at.seq)),
                rows,
                total: Some(total),
                without_round,
                people: people.map(|people| figures::people(&people, &reference)),
            })
        };
        shared.ask(Class::Dashboard, sum).await
    }
}
