//! Files that are written: never over one that is read, nor over one another.

use super::layers::TINY;
use super::*;

/// A folder with a city file, its norm pack, the pack below that, and links to them; `plan` asked there with these outputs, and
/// what is in the files that are read afterwards.
fn asked(outputs: &[&str]) -> (Result<(String, u8), Error>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let city = TINY.replacen("norm = \"chifeng-2022\"", "norm = \"own.toml\"", 1);
    assert!(city.contains("own.toml"));
    let pack = |name: &str, base: &str| {
        format!(
            "name = \"{name}\"\ntitle = \"本市\"\ntitle_en = \"Own\"\nbase = \"{base}\"\n[sources]\n"
        )
    };
    let inputs = [
        ("city.toml", city),
        ("own.toml", pack("own", "below.toml")),
        ("below.toml", pack("below", "guide-3rd-2022")),
        ("given.toml", pack("given", "guide-3rd-2022")),
    ];
    for (name, text) in &inputs {
        std::fs::write(at(name), text).expect("written");
    }
    std::fs::create_dir(at("sub")).expect("a folder");
    std::fs::write(at("other.toml"), "of another city").expect("written");
    std::fs::write(at("earlier.xlsx"), "an earlier output").expect("written");
    std::fs::hard_link(at("city.toml"), at("hard.toml")).expect("a link");
    for (to, link) in [
        ("below.toml", "soft.svg"),
        ("later.svg", "dangling.svg"),
        (".", "here"),
        ("other.toml", "given.xlsx"),
    ] {
        std::os::unix::fs::symlink(to, at(link)).expect("a link");
    }
    let mut words = vec![at("city.toml").display().to_string()];
    for word in outputs {
        words.push(match word.strip_prefix("--") {
            Some(_) => (*word).to_owned(),
            None => at(word).display().to_string(),
        });
    }
    words.extend(["--replications".to_owned(), "2".to_owned()]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let said = answer(&typed(&words).expect("arguments"));
    let whole = inputs
        .iter()
        .all(|(name, text)| std::fs::read_to_string(at(name)).is_ok_and(|now| now == *text));
    let earlier =
        std::fs::read_to_string(at("earlier.xlsx")).is_ok_and(|now| now == "an earlier output");
    let other = std::fs::read_to_string(at("other.toml")).is_ok_and(|now| now == "of another city");
    let refused = said.is_err();
    (said, whole && other && (earlier || !refused))
}

#[test]
fn no_output_is_written_over_an_input_or_another_output() {
    for (outputs, zh, en) in [
        (&["--xlsx", "city.toml"][..], "与城市文件 ", "as the city file "),
        (&["--xlsx", "./city.toml"], "与城市文件 ", "as the city file "),
        (&["--xlsx", "sub/../city.toml"], "与城市文件 ", "as the city file "),
        (&["--svg-finish", "here/city.toml"], "与城市文件 ", "as the city file "),
        (&["--svg-backlog", "hard.toml"], "与城市文件 ", "as the city file "),
        (&["--xlsx", "own.toml"], "与规范包 ", "as the norm pack "),
        (&["--svg-finish", "soft.svg"], "与基础规范包 ", "as the base pack "),
        (&["--norm", "given.toml", "--xlsx", "given.toml"], "与规范包 ", "as the norm pack "),
        // The file's own pack is not read then, and is written over all the less.
        (&["--norm", "given.toml", "--xlsx", "own.toml"], "与规范包 ", "as the norm pack "),
        (&["--xlsx", "a", "--svg-finish", "a"], "与 --xlsx ", "as --xlsx "),
        (
            &["--svg-backlog", "a", "--svg-finish", "sub/../a"],
            "与 --svg-backlog ",
            "as --svg-backlog ",
        ),
        (
            &["--svg-backlog", "here/a", "--svg-finish", "a"],
            "与 --svg-backlog ",
            "as --svg-backlog ",
        ),
        (&["--xlsx", "later.svg", "--svg-finish", "dangling.svg"], "与 --xlsx ", "as --xlsx "),
        (&["--xlsx", "earlier.xlsx", "--svg-finish", "./earlier.xlsx"], "与 --xlsx ", "as --xlsx "),
    ] {
        let (said, whole) = asked(outputs);
        let error = said.map(|_| ()).expect_err(&format!("{outputs:?}"));
        let (told_zh, told_en) = (error.zh(), error.en());
        assert!(told_zh.contains(zh) && told_zh.contains("是同一个文件"), "{outputs:?}: {told_zh}");
        assert!(told_en.contains(en) && told_en.contains("is the same file"), "{told_en}");
        let first = outputs[outputs.len() - 2];
        assert!(told_zh.starts_with(first) && told_en.starts_with(first), "{told_en}");
        assert!(whole, "{outputs:?}");
    }
}

#[test]
fn an_earlier_output_may_be_written_over() {
    for outputs in [
        &["--xlsx", "earlier.xlsx"][..],
        &["--xlsx", "a.xlsx", "--svg-backlog", "B.SVG", "--svg-finish", "sub/a.svg"],
        &["--svg-finish", "dangling.svg"],
        // Nothing is kept there, so nothing is lost.
        &["--xlsx", "/dev/null", "--svg-finish", "/dev/null"],
    ] {
        let (said, whole) = asked(outputs);
        assert!(said.is_ok() && whole, "{outputs:?}: {said:?}");
    }
}

/// What lies under another ending is something else, another city's file say: it is not written over, and no other output is
/// written either.
#[test]
fn an_output_that_ends_otherwise_is_refused() {
    for (outputs, ends) in [
        (&["--svg-backlog", "given.toml"][..], ".svg"),
        (&["--xlsx", "given.toml"], ".xlsx"),
        (&["--xlsx", "new.xls"], ".xlsx"),
        (&["--xlsx", "new"], ".xlsx"),
        (&["--svg-finish", "new.svg.toml"], ".svg"),
        (&["--xlsx", "earlier.xlsx", "--svg-finish", "new.xlsx"], ".svg"),
        // A link is what it leads to.
        (&["--xlsx", "given.xlsx"], ".xlsx"),
    ] {
        let (said, whole) = asked(outputs);
        let error = said.map(|_| ()).expect_err(&format!("{outputs:?}"));
        let last = outputs[outputs.len() - 2];
        let (zh, en) = (error.zh(), error.en());
        assert!(
            zh.starts_with(last) && zh.contains(&format!("不以 {ends} 结尾，未写入任何文件")),
            "{zh}"
        );
        assert!(
            en.starts_with(last)
                && en.contains(&format!("does not end in {ends}; nothing was written"))
        );
        assert!(whole, "{outputs:?}");
    }
}
