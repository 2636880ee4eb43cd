//! Frames of an agent.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guardhouse_dispatch::fuzzing::agent_frame(bytes));
