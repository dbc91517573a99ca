//! What the API can be told from outside.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Options of the API. [`Options::default`] is right for one city on one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The tokens; `None` = every caller may do everything, for a loopback or a trial.
    #[serde(skip_serializing)]
    pub tokens: Option<Tokens>,
    /// Messages of one stream that were taken in and are not answered yet. At the limit the server
    /// stops reading that stream, and the connection's own flow control holds the sender.
    pub stream_inflight_max: usize,
    /// Streams that may open within a tenth of a second, and then send what they have kept. At the
    /// limit a stream waits for its Welcome: so devices that all come back at once are let in a few
    /// at a time, and desks that are at work do not wait for them.
    pub streams_opening_max: usize,
    /// Calls at a time on one connection. More wait at the client, which HTTP/2 tells the limit.
    pub streams_per_connection_max: u32,
    /// Calls of all connections together whose request or answer has not ended: streams of facts above all. More are
    /// answered OVERLOADED.
    pub streams_max: usize,
    /// Bytes of memory for messages over 16 KiB, of all calls together, each as long as its call and by its largest
    /// message. More are refused with OVERLOADED and the advice to send smaller ones, and their calls end. RocksDB's and
    /// the engine's memory are not in it; growing messages on one stream may take up to twice what is counted.
    pub incoming_bytes_max: usize,
    /// Bytes of memory for answers over 16 KiB that their clients have not read, of all calls together, each as long as its
    /// call. More are refused with OVERLOADED.
    pub outgoing_bytes_max: usize,
    /// Calls of one connection that are being answered at a time, streams not counted once they
    /// run. More are answered OVERLOADED.
    pub calls_per_connection_max: usize,
    /// Connections at a time. More wait to be accepted. `serve` lowers it to what the machine lets it open beside the
    /// store's files.
    pub connections_max: usize,
    /// A connection over which no call has come by then is given up: TLS handshake, HTTP/2 preface and first call
    /// together, in milliseconds. A client that connects ahead of time connects again when it has something to say.
    pub first_call_ms_max: u64,
    /// A unary call that takes longer is given up, and so is a stream that has begun a message and does not end it by
    /// then. Facts in it may have been recorded: the caller sends them again under the same ids.
    pub call_ms_max: u64,
    /// How long a stop waits for the calls that were taken. What is not answered by then was
    /// perhaps recorded: its source sends it again under the same ids.
    pub drain_ms_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            tokens: None,
            stream_inflight_max: 16,
            streams_opening_max: 128,
            streams_per_connection_max: 128,
            streams_max: 65_536,
            incoming_bytes_max: 512 << 20,
            outgoing_bytes_max: 256 << 20,
            calls_per_connection_max: 64,
            connections_max: 40_000,
            first_call_ms_max: 20_000,
            call_ms_max: 30_000,
            drain_ms_max: 10_000,
        }
    }
}

/// One shared token for each role. An empty token lets nobody in.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Collection desks and couriers.
    pub desk: String,
    /// Laboratories.
    pub lab: String,
    /// The command centre.
    pub office: String,
    /// Administrators.
    pub admin: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// The server's certificate chain and key, in PEM.
#[derive(Clone)]
pub struct Tls {
    /// Certificate chain.
    pub certificate_pem: Vec<u8>,
    /// Private key.
    pub key_pem: Vec<u8>,
}

impl Tls {
    /// That certificate and key can be used.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), String> {
        let settings = super::server::tls_settings(self);
        let built = tonic::transport::Server::builder().tls_config(settings);
        built.map(drop).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            cause.unwrap_or_else(|| error.to_string())
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}
