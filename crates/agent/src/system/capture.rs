//! What is kept of an output stream: all of it up to a cap, otherwise its head and its tail.

use std::{collections::VecDeque, str};

use guardhouse_contract::action::Output;

/// The most that is kept of one stream, in bytes.
pub const CAP: usize = 64 * 1024;

/// A stream as it comes in.
#[derive(Debug)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// The most that is kept of the head.
    most_head: usize,
    /// The most that is kept of the tail.
    most_tail: usize,
    total: u64,
}

impl Capture {
    /// Nothing yet; at most `cap` bytes will be kept, half of them of the head and half of the tail.
    #[must_use]
    pub fn new(cap: usize) -> Self {
        let most_tail = cap / 2;
        Self { head: Vec::new(), tail: VecDeque::new(), most_head: cap - most_tail, most_tail, total: 0 }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(self.most_head - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(&rest[rest.len().saturating_sub(self.most_tail)..]);
        self.tail.drain(..self.tail.len().saturating_sub(self.most_tail));
    }

    /// What is kept.
    #[must_use]
    pub fn finish(self) -> Output {
        let Self { mut head, tail, total, .. } = self;
        let tail: Vec<u8> = tail.into();
        if total == (head.len() + tail.len()) as u64 {
            head.extend(tail);
            return Output { head: text(&head), tail: String::new(), omitted_bytes: 0 };
        }
        // The cut may go through a character: its remains are counted among the dropped bytes.
        let head = &head[..head.len() - cut_end(&head)];
        let tail = &tail[cut_start(&tail)..];
        Output { head: text(head), tail: text(tail), omitted_bytes: total - (head.len() + tail.len()) as u64 }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many bytes at the end begin a character that is not complete.
fn cut_end(bytes: &[u8]) -> usize {
    let begins = |count: &usize| match str::from_utf8(&bytes[bytes.len() - count..]) {
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
        Ok(_) => false,
    };
    (1..=bytes.len().min(3)).find(begins).unwrap_or(0)
}

/// How many bytes at the start continue a character whose beginning is missing.
fn cut_start(bytes: &[u8]) -> usize {
    bytes.iter().take(3).take_while(|&&byte| byte & 0b1100_0000 == 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PART: usize = CAP / 2;

    fn capture(chunks: &[&[u8]]) -> Output {
        capture_at_most(CAP, chunks)
    }

    fn capture_at_most(cap: usize, chunks: &[&[u8]]) -> Output {
        let mut capture = Capture::new(cap);
        chunks.iter().for_each(|chunk| capture.push(chunk));
        capture.finish()
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let output = capture(&[b"one\n", b"two\n"]);
        assert_eq!(output, Output { head: "one\ntwo\n".to_owned(), tail: String::new(), omitted_bytes: 0 });
        let output = capture(&[&[b'x'; CAP]]);
        assert_eq!((output.head.len(), output.tail.len(), output.omitted_bytes), (CAP, 0, 0));
    }

    #[test]
    fn one_byte_more_splits() {
        let output = capture(&[b"a", &[b'x'; CAP - 1], b"z"]);
        assert_eq!((output.head.len(), output.tail.len(), output.omitted_bytes), (PART, PART, 1));
        assert!(output.head.starts_with('a') && output.tail.ends_with('z'));
    }

    #[test]
    fn a_small_cap_keeps_both_ends() {
        let table =
            [(0, "", "", 6), (1, "a", "", 5), (2, "a", "f", 4), (3, "ab", "f", 3), (6, "abcdef", "", 0)];
        for (cap, head, tail, omitted_bytes) in table {
            let expected = Output { head: head.to_owned(), tail: tail.to_owned(), omitted_bytes };
            assert_eq!(capture_at_most(cap, &[b"ab", b"cdef"]), expected, "{cap}");
        }
    }

    #[test]
    fn no_character_is_cut() {
        // Three bytes each: neither part holds a whole number of them.
        let output = capture(&["€".repeat(CAP).as_bytes()]);
        assert!(output.head.chars().chain(output.tail.chars()).all(|letter| letter == '€'));
        let kept = (output.head.len() + output.tail.len()) as u64;
        assert_eq!(kept + output.omitted_bytes, 3 * CAP as u64);
        assert!(kept > CAP as u64 - 6);
    }

    #[test]
    fn what_is_no_text_is_marked() {
        assert_eq!(capture(&[b"a\xffb"]).head, "a\u{fffd}b");
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            cap in prop::sample::select(vec![0, 1, 7, 1_000, CAP - 1, CAP]),
            lengths in prop::collection::vec(0..40_000_usize, 0..8),
        ) {
            let mut next = 0_u8;
            let chunks: Vec<Vec<u8>> = lengths.iter().map(|&length| {
                (0..length).map(|_| { next = (next + 1) % 101; b' ' + next % 90 }).collect()
            }).collect();
            let whole = chunks.concat();
            let parts = capture_at_most(cap, &chunks.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(&parts, &capture_at_most(cap, &[&whole]));
            prop_assert!(parts.head.len() + parts.tail.len() <= cap);
            prop_assert!(whole.starts_with(parts.head.as_bytes()) && whole.ends_with(parts.tail.as_bytes()));
            prop_assert_eq!((parts.head.len() + parts.tail.len()) as u64 + parts.omitted_bytes, whole.len() as u64);
        }
    }
}
