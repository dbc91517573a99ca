//! What the commands print. Who reads it may be gone at any time (`swabline plan … | head`), which is no failure of the command;
//! `println!` and `eprintln!` would make a panic of it.

use std::io::{ErrorKind, Result, Write};

use crate::cli::city_file;

/// Standard output cannot be written, and why. In both languages; a command that knows its reader's tells it in that.
#[derive(Debug, thiserror::Error)]
#[error("{}\n{}", self.zh(), self.en())]
pub struct Unwritten(std::io::Error);

impl Unwritten {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        format!("标准输出无法写入：{}（{}）", city_file::reason_zh(&self.0), self.0)
    }

    /// The message in English.
    pub fn en(&self) -> String {
        format!("standard output cannot be written: {}", self.0)
    }
}

/// Writes an answer, or a part of one, on standard output. A reader who is gone has seen enough.
///
/// # Errors
/// When it cannot be written for another reason, such as a full disk.
pub fn answer(text: &str) -> std::result::Result<(), Unwritten> {
    all(&mut std::io::stdout().lock(), text).map_err(Unwritten)
}

/// Says something beside the answer, on standard error, as a line of its own. Nobody reads it when that fails.
pub fn aside(text: &str) {
    let _ = all(&mut std::io::stderr().lock(), &format!("{text}\n"));
}

/// Says something on standard error as it stands: lines that are ended, or a line that is written over.
pub fn aside_as_it_is(text: &str) {
    let _ = all(&mut std::io::stderr().lock(), text);
}

fn all(out: &mut dyn Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses everything for a reason.
    struct Refuses(ErrorKind);

    impl Write for Refuses {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_is_gone_is_no_failure_and_a_full_disk_is() {
        for (why, fails) in [(ErrorKind::BrokenPipe, false), (ErrorKind::StorageFull, true)] {
            assert_eq!(all(&mut Refuses(why), "an answer").is_err(), fails, "{why}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_named_with_the_reason_in_both_languages() {
        let written = all(&mut Refuses(ErrorKind::StorageFull), "an answer").map_err(Unwritten);
        let error = anyhow::Error::from(written.expect_err("a full disk"));
        assert_eq!(
            format!("{error:#}"),
            "标准输出无法写入：磁盘空间不足（no storage space）\nstandard output cannot be written: no storage space"
        );
    }
}
