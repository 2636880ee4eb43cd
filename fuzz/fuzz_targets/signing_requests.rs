//! The request with which a device asks for its certificate.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = guardhouse_identity::signing_request::SigningRequest::read(bytes);
});
