//! What several fuzz targets share.

use guardhouse_image::fuzzing::SECTOR;
use libfuzzer_sys::fuzzer_mutate;

/// Changes one sector of a [`guardhouse_image::fuzzing::Sparse`] that begins behind `head` bytes, and leaves it as long
/// as it was: what lies behind it would be nonsense otherwise. Once in 16 times, everything may be changed.
pub fn mutate_sectors(data: &mut [u8], size: usize, max_size: usize, seed: u32, head: usize) -> usize {
    let sectors = size.saturating_sub(head) / (4 + SECTOR);
    if sectors == 0 || seed % 16 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    // The first ones are the heads that everything follows from.
    let among = if seed & 16 == 0 { sectors.min(8) } else { sectors };
    let at = head + (seed >> 5) as usize % among * (4 + SECTOR) + 4;
    let Some(sector) = data.get_mut(at..at + SECTOR) else { return size };
    let mut changed = [0; SECTOR];
    changed.copy_from_slice(sector);
    let length = fuzzer_mutate(&mut changed, SECTOR, SECTOR);
    sector[..length].copy_from_slice(&changed[..length]);
    size
}
