//! A report as it is handed in: JSON, compressed, in parts that fit into a message.

use std::io::{self, Write};

use guardhouse_report::{Report, json};

/// How long a part is, in bytes: all but the last.
const PART: usize = 1 << 20;

/// How hard the compression tries: reports are repetitive, and read once or twice.
const LEVEL: i32 = 3;

/// The parts of a report, in their order.
///
/// # Errors
/// The compression fails, which it does when there is no memory.
pub fn parts(report: &Report) -> io::Result<Vec<Vec<u8>>> {
    split(PART, |out| json::write(report, out))
}

fn split(part: usize, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<Vec<u8>>> {
    let mut encoder = zstd::Encoder::new(Parts { part, done: Vec::new(), last: Vec::new() }, LEVEL)?;
    write(&mut encoder)?;
    let Parts { mut done, last, .. } = encoder.finish()?;
    if !last.is_empty() {
        done.push(last);
    }
    Ok(done)
}

/// Cuts what is written.
struct Parts {
    part: usize,
    done: Vec<Vec<u8>>,
    last: Vec<u8>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (now, _) = bytes.split_at(bytes.len().min(self.part.saturating_sub(self.last.len())));
        self.last.extend_from_slice(now);
        if self.last.len() >= self.part {
            self.done.push(std::mem::take(&mut self.last));
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole() {
        let numbers: Vec<u8> =
            (0..20_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let parts = split(1_000, |out| out.write_all(&numbers)).expect("memory takes everything");
        let (last, others) = parts.split_last().expect("there is something");
        assert!(others.len() > 10 && others.iter().all(|part| part.len() == 1_000));
        assert!((1..=1_000).contains(&last.len()));
        assert_eq!(zstd::decode_all(parts.concat().as_slice()).expect("what was encoded"), numbers);
    }
}
