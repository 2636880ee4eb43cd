//! Bounds on what an image may ask of its reader. Real systems stay far below them; an image that reaches one gets an
//! error that names it.

/// How deep folders may lie below each other.
pub const DEPTH: usize = 128;

/// How many entries one folder may have.
pub const FOLDER_ENTRIES: u64 = 5_000_000;

/// How many symbolic links are followed on the way to one file; Linux follows as many.
pub const SYMLINK_HOPS: usize = 40;

/// How long a path may be, in bytes; Linux takes as many from a program.
pub const PATH_BYTES: usize = 4096;

/// How many files of one target are visited.
pub const FILES: u64 = 20_000_000;

/// How many partitions and logical volumes of one target are read.
pub const VOLUMES: usize = 1024;
