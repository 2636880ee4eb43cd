//! Layers of a container image, and every file of the merged tree. The first byte says where the second layer begins.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_image::file_system::layers::fuzzing::merge(bytes));
