//! The files that a plan writes, held apart from those that it reads, from one another, and by their endings from whatever else
//! lies there: what is written over cannot be fetched back.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use super::{Error, PlanArgs, city_file};
use crate::planner::Words;

/// Symbolic links behind one another that are followed to a file that is not there yet.
const LINKS_MAX: usize = 40;

/// What makes two paths the same file.
#[derive(Debug, PartialEq, Eq)]
enum File {
    /// A file that is there, whatever links lead to it: its device and number there.
    There(u64, u64),
    /// One that will be there: its folder and its name in it.
    ToCome(PathBuf),
    /// A folder, a terminal, `/dev/null`: nothing that could be written over.
    Other,
}

impl File {
    fn of(path: &Path) -> File {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            match std::fs::metadata(&path) {
                Ok(known) if known.is_file() => return File::There(known.dev(), known.ino()),
                Ok(_) => return File::Other,
                Err(_) => {}
            }
            // A link to what is not there yet: it is the target that is written.
            let Ok(target) = std::fs::read_link(&path) else { break };
            path = path.parent().unwrap_or(Path::new("")).join(target);
        }
        let whole = absolute(&path).unwrap_or(path);
        let (folder, name) = (whole.parent(), whole.file_name());
        let real = folder.and_then(|folder| folder.canonicalize().ok());
        File::ToCome(real.zip(name).map_or(whole.clone(), |(folder, name)| folder.join(name)))
    }
}

/// Nothing, where every file that is asked for is one of its own, and named as what it will be.
///
/// # Errors
/// The first that is also read, or written by another flag; which two they are. The first whose name ends otherwise. Any at all,
/// where no city is named.
pub(super) fn apart(args: &PlanArgs) -> Result<(), Error> {
    let outputs = asked(args);
    let Some((first, _)) = outputs.first() else { return Ok(()) };
    // The letter alone is text: a file that silently is not written would be missed too late.
    if args.city.is_none() {
        return Err(Error::Argument(Words::new(
            format!("{first} 须同时给出城市：未给出城市时只解读来函，没有可写出的方案"),
            format!(
                "{first} needs a city: without one the letter alone is explained, and there is no plan to write"
            ),
        )));
    }
    let read = city_file::files(args.city.as_deref(), args.norm.as_deref());
    let read: Vec<(File, Words, &Path)> =
        read.iter().map(|(what, path)| (File::of(path), what.clone(), path.as_path())).collect();
    let mut written: Vec<(File, &str, &Path)> = Vec::new();
    for &(flag, path) in &outputs {
        let file = File::of(path);
        if file == File::Other {
            continue;
        }
        if let Some((_, what, input)) = read.iter().find(|(other, _, _)| *other == file) {
            return Err(both(flag, path, what, input));
        }
        if let Some((_, other, there)) = written.iter().find(|(other, _, _)| *other == file) {
            return Err(both(flag, path, &(*other).into(), there));
        }
        written.push((file, flag, path));
    }
    written.into_iter().try_for_each(|(_, flag, path)| ending(flag, path))
}

/// Nothing, where the name ends as what is written there does, and so does the file to which it leads: one that is there and has
/// another ending is something else.
fn ending(flag: &str, path: &Path) -> Result<(), Error> {
    let expected = if flag == "--xlsx" { "xlsx" } else { "svg" };
    let ends = |path: &Path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case(expected));
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if ends(path) && ends(&real) {
        return Ok(());
    }
    let named = match ends(path) {
        true => format!("{} → {}", path.display(), real.display()),
        false => path.display().to_string(),
    };
    Err(Error::Argument(Words::new(
        format!(
            "{flag} {named} 不以 .{expected} 结尾，未写入任何文件；应为：以 .{expected} 结尾的文件名"
        ),
        format!(
            "{flag} {named} does not end in .{expected}; nothing was written; expected: a name that ends in .{expected}"
        ),
    )))
}

/// The files that are asked for, by their flags.
fn asked(args: &PlanArgs) -> Vec<(&'static str, &Path)> {
    let outputs = [
        ("--xlsx", &args.xlsx),
        ("--svg-backlog", &args.svg_backlog),
        ("--svg-finish", &args.svg_finish),
    ];
    outputs.into_iter().filter_map(|(flag, path)| Some((flag, path.as_deref()?))).collect()
}

fn both(flag: &str, path: &Path, other: &Words, there: &Path) -> Error {
    let (path, there) = (path.display(), there.display());
    Error::Argument(Words::new(
        format!(
            "{flag} {path} 与{} {there} 是同一个文件，未写入任何文件；应为：另一个文件名",
            spaced(&other.zh)
        ),
        format!(
            "{flag} {path} is the same file as {} {there}; nothing was written; expected: another file",
            other.en
        ),
    ))
}

/// Words between Chinese ones, with a space where they begin with a letter.
fn spaced(words: &str) -> String {
    match words.starts_with(|c: char| c.is_ascii()) {
        true => format!(" {words}"),
        false => words.to_owned(),
    }
}
