//! A file as a disk image of any kind.
#![no_main]

use std::sync::Arc;

use guardhouse_fuzz::mutate_sectors;
use guardhouse_image::fuzzing::{self, Sparse};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| {
    let Some(file) = Sparse::decode(bytes) else { return };
    fuzzing::container(Arc::new(file));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_sectors(data, size, max_size, seed, 8)
});
