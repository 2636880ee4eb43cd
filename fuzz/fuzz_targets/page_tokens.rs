//! Nothing but a token that was made for the list opens a page.
#![no_main]

use guardhouse_services::page::{Pages, Scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    let page = Pages::new(&[1; 32]).open(Scan::new("List"), 10, token);
    assert!(token.is_empty() || page.is_err(), "{token:?} is taken for a token");
});
