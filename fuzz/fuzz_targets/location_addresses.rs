//! The address of a store of objects: its URL, its endpoint, and certificate authorities, a line each.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| guardhouse_locations::fuzzing::address(text));
