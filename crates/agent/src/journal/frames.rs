//! The bytes of the journal.
//!
//! ```text
//! file   = "GHJRNL1\n" salt[8] frame*
//! frame  = length:u32le crc:u32le payload[length]      crc = CRC-32 of salt and payload
//! ```
//!
//! A frame holds everything that one append recorded, so that an append is in the file as a whole or not at
//! all. A bad frame with nothing valid behind it is a torn append. A bad frame with a valid one behind it is
//! damage: the later append proves that the earlier one had been synced. The salt differs in every file and
//! is never sent anywhere: no order can carry bytes that look like a valid frame.

use crate::journal::{Record, record};

const MAGIC: &[u8; 8] = b"GHJRNL1\n";
const HEADER: usize = 16;
const FRAME_HEADER: usize = 8;

/// A journal that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// All records, oldest first.
    pub records: Vec<Record>,
    /// Length of a torn append at the end of the file, in bytes.
    pub torn: usize,
}

/// What is wrong with the content of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin like a journal.
    #[error("it does not begin like a journal of this agent version")]
    Header,
    /// A bad frame lies before a good one.
    #[error("the record at byte {at} cannot be read, but later ones can")]
    Frame {
        /// Where the bad frame begins.
        at: usize,
    },
}

/// The first bytes of a journal.
#[must_use]
pub fn header(salt: [u8; 8]) -> Vec<u8> {
    [&MAGIC[..], &salt].concat()
}

/// One frame.
#[must_use]
pub fn encode(salt: [u8; 8], records: &[Record]) -> Vec<u8> {
    let payload = record::encode(records);
    let length =
        u32::try_from(payload.len()).expect("an append is far below 4 GiB: messages are limited to 4 MiB");
    let mut frame = Vec::with_capacity(FRAME_HEADER + payload.len());
    frame.extend(length.to_le_bytes());
    frame.extend(checksum(salt, &payload).to_le_bytes());
    frame.extend(payload);
    frame
}

/// Reads a journal. Never panics, whatever the bytes are.
///
/// # Errors
/// [`Damage`] when the bytes are neither a journal nor the beginning of one.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Damage> {
    if bytes.len() < HEADER {
        // Not even the header arrived: nothing was ever recorded in this file.
        let begins = MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]);
        return if begins {
            Ok(Parsed { records: Vec::new(), torn: bytes.len() })
        } else {
            Err(Damage::Header)
        };
    }
    let salt = bytes[MAGIC.len()..HEADER].try_into().map_err(|_| Damage::Header)?;
    if !bytes.starts_with(MAGIC) {
        return Err(Damage::Header);
    }
    let mut records = Vec::new();
    let mut at = HEADER;
    while let Some((found, length)) = frame(salt, &bytes[at..]) {
        records.extend(found);
        at += length;
    }
    if (at + 1..bytes.len()).any(|later| frame(salt, &bytes[later..]).is_some()) {
        return Err(Damage::Frame { at });
    }
    Ok(Parsed { records, torn: bytes.len() - at })
}

/// The records of the frame that `bytes` begin with, and the length of the frame.
fn frame(salt: [u8; 8], bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let payload = rest.get(..length)?;
    // To a fuzzer every checksum is right.
    let intact = length > 0 && (cfg!(fuzzing) || checksum(salt, payload) == u32::from_le_bytes(*crc));
    if !intact {
        return None;
    }
    Some((record::decode(payload)?, FRAME_HEADER + length))
}

fn checksum(salt: [u8; 8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt);
    hasher.update(payload);
    hasher.finalize()
}
