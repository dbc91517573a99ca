//! How far a long answer is, on standard error: at once on a terminal, where the line is written over; elsewhere a line now and
//! then, once it takes long. Of what cannot say how far it is, its name and since when it goes on: a thread of its own tells that.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
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

/// How often it is looked whether a step goes on for long.
const LOOK: Duration = Duration::from_millis(100);

/// Says how far an answer is.
pub(super) struct Progress {
    /// None: says nothing.
    told: Option<Arc<Mutex<Told>>>,
    lang: Option<Lang>,
    /// Who tells of steps, and what ends it.
    teller: Mutex<Option<(SyncSender<()>, JoinHandle<()>)>>,
}

struct Told {
    out: Box<dyn Write + Send>,
    terminal: bool,
    /// When the next line may be written.
    next: Instant,
    /// Whether a line stands on the terminal.
    stands: bool,
    /// The step that goes on and says nothing itself, and since when.
    step: Option<(Words, Instant)>,
}

impl Told {
    /// A line, where it is time for one.
    fn tell(&mut self, lang: Option<Lang>, what: &dyn Fn() -> Words) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + if self.terminal { EACH_ON_TERMINAL } else { EACH };
        let line = say(lang, &what());
        // Nobody reads it when that fails.
        let _ = match self.terminal {
            true => write!(self.out, "\r\u{1b}[K{line}").and_then(|()| self.out.flush()),
            false => writeln!(self.out, "{line}"),
        };
        self.stands = self.terminal;
    }

    /// The same of the step that goes on.
    fn tell_step(&mut self, lang: Option<Lang>) {
        if let Some((step, since)) = self.step.clone() {
            let s = since.elapsed().as_secs();
            let words =
                Words::new(format!("{}（{s} 秒）", step.zh), format!("{} ({s} s)", step.en));
            self.tell(lang, &|| words.clone());
        }
    }
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
        let told = Told { out, terminal, next, stands: false, step: None };
        Progress { told: Some(Arc::new(Mutex::new(told))), lang, teller: Mutex::new(None) }
    }

    /// Says nothing.
    pub fn silent() -> Progress {
        Progress { told: None, lang: None, teller: Mutex::new(None) }
    }

    /// A step begins: where it takes long and tells nothing itself, it is told by its name.
    pub fn step(&self, zh: &str, en: &str) {
        let Some(told) = &self.told else { return };
        if let Ok(mut told) = told.lock() {
            told.step = Some((Words::new(zh, en), Instant::now()));
        }
        let Ok(mut teller) = self.teller.lock() else { return };
        let (told, lang) = (told.clone(), self.lang);
        teller.get_or_insert_with(|| {
            // Nothing is ever sent: it ends when the other end is gone.
            let (end, ended) = sync_channel(0);
            let tell = move || {
                while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if let Ok(mut told) = told.lock() {
                        told.tell_step(lang);
                    }
                }
            };
            (end, std::thread::spawn(tell))
        });
    }

    /// Says what is being done, unless something was said a moment ago. From any thread; who is in each other's way is silent.
    pub fn tell(&self, what: &dyn Fn() -> Words) {
        if let Some(mut told) = self.told.as_ref().and_then(|told| told.try_lock().ok()) {
            // It speaks for itself.
            told.step = None;
            told.tell(self.lang, what);
        }
    }

    /// Nothing goes on any more: takes the line off the terminal again.
    pub fn end(&self) {
        let teller = self.teller.lock().ok().and_then(|mut teller| teller.take());
        if let Some((end, teller)) = teller {
            drop(end);
            let _ = teller.join();
        }
        if let Some(mut told) = self.told.as_ref().and_then(|told| told.lock().ok())
            && std::mem::take(&mut told.stands)
        {
            let _ = write!(told.out, "\r\u{1b}[K").and_then(|()| told.out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
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

    /// What a screen shows, once it shows anything.
    fn shown(screen: &Screen) -> String {
        for _ in 0..3000 {
            let written = screen.0.lock().expect("a screen").clone();
            if !written.is_empty() {
                return String::from_utf8(written).expect("text");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        String::new()
    }

    #[test]
    fn a_step_that_tells_nothing_itself_is_told_by_its_name_in_both_languages() {
        for (lang, line) in [
            (None, "分派（0 秒） / assigning (0 s)\n"),
            (Some(Lang::Zh), "分派（0 秒）\n"),
            (Some(Lang::En), "assigning (0 s)\n"),
        ] {
            let screen = Screen::default();
            let since = Instant::now();
            let progress = Progress::on(Box::new(screen.clone()), false, since, lang);
            progress.step("分派", "assigning");
            // A busy machine may look late.
            let shown = shown(&screen);
            let digits = |c: char| c.is_ascii_digit();
            assert_eq!(shown.replace(digits, "0").replace("00", "0"), line, "{lang:?}");
            progress.end();
        }
        // What speaks for itself is not spoken for.
        let screen = Screen::default();
        let progress = Progress::on(Box::new(screen.clone()), true, Instant::now(), Some(Lang::En));
        progress.step("分派", "assigning");
        progress.tell(&|| Words::new("模拟", "simulating"));
        assert!(progress.told.as_ref().expect("told").lock().expect("told").step.is_none());
        progress.end();
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
