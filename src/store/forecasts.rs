//! The file `forecasts` of a folder: what was read off a round each minute and what was forecast from it, one line each.
//!
//! It is beside the log and no part of it: nothing that was acknowledged depends on it, and it is never on the way of a
//! commit. So it is not synced line by line: a power cut may cost the last lines, which the next minutes replace. What a
//! line says is the forecaster's; here it is text with a check in front:
//!
//! ```text
//! swabline forecasts 1
//! <16 hex digits of the BLAKE3 hash of the text> <text>
//! ```

use super::error::Error;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const NAME: &str = "forecasts";
/// While the older half is taken out.
const NEW: &str = "forecasts.new";
/// The first line: what it is, and in which form.
const HEAD: &str = "swabline forecasts 1\n";
/// Hex digits of the check before each text.
const CHECK_DIGITS: usize = 16;

/// Longest text of one line, in bytes: a longer one is not written, and the caller is told.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForecastLines {
    /// The texts whose check is right, oldest first.
    pub texts: Vec<String>,
    /// Numbers of whole lines, from 1, that are damaged. A torn last line is not among them: it is what a power cut leaves.
    pub damaged: Vec<usize>,
    /// Bytes up to the end of the last whole line.
    whole_bytes: u64,
    /// Whether the head is there. Without it nothing can be appended.
    has_head: bool,
}

/// The file, open for appending. There is one for a folder that is served.
#[derive(Debug)]
pub struct Forecasts {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
    thin: Thin,
}

/// Of a line that says nearly what its neighbours of the same kind say: its kind, whatever number that has. `None` = a line
/// that says what no other says.
pub type Thin = fn(&str) -> Option<u8>;

impl ForecastLines {
    /// Reads the file of a folder; a folder without one has no lines.
    ///
    /// # Errors
    /// When it cannot be read. Damage is no error: it is in `damaged`.
    pub fn read(dir: &Path) -> Result<ForecastLines, Error> {
        let path = dir.join(NAME);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(ForecastLines::parse(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(ForecastLines::default())
            }
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    fn parse(bytes: &[u8]) -> ForecastLines {
        let mut lines = ForecastLines::default();
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let Some(text) = line.strip_suffix(b"\n") else { break };
            lines.whole_bytes += line.len() as u64;
            match (number, checked(text)) {
                (0, _) if line == HEAD.as_bytes() => lines.has_head = true,
                (0, _) | (_, None) => lines.damaged.push(number + 1),
                (_, Some(text)) => lines.texts.push(text.to_owned()),
            }
        }
        lines
    }
}

/// The text of a line, when its check is right.
fn checked(line: &[u8]) -> Option<&str> {
    let (check, text) = std::str::from_utf8(line).ok()?.split_at_checked(CHECK_DIGITS)?;
    let text = text.strip_prefix(' ')?;
    let right = check == check_of(text) || crate::breaks::on("forecast_lines_unchecked");
    right.then_some(text)
}

fn check_of(text: &str) -> String {
    let mut digits = blake3::hash(text.as_bytes()).to_hex().to_string();
    digits.truncate(CHECK_DIGITS);
    digits
}

impl Forecasts {
    /// Opens the file of a folder, cuts a torn last line off, and gives what stands in it. `bytes_max`: at the limit every
    /// second one of the older half of the lines of each kind that `thin` names is taken out, until half of it is free or
    /// they are but a quarter of it; then the oldest lines of all. So a long round keeps its beginning, with wider gaps.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(
        dir: &Path,
        bytes_max: u64,
        thin: Thin,
    ) -> Result<(Forecasts, ForecastLines), Error> {
        let path = dir.join(NAME);
        let lines = ForecastLines::read(dir)?;
        let open = || {
            // A rotation that was cut short.
            match std::fs::remove_file(dir.join(NEW)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)?;
            let mut bytes = lines.whole_bytes;
            if bytes == 0 {
                file.set_len(0)?;
                file.write_all(HEAD.as_bytes())?;
                bytes = HEAD.len() as u64;
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(Error::file(path.clone()))?;
        let mut forecasts = Forecasts { path, file, bytes, bytes_max, thin };
        if !lines.has_head && lines.whole_bytes > 0 {
            // The head is damaged, the rest is not: written anew, so that it is read the next time.
            forecasts.rewrite(&lines.texts)?;
        }
        Ok((forecasts, lines))
    }

    /// Adds a line. A text holds no line break; one that does is written with blanks in their place.
    ///
    /// # Errors
    /// When the disk says no, or the text is longer than [`LINE_BYTES_MAX`]. What stood there stays.
    pub fn append(&mut self, text: &str) -> Result<(), Error> {
        if text.len() > LINE_BYTES_MAX {
            let long = std::io::Error::other(format!("a line of {} bytes is too long", text.len()));
            return Err(Error::file(self.path.clone())(long));
        }
        let line = line_of(text);
        if self.bytes + line.len() as u64 > self.bytes_max {
            self.rotate()?;
        }
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.bytes += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line must not stand before the next one.
                let _ = self.file.set_len(self.bytes);
                let _ = self.file.seek(SeekFrom::Start(self.bytes));
                Err(Error::file(self.path.clone())(error))
            }
        }
    }

