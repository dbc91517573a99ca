//! Every option with every kind of wrong value: refused in whole sentences of either language, with what is expected.

use super::*;
use crate::cli;

/// What is said of a command line behind `swabline`, in Chinese and in English.
fn refused(words: &[&str]) -> [String; 2] {
    let read = cli::parse([&["swabline"], words].concat());
    let args = match read {
        Err(error) => {
            let told = cli::told(&error);
            let (zh, en) = told.split_once('\n').expect("two lines and more");
            return [zh.to_owned(), en.to_owned()];
        }
        Ok(cli::Args { command: cli::Command::Plan(args) }) => args,
        Ok(_) => panic!("{words:?} is no plan"),
    };
    let error = answer(&args).expect_err(&words.join(" "));
    [error.zh(), error.en()]
}

/// Chinese without what a library says in English, English without Chinese but for the headings that stand in both.
fn whole(told: &[String; 2]) -> bool {
    let [zh, en] = told;
    let library = ["invalid", "digit", "must lie", "target type", "literal", "cannot", "expected"];
    let both = ["用法 / Usage", "详见 --help / For"];
    let chinese =
        |c: char| ('\u{3000}'..'\u{a000}').contains(&c) || ('\u{ff00}'..'\u{ffef}').contains(&c);
    !library.iter().any(|word| zh.contains(word))
        && zh.contains(chinese)
        && !zh.contains("  ")
        && en.lines().all(|line| both.iter().any(|b| line.contains(b)) || !line.contains(chinese))
}

const SEED: [&str; 2] = [
    "应为 0 到 18446744073709551615 的整数",
    "expected a whole number from 0 to 18446744073709551615",
];
const TIMES: [&str; 2] = ["应为 0 到 100000 的整数", "expected a whole number from 0 to 100000"];
const HOURS: [&str; 2] = ["应为 1h 到 959h，如 24h", "expected 1h to 959h, such as 24h"];
const MORE: [&str; 2] = [
    "应为 -10000 到 10000 的整数，不为 0，如 +2 或 -1",
    "expected a whole number from -10000 to 10000 and not 0, such as +2 or -1",
];
const SHARE: [&str; 2] =
    ["应为 0 到 1 的数，如 0.00", "expected a number from 0 to 1, such as 0.00"];
const PRICE: [&str; 2] =
    ["应为 0 到 1000000000 的数，如 2.5", "expected a number from 0 to 1000000000, such as 2.5"];
const LEVEL: [&str; 2] =
    ["应大于 0 且小于 1，如 0.9", "expected more than 0 and less than 1, such as 0.9"];
const POOL: [&str; 2] = ["应为 1 到 50 的整数", "expected a whole number from 1 to 50"];
const DAY: [&str; 2] = ["应为 1 到 24 的整数", "expected a whole number from 1 to 24"];
const PERCENT: [&str; 2] =
    ["应为 1 到 100 的数，如 90", "expected a number from 1 to 100, such as 90"];
const STAGE: [&str; 2] = ["应为以下之一：receive, ", "expected one of: receive, "];
const LANG: [&str; 2] = ["可用：zh、en", "[possible values: zh, en]"];
const LAB: [&str; 2] = ["可用：L01, ", "there are: L01, "];
const PLACE: [&str; 2] = ["可用：150402", "there are: 150402"];

const WHATIF: &[&str] = &["plan", "whatif", "chifeng"];
const POOLING: &[&str] = &["plan", "pooling", "chifeng"];
const PLAN: &[&str] = &["plan", "chifeng"];
const AT: &[&str] = &["plan", "whatif", "chifeng", "--place", "150402"];
const IN: &[&str] = &["plan", "whatif", "chifeng", "--lab", "L01", "--stage", "pcr"];
const STAGE_OF: &[&str] = &["plan", "whatif", "chifeng", "--lab", "L01", "--units", "1"];

