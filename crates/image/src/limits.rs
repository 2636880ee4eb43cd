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

/// How many layers an image may have; engines stop at 127.
pub const LAYERS: usize = 1024;

/// How many files all layers of an image may have, with those that others replace.
pub const LAYER_FILES: usize = 10_000_000;

/// How long the names of these files and the targets of their links may be together, in bytes.
pub const LAYER_TEXTS: usize = 1 << 30;

/// How many bytes the compressed layers of a target may have when they are unpacked.
pub const UNPACKED_BYTES: u64 = 64 << 30;

/// How many times longer than before an archive may be when it is unpacked, once it has reached
/// [`UNPACKED_ANYWAY_BYTES`].
pub const UNPACKED_RATIO: u64 = 200;

/// How long an archive may get by unpacking, whatever its length before, in bytes. Layers with a file of zeros pack a
/// thousandfold.
pub const UNPACKED_ANYWAY_BYTES: u64 = 1 << 30;

/// How much memory the unpacking of one layer may take, in bytes: a window of zstd or a dictionary of xz, and buffers.
pub const UNPACKING_MEMORY: u64 = 136 << 20;

/// How long a manifest, an index or a configuration of an image may be, in bytes; registries take four megabytes.
pub const MANIFEST_BYTES: u64 = 16 << 20;
