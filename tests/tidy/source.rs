//! Sources as text: finding them, blanking what is not code, and taking paths apart. A reader of
//! Rust good enough for rules about names; it knows no types and no macros.

use std::fs;
use std::path::Path;

/// A Rust file.
pub struct Source {
    /// Path from the root of the checkout.
    pub path: String,
    /// As written.
    pub text: String,
    /// The same length and lines, with comments and literals blanked.
    pub code: String,
}

impl Source {
    /// A source with this path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Source {
        let text = text.into();
        Source { path: path.into(), code: blank(&text), text }
    }
}

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file under these folders, by path; a folder that is not there has none.
pub fn rust_sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    folders.iter().for_each(|folder| walk(folder, &mut paths));
    paths.retain(|path| path.ends_with(".rs"));
    paths.sort();
    paths.into_iter().map(|path| Source::new(path.clone(), read(&path))).collect()
}

/// The text of a file, by its path from the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file under a folder, as paths from the root.
pub fn walk(folder: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root().join(folder)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.file_type().unwrap().is_dir() {
            true => walk(&path, found),
            false => found.push(path),
        }
    }
}

/// The text with comments, strings and characters turned to spaces; lines stay where they are.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_literal(bytes, at);
        match end > at {
            true => out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|b| *b = b' '),
            // A whole word at once: the `r` of `for` begins no raw string.
            false => {
                let word = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
                at += word.max(1);
                continue;
            }
        }
        at = end;
    }
    String::from_utf8(out).unwrap()
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn end_of_literal(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let find = |from: usize, what: &[u8]| {
        let found = rest[from..].windows(what.len()).position(|window| window == what);
        found.map_or(bytes.len(), |place| at + from + place + what.len())
    };
    if rest.starts_with(b"//") {
        return rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |line| at + line);
    }
    if rest.starts_with(b"/*") {
        return end_of_block_comment(bytes, at);
    }
    let prefix = rest.iter().take_while(|byte| matches!(byte, b'b' | b'c' | b'r')).count();
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let opening = prefix + hashes;
    match rest.get(opening) {
        Some(b'"') if prefix > 0 && rest[..prefix].contains(&b'r') => {
            let closing: Vec<u8> = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            find(opening + 1, &closing)
        }
        Some(b'"') if hashes == 0 => end_of_quoted(bytes, at + opening + 1, b'"'),
        Some(b'\'') if hashes == 0 => {
            let inner = &rest[opening + 1..];
            let one = std::str::from_utf8(inner).ok().and_then(|text| text.chars().next());
            match (inner.first(), one) {
                (Some(b'\\'), _) => end_of_quoted(bytes, at + opening + 1, b'\''),
                (_, Some(one)) if inner.get(one.len_utf8()) == Some(&b'\'') => {
                    at + opening + 1 + one.len_utf8() + 1
                }
                // A lifetime.
                _ => at,
            }
        }
        _ => at,
    }
}

fn end_of_quoted(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn end_of_block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// A path as code names it: `store::Read`.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Line, from 1.
    pub line: usize,
    /// Its names.
    pub names: Vec<String>,
}

/// Every path and lone name in blanked code; `a::{b, c::d}` counts as `a::b` and `a::c::d`.
pub fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match is_name(tokens[at].1) {
            true => at = take_path(&tokens, at, &[], &mut found),
            false => at += 1,
        }
    }
    found
}

fn is_name(token: &str) -> bool {
    token.bytes().next().is_some_and(|byte| is_word(byte) && !byte.is_ascii_digit())
}

/// Reads the path at `at` and everything in its braces; gives the place after it.
fn take_path(
    tokens: &[(usize, &str)],
    mut at: usize,
    before: &[String],
    found: &mut Vec<Named>,
) -> usize {
    let line = tokens[at].0;
    let mut names = before.to_vec();
    names.push(tokens[at].1.to_owned());
    at += 1;
    while tokens.get(at).is_some_and(|token| token.1 == "::") {
        at += 1;
        match tokens.get(at) {
            Some((_, "{")) => {
                at += 1;
                while at < tokens.len() && tokens[at].1 != "}" {
                    match is_name(tokens[at].1) {
                        true => at = take_path(tokens, at, &names, found),
                        false => at += 1,
                    }
                }
                return at + 1;
            }
            Some((_, name)) if is_name(name) => {
                names.push((*name).to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    found.push(Named { line, names });
    at
}

/// Names, `::` and single signs, each with its line.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < bytes.len() {
        let length = match bytes[at] {
            b'\n' => {
                line += 1;
                at += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            byte if is_word(byte) => bytes[at..].iter().take_while(|byte| is_word(**byte)).count(),
            b':' if bytes[at..].starts_with(b"::") => 2,
            _ => 1,
        };
        tokens.push((line, &code[at..at + length]));
        at += length;
    }
    tokens
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a // b\nc(\"d\\\"e\", 'f', r#\"g\"h\"#, '\\'') /* i /* j */ k */ l::<'m>(b\"n\")";
    let words: Vec<_> = tokens(&blank(text)).into_iter().map(|token| token.1.to_owned()).collect();
    assert_eq!(words.join(" "), "a c ( , , , ) l :: < ' m > ( )");
}

#[test]
fn grouped_paths_are_taken_apart() {
    let code = "use a::{self, b::{c, d as e},\nf}; g::h::<i>(j)";
    let all: Vec<_> = paths(code).into_iter().map(|p| (p.line, p.names.join("::"))).collect();
    let has =
        |line, path: &str| assert!(all.contains(&(line, path.to_owned())), "{path} in {all:?}");
    has(1, "a::self");
    has(1, "a::b::c");
    has(1, "a::b::d");
    has(2, "a::f");
    has(2, "g::h");
    has(2, "j");
}
