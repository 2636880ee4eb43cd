//! Advisories as users meet them: files in, findings out, over a store on a disk.

mod alpine;
mod archives;
mod debian;
mod matching;
mod osv;
mod rustsec;
mod shared;
mod store;
mod support;
