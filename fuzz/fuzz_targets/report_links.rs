//! Path and query of a request for a report: nothing but a link that was made for it opens one.
#![no_main]

use guardhouse_identity::ReportLinks;
use guardhouse_model::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if let Some(linked) = ReportLinks::linked(path) {
        let checked = ReportLinks::new(&[1; 32]).check(linked, query, Timestamp::UNIX_EPOCH);
        assert!(checked.is_err(), "{text:?} is taken for a link");
    }
});
