//! The body with which somebody asks for an access token, as a form and as JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_gateway::fuzzing::sign_in(bytes));
