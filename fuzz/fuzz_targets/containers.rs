//! A file as a disk image of any kind.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_image::fuzzing::container(bytes));
