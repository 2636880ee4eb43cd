//! A file of advisories, of any form and packing.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_advisories::import::fuzzing(bytes));
