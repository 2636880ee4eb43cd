//! Mach-O: macOS, alone or several in one "fat" file. See <mach-o/loader.h> and <mach-o/fat.h>.

use crate::bytes::{Order, part};
use crate::format::{Input, ParseError};

use super::layout::{Layout, Section, Segment, read_part, wanted};
use super::{Words, malformed};

const LONGEST_COMMANDS: u64 = 1024 * 1024;

pub(super) fn is_magic(magic: &[u8]) -> bool {
    words(magic).is_some()
}

fn words(magic: &[u8]) -> Option<Words> {
    let (order, wide) = match magic {
        b"\xce\xfa\xed\xfe" => (Order::Little, false),
        b"\xcf\xfa\xed\xfe" => (Order::Little, true),
        b"\xfe\xed\xfa\xce" => (Order::Big, false),
        b"\xfe\xed\xfa\xcf" => (Order::Big, true),
        _ => return None,
    };
    Some(Words { order, wide })
}

/// The first program of a fat file: all are built from the same sources. `None` for a class of Java, which begins alike:
/// its version stands where the number of programs does, and is at least 45.
pub(super) fn layout_in_fat(input: &mut Input<'_>, head: &[u8]) -> Result<Option<Layout>, ParseError> {
    const MOST_PROGRAMS: u32 = 40;
    match Order::Big.u32(head, 4) {
        Some(1..=MOST_PROGRAMS) => {}
        _ => return Ok(None),
    }
    let offset = Order::Big.u32(head, 16).ok_or_else(|| malformed("it ends within its table of programs"))?;
    layout(input, u64::from(offset)).map(Some)
}

/// The program that begins at `start`.
pub(super) fn layout(input: &mut Input<'_>, start: u64) -> Result<Layout, ParseError> {
    let head = read_part(input, (start, 32), 32, "the header")?;
    let words = part(&head, 0, 4).and_then(words).ok_or_else(|| malformed("this is no program"))?;
    let number = |at| words.order.u32(&head, at).unwrap_or_default();
    let (count, size) = (number(16), number(20));
    let after_head = start + if words.wide { 32 } else { 28 };
    let commands = read_part(input, (after_head, u64::from(size)), LONGEST_COMMANDS, "the list of commands")?;
    let mut layout = Layout::default();
    let mut rest = commands.as_slice();
    for _ in 0..count {
        let len = words.order.u32(rest, 4).and_then(|len| usize::try_from(len).ok()).filter(|len| *len >= 8);
        let (command, after) = len
            .and_then(|len| rest.split_at_checked(len))
            .ok_or_else(|| malformed("a command is cut off"))?;
        segment(&mut layout, words, start, command).ok_or_else(|| malformed("a segment is cut off"))?;
        rest = after;
    }
    Ok(layout)
}

/// Adds a segment and its sections, when the command is one that tells of those.
fn segment(layout: &mut Layout, words: Words, start: u64, command: &[u8]) -> Option<()> {
    let order = words.order;
    let (head, section) = match order.u32(command, 0)? {
        0x01 if !words.wide => (56, 68),
        0x19 if words.wide => (72, 80),
        _ => return Some(()),
    };
    let place = words.get(command, 32, 40)?;
    let (address, size) = (words.get(command, 24, 24)?, words.get(command, 36, 48)?);
    layout.segments.push(Segment { address, offset: start.checked_add(place)?, size });
    let sections = order.u32(command, if words.wide { 64 } else { 48 })?;
    for entry in command.get(head..)?.chunks_exact(section).take(usize::try_from(sections).ok()?) {
        if let Some(name) = part(entry, 0, 16).and_then(wanted) {
            let offset = start.checked_add(u64::from(order.u32(entry, if words.wide { 48 } else { 40 })?))?;
            layout.sections.push(Section { name, offset, size: words.get(entry, 36, 40)? });
        }
    }
    Some(())
}
