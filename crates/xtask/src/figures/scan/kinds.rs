//! Images of every kind, all with the same tree in them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use guardhouse_test_images::{
    bytes::{noise, prose},
    containers::{self, Layout, TAR},
    disks::{self, CONTAINERS, Container},
    file_systems::{self as images, Image},
    lvm::{Disk, Group, Segment, Volume},
    partitions::{fdisk_4096, put_image, sfdisk},
};

use super::{done, fixtures::Fixtures};

const MIB: u64 = 1 << 20;

/// How large the file systems with the tree are, in MiB, and the one that is mounted at `/boot/efi`: large enough to be
/// FAT32.
const SIZE: u64 = 96;
const BOOT: u64 = 40;

/// What an image has of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// All of it, and at `/boot/efi` the files of its first level once more.
    WithBoot,
    /// The files of its first level: what writes to an NTFS that is not mounted makes no folders.
    FirstLevel,
}

/// What the peers were measured with, and what a running machine leaves: as the note calls them, the names of their
/// files, and what they have of the tree.
const MEASURED: [(&str, &str, Part); 17] = [
    ("ext4", "ext4.raw", Part::Whole),
    ("xfs", "xfs.raw", Part::Whole),
    ("btrfs", "btrfs.raw", Part::Whole),
    ("ntfs", "ntfs.raw", Part::FirstLevel),
    ("LVM2 with ext4", "linear.raw", Part::Whole),
    ("GPT with FAT32 and ext4", "disk.raw", Part::WithBoot),
    ("qcow2", "plain.qcow2", Part::WithBoot),
    ("qcow2, zlib", "zlib.qcow2", Part::WithBoot),
    ("qcow2, zstd", "zstd.qcow2", Part::WithBoot),
    ("vmdk, sparse", "sparse.vmdk", Part::WithBoot),
    ("vmdk, streamOptimized", "stream.vmdk", Part::WithBoot),
    ("vhd", "dynamic.vhd", Part::WithBoot),
    ("vhdx", "dynamic.vhdx", Part::WithBoot),
    ("vdi", "dynamic.vdi", Part::WithBoot),
    ("ext4 of a running machine", "running-ext4.raw", Part::Whole),
    ("xfs of a running machine", "running-xfs.raw", Part::Whole),
    ("btrfs of a running machine", "running-btrfs.raw", Part::Whole),
];

/// Further ones, which are compared as well.
const FURTHER: [(&str, &str, Part); 9] = [
    ("ext2", "ext2.raw", Part::Whole),
    ("ext3", "ext3.raw", Part::Whole),
    ("squashfs", "squashfs.raw", Part::Whole),
    ("MBR with FAT32", "mbr.raw", Part::Whole),
    ("GPT of 4096-byte sectors with ext4", "large-sectors.raw", Part::Whole),
    ("GPT with LVM2, striped over two partitions", "striped.raw", Part::Whole),
    ("OCI layout, gzip", "gzip.oci", Part::Whole),
    ("OCI archive, zstd", "zstd.oci.tar", Part::Whole),
    ("docker save", "docker.tar", Part::Whole),
];

