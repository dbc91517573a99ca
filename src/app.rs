//! Wiring, and nothing else: folder, keys, engine and edges are put together here, and taken apart
//! again in order.

use crate::config::Config;
use crate::engine::{self, Engine};
use crate::forecaster::{self, CityPlan, Forecaster};
use crate::keyring::{self, KeyRing};
use crate::store::Store;
use crate::{api, store, telemetry};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Why the service does not start or did not end in order.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be used.
    #[error(
        "cannot listen on {address}: {source}; stop what uses it, or give another address \
         无法监听该地址：请停止占用它的程序，或换一个地址"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source} 无法读取文件")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error(
        "tls_certificate or tls_key cannot be used: {problem}; expected PEM 证书或私钥无效：应为 PEM 格式"
    )]
    Certificate {
        /// What is wrong.
        problem: String,
    },
    /// The keys.
    #[error(transparent)]
    Keys(#[from] keyring::Error),
    /// The folder.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The API.
    #[error(transparent)]
    Api(#[from] api::Error),
    /// The city file, or threads for the planner.
    #[error(transparent)]
    Planner(#[from] forecaster::Error),
    /// A task panicked.
    #[error("a part of the service ended in a panic 服务的一个部分异常终止")]
    Panicked,
}

/// A running service.
pub struct Service {
    /// The address of the API, with the port that was really bound.
    pub address: SocketAddr,
    /// The address of the metrics.
    pub metrics: Option<SocketAddr>,
    engine: Engine,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), api::Error>>,
    gauges: JoinHandle<()>,
    /// True once the forecaster is to end.
    stop_forecaster: watch::Sender<bool>,
    forecaster: JoinHandle<()>,
}

impl Service {
    /// Starts: addresses first, because they fail fastest; then keys, folder, engine, API.
    ///
    /// # Errors
    /// Says what could not be had and what to do about it. Nothing keeps running.
    pub async fn start(config: Config) -> Result<Service, Error> {
        Service::start_for(config, None).await
    }

    /// Starts with this city to plan for, which may stand in no file, instead of the configuration's.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub async fn start_for(config: Config, city: Option<CityPlan>) -> Result<Service, Error> {
        let listen = |source: std::io::Error| Error::Listen {
            address: config.listen,
            source: source.into(),
        };
        let listener = api::listen(config.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let metrics = config.metrics.map(serve_metrics).transpose()?;
        let tls = read_tls(&config)?;
        if let Some(tls) = &tls {
            // Before anything is opened: a service that cannot be spoken to must not start.
            tls.check().map_err(|problem| Error::Certificate { problem })?;
        }
        let forecaster = match city {
            Some(city) => Forecaster::of(config.planner.clone(), Some(city))?,
            None => Forecaster::new(config.planner.clone())?,
        };
        let keys = Arc::new(KeyRing::open(&config.keys)?);
        let (dir, kind, options) = (config.data.clone(), config.kind, config.store.clone());
        // A folder of the other kind is turned away: drills and live data never mix.
        let engine_options = config.engine.clone();
        let engine = tokio::task::spawn_blocking(move || -> Result<Engine, store::Error> {
            let store = Store::open(&dir, Some(kind), &options)?;
            Engine::start(store, &engine_options)
        });
        let engine = engine.await.map_err(|_| Error::Panicked)??;
        if let Err(error) = check_keys(&engine.handle(), &keys) {
            let _ = tokio::task::spawn_blocking(move || engine.stop()).await;
            return Err(error.into());
        }
        let kept = match forecaster::open_file(&config.data, &config.planner) {
            Ok(kept) => kept,
            Err(error) => {
                let _ = tokio::task::spawn_blocking(move || engine.stop()).await;
                return Err(error.into());
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_forecaster = watch::Sender::new(false);
        let watching = forecaster.clone().watch(engine.handle(), kept, stop_forecaster.subscribe());
        let api =
            api::Api { handle: engine.handle(), keys, forecaster, options: config.api.clone() };
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(api::serve(listener, api, tls, shutdown));
        let gauges = tokio::spawn(keep_gauges(engine.handle()));
        let forecaster = tokio::spawn(watching);
        Ok(Service { address, metrics, engine, stop, server, gauges, stop_forecaster, forecaster })
    }

    /// A handle to the engine, for edges inside this process.
    pub fn handle(&self) -> engine::Handle {
        self.engine.handle()
    }

    /// Waits until the API ends by itself, which it does only when something is wrong.
    pub async fn ended(&mut self) {
        while !self.server.is_finished() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Stops in order: nothing new is taken, everything taken is acknowledged or refused, then the
    /// folder is closed.
    ///
    /// # Errors
    /// What did not end in order. Nothing acknowledged is lost.
    pub async fn stop(self) -> Result<(), Error> {
        self.gauges.abort();
        let _ = self.gauges.await;
        // A server that has ended by itself needs no word.
        let _ = self.stop.send(());
        let served = self.server.await.map_err(|_| Error::Panicked)?;
        // Before the folder is sealed: it writes a file there.
        let _ = self.stop_forecaster.send(true);
        let _ = self.forecaster.await;
        let engine = self.engine;
        tokio::task::spawn_blocking(move || engine.stop()).await.map_err(|_| Error::Panicked)??;
        Ok(served?)
    }
}

fn read_tls(config: &Config) -> Result<Option<api::Tls>, Error> {
    let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
        return Ok(None);
    };
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| Error::File { path: path.clone(), source })
    };
    Ok(Some(api::Tls { certificate_pem: read(certificate)?, key_pem: read(key)? }))
}

/// The key of every open round must be there: without it its people cannot be registered, and that
/// must be known before the first desk opens.
fn check_keys(handle: &engine::Handle, keys: &KeyRing) -> Result<(), keyring::Error> {
    let reference = handle.feed().reference();
    for (code, round) in &reference.rounds {
        match (keys.check(&round.key_id), round.closed_at) {
            (Ok(()), _) => {}
            (Err(error), None) => return Err(error),
            (Err(error), Some(_)) => {
                tracing::warn!(%error, round = %code, "a closed round has no key")
            }
        }
    }
    Ok(())
}

fn serve_metrics(address: SocketAddr) -> Result<SocketAddr, Error> {
    let listen =
        |source: Box<dyn std::error::Error + Send + Sync>| Error::Listen { address, source };
    // The exporter binds late and only logs a failure; try the address before it does. This also
    // settles which port a 0 becomes.
    let tried = std::net::TcpListener::bind(address).and_then(|listener| listener.local_addr());
    let address = tried.map_err(|error| listen(error.into()))?;
    let built = PrometheusBuilder::new().with_http_listener(address).build();
    let (recorder, exporter) = built.map_err(|error| listen(error.into()))?;
    if metrics::set_global_recorder(recorder).is_ok() {
        tokio::spawn(exporter);
    }
    Ok(address)
}

async fn keep_gauges(handle: engine::Handle) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        every.tick().await;
        for (name, value) in handle.read().gauges() {
            metrics::gauge!(telemetry::STORE_GAUGE, "name" => name).set(value as f64);
        }
        metrics::gauge!(telemetry::SEQ).set(handle.read().last_seq() as f64);
    }
}
