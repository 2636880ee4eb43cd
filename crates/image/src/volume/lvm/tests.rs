use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use guardhouse_test_images::{
    bytes::noise,
    disks, lvm as write,
    lvm::{Group, Segment},
};
use proptest::prelude::*;

use super::{LogicalContent, LogicalVolume, assemble, assemble::Groups, read};
use crate::{
    block::FileDisk,
    fuzzing::{self, Memory},
    volume::Reason,
};

/// How long an extent is, in sectors and in bytes.
const EXTENT: u64 = 128;
const BYTES: usize = 64 << 10;
const LENGTH: u64 = 4 << 20;

fn group(folder: &Path, disks: usize, volumes: Vec<write::Volume>) -> Group {
    let disks = (0..disks).map(|number| write::Disk::new(folder, number)).collect();
    Group { name: "vg0".to_owned(), sequence: 3, extent: EXTENT, disks, volumes }
}

fn assembled(disks: &[write::Disk]) -> Groups {
    let open =
        |disk: &write::Disk| read(Arc::new(FileDisk::open(&disk.path).expect("opens"))).expect("a label");
    assemble(&disks.iter().map(open).collect::<Vec<_>>())
}

fn bytes(volume: &LogicalVolume) -> Vec<u8> {
    let LogicalContent::Disk(disk) = &volume.content else { panic!("{volume:?}") };
    let mut bytes = vec![0; disk.len() as usize];
    for (number, part) in bytes.chunks_mut(70_001).enumerate() {
        disk.read_at(number as u64 * 70_001, part).expect("reads");
    }
    bytes
}

/// Two disks, with a linear volume in three parts that are not in order, a striped one, and one that goes over both.
fn typical(folder: &Path) -> (Group, Vec<Vec<u8>>) {
    let group = empty(folder);
    let contents: Vec<Vec<u8>> = [6, 7, 12].map(|extents| noise(extents, extents as usize * BYTES)).to_vec();
    for (volume, bytes) in group.volumes.iter().zip(&contents) {
        group.fill(volume, bytes);
    }
    (group, contents)
}

fn empty(folder: &Path) -> Group {
    let linear = vec![Segment::linear(2, 0, 5), Segment::linear(1, 0, 0), Segment::linear(3, 1, 2)];
    let striped =
        Segment { extents: 6, stripe: 8, stripes: vec![(0, 10), (1, 10)], ..Segment::linear(0, 0, 0) };
    // Ten segments and more: their names do not sort as they count.
    let many = (0..12).map(|number| Segment::linear(1, 0, 40 - number)).collect();
    let volumes = vec![
        write::Volume::new("linear", linear),
        write::Volume::new("striped", vec![striped, Segment::linear(1, 1, 20)]),
        write::Volume::new("many", many),
    ];
    let group = group(folder, 2, volumes);
    group.write(LENGTH);
    group
}

#[test]
fn volumes_are_put_together_from_segments_and_stripes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (group, contents) = typical(folder.path());
    let groups = assembled(&group.disks);
    assert_eq!(groups.notes, Vec::<String>::new());
    let names: Vec<&str> = groups.volumes.iter().map(|volume| volume.name.as_str()).collect();
    assert_eq!(names, ["vg0/linear", "vg0/many", "vg0/striped"]);
    for (volume, content) in groups.volumes.iter().zip([0, 2, 1]) {
        assert!(bytes(volume) == contents[content], "{}", volume.name);
        assert_eq!(volume.size, contents[content].len() as u64);
    }
}

#[test]
fn a_volume_on_a_disk_that_is_not_there_is_incomplete() {
    let folder = tempfile::tempdir().expect("a folder");
    let (group, contents) = typical(folder.path());
    let groups = assembled(&group.disks[..1]);
    for volume in &groups.volumes {
        if volume.name == "vg0/many" {
            assert!(bytes(volume) == contents[2]);
            continue;
        }
        let LogicalContent::Refused(refusal) = &volume.content else { panic!("{volume:?}") };
        assert_eq!(refusal.reason, Reason::Incomplete);
        assert!(refusal.detail.contains("/dev/sd1") && refusal.detail.contains("--also"), "{refusal}");
    }
}

