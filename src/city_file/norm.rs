//! Norm packs: the constants of a notice or guide, each with source and status. A pack may name another as its `base`
//! and state only what differs.

use std::path::Path;

use toml::de::DeTable;

use super::constants::Stated;
use super::error::{Error, Problem, reason_zh};
use super::sheet::{Block, Sheet};
use super::text_of;
use crate::planner::Norm;

/// The packs that are compiled in: name and text.
pub const BUILTIN: [(&str, &str); 7] = [
    ("chifeng-2022", include_str!("../../deploy/norms/chifeng-2022.toml")),
    ("guide-1st-2021", include_str!("../../deploy/norms/guide-1st-2021.toml")),
    ("guide-2nd-2021", include_str!("../../deploy/norms/guide-2nd-2021.toml")),
    ("guide-3rd-2022", include_str!("../../deploy/norms/guide-3rd-2022.toml")),
    ("jiyuan-2021", include_str!("../../deploy/norms/jiyuan-2021.toml")),
    ("practice-2020", include_str!("../../deploy/norms/practice-2020.toml")),
    ("qilin-2020", include_str!("../../deploy/norms/qilin-2020.toml")),
];

/// The pack whose numbers stand in for those that a pack without base leaves out.
const ROOT: &str = "chifeng-2022";

/// How many packs may stand on each other.
const BASES_MAX: u32 = 4;

/// The built-in pack of that name.
pub fn builtin(name: &str) -> Result<Norm, Error> {
    builtin_at(name, BASES_MAX)
}

fn builtin_at(name: &str, bases_left: u32) -> Result<Norm, Error> {
    let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
        let known = BUILTIN.map(|(known, _)| known).join(", ");
        return Err(Error::Unknown { name: name.to_owned(), known });
    };
    let file = format!("builtin:{name}.toml");
    // The root stands on nothing, not even on itself.
    let rest = (name != ROOT).then(|| builtin_at(ROOT, bases_left)).transpose()?;
    parse_at(&file, text, None, bases_left, rest)
}

/// A norm pack from its text; `file` is the name that messages use, `folder` what the file of its base is relative to.
pub fn parse(file: &str, text: &str, folder: Option<&Path>) -> Result<Norm, Error> {
    parse_at(file, text, folder, BASES_MAX, Some(builtin(ROOT)?))
}

/// The norm pack in a file.
pub fn read(path: &Path) -> Result<Norm, Error> {
    read_at(path, BASES_MAX)
}

fn read_at(path: &Path, bases_left: u32) -> Result<Norm, Error> {
    let (file, text) = (path.display().to_string(), text_of(path)?);
    parse_at(&file, &text, path.parent(), bases_left, Some(builtin(ROOT)?))
}

/// `rest` is the root pack, unless the text is its own.
fn parse_at(
    file: &str,
    text: &str,
    folder: Option<&Path>,
    bases_left: u32,
    rest: Option<Norm>,
) -> Result<Norm, Error> {
    let table = table_of(file, text)?;
    let sheet = Sheet::new(text);
    let norm = of_sheet(&sheet, &table, folder, bases_left, rest.as_ref());
    finish(file, sheet, norm)
}

/// The parsed text, or the syntax error with its line.
pub(super) fn table_of<'t>(file: &str, text: &'t str) -> Result<DeTable<'t>, Error> {
    DeTable::parse(text).map(toml::Spanned::into_inner).map_err(|error| Error::Bad {
        file: file.to_owned(),
        problems: vec![Problem::not_toml(text, &error)],
    })
}

/// The value, unless something was noted on the way.
pub(super) fn finish<T>(file: &str, sheet: Sheet<'_>, value: Option<T>) -> Result<T, Error> {
    let file = file.to_owned();
    let problems = sheet.into_problems()?;
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ if !problems.is_empty() => Err(Error::Bad { file, problems }),
        // A reader that gives up must have noted why; should one forget, say so rather than stop the program.
        _ => Err(Error::Bad {
            file,
            problems: vec![Problem::new(
                1,
                ["文件不完整", "the file is incomplete"],
                ["与 deploy 目录中的示例相同的结构", "the same shape as the examples under deploy"],
            )],
        }),
    }
}

fn of_sheet<'s>(
    sheet: &'s Sheet<'s>,
    table: &'s DeTable<'s>,
    folder: Option<&Path>,
    bases_left: u32,
    rest: Option<&Norm>,
) -> Option<Norm> {
    let root = Block::new(sheet, table, 0..0);
    let name = root.text("name");
    let title_zh = root.text("title");
    let title_en = root.text("title_en");
    let base = root.has("base").then(|| named_at(&root, "base", folder, bases_left));
    let sources = root.sources();
    // On a base that cannot be read, nothing else can be told to be missing.
    let base = match base {
        Some(read) => Some(read?),
        None => None,
    };
    let stated = Stated {
        numbers: Some(&root),
        tables: &root,
        base: base.as_ref(),
        rest,
        sources: &sources,
    };
    let norm = stated.pack();
    root.close();
    Some(Norm { name: name?, title_zh: title_zh?, title_en: title_en?, ..norm? })
}

/// The pack that a file names: a built-in one, or a file in `folder`, where the file lies that names it. What names no pack is
/// noted; a pack that is found and cannot be used is told with its own file and lines.
pub(super) fn named(root: &Block<'_>, key: &'static str, folder: Option<&Path>) -> Option<Norm> {
    named_at(root, key, folder, BASES_MAX)
}

fn named_at(
    root: &Block<'_>,
    key: &'static str,
    folder: Option<&Path>,
    bases_left: u32,
) -> Option<Norm> {
    let name = root.text(key)?;
    let note = |zh: String, en: String, expected: [String; 2]| {
        let what = [format!("“{key}”为 \"{name}\"{zh}"), format!("`{key}` is \"{name}\"{en}")];
        let expected = [expected[0].as_str(), expected[1].as_str()];
        root.sheet.problem(&root.spot(key), [&what[0], &what[1]], expected);
        None
    };
    let Some(left) = bases_left.checked_sub(1) else {
        let expected = ["不互相引用的规范包", "packs that do not stand on each other in a circle"];
        let zh = format!("，规范包层层引用超过 {BASES_MAX} 层");
        let en = format!(", and packs stand on one another more than {BASES_MAX} deep");
        return note(zh, en, expected.map(str::to_owned));
    };
    let read = match folder {
        _ if BUILTIN.iter().any(|(known, _)| *known == name) => builtin_at(&name, left),
        Some(folder) => read_at(&folder.join(&name), left),
        None => Err(Error::Unknown { name: name.clone(), known: String::new() }),
    };
    let known = BUILTIN.map(|(known, _)| known).join(", ");
    match read {
        Ok(norm) => Some(norm),
        Err(Error::File { path, source }) => {
            let path = path.display();
            let zh = format!("，无法读取 {path}：{}（{source}）", reason_zh(&source));
            let en = format!(", and {path} cannot be read: {source}");
            let expected = [
                format!("与本文件同一文件夹中的规范包文件，或以下之一：{known}"),
                format!("a norm pack in the folder of this file, or one of: {known}"),
            ];
            note(zh, en, expected)
        }
        Err(Error::Unknown { .. }) => {
            let expected = [format!("以下之一：{known}"), format!("one of: {known}")];
            note(String::new(), String::new(), expected)
        }
        Err(error) => {
            root.sheet.elsewhere(error);
            None
        }
    }
}
