//! A text as each parameter that has a form of its own: webhooks, whitelists, selections.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| guardhouse_services::fuzzing::parameter_text(text));
