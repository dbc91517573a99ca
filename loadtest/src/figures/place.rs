//! Where figures are measured: a folder that is gone at the end, and the programs that run in it,
//! which are gone with it.

use crate::connect::{HEALTH, Server, Target, health_of};
use crate::files;
use crate::order::CONNECT_PATIENCE;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a server may take until it listens, and until it has stopped.
const START_PATIENCE: Duration = Duration::from_secs(300);
const STOP_PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at a server that is starting.
const LOOK: Duration = Duration::from_millis(5);
/// How long a server that has broken its connections may take until it is gone.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of what a program said that are told when it failed.
const LAST_WORDS: usize = 600;

/// Where the figures are measured.
pub struct Place {
    /// The folder. It is made for the figures and removed with everything in it.
    pub dir: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Limit of open files.
    pub files: u64,
    /// Short runs.
    pub quick: bool,
    /// How a server ended that was not to end; whatever failed then failed because of it.
    ends: Ends,
}

/// Where a server leaves word of its end.
type Ends = Arc<Mutex<Option<String>>>;

impl Place {
    /// A folder of its own in `parent`.
    pub fn new(parent: &Path, program: PathBuf, files: u64, quick: bool) -> Result<Place> {
        let made = tempfile::Builder::new().prefix("loadtest-figures-").tempdir_in(parent);
        let made = made.with_context(|| format!("making a folder in {}", parent.display()))?;
        // PostgreSQL runs as another user and has to get at its part of it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(made.path(), open)?;
        Ok(Place { dir: made.keep(), program, files, quick, ends: Ends::default() })
    }

    /// How a server ended that was not to end, since the last time this was asked.
    pub fn end_of_server(&self) -> Option<String> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A new part of the folder. Not made yet.
    pub fn part(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The program in the surroundings that `deploy/swabline.service` gives it.
    pub fn as_deployed(&self) -> Command {
        self.as_deployed_on(None)
    }

    /// The same on some of the cores only, by their numbers.
    fn as_deployed_on(&self, cores: Option<&str>) -> Command {
        let mut command = match cores {
            None => Command::new(&self.program),
            Some(cores) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", cores]).arg(&self.program);
                pinned
            }
        };
        command.env("MIMALLOC_PURGE_DELAY", "60000");
        command
    }

    /// Runs `swabline benchmark` on a folder and gives the line that it prints.
    pub async fn benchmark(&self, args: &[&str], dir: &Path) -> Result<Value> {
        self.benchmark_on(None, args, dir).await
    }

    /// The same on some of the cores only.
    pub async fn benchmark_on(
        &self,
        cores: Option<&str>,
        args: &[&str],
        dir: &Path,
    ) -> Result<Value> {
        let mut command = self.as_deployed_on(cores);
        command.arg("benchmark").args(args).arg("--dir").arg(dir);
        let on = cores.map(|cores| format!("on core {cores}: ")).unwrap_or_default();
        self.line(&format!("{on}swabline benchmark {}", args.join(" ")), command, None).await
    }