    /// Makes room: half of the file.
    fn rotate(&mut self) -> Result<(), Error> {
        let bytes = std::fs::read(&self.path).map_err(Error::file(self.path.clone()))?;
        let mut texts = ForecastLines::parse(&bytes).texts;
        let room = self.bytes_max / 2;
        let may_go =
            |texts: &[String]| bytes_of(texts.iter().filter(|text| (self.thin)(text).is_some()));
        // Not for the sake of what is older than they: that goes first when it is more than half of what is kept.
        while bytes_of(&texts) > room && may_go(&texts) > room / 2 && thinned(&mut texts, self.thin)
        {
        }
        let mut kept = 0;
        let newest = texts.iter().rev().take_while(|text| {
            kept += bytes_of([*text]);
            kept <= room
        });
        let gone = texts.len() - newest.count();
        texts.drain(..gone);
        self.rewrite(&texts)
    }

    /// The file with these lines and no others: whole or not at all.
    fn rewrite(&mut self, texts: &[String]) -> Result<(), Error> {
        let mut whole = String::from(HEAD);
        texts.iter().for_each(|text| whole.push_str(&line_of(text)));
        let new = self.path.with_file_name(NEW);
        let write = || {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&new)?;
            file.write_all(whole.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, &self.path)?;
            Ok(file)
        };
        self.file = write().map_err(Error::file(self.path.clone()))?;
        self.bytes = whole.len() as u64;
        Ok(())
    }
}

/// Bytes of the lines of some texts.
fn bytes_of<'t>(texts: impl IntoIterator<Item = &'t String>) -> u64 {
    texts.into_iter().map(|text| (text.len() + CHECK_DIGITS + 2) as u64).sum()
}

/// Takes every second one of the older half of each kind out that `thin` names; says whether any went. By kind, because
/// lines of two kinds may take turns.
fn thinned(texts: &mut Vec<String>, thin: Thin) -> bool {
    let before = texts.len();
    let mut of: HashMap<u8, usize> = HashMap::new();
    texts.iter().filter_map(|text| thin(text)).for_each(|kind| *of.entry(kind).or_default() += 1);
    let mut numbers: HashMap<u8, usize> = HashMap::new();
    texts.retain(|text| {
        let Some(kind) = thin(text) else { return true };
        let number = numbers.entry(kind).or_default();
        *number += 1;
        *number > of[&kind] / 2 || *number % 2 == 1
    });
    texts.len() < before
}

