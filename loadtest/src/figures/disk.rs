//! What the disk itself can do: a bare write and fdatasync of the same bytes.

use crate::tally::Latency;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Appends `bytes` and syncs them, over and over for some time; gives how long each took.
pub async fn probe(
    file: &Path,
    bytes: usize,
    time: Duration,
    rate: Option<f64>,
) -> Result<Latency> {
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || probe_now(&file, bytes, time, rate)).await?
}

fn probe_now(path: &PathBuf, bytes: usize, time: Duration, rate: Option<f64>) -> Result<Latency> {
    let mut file = File::create(path).with_context(|| format!("making {}", path.display()))?;
    let message = vec![0x5A; bytes];
    let mut latency = Latency::default();
    let begun = Instant::now();
    for nth in 0_u32.. {
        // From the moment that it was due: what a stalled disk holds up waits too.
        let due = rate.map(|rate| begun + Duration::from_secs_f64(f64::from(nth) / rate));
        if let Some(due) = due {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let at = due.unwrap_or_else(Instant::now);
        if at.duration_since(begun) >= time {
            break;
        }
        file.write_all(&message)?;
        file.sync_data()?;
        latency.note(at.elapsed(), 1);
    }
    drop(file);
    std::fs::remove_file(path)?;
    Ok(latency)
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
            let latency = probe(&file, 340, time, rate).await.unwrap();
            assert!(!latency.0.is_empty() && latency.ms(1.0) > 0.0);
            assert!(latency.0.len() <= most, "{} writes", latency.0.len());
            assert!(!file.exists());
        }
    }
}