/// Values that are no number of any option, beside those of each.
const NEVER: [&str; 5] = ["x", "", "NaN", "1e400", "99999999999999999999"];

#[test]
fn a_wrong_value_is_refused_with_what_is_expected() {
    for (before, option, wrong, [zh, en]) in [
        (PLAN, "--target", &["-1", "0", "960", "1.5"][..], HOURS),
        (PLAN, "--replications", &["-1", "100001", "1.5"], TIMES),
        (PLAN, "--seed", &["-1", "1.5"], SEED),
        (WHATIF, "--target", &["-1", "0", "960"], HOURS),
        (IN, "--units", &["0", "10001", "-10001", "3000000000", "1.5", "+"], MORE),
        (IN, "--staff", &["0", "10001", "-10001"], MORE),
        (AT, "--desks", &["0", "10001", "-10001"], MORE),
        (AT, "--samplers", &["0", "10001", "-10001"], MORE),
        (AT, "--vehicles", &["0", "10001", "-10001"], MORE),
        (WHATIF, "--pool", &["-1", "0", "51", "2.5"], POOL),
        (WHATIF, "--prevalence", &["-1", "1.1", "inf", "-0.001"], SHARE),
        (WHATIF, "--turnout", &["-1", "0", "0.9", "101", "inf"], PERCENT),
        (WHATIF, "--sampling-hours", &["-1", "0", "25"], DAY),
        (WHATIF, "--shift-hours", &["-1", "0", "25"], DAY),
        (WHATIF, "--instrument-hours", &["-1", "0", "25"], DAY),
        (WHATIF, "--replications", &["-1", "100001"], TIMES),
        (WHATIF, "--seed", &["-1"], SEED),
        (POOLING, "--prevalence", &["-1", "2", "inf", "-0.1"], SHARE),
        (POOLING, "--recall-price", &["-1", "inf", "1000000001"], PRICE),
        (POOLING, "--single-price", &["-1", "inf", "1000000001"], PRICE),
        (POOLING, "--level", &["-1", "0", "1", "inf"], LEVEL),
    ] {
        for value in wrong.iter().chain(&NEVER) {
            let told = refused(&[before, &[option, value]].concat());
            assert!(told[0].contains(zh) && told[1].contains(en), "{option} {value}: {told:#?}");
            assert!(whole(&told), "{option} {value}: {told:#?}");
        }
    }
}

