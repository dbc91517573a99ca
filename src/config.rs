//! Configuration: the options of every room in one place. A file stands under the environment, the
//! environment under flags; a key that nobody knows is an error, because a misspelt limit that is
//! silently ignored is found in the worst hour.

use crate::store::FolderKind;
use crate::{api, engine, forecaster, store, telemetry};
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::{Figment, Source};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Variables that begin like ours and are none of the configuration.
const NOT_CONFIGURATION: [&str; 7] =
    ["shared", "break", "freeze", "cases", "simpy", "assign_oracle", "may_skip"];

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the keys of rounds. Never inside the data folder: whoever has one must not
    /// have the other with it.
    pub keys: PathBuf,
    /// Live or drill: what a new folder becomes, and what an existing one must be.
    pub kind: FolderKind,
    /// Address of the gRPC API.
    pub listen: SocketAddr,
    /// Address of the Prometheus metrics; none = no metrics are served.
    pub metrics: Option<SocketAddr>,
    /// File with the server's certificate chain, PEM. With it the API speaks TLS only.
    pub tls_certificate: Option<PathBuf>,
    /// File with the certificate's private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Serve beyond loopback without tokens or without TLS.
    pub insecure: bool,
    /// The store.
    pub store: store::Options,
    /// The engine.
    pub engine: engine::Options,
    /// The API.
    pub api: api::Options,
    /// Plans and forecasts.
    pub planner: forecaster::Options,
    /// The log.
    pub log: telemetry::Options,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data: "/var/lib/swabline/data".into(),
            keys: "/var/lib/swabline-keys".into(),
            kind: FolderKind::Live,
            listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            metrics: Some(SocketAddr::from(([127, 0, 0, 1], 7701))),
            tls_certificate: None,
            tls_key: None,
            insecure: false,
            store: store::Options::default(),
            engine: engine::Options::default(),
            api: api::Options::default(),
            planner: forecaster::Options::default(),
            log: telemetry::Options::default(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value or key that cannot be.
    #[error("configuration: {en} 配置有误：{zh}")]
    Invalid {
        /// In Chinese.
        zh: String,
        /// In English.
        en: String,
    },
    /// Keys and data in one place.
    #[error(
        "keys = {0} lies inside the data folder: put the keys elsewhere, a copy of the data must not carry them \
         密钥目录不得位于数据目录内"
    )]
    KeysInData(PathBuf),
    /// Certificate and key go together.
    #[error("tls_certificate and tls_key go together: give both or neither 证书与私钥须同时配置")]
    HalfTls,
    /// Open to the network without protection.
    #[error(
        "listen = {0} is beyond loopback, but {1}: set it up, or say --insecure \
         监听地址超出本机，但未配置令牌或 TLS：请配置，或明确使用 --insecure"
    )]
    Unprotected(SocketAddr, &'static str),
}

impl Error {
    /// What a token says must stand in no message: neither a value of the wrong kind nor a line that does not parse is repeated.
    fn of_extraction(error: figment::Error) -> Error {
        let of_token = |one: &figment::Error| one.path.iter().any(|key| key == "tokens");
        let error = error.clone().into_iter().find(of_token).unwrap_or(error);
        let said = match &error.metadata {
            Some(from) => match &from.source {
                Some(Source::File(file)) => format!("{}: ", file.display()),
                _ if from.name.contains("environment") => "SWABLINE_…: ".into(),
                _ => String::new(),
            },
            None => String::new(),
        };
        let name = error.path.join(".").to_lowercase();
        let (zh, en) = if of_token(&error) && matches!(error.kind, Kind::InvalidType(..)) {
            (
                "应为文字，请加引号（环境变量中写作 '\"123\"'）".into(),
                "expected text; put it in quotes (in the environment: '\"123\"')".into(),
            )
        } else {
            words(&error.kind)
        };
        let at = if name.is_empty() { said } else { format!("{said}{name}: ") };
        Error::Invalid { zh: format!("{at}{zh}"), en: format!("{at}{en}") }
    }
}

