//! What lies on a disk is found, and told by its name.

mod groups;

use std::{
    fs,
    path::{Path, PathBuf},
};

use guardhouse_image::{Content, Opened, Options, open, target::TargetKind, volume::Reason};
use guardhouse_test_images::{
    bytes,
    disks::{self, put},
    file_systems::{Image, Source, UUID, ext, source},
    lvm::{Disk, Group, Segment, Volume},
    partitions::{empty, fdisk_4096, put_image, sfdisk},
    run,
};

const MIB: u64 = 1 << 20;

fn opened(path: &Path, also: &[PathBuf]) -> Opened {
    let options = Options { also: also.to_vec(), ..Options::default() };
    open(path, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// A line for each volume.
fn described(opened: &Opened) -> Vec<String> {
    let line = |volume: &guardhouse_image::Volume| {
        let content = match &volume.content {
            Content::Files(files) => format!("{} {}", files.kind(), files.label()),
            Content::Parts(word) => format!("parts {word}"),
            Content::Nothing(word) => format!("nothing {word}"),
            Content::Refused(refusal) => format!("{:?} {}", refusal.reason, refusal.what),
        };
        format!("{}: {}", volume.place, content.trim_end())
    };
    opened.volumes.iter().map(line).collect()
}

fn ext4() -> Image {
    let source = source(Source::default());
    ext("mkfs.ext4", &[], source.path(), 8)
}

#[test]
fn a_disk_without_a_table_is_one_volume() {
    let image = ext4();
    let found = opened(&image.path, &[]);
    assert_eq!(described(&found), ["disk: ext4 label"]);
    assert_eq!((found.size, found.volumes[0].size), (8 * MIB, 8 * MIB));
    let Content::Files(files) = &found.volumes[0].content else { panic!("no files") };
    assert_eq!(files.uuid(), UUID);
}

const GPT: &str = "label: gpt\nlabel-id: 6E2F7B8A-0000-4000-8000-000000000001\n\
    start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, name=\"boot\"\n\
    start=4096, size=16384, uuid=6E2F7B8A-0000-4000-8000-0000000000AB, name=\"W\u{fc}rzel\"\n\
    start=40960, size=2048, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F\n\
    start=43008, size=2048\nstart=45056, size=2048\n";

fn gpt(folder: &Path) -> PathBuf {
    let disk = sfdisk(folder, "gpt.raw", 32 * MIB, GPT);
    put_image(&disk, 2 * MIB, &ext4().path);
    let swap = empty(folder, "swap", MIB);
    run("mkswap", &["-q", disks::text(&swap)]);
    put_image(&disk, 20 * MIB, &swap);
    put(&disk, 22 * MIB, &bytes::noise(3, 1 << 20));
    disk
}

const GPT_VOLUMES: [&str; 5] = [
    "partition 1: nothing bios-boot",
    "partition 2: ext4 label",
    "partition 3: nothing swap",
    "partition 4: nothing empty",
    "partition 5: Unknown file system of unknown kind",
];

#[test]
fn a_gpt_names_its_partitions() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = opened(&gpt(folder.path()), &[]);
    assert_eq!(described(&found), GPT_VOLUMES);
    assert_eq!(found.volumes[1].partition_uuid, "6e2f7b8a-0000-4000-8000-0000000000ab");
    assert_eq!(found.volumes[1].partition_label, "W\u{fc}rzel");
    assert_eq!(found.volumes[1].size, 8 * MIB);
    assert_eq!(found.notes, Vec::<String>::new());
}

#[test]
fn a_table_without_partitions_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = sfdisk(folder.path(), "gpt.raw", 4 * MIB, "label: gpt\n");
    assert_eq!(described(&opened(&disk, &[])), ["disk: nothing empty partition table"]);
    // The head at the start is damaged: its copy says the same.
    put(&disk, 512, &[0]);
    assert_eq!(described(&opened(&disk, &[])), ["disk: nothing empty partition table"]);
}

