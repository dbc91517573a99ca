//! The power fails: nothing that was not synced survives. A real file system on a loop device is
//! shut down without its journal being written, while the service has nothing to do.

use crate::common::{Place, Server, noon, not_run};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use swabline::api::client::{RecordingClient, connect, pb};
use swabline::domain::fact::FactId;
use swabline::store::{Store, verify};

/// Power cuts. Without the sync the test must lose something within so many.
const CUTS: u32 = 6;

/// Devices that send at once.
const DEVICES: usize = 8;

/// Batches are so short that a second one stands in the log before the disk has the first.
const SHORT: [(&str, &str); 1] = [("SWABLINE_ENGINE__BATCH_FACTS_MAX", "2")];

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).status().is_ok_and(|status| status.success())
}

/// A file system of its own in a file.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    fn new(root: &Path) -> Option<Disk> {
        let disk = Disk { image: root.join("disk.img"), mount: root.join("disk") };
        std::fs::create_dir(&disk.mount).unwrap();
        std::fs::File::create(&disk.image).unwrap().set_len(512 << 20).unwrap();
        (run("mkfs.ext4", &["-q", "-F", disk.image.to_str()?]) && disk.attach()).then_some(disk)
    }

    fn attach(&self) -> bool {
        run("mount", &["-o", "loop", self.image.to_str().unwrap(), self.mount.to_str().unwrap()])
    }

    fn detach(&self) {
        let _ = run("umount", &[self.mount.to_str().unwrap()]);
    }

    /// `EXT4_IOC_SHUTDOWN` without flushing the log (include/uapi/linux/ext4.h): from now on
    /// nothing reaches the image.
    fn cut(&self) {
        let script = "import fcntl,os,struct,sys; \
            fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";
        assert!(run("python3", &["-c", script, self.mount.to_str().unwrap()]), "the shutdown call");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
    }
}

fn source(device: usize) -> String {
    format!("desk-{device}")
}

fn fact(device: usize, number: u64) -> pb::Fact {
    let who = |at| pb::Identity {
        document_type: pb::DocumentType::Other.into(),
        number: format!("{device}-{number}-{at}").into(),
    };
    let collected = pb::TubeCollected {
        tube: format!("T{device}-{number}"),
        pool: 10,
        desk: "D1".into(),
        members: (0..10).map(who).collect(),
        ..Default::default()
    };
    pb::Fact {
        id: Some(pb::FactId { source: source(device), epoch: 1, number }),
        captured_at_ms: noon(),
        round: "R1".into(),
        body: Some(pb::fact::Body::TubeCollected(collected)),
    }
}

/// Sends until the service is gone; returns the last acknowledged number.
async fn scan(address: String, device: usize, mut number: u64) -> u64 {
    let Ok(channel) = connect(&address).await else { return number - 1 };
    let mut recording = RecordingClient::new(channel);
    loop {
        let request =
            pb::RecordBatchRequest { facts: vec![fact(device, number)], device_now_ms: 0 };
        if recording.record_batch(request).await.is_err() {
            return number - 1;
        }
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_power_cut_takes_what_was_acknowledged() {
    let place = Place::new();
    let Some(disk) = Disk::new(place.root.path()) else {
        not_run("a power cut of the disk", "it needs root, loop devices and mkfs.ext4");
        return;
    };
    let data = disk.mount.join("data");
    let mut acknowledged = [0; DEVICES];
    for cut in 0..CUTS {
        let server = Server::start_with(&data, &place.keys(), &SHORT);
        if cut == 0 {
            crate::service::open_round(&server.address, "R1", "r1").await;
        }
        let scan = |device| scan(server.address.clone(), device, acknowledged[device] + 1);
        let scanning: Vec<_> = (0..DEVICES).map(|device| tokio::spawn(scan(device))).collect();
        tokio::time::sleep(Duration::from_millis(200 + u64::from(cut) * 71)).await;
        // Stopped first: else a sync could be answered after the journal is gone, and the loss
        // would be the test's own.
        server.signal("STOP");
        let stat = format!("/proc/{}/stat", server.child.id());
        while !std::fs::read_to_string(&stat).unwrap().contains(") T ") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        disk.cut();
        server.kill();
        for (last, scanning) in acknowledged.iter_mut().zip(scanning) {
            *last = scanning.await.unwrap().max(*last);
        }
        disk.detach();
        assert!(disk.attach(), "the file system comes back");
        let store = Store::open(&data, None, &Default::default())
            .unwrap_or_else(|error| panic!("cut {cut}, {acknowledged:?} acknowledged: {error}"));
        let read = store.read();
        for (device, last) in acknowledged.iter().enumerate() {
            for number in 1..=*last {
                let id = FactId { source: source(device).into(), epoch: 1, number };
                assert!(
                    read.event_of_fact(&id).unwrap().is_some(),
                    "cut {cut}: {number} of device {device} was acknowledged"
                );
            }
        }
        drop(read);
        store.close().unwrap();
        let report = verify(&data).unwrap();
        assert_eq!(report.findings_total, 0, "cut {cut}: {:?}", report.findings);
    }
    println!("{acknowledged:?} acknowledged over {CUTS} power cuts");
    assert!(acknowledged.iter().all(|last| *last > u64::from(CUTS)));
}