#[test]
fn the_newest_metadata_counts_wherever_its_label_and_text_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut group, contents) = typical(folder.path());
    // The first disk missed a change; the text of the second one goes round the end of its area.
    let old = Group { sequence: 1, volumes: Vec::new(), ..group.clone() };
    group.disks[1].label = 3;
    disks::put(&group.disks[1].path, 512, &[0; 512]);
    group.disks[1].text = (1 << 20) - 4096 - 512;
    group.write_head(&group.disks[0], &old.text(), LENGTH);
    group.write_head(&group.disks[1], &group.text(), LENGTH);
    let groups = assembled(&group.disks);
    assert_eq!(groups.volumes.len(), 3, "{groups:?}");
    assert!(bytes(&groups.volumes[0]) == contents[0]);
}

#[test]
fn damaged_metadata_is_told_and_its_copy_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (group, contents) = typical(folder.path());
    disks::put(&group.disks[0].path, 4096 + 600, b"#");
    let groups = assembled(&group.disks);
    assert!(groups.notes.iter().any(|note| note.contains("checksum of its text")), "{:?}", groups.notes);
    assert!(bytes(&groups.volumes[0]) == contents[0]);
    // The label itself.
    disks::put(&group.disks[0].path, 512 + 40, b"#");
    let disk = Arc::new(FileDisk::open(&group.disks[0].path).expect("opens"));
    assert!(read(disk).expect_err("is damaged").contains("checksum"));
}

#[test]
fn a_mirror_is_read_from_a_copy_that_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let hidden = |name, disk, first| write::Volume {
        status: "\"READ\", \"WRITE\"",
        ..write::Volume::new(name, vec![Segment::linear(3, disk, first)])
    };
    let mirrored = |name, kind, extra| {
        let segment = Segment { kind, stripes: Vec::new(), extra, ..Segment::linear(3, 0, 0) };
        write::Volume::new(name, vec![segment])
    };
    let volumes = vec![
        hidden("root_rimage_0", 0, 0),
        hidden("root_rimage_1", 1, 0),
        hidden("data_mimage_0", 0, 10),
        hidden("data_mimage_1", 1, 10),
        mirrored(
            "root",
            "raid1",
            "device_count = 2\nraids = [\"root_rmeta_0\", \"root_rimage_0\", \"root_rmeta_1\", \"root_rimage_1\"]",
        ),
        mirrored(
            "data",
            "mirror",
            "mirror_count = 2\nmirrors = [\"data_mimage_0\", 0, \"data_mimage_1\", 0]",
        ),
        mirrored("round", "raid1", "raids = [\"x\", \"round\"]"),
        mirrored("none", "mirror", "mirrors = [\"nothing\", 0]"),
    ];
    let mut group = group(folder.path(), 2, volumes);
    group.write(LENGTH);
    let contents = [1, 2].map(|seed| noise(seed, 3 * BYTES));
    for (at, content) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        group.fill(&group.volumes[at], &contents[content]);
    }
    let read = |disks: &[write::Disk]| {
        let groups = assembled(disks);
        let names: Vec<String> = groups.volumes.iter().map(|volume| volume.name.clone()).collect();
        assert_eq!(names, ["vg0/data", "vg0/none", "vg0/root", "vg0/round"]);
        groups.volumes
    };
    for disks in [&group.disks[..], &group.disks[..1], &group.disks[1..]] {
        let volumes = read(disks);
        assert!(bytes(&volumes[0]) == contents[1] && bytes(&volumes[2]) == contents[0]);
        let LogicalContent::Refused(refusal) = &volumes[1].content else { panic!("{volumes:?}") };
        assert_eq!(refusal.reason, Reason::Damaged);
        let LogicalContent::Refused(refusal) = &volumes[3].content else { panic!("{volumes:?}") };
        assert_eq!(refusal.what, "LVM2 raid1");
    }
    // The first copy is still being made.
    group.volumes[0].status = "\"READ\", \"WRITE\", \"REBUILD\"";
    group.fill(&group.volumes[0], &contents[1]);
    for disk in &group.disks {
        group.write_head(disk, &group.text(), LENGTH);
    }
    assert!(bytes(&read(&group.disks)[2]) == contents[0]);
    let volumes = read(&group.disks[..1]);
    assert!(matches!(volumes[2].content, LogicalContent::Refused(_)));
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let kinds = ["thin", "raid10", "raid5_ls", "cache", "writecache", "vdo", "error"];
    let mut volumes: Vec<write::Volume> = kinds
        .map(|kind| write::Volume::new(kind, vec![Segment { kind, ..Segment::linear(1, 0, 0) }]))
        .to_vec();
    volumes.push(write::Volume::new("odd", vec![Segment { kind: "\u{1b}[31m", ..Segment::linear(1, 0, 0) }]));
    volumes.push(write::Volume::new("pool", vec![Segment { kind: "thin-pool", ..Segment::linear(1, 0, 0) }]));
    volumes.push(write::Volume::new("origin", vec![Segment::linear(1, 0, 0)]));
    volumes.push(write::Volume::new("snap", vec![Segment::linear(1, 0, 0)]));
    let extra = "origin = \"origin\"\ncow_store = \"snap\"";
    let hidden = Segment { kind: "snapshot", stripes: Vec::new(), extra, ..Segment::linear(1, 0, 0) };
    volumes.push(write::Volume { status: "\"READ\"", ..write::Volume::new("snapshot0", vec![hidden]) });
    let group = group(folder.path(), 1, volumes);
    group.write(LENGTH);
    let groups = assembled(&group.disks);
    let described: Vec<String> = groups
        .volumes
        .iter()
        .map(|volume| match &volume.content {
            LogicalContent::Disk(_) => format!("{} read", volume.name),
            LogicalContent::Pool(word) => format!("{} {word}", volume.name),
            LogicalContent::Refused(refusal) => {
                format!("{} {:?} {}", volume.name, refusal.reason, refusal.what)
            }
        })
        .collect();
    let mut expected = kinds.map(|kind| format!("vg0/{kind} Unsupported LVM2 {kind}")).to_vec();
    expected.extend(
        [
            "vg0/odd Unsupported LVM2 \\u{1b}[31m",
            "vg0/pool lvm2 thin pool",
            "vg0/origin read",
            "vg0/snap Unsupported LVM2 snapshot",
        ]
        .map(String::from),
    );
    expected.sort();
    assert_eq!(described, expected);
}

