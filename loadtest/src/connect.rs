//! The way to the server: its address, its connections, the token on every call.

use crate::api::administration_client::AdministrationClient;
use crate::api::queries_client::QueriesClient;
use crate::api::recording_client::RecordingClient;
use crate::encode::Encoder;
use crate::wire::{Address, Broken, Dialer, source, sources};
use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Request, Status};

/// The standard's call that asks after health.
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// How long a server may take to answer at all.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What may be on its way to this client on one connection, so that answers never wait for it.
const WINDOW_BYTES: u32 = 4 << 20;

/// A server that may be loaded.
#[derive(Clone)]
pub struct Server {
    endpoint: Endpoint,
    address: Address,
}

impl Server {
    /// The server at this address, with the certificate (PEM) of whoever signed the server's when the
    /// address begins with https. Unless `anywhere`, only one on this machine: a load is an attack
    /// for whoever did not ask for it.
    pub async fn new(address: &str, anywhere: bool, ca: Option<&[u8]>) -> Result<Server> {
        let uri: Uri = address.parse().with_context(|| format!("{address} is no address"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => bail!("{address}: expected http://HOST:PORT or https://HOST:PORT"),
        };
        let host = uri.host().with_context(|| format!("{address} names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().with_context(|| format!("{address} names no port"))?;
        let found: Vec<_> = tokio::net::lookup_host((host.as_str(), port)).await?.collect();
        if let (false, true) = (anywhere, found.iter().any(|found| !found.ip().is_loopback())) {
            bail!("{address} is not on this machine; if it is yours to load, add --anywhere");
        }
        let socket = *found.first().with_context(|| format!("{address} has no address"))?;
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut endpoint = Endpoint::from(uri)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES);
        let tls = match (is_tls, ca) {
            (false, None) => None,
            (false, Some(_)) => bail!("--ca is for an address that begins with https://"),
            (true, None) => bail!("{address}: say with --ca FILE who signed its certificate"),
            (true, Some(pem)) => {
                let signer = Certificate::from_pem(pem);
                endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(signer))?;
                let name = ServerName::try_from(host.clone());
                Some((
                    tls(pem)?,
                    name.with_context(|| format!("{host} cannot be in a certificate"))?,
                ))
            }
        };
        Ok(Server { endpoint, address: Address { socket, authority, tls } })
    }

    /// True when what is said is encrypted.
    pub fn is_tls(&self) -> bool {
        self.address.tls.is_some()
    }

    /// A new connection for calls now and then.
    pub async fn channel(&self) -> Result<Channel> {
        self.channel_of(0, 1).await
    }

    /// A new connection, the one of this number of so many: from an address of this machine of its own share, as a dialer's.
    pub async fn channel_of(&self, number: u32, connections: u32) -> Result<Channel> {
        let from = source(number, sources(self.address.socket, connections));
        let connected = self.endpoint.clone().local_address(from.map(Into::into)).connect().await;
        connected.with_context(|| format!("cannot connect to {}", self.endpoint.uri()))
    }

    /// Connections for a load, up to so many at a time.
    pub fn dialer(&self, sign_in: &SignIn, connections: u32, patience: Duration) -> Result<Dialer> {
        Dialer::new(self.address.clone(), sign_in.token.as_deref(), connections, patience)
    }

    /// What is said with every call.
    pub fn sign_in(&self, token: Option<&str>) -> Result<SignIn> {
        let header = token.map(|token| format!("Bearer {token}").parse());
        let header = header.transpose().context("a token is made of visible ASCII")?;
        Ok(SignIn { header, token: token.map(str::to_owned) })
    }
}

/// What encrypts towards a server whose certificate this one (PEM) signed.
fn tls(ca_pem: &[u8]) -> Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate.context("reading the certificate of --ca")?)?;
    }
    ensure!(!roots.is_empty(), "the file of --ca holds no certificate in PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut settings = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    settings.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(settings)))
}

/// A server with the tokens for it, and the files that this process may open.
#[derive(Clone)]
pub struct Target {
    /// The server.
    pub server: Server,
    /// Signs in as a desk.
    pub desk: SignIn,
    /// Signs in as an administrator.
    pub admin: SignIn,
    /// Limit of open files.
    pub files: u64,
    /// How long the server may be away when what it acknowledged is read back, each time.
    pub away: Duration,
}

impl Target {
    /// That the server answers at all: one whose connections are all taken, or that stands still, lets a connection wait and
    /// says nothing.
    pub async fn answers(&self) -> Result<()> {
        self.answers_within(ANSWER_PATIENCE).await
    }

    async fn answers_within(&self, patience: Duration) -> Result<()> {
        let asked = timeout(patience, async {
            let line = self.server.dialer(&self.desk, 1, CONNECT_TIMEOUT)?.line(0).await?;
            match line.ask(HEALTH, health_of("")).await {
                // Whatever it says of its health, it has answered.
                Ok(_) | Err(Broken::Status(..)) => Ok(()),
                Err(broken) => Err(anyhow::Error::from(broken)),
            }
        });
        let at = || format!("the server at {}", self.server.endpoint.uri());
        let silent = |_| {
            anyhow!(
                "nothing was answered within {} s: does it stand still, or are all its connections \
                 taken (api.connections_max)?",
                patience.as_secs()
            )
        };
        asked.await.map_err(silent).and_then(|asked| asked).with_context(at)
    }
}

/// The question after the health of a service, framed.
pub fn health_of(service: &str) -> Bytes {
    Encoder::default().message(|to| to.text(1, service.as_bytes()))
}

/// Puts the token on every call.
#[derive(Clone)]
pub struct SignIn {
    header: Option<MetadataValue<Ascii>>,
    token: Option<String>,
}

impl Interceptor for SignIn {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.header {
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
        let new = |address, anywhere| Server::new(address, anywhere, None);
        assert!(new("http://127.0.0.1:1", false).await.is_ok());
        assert!(new("http://[::1]:1", false).await.is_ok());
        assert!(new("http://192.0.2.1:1", false).await.is_err());
        assert!(new("http://192.0.2.1:1", true).await.is_ok());
        assert!(new("127.0.0.1", false).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_told() {
        // Nobody accepts: the system takes the connection and nothing comes back.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let server = Server::new(&address, false, None).await.unwrap();
        let desk = server.sign_in(None).unwrap();
        let target =
            Target { server, desk: desk.clone(), admin: desk, files: 64, away: Duration::ZERO };
        let why =
            format!("{:#}", target.answers_within(Duration::from_millis(50)).await.unwrap_err());
        assert!(why.contains(&address) && why.contains("nothing was answered"), "{why}");
    }

    #[tokio::test]
    async fn encryption_needs_to_know_who_signed() {
        assert!(Server::new("https://127.0.0.1:1", false, None).await.is_err());
        assert!(Server::new("https://127.0.0.1:1", false, Some(b"no certificate")).await.is_err());
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let pem = signed.cert.pem();
        let server = Server::new("https://127.0.0.1:1", false, Some(pem.as_bytes())).await;
        assert!(server.unwrap().is_tls());
        assert!(Server::new("http://127.0.0.1:1", false, Some(pem.as_bytes())).await.is_err());
    }
}
