//! The server: the services behind their guard, health, reflection, and the ordered stop.

use super::answers::Answers;
use super::errors::Error;
use super::guard::{Gate, Guarded};
use super::incoming::{Called, connections};
use super::limits::{BATCH_BYTES_MAX, LARGE_MESSAGE_BYTES_MAX, REPLY_BYTES_MAX, WATCHING_MAX};
use super::options::{Options, Tls};
use super::pb;
use super::requests::Requests;
use super::shared::Shared;
use super::{administration, planning, progress, queries, recording};
use crate::engine::Handle;
use crate::forecaster::Forecaster;
use crate::keyring::KeyRing;
use pb::administration_server::AdministrationServer;
use pb::planning_server::PlanningServer;
use pb::progress_server::ProgressServer;
use pb::queries_server::QueriesServer;
use pb::recording_server::RecordingServer;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tonic::Request;
use tonic::server::NamedService;
use tonic::service::InterceptorLayer;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic_health::server::HealthReporter;

/// What the API stands on.
pub struct Api {
    /// The engine.
    pub handle: Handle,
    /// The keys of rounds.
    pub keys: Arc<KeyRing>,
    /// Plans and forecasts.
    pub forecaster: Forecaster,
    /// What it was told.
    pub options: Options,
}

/// A connection that falls silent is asked whether it lives, and given up when it does not answer:
/// mobile networks drop connections without a word. Before its first call see `first_call_ms_max`.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A TLS handshake that takes longer is given up. Handshakes run beside each other, and accepting
/// does not wait for them.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that one stream, and all streams of one connection, may send before the server has read
/// them. A device on a line of 100 ms still sends 10 Mbit/s. What is not read waits in memory: half a MiB for each
/// connection whose client sends on and does not read its answers. What was read and is no whole message yet, see
/// `requests`; answers that are not read, see `answers`.
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;

/// Headers of a call. Tokens and paths are far smaller.
const HEADER_BYTES_MAX: u32 = 8 * 1024;

/// How often the health of the engine is looked at.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// What tonic needs of certificate and key.
pub(super) fn tls_settings(tls: &Tls) -> ServerTlsConfig {
    let identity = Identity::from_pem(&tls.certificate_pem, &tls.key_pem);
    ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE_TIMEOUT)
}

