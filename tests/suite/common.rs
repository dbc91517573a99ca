//! What the tests share: facts in few words, an engine on a temporary folder, the binary itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use swabline::domain::calling::{CallingRule, TargetRule};
use swabline::domain::fact::{Body, Fact, FactId, Member, Reading, Well, WellContent};
use swabline::domain::reference::ReferenceItem;
use swabline::domain::words::{Control, Level};
use swabline::domain::{Code, PersonKey, Time};
use swabline::engine::{Engine, Options, Outcome, Receipt, Submission};
use swabline::store::{FolderKind, Options as StoreOptions, Store};

/// An hour ago, the same for the whole run: a time long past would be a clock far off.
pub fn noon() -> i64 {
    static NOON: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *NOON.get_or_init(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_millis()).unwrap() - 3_600_000
    })
}

/// Says something on standard error past the harness, which keeps what passing tests print to itself.
pub fn aloud(text: &str) {
    std::io::stderr().write_all(format!("\n{text}\n").as_bytes()).expect("standard error");
}

/// Says that a test cannot be made here. `tests/all.sh` counts these lines, and fails where nobody allowed them.
pub fn not_run(what: &str, why: &str) {
    aloud(&format!("!!! NOT RUN: {what}: {why}"));
}

/// What a test is held against and the repository does not have, such as another program: `variable` names it. `mend`: how
/// it comes to be there.
pub fn witness(variable: &str, what: &str, mend: &str) -> Option<String> {
    let named = std::env::var(variable).ok().filter(|named| !named.is_empty());
    if named.is_none() {
        not_run(what, &format!("{variable} is not set; {mend}"));
    }
    named
}

pub fn code(text: &str) -> Code {
    Code::from(text)
}

pub fn person(number: u64) -> PersonKey {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(&number.to_be_bytes()).as_bytes()[..16]);
    PersonKey(key)
}

pub fn members(numbers: impl IntoIterator<Item = u64>) -> Vec<Member> {
    numbers.into_iter().map(|n| Member { person: person(n), id_check_failed: false }).collect()
}

/// A fact of source `source`, captured `number` seconds after noon.
pub fn fact(source: &str, number: u64, body: Body) -> Fact {
    Fact {
        id: FactId { source: code(source), epoch: 1, number },
        captured_at: Time(noon() + i64::try_from(number).unwrap() * 1_000),
        round: code("R1"),
        body,
    }
}

pub fn collected(tube: &str, people: std::ops::Range<u64>) -> Body {
    Body::TubeCollected {
        tube: code(tube),
        pool: 10,
        desk: code("D1"),
        device: Code::default(),
        lot: Code::default(),
        members: members(people),
    }
}

pub fn reference() -> Vec<ReferenceItem> {
    let target = |name: &str, is_internal_control| TargetRule {
        name: code(name),
        is_internal_control,
        cut_off: 3_800,
        grey_to: if is_internal_control { 0 } else { 4_000 },
    };
    let rule = CallingRule {
        kit: code("K1"),
        version: 1,
        targets: vec![target("ORF1ab", false), target("N", false), target("IC", true)],
        positive_controls_min: 1,
        negative_controls_min: 1,
    };
    vec![
        ReferenceItem::Jurisdiction {
            code: code("150402"),
            parent: code("1504"),
            level: Level::District,
            name: code("红山区"),
        },
        ReferenceItem::Site {
            code: code("S1"),
            jurisdiction: code("150402"),
            name: code("一号点"),
        },
        ReferenceItem::Desk { code: code("D1"), site: code("S1") },
        ReferenceItem::Lab { code: code("L1"), name: code("市疾控"), tubes_per_day_max: 1_000 },
        ReferenceItem::Kit { name: code("kit one"), rule },
    ]
}

pub fn plate(name: &str, tubes: &[&str]) -> Body {
    let mut wells: Vec<Well> = tubes
        .iter()
        .enumerate()
        .map(|(at, tube)| Well { position: at as u16, content: WellContent::Tube(code(tube)) })
        .collect();
    wells.push(Well { position: 94, content: WellContent::Control(Control::Positive) });
    wells.push(Well { position: 95, content: WellContent::Control(Control::Negative) });
    Body::PlateLoaded {
        plate: code(name),
        lab: code("L1"),
        kit: code("K1"),
        kit_lot: Code::default(),
        wells,
    }
}

