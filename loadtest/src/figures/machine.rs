//! The machine that figures were measured on, in words: they mean little without it.

use super::place::{Place, output};
use crate::report;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Cores, processor, memory, the file system of the place, and the version of the program.
pub async fn told(place: &Place) -> String {
    let mut ask = place.as_deployed();
    ask.arg("--version");
    let said = output(ask, &place.part("version.log")).await.unwrap_or_default();
    let version = said.lines().next().unwrap_or("version unknown").trim().to_owned();
    [report::machine(), disk(&place.dir), version].join("; ")
}

/// The file system of a folder.
fn disk(dir: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let Some(kind) = file_system(&mounts, &dir) else {
        return "unknown file system".to_owned();
    };
    let device = fs::metadata(&dir).ok().and_then(|about| {
        let (major, minor) = (rustix::fs::major(about.dev()), rustix::fs::minor(about.dev()));
        let name = fs::read_link(format!("/sys/dev/block/{major}:{minor}")).ok()?;
        Some(name.file_name()?.to_string_lossy().into_owned())
    });
    let journals = fs::read_dir("/proc/fs/jbd2").into_iter().flatten().flatten();
    let journals: Vec<_> =
        journals.map(|journal| journal.file_name().to_string_lossy().into_owned()).collect();
    format!("{kind}{}", journal(kind, device.as_deref(), &journals))
}

/// The kind of file system that a folder lies on, by the list of those that are mounted.
fn file_system<'a>(mounts: &'a str, dir: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    // The longest place; of two in one place the later.
    mounts
        .filter(|(place, _)| dir.starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map(|found| found.1)
}

/// Whether an ext4 on this device has a journal, by the journals that the kernel runs.
fn journal(kind: &str, device: Option<&str>, journals: &[String]) -> &'static str {
    let own = |device: &str| {
        let inode =
            |name: &String| Some(name.strip_prefix(device)?.strip_prefix('-')?.parse::<u64>());
        journals.iter().any(|name| inode(name).is_some_and(|inode| inode.is_ok()))
    };
    match (kind, device) {
        ("ext4", Some(device)) if own(device) => " with a journal",
        ("ext4", Some(_)) => " without a journal",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_on_the_longest_mount_that_holds_it() {
        let mounts = "/dev/root / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\n\
                      overlay /late ext4 rw 0 0\noverlay /late overlay rw 0 0\n";
        for (dir, kind) in [
            ("/work", "ext4"),
            ("/tmp", "tmpfs"),
            ("/tmpx", "ext4"),
            ("/tmp/disk/a", "xfs"),
            ("/late/b", "overlay"),
        ] {
            assert_eq!(file_system(mounts, Path::new(dir)), Some(kind), "{dir}");
        }
        assert_eq!(file_system("", Path::new("/work")), None);
    }

    #[test]
    fn a_journal_is_that_of_the_same_device() {
        let journals = ["vda-8".to_owned(), "dm-0-8".to_owned()];
        for (kind, device, wanted) in [
            ("ext4", Some("vda"), " with a journal"),
            ("ext4", Some("vdb"), " without a journal"),
            ("ext4", Some("dm-0"), " with a journal"),
            ("ext4", Some("dm"), " without a journal"),
            ("ext4", None, ""),
            ("xfs", Some("vda"), ""),
        ] {
            assert_eq!(journal(kind, device, &journals), wanted, "{kind} {device:?}");
        }
    }
}
