//! What the API declares, read from the proto files: fields, enum numbers and calls.

use crate::source::{read, walk};

/// Every declaration, one line each, in the order of files and lines.
pub fn declarations() -> Vec<String> {
    let mut files = Vec::new();
    walk("proto", &mut files);
    files.retain(|file| file.ends_with(".proto"));
    files.sort();
    files.iter().flat_map(|file| declared(&read(file))).collect()
}

/// The numbers of an enum: (member, number).
fn members(declarations: &[String], list: &str) -> Vec<(String, u64)> {
    let start = format!("enum {list}.");
    let of_list =
        declarations.iter().filter_map(|line| line.strip_prefix(&start)?.split_once(" = "));
    of_list.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
}

fn declared(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut lines = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = match tokens[at].as_str() {
            word @ ("message" | "enum" | "service") => {
                block(&tokens, at + 3, word, &tokens[at + 1], &mut lines)
            }
            _ => end_of_statement(&tokens, at),
        };
    }
    lines
}

/// Reads the inside of a block; gives the place after its closing brace.
fn block(
    tokens: &[String],
    mut at: usize,
    kind: &str,
    name: &str,
    lines: &mut Vec<String>,
) -> usize {
    while tokens[at] != "}" {
        at = match tokens[at].as_str() {
            inner @ ("message" | "enum") => {
                block(tokens, at + 3, inner, &format!("{name}.{}", tokens[at + 1]), lines)
            }
            "oneof" => block(tokens, at + 3, kind, name, lines),
            "option" | "reserved" | "extensions" => end_of_statement(tokens, at),
            "rpc" => {
                let end = end_of_statement(tokens, at);
                let stop = tokens[at..end].iter().position(|t| t == ";" || t == "{").unwrap();
                let call = tokens[at + 2..at + stop].join(" ");
                lines.push(format!("rpc {name}.{} = {call}", tokens[at + 1]));
                end
            }
            ";" => at + 1,
            _ => {
                let end = end_of_statement(tokens, at);
                let sign =
                    (at..end).find(|place| tokens[*place] == "=").expect("a field has a number");
                let (field, number) = (&tokens[sign - 1], &tokens[sign + 1]);
                let kind_of = tokens[at..sign - 1].join(" ");
                lines.push(match kind {
                    "enum" => format!("enum {name}.{field} = {number}"),
                    _ => format!("field {name}.{field} = {number}: {kind_of}"),
                });
                end
            }
        };
    }
    at + 1
}

/// The place after the statement at `at`: after its `;`, or after its braces.
fn end_of_statement(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0_u32;
    loop {
        match tokens[at].as_str() {
            ";" if depth == 0 => return at + 1,
            "{" | "[" => depth += 1,
            "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            rest[1..].find('"').map_or(rest.len(), |end| end + 2)
        } else {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || "_.".contains(c)));
            let word = word.unwrap_or(rest.len()).max(first.len_utf8());
            if !first.is_whitespace() {
                tokens.push(rest[..word].to_owned());
            }
            word
        };
        if first == '"' {
            tokens.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

/// `InTransit` as `IN_TRANSIT`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_uppercase());
    }
    out
}

#[test]
fn a_word_of_the_trade_has_one_number_on_disk_and_on_the_wire() {
    let declarations = declarations();
    for (list, name, number) in crate::frozen::coded("src/domain") {
        let members = members(&declarations, &list);
        let member = format!("{}_{}", screaming(&list), screaming(&name));
        // Not every list is part of the API.
        assert!(
            members.is_empty() || members.contains(&(member.clone(), number)),
            "proto: {list} lacks {member} = {number}, which src/domain has"
        );
    }
}

#[test]
fn declarations_are_read_as_they_are_written() {
    let text = "syntax = \"proto3\"; // x\npackage a.b;\nmessage M {\n reserved 4 to 9; string a = 1;\n oneof o \
                {\n N b = 2 [deprecated = true];\n }\n message N { repeated a.b.C c = 3; map<string, int64> d = 4; }\n}\n\
                enum E { option allow_alias = true; E_A = 0; }\nservice S { rpc R(stream M) returns (stream M.N); \
                rpc T(M) returns (M) { option x = 1; } }";
    assert_eq!(
        declared(text),
        [
            "field M.a = 1: string",
            "field M.b = 2: N",
            "field M.N.c = 3: repeated a.b.C",
            "field M.N.d = 4: map < string , int64 >",
            "enum E.E_A = 0",
            "rpc S.R = ( stream M ) returns ( stream M.N )",
            "rpc S.T = ( M ) returns ( M )",
        ]
    );
}
