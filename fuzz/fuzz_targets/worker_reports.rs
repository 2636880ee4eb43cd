//! What a worker hands in as the report of a scan.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_services::fuzzing::worker_report(bytes));
