//! The control socket of the agent, to which every user of a device can write.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = guardhouse_agent::control::protocol::read_request(bytes);
});
