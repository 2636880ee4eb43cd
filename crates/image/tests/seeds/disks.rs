use std::{fs, path::Path, sync::Arc};

use guardhouse_image::{
    BlockRead, Content, Options,
    fuzzing::{self, Sparse},
    open,
};
use guardhouse_test_images::{
    disks,
    lvm::{Disk, Group, Segment, Volume},
    partitions::{empty, fdisk_4096, sfdisk},
    run,
    seeds::keep,
};

use crate::file_systems::{put, system};

const MIB: u64 = 1 << 20;

/// Checks that files are found on a disk, and keeps it.
fn seed(name: &str, disk: &Path) {
    let opened = open(disk, &Options::default()).expect("opens");
    let has_files = opened.volumes.iter().any(|volume| matches!(volume.content, Content::Files(_)));
    assert!(has_files, "{name}: {:?}", opened.volumes);
    let sparse = Sparse::encode(&fs::read(disk).expect("reads"));
    fuzzing::partitions(&(Arc::new(Sparse::decode(&sparse).expect("a disk")) as Arc<dyn BlockRead>));
    assert!(sparse.len() < 1 << 20, "{name} has {} bytes", sparse.len());
    keep("partitions", name, &sparse);
}

#[test]
fn seeds_of_partitions_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let gpt = "label: gpt\nstart=2048, size=4096, name=\"root\"\nstart=6144, size=2048\n\
        start=8192, size=1024, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F\n";
    let disk = sfdisk(folder.path(), "gpt", 8 * MIB, gpt);
    put(&disk, MIB, &system());
    let swap = empty(folder.path(), "swap", MIB / 2);
    run("mkswap", &["-q", disks::text(&swap)]);
    guardhouse_test_images::partitions::put_image(&disk, 4 * MIB, &swap);
    disks::put(&disk, 3 * MIB, b"LUKS\xba\xbe\0\x02");
    seed("gpt", &disk);
    // Only the copy at the end.
    disks::put(&disk, 512, &[0; 512]);
    seed("gpt-copy", &disk);

    let mbr = "label: dos\nstart=2048, size=2048, type=83\nstart=4096, size=8192, type=5\n\
        start=4160, size=2048\nstart=8192, size=2048\n";
    let disk = sfdisk(folder.path(), "mbr", 8 * MIB, mbr);
    put(&disk, MIB, &system());
    put(&disk, 4160 * 512, &system());
    seed("mbr", &disk);

    let disk = fdisk_4096(folder.path(), "gpt-4096", 8 * MIB, "g\nn\n1\n512\n+512\nw\n");
    put(&disk, 2 * MIB, &system());
    seed("gpt-4096", &disk);
    seed("no-table", &system().path);
}

#[test]
fn seeds_of_logical_volumes_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let striped =
        Segment { extents: 4, stripe: 8, stripes: vec![(0, 40), (1, 10)], ..Segment::linear(0, 0, 0) };
    let volumes = vec![
        Volume::new("root", vec![Segment::linear(10, 0, 6), Segment::linear(6, 0, 0)]),
        Volume::new("striped", vec![striped]),
    ];
    let disks = (0..2).map(|number| Disk::new(folder.path(), number)).collect();
    let group = Group { name: "vg0".to_owned(), sequence: 3, extent: 128, disks, volumes };
    keep("lvm", "two-disks", group.text().as_bytes());
    fuzzing::lvm(group.text().as_bytes());

    let only = Group { disks: group.disks[..1].to_vec(), volumes: group.volumes[..1].to_vec(), ..group };
    only.write(4 * MIB);
    only.fill(&only.volumes[0], &fs::read(system().path).expect("reads"));
    seed("lvm", &only.disks[0].path);
    keep("lvm", "one-disk", only.text().as_bytes());
    fuzzing::lvm(only.text().as_bytes());
}
