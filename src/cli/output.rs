//! What the commands print. Who reads it may be gone at any time (`swabline plan … | head`), which is no failure of the command;
//! `println!` and `eprintln!` would make a panic of it.

use std::io::{ErrorKind, Result, Write};

/// Writes an answer, or a part of one, on standard output. A reader who is gone has seen enough.
///
/// # Errors
/// When it cannot be written for another reason, such as a full disk.
pub fn answer(text: &str) -> Result<()> {
    all(&mut std::io::stdout().lock(), text)
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
}
