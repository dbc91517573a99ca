//! What the disk itself can do: a bare write and fdatasync of the same bytes.

use crate::tally::Latency;
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// So late the last write may be done, by the clock that all are due by.
const LATE_MAX: Duration = Duration::from_secs(1);
/// So many times its planned time a probe may take.
const OVER_MAX: f64 = 1.2;

/// What a probe found.
#[derive(Default)]
pub struct Probed {
    /// How long each write took: from when it was due, where they are due by the clock.
    pub latency: Latency,
    /// Seconds that it was to take, and took.
    planned_s: f64,
    took_s: f64,
    /// Seconds from when the last write was due until it was done; 0 where they are not due.
    late_s: f64,
}

impl Probed {
    /// That the disk kept up with what was due. Where it did not, writes queue without end: how long they waited says how
    /// long the probe was, and nothing about the disk.
    pub fn kept_up(&self) -> Result<()> {
        let Probed { planned_s, took_s, late_s, .. } = self;
        ensure!(
            *late_s <= LATE_MAX.as_secs_f64() && *took_s <= planned_s * OVER_MAX,
            "the last bare write was done {late_s:.1} s after it was due, {took_s:.1} s after the first of {planned_s:.0} s"
        );
        Ok(())
    }
}

/// Appends `bytes` and syncs them, over and over for some time: one after the other, or so many a second by the clock.
pub async fn probe(file: &Path, bytes: usize, time: Duration, rate: Option<f64>) -> Result<Probed> {
    let path = file.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        let message = vec![0x5A; bytes];
        let probed = probe_with(time, rate, || {
            file.write_all(&message)?;
            Ok(file.sync_data()?)
        });
        drop(file);
        std::fs::remove_file(&path)?;
        probed
    })
    .await?
}

fn probe_with(
    time: Duration,
    rate: Option<f64>,
    mut write: impl FnMut() -> Result<()>,
) -> Result<Probed> {
    let mut probed = Probed { planned_s: time.as_secs_f64(), ..Probed::default() };
    let begun = Instant::now();
    for nth in 0_u32.. {
        // From the moment that it was due: what a stalled disk holds up waits too.
        let due = rate.map(|rate| begun + Duration::from_secs_f64(f64::from(nth) / rate));
        if let Some(due) = due {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let at = due.unwrap_or_else(Instant::now);
        // A disk that is far behind is not waited for.
        if at.duration_since(begun) >= time || begun.elapsed() > time.mul_f64(2.0 * OVER_MAX) {
            break;
        }
        write()?;
        probed.latency.note(at.elapsed(), 1);
        probed.took_s = begun.elapsed().as_secs_f64();
        probed.late_s = due.map_or(0.0, |due| due.elapsed().as_secs_f64());
    }
    Ok(probed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_probe_ends_in_time_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("probe");
        for (rate, most) in [(None, u64::MAX), (Some(100.0), 5)] {
            let time = Duration::from_millis(50);
            let latency = probe(&file, 340, time, rate).await.unwrap().latency;
            assert!(!latency.0.is_empty() && latency.ms(1.0) > 0.0);
            assert!(latency.0.len() <= most, "{} writes", latency.0.len());
            assert!(!file.exists());
        }
    }

    #[test]
    fn a_disk_that_falls_behind_is_not_compared_with() {
        let of = |planned_s, took_s, late_s| {
            Probed { planned_s, took_s, late_s, ..Probed::default() }.kept_up()
        };
        for (planned, took, late, kept_up) in [
            (15.0, 15.0, 0.001, true),
            (15.0, 15.9, 0.9, true),
            (15.0, 16.1, 1.1, false),
            (4.0, 4.9, 0.9, false),
            (15.0, 36.0, 28.0, false),
        ] {
            assert_eq!(of(planned, took, late).is_ok(), kept_up, "{took} of {planned}, {late}");
        }
        let why = of(15.0, 36.0, 28.04).unwrap_err().to_string();
        assert!(why.contains("28.0 s after it was due"), "{why}");
    }

    #[test]
    fn a_probe_of_a_disk_that_takes_too_long_ends_and_says_so() {
        let slow = || {
            std::thread::sleep(Duration::from_millis(5));
            Ok(())
        };
        // Each write takes at least five times what is between two.
        let probed = probe_with(Duration::from_millis(50), Some(1_000.0), slow).unwrap();
        assert!(probed.latency.0.len() < 50, "{} writes", probed.latency.0.len());
        assert!(probed.kept_up().is_err());
        let one_after_the_other = probe_with(Duration::from_millis(50), None, slow).unwrap();
        assert_eq!(one_after_the_other.late_s, 0.0);
    }
}
