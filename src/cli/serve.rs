//! `swabline serve`: the service, until a signal ends it.

use super::{files, output};
use crate::app::{self, Service};
use crate::config::Config;
use crate::{forecaster, telemetry};
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Flags of `serve`. What a flag does not say, the environment or the file says.
#[derive(Args, Serialize)]
pub struct ServeArgs {
    /// Configuration file, TOML. 配置文件
    #[arg(long)]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Data folder. 数据目录
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    /// Folder of the keys of rounds. 密钥目录
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<PathBuf>,
    /// Address of the gRPC API. API 监听地址
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Address of the Prometheus metrics. 指标监听地址
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<SocketAddr>,
    /// A new folder becomes a drill, an existing one must be one. 演练目录
    #[arg(long)]
    #[serde(rename = "kind", serialize_with = "drill", skip_serializing_if = "std::ops::Not::not")]
    drill: bool,
    /// Serve beyond loopback without tokens or TLS. 允许无令牌或无 TLS 对外监听
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    insecure: bool,
    /// Print the configuration in force, without tokens, and end. 打印生效配置
    #[arg(long)]
    #[serde(skip)]
    print_config: bool,
}

fn drill<S: serde::Serializer>(_: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("drill")
}

/// Runs the service.
///
/// # Errors
/// What kept it from starting or from ending in order.
pub fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut config = match Config::load(args.config.as_deref(), &args) {
        Ok(config) => config,
        Err(error) => {
            output::aside(&format!("swabline: {error}"));
            return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
        }
    };
    if args.print_config {
        output::answer(&config.in_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Err(problem) = telemetry::start(&config.log) {
        output::aside(&format!("swabline: {problem}"));
        return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
    }
    if let Err(problem) = files::share_out(&mut config) {
        output::aside(&format!("swabline: {problem}"));
        return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(config));
    // The folder is closed; only a plan may still be reckoned, and nobody waits for it.
    runtime.shutdown_timeout(Duration::from_millis(500));
    served
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let folder = config.data.clone();
    let mut service = match Service::start(config).await {
        Err(
            error @ app::Error::Planner(forecaster::Error::City(_) | forecaster::Error::Norm(_)),
        ) => {
            output::aside(&format!("swabline: {error}"));
            return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
        }
        started => started?,
    };
    let metrics = service.metrics.map_or_else(|| "none".to_owned(), |address| address.to_string());
    // One plain line for scripts, on standard output; the log has it too.
    output::answer(&format!("listening grpc={} metrics={metrics}\n", service.address))?;
    tracing::info!(grpc = %service.address, %metrics, folder = %folder.display(), "listening");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = service.ended() => tracing::error!("the API ended by itself"),
    }
    tracing::info!("stopping: what was taken is answered first; a second signal ends at once");
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Nothing acknowledged is lost by this: the log was synced before each acknowledgement.
        std::process::exit(130);
    });
    service.stop().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
