//! What a store of objects answers when it is asked what lies in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_locations::fuzzing::listing(bytes));
