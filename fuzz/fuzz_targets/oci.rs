//! The descriptions of a container image: index, manifest and configuration, and those of `docker save`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_image::target::fuzzing::archive(bytes));
