//! The generated clients and what they need, for the demo and for tests: whoever calls the API from
//! inside this program does it through here, so that tonic stays in this room.

pub use super::pb;
pub use pb::administration_client::AdministrationClient;
pub use pb::planning_client::PlanningClient;
pub use pb::progress_client::ProgressClient;
pub use pb::queries_client::QueriesClient;
pub use pb::recording_client::RecordingClient;
pub use tonic::transport::{Channel, Endpoint};
pub use tonic::{Request, Response, Status, Streaming};

use super::limits::{LARGE_MESSAGE_BYTES_MAX, REPLY_BYTES_MAX};
use std::time::Duration;
use tonic::metadata::MetadataValue;

/// Adds the token to a request; an empty or unprintable token adds nothing.
pub fn with_token<T>(mut request: Request<T>, token: &str) -> Request<T> {
    if let Ok(mut value) = MetadataValue::try_from(format!("Bearer {token}"))
        && !token.is_empty()
    {
        // Keeps the token out of HTTP/2 compression tables and debug output.
        value.set_sensitive(true);
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// A connection to a server in the clear, with the settings that the server expects of clients.
pub async fn connect(address: &str) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .connect()
        .await
}

/// A connection to a server that speaks TLS, with the certificate of whoever signed the server's.
pub async fn connect_tls(address: &str, ca_pem: &[u8]) -> Result<Channel, tonic::transport::Error> {
    let authority = tonic::transport::Certificate::from_pem(ca_pem);
    let settings = tonic::transport::ClientTlsConfig::new().ca_certificate(authority);
    Endpoint::from_shared(format!("https://{address}"))?
        .tls_config(settings)?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true)
        .connect()
        .await
}

/// A client for administration that takes pieces as large as the server does.
pub fn administration(channel: Channel) -> AdministrationClient<Channel> {
    AdministrationClient::new(channel).max_encoding_message_size(LARGE_MESSAGE_BYTES_MAX)
}

/// A client for queries that takes answers as large as the server gives.
pub fn queries(channel: Channel) -> QueriesClient<Channel> {
    QueriesClient::new(channel).max_decoding_message_size(REPLY_BYTES_MAX)
}