/// What is wrong, in Chinese and English.
fn words(kind: &Kind) -> (String, String) {
    let wanted = |found: &str, expected: &str| {
        let (zh, en) = match expected.trim_start_matches("an ").trim_start_matches("a ") {
            "usize" | "u64" | "u32" | "u16" | "u8" => ("非负整数", "a whole number of 0 or more"),
            "boolean" => ("true 或 false", "true or false"),
            "string" => ("文字（加引号）", "text in quotes"),
            "socket address" => {
                ("IP 地址与端口，如 127.0.0.1:7700", "an address with a port, as 127.0.0.1:7700")
            }
            _ => (expected, expected),
        };
        (format!("值为 {found}，应为{zh}"), format!("is {found}, expected {en}"))
    };
    match kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            wanted(&found.to_string(), expected)
        }
        Kind::UnknownVariant(found, known) => {
            let known = known.join(", ");
            (format!("值为 {found}，只能为 {known}"), format!("is {found}, can be {known}"))
        }
        Kind::UnknownField(found, known) => {
            let known = known.join(", ");
            (
                format!("没有名为 {found} 的选项，此处可用：{known}"),
                format!("there is no option {found}; here are {known}"),
            )
        }
        // A line that does not parse is shown with a mark below it; the line may hold a token.
        Kind::Message(said) if said.starts_with("TOML parse error at ") => {
            let mut lines = said.lines();
            let at = lines
                .next()
                .and_then(|line| line.strip_prefix("TOML parse error at "))
                .unwrap_or_default();
            let why = lines.rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            (format!("TOML 格式有误，位置 {at}：{why}"), format!("this is no TOML at {at}: {why}"))
        }
        other => (other.to_string(), other.to_string()),
    }
}

impl Config {
    /// A drill on loopback, on a port that the system chooses, without metrics.
    pub fn drill(data: PathBuf, keys: PathBuf) -> Config {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Config { data, keys, kind: FolderKind::Drill, listen, metrics: None, ..Config::default() }
    }

    /// Reads file, environment (`SWABLINE_…`, with two underscores between section and key) and
    /// flags, each above the one before.
    ///
    /// # Errors
    /// Names the key, where it came from, and what was expected.
    pub fn load(file: Option<&Path>, flags: &impl Serialize) -> Result<Config, Error> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let environment = Env::prefixed("SWABLINE_").ignore(&NOT_CONFIGURATION).split("__");
        let figment = figment.merge(environment).merge(Serialized::globals(flags));
        let config: Config = figment.extract().map_err(Error::of_extraction)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
        if settled(&self.keys).starts_with(settled(&self.data)) {
            return Err(Error::KeysInData(self.keys.clone()));
        }
        let (engine, store, api) = (&self.engine, &self.store, &self.api);
        let planner = &self.planner;
        let wide = u64::from(u32::MAX);
        for (name, value, least, most) in [
            ("engine.queue_facts_max", engine.queue_facts_max as u64, 100, 1_000_000),
            ("engine.queue_bytes_max", engine.queue_bytes_max as u64, 1 << 20, 1 << 40),
            ("engine.batch_facts_max", engine.batch_facts_max as u64, 1, 1_000_000),
            ("engine.batch_tubes_max", engine.batch_tubes_max as u64, 1, 1_000_000),
            ("engine.batch_bytes_max", engine.batch_bytes_max as u64, 1, 1 << 30),
            ("engine.queries_max", engine.queries_max as u64, 1, 100_000),
            ("engine.dashboards_max", engine.dashboards_max as u64, 1, 100_000),
            ("engine.planning_max", engine.planning_max as u64, 1, 100_000),
            ("store.index_memory_bytes", store.index_memory_bytes as u64, 0, 1 << 40),
            ("store.tubes_memory_bytes", store.tubes_memory_bytes as u64, 0, 1 << 40),
            ("store.open_files_max", store.open_files_max as u64, 64, 1_000_000),
            ("store.write_buffer_bytes", store.write_buffer_bytes as u64, 1 << 16, 1 << 32),
            ("store.index_run_entries", store.index_run_entries as u64, 1, wide),
            ("store.index_pending_max", store.index_pending_max as u64, 10_000, wide),
            ("store.records_run", store.records_run as u64, 1, wide),
            ("store.records_pending_max", store.records_pending_max as u64, 1_000, wide),
            ("api.stream_inflight_max", api.stream_inflight_max as u64, 1, 100_000),
            ("api.streams_opening_max", api.streams_opening_max as u64, 1, 1_000_000),
            ("api.streams_per_connection_max", api.streams_per_connection_max.into(), 1, wide),
            ("api.streams_max", api.streams_max as u64, 1, 10_000_000),
            ("api.incoming_bytes_max", api.incoming_bytes_max as u64, 4 << 20, 1 << 40),
            ("api.outgoing_bytes_max", api.outgoing_bytes_max as u64, 4 << 20, 1 << 40),
            ("api.calls_per_connection_max", api.calls_per_connection_max as u64, 1, 1_000_000),
            ("api.connections_max", api.connections_max as u64, 1, 10_000_000),
            ("api.first_call_ms_max", api.first_call_ms_max, 1, wide),
            ("api.call_ms_max", api.call_ms_max, 1, wide),
            ("planner.forecast_seconds", planner.forecast_seconds, 1, 86_400),
            ("planner.replications_max", planner.replications_max.into(), 1, 1_000_000),
            (
                "planner.plans_running_max",
                planner.plans_running_max as u64,
                1,
                engine.planning_max as u64,
            ),
            ("planner.plans_waiting_max", planner.plans_waiting_max as u64, 0, 10_000),
            ("planner.threads_max", planner.threads_max as u64, 0, 4_096),
            ("planner.readings_max", planner.readings_max as u64, 10, 1_000_000),
            ("planner.forecasts_bytes_max", planner.forecasts_bytes_max, 1 << 16, 1 << 40),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::Invalid {
                    zh: format!("{name} = {value}：应为 {least} 至 {most}"),
                    en: format!("{name} = {value}: expected {least} to {most}"),
                });
            }
        }
        if planner.norm.is_some() && planner.city.is_none() {
            return Err(Error::Invalid {
                zh: "planner.norm 须与 planner.city 同时配置：没有城市就不规划".into(),
                en: "planner.norm without planner.city: give the city too, without one nothing is planned"
                    .into(),
            });
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(Error::HalfTls);
        }
        if !self.listen.ip().is_loopback() && !self.insecure {
            if self.api.tokens.is_none() {
                return Err(Error::Unprotected(self.listen, "[api.tokens] is not set"));
            }
            if self.tls_certificate.is_none() {
                return Err(Error::Unprotected(self.listen, "tls_certificate is not set"));
            }
        }
        Ok(())
    }

    /// The configuration as a file would say it, without the tokens.
    pub fn in_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every option can be written as TOML")
    }
}