#[test]
fn the_same_disk_twice_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (group, _) = typical(folder.path());
    let disks = [group.disks.as_slice(), group.disks.as_slice()].concat();
    let groups = assembled(&disks);
    assert_eq!(groups.volumes.len(), 3);
    assert!(groups.notes.iter().any(|note| note.contains("twice")), "{:?}", groups.notes);
}

#[test]
fn a_text_beyond_all_disks_is_damage() {
    let mut bytes = HEAD.clone();
    let label = bytes.windows(8).position(|bytes| bytes == b"LABELONE").expect("a label");
    bytes[label + 112..label + 120].fill(0xff);
    bytes[4096 + 40..4096 + 48].copy_from_slice(&(u64::MAX - 100).to_le_bytes());
    for (at, sums) in [(label + 16, label + 20..label + 512), (4096, 4100..4608)] {
        let mut hasher = crc32fast::Hasher::new_with_initial(!0xf597_a6cf);
        hasher.update(&bytes[sums]);
        bytes[at..at + 4].copy_from_slice(&(!hasher.finalize()).to_le_bytes());
    }
    let volume = read(Arc::new(Memory(bytes))).expect("a label");
    assert!(volume.notes.iter().any(|note| note.contains("does not lie on the disk")), "{:?}", volume.notes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_texts_are_errors_or_volumes(changes in prop::collection::vec((0_usize..4000, any::<u8>()), 1..4)) {
        let mut text = TEXT.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at % text.len();
            text[at] = if byte < 200 { b"0123456789{}[]\"#=, \n\\"[usize::from(byte) % 21] } else { byte };
        }
        fuzzing::lvm(&text);
    }

    #[test]
    fn damaged_heads_are_errors_or_volumes(changes in prop::collection::vec((0_usize..4700, any::<u8>()), 1..4)) {
        let mut bytes = HEAD.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        fuzzing::partitions(&(Arc::new(Memory(bytes)) as _));
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| empty(tempfile::tempdir().expect("a folder").path()).text());

/// The start of a physical volume.
static HEAD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let group = empty(folder.path());
    let mut bytes = fs::read(&group.disks[0].path).expect("reads");
    bytes.truncate(64 << 10);
    bytes
});
