//! Groups of logical volumes, on one disk and on several.

use std::{
    fs,
    path::{Path, PathBuf},
};

use guardhouse_test_images::{
    disks,
    lvm::{Disk, Group, Segment, Volume},
    partitions::{put_image, sfdisk},
};

use crate::{GPT_VOLUMES, MIB, described, ext4, gpt, opened};

fn group(folder: &Path) -> (Group, PathBuf) {
    let image = ext4();
    let bytes = fs::read(&image.path).expect("reads");
    let striped =
        Segment { extents: 128, stripe: 16, stripes: vec![(0, 130), (1, 0)], ..Segment::linear(0, 0, 0) };
    let volumes = vec![
        Volume::new("root", vec![Segment::linear(100, 0, 3), Segment::linear(28, 0, 200)]),
        Volume::new("striped", vec![striped]),
        Volume::new("thin", vec![Segment { kind: "thin", ..Segment::linear(1, 0, 0) }]),
    ];
    let disks = (0..2).map(|number| Disk::new(folder, number)).collect();
    let group = Group { name: "vg0".to_owned(), sequence: 7, extent: 128, disks, volumes };
    group.write(20 * MIB);
    for volume in &group.volumes[..2] {
        group.fill(volume, &bytes);
    }
    let disk = sfdisk(folder, "disk.raw", 40 * MIB, "label: gpt\nstart=2048, size=40960\n");
    put_image(&disk, MIB, &group.disks[0].path);
    (group, disk)
}

#[test]
fn logical_volumes_are_read_from_several_disks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (group, disk) = group(folder.path());
    let alone = [
        "partition 1: parts lvm2",
        "logical volume vg0/root: ext4 label",
        "logical volume vg0/striped: Incomplete LVM2 volume",
        "logical volume vg0/thin: Unsupported LVM2 thin",
    ];
    assert_eq!(described(&opened(&disk, &[])), alone);
    let together = alone.map(|line| line.replace("Incomplete LVM2 volume", "ext4 label"));
    // In containers of their own, both of them.
    let second = disks::convert(&group.disks[1].path, &disks::CONTAINERS[2]);
    let first = disks::convert(&disk, &disks::CONTAINERS[11]);
    let found = opened(&first, std::slice::from_ref(&second));
    assert_eq!(described(&found), together);
    assert!(found.notes.iter().any(|note| note.contains("zlib.qcow2 was read")), "{:?}", found.notes);
    // A disk without a table.
    let found = described(&opened(&group.disks[0].path, &[second]));
    assert_eq!(found[0], "disk: parts lvm2");
    assert_eq!(found[1..], together[1..]);
}

#[test]
fn the_disk_of_a_guest_in_a_logical_volume_is_looked_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let guest = gpt(folder.path());
    let volume = Volume::new("guest", vec![Segment::linear(512, 0, 0)]);
    let disks = vec![Disk::new(folder.path(), 0)];
    let host = Group { name: "host".to_owned(), sequence: 1, extent: 128, disks, volumes: vec![volume] };
    host.write(40 * MIB);
    host.fill(&host.volumes[0], &fs::read(guest).expect("reads"));
    let mut expected =
        vec!["disk: parts lvm2".to_owned(), "logical volume host/guest: parts disk".to_owned()];
    expected.extend(GPT_VOLUMES.map(|line| format!("logical volume host/guest, {line}")));
    assert_eq!(described(&opened(&host.disks[0].path, &[])), expected);
}

#[test]
fn groups_of_volumes_lie_in_each_other_twice_at_most() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut inner = Vec::new();
    for number in 0..3 {
        let extents = 40 + inner.len() as u64 / (64 << 10);
        let volume = Volume::new("inner", vec![Segment::linear(extents, 0, 0)]);
        let disks = vec![Disk::new(folder.path(), number)];
        let group =
            Group { name: format!("vg{number}"), sequence: 1, extent: 128, disks, volumes: vec![volume] };
        group.write((4 << 20) + extents * (64 << 10));
        group.fill(&group.volumes[0], &inner);
        inner = fs::read(&group.disks[0].path).expect("reads");
    }
    let disk = folder.path().join("disk");
    fs::write(&disk, &inner).expect("writes");
    let described = described(&opened(&disk, &[]));
    assert_eq!(described[..2], ["disk: parts lvm2", "logical volume vg2/inner: parts lvm2"]);
    assert_eq!(described[2..], ["logical volume vg1/inner: Limit LVM2 physical volume"]);
}
