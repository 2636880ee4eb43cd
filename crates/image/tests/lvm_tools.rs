//! Groups that the tools of LVM2 made. They take block devices only: the test needs root and loop devices, and skips
//! without.

use std::{
    fs,
    path::{Path, PathBuf},
};

use guardhouse_image::{Content, Options, open};
use guardhouse_test_images::{
    disks::{put, text},
    file_systems::{Source, ext, source},
    partitions::empty,
    try_run,
};

/// A loop device, which is let go at the end.
struct Loop(String);

impl Loop {
    fn new(file: &Path) -> Result<Self, String> {
        let device = try_run("losetup", &["--find", "--show", text(file)], b"")?;
        Ok(Self(device.trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        drop(try_run("losetup", &["--detach", &self.0], b""));
    }
}

/// Runs a tool of LVM2 that sees only these devices, and writes nothing outside them.
fn lvm(program: &str, devices: &[Loop], arguments: &[&str]) -> Result<String, String> {
    let filter: String = devices.iter().map(|device| format!("\"a|^{}$|\", ", device.0)).collect();
    let config = format!(
        "devices {{ filter = [{filter}\"r|.*|\"] use_devicesfile = 0 obtain_device_list_from_udev = 0 }} \
         global {{ activation = 0 use_lvmpolld = 0 locking_type = 0 wait_for_locks = 0 }} \
         backup {{ backup = 0 archive = 0 }} activation {{ monitoring = 0 udev_sync = 0 udev_rules = 0 }}"
    );
    try_run(program, &[&["--config", &config], arguments].concat(), b"")
}

/// Makes a group, and says where its volumes are.
fn group(devices: &[Loop]) -> Result<String, String> {
    let names: Vec<&str> = devices.iter().map(|device| device.0.as_str()).collect();
    lvm("pvcreate", devices, &[&["--quiet"], names.as_slice()].concat())?;
    lvm("vgcreate", devices, &[&["--physicalextentsize", "64k", "ghvg"], names.as_slice()].concat())?;
    let create = |arguments: &[&str]| {
        let all =
            [&["--activate", "n", "--zero", "n", "--wipesignatures", "n"], arguments, &["ghvg"]].concat();
        lvm("lvcreate", devices, &all)
    };
    create(&["--name", "linear", "--extents", "128"])?;
    create(&["--name", "striped", "--extents", "128", "--stripes", "2", "--stripesize", "8k"])?;
    let columns = ["--separator", ";", "-o", "lv_name,seg_pe_ranges,stripe_size", "ghvg"];
    lvm(
        "lvs",
        devices,
        &[&["--noheadings", "--segments", "--units", "b", "--nosuffix"], columns.as_slice()].concat(),
    )
}

/// Where an extent of a disk begins: as the tools have it by default.
const FIRST: u64 = 1 << 20;
const EXTENT: u64 = 64 << 10;

#[test]
fn groups_of_the_real_tools_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = ["a", "b"].map(|name| empty(folder.path(), name, 40 << 20)).to_vec();
    let devices = match files.iter().map(|file| Loop::new(file)).collect::<Result<Vec<_>, _>>() {
        Ok(devices) => devices,
        Err(error) => {
            println!("SKIPPED: loop devices need root: {error}");
            return;
        }
    };
    let places = group(&devices).unwrap_or_else(|error| panic!("{error}"));
    let tree = source(Source::default());
    let bytes = fs::read(ext("mkfs.ext4", &[], tree.path(), 8).path).expect("reads");
    for line in places.lines().map(str::trim) {
        let [name, ranges, stripe] = line.split(';').collect::<Vec<_>>()[..] else { panic!("{places}") };
        let stripe: usize = stripe.parse().expect("a number of bytes");
        // A range is `/dev/loop0:10-20`.
        let starts: Vec<(&PathBuf, u64)> = ranges
            .split_whitespace()
            .filter_map(|range| {
                let (device, extents) = range.rsplit_once(':')?;
                let number = devices.iter().position(|there| there.0 == device)?;
                Some((&files[number], FIRST + extents.split('-').next()?.parse::<u64>().ok()? * EXTENT))
            })
            .collect();
        match name {
            "linear" => put(starts[0].0, starts[0].1, &bytes),
            "striped" => {
                for (number, part) in bytes.chunks(stripe).enumerate() {
                    let (file, start) = starts[number % 2];
                    put(file, start + (number / 2 * stripe) as u64, part);
                }
            }
            _ => {}
        }
    }
    drop(devices);

    let options = Options { also: vec![files[1].clone()], ..Options::default() };
    let opened = open(&files[0], &options).expect("opens");
    let content = |name: &str| {
        let place = format!("logical volume ghvg/{name}");
        let volume = opened.volumes.iter().find(|volume| volume.place == place);
        &volume.unwrap_or_else(|| panic!("{opened:?}")).content
    };
    for name in ["linear", "striped"] {
        let Content::Files(files) = content(name) else { panic!("{:?}", content(name)) };
        assert_eq!((files.kind(), files.label()), ("ext4", "label"), "{name}");
    }
    assert_eq!(opened.volumes.len(), 3, "{opened:?}");
}
