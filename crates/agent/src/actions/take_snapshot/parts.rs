//! The archive as it is sent: in parts, through a channel, so that never much of it is in memory.

use std::io::{self, Write};

use tokio::sync::mpsc;

/// The size of all parts but the last one, in bytes: the most that the server takes.
pub(super) const PART: usize = 1 << 20;

/// What the thread that reads says to who sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The next part of the archive.
    Part {
        /// Its bytes: at least one.
        content: Vec<u8>,
        /// The archive ends with it.
        last: bool,
    },
    /// A snapshot has been read: which one.
    Read(usize),
}

/// Cuts what is written into parts.
#[derive(Debug)]
pub(super) struct Parts {
    part: Vec<u8>,
    out: mpsc::Sender<Word>,
}

impl Parts {
    pub(super) fn new(out: mpsc::Sender<Word>) -> Self {
        Self { part: Vec::with_capacity(PART), out }
    }

    /// Says that a snapshot has been read.
    ///
    /// # Errors
    /// Nobody sends any more.
    pub(super) fn read(&self, number: usize) -> io::Result<()> {
        self.say(Word::Read(number))
    }

    /// Ends the archive: what is left is its last part.
    ///
    /// # Errors
    /// Nobody sends any more.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { part, out } = self;
        out.blocking_send(Word::Part { content: part, last: true }).map_err(|_| gone())
    }

    fn say(&self, word: Word) -> io::Result<()> {
        self.out.blocking_send(word).map_err(|_| gone())
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only now: the last part must not be empty.
        if self.part.len() == PART {
            let content = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
            self.say(Word::Part { content, last: false })?;
        }
        let taken = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "nobody sends the archive any more")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(length: usize) -> Vec<Word> {
        let (out, mut words) = mpsc::channel(16);
        let mut parts = Parts::new(out);
        parts.write_all(&vec![7; length]).expect("taken");
        parts.read(3).expect("heard");
        parts.finish().expect("taken");
        std::iter::from_fn(|| words.try_recv().ok()).collect()
    }

    #[test]
    fn parts_are_full_but_for_the_last_which_is_not_empty() {
        for (length, expected) in
            [(1, vec![1]), (PART, vec![PART]), (PART + 1, vec![PART, 1]), (3 * PART, vec![PART; 3])]
        {
            let words = parts_of(length);
            let lengths: Vec<usize> = words
                .iter()
                .filter_map(|word| match word {
                    Word::Part { content, .. } => Some(content.len()),
                    Word::Read(_) => None,
                })
                .collect();
            assert_eq!(lengths, expected);
            assert!(words.contains(&Word::Read(3)));
            let lasts = words.iter().filter(|word| matches!(word, Word::Part { last: true, .. }));
            assert!(lasts.count() == 1 && matches!(words.last(), Some(Word::Part { last: true, .. })));
        }
    }

    #[test]
    fn nobody_reads_on_when_nobody_sends() {
        let (out, words) = mpsc::channel(1);
        drop(words);
        let mut parts = Parts::new(out);
        parts.write_all(&vec![7; PART]).expect("not sent yet");
        let error = parts.write_all(&[7]).expect_err("nobody is there");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
