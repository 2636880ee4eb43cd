//! A file system of any kind, which the first byte says, with all its files.
#![no_main]

use std::sync::Arc;

use guardhouse_fuzz::mutate_sectors;
use guardhouse_image::fuzzing::{self, KINDS, Sparse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, rest)) = bytes.split_first() else { return };
    let (Some(kind), Some(disk)) = (KINDS.get(usize::from(kind)), Sparse::decode(rest)) else { return };
    fuzzing::file_system(*kind, Arc::new(disk));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_sectors(data, size, max_size, seed, 1 + 8)
});
