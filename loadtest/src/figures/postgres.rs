//! PostgreSQL 15 at its best, for comparison: the rows are made inside the server, a thousand tubes a
//! transaction, one session for each core, with plenty of memory and no checkpoint under way. The
//! durability is the same: every commit waits for the disk.

use super::place::{Place, last_words, output, signal};
use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// Where Debian puts it.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// How long it may take to start and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings that favour it, without touching its durability.
const SETTINGS: &str = "\
listen_addresses = ''
shared_buffers = '2GB'
wal_buffers = '64MB'
max_wal_size = '64GB'
checkpoint_timeout = '1d'
wal_level = minimal
max_wal_senders = 0
synchronous_commit = on
fsync = on
full_page_writes = on
autovacuum = off
jit = off
";

/// A tube as the service keeps it, the event that brought it, and an indexed row for each person.
const TABLES: &str = "
CREATE TABLE tube (code text PRIMARY KEY, round text NOT NULL, desk text NOT NULL,
  pool smallint NOT NULL, swabs smallint NOT NULL, status smallint NOT NULL,
  captured_at bigint NOT NULL, recorded_at bigint NOT NULL);
CREATE TABLE event (seq bigint PRIMARY KEY, source text NOT NULL, number bigint NOT NULL,
  recorded_at bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE person (key uuid NOT NULL, tube bigint NOT NULL);
CREATE INDEX person_key ON person (key);
CREATE PROCEDURE fill(first bigint, seconds double precision, INOUT tubes bigint)
LANGUAGE plpgsql AS $$
DECLARE
  at bigint := first;
  over timestamptz := clock_timestamp() + make_interval(secs => seconds);
BEGIN
  WHILE clock_timestamp() < over LOOP
    INSERT INTO event SELECT n, 'desk-' || n % 5000, n / 5000, 1650000000000 + n,
      decode(repeat(md5(n::text), 14), 'hex') FROM generate_series(at, at + 999) n;
    INSERT INTO tube SELECT 'L' || lpad(n::text, 19, '0'), 'round-1', 'LT-' || n % 5000, 10, 10, 2,
      1650000000000 + n, 1650000000100 + n FROM generate_series(at, at + 999) n;
    INSERT INTO person SELECT md5(n::text || '-' || p)::uuid, n
      FROM generate_series(at, at + 999) n, generate_series(1, 10) p;
    COMMIT;
    at := at + 1000;
  END LOOP;
  tubes := at - first;
END $$;
";

/// A server of our own, killed when it is dropped.
pub struct Postgres {
    child: Child,
    dir: PathBuf,
}

/// What it did.
pub struct Filled {
    /// Tubes a second of all sessions.
    pub tubes_per_s: f64,
    /// Tubes.
    pub tubes: u64,
    /// Sessions, one for each core.
    pub sessions: usize,
    /// Its version.
    pub version: String,
}

/// One of its programs. It refuses to run as root.
fn program(name: &str) -> Command {
    let path = Path::new(PROGRAMS).join(name);
    if !rustix::process::geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user(), "--regid", user_group(), "--clear-groups", "--"]).arg(path);
    command
}

fn user() -> &'static str {
    if has("/etc/passwd", "postgres") { "postgres" } else { "nobody" }
}

fn user_group() -> &'static str {
    if has("/etc/group", "postgres") { "postgres" } else { "nogroup" }
}

fn has(file: &str, name: &str) -> bool {
    let all = fs::read_to_string(file).unwrap_or_default();
    all.lines().any(|line| line.split(':').next() == Some(name))
}

impl Postgres {
    /// Makes a cluster in the place and starts it, on a socket of its own only.
    pub async fn start(place: &Place) -> Result<Postgres> {
        ensure!(
            Path::new(PROGRAMS).join("postgres").is_file(),
            "PostgreSQL 15 is not in {PROGRAMS}; install it with: deploy/bootstrap.sh --figures"
        );
        let dir = place.part("postgres");
        fs::create_dir(&dir)?;
        if rustix::process::geteuid().is_root() {
            let mut own = Command::new("chown");
            own.arg(format!("{}:{}", user(), user_group())).arg(&dir);
            output(own, &place.part("chown.log")).await?;
        }
        let data = dir.join("data");
        let mut initdb = program("initdb");
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--no-locale",
            "--encoding=UTF8",
            "-D",
        ]);
        initdb.arg(&data);
        output(initdb, &place.part("initdb.log")).await.context(
            "making a PostgreSQL cluster; its user must be allowed into the folder of --dir",
        )?;
        let settings = data.join("postgresql.conf");
        let default = fs::read_to_string(&settings)?;
        fs::write(&settings, format!("{default}\n{SETTINGS}"))?;
        let log = place.part("postgres.log");
        let child = program("postgres")
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("starting PostgreSQL")?;
        let mut postgres = Postgres { child, dir };
        let begun = Instant::now();
        while postgres.ask("SELECT 1").await.is_err() {
            let ended = postgres.child.try_wait()?.is_some();
            ensure!(
                !ended && begun.elapsed() < PATIENCE,
                "PostgreSQL does not start: {}",
                last_words(&log)
            );
            sleep(Duration::from_millis(100)).await;
        }
        postgres.ask(TABLES).await.context("making the tables")?;
        Ok(postgres)
    }

    /// Asks it something; gives the answer as plain text.
    async fn ask(&self, sql: &str) -> Result<String> {
        ask(&self.dir, sql).await
    }

    /// Fills the tables for some seconds.
    pub async fn fill(&self, seconds: u64) -> Result<Filled> {
        let sessions = std::thread::available_parallelism().map_or(1, usize::from);
        eprintln!("loadtest: PostgreSQL, {sessions} sessions for {seconds} s");
        let begun = Instant::now();
        let mut filling = JoinSet::new();
        for session in 0..sessions {
            // Each has its own numbers.
            let first = session as u64 * 1_000_000_000;
            let (dir, sql) = (self.dir.clone(), format!("CALL fill({first}, {seconds}, 0)"));
            filling.spawn(async move { ask(&dir, &sql).await });
        }
        let mut tubes = 0;
        while let Some(filled) = filling.join_next().await {
            let told = filled??;
            tubes += told.trim().parse::<u64>().with_context(|| format!("{told:?} tubes"))?;
        }
        let tubes_per_s = tubes as f64 / begun.elapsed().as_secs_f64();
        let rows = self.ask("SELECT count(*) FROM tube").await?;
        ensure!(rows.trim() == tubes.to_string(), "{rows} tubes in the table, not {tubes}");
        let version = self.ask("SHOW server_version").await?.trim().to_owned();
        Ok(Filled { tubes_per_s, tubes, sessions, version })
    }

    /// Stops it in order and removes its folder.
    pub async fn stop(mut self) -> Result<()> {
        // Immediate: what it has written is thrown away, there is no use in a last checkpoint.
        signal(&self.child, Signal::QUIT)?;
        timeout(PATIENCE, self.child.wait()).await.context("PostgreSQL does not stop")??;
        fs::remove_dir_all(&self.dir)?;
        Ok(())
    }
}

async fn ask(dir: &Path, sql: &str) -> Result<String> {
    let mut psql = Command::new(Path::new(PROGRAMS).join("psql"));
    psql.arg("-h").arg(dir).args(["-U", "postgres", "-d", "postgres", "-X", "-q", "-A", "-t"]);
    psql.args(["-v", "ON_ERROR_STOP=1", "-c", sql]);
    psql.stdin(Stdio::null()).kill_on_drop(true);
    let ended = psql.output().await.context("starting psql")?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "PostgreSQL: {}", said.trim());
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}
