//! What is kept of an output stream: all of it up to a cap, otherwise its head and its tail.

use std::{collections::VecDeque, str};

use guardhouse_contract::action::Output;

/// The most that is kept of one stream, in bytes.
pub const CAP: usize = 64 * 1024;

/// The most that is kept of its head, and of its tail.
const PART: usize = CAP / 2;

/// A stream as it comes in.
#[derive(Debug, Default)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Capture {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let (head, rest) = bytes.split_at(bytes.len().min(PART - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(&rest[rest.len().saturating_sub(PART)..]);
        self.tail.drain(..self.tail.len().saturating_sub(PART));
    }

    /// What is kept.
    #[must_use]
    pub fn finish(self) -> Output {
        let Self { mut head, tail, total } = self;
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

    fn capture(chunks: &[&[u8]]) -> Output {
        let mut capture = Capture::default();
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
        fn chunks_do_not_matter(lengths in prop::collection::vec(0..40_000_usize, 0..8)) {
            let mut next = 0_u8;
            let chunks: Vec<Vec<u8>> = lengths.iter().map(|&length| {
                (0..length).map(|_| { next = (next + 1) % 101; b' ' + next % 90 }).collect()
            }).collect();
            let whole = chunks.concat();
            let parts = capture(&chunks.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(&parts, &capture(&[&whole]));
            prop_assert!(whole.starts_with(parts.head.as_bytes()) && whole.ends_with(parts.tail.as_bytes()));
            prop_assert_eq!((parts.head.len() + parts.tail.len()) as u64 + parts.omitted_bytes, whole.len() as u64);
        }
    }
}
