//! Bounds on what a location may ask of who looks at it.

use std::time::Duration;

/// How many assets one location may have; what comes behind by name is left out.
pub const ASSETS: usize = 10_000;

/// How many files and folders, or objects, one look passes.
pub const ENTRIES: usize = 200_000;

/// How deep folders may lie below the location; 0 would be the location alone.
pub const DEPTH: usize = 8;

/// How long the name of an asset may be, in bytes.
pub const NAME_BYTES: usize = 1024;

/// How long one look may take.
pub const LIST_TIME: Duration = Duration::from_secs(5 * 60);

/// How many sentences a listing has about what was left out.
pub const LEFT_OUT: usize = 20;

/// How many files an asset may need besides itself: extents of a disk of 2 TiB in pieces of 2 GiB, and the images below
/// it.
pub const BESIDES: usize = 1024;

/// How long an answer of a store may be that is no asset, in bytes.
pub const ANSWER_BYTES: usize = 32 << 20;

/// How long a store may be silent.
pub const SILENCE: Duration = Duration::from_secs(60);

/// How often in a row a download may break off without a further byte.
pub const BREAKS: u32 = 6;
