//! What the lists of findings share: pages and filters.

mod filters;

pub use crate::numbered_pages::Page;
pub use filters::{LONGEST_LIST, asset_ids, language, scan_range, statuses};

/// What answers say that have a code and a message of their own.
pub const CODE: &str = "200";
/// The same, as a number.
pub const HTTP_STATUS: i32 = 200;
/// What the message of such an answer is.
pub const MESSAGE: &str = "success";