/// Serves until `shutdown`, then takes nothing more, answers what was taken, and returns.
///
/// # Errors
/// When the certificate or the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    tls: Option<Tls>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (stop, stopping) = watch::channel(false);
    let options = api.options.clone();
    let gate = Arc::new(Gate {
        tokens: options.tokens.clone(),
        stopping: stopping.clone(),
        call_max: Duration::from_millis(options.call_ms_max),
        requests: Arc::new(Requests::new(&options)),
        answers: Arc::new(Answers::new(options.outgoing_bytes_max)),
    });
    let opening = options.streams_opening_max.clamp(1, Semaphore::MAX_PERMITS);
    let shared = Arc::new(Shared {
        opening: Arc::new(Semaphore::new(opening)),
        watching: Arc::new(Semaphore::new(WATCHING_MAX)),
        handle: api.handle,
        keys: api.keys,
        forecaster: api.forecaster,
        options: api.options,
        stopping: stopping.clone(),
        sessions: Default::default(),
        people: Default::default(),
    });

    let mut server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(options.streams_per_connection_max)
        .concurrency_limit_per_connection(options.calls_per_connection_max)
        .load_shed(true);
    if let Some(tls) = &tls {
        server = server.tls_config(tls_settings(tls)).map_err(Error::Serve)?;
    }

    // Every call is noted, of whichever service: its connection is not silent.
    let mut server = server.layer(InterceptorLayer::new(|request: Request<()>| {
        if let Some(called) = request.extensions().get::<Called>() {
            called.note();
        }
        Ok(request)
    }));

    let (reporter, health) = tonic_health::server::health_reporter();
    let watching = tokio::spawn(report_health(reporter, Arc::clone(&shared)));
    let recording = RecordingServer::new(recording::Service(Arc::clone(&shared)))
        .max_decoding_message_size(BATCH_BYTES_MAX)
        .max_encoding_message_size(REPLY_BYTES_MAX);
    let queries = QueriesServer::new(queries::Service(Arc::clone(&shared)))
        .max_decoding_message_size(BATCH_BYTES_MAX)
        .max_encoding_message_size(REPLY_BYTES_MAX);
    let progress = ProgressServer::new(progress::Service(Arc::clone(&shared)))
        .max_decoding_message_size(BATCH_BYTES_MAX)
        .max_encoding_message_size(REPLY_BYTES_MAX);
    let planning = PlanningServer::new(planning::Service(Arc::clone(&shared)))
        .max_decoding_message_size(BATCH_BYTES_MAX)
        .max_encoding_message_size(REPLY_BYTES_MAX);
    let administration = AdministrationServer::new(administration::Service(Arc::clone(&shared)))
        .max_decoding_message_size(LARGE_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(REPLY_BYTES_MAX);
    let reflection = || {
        let files = tonic_reflection::server::Builder::configure();
        files.register_encoded_file_descriptor_set(pb::DESCRIPTORS)
    };
    // The descriptors come from our own build; a test opens them.
    let built = "the descriptors of this build can be read";
    let router = server
        .add_service(health)
        .add_service(reflection().build_v1().expect(built))
        .add_service(reflection().build_v1alpha().expect(built))
        .add_service(Guarded::new(recording, &gate, BATCH_BYTES_MAX))
        .add_service(Guarded::new(queries, &gate, BATCH_BYTES_MAX))
        .add_service(Guarded::new(progress, &gate, BATCH_BYTES_MAX))
        .add_service(Guarded::new(planning, &gate, BATCH_BYTES_MAX))
        .add_service(Guarded::new(administration, &gate, LARGE_MESSAGE_BYTES_MAX));

    let incoming = connections(listener, &options);
    let mut stopped = stopping.clone();
    let signal = async move {
        // An error means that the sender is gone, and then there is nothing left to serve.
        let _ = stopped.wait_for(|stopping| *stopping).await;
    };
    let serving = router.serve_with_incoming_shutdown(incoming, signal);
    tokio::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = shutdown => {
            stop.send_replace(true);
            match tokio::time::timeout(Duration::from_millis(options.drain_ms_max), serving).await {
                Ok(served) => served,
                Err(_) => {
                    tracing::warn!("calls were still open at the end of the stop; they are cut");
                    Ok(())
                }
            }
        }
    };
    watching.abort();
    served.map_err(Error::Serve)
}

/// Tells health checks what the engine says: intake that has stopped is not serving, reads go on.
async fn report_health(reporter: HealthReporter, shared: Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    loop {
        let stops = *stopping.borrow();
        let takes = !stops && shared.handle.fault().is_none();
        set(&reporter, takes, "").await;
        set(&reporter, takes, RecordingServer::<recording::Service>::NAME).await;
        set(&reporter, takes, AdministrationServer::<administration::Service>::NAME).await;
        set(&reporter, !stops, QueriesServer::<queries::Service>::NAME).await;
        set(&reporter, !stops, ProgressServer::<progress::Service>::NAME).await;
        set(&reporter, !stops, PlanningServer::<planning::Service>::NAME).await;
        if stops {
            return;
        }
        let _ =
            tokio::time::timeout(HEALTH_INTERVAL, stopping.wait_for(|stopping| *stopping)).await;
    }
}

async fn set(reporter: &HealthReporter, serves: bool, name: &str) {
    let status = match serves {
        true => tonic_health::ServingStatus::Serving,
        false => tonic_health::ServingStatus::NotServing,
    };
    reporter.set_service_status(name, status).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptors_of_this_build_can_be_read() {
        let files = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(pb::DESCRIPTORS)
        };
        assert!(files().build_v1().is_ok() && files().build_v1alpha().is_ok());
    }
}