    /// Runs a program that prints a line of JSON, with a file as its input.
    pub async fn line(&self, what: &str, command: Command, input: Option<&Path>) -> Result<Value> {
        eprintln!("loadtest: {what}");
        let input = input.map_or(Ok(Stdio::null()), |file| File::open(file).map(Stdio::from))?;
        let log = self.part("benchmark.log");
        let out = output_of(command, input, &log).await.with_context(|| what.to_owned())?;
        let line = out.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        serde_json::from_str(line)
            .with_context(|| format!("{what} printed no line of JSON: {line:?}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What was killed just now may still be closing its files.
        for _ in 0..20 {
            if fs::remove_dir_all(&self.dir).is_ok() || !self.dir.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        eprintln!("loadtest: {} could not be removed; please remove it", self.dir.display());
    }
}

/// Runs a program to its end and gives what it printed. It is killed when the wait is given up.
pub async fn output(command: Command, log: &Path) -> Result<String> {
    output_of(command, Stdio::null(), log).await
}

async fn output_of(mut command: Command, input: Stdio, log: &Path) -> Result<String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let stderr = File::create(log)?;
    let command = command.stdin(input).stderr(stderr).kill_on_drop(true);
    let ended = command.output().await.with_context(|| format!("starting {name}"))?;
    ensure!(ended.status.success(), "{name} failed ({}): {}", ended.status, last_words(log));
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// The end of a log, or that there is nothing in it.
fn last_words_of(log: &Path) -> String {
    match last_words(log) {
        nothing if nothing.is_empty() => "it printed nothing".to_owned(),
        words => format!("its last words: {words}"),
    }
}

/// The end of a log.
pub fn last_words(log: &Path) -> String {
    let all = fs::read_to_string(log).unwrap_or_default();
    let start = all.len().saturating_sub(LAST_WORDS);
    let start = (start..all.len()).find(|at| all.is_char_boundary(*at)).unwrap_or(all.len());
    all[start..].trim().to_owned()
}

/// A number in a line of JSON.
pub fn number(line: &Value, name: &str) -> Result<f64> {
    line[name].as_f64().with_context(|| format!("{line} has no number {name:?}"))
}

/// Bytes that a folder takes on the disk.
pub fn disk_bytes(dir: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { disk_bytes(&entry.path())? } else { about.blocks() * 512 };
    }
    Ok(sum)
}

/// That there is a folder.
pub fn check_folder(dir: &Path) -> Result<()> {
    let what = if dir.exists() { "is no folder:" } else { "is not there: make it, or" };
    ensure!(dir.is_dir(), "{} {what} name another one with --dir", dir.display());
    Ok(())
}

/// Bytes that are free where this folder lies.
pub fn free_bytes(dir: &Path) -> Result<u64> {
    let about = rustix::fs::statvfs(dir)
        .with_context(|| format!("asking how much is free in {}", dir.display()))?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Sends a signal to a program of ours.
pub fn signal(child: &Child, signal: Signal) -> Result<()> {
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    kill_process(pid.context("the program has ended by itself")?, signal)?;
    Ok(())
}

/// Seconds of a core that a process has used.
fn cpu_s(process: &str) -> Result<f64> {
    let all = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may hold blanks: state is the first field, the times are 12th and 13th.
    let fields = all.rsplit_once(") ").map(|(_, rest)| rest.split(' '));
    let times = fields.context("/proc is not as it was")?.skip(11).take(2);
    let ticks = times.map(|time| time.parse::<f64>()).sum::<Result<f64, _>>()?;
    Ok(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// Connections that a server may have which is allowed so many files: as many as a client that keeps
/// [`files::RESERVED`] back can make, and some for questions.
fn server_connections(files: u64) -> u64 {
    files.saturating_sub(files::RESERVED * 3 / 4).max(64)
}

/// A running server, killed when it is dropped.
pub struct Served {
    child: Child,
    /// It was not told to end.
    is_to_run: bool,
    ends: Ends,
    /// Kept open: a server that cannot speak may stop.
    _stdout: BufReader<ChildStdout>,
    log: PathBuf,
    /// The way to it.
    pub target: Target,
    /// When its process was started.
    pub started: Instant,
}

impl Served {
    /// Starts a server on a folder of the place and waits until it listens.
    pub async fn start(place: &Place, folder: &str, tls: bool) -> Result<Served> {
        let data = place.part(folder);
        let log = place.part(&format!("{folder}.log"));
        let mut command = place.as_deployed();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
            .arg(&data)
            .arg("--keys")
            .arg(place.part(&format!("{folder}-keys")))
            .env("SWABLINE_LOG__FILTER", "warn")
            // A connection for each device, as far as its open files allow.
            .env("SWABLINE_API__CONNECTIONS_MAX", server_connections(place.files).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .kill_on_drop(true);
        let mut signer = None;
        if tls {
            let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
            let (certificate, key) = (place.part("tls.crt"), place.part("tls.key"));
            fs::write(&certificate, signed.cert.pem())?;
            fs::write(&key, signed.signing_key.serialize_pem())?;
            command.env("SWABLINE_TLS_CERTIFICATE", certificate).env("SWABLINE_TLS_KEY", key);
            signer = Some(signed.cert.pem());
        }
        let started = Instant::now();
        let name = place.program.display();
        let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
        let stdout = child.stdout.take().context("the server's output is a pipe")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let said = timeout(START_PATIENCE, stdout.read_line(&mut line)).await;
        said.context("the server does not listen in time")??;
        let address = line.split_whitespace().find_map(|word| word.strip_prefix("grpc="));
        let Some(address) = address else {
            let ended = timeout(END_PATIENCE, child.wait()).await;
            let ended = ended.map_or("goes on".to_owned(), |ended| {
                ended.map_or("ended".to_owned(), |status| format!("ended with {status}"))
            });
            let words = last_words_of(&log);
            bail!(
                "{name} did not start a server: it {ended} without saying where it listens; {words}"
            );
        };
        let scheme = if tls { "https" } else { "http" };
        let signer = signer.as_ref().map(String::as_bytes);
        let server = Server::new(&format!("{scheme}://{address}"), false, signer).await?;
        let sign_in = server.sign_in(None)?;
        // Nobody starts this server again.
        let (desk, admin, away) = (sign_in.clone(), sign_in, Duration::ZERO);
        let target = Target { server, desk, admin, files: place.files, away };
        let ends = place.ends.clone();
        Ok(Served { child, is_to_run: true, ends, _stdout: stdout, log, target, started })
    }

    /// Waits until its health says that it records; gives the time since its process was started.
    pub async fn serving(&self) -> Result<Duration> {
        let dialer = self.target.server.dialer(&self.target.desk, 1, CONNECT_PATIENCE)?;
        let line = dialer.line(0).await?;
        let ask = health_of("swabline.v1.Recording");
        let begun = Instant::now();
        loop {
            // HealthCheckResponse { status: SERVING }, after the standard's own description.
            let said = line.ask(HEALTH, ask.clone()).await;
            if said.is_ok_and(|said| said[..] == [8, 1]) {
                return Ok(self.started.elapsed());
            }
            ensure!(begun.elapsed() < START_PATIENCE, "the server does not record in time");
            sleep(LOOK).await;
        }
    }

    /// The most memory that it ever held, in bytes.
    pub fn most_memory(&self) -> Result<u64> {
        let id = self.child.id().context("the server has ended by itself")?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kib.context("no VmHWM in /proc")? * 1_024)
    }

    /// Seconds of a core that the server has used, and this program.
    pub fn cpu_s(&self) -> Result<(f64, f64)> {
        let id = self.child.id().context("the server has ended by itself")?;
        Ok((cpu_s(&id.to_string())?, cpu_s("self")?))
    }

    /// Stops it in order.
    pub async fn stop(mut self) -> Result<()> {
        self.is_to_run = false;
        signal(&self.child, Signal::TERM)?;
        let ended = timeout(STOP_PATIENCE, self.child.wait()).await;
        let ended = ended.context("the server does not stop")??;
        ensure!(ended.success(), "the server stopped with {ended}: {}", last_words(&self.log));
        Ok(())
    }

    /// Kills it with SIGKILL, in the middle of whatever it does. What it has written and not synced is still in the memory of
    /// the system: no power cut.
    pub async fn kill(mut self) -> Result<()> {
        self.is_to_run = false;
        self.child.kill().await?;
        Ok(())
    }
}

/// Whoever measured it gives up: if that is because the server has ended, it leaves word.
impl Drop for Served {
    fn drop(&mut self) {
        if !self.is_to_run {
            return;
        }
        let begun = Instant::now();
        // Its connections break a moment before its end can be seen.
        while begun.elapsed() < END_PATIENCE / 4 {
            if let Ok(Some(status)) = self.child.try_wait() {
                let words = last_words_of(&self.log);
                let end = format!("the server had ended with {status}; {words}");
                *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program in a place of its own that does what the script says.
    fn place(script: &str) -> (tempfile::TempDir, Place) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let place = Place::new(dir.path(), program, 64, true).unwrap();
        (dir, place)
    }

    #[test]
    fn what_is_no_folder_is_told_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check_folder(dir.path()).is_ok());
        for (path, wanted) in [(file, "is no folder"), (dir.path().join("none"), "is not there")] {
            let why = check_folder(&path).unwrap_err().to_string();
            assert!(why.contains(wanted) && why.contains(path.to_str().unwrap()), "{why}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_no_server_is_told_with_its_end() {
        for (script, wanted) in [
            (
                "exit 0",
                "it ended with exit status: 0 without saying where it listens; it printed nothing",
            ),
            (
                "echo no licence >&2; exit 3",
                "exit status: 3 without saying where it listens; its last words: no licence",
            ),
        ] {
            let (_dir, place) = place(script);
            let why = Served::start(&place, "s", false).await.err().unwrap().to_string();
            assert!(why.contains(wanted), "{why}");
        }
    }

    #[tokio::test]
    async fn the_end_of_a_server_that_was_to_run_is_kept() {
        let serve = "echo out of memory >&2; echo listening grpc=127.0.0.1:1;";
        let (_dir, place) = place(&format!("{serve} kill -KILL $$"));
        drop(Served::start(&place, "s", false).await.unwrap());
        let end = place.end_of_server().unwrap();
        assert!(end.contains("signal: 9") && end.contains("last words: out of memory"), "{end}");
        assert_eq!(place.end_of_server(), None);
    }

    #[tokio::test]
    async fn a_server_that_was_told_to_end_leaves_no_word() {
        let (_dir, place) = place("echo listening grpc=127.0.0.1:1; exec sleep 60");
        Served::start(&place, "s", false).await.unwrap().kill().await.unwrap();
        drop(Served::start(&place, "s", false).await.unwrap());
        assert_eq!(place.end_of_server(), None);
    }
}