/// A path as the system will walk it: links followed as far as it exists, no `.` or `..` left.
fn settled(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut settled = PathBuf::new();
    for part in absolute.components() {
        match part {
            std::path::Component::ParentDir => drop(settled.pop()),
            part => settled.push(part),
        }
        settled = settled.canonicalize().unwrap_or(settled);
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn load(text: &str) -> Result<Config, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("swabline.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), &BTreeMap::<String, String>::new())
    }

    #[test]
    fn a_file_sets_what_it_says_and_leaves_the_rest() {
        let config = load("data = '/a'\nkeys = '/b'\n[engine]\nqueue_facts_max = 700\n").unwrap();
        assert_eq!(config.data, PathBuf::from("/a"));
        assert_eq!(config.engine.queue_facts_max, 700);
        assert_eq!(config.engine.batch_facts_max, engine::Options::default().batch_facts_max);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        let cases = [
            ("dta = '/a'", "dta"),
            ("[engine]\nqueue_fact_max = 7", "queue_fact_max"),
            ("[store]\nblock_cache_bytes = -1", "block_cache_bytes"),
            ("kind = 'rehearsal'", "rehearsal"),
            ("listen = 'nowhere'", "listen"),
            ("data = '/a'\nkeys = '/a/keys'", "/a/keys"),
            ("data = '/a'\nkeys = '/b/../a/keys'", "keys"),
            ("[api.tokens]\ndesk = 12345678", "api.tokens.desk: expected text"),
            ("[engine]\nqueries_max = 0", "engine.queries_max"),
            ("[store]\nindex_pending_max = 5", "store.index_pending_max"),
            ("[planner]\nforecast_seconds = 0", "planner.forecast_seconds"),
            ("[planner]\nplans_running_max = 5", "planner.plans_running_max"),
            ("[planner]\nnorm = 'chifeng-2022'", "planner.norm without planner.city"),
            ("tls_key = '/k'", "tls_certificate"),
            ("listen = '0.0.0.0:7700'", "--insecure"),
            ("listen = '0.0.0.0:7700'\n[api.tokens]\ndesk = 'x'", "tls_certificate"),
            (
                "[engine]\nqueue_fact_max = 7",
                "没有名为 queue_fact_max 的选项，此处可用：queue_facts_max",
            ),
            (
                "[engine]\nqueue_facts_max = 'x'",
                "swabline.toml: engine.queue_facts_max: is string \"x\", expected a whole number",
            ),
            ("[engine]\nqueue_facts_max = 'x'", "应为非负整数"),
            ("[engine", "位置 line 1, column 8"),
            ("[engine]\nqueue_facts_max = 0", "queue_facts_max = 0：应为 100 至 1000000"),
        ];
        for (text, named) in cases {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text:?} gave {error}");
        }
        assert!(load("listen = '0.0.0.0:7700'\ninsecure = true").is_ok());
        for text in ["[api.tokens]\ndesk = 12345678", "[api.tokens]\ndesk = 'x12345678"] {
            let error = load(text).unwrap_err().to_string();
            assert!(!error.contains("12345678"), "{error}");
        }
    }

    #[test]
    fn flags_stand_over_the_file_and_tokens_are_not_printed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("swabline.toml");
        std::fs::write(&path, "data = '/a'\n[api.tokens]\ndesk = 'secret-token'\n").unwrap();
        let flags = BTreeMap::from([("data", "/c")]);
        let config = Config::load(Some(&path), &flags).unwrap();
        assert_eq!(config.data, PathBuf::from("/c"));
        assert!(!config.in_toml().contains("secret-token"));
        assert!(!format!("{config:?}").contains("secret-token"));
    }
}
