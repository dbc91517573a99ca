//! The command line as users see it, in both languages: clap's headings, its help flag and its refusals. What a flag does
//! stands at the flag, as `English. 中文`.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// How a page of help is laid out.
const TEMPLATE: &str = "{about-with-newline}\n用法 / Usage: {usage}\n\n{all-args}{after-help}";

/// The command with its headings in both languages, and all commands below it.
pub fn both(command: Command) -> Command {
    command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令 / Commands")
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .help("Print this help. 显示帮助"),
        )
        .mut_args(|arg| {
            let heading =
                if arg.is_positional() { "参数 / Arguments" } else { "选项 / Options" };
            arg.help_heading(heading)
        })
        .mut_subcommands(both)
}

/// What clap says of a refusal, its headings and its last line in both languages, and what is expected in English.
pub fn english(error: &clap::Error) -> String {
    let (usage, more) = ("\nUsage: ", "For more information, try '--help'.");
    let mut text = error.to_string();
    if let (Some(why), Some([_, en])) = (reason(error), wanted(error)) {
        text = text.replacen(&format!(": {why}"), &format!(": {en}"), 1);
    }
    if let Some(word) = out_of_place(error) {
        let (by_clap, ours) = (format!("the subcommand '{word}'"), format!("'{word}'"));
        text = text.replacen(&by_clap, &ours, 1);
        text = text.replacen(usage, &format!("\n  expected: {}\n{usage}", PLACE[1]), 1);
    }
    text.replacen(usage, "\n用法 / Usage: ", 1).replacen(
        more,
        "详见 --help / For more information, try '--help'.",
        1,
    )
}

/// Where a subcommand stands.
const PLACE: [&str; 2] = [
    "子命令写在最前面，其参数写在它之后；没有子命令时只写一个城市",
    "a subcommand first and its arguments behind it; without one, one city",
];

/// A word that was taken for a subcommand where none can stand.
fn out_of_place(error: &clap::Error) -> Option<&str> {
    let conflict = error.kind() == ErrorKind::ArgumentConflict;
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if conflict => Some(word),
        _ => None,
    }
}

/// Why a value could not be read, as whoever read it says it.
fn reason(error: &clap::Error) -> Option<String> {
    use std::error::Error as _;
    let source = error.source().filter(|_| error.kind() == ErrorKind::ValueValidation);
    source.map(ToString::to_string)
}

/// What is expected instead of a value that could not be read, in Chinese and English: what our own readers say
/// (`Chinese / English`), or what the library's say in English alone.
fn wanted(error: &clap::Error) -> Option<[String; 2]> {
    let why = reason(error)?;
    if let Some((zh, en)) = why.split_once(" / ") {
        return Some([zh.to_owned(), en.to_owned()]);
    }
    if let Some((_, range)) = why.split_once(" is not in ") {
        let (from, to) = range.split_once("..").unwrap_or((range, ""));
        let both = match to.trim_start_matches('=') {
            "" => [format!("应不小于 {from}"), format!("expected {from} or more")],
            to => [format!("应为 {from} 到 {to}"), format!("expected {from} to {to}")],
        };
        return Some(both);
    }
    let [zh, en] = match why.as_str() {
        "number too large to fit in target type" => ["应为小一些的数", "expected a smaller number"],
        "number too small to fit in target type" => ["应为大一些的数", "expected a larger number"],
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            ["应为整数", "expected a whole number"]
        }
        "invalid float literal" | "cannot parse float from empty string" => {
            ["应为数", "expected a number"]
        }
        _ => return None,
    };
    Some([zh.to_owned(), en.to_owned()])
}

