//! The way to the server: its address, its connections, the token on every call.

use crate::api::administration_client::AdministrationClient;
use crate::api::queries_client::QueriesClient;
use crate::api::recording_client::RecordingClient;
use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What may be on its way to this client on one connection, so that answers never wait for it.
const WINDOW_BYTES: u32 = 4 << 20;

/// A server that may be loaded.
pub struct Server(Endpoint);

impl Server {
    /// The server at this address. Unless `anywhere`, only one on this machine: a load is an
    /// attack for whoever did not ask for it.
    pub async fn new(address: &str, anywhere: bool) -> Result<Server> {
        let uri: Uri = address.parse().with_context(|| format!("{address} is no address"))?;
        ensure!(uri.scheme_str() == Some("http"), "{address}: expected http://HOST:PORT");
        let host = uri.host().with_context(|| format!("{address} names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().with_context(|| format!("{address} names no port"))?;
        for found in tokio::net::lookup_host((host, port)).await? {
            if !anywhere && !found.ip().is_loopback() {
                bail!("{address} is not on this machine; if it is yours to load, add --anywhere");
            }
        }
        let endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        Ok(Server(endpoint))
    }

    /// A new connection.
    pub async fn channel(&self) -> Result<Channel> {
        self.0.connect().await.with_context(|| format!("cannot connect to {}", self.0.uri()))
    }

    /// What is said with every call.
    pub fn sign_in(&self, token: Option<&str>) -> Result<SignIn> {
        let header = token.map(|token| format!("Bearer {token}").parse());
        Ok(SignIn(header.transpose().context("a token is made of visible ASCII")?))
    }
}

/// Puts the token on every call.
#[derive(Clone)]
pub struct SignIn(Option<MetadataValue<Ascii>>);

impl Interceptor for SignIn {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// A connection with the token on every call.
pub type Signed = InterceptedService<Channel, SignIn>;

impl SignIn {
    /// The calls that record.
    pub fn recording(&self, channel: &Channel) -> RecordingClient<Signed> {
        RecordingClient::with_interceptor(channel.clone(), self.clone())
    }

    /// The calls that ask.
    pub fn queries(&self, channel: &Channel) -> QueriesClient<Signed> {
        QueriesClient::with_interceptor(channel.clone(), self.clone())
    }

    /// The calls of administration.
    pub fn administration(&self, channel: &Channel) -> AdministrationClient<Signed> {
        AdministrationClient::with_interceptor(channel.clone(), self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_this_machine_is_loaded_unless_asked() {
        assert!(Server::new("http://127.0.0.1:1", false).await.is_ok());
        assert!(Server::new("http://[::1]:1", false).await.is_ok());
        assert!(Server::new("http://192.0.2.1:1", false).await.is_err());
        assert!(Server::new("http://192.0.2.1:1", true).await.is_ok());
        assert!(Server::new("https://127.0.0.1:1", false).await.is_err());
        assert!(Server::new("127.0.0.1", false).await.is_err());
    }
}
