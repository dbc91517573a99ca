//! `swabline plan diff`: what changed between two versions of a plan, for whoever approves the new one.
//!
//! Exit code, as of diff(1): 0 nothing changed, 1 something did, which is no error. What is wrong with a file or argument is
//! 64, as everywhere in swabline, so that a script can tell the two apart.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::words::{pick, say};
use super::{Lang, json as report_json};
use crate::cli::city_file;
use crate::planner::{self, Change, ChangeKind, City, Origin, PlanHead, Words};

/// Exit code when something changed.
pub(super) const EXIT_CHANGED: u8 = 1;

/// What changed between two versions of a plan? 两版方案的差异
///
/// Exit code, as of diff(1): 0 nothing changed, 1 something did (no error), 64 a file or argument is wrong.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// Old city file, or a built-in city. 旧城市文件或内置城市
    pub old: PathBuf,
    /// New city file, or a built-in city. 新城市文件或内置城市
    pub new: PathBuf,
    /// Print one JSON document instead of lines. 输出 JSON
    #[arg(long)]
    pub json: bool,
    /// Language of the lines; both unless given. 语言，默认中英双语
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
}

/// What is printed on this day, and the exit code, of which doubts are no part.
pub(super) fn answer(args: &DiffArgs, today: &str) -> Result<(String, u8), city_file::Error> {
    let (old, new) = (city_file::open(&args.old, None)?, city_file::open(&args.new, None)?);
    let changes = planner::diff(&old, &new);
    let doubts = doubts([&old, &new], &changes, today);
    let output = if args.json {
        report_json::document(&document(&old, &new, &changes, &doubts))
    } else {
        text(args, [&old, &new], &changes, &doubts)
    };
    Ok((output, if changes.is_empty() { 0 } else { EXIT_CHANGED }))
}

/// What is odd about the versions and approvals of the two.
fn doubts([old, new]: [&City; 2], changes: &[Change], today: &str) -> Vec<Words> {
    let approval = |zh: &str, en: &str, city: &City| {
        let words = city.plan.approved_after(today)?;
        Some(Words::new(format!("{zh}：{}", words.zh), format!("{en}: {}", words.en)))
    };
    let of = [
        planner::version_doubt(old, new, changes),
        planner::approval_doubt(old, new, changes),
        approval("旧文件", "old file", old),
        approval("新文件", "new file", new),
    ];
    of.into_iter().flatten().collect()
}

fn text(args: &DiffArgs, [old, new]: [&City; 2], changes: &[Change], doubts: &[Words]) -> String {
    let lang = args.lang;
    let mut out = String::new();
    for (zh, en, file, city) in [("旧", "old", &args.old, old), ("新", "new", &args.new, new)] {
        let head = head_line(&city.plan, lang);
        out += &format!("{}: {}  {head}\n", pick(lang, zh, en), file.display());
    }
    for doubt in doubts {
        out += &format!("! {}: {}\n", pick(lang, "注意", "note"), say(lang, doubt));
    }
    out.push('\n');
    // What a lab has from its pack is told in one line, after what is its own.
    let packs = planner::by_the_pack(old, new, changes);
    for (i, (change, pack)) in changes.iter().zip(&packs).enumerate() {
        if pack.is_none() {
            out += &line(change, lang);
        }
        let lab = |at: usize| changes.get(at).and_then(|one| lab_of(&one.path));
        if let Some(code) = lab(i).filter(|code| lab(i + 1) != Some(*code)) {
            let norm = match change.kind {
                ChangeKind::Removed => &old.norm,
                _ => &new.norm,
            };
            let same = packs.iter().flatten().filter(|of| *of == code).count();
            out += &of_the_pack(change, code, same, &norm.name, lang);
        }
    }
    out += &match changes.len() {
        0 => format!("{}\n", pick(lang, "没有变更", "nothing changed")),
        n => {
            let (zh, en) = (format!("共 {n} 处变更"), Words::many(n as u64, "change"));
            format!("\n{}\n", pick(lang, &zh, &en))
        }
    };
    out
}

