//! What the lists of findings share: pages, filters, and how assets and times are shown.

mod filters;

pub use crate::numbered_pages::Page;
pub use filters::{LONGEST_LIST, asset_ids, language, scan_range, statuses};

use guardhouse_model::Timestamp;

/// What answers say that have a code and a message of their own.
pub const CODE: &str = "200";
/// The same, as a number.
pub const HTTP_STATUS: i32 = 200;
/// What the message of such an answer is.
pub const MESSAGE: &str = "success";

/// A time as Unix milliseconds.
pub fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}
