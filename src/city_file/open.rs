//! Cities and norm packs by what a user calls them, file or built-in name, and where in the file stands what a city lacks.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::error::Error;
use super::sheet::line_of;
use super::{BUILTIN, norm, parse, text_of};
use crate::domain::identity::without_identities;
use crate::planner::{City, Lack, Missing, Norm, Words, lines, reach, round};

/// Most lacks that are listed: of five hundred streets without desks nobody reads each.
const LACKS_MAX: usize = 20;
/// Most files that are looked at for what they name: packs that name one another in a circle are refused when they are opened.
const PACKS_MAX: usize = 16;

/// The city of that name, with another norm pack than it names where one is given: a file or, where there is none, the
/// built-in city. A file goes first: the user can see it, the built-in one not.
///
/// # Errors
/// What is wrong with the file, with its lines; that there is none, with the names that are built in.
pub fn open(path: &Path, norm: Option<Norm>) -> Result<City, Error> {
    let (name, text) = source(path)?;
    // The built-in ones lie nowhere.
    let folder = path.parent().filter(|_| path.exists());
    parse(&name, &text, folder, norm)
}

/// The norm pack of that name: a file or, where there is none, a built-in one.
///
/// # Errors
/// As [`open`].
pub fn open_norm(path: &Path) -> Result<Norm, Error> {
    let built_in = path.to_str().filter(|name| norm::BUILTIN.iter().any(|b| b.0 == *name));
    match built_in {
        _ if path.exists() => norm::read(path),
        Some(name) => norm::builtin(name),
        None => Err(Error::missing(path, &norm::BUILTIN.map(|b| b.0))),
    }
}

/// The files that a plan of that city reads, with what each is to it: the city file, the norm pack that is given or that the file
/// names, and the packs that stand below it. What is built in, or cannot be read, is none; that is told when it is opened.
pub fn files(city: Option<&Path>, norm: Option<&Path>) -> Vec<(Words, PathBuf)> {
    let mut all = Vec::new();
    let pack = |path: PathBuf, all: &mut Vec<(Words, PathBuf)>| {
        let mut next = Some((Words::new("规范包", "the norm pack"), path));
        while let Some((what, path)) = next.take().filter(|_| all.len() <= PACKS_MAX) {
            next = named_in(&path, "base")
                .map(|base| (Words::new("基础规范包", "the base pack"), base));
            all.push((what, path));
        }
    };
    if let Some(city) = city.filter(|path| path.exists()) {
        all.push((Words::new("城市文件", "the city file"), city.to_owned()));
        if let Some(named) = named_in(city, "norm") {
            pack(named, &mut all);
        }
    }
    if let Some(given) = norm.filter(|path| path.exists()) {
        pack(given.to_owned(), &mut all);
    }
    all
}

/// The file of a norm pack that another file names, from its own folder; none where a built-in one is named.
fn named_in(path: &Path, key: &str) -> Option<PathBuf> {
    let text = text_of(path).ok()?;
    let table = DeTable::parse(&text).ok()?;
    let (_, name) = table.get_ref().iter().find(|(name, _)| name.get_ref() == key)?;
    let name = name.get_ref().as_str()?.trim();
    let built_in = norm::BUILTIN.iter().any(|(known, _)| *known == name);
    (!built_in).then(|| path.parent().unwrap_or(Path::new("")).join(name))
}

/// Why a city that was opened under that name gives no round, in words: of what it lacks, a line for each, with file and line.
pub fn why(path: &Path, error: &round::Error) -> Words {
    let (round::Error::Lacking { lacks, cut_off }, Ok((name, text))) = (error, source(path)) else {
        return error.words();
    };
    let table = DeTable::parse(&text).map(toml::Spanned::into_inner).ok();
    let spot = |lack: &Lack| table.as_ref().and_then(|table| spot(table, lack));
    let lacks = together(lacks, spot);
    let told = lacks.iter().take(LACKS_MAX).map(|(at, lacks)| {
        let Words { zh, en } = Lack::words_of(lacks);
        let (zh, en) = (without_identities(&zh), without_identities(&en));
        match *at {
            Some(byte) => {
                let line = line_of(&text, byte);
                Words::new(format!("{name}:{line}：{zh}"), format!("{name}:{line}: {en}"))
            }
            None => Words::new(zh, en),
        }
    });
    let mut told: Vec<Words> = told.collect();
    if let Some(more) = lacks.len().checked_sub(LACKS_MAX).filter(|more| *more > 0) {
        told.push(Words::new(format!("另有 {more} 处"), format!("and {more} more")));
    }
    // These say themselves where they stand.
    told.extend(reach::words(cut_off));
    lines(told.into_iter())
}

/// Where each thing stands that is lacking, and who lacks it: streets of one district that have none of their own lack what it has
/// none of, and are told in one line.
fn together(
    lacks: &[Lack],
    spot: impl Fn(&Lack) -> Option<usize>,
) -> Vec<(Option<usize>, Vec<&Lack>)> {
    let mut all: Vec<(Option<usize>, Vec<&Lack>)> = Vec::new();
    for lack in lacks {
        let at = spot(lack);
        match all.last_mut() {
            Some((before, with)) if at.is_some() && *before == at && with[0].what == lack.what => {
                with.push(lack);
            }
            _ => all.push((at, vec![lack])),
        }
    }
    all
}

/// The name that messages use for a city, and its text.
fn source(path: &Path) -> Result<(String, Cow<'static, str>), Error> {
    let built_in = path.to_str().and_then(|name| BUILTIN.iter().find(|b| b.0 == name));
    match built_in {
        _ if path.exists() => Ok((path.display().to_string(), Cow::Owned(text_of(path)?))),
        Some((name, text)) => Ok((format!("builtin:{name}.toml"), Cow::Borrowed(*text))),
        None => Err(Error::missing(path, &BUILTIN.map(|b| b.0))),
    }
}

/// Where the file says how much there is of what is lacking.
fn spot(table: &DeTable<'_>, lack: &Lack) -> Option<usize> {
    match lack.what {
        Missing::Desks | Missing::Samplers => {
            let district = coded(table, "district", &lack.district)?;
            let street = coded(district, "street", &lack.code);
            // Streets that say nothing of their own share what their district has.
            let of = street.filter(|street| has(street, "have")).unwrap_or(district);
            let (_, have) = of.iter().find(|(key, _)| key.get_ref() == "have")?;
            value(have.get_ref().as_table()?, lack.what.key())
        }
        Missing::Units(_) | Missing::Staff(_) | Missing::Hours(_) => {
            value(coded(table, "lab", &lack.code)?, lack.what.key())
        }
    }
}

fn has(table: &DeTable<'_>, key: &str) -> bool {
    table.iter().any(|(name, _)| name.get_ref() == key)
}

/// Where the value of a key begins.
fn value(table: &DeTable<'_>, key: &str) -> Option<usize> {
    let found = table.iter().find(|(name, _)| name.get_ref() == key);
    found.map(|(_, value)| value.span().start)
}

/// The table of that code in a list of tables.
fn coded<'t, 'a>(table: &'t DeTable<'a>, list: &str, code: &str) -> Option<&'t DeTable<'a>> {
    let (_, all) = table.iter().find(|(name, _)| name.get_ref() == list)?;
    let mut all = all.get_ref().as_array()?.iter().filter_map(|one| one.get_ref().as_table());
    all.find(|one| {
        let own = one.iter().find(|(name, _)| name.get_ref() == "code");
        own.and_then(|(_, own)| own.get_ref().as_str()).is_some_and(|own| own.trim() == code)
    })
}
