//! A disk: its partition tables, the heads of what lies on it, and the systems on it.
#![no_main]

use std::sync::Arc;

use guardhouse_fuzz::mutate_sectors;
use guardhouse_image::{
    BlockRead,
    fuzzing::{self, Sparse},
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| {
    let Some(disk) = Sparse::decode(bytes) else { return };
    fuzzing::partitions(&(Arc::new(disk) as Arc<dyn BlockRead>));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_sectors(data, size, max_size, seed, 8)
});
