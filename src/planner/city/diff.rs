//! What changed between two versions of a plan: every number, text, source and status, by name.

use std::collections::BTreeMap;

use super::City;
use super::leaves::{Leaf, leaves};
use super::sourced::{Origin, Status};
use super::words::Words;

/// What happened to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one; its origin may have changed as well.
    Value,
    /// It is the same, of another source or status.
    Origin,
}

impl ChangeKind {
    /// The word used in JSON.
    pub fn key(self) -> &'static str {
        match self {
            ChangeKind::Added => "added",
            ChangeKind::Removed => "removed",
            ChangeKind::Value => "value",
            ChangeKind::Origin => "origin",
        }
    }

    /// Name.
    pub fn name(self) -> Words {
        match self {
            ChangeKind::Added => Words::new("新增", "added"),
            ChangeKind::Removed => Words::new("删除", "removed"),
            ChangeKind::Value => Words::new("变更", "changed"),
            ChangeKind::Origin => Words::new("来源变更", "new origin"),
        }
    }
}

/// One value that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its keys and codes, such as `district[150402].have.desks`; `….origin` is the origin of a whole group.
    pub path: String,
    /// What it is.
    pub title: Words,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The old value in the unit of the file; empty when it is new, or when there is an origin only.
    pub was: String,
    /// The new value; empty when it is gone.
    pub is: String,
    /// Where the old value came from, where that is kept.
    pub was_origin: Option<Origin>,
    /// Where the new value comes from.
    pub is_origin: Option<Origin>,
}

impl Change {
    /// The old and the new status, where they differ.
    pub fn status(&self) -> Option<(Status, Status)> {
        let (was, is) = (self.was_origin.as_ref()?.status, self.is_origin.as_ref()?.status);
        (was != is).then_some((was, is))
    }

    /// The old and the new source, where they differ.
    pub fn source(&self) -> Option<(&Words, &Words)> {
        let (was, is) = (self.was_origin.as_ref()?, self.is_origin.as_ref()?);
        (was.source != is.source).then_some((&was.source, &is.source))
    }
}

