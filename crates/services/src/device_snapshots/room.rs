//! Whether there is room for more of a snapshot.

use std::{io, path::Path};

/// What is left free at least, in bytes: the server has other things to keep.
const LEAST: u64 = 1 << 30;

/// The same, as a part of the whole: a twentieth.
const LEAST_SHARE: u64 = 20;

/// Why nothing more is kept in `folder`, in a sentence; `None`: there is room.
///
/// # Errors
/// The file system does not say.
pub fn lack(folder: &Path) -> io::Result<Option<String>> {
    let room = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
    Ok(judge(bytes(room.f_bavail), bytes(room.f_blocks)))
}

fn judge(free: u64, total: u64) -> Option<String> {
    let least = LEAST.max(total / LEAST_SHARE);
    (free < least).then(|| {
        let mib = |bytes: u64| bytes >> 20;
        format!(
            "the server has no room for the snapshot: {} MiB are free where it keeps snapshots, and {} are left free",
            mib(free),
            mib(least)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_gibibyte_and_a_twentieth_are_left_free() {
        let table = [
            ((10 * GIB, 100 * GIB), true),
            ((5 * GIB, 100 * GIB), true),
            ((5 * GIB - 1, 100 * GIB), false),
            ((GIB, 2 * GIB), true),
            ((GIB - 1, 2 * GIB), false),
            ((0, 0), false),
            ((u64::MAX, u64::MAX), true),
        ];
        for ((free, total), expected) in table {
            assert_eq!(judge(free, total).is_none(), expected, "{free} of {total}");
        }
        let lack = judge(GIB, 100 * GIB).expect("too little");
        assert!(lack.contains("1024 MiB are free") && lack.contains("5120 are left"), "{lack}");
    }
}
