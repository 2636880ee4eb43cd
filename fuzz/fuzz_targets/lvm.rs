//! The metadata of a group of logical volumes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_image::fuzzing::lvm(bytes));
