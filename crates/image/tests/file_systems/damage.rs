//! Damaged images: never a panic, a hang or a large allocation; always an error, or bytes.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::AtomicU64},
};

use guardhouse_image::{BlockRead, file_system::Kind, fuzzing};
use guardhouse_test_images::{
    file_systems::{self as images, Image, Source},
    ntfs_log::{LastPage, Layout, PAGE, ROOT, Version, machine, work},
};

use crate::{
    disks::{ChangedDisk, FileDisk},
    packed,
};

/// Reads that a whole small image takes, many times over.
const READS: u64 = 300_000;

/// Turns bits in the parts of the image that are not zeros, and cuts it off.
fn damage(kind: Kind, image: &Image, rounds: u64) {
    damage_pages(kind, image, rounds, &used(FileDisk::open(&image.path).as_ref()));
}

/// Turns bits in these pages.
fn damage_pages(kind: Kind, image: &Image, rounds: u64, places: &[u64]) {
    let below = FileDisk::open(&image.path);
    let mut random = 0x1234_5678_9abc_def1_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below.max(1)
    };
    for round in 0..rounds {
        let mut turned = Vec::new();
        // The first pages are the ones that everything follows from.
        let among = if round % 2 == 0 { places.len().min(64) } else { places.len() } as u64;
        for _ in 0..=next(8) {
            let page = places[usize::try_from(next(among)).expect("small")];
            turned.push((page + next(4096), 1 << next(8)));
        }
        if kind == Kind::Btrfs {
            sum_anew(below.as_ref(), &mut turned);
        }
        let length = if round % 10 == 9 { next(below.len()) } else { below.len() };
        let disk = Arc::new(ChangedDisk {
            below: below.clone(),
            turned: turned.clone(),
            length,
            reads: AtomicU64::new(0),
            most_reads: READS,
        });
        let read = catch_unwind(AssertUnwindSafe(|| fuzzing::file_system(kind, disk.clone())));
        assert!(read.is_ok(), "{kind:?}: a panic with {turned:?}, {length} bytes");
        assert!(!disk.hung(), "{kind:?}: a hang with {turned:?}, {length} bytes");
    }
}

/// Turns further bits, so that the checksums of the changed blocks of a btrfs are right and the damage is met.
fn sum_anew(disk: &dyn BlockRead, turned: &mut Vec<(u64, u8)>) {
    const SUPERBLOCK: u64 = 64 << 10;
    let mut head = vec![0; 4096];
    disk.read_at(SUPERBLOCK, &mut head).expect("the superblock");
    let node = u32::from_le_bytes(*head[0x94..].first_chunk().expect("inside"));
    let block_of = |at: u64| match at / 4096 * 4096 {
        SUPERBLOCK => (SUPERBLOCK, 4096),
        _ => (at / u64::from(node) * u64::from(node), node as usize),
    };
    let blocks: BTreeSet<(u64, usize)> = turned.iter().map(|&(at, _)| block_of(at)).collect();
    for (start, length) in blocks {
        let mut block = vec![0; length];
        disk.read_at(start, &mut block).expect("a block");
        if block[0x20..0x30] != head[0x20..0x30] {
            continue;
        }
        for &(at, bits) in turned.iter().filter(|(at, _)| block_of(*at) == (start, length)) {
            block[usize::try_from(at - start).expect("small")] ^= bits;
        }
        let sum = crc32c::crc32c(&block[32..]).to_le_bytes();
        turned.extend((start..).zip(block.iter().zip(sum).map(|(is, wanted)| is ^ wanted)));
    }
}

/// Pages of the image that hold something, from the beginning on.
fn used(disk: &dyn BlockRead) -> Vec<u64> {
    let mut page = vec![0; 4096];
    let starts = (0..disk.len() / 4096).map(|number| number * 4096);
    starts
        .filter(|&start| disk.read_at(start, &mut page).is_ok() && page.iter().any(|&byte| byte != 0))
        .take(3000)
        .collect()
}

#[test]
fn damaged_ext_is_read_or_refused() {
    let source = images::source(Source { many: 200, unix: true, sparse: true });
    // Without checksums, so that the damage is met.
    for (program, arguments) in [
        ("mkfs.ext4", &["-b", "1024", "-O", "^metadata_csum,inline_data"][..]),
        ("mkfs.ext2", &["-b", "1024"]),
        ("mkfs.ext4", &["-b", "4096"]),
    ] {
        damage(Kind::Ext, &images::ext(program, arguments, source.path(), 24), 120);
    }
}

#[test]
fn damaged_xfs_is_read_or_refused() {
    let source = images::source(Source { many: 200, unix: true, sparse: true });
    std::fs::remove_file(source.path().join("longer-link")).expect("removed");
    damage(Kind::Xfs, &images::xfs(&["-m", "crc=0"], source.path(), 320), 60);
    damage(Kind::Xfs, &images::xfs(&[], source.path(), 320), 60);
}

#[test]
fn damaged_btrfs_is_read_or_refused() {
    let source = images::source(Source { many: 200, unix: true, sparse: true });
    damage(Kind::Btrfs, &images::btrfs(&[], source.path()), 60);
    damage(Kind::Btrfs, &images::btrfs(&["-n", "4096"], source.path()), 150);
    damage(Kind::Btrfs, &packed::image("log"), 150);
}

#[test]
fn damaged_ntfs_is_read_or_refused() {
    let source = images::source(Source { many: 0, unix: false, sparse: true });
    damage(Kind::Ntfs, &images::ntfs(&[], source.path(), 16), 150);
}

#[test]
fn damaged_logs_of_ntfs_are_replayed_or_refused() {
    for version in [Version::One, Version::Two] {
        let mut machine = machine(Layout { version, before: 3 * PAGE, ..Layout::default() });
        machine.checkpoint();
        work(&mut machine, |machine| machine.checkpoint());
        // Not finished, so that there is something to take back.
        let mut transaction = machine.begin();
        machine.delete(&mut transaction, ROOT, "born");
        machine.rename(&mut transaction, ROOT, "file 2", "file 9");
        let image = machine.crashed(LastPage::Whole);
        let disk = FileDisk::open(&image.path);
        let mut head = [0; 4];
        let mut pages = used(disk.as_ref());
        pages.retain(|&page| {
            disk.read_at(page, &mut head).is_ok() && matches!(&head, b"RSTR" | b"RCRD" | b"FILE" | b"INDX")
        });
        damage_pages(Kind::Ntfs, &image, 400, &pages);
    }
}

#[test]
fn damaged_fat_is_read_or_refused() {
    let source = images::source(Source { many: 100, unix: false, sparse: true });
    damage(Kind::Fat, &images::fat(&["-F", "12", "-s", "16"], source.path(), 16), 100);
    damage(Kind::Fat, &images::fat(&["-F", "32", "-s", "1"], source.path(), 48), 100);
}

#[test]
fn damaged_squashfs_is_read_or_refused() {
    let source = images::source(Source { many: 200, unix: true, sparse: true });
    for arguments in [&["-noI", "-noF"][..], &["-comp", "xz"], &["-comp", "zstd"], &["-comp", "lz4"]] {
        damage(Kind::Squashfs, &images::squashfs(arguments, source.path()), 60);
    }
}
