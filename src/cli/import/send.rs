//! Sends checked files: a few calls at a time, progress on standard error, one line at the end.

use super::pieces::{self, Named};
use super::server::{Done, Server};
use super::{File, ImportArgs};
use crate::cli::output;
use anyhow::Context;
use std::io::IsTerminal;
use tokio::task::JoinSet;

/// Calls that wait for their answer at the same time. The server writes one batch after the other:
/// more would only wait there, and take the place of desks.
const IN_FLIGHT_MAX: usize = 4;

/// What became of the pieces of all files.
#[derive(Default)]
struct Tally {
    recorded: u64,
    duplicate: u64,
    drill: bool,
}

/// Imports the files, one after the other.
pub(super) async fn all(args: &ImportArgs, files: &[File]) -> anyhow::Result<()> {
    // Only `--check` goes without an address, and it never comes here.
    let address = args.server.as_deref().unwrap_or_default();
    let server = Server::connect(address, args.token.as_deref(), args.ca.as_deref()).await?;
    let named = Named {
        round: args.round.as_deref().unwrap_or_default(),
        roster: args.roster.as_deref().unwrap_or_default(),
    };
    let mut items = Tally::default();
    let mut people = Tally::default();
    for file in files {
        let tally = match file.content {
            super::Content::Reference(_) => &mut items,
            super::Content::Roster(_) => &mut people,
        };
        let path = &file.path;
        one(&server, file, &args.source, named, tally).await.with_context(|| {
            format!(
                "{path}：导入中断；排除原因后重新导入同一文件即可，已记录的不会重复 / {path}: broken off; \
                 mend the cause and import the same file again: what was recorded is not recorded twice"
            )
        })?;
    }
    Ok(output::answer(&format!("{}\n", line(&items, &people)))?)
}

/// The final line.
fn line(items: &Tally, people: &Tally) -> String {
    let (new, old) = (items.recorded, items.duplicate);
    let (new_people, old_people) = (people.recorded, people.duplicate);
    let drill = if items.drill || people.drill { "  （演练 / drill）" } else { "" };
    format!(
        "导入完成：新记录 {new} 项、{new_people} 人；以前已记录 {old} 项、{old_people} 人  \
         imported: {new} items and {new_people} people recorded; {old} items and {old_people} people \
         were recorded before{drill}"
    )
}

/// Imports one file.
async fn one(
    server: &Server,
    file: &File,
    source: &str,
    named: Named<'_>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let mut calls = pieces::calls(file, source, named);
    let mut waiting: JoinSet<anyhow::Result<(Done, u64)>> = JoinSet::new();
    let mut progress =
        Progress { path: &file.path, done: 0, told: std::io::stderr().is_terminal() };
    let mut said = Vec::new();
    loop {
        while waiting.len() < IN_FLIGHT_MAX
            && let Some((call, count)) = calls.next()
        {
            let server = server.clone();
            waiting.spawn(async move { Ok((server.send(&call).await?, count)) });
        }
        let Some(answer) = waiting.join_next().await else { break };
        // Dropping the set on the way out ends the other calls; they may be made again.
        let (done, count) = answer??;
        match done.duplicate {
            true => tally.duplicate += count,
            false => tally.recorded += count,
        }
        tally.drill |= done.drill;
        // The pieces of a file have the same to say: each thing is told once.
        for text in done.findings {
            if said.contains(&text) {
                continue;
            }
            let path = &file.path;
            output::aside(&format!("提示 {path}：{}\nwarning {path}: {}", text.zh, text.en));
            said.push(text);
        }
        progress.add(count);
    }
    progress.end();
    Ok(())
}

/// How far a file is. On a terminal the line is written over; elsewhere only the end is told.
struct Progress<'a> {
    path: &'a str,
    done: u64,
    told: bool,
}

impl Progress<'_> {
    fn line(&self) -> String {
        format!("{}  {} 条 / {} done", self.path, self.done, self.done)
    }

    fn add(&mut self, count: u64) {
        self.done += count;
        if self.told {
            output::aside_as_it_is(&format!("\r{}", self.line()));
        }
    }

    fn end(&self) {
        let start = if self.told { "\r" } else { "" };
        output::aside(&format!("{start}{}", self.line()));
    }
}