#[test]
fn a_damaged_gpt_is_replaced_by_its_copy() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    let whole = fs::read(&disk).expect("reads");
    // The head, one of the entries, everything at the start together with the MBR.
    for (at, bytes) in [(512 + 60, 1_usize), (1024 + 130, 1), (0, 17 * 1024)] {
        put(&disk, at, &vec![0xa5; bytes]);
        let found = opened(&disk, &[]);
        assert_eq!(described(&found), GPT_VOLUMES, "{at}");
        assert!(found.notes.iter().any(|note| note.contains("copy")), "{:?}", found.notes);
        fs::write(&disk, &whole).expect("writes");
    }
    // Both.
    put(&disk, 512, b"no");
    put(&disk, 32 * MIB - 512, b"no");
    assert_eq!(described(&opened(&disk, &[])), ["disk: Damaged GPT"]);
}

#[test]
fn sectors_may_have_4096_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = fdisk_4096(folder.path(), "gpt.raw", 32 * MIB, "g\nn\n1\n512\n+2048\nn\n3\n4096\n+100\nw\n");
    put_image(&disk, 512 * 4096, &ext4().path);
    let expected = ["partition 1: ext4 label", "partition 3: nothing empty"];
    assert_eq!(described(&opened(&disk, &[])), expected);
    put(&disk, 4096, &[0; 4096]);
    assert_eq!(described(&opened(&disk, &[])), expected);

    let disk = fdisk_4096(folder.path(), "mbr.raw", 32 * MIB, "o\nn\np\n1\n512\n+2048\nw\n");
    put_image(&disk, 512 * 4096, &ext4().path);
    assert_eq!(described(&opened(&disk, &[])), ["partition 1: ext4 label"]);
}

#[test]
fn an_mbr_names_its_partitions_and_those_in_the_extended_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "label: dos\nlabel-id: 0x1234abcd\n\
        1: start=2048, size=16384, type=83\n2: start=20480, size=40960, type=5\n\
        5: start=22528, size=2048, type=83\n6: start=26624, size=16384, type=83\n7: start=45056, size=1024, type=82\n";
    let disk = sfdisk(folder.path(), "mbr.raw", 32 * MIB, script);
    let image = ext4();
    put_image(&disk, MIB, &image.path);
    put_image(&disk, 13 * MIB, &image.path);
    let found = opened(&disk, &[]);
    let expected = [
        "partition 1: ext4 label",
        "partition 2: parts extended",
        "partition 5: nothing empty",
        "partition 6: ext4 label",
        "partition 7: nothing empty",
    ];
    assert_eq!(described(&found), expected);
    assert_eq!(found.volumes[3].partition_uuid, "1234abcd-06");

    // The chain: its second link leads to the first one again, or is not there.
    let sector = 20480 * 512;
    let mut link = fs::read(&disk).expect("reads")[sector..sector + 512].to_vec();
    link[446 + 16 + 8..446 + 16 + 12].copy_from_slice(&0_u32.to_le_bytes());
    put(&disk, sector as u64, &link);
    let found = described(&opened(&disk, &[]));
    assert_eq!(
        found.last().map(String::as_str),
        Some("extended partition: Damaged extended partition"),
        "{found:?}"
    );
    put(&disk, sector as u64 + 510, b"no");
    let found = described(&opened(&disk, &[]));
    assert_eq!(
        found.last().map(String::as_str),
        Some("extended partition: Damaged extended partition"),
        "{found:?}"
    );
}

#[test]
fn an_mbr_that_does_not_mention_the_gpt_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    // What an installer leaves that knows nothing of GPT: an MBR with one partition.
    let other = sfdisk(folder.path(), "mbr.raw", 32 * MIB, "label: dos\nstart=4096, size=16384, type=83\n");
    put(&disk, 0, &fs::read(other).expect("reads")[..512]);
    let found = opened(&disk, &[]);
    assert_eq!(described(&found), ["partition 1: ext4 label"]);
    assert!(found.notes.iter().any(|note| note.contains("GPT")), "{:?}", found.notes);
    // A hybrid one mentions it.
    let hybrid = "label: dos\nstart=1, size=2047, type=ee\nstart=4096, size=16384, type=83\n";
    let other = sfdisk(folder.path(), "hybrid.raw", 32 * MIB, hybrid);
    put(&disk, 0, &fs::read(other).expect("reads")[..512]);
    assert_eq!(described(&opened(&disk, &[])), GPT_VOLUMES);
}

#[test]
fn a_partition_beyond_the_end_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    fs::File::options().write(true).open(&disk).and_then(|file| file.set_len(12 * MIB)).expect("cuts");
    let found = described(&opened(&disk, &[]));
    assert_eq!(found[1..3], ["partition 2: ext4 label", "partition 3: Damaged beyond the end of the disk"]);
}

