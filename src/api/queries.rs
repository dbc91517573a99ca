//! The service Queries.

use super::convert::words::{barcode, code, word};
use super::convert::{lists, tube};
use super::errors::Error;
use super::limits::{PAGE_SCAN_MAX, SILENT_MS};
use super::pb;
use super::pb::queries_server::Queries;
use super::person;
use super::shared::Shared;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::words::Code;
use crate::engine::Class;
use crate::engine::query::{odd, people, recalls, tube as of_tube, unaccounted};
use crate::store::Read;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service Queries.
pub struct Service(pub Arc<Shared>);

impl Service {
    async fn ask<T: Send + 'static, W: Send + 'static>(
        &self,
        class: Class,
        request: Request<W>,
        question: impl FnOnce(&Shared, &Read, &W) -> Result<T, Error> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let wire = request.into_inner();
        let answer = self.0.ask(class, move |shared, read| question(shared, read, &wire));
        Ok(Response::new(answer.await?))
    }
}

#[tonic::async_trait]
impl Queries for Service {
    async fn get_tube(
        &self,
        request: Request<pb::GetTubeRequest>,
    ) -> Result<Response<pb::GetTubeReply>, Status> {
        self.ask(Class::Query, request, get_tube).await
    }

    async fn get_person(
        &self,
        request: Request<pb::GetPersonRequest>,
    ) -> Result<Response<pb::GetPersonReply>, Status> {
        // Most people's answers lie in memory: they are given at once, without another thread.
        let permit = self.0.handle.admit(Class::Query).map_err(Error::from)?;
        if let Some(answer) = person::get_in_memory(&self.0, request.get_ref())? {
            return Ok(Response::new(answer));
        }
        let wire = request.into_inner();
        let answer = self.0.ask_with(permit, move |shared, read| person::get(shared, read, &wire));
        Ok(Response::new(answer.await?))
    }

    async fn get_people(
        &self,
        request: Request<pb::GetPeopleRequest>,
    ) -> Result<Response<pb::GetPeopleReply>, Status> {
        self.ask(Class::Query, request, person::get_many).await
    }

    async fn list_missing(
        &self,
        request: Request<pb::ListMissingRequest>,
    ) -> Result<Response<pb::ListMissingReply>, Status> {
        // A pass over a whole round: no question of a desk may wait behind it.
        self.ask(Class::Dashboard, request, list_missing).await
    }

    async fn list_sampled_twice(
        &self,
        request: Request<pb::ListSampledTwiceRequest>,
    ) -> Result<Response<pb::ListSampledTwiceReply>, Status> {
        self.ask(Class::Dashboard, request, list_sampled_twice).await
    }

    async fn list_discrepancies(
        &self,
        request: Request<pb::ListDiscrepanciesRequest>,
    ) -> Result<Response<pb::ListDiscrepanciesReply>, Status> {
        self.ask(Class::Query, request, list_discrepancies).await
    }

    async fn list_recalls(
        &self,
        request: Request<pb::ListRecallsRequest>,
    ) -> Result<Response<pb::ListRecallsReply>, Status> {
        self.ask(Class::Query, request, list_recalls).await
    }

    async fn list_unaccounted(
        &self,
        request: Request<pb::ListUnaccountedRequest>,
    ) -> Result<Response<pb::ListUnaccountedReply>, Status> {
        self.ask(Class::Dashboard, request, list_unaccounted).await
    }
}

fn get_tube(
    shared: &Shared,
    read: &Read,
    wire: &pb::GetTubeRequest,
) -> Result<pb::GetTubeReply, Error> {
    let as_of = shared.as_of();
    let code = barcode("tube", &wire.tube)?;
    let found = of_tube::tube(read, &code, wire.with_proofs)?;
    Ok(tube::answer(found.ok_or(Error::NotFound { field: "tube" })?, as_of))
}

/// The round that is asked about, or the one open round.
fn round(shared: &Shared, said: &str) -> Result<Code, Error> {
    let reference = shared.handle.feed().reference();
    Ok(shared.context(&reference, None).round(&code("round", said)?)?.round)
}

/// A part of a question; empty = not asked for.
fn optional(field: &str, value: &str) -> Result<Option<Code>, Error> {
    code(field, value).map(|code| Some(code).filter(|code| !code.is_empty()))
}

