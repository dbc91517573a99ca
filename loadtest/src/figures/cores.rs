//! What a second core brings the engine: the same benchmark pinned to one core and to two, in turns.

use super::Sheet;
use super::blocks::{disturbed, median};
use super::engine::{remove, synced};
use super::place::number;
use anyhow::{Context, Result};
use serde_json::json;

/// Two cores over one.
pub async fn one_core_to_two(sheet: &mut Sheet) -> Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let cores = cores(list.unwrap_or_default());
    let [first, second, ..] = cores[..] else {
        anyhow::bail!("this process may use {} core, two are needed", cores.len());
    };
    let pins = [first.to_string(), format!("{first},{second}")];
    let seconds = sheet.scale("seconds of a block", 15, 5).to_string();
    let args = ["engine", "--seconds", &seconds, "--leave-unmerged"];
    let dir = sheet.place.part("block");
    let mut sides = [vec![], vec![]];
    let mut busy = [vec![], vec![]];
    for block in 0..4 {
        let side = block % 2;
        remove(&dir)?;
        synced()?;
        let line = sheet.place.benchmark_on(Some(&pins[side]), &args, &dir).await?;
        sides[side].push(number(&line, "tubes_per_s")?);
        busy[side].push(number(&line, "cores_busy")?);
    }
    remove(&dir)?;
    let [one, two] = &sides;
    let details = json!({
        "one_core_tubes_per_s": one,
        "two_cores_tubes_per_s": two,
        "disturbed": disturbed(&[("one_core_tubes_per_s", one), ("two_cores_tubes_per_s", two)]),
        "cores": pins,
        "one_core_busy": busy[0],
        "two_cores_busy": busy[1],
        "seconds": seconds.parse::<u64>().context("seconds are a number")?,
    });
    sheet.put("one_core_to_two", median(two) / median(one), details);
    Ok(())
}

/// Numbers of the cores in a list as the kernel writes it: `0-3,8`.
fn cores(list: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.trim().parse::<u32>().ok()?..=to.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_as_the_kernel_lists_them() {
        for (list, wanted) in [
            ("", &[][..]),
            ("\t0", &[0]),
            ("\t0-1", &[0, 1]),
            ("2,5-7\n", &[2, 5, 6, 7]),
            ("0-1,4", &[0, 1, 4]),
        ] {
            assert_eq!(cores(list), wanted, "{list:?}");
        }
    }
}