/// The lab of a path: the code in `lab[CODE].units`.
fn lab_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("lab[")?;
    Some(rest.split_once("].").map_or(rest.trim_end_matches(']'), |(code, _)| code))
}

/// So many values of a new lab, or of one that is gone, are as its pack sets them; nothing where none are.
fn of_the_pack(change: &Change, code: &str, same: usize, pack: &str, lang: Option<Lang>) -> String {
    if same == 0 {
        return String::new();
    }
    let sign = if change.kind == ChangeKind::Removed { '-' } else { '+' };
    let (zh, en) = (
        format!("另有 {same} 项与规范包 {pack} 相同，未逐项列出（--json 全列）"),
        format!(
            "{} as the norm pack {pack} sets them, not told one by one (--json lists all)",
            Words::many(same as u64, "value")
        ),
    );
    format!("{sign} lab[{code}]  {}\n", pick(lang, &zh, &en))
}

/// Version and approval of a plan in one line.
pub(super) fn head_line(plan: &PlanHead, lang: Option<Lang>) -> String {
    let v = plan.version;
    let mut out = pick(lang, &format!("第 {v} 版"), &format!("version {v}"));
    if let Some(author) = &plan.author {
        out += &format!("; {} {author}", pick(lang, "编制", "by"));
    }
    out += "; ";
    out += &match (&plan.approved_by, &plan.approved_on) {
        (Some(by), on) => {
            let on = on.as_deref().unwrap_or_default();
            format!("{} {by} {on}", pick(lang, "批准", "approved by")).trim_end().to_owned()
        }
        (None, _) => pick(lang, "未批准", "not approved"),
    };
    out
}

fn line(change: &Change, lang: Option<Lang>) -> String {
    let title = pick(lang, &change.title.zh, &change.title.en);
    let from = |origin: &Origin| {
        let status = pick(lang, origin.status.word_zh(), origin.status.word());
        format!("[{status}] {}", say(lang, &origin.source))
    };
    let alone = |sign: char, value: &str, origin: &Option<Origin>| {
        let origin = origin.as_ref().map(from).unwrap_or_default();
        let tail = [value, &origin].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>();
        format!("{sign} {}  {title}: {}\n", change.path, tail.join("  "))
    };
    match change.kind {
        ChangeKind::Added => return alone('+', &change.is, &change.is_origin),
        ChangeKind::Removed => return alone('-', &change.was, &change.was_origin),
        ChangeKind::Value | ChangeKind::Origin => {}
    }
    let mut out = format!("~ {}  {title}: ", change.path);
    out += &match change.kind {
        ChangeKind::Value => format!("{} → {}\n", change.was, change.is),
        _ if change.is.is_empty() => format!("{}\n", pick(lang, "来源变更", "new origin")),
        _ => format!("{} ({})\n", change.is, pick(lang, "来源变更", "new origin")),
    };
    if let (Some(was), Some(is)) = (&change.was_origin, &change.is_origin)
        && was != is
    {
        out += &format!("    {} → {}\n", from(was), from(is));
    }
    out
}

fn document(old: &City, new: &City, changes: &[Change], doubts: &[Words]) -> Value {
    let origin = |origin: &Option<Origin>| origin.as_ref().map(report_json::origin);
    let one = |c: &Change| {
        json!({
            "path": c.path,
            "title": { "zh": c.title.zh, "en": c.title.en },
            "kind": c.kind.key(),
            "was": c.was,
            "is": c.is,
            "was_origin": origin(&c.was_origin),
            "is_origin": origin(&c.is_origin),
        })
    };
    json!({
        "schema": 1,
        "old": report_json::head(&old.plan),
        "new": report_json::head(&new.plan),
        "changes": changes.iter().map(one).collect::<Vec<_>>(),
        "doubts": doubts.iter().map(|d| json!({ "zh": d.zh, "en": d.en })).collect::<Vec<_>>(),
    })
}
