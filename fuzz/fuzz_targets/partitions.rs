//! A disk: its partition tables, and the heads of what lies on it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_image::fuzzing::partitions(bytes));
