//! City files: CITY.toml to `planner::City`, or what is wrong with it, with file and line, in Chinese and English.
//!
//! Numbers that are missing, negative, out of bounds or in contradiction are errors, and so are unknown keys: a slip of
//! the pen must not become a plan. Every number carries a status and names a source of the `[sources]` table.

mod checks;
mod city;
mod constants;
mod district;
mod error;
mod lab;
pub mod norm;
mod open;
mod parts;
mod sheet;
mod stock;
#[cfg(test)]
mod tests;
mod when;

use std::io::Read;
use std::path::Path;

pub use error::{Error, Problem, reason_zh};
pub use open::{files, open, open_norm, why};

use crate::planner::{City, Norm};

/// The cities that are compiled in: name and text.
pub const BUILTIN: [(&str, &str); 4] = [
    ("chifeng", include_str!("../../deploy/cities/chifeng.toml")),
    ("jiyuan", include_str!("../../deploy/cities/jiyuan.toml")),
    ("kunming", include_str!("../../deploy/cities/kunming.toml")),
    ("qujing", include_str!("../../deploy/cities/qujing.toml")),
];

/// Longest file that is read. The largest city with its labs takes some tens of kilobytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The city in a file, with the norm pack that it names.
pub fn read(path: &Path) -> Result<City, Error> {
    read_with(path, None)
}

/// The city in a file, with another norm pack than it names.
pub fn read_with(path: &Path, norm: Option<Norm>) -> Result<City, Error> {
    let text = text_of(path)?;
    parse(&path.display().to_string(), &text, path.parent(), norm)
}

/// The built-in city of that name.
pub fn builtin(name: &str) -> Result<City, Error> {
    let Some((_, text)) = BUILTIN.iter().find(|(known, _)| *known == name) else {
        let known = BUILTIN.map(|(known, _)| known).join(", ");
        return Err(Error::Unknown { name: name.to_owned(), known });
    };
    parse(&format!("builtin:{name}.toml"), text, None, None)
}

/// A city from its text; `file` is the name that messages use, `folder` what the file of its norm pack is relative to (none: it
/// can name a built-in pack alone), `norm` a pack to use instead.
pub fn parse(
    file: &str,
    text: &str,
    folder: Option<&Path>,
    norm: Option<Norm>,
) -> Result<City, Error> {
    let table = norm::table_of(file, text)?;
    let sheet = sheet::Sheet::new(text);
    let city = city::read(&sheet, file, folder, &table, norm);
    norm::finish(file, sheet, city)
}

fn text_of(path: &Path) -> Result<String, Error> {
    let fail = |source| Error::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Error::TooLong { path: path.to_owned(), bytes_max: FILE_BYTES_MAX });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good].iter().filter(|&&b| b == b'\n').count();
        Error::Bad {
            file: path.display().to_string(),
            problems: vec![Problem::new(
                line,
                ["不是 UTF-8 文字", "not UTF-8 text"],
                ["UTF-8 编码", "UTF-8"],
            )],
        }
    })
}
