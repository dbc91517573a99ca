//! What stands before every service: who may call, whether the server still takes calls, how long a
//! call may take, and the dressing of what tonic refuses by itself in our reasons and languages.

use super::answers::Answers;
use super::auth;
use super::errors::{Error, in_our_words};
use super::options::Tokens;
use super::requests::Requests;
use crate::telemetry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Context, Poll, Service};
use tonic::server::NamedService;

/// What all guards share.
pub struct Gate {
    /// The tokens; `None` = everybody may everything.
    pub tokens: Option<Tokens>,
    /// True once the server stops.
    pub stopping: watch::Receiver<bool>,
    /// A call that is not answered by then is given up. The answer of a stream is its beginning.
    pub call_max: Duration,
    /// What all requests hold.
    pub requests: Arc<Requests>,
    /// What all answers hold.
    pub answers: Arc<Answers>,
}

/// Every call there is: a caller may not invent labels of a metric.
const METHODS: &[&str] = &[
    "Record",
    "RecordBatch",
    "Check",
    "GetSource",
    "GetTube",
    "GetPeople",
    "GetPerson",
    "ListMissing",
    "ListSampledTwice",
    "ListDiscrepancies",
    "ListRecalls",
    "ListUnaccounted",
    "GetProgress",
    "WatchProgress",
    "CheckCapacity",
    "CheckPlan",
    "SimulatePlan",
    "WhatIf",
    "Assign",
    "GetForecast",
    "WatchForecast",
    "ImportReference",
    "ImportRoster",
    "OpenRound",
    "CloseRound",
    "SwitchRule",
    "Tick",
];

fn note(path: &str, response: &Response<Body>) {
    let last = path.rsplit('/').next().unwrap_or_default();
    let method = METHODS.iter().find(|method| **method == last).unwrap_or(&"unknown");
    let refused = response.extensions().get::<Status>();
    let code = refused.map_or_else(|| "Ok".to_owned(), |status| format!("{:?}", status.code()));
    metrics::counter!(telemetry::REQUESTS_TOTAL, "method" => *method, "code" => code).increment(1);
}

/// A service behind the gate.
#[derive(Clone)]
pub struct Guarded<S> {
    inner: S,
    gate: Arc<Gate>,
    message_bytes_max: usize,
}

impl<S> Guarded<S> {
    /// Puts a service behind the gate. `message_bytes_max` is what the service's decoder takes.
    pub fn new(inner: S, gate: &Arc<Gate>, message_bytes_max: usize) -> Self {
        Guarded { inner, gate: Arc::clone(gate), message_bytes_max }
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        let admitted = match *self.gate.stopping.borrow() {
            true => Err(Error::ShuttingDown),
            false => auth::authorise(self.gate.tokens.as_ref(), request.headers(), &path),
        };
        let limit = self.message_bytes_max;
        let (parts, body) = request.into_parts();
        let (body, call) = match admitted.and_then(|()| self.gate.requests.count(body, limit)) {
            Ok(counted) => counted,
            Err(error) => {
                let response = Status::from(error).into_http();
                note(&path, &response);
                return Box::pin(std::future::ready(Ok(response)));
            }
        };
        let request = Request::from_parts(parts, body);
        let answer = tokio::time::timeout(self.gate.call_max, self.inner.call(request));
        let answers = Arc::clone(&self.gate.answers);
        Box::pin(async move {
            let response = match answer.await {
                Ok(response) => response?,
                Err(_) => Status::from(Error::Busy).into_http(),
            };
            let refused = response.extensions().get::<Status>();
            let response = match refused.and_then(|status| in_our_words(status, limit)) {
                Some(error) => Status::from(error).into_http(),
                None => response,
            };
            let (parts, body) = response.into_parts();
            let response = match answers.count(body, call).await {
                Ok(body) => Response::from_parts(parts, body),
                Err(error) => Status::from(error).into_http(),
            };
            note(&path, &response);
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_api_has_its_own_label() {
        let files = [
            include_str!("../../proto/swabline/v1/recording.proto"),
            include_str!("../../proto/swabline/v1/queries.proto"),
            include_str!("../../proto/swabline/v1/progress.proto"),
            include_str!("../../proto/swabline/v1/planning.proto"),
            include_str!("../../proto/swabline/v1/administration.proto"),
        ];
        let calls = files.iter().flat_map(|file| file.lines());
        let calls = calls.filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
        let mut calls: Vec<_> = calls.collect();
        let mut labels = METHODS.to_vec();
        calls.sort_unstable();
        labels.sort_unstable();
        assert_eq!(calls, labels);
    }
}
