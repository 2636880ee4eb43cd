//! A VEX document, of any form.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_advisories::vex::fuzzing(bytes));
