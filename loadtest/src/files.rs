//! Open files: each connection is one, here and at the server, and systems allow few by default.

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files of a process that are not connections of the load: those that a server keeps back for its store (1,536), and some
/// for questions.
pub const RESERVED: u64 = 1_600;

/// Raises the limit of open files as far as this process may; gives it.
pub fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(1 << 20);
    let current = limit.current.unwrap_or(most);
    if current < most {
        let wanted = Rlimit { current: Some(most), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            eprintln!("loadtest: the limit of open files stays at {current}: {error}");
            return current;
        }
    }
    most
}

/// Connections that a process with this limit can have.
pub fn connections_max(limit: u64) -> u32 {
    u32::try_from(limit.saturating_sub(RESERVED)).unwrap_or(u32::MAX).max(1)
}

/// That so many connections are possible.
pub fn check(connections: u32, limit: u64) -> Result<()> {
    ensure!(
        u64::from(connections) + 64 <= limit,
        "{connections} connections, but this process may open {limit} files: raise the hard limit \
         (`ulimit -Hn`, LimitNOFILE=) or give fewer --connections and let devices share them"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(connections_max(20_000), 18_400);
        assert_eq!(connections_max(10), 1);
        assert!(check(19_936, 20_000).is_ok());
        assert!(check(19_937, 20_000).is_err());
        assert!(raise() >= 64);
    }
}
