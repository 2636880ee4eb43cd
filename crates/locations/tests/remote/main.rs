//! Stores of objects: real ones, and ones that break off or lie.

mod canned;
mod hostile;
mod real;
mod store;
