//! LZNT1, the compression of NTFS. Source: [MS-XCA] 2.5.

use super::super::disk::Fields as _;

/// How many bytes a chunk unpacks to.
const CHUNK: usize = 4096;

/// Unpacks to `size` bytes: what is not there is zeros. `None` when a reference leads before its chunk.
pub fn unpack(mut packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size && packed.len() >= 2 {
        let head = packed.u16(0);
        if head == 0 {
            break;
        }
        let length = usize::from(head & 0xfff) + 1;
        let chunk = packed.get(2..2 + length)?;
        packed = packed.get(2 + length..).unwrap_or_default();
        let start = bytes.len();
        if head & 0x8000 == 0 {
            bytes.extend_from_slice(chunk);
        } else {
            unpack_chunk(chunk, &mut bytes)?;
        }
        bytes.resize(start + CHUNK, 0);
    }
    bytes.resize(size, 0);
    Some(bytes)
}

fn unpack_chunk(chunk: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let start = bytes.len();
    let mut at = 0;
    while at < chunk.len() {
        let flags = chunk.u8(at);
        at += 1;
        for bit in 0..8 {
            if at >= chunk.len() || bytes.len() - start >= CHUNK {
                break;
            }
            if flags >> bit & 1 == 0 {
                bytes.push(chunk.u8(at));
                at += 1;
                continue;
            }
            // The further into the chunk, the more bits of a reference are for the distance.
            let done = bytes.len() - start;
            let shift = 12 - (done.checked_sub(1)? >> 4).checked_ilog2().map_or(0, |log| log + 1);
            let reference = chunk.u16(at);
            at += 2;
            let distance = usize::from(reference >> shift) + 1;
            let length = usize::from(reference & ((1 << shift) - 1)) + 3;
            for _ in 0..length.min(CHUNK - done) {
                let from = bytes.len().checked_sub(distance).filter(|&from| from >= start)?;
                bytes.push(*bytes.get(from)?);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use guardhouse_test_images::seeds::keep;
    use proptest::prelude::*;

    use super::*;
    use crate::file_system::lznt1;

    const EXAMPLE: [u8; 59] = [
        0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01, 0xa0,
        0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88,
        0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe,
        0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
    ];

    #[test]
    fn seeds_are_unpacked() {
        let text = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# \
                     G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let bytes = unpack(&EXAMPLE, CHUNK).expect("unpacked");
        assert_eq!(bytes.get(..text.len()), Some(&text[..]));
        keep("lznt1", "specification", &EXAMPLE);
    }

    #[test]
    fn a_reference_before_the_chunk_is_damage() {
        assert_eq!(unpack(&[3, 0xb0, 2, b'a', 0xff, 0xff, 0], CHUNK), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_damage(bytes in prop::collection::vec(any::<u8>(), 0..600), packed: bool) {
            lznt1(&bytes);
            if packed {
                lznt1(&[&EXAMPLE[..57], &[bytes.len() as u8, 0xb0], &bytes].concat());
            }
        }
    }
}
