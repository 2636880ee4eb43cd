//! Damaged and made-up partition tables and heads end with volumes, refused or not, and never with nothing.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use guardhouse_test_images::{
    disks::put,
    partitions::{fdisk_4096, sfdisk},
};
use proptest::prelude::*;

use crate::fuzzing::{self, Memory};

const LENGTH: u64 = 4 << 20;

static DISKS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let gpt = "label: gpt\nstart=2048, size=2048\nstart=4096, size=1024\n";
    let mbr = "label: dos\nstart=64, size=2048, type=83\nstart=2112, size=4096, type=5\n\
        start=2176, size=512\nstart=2752, size=512\n";
    let disks: Vec<PathBuf> = vec![
        sfdisk(folder.path(), "gpt", LENGTH, gpt),
        sfdisk(folder.path(), "mbr", LENGTH, mbr),
        fdisk_4096(folder.path(), "gpt-4096", LENGTH, "g\nn\n1\n256\n+256\nw\n"),
    ];
    for disk in &disks {
        put(disk, 1 << 20, b"LUKS\xba\xbe\0\x02");
    }
    disks.iter().map(|disk| fs::read(disk).expect("reads")).collect()
});

fn partitions(disk: Vec<u8>) {
    fuzzing::partitions(&(Arc::new(Memory(disk)) as _));
}

/// Corrects the checksums of a GPT, so that changes get past them.
fn correct(bytes: &mut [u8], sector: usize) {
    let (head, entries) = (sector, 2 * sector);
    let count = (bytes[head + 80] as usize * bytes[head + 84] as usize).min(16 << 10);
    let sum = crc32fast::hash(&bytes[entries..entries + count]);
    bytes[head + 88..head + 92].copy_from_slice(&sum.to_le_bytes());
    bytes[head + 16..head + 20].fill(0);
    let sum = crc32fast::hash(&bytes[head..head + 92]);
    bytes[head + 16..head + 20].copy_from_slice(&sum.to_le_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_tables_lead_to_volumes(
        disk in 0_usize..3,
        changes in prop::collection::vec((prop_oneof![440_usize..512, 512_usize..620, 1024_usize..1300, 4096_usize..4200,
            8192_usize..8400, 1_081_344_usize..1_081_856], prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(5)]), 1..6),
        correctly in any::<bool>(),
    ) {
        let mut bytes = DISKS[disk].clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        if correctly && disk != 1 {
            correct(&mut bytes, if disk == 0 { 512 } else { 4096 });
        }
        partitions(bytes);
    }

    #[test]
    fn damaged_heads_lead_to_volumes(
        at in prop_oneof![0_usize..100, 1024_usize..1100, 4000_usize..4200, Just(65600), Just(32769)],
        bytes in prop::collection::vec(any::<u8>(), 1..20),
        length in 0_usize..300_000,
    ) {
        let mut disk = vec![0; length];
        for (place, byte) in disk.iter_mut().skip(at).zip(bytes) {
            *place = byte;
        }
        partitions(disk);
    }
}