#[test]
fn what_is_no_number_is_refused_with_what_there_is() {
    for (before, words, [zh, en]) in [
        (PLAN, &["--lang", "fr"][..], LANG),
        (PLAN, &["--lang"], LANG),
        (
            PLAN,
            &["--norm", ""],
            ["--norm <FILE> 缺少值", "a value is required for '--norm <FILE>'"],
        ),
        (PLAN, &["--norm", "nosuch"], ["内置：chifeng-2022", "built in: chifeng-2022"]),
        (
            PLAN,
            &["--xlsx", ""],
            ["--xlsx <FILE> 缺少值", "a value is required for '--xlsx <FILE>'"],
        ),
        (
            PLAN,
            &["--xlsx", "/nosuch/a.xlsx", "--replications", "0"],
            ["无法写入：没有此文件或文件夹", "cannot be written: "],
        ),
        (
            PLAN,
            &["--json=1"],
            ["--json 不带值，多写了“1”", "unexpected value '1' for '--json' found"],
        ),
        (PLAN, &["--seed"], ["--seed <S> 缺少值", "a value is required for '--seed <S>'"]),
        (
            PLAN,
            &["--target"],
            ["--target <HOURS> 缺少值", "a value is required for '--target <HOURS>'"],
        ),
        (
            PLAN,
            &["--seed", "1", "--seed", "1"],
            ["--seed <S> 只能出现一次", "cannot be used multiple times"],
        ),
        (PLAN, &["--json", "--json"], ["--json 只能出现一次", "cannot be used multiple times"]),
        (
            PLAN,
            &["jiyuan"],
            [
                "“jiyuan”不能与 [CITY] 同用；应为：子命令写在最前面",
                "'jiyuan' cannot be used with '[CITY]'\n\n  expected: a subcommand first",
            ],
        ),
        (
            PLAN,
            &["diff", "a", "b"],
            [
                "“diff”不能与 [CITY] 同用；应为：子命令写在最前面",
                "'diff' cannot be used with '[CITY]'",
            ],
        ),
        (
            &["plan", "--json"],
            &["diff", "a", "b"],
            ["不能与 --json、[CITY] 同用；应为：", "expected: a subcommand first"],
        ),
        (&["plan"], &[], ["缺少参数：<CITY>", "<CITY>"]),
        (&["plan"], &[""], ["[CITY] 缺少值", "a value is required for '[CITY]'"]),
        (&["plan"], &["nosuch"], ["内置：chifeng, ", "built in: chifeng, "]),
        (&["plan", "diff"], &["chifeng"], ["缺少参数：<NEW>", "<NEW>"]),
        (&["plan", "diff"], &["chifeng", "nosuch"], ["内置：chifeng, ", "built in: chifeng, "]),
        (
            &["plan", "diff"],
            &["chifeng", "jiyuan", "c"],
            ["不认识的参数“c”", "unexpected argument 'c'"],
        ),
        (WHATIF, &[], ["缺少参数：<--units <+N>|", "<--units <+N>|"]),
        (WHATIF, &["--units", "1"], ["缺少参数：--lab <CODE>", "--lab <CODE>"]),
        (WHATIF, &["--desks", "1"], ["缺少参数：--place <CODE>", "--place <CODE>"]),
        (IN, &["--units", "1", "--pool", "5"], ["--units <+N> 不能与 ", "cannot be used with"]),
        (WHATIF, &["--lab", "x", "--stage", "pcr", "--units", "1"], LAB),
        (WHATIF, &["--lab", "-1", "--stage", "pcr", "--units", "1"], LAB),
        (WHATIF, &["--lab", "", "--stage", "pcr", "--units", "1"], LAB),
        (WHATIF, &["--place", "x", "--desks", "1"], PLACE),
        (WHATIF, &["--place", "-1", "--desks", "1"], PLACE),
        (WHATIF, &["--place", "", "--desks", "1"], PLACE),
        (STAGE_OF, &["--stage", "x"], STAGE),
        (STAGE_OF, &["--stage", "-1"], STAGE),
        (STAGE_OF, &["--stage", ""], STAGE),
        (POOLING, &["--norm", "nosuch"], ["内置：chifeng-2022", "built in: chifeng-2022"]),
        (
            POOLING,
            &["--level", "0.5", "--level", "0.5"],
            ["--level <SHARE> 只能出现一次", "cannot be used multiple times"],
        ),
    ] {
        let told = refused(&[before, words].concat());
        assert!(told[0].contains(zh) && told[1].contains(en), "{before:?} {words:?}: {told:#?}");
        // The system's own reason stands behind the Chinese one, in brackets.
        let told = match told[0].split_once('（') {
            Some((zh, _)) => [zh.to_owned(), told[1].clone()],
            None => told,
        };
        assert!(whole(&told), "{before:?} {words:?}: {told:#?}");
    }
}

/// Each option that takes a value is in one of the tables above, or takes files alone, which are tried there for one command.
#[test]
fn no_option_is_left_out_of_these_tables() {
    let page = include_str!("options.rs");
    let command = cli::command();
    let plan = command.find_subcommand("plan").expect("plan");
    for command in std::iter::once(plan).chain(plan.get_subcommands()) {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let Some(long) = arg.get_long() else { continue };
            let files = ["svg-backlog", "svg-finish"].contains(&long);
            assert!(files || page.contains(&format!("\"--{long}\"")), "{long}");
        }
    }
}
