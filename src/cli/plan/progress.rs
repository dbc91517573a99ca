//! How far a long answer is, on standard error: at once on a terminal, where the line is written over; elsewhere a line now and
//! then, once it takes long.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Lang;
use super::words::say;
use crate::planner::Words;

/// Nothing is said before.
const FIRST_ON_TERMINAL: Duration = Duration::from_secs(1);
const FIRST: Duration = Duration::from_secs(5);
/// Between two lines.
const EACH_ON_TERMINAL: Duration = Duration::from_millis(200);
const EACH: Duration = Duration::from_secs(10);

/// Says how far an answer is.
pub(super) struct Progress {
    /// None: says nothing.
    told: Option<Mutex<Told>>,
    lang: Option<Lang>,
}

struct Told {
    out: Box<dyn Write + Send>,
    terminal: bool,
    /// When the next line may be written.
    next: Instant,
    /// Whether a line stands on the terminal.
    stands: bool,
}

impl Progress {
    /// On standard error.
    pub fn on_stderr(lang: Option<Lang>) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let first = if terminal { FIRST_ON_TERMINAL } else { FIRST };
        Progress::on(Box::new(std::io::stderr()), terminal, Instant::now() + first, lang)
    }

    pub(super) fn on(
        out: Box<dyn Write + Send>,
        terminal: bool,
        next: Instant,
        lang: Option<Lang>,
    ) -> Progress {
        let told = Told { out, terminal, next, stands: false };
        Progress { told: Some(Mutex::new(told)), lang }
    }

    /// Says nothing.
    pub fn silent() -> Progress {
        Progress { told: None, lang: None }
    }

    /// Says what is being done, unless something was said a moment ago. From any thread; who is in each other's way is silent.
    pub fn tell(&self, what: &dyn Fn() -> Words) {
        let Some(mut told) = self.told.as_ref().and_then(|told| told.try_lock().ok()) else {
            return;
        };
        let now = Instant::now();
        if now < told.next {
            return;
        }
        told.next = now + if told.terminal { EACH_ON_TERMINAL } else { EACH };
        let line = say(self.lang, &what());
        // Nobody reads it when that fails.
        let _ = match told.terminal {
            true => write!(told.out, "\r\u{1b}[K{line}").and_then(|()| told.out.flush()),
            false => writeln!(told.out, "{line}"),
        };
        told.stands = told.terminal;
    }

    /// Takes the line off the terminal again.
    pub fn end(&self) {
        if let Some(mut told) = self.told.as_ref().and_then(|told| told.lock().ok())
            && std::mem::take(&mut told.stands)
        {
            let _ = write!(told.out, "\r\u{1b}[K").and_then(|()| told.out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("a screen").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn it_is_said_when_it_is_time_and_in_the_language_that_was_asked_for() {
        let hour = Duration::from_secs(3600);
        let now = Instant::now();
        for (terminal, next, lang, shown) in [
            (false, now, None, "甲 / A\n"),
            (false, now, Some(Lang::En), "A\n"),
            (true, now, Some(Lang::Zh), "\r\u{1b}[K甲\r\u{1b}[K"),
            (true, now + hour, None, ""),
        ] {
            let screen = Screen::default();
            let progress = Progress::on(Box::new(screen.clone()), terminal, next, lang);
            // The second comes too soon after the first.
            (0..2).for_each(|_| progress.tell(&|| Words::new("甲", "A")));
            progress.end();
            progress.end();
            let written = screen.0.lock().expect("a screen").clone();
            assert_eq!(String::from_utf8(written).expect("text"), shown, "{terminal} {lang:?}");
        }
        Progress::silent().tell(&|| panic!("nobody asked"));
    }
}
