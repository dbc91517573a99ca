//! `swabline import`: reference data (`.toml`) and rosters (`.csv`) to a server, as logged facts.
//!
//! Every file is read and checked to its end before anything is sent, and all that is wrong is told
//! at once, with file and line. No message repeats a cell of a roster: it may hold an identity.
//!
//! Exit code: 0 done, 64 a file or argument is wrong, 1 the server said no.

mod block;
mod cross;
mod findings;
mod form;
mod kit;
mod moment;
mod pieces;
mod reference;
mod roster;
mod send;
mod server;
#[cfg(test)]
mod tests;

pub(super) use moment::{in_beijing, parse as parse_moment, today_in_beijing};
pub(super) use server::{Call, Server, ServerArgs, told};

use crate::cli::output;
use clap::Args;
use findings::Findings;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes of a file that is read. Over it the file is refused with the advice to split it: a roster
/// of this size holds some 15 million people.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Bytes of a code or a name, as the API takes them.
const CODE_BYTES_MAX: usize = crate::api::limits::CODE_BYTES_MAX;

/// Flags of `import`.
#[derive(Args)]
pub struct ImportArgs {
    /// Address of the server, http://HOST:PORT. 服务地址
    #[arg(long, value_name = "URL", value_parser = server::address, required_unless_present = "check")]
    server: Option<String>,
    /// Certificate of whoever signed the server's, PEM; with it TLS is spoken. 签发服务器证书的 CA 证书
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Token of an administrator. 令牌
    #[arg(long)]
    token: Option<String>,
    /// Who imports, for the history. 数据来源
    #[arg(long, value_name = "NAME", default_value = "import")]
    source: String,
    /// Round of the rosters. 名册所属轮次
    #[arg(long)]
    round: Option<String>,
    /// Name of the rosters. 名册名称
    #[arg(long, value_name = "NAME")]
    roster: Option<String>,
    /// Only check the files, without a server. 只检查文件，不导入
    #[arg(long)]
    check: bool,
    /// Reference data (.toml) and rosters (.csv). 基础数据与名册文件
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What a file holds.
enum Content {
    Reference(Vec<reference::Item>),
    Roster(roster::Roster),
}

/// A file that was read.
struct File {
    /// As given, for messages.
    path: String,
    /// The last part of the path, cut to what a code may have: it goes into the history.
    name: String,
    /// Hash of its bytes.
    hash: blake3::Hash,
    content: Content,
    findings: Findings,
}

/// Imports the files, or only checks them.
///
/// # Errors
/// What the server or the network said.
pub fn run(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let files = match read_all(&args) {
        Ok(files) => files,
        Err(problem) => {
            output::aside(&problem.to_string());
            return Ok(ExitCode::from(super::EXIT_CONFIGURATION));
        }
    };
    for file in &files {
        output::aside_as_it_is(&file.findings.warnings_text(&file.path));
    }
    let (items, people) = totals(&files);
    if args.check {
        let n = files.len();
        output::answer(&format!(
            "文件无误：{n} 个文件，{items} 项，{people} 人；未导入  \
             files are sound: {n} files, {items} items, {people} people; nothing imported\n"
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(send::all(&args, &files))?;
    Ok(ExitCode::SUCCESS)
}

/// Items and people of all files.
fn totals(files: &[File]) -> (usize, u64) {
    files.iter().fold((0, 0), |(items, people), file| match &file.content {
        Content::Reference(more) => (items + more.len(), people),
        Content::Roster(roster) => (items, people + roster.people),
    })
}

/// Reads and checks every file.
///
/// # Errors
/// The text of everything that is wrong with the arguments and the files.
fn read_all(args: &ImportArgs) -> Result<Vec<File>, String> {
    let mut wrong = arguments(args);
    let mut files = Vec::new();
    for path in &args.files {
        match read(path) {
            Ok(file) => files.push(file),
            Err(problem) => wrong.push_str(&problem),
        }
    }
    cross::check(&mut files);
    for file in &files {
        wrong.push_str(&file.findings.problems_text(&file.path));
    }
    if wrong.is_empty() { Ok(files) } else { Err(wrong.trim_end().to_owned()) }
}

/// What is wrong with the arguments; empty when nothing is.
fn arguments(args: &ImportArgs) -> String {
    let has_roster = args.files.iter().any(|path| kind(path) == Some(Kind::Roster));
    let mut wrong = String::new();
    let mut check = |flag: &str, value: Option<&str>, needed: bool| {
        let ok = match value {
            Some(text) => !text.trim().is_empty() && text.len() <= CODE_BYTES_MAX,
            None => !needed,
        };
        if !ok {
            wrong.push_str(&format!(
                "{flag}：缺少、为空或过长；应为：1 到 {CODE_BYTES_MAX} 字节的名称\n\
                 {flag}: missing, empty or too long; expected: a name of 1 to {CODE_BYTES_MAX} bytes\n"
            ));
        }
    };
    check("--source", Some(&args.source), true);
    // A roster without them would be another one in the next round.
    check("--round", args.round.as_deref(), has_roster && !args.check);
    check("--roster", args.roster.as_deref(), has_roster && !args.check);
    wrong
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reference,
    Roster,
}

fn kind(path: &Path) -> Option<Kind> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "toml" => Some(Kind::Reference),
        "csv" => Some(Kind::Roster),
        _ => None,
    }
}

/// Reads one file.
///
/// # Errors
/// The text of why it cannot be read at all.
fn read(path: &Path) -> Result<File, String> {
    let shown = path.display();
    let Some(kind) = kind(path) else {
        return Err(format!(
            "{shown}：不认识的文件类型；应为：.toml（基础数据）或 .csv（名册）\n\
             {shown}: unknown kind of file; expected: .toml (reference data) or .csv (roster)\n"
        ));
    };
    let unreadable =
        |error| format!("{shown}：无法读取：{error}\n{shown}: cannot be read: {error}\n");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!(
            "{shown}：文件过大；应不超过 {FILE_BYTES_MAX} 字节，请按区县拆分\n\
             {shown}: too long; expected at most {FILE_BYTES_MAX} bytes: split it by district\n"
        ));
    }
    Ok(of_bytes(&shown.to_string(), kind, bytes))
}

/// A file from its bytes; `path` is the name that messages use.
fn of_bytes(path: &str, kind: Kind, bytes: Vec<u8>) -> File {
    let hash = blake3::hash(&bytes);
    let name = pieces::name(path);
    let (content, findings) = match kind {
        Kind::Reference => {
            let (items, findings) = reference::read(&bytes);
            (Content::Reference(items), findings)
        }
        Kind::Roster => {
            let (roster, findings) = roster::read(bytes);
            (Content::Roster(roster), findings)
        }
    };
    File { path: path.to_owned(), name, hash, content, findings }
}
