//! The service Administration.

use super::convert::fact::Context;
use super::convert::{receipt, reference};
use super::errors::Error;
use super::pb;
use super::pb::administration_server::Administration;
use super::shared::Shared;
use crate::domain::fact::{Body, Fact};
use crate::domain::words::Time;
use crate::engine::{Class, Outcome, Submission};
use crate::store::FolderKind;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service Administration.
pub struct Service(pub Arc<Shared>);

type Reply = Result<Response<pb::AdministrationReply>, Status>;

#[tonic::async_trait]
impl Administration for Service {
    async fn import_reference(&self, request: Request<pb::ImportReferenceRequest>) -> Reply {
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| reference::import(context, &wire, now)).await
    }

    async fn import_roster(&self, request: Request<pb::ImportRosterRequest>) -> Reply {
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| reference::roster(context, &wire, now)).await
    }

    async fn open_round(&self, request: Request<pb::OpenRoundRequest>) -> Reply {
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| {
            let fact = reference::open_round(context, &wire, now)?;
            make_key(context, &fact)?;
            Ok(fact)
        })
        .await
    }

    async fn close_round(&self, request: Request<pb::CloseRoundRequest>) -> Reply {
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| reference::close_round(context, &wire, now)).await
    }

    async fn switch_rule(&self, request: Request<pb::SwitchRuleRequest>) -> Reply {
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| reference::switch_rule(context, &wire, now)).await
    }

    async fn tick(&self, request: Request<pb::TickRequest>) -> Reply {
        if self.0.kind() != FolderKind::Drill {
            return Err(Error::NotADrill.into());
        }
        let wire = request.into_inner();
        let said = wire.fact.clone();
        self.record(said, move |context, now| reference::tick(context, &wire, now)).await
    }
}

/// The key is on the disk before the log names it: a round whose key was never written would be a
/// round whose people nobody can name.
fn make_key(context: &Context<'_>, fact: &Fact) -> Result<(), Error> {
    let Body::RoundOpened { key_id, .. } = &fact.body else { return Ok(()) };
    match context.reference.rounds.get(&fact.round) {
        None => Ok(context.keys.create(key_id)?),
        // Never made anew under its name: the people of the round would become other people.
        Some(known) if known.key_id == *key_id => Ok(context.keys.check(key_id)?),
        Some(_) => Err(Error::invalid(
            "key_id",
            "该轮次已用另一密钥开启，密钥不能更换：请去掉 key_id 或另开轮次",
            "the round is open with another key, which never changes: leave `key_id` out, or open \
             another round",
        )),
    }
}

impl Service {
    /// Reads a fact, records it, and says what became of it.
    async fn record(
        &self,
        said: Option<pb::AdministrationFact>,
        read_fact: impl FnOnce(&Context<'_>, Time) -> Result<Fact, Error> + Send + 'static,
    ) -> Reply {
        let fact = self.0.ask(Class::Intake, move |shared, read| {
            let reference = shared.handle.feed().reference();
            let context = shared.context(&reference, None);
            let id = said.and_then(|said| context.id(said.id.as_ref()).ok());
            // A fact that leaves its time out and is sent again has the time of the first sending;
            // otherwise it would be another fact under the same id.
            let first = match id {
                Some(id) => read.event_of_fact(&id)?,
                None => None,
            };
            let now = first.map_or(shared.handle.now(), |event| event.fact.captured_at);
            read_fact(&context, now)
        });
        let fact = fact.await?;
        let number = fact.id.number;
        let submissions = vec![Submission { fact, clock_offset_ms: 0 }];
        let receipt = self.0.handle.submit(submissions).await.map_err(Error::from)?;
        match receipt.outcomes.first() {
            Some(Outcome::IdReused { seq }) => Err(Error::IdReused { seq: *seq }.into()),
            Some(outcome) => Ok(Response::new(pb::AdministrationReply {
                outcome: Some(receipt::outcome(0, number, outcome)),
                as_of: Some(self.0.as_of()),
            })),
            None => Err(Error::Broken.into()),
        }
    }
}
