//! A file in every format that names packages: databases, lock files, programs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_packages::fuzzing::read(bytes));