#[test]
fn what_is_known_and_not_read_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = empty(folder.path(), "volume", 4 * MIB);
    let cases: [(u64, &[u8], &str); 16] = [
        (0, b"LUKS\xba\xbe\0\x01", "Encrypted LUKS1"),
        (0, b"LUKS\xba\xbe\0\x02", "Encrypted LUKS2"),
        (3, b"-FVE-FS-", "Encrypted BitLocker"),
        (4096, b"\xfc\x4e\x2b\xa9\x01\0\0\0", "mdraid"),
        (128 << 10, b"\x0c\xb1\xba\0", "Unsupported zfs"),
        (
            4096 + 24,
            b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
            "Unsupported bcache",
        ),
        (1024, b"\x10\x20\xf5\xf2", "Unsupported f2fs"),
        (32768, b"JFS1", "Unsupported jfs"),
        (65536 + 52, b"ReIsEr2Fs", "Unsupported reiserfs"),
        (3, b"ReFS\0\0\0\0", "Unsupported refs"),
        (32, b"NXSB", "Unsupported apfs"),
        (1024, b"H+\0\x04", "Unsupported hfsplus"),
        (32769, b"CD001", "Unsupported iso9660"),
        (1024, b"\xe2\xe1\xf5\xe0", "Unsupported erofs"),
        (4086, b"S1SUSPEND", "nothing swsuspend"),
        (100_000, b"bytes", "Unknown file system of unknown kind"),
    ];
    for (at, magic, expected) in cases {
        drop(empty(folder.path(), "volume", 4 * MIB));
        put(&path, at, magic);
        let expected = if expected == "mdraid" {
            put(&path, at + 72, &5_u32.to_le_bytes());
            put(&path, at + 144, &8_u64.to_le_bytes());
            "Unsupported mdraid level 5 (metadata 1.2)"
        } else {
            expected
        };
        assert_eq!(described(&opened(&path, &[])), [format!("disk: {expected}")]);
    }
    // The oldest heads of md lie at the end, behind what looks like a file system of its own.
    let image = ext4();
    for (at, level, expected) in [(8 * MIB - 65536, 28, "0.90"), (8 * MIB - 8192, 72, "1.0")] {
        fs::copy(&image.path, &path).expect("copies");
        put(&path, at, b"\xfc\x4e\x2b\xa9");
        put(&path, at + level, &1_u32.to_le_bytes());
        if expected == "1.0" {
            put(&path, at + 4, &1_u32.to_le_bytes());
            put(&path, at + 144, &(at / 512).to_le_bytes());
        }
        let expected = format!("disk: Unsupported mdraid level 1 (metadata {expected})");
        assert_eq!(described(&opened(&path, &[])), [expected]);
    }
}

#[test]
fn every_container_leads_to_the_same_volumes() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    for container in &disks::CONTAINERS {
        let found = opened(&disks::convert(&disk, container), &[]);
        assert_eq!(described(&found), GPT_VOLUMES, "{container:?}");
        assert_eq!(found.size, 32 * MIB);
    }
}

/// A tar archive of files, in this order.
fn archive(path: &Path, files: &[(&str, &Path)]) -> PathBuf {
    let mut builder = tar::Builder::new(fs::File::create(path).expect("creates"));
    builder.sparse(false);
    for (name, file) in files {
        builder.append_path_with_name(file, name).expect("writes");
    }
    builder.finish().expect("writes");
    path.to_owned()
}

