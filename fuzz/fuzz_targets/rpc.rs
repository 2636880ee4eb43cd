//! Query, header Authorization and form of a signed request, one per line; the form is the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (query, authorization, form) = (part(), part(), part());
    let query = std::str::from_utf8(query).unwrap_or_default();
    guardhouse_gateway::fuzzing::parameters(query, form, authorization);
});
