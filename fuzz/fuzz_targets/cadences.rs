//! When a schedule starts, as JSON or encoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_services::fuzzing::schedule_cadence(bytes));
