//! What tests of several crates need; never part of the product.
//!
//! * [`postgres`]: a PostgreSQL that is the test's own, with a database per test.
//! * [`Proxy`]: connections that can be cut, frozen and healed.
//! * [`stores`]: stores of objects over the files of a folder.
//!
//! What goes wrong here is no finding of a test but a fault of the machine, so everything panics with what to do
//! about it instead of answering errors.

pub mod postgres;
mod proxy;
pub mod stores;

pub use proxy::Proxy;
