//! A file of rules by which findings are ignored.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = guardhouse_advisories::ignore::Rules::parse("fuzz", text);
});