fn line_of(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    format!("{} {text}\n", check_of(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No line may be thinned.
    fn none(_: &str) -> Option<u8> {
        None
    }

    fn texts(dir: &Path) -> Vec<String> {
        ForecastLines::read(dir).unwrap().texts
    }

    fn with(dir: &Path, lines: &[&str]) -> Forecasts {
        let (mut file, _) = Forecasts::open(dir, 1 << 20, none).unwrap();
        lines.iter().for_each(|line| file.append(line).unwrap());
        file
    }

    #[test]
    fn lines_are_there_after_opening_again_and_more_can_be_added() {
        let dir = tempfile::tempdir().unwrap();
        assert!(texts(dir.path()).is_empty(), "no file, no lines");
        drop(with(dir.path(), &["一", "two\nlines", ""]));
        let (mut file, found) = Forecasts::open(dir.path(), 1 << 20, none).unwrap();
        assert_eq!((found.texts.len(), found.damaged.len()), (3, 0));
        file.append("four").unwrap();
        assert_eq!(texts(dir.path()), ["一", "two lines", "", "four"]);
    }

    #[test]
    fn a_torn_end_is_cut_wherever_it_is_torn() {
        let dir = tempfile::tempdir().unwrap();
        drop(with(dir.path(), &["one", "two"]));
        let path = dir.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (mut file, found) = Forecasts::open(dir.path(), 1 << 20, none).unwrap();
            assert!(found.damaged.is_empty(), "torn at {length}");
            file.append("next").unwrap();
            let mut expected = found.texts.clone();
            expected.push("next".into());
            let read = ForecastLines::read(dir.path()).unwrap();
            assert_eq!((read.texts, read.damaged), (expected, vec![]), "torn at {length}");
        }
    }

    #[test]
    fn a_changed_byte_costs_one_line_and_is_named() {
        let dir = tempfile::tempdir().unwrap();
        drop(with(dir.path(), &["one", "two", "three"]));
        let path = dir.path().join(NAME);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(3).position(|three| three == b"two").unwrap();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let found = ForecastLines::read(dir.path()).unwrap();
        assert_eq!((found.texts, found.damaged), (vec!["one".into(), "three".into()], vec![3]));
        // A head that is damaged costs nothing else.
        bytes[at] ^= 1;
        bytes[0] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        drop(Forecasts::open(dir.path(), 1 << 20, none).unwrap());
        let found = ForecastLines::read(dir.path()).unwrap();
        assert_eq!((found.texts.len(), found.damaged.len()), (3, 0));
    }

    #[test]
    fn at_its_limit_the_oldest_half_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, _) = Forecasts::open(dir.path(), 2_000, none).unwrap();
        for number in 0..200 {
            file.append(&format!("line {number}")).unwrap();
            let length = std::fs::metadata(dir.path().join(NAME)).unwrap().len();
            assert!(length <= 2_000, "{length} bytes after line {number}");
        }
        let texts = texts(dir.path());
        assert_eq!(texts.last().map(String::as_str), Some("line 199"));
        assert!(texts.len() > 20, "half is kept: {}", texts.len());
        let (_, again) = Forecasts::open(dir.path(), 2_000, none).unwrap();
        assert_eq!(again.texts, texts);
        assert!(file.append(&"x".repeat(LINE_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn at_its_limit_readings_get_thinner_and_the_beginning_and_other_lines_stay() {
        let dir = tempfile::tempdir().unwrap();
        let thin: Thin = |text| text.starts_with('r').then_some(0);
        let (mut file, _) = Forecasts::open(dir.path(), 4_000, thin).unwrap();
        for number in 0..400 {
            file.append(&format!("r{number}")).unwrap();
            if number % 50 == 0 {
                file.append(&format!("told {number}")).unwrap();
            }
            let length = std::fs::metadata(dir.path().join(NAME)).unwrap().len();
            assert!(length <= 4_000, "{length} bytes after line {number}");
        }
        let texts = texts(dir.path());
        assert_eq!(texts.iter().filter(|text| text.starts_with("told")).count(), 8, "{texts:?}");
        assert_eq!(texts.first().map(String::as_str), Some("r0"), "{texts:?}");
        assert_eq!(texts.last().map(String::as_str), Some("r399"));
        let numbers: Vec<u32> =
            texts.iter().filter_map(|text| text.strip_prefix('r')?.parse().ok()).collect();
        assert!(numbers.windows(2).all(|two| two[0] < two[1]) && numbers.len() > 50, "{texts:?}");
    }

    #[test]
    fn of_two_kinds_that_take_turns_both_stay() {
        let dir = tempfile::tempdir().unwrap();
        let thin: Thin = |text| text.bytes().next().filter(|kind| b"rp".contains(kind));
        let (mut file, _) = Forecasts::open(dir.path(), 4_000, thin).unwrap();
        for number in 0..400 {
            file.append(&format!("r{number}")).unwrap();
            file.append(&format!("p{number}")).unwrap();
        }
        let texts = texts(dir.path());
        for kind in ['r', 'p'] {
            let of: Vec<_> = texts.iter().filter(|text| text.starts_with(kind)).collect();
            assert!(of.len() > 20 && *of[0] == format!("{kind}0"), "{kind}: {of:?}");
        }
    }
}