/// A run in which the wells in `positive` are positive, with controls that hold.
pub fn run(plate: &str, name: &str, wells: usize, positive: &[usize]) -> Body {
    let reading = |position: u16, cts: [u16; 3]| Reading { position, cts: cts.to_vec() };
    let mut readings: Vec<Reading> = (0..wells)
        .map(|at| {
            let cts = if positive.contains(&at) { [3_000, 3_100, 2_900] } else { [0, 0, 2_900] };
            reading(at as u16, cts)
        })
        .collect();
    readings.push(reading(94, [2_800, 2_800, 2_900]));
    readings.push(reading(95, [0, 0, 2_900]));
    Body::RunReported {
        plate: code(plate),
        run: code(name),
        lab: code("L1"),
        instrument: code("I1"),
        targets: vec![code("ORF1ab"), code("N"), code("IC")],
        readings,
    }
}

/// A small round told as facts: three tubes, one of them positive, from desk to release.
pub fn small_round() -> Vec<Fact> {
    let bodies = vec![
        Body::ReferenceImported { file: code("reference.toml"), items: reference() },
        Body::RoundOpened { name: code("第一轮"), key_id: code("r1"), pool: 10 },
        Body::RosterImported {
            roster: code("名册"),
            district: code("150402"),
            persons: (0..40).map(person).collect(),
        },
        collected("T1", 0..10),
        collected("T2", 10..20),
        collected("T3", 20..31),
        Body::TubesPacked {
            container: code("B1"),
            tubes: vec![code("T1"), code("T2"), code("T3")],
        },
        Body::BoxHandedOver { container: code("B1"), carrier: code("C1"), lab: code("L1") },
        Body::BoxReceived {
            container: code("B1"),
            lab: code("L1"),
            tubes: vec![code("T1"), code("T2")],
        },
        plate("P1", &["T1", "T2"]),
        run("P1", "RUN1", 2, &[1]),
        Body::ResultReleased { lab: code("L1"), tubes: vec![code("T1"), code("T2")] },
    ];
    (1..).zip(bodies).map(|(number, body)| fact("desk-1", number, body)).collect()
}

pub fn open(dir: &Path) -> Engine {
    let store = Store::open(dir, Some(FolderKind::Live), &StoreOptions::default()).unwrap();
    Engine::start(store, &Options::default()).unwrap()
}

pub async fn submit(engine: &Engine, facts: &[Fact]) -> Receipt {
    let submissions =
        facts.iter().cloned().map(|fact| Submission { fact, clock_offset_ms: 0 }).collect();
    engine.handle().submit(submissions).await.unwrap()
}

pub fn seqs(receipt: &Receipt) -> Vec<u64> {
    receipt
        .outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Recorded { seq, .. }
            | Outcome::Duplicate { seq, .. }
            | Outcome::IdReused { seq } => *seq,
        })
        .collect()
}

/// The running binary on a folder.
pub struct Server {
    pub child: Child,
    pub address: String,
    metrics: String,
}

pub fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_swabline"))
}

/// The binary on a machine that lets it open so many files.
pub fn with_files(files: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_swabline"));
    command
}

fn log(data: &Path) -> Stdio {
    let path = data.with_extension("log");
    Stdio::from(std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap())
}

pub struct Place {
    pub root: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { root: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn keys(&self) -> PathBuf {
        self.root.path().join("keys")
    }
}

impl Server {
    /// Starts the binary and waits until it says where it listens.
    pub fn start(data: &Path, keys: &Path) -> Server {
        Server::start_with(data, keys, &[])
    }

    pub fn start_with(data: &Path, keys: &Path, environment: &[(&str, &str)]) -> Server {
        Server::start_as(binary(), data, keys, environment)
    }

    /// Starts it by a command of one's own, such as [`with_files`].
    pub fn start_as(
        mut command: Command,
        data: &Path,
        keys: &Path,
        environment: &[(&str, &str)],
    ) -> Server {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"])
            .arg(data)
            .arg("--keys")
            .arg(keys)
            .env("SWABLINE_LOG__FILTER", "warn")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            // What it says is searched for identities too.
            .stderr(log(data))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let listens = |what: &str| {
            line.split_whitespace()
                .find_map(|word| word.strip_prefix(what))
                .unwrap_or_else(|| panic!("the service did not start: {line:?}"))
                .to_owned()
        };
        Server { child, address: listens("grpc="), metrics: listens("metrics=") }
    }

    /// The value of a metric without labels, as its endpoint tells it; None when it is not there.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let mut stream = std::net::TcpStream::connect(&self.metrics).unwrap();
        let host = &self.metrics;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        assert!(told.starts_with("HTTP/1.") && told.contains(" 200 "), "{told}");
        told.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Stops it in order and expects exit code 0.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success(), "a stop in order exits with 0");
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A test that fails leaves no server behind; one that was stopped or killed is gone already.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so, for twenty seconds at most.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}
