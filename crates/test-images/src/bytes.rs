//! What files are filled with: the same in every run.

/// Bytes that look random and are always the same for a seed.
#[must_use]
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Text that packs well and is always the same for a seed.
#[must_use]
pub fn prose(seed: u64, length: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["the", "guard", "house", "stands", "at", "its", "gate", "watching\n"];
    let mut bytes = Vec::with_capacity(length + 16);
    for byte in noise(seed, length) {
        if bytes.len() >= length {
            break;
        }
        bytes.extend_from_slice(WORDS[usize::from(byte % 8)].as_bytes());
        bytes.push(b' ');
    }
    bytes.truncate(length);
    bytes
}
