//! How much memory there is: what lies in memory for answers is sized by it, where nobody says otherwise.

use std::path::Path;

/// Where the kernel shows control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory that this process may use: the machine's, or what its control group allows where that is less.
pub fn bytes() -> usize {
    let machine = rustix::system::sysinfo();
    let machine = (machine.totalram as usize).saturating_mul(machine.mem_unit as usize);
    let told = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    group_limit(Path::new(GROUPS), &told).map_or(machine, |limit| limit.min(machine))
}

/// The least limit of the process's control groups and of those around them, of version 2 (at which it ends, or is slowed
/// down) and of version 1; `told` = what `/proc/self/cgroup` says: hierarchy, controllers, path.
fn group_limit(groups: &Path, told: &str) -> Option<usize> {
    let lines = told.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        Some((parts.next()?, parts.next()?, parts.next()?))
    });
    let limits = lines.filter_map(|(hierarchy, controllers, own)| match controllers {
        "" if hierarchy == "0" => least(groups, own, &["memory.max", "memory.high"]),
        _ if controllers.split(',').any(|one| one == "memory") => {
            least(&groups.join("memory"), own, &["memory.limit_in_bytes"])
        }
        _ => None,
    });
    limits.min()
}

/// The least number that one of these files holds, in the group `own` below `top` and in those around it. In a container the
/// path may be the machine's and not be there; its own group is then the topmost.
fn least(top: &Path, own: &str, files: &[&str]) -> Option<usize> {
    let dir = top.join(own.trim_start_matches('/'));
    let around = dir.ancestors().take_while(|dir| dir.starts_with(top));
    let read = around.flat_map(|dir| files.iter().map(move |file| dir.join(file)));
    // One without a limit says "max", or a number that is larger than any machine.
    read.filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_least_limit_of_a_group_and_those_around_it_counts() {
        let dir = tempfile::tempdir().unwrap();
        let groups = dir.path();
        let (service, memory) =
            (groups.join("system.slice/swabline.service"), groups.join("memory"));
        std::fs::create_dir_all(&service).unwrap();
        std::fs::create_dir_all(memory.join("docker/1")).unwrap();
        let told = "1:cpu:/old\n0::/system.slice/swabline.service\n";
        let limit = |file: PathBuf, limit: &str| std::fs::write(file, limit).unwrap();
        assert_eq!(group_limit(groups, told), None, "nobody says anything");
        limit(service.join("memory.max"), "max\n");
        assert_eq!(group_limit(groups, told), None);
        limit(groups.join("system.slice/memory.max"), "8589934592\n");
        assert_eq!(group_limit(groups, told), Some(8 << 30));
        limit(service.join("memory.max"), "4294967296\n");
        assert_eq!(group_limit(groups, told), Some(4 << 30));
        limit(service.join("memory.high"), "3221225472\n");
        assert_eq!(group_limit(groups, told), Some(3 << 30), "it would be slowed down there");
        // Version 1, beside a version 2 that does not know memory, as it is in a container: its own group is at the top.
        let told = "4:cpuacct,memory:/docker/9\n1:cpu:/\n0::/\n";
        assert_eq!(group_limit(groups, told), None);
        limit(memory.join("memory.limit_in_bytes"), "2147483648\n");
        assert_eq!(group_limit(groups, told), Some(2 << 30));
        // A container's own group of version 2 is the topmost too.
        limit(groups.join("memory.max"), "1073741824\n");
        assert_eq!(group_limit(groups, "0::/\n"), Some(1 << 30));
        assert_eq!(group_limit(groups, "0::/docker/9\n"), Some(1 << 30));
        assert_eq!(group_limit(groups, "no line of the kind"), None);
    }

    #[test]
    fn a_machine_has_as_much_as_the_kernel_says_or_less() {
        let told = std::fs::read_to_string("/proc/meminfo").unwrap();
        let kibibytes =
            |line: &str| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok();
        let all: usize = told.lines().find_map(kibibytes).unwrap();
        assert!(bytes() > 1 << 26 && bytes() <= all << 10, "{} of {all} KiB", bytes());
    }
}