fn list_missing(
    shared: &Shared,
    read: &Read,
    wire: &pb::ListMissingRequest,
) -> Result<pb::ListMissingReply, Error> {
    let (limit, token) = lists::page(wire.page.as_ref());
    let (district, roster) =
        (optional("district", &wire.district)?, optional("roster", &wire.roster)?);
    let wanted = people::Wanted { district: district.as_ref(), roster: roster.as_ref() };
    let after = lists::person_of(token)?;
    let round = round(shared, &wire.round)?;
    let found = people::missing(&read.view(), &round, wanted, after, limit)?;
    Ok(pb::ListMissingReply {
        people: found.rows.iter().map(|row| lists::missing(read, row)).collect::<Result<_, _>>()?,
        next_token: lists::person_token(found.next),
        people_complete_to: found.people_complete_to,
        as_of: Some(shared.as_of_seq(found.people_complete_to)),
    })
}

fn list_sampled_twice(
    shared: &Shared,
    read: &Read,
    wire: &pb::ListSampledTwiceRequest,
) -> Result<pb::ListSampledTwiceReply, Error> {
    let (limit, token) = lists::page(wire.page.as_ref());
    let after = lists::person_of(token)?;
    let round = round(shared, &wire.round)?;
    let found = people::sampled_twice(&read.view(), &round, after, limit)?;
    Ok(pb::ListSampledTwiceReply {
        people: found.rows.iter().map(|row| lists::twice(read, row)).collect::<Result<_, _>>()?,
        next_token: lists::person_token(found.next),
        people_complete_to: found.people_complete_to,
        as_of: Some(shared.as_of_seq(found.people_complete_to)),
    })
}

fn list_discrepancies(
    shared: &Shared,
    read: &Read,
    wire: &pb::ListDiscrepanciesRequest,
) -> Result<pb::ListDiscrepanciesReply, Error> {
    let as_of = shared.as_of();
    let (limit, token) = lists::page(wire.page.as_ref());
    let what = word("code", wire.code, Discrepancy::from_number)?;
    let found = odd::odd(read, what, lists::record_of(token)?, limit)?;
    Ok(pb::ListDiscrepanciesReply {
        records: found.rows.iter().map(lists::odd).collect(),
        next_token: lists::record_token(found.next.as_ref()),
        as_of: Some(as_of),
    })
}

fn list_recalls(
    shared: &Shared,
    read: &Read,
    wire: &pb::ListRecallsRequest,
) -> Result<pb::ListRecallsReply, Error> {
    let as_of = shared.as_of();
    let (limit, token) = lists::page(wire.page.as_ref());
    let kind = match wire.kind() {
        pb::RecallKind::Unspecified => None,
        pb::RecallKind::Recall => Some(recalls::Kind::Recall),
        pb::RecallKind::Recollection => Some(recalls::Kind::Recollection),
    };
    let filter = recalls::Filter {
        open_only: !wire.also_closed,
        kind,
        round: optional("round", &wire.round)?,
        district: optional("district", &wire.district)?,
    };
    let after = lists::person_of(token)?;
    let now = shared.handle.now();
    let found = recalls::recalls(read, &filter, after, limit, PAGE_SCAN_MAX, now)?;
    Ok(pb::ListRecallsReply {
        recalls: found.rows.iter().map(|row| lists::recall(read, row)).collect::<Result<_, _>>()?,
        next_token: lists::person_token(found.next),
        as_of: Some(as_of),
    })
}

fn list_unaccounted(
    shared: &Shared,
    read: &Read,
    wire: &pb::ListUnaccountedRequest,
) -> Result<pb::ListUnaccountedReply, Error> {
    let as_of = shared.as_of();
    let (rows_max, token) = lists::page(wire.page.as_ref());
    let limits = unaccounted::Limits {
        older_than_ms: if wire.silent_ms_min > 0 { wire.silent_ms_min } else { SILENT_MS },
        round: optional("round", &wire.round)?,
        district: optional("district", &wire.district)?,
        rows_max,
        scan_max: PAGE_SCAN_MAX,
    };
    let from = lists::unaccounted_from(token)?;
    let found = unaccounted::unaccounted(read, &limits, from, shared.handle.now())?;
    Ok(pb::ListUnaccountedReply {
        tubes: found.rows.iter().map(lists::unaccounted).collect(),
        next_token: lists::unaccounted_token(found.next.as_ref()),
        as_of: Some(as_of),
    })
}
