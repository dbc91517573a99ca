//! Commits go first: what works beside them stands behind them where both wait for the processor.

use super::common::{Place, Server, wait_until};
use std::collections::BTreeMap;

/// Steps of the kernel's nice value, by the name of a thread; of several of one name the least.
fn priorities(pid: u32) -> BTreeMap<String, i32> {
    let mut found = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let Ok(stat) = std::fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
        // The name stands in brackets and may hold anything; the nice value is the 17th word behind it.
        let (head, tail) = stat.rsplit_once(") ").unwrap();
        let name = head.split_once('(').unwrap().1.to_owned();
        let nice: i32 = tail.split(' ').nth(16).unwrap().parse().unwrap();
        let least = found.entry(name).or_insert(nice);
        *least = nice.min(*least);
    }
    found
}

#[test]
fn what_works_beside_commits_comes_after_them() {
    let place = Place::new();
    let server = Server::start(&place.data(), &place.keys());
    let pid = server.child.id();
    let behind = ["keeper", "tidier", "merger", "ack-sync", "rocksdb:high", "rocksdb:low"];
    wait_until("every thread", || {
        let all = priorities(pid);
        behind.iter().chain(&["writer", "committer"]).all(|name| all.contains_key(*name))
    });
    let main = priorities(pid)["swabline"];
    wait_until("the place of every thread behind the commits", || {
        let all = priorities(pid);
        behind.iter().all(|name| all[*name] == main + 5)
    });
    let all = priorities(pid);
    assert_eq!((all["writer"], all["committer"]), (main, main), "{all:?}");
    server.stop();
}
