//! Open files: each connection is one, and so is each table that the store reads. A store that cannot open a file stops
//! intake, so connections never take the store's.

use crate::config::Config;

/// Files beside connections and the tables that the store keeps open: its logs and those it is writing, the process's own,
/// and who reads the metrics.
const OTHER_FILES: u64 = 512;

/// With fewer files than this the service does not start: half of them would not do for the store.
const FILES_MIN: u64 = 512;

/// The machine lets this process open too few files.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may open {0} files, and it needs {FILES_MIN} at least: raise the hard limit (`ulimit -Hn`, LimitNOFILE= of \
     the systemd unit, --ulimit nofile= of a container) \
     本进程最多只能打开 {0} 个文件，至少需要 {FILES_MIN} 个：请调高硬限制（ulimit -Hn，systemd 的 LimitNOFILE=，\
     容器的 --ulimit nofile=）"
)]
pub struct TooFew(u64);

/// Takes as many files as the machine lets this process have, keeps back what the store needs, and lowers
/// `connections_max` and `open_files_max` to what that leaves. A shell allows 1,024 files: half of them are connections.
///
/// # Errors
/// When the machine allows too few.
pub fn share_out(config: &mut Config) -> Result<(), TooFew> {
    let raised = rlimit::increase_nofile_limit(rlimit::INFINITY);
    let files = raised.or_else(|_| rlimit::Resource::NOFILE.get_soft());
    let files =
        files.map_err(|error| tracing::warn!(%error, "cannot tell how many files may be open"));
    let Ok(files) = files else { return Ok(()) };
    let asked = config.api.connections_max;
    let (connections, tables) = shares(files, asked, config.store.open_files_max)?;
    (config.api.connections_max, config.store.open_files_max) = (connections, tables);
    tracing::info!(
        files,
        connections_max = connections,
        open_files_max = tables,
        "files that may be open at a time, and what of them is for connections and for tables of each database"
    );
    if connections < asked {
        tracing::warn!(
            asked,
            connections_max = connections,
            "fewer connections than configured: raise the hard limit of open files (LimitNOFILE=) 可用连接数低于配置：请调高文件数硬限制"
        );
    }
    Ok(())
}

/// How many connections, and how many tables of each of the store's two databases, may be open.
fn shares(files: u64, connections: usize, tables: usize) -> Result<(usize, usize), TooFew> {
    if files < FILES_MIN {
        return Err(TooFew(files));
    }
    let wanted = 2 * tables as u64 + OTHER_FILES;
    // Where that is more than half, the store has half: a third of it for each database, a third for everything else.
    let kept = wanted.min(files / 2);
    let least =
        |left: u64, asked: usize| usize::try_from(left).map_or(asked, |left| left.min(asked));
    let tables = if kept < wanted { least(kept / 3, tables) } else { tables };
    Ok((least(files - kept, connections), tables))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_has_its_files_before_connections_have_theirs() {
        for (files, connections, tables, expected) in [
            // As the systemd unit has it; a machine with a hard limit; a shell; the least.
            (262_144, 40_000, 512, (40_000, 512)),
            (20_000, 40_000, 512, (18_464, 512)),
            (1_024, 40_000, 512, (512, 170)),
            (512, 40_000, 512, (256, 85)),
            // Fewer are asked for; more tables are; no limit at all.
            (1_024, 50, 512, (50, 170)),
            (20_000, 40_000, 2_000, (15_488, 2_000)),
            (u64::MAX, 40_000, 512, (40_000, 512)),
        ] {
            let got = shares(files, connections, tables).unwrap();
            assert_eq!(got, expected, "{files} files");
            assert!(got.0 as u64 + 2 * got.1 as u64 + files.min(512) / 6 <= files, "{files} files");
        }
        let said = shares(511, 10, 512).unwrap_err().to_string();
        assert!(
            said.contains("may open 511 files")
                && said.contains("LimitNOFILE")
                && said.contains("请调高")
        );
    }
}