/// Everything that is not in `new` as it was in `old`, in the order of the new file; what is gone stands where it was.
///
/// Districts, streets and labs are told apart by their codes, so their order does not matter. A lab stage is compared by
/// what is in force: a time that the norm pack sets shows in the pack and in every lab that takes it from there.
pub fn diff(old: &City, new: &City) -> Vec<Change> {
    let (old, new) = (leaves(old), leaves(new));
    let before: BTreeMap<&str, &Leaf> = old.iter().map(|leaf| (leaf.path.as_str(), leaf)).collect();
    let after: BTreeMap<&str, usize> =
        new.iter().enumerate().map(|(i, leaf)| (leaf.path.as_str(), i)).collect();
    // Place in the new file, then place in the old one behind it.
    let mut changes: Vec<((usize, usize), Change)> = Vec::new();
    for (i, leaf) in new.iter().enumerate() {
        let change = match before.get(leaf.path.as_str()) {
            None => Some(change(leaf, ChangeKind::Added, None, Some(leaf))),
            Some(was) if was.value != leaf.value => {
                Some(change(leaf, ChangeKind::Value, Some(was), Some(leaf)))
            }
            Some(was) if was.origin != leaf.origin => {
                Some(change(leaf, ChangeKind::Origin, Some(was), Some(leaf)))
            }
            Some(_) => None,
        };
        changes.extend(change.map(|change| ((i + 1, 0), change)));
    }
    let mut anchor = 0;
    for (j, leaf) in old.iter().enumerate() {
        match after.get(leaf.path.as_str()) {
            Some(i) => anchor = i + 1,
            None => {
                let gone = change(leaf, ChangeKind::Removed, Some(leaf), None);
                changes.push(((anchor, j + 1), gone));
            }
        }
    }
    changes.sort_by_key(|(place, _)| *place);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// By change: the lab that is new or gone as a whole, and has this value as the norm pack of its own file sets it; `None` for
/// what somebody has put in.
pub fn by_the_pack(old: &City, new: &City, changes: &[Change]) -> Vec<Option<String>> {
    let values = |city: &City| -> BTreeMap<String, String> {
        let norm = leaves(city).into_iter().filter(|leaf| leaf.path.starts_with("norm."));
        norm.map(|leaf| (leaf.path, leaf.value)).collect()
    };
    let packs = [values(old), values(new)];
    let whole: BTreeMap<String, (String, ChangeKind)> = changes
        .iter()
        .filter(|one| matches!(one.kind, ChangeKind::Added | ChangeKind::Removed))
        .filter_map(|one| {
            let code = one.path.strip_prefix("lab[")?.strip_suffix(']')?;
            Some((format!("{}.", one.path), (code.to_owned(), one.kind)))
        })
        .collect();
    let of = |change: &Change| {
        let (prefix, (code, kind)) =
            whole.iter().find(|(prefix, _)| change.path.starts_with(prefix.as_str()))?;
        let (pack, value) = match kind {
            ChangeKind::Removed => (&packs[0], &change.was),
            _ => (&packs[1], &change.is),
        };
        let key = &change.path[prefix.len()..];
        let norm = match key.ends_with(".usable") {
            true => "norm.wells_usable".to_owned(),
            false => format!("norm.{key}"),
        };
        (pack.get(&norm) == Some(value)).then(|| code.clone())
    };
    changes.iter().map(of).collect()
}

/// What is odd about the versions of two plans of one city with these changes: other content of the same version, or a version
/// that goes back. An approval alone is no other content.
pub fn version_doubt(old: &City, new: &City, changes: &[Change]) -> Option<Words> {
    if old.code != new.code {
        return None;
    }
    let (was, is) = (old.plan.version, new.plan.version);
    let content = content(changes);
    Some(match content {
        _ if is < was => Words::new(
            format!(
                "版本号倒退：旧文件为第 {was} 版，新文件为第 {is} 版：请核对两个文件的先后，或将新文件的 version 调到 {was} 以上"
            ),
            format!(
                "the version goes back from {was} to {is}: check which file is the newer one, or raise `version` in it above {was}"
            ),
        ),
        1.. if is == was && is == 0 => Words::new(
            "两个文件内容不同而均未写版本号：请在新文件的 [plan] 中填写 version",
            "the two differ and neither has a version: give the new one a `version` under [plan]",
        ),
        1.. if is == was => Words::new(
            format!("内容有 {content} 处变更而版本号未变（第 {is} 版）：请将新文件的 version 加 1"),
            format!(
                "{} of content under the same version {is}: count `version` up in the new file",
                Words::many(content, "change")
            ),
        ),
        _ => return None,
    })
}

/// What is odd about the approval of two plans of one city with these changes: it is the same one, by the same person on the same day,
/// of other content. It can only be of one of both.
pub fn approval_doubt(old: &City, new: &City, changes: &[Change]) -> Option<Words> {
    let content = content(changes);
    let approval = |city: &City| {
        Some((city.plan.approved_by.clone()?, city.plan.approved_on.clone().unwrap_or_default()))
    };
    let (by, on) = approval(new)?;
    if old.code != new.code
        || content == 0
        || approval(old).as_ref() != Some(&(by.clone(), on.clone()))
    {
        return None;
    }
    let approval = format!("{by} {on}");
    let (was, is) = (old.plan.version, new.plan.version);
    let (of_zh, of_en) = match was == is {
        true => ("变更前内容".to_owned(), "the content before".to_owned()),
        false => (format!("第 {} 版", was.min(is)), format!("version {}", was.min(is))),
    };
    Some(Words::new(
        format!(
            "内容有 {content} 处变更而批准未变（{}）：那是{of_zh}的批准，变更后的内容须另行批准，未批准前请删去 approved_by 和 approved_on",
            approval.trim_end()
        ),
        format!(
            "{} of content and the same approval ({}): it is that of {of_en}; what was changed is to be approved anew, and until \
             then take `approved_by` and `approved_on` out",
            Words::many(content, "change"),
            approval.trim_end()
        ),
    ))
}

/// Changes other than of version, author and approval.
fn content(changes: &[Change]) -> u64 {
    changes.iter().filter(|change| !change.path.starts_with("plan.")).count() as u64
}

fn change(named: &Leaf, kind: ChangeKind, was: Option<&Leaf>, is: Option<&Leaf>) -> Change {
    let value = |leaf: Option<&Leaf>| leaf.map(|l| l.value.clone()).unwrap_or_default();
    let origin = |leaf: Option<&Leaf>| leaf.and_then(|l| l.origin.clone());
    Change {
        path: named.path.clone(),
        title: named.title.clone(),
        kind,
        was: value(was),
        is: value(is),
        was_origin: origin(was),
        is_origin: origin(is),
    }
}