/// Copies a file system while it is mounted. Everything in it is synchronised, except for one folder: its files come
/// later, and are synchronised one by one, so that they are in the journal, and may be nowhere else.
const COPY_RUNNING: &str = "export PATH=$PATH:/usr/sbin:/sbin
    mount -o loop $IMAGE $AT
    cp -a $TREE/. $AT/; rm -r $AT/late; sync -f $AT
    cp -a $TREE/late $AT/; sync $AT/late/*
    cp --sparse=always $IMAGE $COPY; umount $AT";

/// An image.
#[derive(Debug)]
pub struct Kind {
    /// As the note calls it.
    pub name: &'static str,
    /// What is opened.
    pub path: PathBuf,
    /// What it has of the tree.
    pub part: Part,
}

/// The tree, and the images that were made of it.
#[derive(Debug)]
pub struct Kinds {
    /// The folder with the tree.
    pub tree: PathBuf,
    /// The images whose reading is measured.
    pub measured: Vec<Kind>,
    /// Further images.
    pub further: Vec<Kind>,
    /// Those that could not be made: only root copies a file system while it is mounted.
    pub left_out: Vec<&'static str>,
}

impl Kinds {
    /// Makes what was not made before.
    ///
    /// # Errors
    /// A program that makes images fails.
    ///
    /// # Panics
    /// The same, or it is not installed; with what it says.
    pub fn make(fixtures: &Fixtures) -> anyhow::Result<Self> {
        let folder = fixtures.once("kinds", |folder| {
            fs::create_dir(folder)?;
            let tree = folder.join("tree");
            write_tree(&tree)?;
            file_systems(folder, &tree)?;
            disks(folder)?;
            archives(folder, &tree)?;
            running(folder, &tree)
        })?;
        let all_of = |kinds: &[(&'static str, &str, Part)]| -> Vec<Kind> {
            kinds.iter().map(|&(name, file, part)| Kind { name, path: folder.join(file), part }).collect()
        };
        let (measured, missing): (Vec<_>, Vec<_>) =
            all_of(&MEASURED).into_iter().partition(|kind| kind.path.exists());
        let left_out = missing.into_iter().map(|kind| kind.name).collect();
        Ok(Self { tree: folder.join("tree"), measured, further: all_of(&FURTHER), left_out })
    }
}

/// 1,500 files, 44 MB: half of them packs well. A system, so that all of its file systems are put together.
fn write_tree(tree: &Path) -> anyhow::Result<()> {
    let write = |path: &str, bytes: &[u8]| -> anyhow::Result<()> {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().context("it lies in the tree")?)?;
        Ok(fs::write(path, bytes)?)
    };
    for number in 0..1_500 {
        let length =
            noise(number, 2).iter().fold(0, |length, &byte| length << 8 | usize::from(byte)) % 62_000;
        let bytes = if number % 2 == 0 { noise(number, length) } else { prose(number, length) };
        match number {
            0..30 => write(&format!("first-{number}.bin"), &bytes)?,
            30..60 => write(&format!("late/{number}.bin"), &bytes)?,
            _ => write(&format!("usr/share/{:02}/{number}.bin", number % 20), &bytes)?,
        }
    }
    write("etc/os-release", b"ID=debian\nVERSION_ID=\"12\"\n")?;
    write("etc/debian_version", b"12.8\n")?;
    write("etc/fstab", b"UUID=1234-ABCD /boot/efi vfat umask=0077 0 1\n")?;
    write(
        "var/lib/dpkg/status",
        b"Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b7\n\n",
    )?;
    Ok(fs::create_dir_all(tree.join("boot/efi"))?)
}

fn keep(image: &Image, path: &Path) -> anyhow::Result<()> {
    done(Command::new("cp").arg("--sparse=always").arg(&image.path).arg(path))
}

/// File systems without a disk around them.
fn file_systems(folder: &Path, tree: &Path) -> anyhow::Result<()> {
    for kind in ["ext2", "ext3", "ext4"] {
        let image = images::ext(&format!("mkfs.{kind}"), &[], tree, SIZE);
        keep(&image, &folder.join(format!("{kind}.raw")))?;
    }
    keep(&images::xfs(&[], tree, 300), &folder.join("xfs.raw"))?;
    keep(&images::btrfs(&[], tree), &folder.join("btrfs.raw"))?;
    keep(&images::squashfs(&[], tree), &folder.join("squashfs.raw"))?;
    keep(&images::ntfs(&[], tree, SIZE), &folder.join("ntfs.raw"))?;
    let boot = tempfile::tempdir()?;
    for entry in fs::read_dir(tree)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            symlink(entry.path(), boot.path().join(entry.file_name()))?;
        }
    }
    keep(&images::fat(&["-F", "32", "-s", "1"], boot.path(), BOOT), &folder.join("boot.fat"))?;
    keep(&images::fat(&["-F", "32", "-s", "2"], tree, SIZE), &folder.join("tree.fat"))
}

/// Partitions, logical volumes, and the containers of disks.
fn disks(folder: &Path) -> anyhow::Result<()> {
    let (ext4, boot, fat) = (folder.join("ext4.raw"), folder.join("boot.fat"), folder.join("tree.fat"));
    let mbr = sfdisk(folder, "mbr.raw", (SIZE + 2) * MIB, &format!("label: dos\nsize={SIZE}MiB, type=c\n"));
    put_image(&mbr, MIB, &fat);
    let commands = format!("g\nn\n1\n256\n+{}\nw\n", SIZE * MIB / 4_096 - 1);
    let large_sectors = fdisk_4096(folder, "large-sectors.raw", (SIZE + 2) * MIB, &commands);
    put_image(&large_sectors, MIB, &ext4);

    logical(folder, 1, &ext4)?;
    fs::rename(folder.join("pv0.raw"), folder.join("linear.raw"))?;
    let half = logical(folder, 2, &ext4)?;
    let table = format!("label: gpt\nsize={half}MiB, type=lvm\nsize={half}MiB, type=lvm\n");
    let striped = sfdisk(folder, "striped.raw", (2 * half + 2) * MIB, &table);
    for (at, part) in [(1, "pv0.raw"), (1 + half, "pv1.raw")] {
        put_image(&striped, at * MIB, &folder.join(part));
        fs::remove_file(folder.join(part))?;
    }

    let table = format!("label: gpt\nsize={BOOT}MiB, type=uefi\nsize={SIZE}MiB, type=linux\n");
    let disk = sfdisk(folder, "disk.raw", (BOOT + SIZE + 2) * MIB, &table);
    put_image(&disk, MIB, &boot);
    put_image(&disk, (1 + BOOT) * MIB, &ext4);
    let is_wanted = |container: &&Container| MEASURED.iter().any(|(_, file, _)| *file == container.name);
    for container in CONTAINERS.iter().filter(is_wanted) {
        let _ = disks::convert(&disk, container);
    }
    for part in [boot, fat] {
        fs::remove_file(part)?;
    }
    Ok(())
}

/// A group of volumes with one of them, striped over so many disks, `pv0.raw` and so on. Answers how long a disk is, in
/// MiB.
fn logical(folder: &Path, disks: u64, volume: &Path) -> anyhow::Result<u64> {
    let stripes = (0..disks).map(|disk| (usize::try_from(disk).unwrap_or_default(), 0)).collect();
    let segment = Segment { kind: "striped", extents: SIZE, stripe: 128, stripes, extra: "" };
    let length = SIZE / disks + 2;
    let group = Group {
        name: "group".to_owned(),
        sequence: 1,
        extent: MIB / 512,
        disks: (0..disks).map(|disk| Disk::new(folder, usize::try_from(disk).unwrap_or_default())).collect(),
        volumes: vec![Volume::new("root", vec![segment])],
    };
    group.write(length * MIB);
    group.fill(&group.volumes[0], &fs::read(volume)?);
    Ok(length)
}

/// Images of containers.
fn archives(folder: &Path, tree: &Path) -> anyhow::Result<()> {
    let work = tempfile::tempdir_in(folder)?;
    let layer = work.path().join("layer.tar");
    containers::tar(tree, &layer);
    let unpacked = fs::read(&layer)?;
    let zstd = work.path().join("zstd");
    for (program, layout) in [("gzip", &folder.join("gzip.oci")), ("zstd", &zstd)] {
        let packed = work.path().join("packed");
        done(Command::new("sh").args(["-ec", "$1 -c < $2 > $3", "sh", program]).arg(&layer).arg(&packed))?;
        let layout = Layout::new(layout);
        let kind = format!("{TAR}+{program}");
        let image = layout.image("linux/amd64", &[(&kind, fs::read(&packed)?, unpacked.clone())], "");
        layout.finish(&[image]);
    }
    containers::tar(&zstd, &folder.join("zstd.oci.tar"));

    let saved = work.path().join("saved");
    fs::create_dir(&saved)?;
    let config =
        containers::config("linux/amd64", &[format!("\"sha256:{}\"", containers::digest(&unpacked))]);
    fs::rename(&layer, saved.join("layer.tar"))?;
    fs::write(saved.join("config.json"), config)?;
    let manifest = r#"[{"Config":"config.json","RepoTags":["tree:1"],"Layers":["layer.tar"]}]"#;
    fs::write(saved.join("manifest.json"), manifest)?;
    containers::tar(&saved, &folder.join("docker.tar"));
    Ok(())
}

/// File systems that were copied while they were mounted: with a loop device, in a mount namespace of their own.
fn running(folder: &Path, tree: &Path) -> anyhow::Result<()> {
    let work = tempfile::tempdir_in(folder)?;
    let at = work.path().join("at");
    fs::create_dir(&at)?;
    for (package, maker, options, name) in [
        ("e2fsprogs", "mkfs.ext4", &["-q", "-F"][..], "running-ext4.raw"),
        ("xfsprogs", "mkfs.xfs", &["-q"], "running-xfs.raw"),
        ("btrfs-progs", "mkfs.btrfs", &["-q"], "running-btrfs.raw"),
    ] {
        let image = Image::empty(300 * MIB);
        images::run(package, maker, &[options, &[image.name()]].concat());
        let mut copy = Command::new("unshare");
        copy.args(["-m", "sh", "-ec", COPY_RUNNING]).env("IMAGE", &image.path).env("TREE", tree);
        if let Err(error) = done(copy.env("AT", &at).env("COPY", folder.join(name))) {
            eprintln!("    no {name}: {error:#}");
        }
    }
    Ok(())
}