/// A refusal of arguments in Chinese; clap's own English goes below it. `None` for help and version, which are none.
pub fn refused(error: &clap::Error) -> Option<String> {
    if !error.use_stderr() {
        return None;
    }
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        Some(ContextValue::Strings(all)) => all.join("、"),
        Some(ContextValue::StyledStr(one)) => one.to_string(),
        Some(ContextValue::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    let arg = text(ContextKind::InvalidArg);
    let valid = |kind| match text(kind) {
        valid if valid.is_empty() => String::new(),
        valid => format!("；可用：{valid}"),
    };
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("不认识的参数“{arg}”"),
        ErrorKind::InvalidSubcommand => {
            format!("不认识的命令“{}”", text(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => {
            format!("缺少命令{}", valid(ContextKind::ValidSubcommand))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "缺少命令或参数".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{arg}"),
        ErrorKind::InvalidValue if text(ContextKind::InvalidValue).is_empty() => {
            format!("参数 {arg} 缺少值{}", valid(ContextKind::ValidValue))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => format!(
            "参数 {arg} 的值“{}”不可用{}{}",
            text(ContextKind::InvalidValue),
            valid(ContextKind::ValidValue),
            wanted(error).map(|[zh, _]| format!("；{zh}")).unwrap_or_default()
        ),
        ErrorKind::ArgumentConflict => match (out_of_place(error), text(ContextKind::PriorArg)) {
            (Some(word), other) => format!("“{word}”不能与 {other} 同用；应为：{}", PLACE[0]),
            (None, other) if other == arg => format!("参数 {arg} 只能出现一次"),
            (None, other) if other.is_empty() => format!("参数 {arg} 不能与其他参数同用"),
            (None, other) => format!("参数 {arg} 不能与 {other} 同用"),
        },
        ErrorKind::TooManyValues => {
            format!("参数 {arg} 不带值，多写了“{}”", text(ContextKind::InvalidValue))
        }
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("参数 {arg} 的值的个数不对")
        }
        ErrorKind::InvalidUtf8 => "参数不是 UTF-8 文字".to_owned(),
        _ => "参数有误".to_owned(),
    };
    let meant =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let meant = meant.map(text).into_iter().find(|meant| !meant.is_empty());
    let meant = meant.map(|meant| format!("；是否指 {meant}？")).unwrap_or_default();
    Some(format!("参数错误：{what}{meant}"))
}

#[cfg(test)]
mod tests {
    use crate::cli;
    use clap::Command;

    /// Whether both languages are there.
    fn in_both(text: &str) -> bool {
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
        text.chars().any(|c| c > '\u{2e80}') && words.any(|word| word.len() > 1)
    }

    fn every(command: &Command, path: &str, all: &mut Vec<(String, String)>) {
        let path = format!("{path} {}", command.get_name());
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        all.push((path.clone(), about));
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            all.push((format!("{path} {}", arg.get_id()), help));
            for value in arg.get_possible_values() {
                if let Some(help) = value.get_help() {
                    let at = format!("{path} {} {}", arg.get_id(), value.get_name());
                    all.push((at, help.to_string()));
                }
            }
        }
        command.get_subcommands().for_each(|below| every(below, &path, all));
    }

    #[test]
    fn every_command_and_every_flag_is_explained_in_both_languages() {
        let mut all = Vec::new();
        every(&cli::command(), "", &mut all);
        assert!(all.len() > 80, "{}", all.len());
        let lacking: Vec<_> = all.iter().filter(|(_, text)| !in_both(text)).collect();
        assert!(lacking.is_empty(), "{lacking:#?}");
    }

    #[test]
    fn the_pages_of_help_have_their_headings_in_both_languages() {
        for words in
            [&["plan", "--help"][..], &["demo", "-h"], &["--help"], &["round", "tick", "--help"]]
        {
            let page = cli::parse([&["swabline"], words].concat()).err().expect("help").to_string();
            assert!(page.contains("用法 / Usage: swabline"), "{page}");
            assert!(page.contains("选项 / Options:") && page.contains("显示帮助"), "{page}");
            for english in ["\nOptions:", "\nArguments:", "\nCommands:", "\nUsage:"] {
                assert!(!page.contains(english), "{page}");
            }
        }
    }

    #[test]
    fn a_wrong_argument_is_refused_in_both_languages() {
        for (words, zh, en) in [
            ("plan chifeng --nosuch", "不认识的参数“--nosuch”", "unexpected argument '--nosuch'"),
            ("plann", "不认识的命令“plann”；是否指 plan", "unrecognized subcommand 'plann'"),
            ("plan chifeng --xslx x", "；是否指 --xlsx", "a similar argument exists: '--xlsx'"),
            ("plan whatif chifeng", "用法 / Usage: swabline plan whatif", "\n用法 / Usage: "),
            ("plan --nosuch", "详见 --help / For more information", "try '--help'."),
            ("plan whatif chifeng", "缺少参数：<--units <+N>|--desks <+N>|", "required arguments"),
            (
                "plan chifeng --lang fr",
                "参数 --lang <LANG> 的值“fr”不可用；可用：zh、en",
                "invalid value 'fr'",
            ),
            (
                "plan chifeng --lang",
                "参数 --lang <LANG> 缺少值；可用：zh、en",
                "a value is required",
            ),
            ("plan chifeng --seed x", "参数 --seed <S> 的值“x”不可用", "invalid value 'x'"),
            ("benchmark engine --seconds x", "；应为整数", ": expected a whole number"),
            (
                "plan chifeng --json --json",
                "参数 --json 只能出现一次",
                "cannot be used multiple times",
            ),
            ("demo --people 10", "应为 5000 到 50000000", "expected 5000 to 50000000"),
            ("round", "缺少命令", "Usage"),
        ] {
            let words = std::iter::once("swabline").chain(words.split(' '));
            let error = cli::parse(words).err().expect("refused");
            let told = cli::told(&error);
            assert!(told.starts_with("参数错误：") && told.contains(zh), "{told}");
            assert!(told.contains(en), "{told}");
        }
    }

    #[test]
    fn help_and_version_are_no_refusals() {
        for words in [&["--help"][..], &["--version"], &["plan", "-h"]] {
            let error = cli::parse([&["swabline"], words].concat()).err().expect("a page");
            assert_eq!(super::refused(&error), None);
        }
    }
}
