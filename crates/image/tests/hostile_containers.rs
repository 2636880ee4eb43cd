//! Damaged and made-up containers end with an error or with bytes.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use guardhouse_image::{
    BlockRead,
    block::{
        Cache,
        container::{Allowed, open},
    },
};
use guardhouse_test_images::disks;
use proptest::prelude::*;
use tempfile::TempDir;

const LENGTH: u64 = 2 << 20;

static IMAGES: LazyLock<(TempDir, Vec<PathBuf>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", LENGTH);
    let images = disks::CONTAINERS.iter().map(|container| disks::convert(&raw, container)).collect();
    (folder, images)
});

/// A file with some bytes changed, in memory only.
#[derive(Debug)]
struct Changed {
    file: File,
    length: u64,
    changes: Vec<(u64, Vec<u8>)>,
}

impl BlockRead for Changed {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_exact_at(buffer, offset)?;
        for (at, bytes) in &self.changes {
            for (at, byte) in (*at..).zip(bytes) {
                if let Some(place) = at.checked_sub(offset).and_then(|at| buffer.get_mut(at as usize)) {
                    *place = *byte;
                }
            }
        }
        Ok(())
    }
}

fn read(path: &Path, cut: Option<u64>, changes: Vec<(u64, Vec<u8>)>) {
    let file = File::open(path).expect("opens");
    let length = file.metadata().expect("a file").len();
    let file = Changed { file, length: cut.unwrap_or(length).min(length), changes };
    let Ok(container) = open(Arc::new(file), path, &Allowed::default(), &Cache::new(1 << 20)) else { return };
    let mut buffer = vec![0; 70_000];
    let length = container.disk.len();
    for at in [
        0,
        65_000,
        1 << 20,
        LENGTH - 70_000,
        length / 2,
        length.saturating_sub(70_000),
        length,
        u64::MAX - 10,
    ] {
        drop(container.disk.read_at(at, &mut buffer));
    }
}

/// Bytes that are wrong in more interesting ways than chance finds.
fn change() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(vec![vec![0; 4], vec![0xff; 4], vec![0; 8], vec![0xff; 8]]),
        any::<u64>().prop_map(|number| number.to_le_bytes().to_vec()),
        (0_u32..64).prop_map(|bit| (1_u64 << bit).to_be_bytes().to_vec()),
        (0_u32..64).prop_map(|bit| (1_u64 << bit).to_le_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn damage_is_an_error_or_bytes(
        image in 0..disks::CONTAINERS.len(),
        changes in prop::collection::vec((prop_oneof![0_u64..128, 0_u64..512, 0_u64..1024, 0_u64..1 << 19], change()), 1..4),
        from_end in any::<bool>(),
    ) {
        let path = &IMAGES.1[image];
        let length = fs::metadata(path).expect("a file").len();
        let place = |at: u64| if from_end { length.saturating_sub(at) } else { at };
        read(path, None, changes.into_iter().map(|(at, bytes)| (place(at), bytes)).collect());
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_or_bytes(image in 0..disks::CONTAINERS.len(), cut in 0_u64..3 << 20) {
        read(&IMAGES.1[image], Some(cut), Vec::new());
    }
}

#[test]
fn bits_of_the_heads_may_be_wrong() {
    for path in &IMAGES.1 {
        let head = fs::read(path).expect("reads");
        for at in (0..120).step_by(3) {
            for bit in 0..8 {
                read(path, None, vec![(at as u64, vec![head[at] ^ 1 << bit])]);
            }
        }
    }
}
