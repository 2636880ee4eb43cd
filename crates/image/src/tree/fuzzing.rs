//! For the fuzz target `fstab`.

use super::{device::Name, fstab, os};

/// Reads bytes as each of the files that decide how a tree is put together.
pub fn files(bytes: &[u8]) {
    for line in fstab::parse(bytes) {
        let _ = (line.option("subvol"), line.is_bind(), line.is_automatic());
        Name::parse(&line.device).find(&[]);
    }
    os::read_all(&String::from_utf8_lossy(bytes));
}
