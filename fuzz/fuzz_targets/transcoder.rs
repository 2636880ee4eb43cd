//! Verb, path, query and body, one per line; the body is the rest.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(4, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (verb, path, query) = (text(), text(), text());
    let verb = verb.parse().unwrap_or(Method::POST);
    guardhouse_gateway::fuzzing::transcode(&verb, path, query, parts.next().unwrap_or_default());
});
