//! The service Recording.

use super::convert::{receipt, words};
use super::errors::Error;
use super::pb;
use super::pb::recording_server::Recording;
use super::shared::Shared;
use super::{intake, stream};
use crate::domain::fact::FactId;
use crate::engine::Class;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// The service Recording.
pub struct Service(pub Arc<Shared>);

#[tonic::async_trait]
impl Recording for Service {
    type RecordStream = stream::Replies;

    async fn record(
        &self,
        request: Request<Streaming<pb::RecordRequest>>,
    ) -> Result<Response<Self::RecordStream>, Status> {
        Ok(Response::new(stream::serve(Arc::clone(&self.0), request.into_inner())))
    }

    async fn record_batch(
        &self,
        request: Request<pb::RecordBatchRequest>,
    ) -> Result<Response<pb::RecordBatchReply>, Status> {
        let wire = request.into_inner();
        let offset = self.0.clock_offset_ms(wire.device_now_ms);
        let taken = intake::take(&self.0, &wire.facts, None, offset)?;
        let receipt = intake::submit(&self.0, taken.submissions).await?;
        Ok(Response::new(pb::RecordBatchReply {
            outcomes: intake::outcomes(&taken.places, &receipt),
            times: Some(receipt::times(&receipt.times)),
            folder_kind: words::folder_kind(self.0.kind()).into(),
        }))
    }

    async fn check(
        &self,
        request: Request<pb::CheckRequest>,
    ) -> Result<Response<pb::CheckReply>, Status> {
        let wire = request.into_inner();
        let reply = self.0.ask(Class::Query, move |shared, _| check(shared, &wire)).await?;
        Ok(Response::new(reply))
    }

    async fn get_source(
        &self,
        request: Request<pb::GetSourceRequest>,
    ) -> Result<Response<pb::GetSourceReply>, Status> {
        let source = words::required("source", &request.into_inner().source)?;
        let reply = self.0.ask(Class::Query, move |shared, read| {
            let as_of = Some(shared.as_of());
            let epochs = receipt::epochs(&read.source(&source)?);
            Ok(pb::GetSourceReply { source: source.to_string(), epochs, as_of })
        });
        Ok(Response::new(reply.await?))
    }
}

fn check(shared: &Shared, wire: &pb::CheckRequest) -> Result<pb::CheckReply, Error> {
    let as_of = Some(shared.as_of());
    let reference = shared.handle.feed().reference();
    let fact = wire.fact.clone().unwrap_or_default();
    match shared.context(&reference, None).without_id(&fact, FactId::default()) {
        Ok(fact) => {
            let offset = shared.clock_offset_ms(wire.device_now_ms);
            let found = shared.handle.check(&fact, offset)?;
            Ok(pb::CheckReply {
                clean: found.is_empty(),
                findings: words::findings(found),
                refusal: None,
                as_of,
            })
        }
        Err(error) => Ok(pb::CheckReply {
            clean: false,
            findings: Vec::new(),
            refusal: Some(error.refusal()),
            as_of,
        }),
    }
}
