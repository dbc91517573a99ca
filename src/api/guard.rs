//! What stands before every service: who may call, whether the server still takes calls, and the
//! dressing of what tonic refuses by itself in our reasons and languages.

use super::auth;
use super::errors::{Error, in_our_words};
use super::options::Tokens;
use std::convert::Infallible;
use std::sync::Arc;
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
        let path = request.uri().path();
        let admitted = match *self.gate.stopping.borrow() {
            true => Err(Error::ShuttingDown),
            false => auth::authorise(self.gate.tokens.as_ref(), request.headers(), path),
        };
        if let Err(error) = admitted {
            metrics::counter!("swabline_api_refused_calls_total", "reason" => error.reason().as_str_name())
                .increment(1);
            return Box::pin(std::future::ready(Ok(Status::from(error).into_http())));
        }
        let answer = self.inner.call(request);
        let limit = self.message_bytes_max;
        Box::pin(async move {
            let response = answer.await?;
            let refused = response.extensions().get::<Status>();
            Ok(match refused.and_then(|status| in_our_words(status, limit)) {
                Some(error) => Status::from(error).into_http(),
                None => response,
            })
        })
    }
}
