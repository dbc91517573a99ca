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

/// What clap says of a refusal, its headings and its last line in both languages.
pub fn english(error: &clap::Error) -> String {
    let (usage, more) = ("\nUsage: ", "For more information, try '--help'.");
    let text = error.to_string();
    text.replacen(usage, "\n用法 / Usage: ", 1).replacen(
        more,
        "详见 --help / For more information, try '--help'.",
        1,
    )
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
            "参数 {arg} 的值“{}”不可用{}",
            text(ContextKind::InvalidValue),
            valid(ContextKind::ValidValue)
        ),
        ErrorKind::ArgumentConflict => match text(ContextKind::PriorArg) {
            other if other.is_empty() || other == arg => {
                format!("参数 {arg} 只能出现一次，或不能与其他参数同用")
            }
            other => format!("参数 {arg} 不能与 {other} 同用"),
        },
        ErrorKind::NoEquals
        | ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => format!("参数 {arg} 的值的个数不对"),
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
