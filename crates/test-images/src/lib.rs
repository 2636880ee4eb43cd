//! Disks and container images for the tests: a small tree of files of every kind, and the images that real tools make of
//! it. Without root, mounts and loop devices.
//!
//! [`seeds`] hands such files on to fuzzing.
//!
//! A tool that is not installed makes the test panic with the Debian package that has it; `scripts/test` installs them.

pub mod bytes;
mod commands;
pub mod containers;
pub mod disks;
pub mod file_systems;
pub mod lvm;
pub mod ntfs_log;
pub mod packages;
pub mod partitions;
pub mod seeds;

pub use commands::{run, try_run};
