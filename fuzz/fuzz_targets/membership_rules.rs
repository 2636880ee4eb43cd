//! The rule of a dynamic group, as JSON or encoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_services::fuzzing::membership_rule(bytes));
