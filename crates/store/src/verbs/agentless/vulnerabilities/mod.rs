//! Vulnerable packages that scans found. They come and go with the result of their asset.

mod filter;
mod groups;
mod list;
mod replace;
mod whitelist;

pub use replace::{enter, replace};
pub use whitelist::settle_selection;
