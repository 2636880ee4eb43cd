//! The journal of the agent, as a crash or a bad disk may leave it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = guardhouse_agent::journal::parse(bytes);
});
