//! How much memory there is: what lies in memory for answers is sized by it, where nobody says otherwise.

use std::path::{Path, PathBuf};

/// Where the kernel shows control groups (version 2).
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory that this process may use: the machine's, or what its control group allows where that is less.
pub fn bytes() -> usize {
    let machine = rustix::system::sysinfo();
    let machine = (machine.totalram as usize).saturating_mul(machine.mem_unit as usize);
    let group = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    group_limit(Path::new(GROUPS), &group).map_or(machine, |limit| limit.min(machine))
}

/// The least limit of a control group and of those around it; `told` = what `/proc/self/cgroup` says.
fn group_limit(groups: &Path, told: &str) -> Option<usize> {
    let own = told.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let dir: PathBuf = groups.join(own);
    let around = dir.ancestors().take_while(|dir| dir.starts_with(groups));
    let limit = |dir: &Path| std::fs::read_to_string(dir.join("memory.max")).ok();
    // The outermost has no limit, and one without says "max".
    around.filter_map(limit).filter_map(|limit| limit.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_a_group_and_those_around_it_counts() {
        let dir = tempfile::tempdir().unwrap();
        let groups = dir.path();
        let service = groups.join("system.slice/swabline.service");
        std::fs::create_dir_all(&service).unwrap();
        let told = "1:cpu:/old\n0::/system.slice/swabline.service\n";
        let limit = |file: PathBuf, limit: &str| std::fs::write(file, limit).unwrap();
        assert_eq!(group_limit(groups, told), None, "nobody says anything");
        limit(service.join("memory.max"), "max\n");
        assert_eq!(group_limit(groups, told), None);
        limit(groups.join("system.slice/memory.max"), "8589934592\n");
        assert_eq!(group_limit(groups, told), Some(8 << 30));
        limit(service.join("memory.max"), "4294967296\n");
        assert_eq!(group_limit(groups, told), Some(4 << 30));
        assert_eq!(group_limit(groups, "1:cpu:/old\n"), None, "version 1 alone");
        assert_eq!(group_limit(groups, "0::/"), None);
    }

    #[test]
    fn a_machine_has_some() {
        assert!(bytes() > 1 << 26, "{}", bytes());
    }
}
