//! What the disk itself can do: a bare write and fdatasync of the same bytes.

use crate::tally::Latency;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Appends `bytes` and syncs them, over and over for some time; gives how long each took.
pub async fn probe(file: &Path, bytes: usize, time: Duration) -> Result<Latency> {
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || probe_now(&file, bytes, time)).await?
}

fn probe_now(path: &PathBuf, bytes: usize, time: Duration) -> Result<Latency> {
    let mut file = File::create(path).with_context(|| format!("making {}", path.display()))?;
    let message = vec![0x5A; bytes];
    let mut latency = Latency::default();
    let begun = Instant::now();
    while begun.elapsed() < time {
        let at = Instant::now();
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
        let latency = probe(&file, 340, Duration::from_millis(50)).await.unwrap();
        assert!(!latency.0.is_empty() && latency.ms(1.0) > 0.0);
        assert!(!file.exists());
    }
}
