//! One feature of a policy, as JSON or encoded.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| guardhouse_policy::fuzzing::feature(bytes));
