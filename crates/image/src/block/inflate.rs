//! Clusters and grains that were compressed one by one.

use std::{cell::RefCell, io};

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::damaged;

/// How many bytes of what came before zstd may refer to, as a power of two: more than a cluster has, and little enough
/// to allocate for every thread.
const ZSTD_WINDOW_LOG: u32 = 23;

thread_local! {
    static DEFLATE: RefCell<Option<Decompress>> = const { RefCell::new(None) };
    static ZLIB: RefCell<Option<Decompress>> = const { RefCell::new(None) };
    static ZSTD: RefCell<Option<Decoder<'static>>> = const { RefCell::new(None) };
}

/// How a piece is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Deflate without a head.
    Deflate,
    /// Deflate with the head and the checksum of zlib.
    Zlib,
    /// Zstandard.
    Zstd,
}

/// Fills `output` with what `input` holds. What follows in `input` does not count: pieces are padded to whole sectors.
///
/// # Errors
/// `InvalidData` when it holds less, or is no such data.
pub(crate) fn inflate(compression: Compression, input: &[u8], output: &mut [u8]) -> io::Result<()> {
    match compression {
        Compression::Deflate => DEFLATE.with_borrow_mut(|state| deflate(state, false, input, output)),
        Compression::Zlib => ZLIB.with_borrow_mut(|state| deflate(state, true, input, output)),
        Compression::Zstd => ZSTD.with_borrow_mut(|state| zstd(state, input, output)),
    }
}

fn deflate(state: &mut Option<Decompress>, zlib: bool, input: &[u8], output: &mut [u8]) -> io::Result<()> {
    let decoder = state.get_or_insert_with(|| Decompress::new(zlib));
    decoder.reset(zlib);
    let status = decoder
        .decompress(input, output, FlushDecompress::Finish)
        .map_err(|error| damaged(format!("deflated data: {error}")))?;
    match status {
        // It may hold more than fits: then it is full, which is all that counts here.
        Status::Ok | Status::StreamEnd | Status::BufError if decoder.total_out() == output.len() as u64 => {
            Ok(())
        }
        _ => Err(damaged(format!(
            "deflated data of {} bytes instead of {}",
            decoder.total_out(),
            output.len()
        ))),
    }
}

fn zstd(state: &mut Option<Decoder<'static>>, input: &[u8], output: &mut [u8]) -> io::Result<()> {
    if state.is_none() {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))?;
        *state = Some(decoder);
    }
    let decoder = state.as_mut().ok_or_else(|| damaged("no decoder"))?;
    decoder.reinit()?;
    let length = output.len();
    let (mut input, mut output) = (InBuffer::around(input), OutBuffer::around(output));
    // A cluster may consist of several frames.
    while output.pos() < length {
        let before = (input.pos(), output.pos());
        decoder.run(&mut input, &mut output).map_err(|error| damaged(format!("zstd data: {error}")))?;
        if (input.pos(), output.pos()) == before {
            return Err(damaged(format!("zstd data of {} bytes instead of {length}", output.pos())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(compression: Compression, bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match compression {
            Compression::Deflate => {
                let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).expect("writes to memory");
                encoder.finish().expect("writes to memory")
            }
            Compression::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).expect("writes to memory");
                encoder.finish().expect("writes to memory")
            }
            Compression::Zstd => zstd::stream::encode_all(bytes, 3).expect("writes to memory"),
        }
    }

    #[test]
    fn pieces_are_inflated_whatever_follows_them() {
        let bytes: Vec<u8> = (0..65_536_u32).map(|number| (number / 7) as u8).collect();
        for compression in [Compression::Deflate, Compression::Zlib, Compression::Zstd] {
            let mut input = packed(compression, &bytes);
            input.resize(input.len().next_multiple_of(512), 0xff);
            let mut output = vec![0; bytes.len()];
            inflate(compression, &input, &mut output).expect("inflates");
            assert_eq!(output, bytes, "{compression:?}");
        }
    }

    #[test]
    fn what_is_too_short_or_no_such_data_is_damaged() {
        let bytes = vec![1; 1000];
        for compression in [Compression::Deflate, Compression::Zlib, Compression::Zstd] {
            let input = packed(compression, &bytes);
            let mut output = vec![0; bytes.len() + 1];
            inflate(compression, &input, &mut output).expect_err("one byte short");
            inflate(compression, &input[..input.len() / 2], &mut output[1..]).expect_err("cut off");
            inflate(compression, &[0xfe; 600], &mut output).expect_err("no such data");
            // The decoder is kept; the next piece does not suffer.
            inflate(compression, &input, &mut output[1..]).expect("inflates");
        }
    }
}