#[test]
fn the_disks_of_an_appliance_are_those_of_one_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    let stream = disks::CONTAINERS.iter().find(|kind| kind.name == "stream.vmdk").expect("one of them");
    let packed = disks::convert(&disk, stream);
    let text = folder.path().join("text");
    fs::write(&text, "<Envelope/>").expect("writes");
    let ova = folder.path().join("appliance.ova");
    let single =
        [("box.ovf", text.as_path()), ("box.vmdk", &packed), ("box.nvram", &text), ("box.mf", &text)];
    let found = opened(&archive(&ova, &single), &[]);
    assert_eq!(described(&found), GPT_VOLUMES);
    assert_eq!((found.kind, found.size), (TargetKind::Ova, 32 * MIB));
    assert!(
        found.notes.iter().any(|note| note == "box.nvram is no disk, and was not read"),
        "{:?}",
        found.notes
    );

    // A group over both disks, and one that is packed.
    let volume = Volume::new("root", vec![Segment::linear(16, 0, 0), Segment::linear(112, 1, 0)]);
    let pair = vec![Disk::new(folder.path(), 0), Disk::new(folder.path(), 1)];
    let group = Group { name: "vg".to_owned(), sequence: 1, extent: 128, disks: pair, volumes: vec![volume] };
    group.write(12 * MIB);
    group.fill(&group.volumes[0], &fs::read(ext4().path).expect("reads"));
    let gzip = folder.path().join("gzip");
    fs::write(&gzip, b"\x1f\x8b\x08\0").expect("writes");
    let (first, second) = (group.disks[0].path.as_path(), group.disks[1].path.as_path());
    let several = [("two.OVF", text.as_path()), ("a.img", first), ("b.img", second), ("c.vmdk.gz", &gzip)];
    let found = opened(&archive(&ova, &several), &[]);
    let expected = [
        "a.img: parts lvm2",
        "b.img: parts lvm2",
        "logical volume vg/root: ext4 label",
        "c.vmdk.gz: Unsupported gzip",
    ];
    assert_eq!(described(&found), expected);

    let refused = |path: &Path| open(path, &Options::default()).expect_err("is refused").to_string();
    assert!(refused(&archive(&ova, &single[..1])).ends_with("OVA: there is no disk in it"));
    let _ = archive(&ova, &single);
    fs::File::options().write(true).open(&ova).and_then(|file| file.set_len(MIB / 2)).expect("cuts");
    assert!(refused(&ova).contains("OVA: the archive is damaged"), "{}", refused(&ova));
}

#[test]
fn a_disk_whose_table_was_wiped_is_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = empty(folder.path(), "disk", 64 * MIB);
    assert_eq!(described(&opened(&disk, &[])), ["disk: nothing empty"]);
    for at in [MIB, 20 * MIB] {
        let disk = empty(folder.path(), "disk", 64 * MIB);
        put_image(&disk, at, &ext4().path);
        assert_eq!(described(&opened(&disk, &[])), ["disk: Unknown file system of unknown kind"]);
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = open(&folder.path().join("nothing"), &Options::default()).expect_err("is not there");
    assert!(error.to_string().contains("No such file"), "{error}");
    let pipe = folder.path().join("pipe");
    run("mkfifo", &[disks::text(&pipe)]);
    let error = open(&pipe, &Options::default()).expect_err("is a pipe");
    assert!(error.to_string().contains("neither a file nor a block device"), "{error}");
    let found = opened(&empty(folder.path(), "empty", 0), &[]);
    assert_eq!(described(&found), ["disk: nothing empty"]);
    let noise = folder.path().join("noise");
    fs::write(&noise, bytes::noise(9, 1 << 20)).expect("writes");
    let found = opened(&noise, &[]);
    let Content::Refused(refusal) = &found.volumes[0].content else { panic!("{found:?}") };
    assert_eq!(refusal.reason, Reason::Unknown);
}

#[test]
fn the_journal_of_another_disk_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = empty(folder.path(), "journal", 8 * MIB);
    run("mkfs.ext4", &["-q", "-O", "journal_dev", disks::text(&disk)]);
    let found = opened(&disk, &[]);
    let Content::Refused(refusal) = &found.volumes[0].content else { panic!("{found:?}") };
    assert_eq!(refusal.to_string(), "ext: not supported: an external journal, which holds no files");
}

#[test]
fn a_disk_that_was_copied_in_part_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = gpt(folder.path());
    let cut = folder.path().join("cut");
    fs::copy(&disk, &cut).expect("copies");
    fs::File::options().write(true).open(&cut).and_then(|file| file.set_len(MIB)).expect("cuts");
    assert_eq!(described(&opened(&cut, &[]))[1], "partition 2: Damaged beyond the end of the disk");
    fs::File::options().write(true).open(&disk).and_then(|file| file.set_len(9 * MIB)).expect("cuts");
    let found = opened(&disk, &[]);
    assert_eq!(described(&found)[1], "partition 2: ext4 label");
    let expected = "partition 2 ends beyond the end of the disk, which is not all there";
    assert!(found.left_out.iter().any(|note| note == expected), "{:?}", found.left_out);
}
