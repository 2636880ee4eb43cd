//! Programs with what Go and `cargo auditable` build into them, byte by byte: for the systems and versions of Go that
//! this machine has no tools for.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use crate::bytes::Order;

const MAGIC: &[u8] = b"\xff Go buildinf:";

/// Modules as Go lists them.
pub(crate) const LIST: &str =
    "path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\tgithub.com/a/b\tv1.2.3\th1:x=\n";

/// zlib of a text.
pub(crate) fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// The information of Go 1.18 and newer, with a list between its marks.
pub(crate) fn inline(version: &str, list: &str) -> Vec<u8> {
    let marked = [&[0x30; 16], list.as_bytes(), &[0x31; 16]].concat();
    let text = |bytes: &[u8]| {
        let (low, high) = (bytes.len() & 0x7f, bytes.len() >> 7);
        let len = if high == 0 { vec![low] } else { vec![low | 0x80, high] };
        let len = len.into_iter().map(|part| u8::try_from(part).expect("below 16384"));
        len.chain(bytes.iter().copied()).collect::<Vec<u8>>()
    };
    let mut info = [MAGIC, &[8, 2], &[0; 16]].concat();
    info.extend([text(version.as_bytes()), text(&marked)].concat());
    info
}

/// An ELF without sections, whose only segment begins at the address 0x1000 and has this content.
pub(crate) fn elf(order: Order, wide: bool, content: &[u8]) -> Vec<u8> {
    let put = |file: &mut Vec<u8>, value: u64, width: usize| {
        let bytes = value.to_be_bytes();
        let bytes = bytes.get(8 - width..).expect("at most 8");
        match order {
            Order::Big => file.extend_from_slice(bytes),
            Order::Little => file.extend(bytes.iter().rev()),
        }
    };
    let word = if wide { 8 } else { 4 };
    let (head, entry) = if wide { (64, 56) } else { (52, 32) };
    let mut file = b"\x7fELF".to_vec();
    file.extend([if wide { 2 } else { 1 }, if order == Order::Big { 2 } else { 1 }, 1]);
    file.resize(16, 0);
    // Type, machine, version; entry, segments, sections; flags; sizes and counts.
    [2, 62].into_iter().for_each(|value| put(&mut file, value, 2));
    put(&mut file, 1, 4);
    [0, head, 0].into_iter().for_each(|value| put(&mut file, value, word));
    put(&mut file, 0, 4);
    [head, entry, 1, 0, 0, 0].into_iter().for_each(|value| put(&mut file, value, 2));
    let (flags, len) = (6, content.len() as u64);
    put(&mut file, 1, 4);
    if wide {
        put(&mut file, flags, 4);
    }
    [0x400, 0x1000, 0x1000, len, len].into_iter().for_each(|value| put(&mut file, value, word));
    if !wide {
        put(&mut file, flags, 4);
    }
    file.resize(0x400, 0);
    [file, content.to_vec()].concat()
}

/// The information of Go up to 1.17, whose texts are elsewhere: at the address 0x1100 and following.
pub(crate) fn pointers(order: Order, width: u8) -> Vec<u8> {
    let put = |value: u32| {
        let mut bytes = vec![0; usize::from(width)];
        match order {
            Order::Big => bytes.splice(usize::from(width) - 4.., value.to_be_bytes()),
            Order::Little => bytes.splice(..4, value.to_le_bytes()),
        };
        bytes
    };
    let list = [&[0x30; 16], LIST.as_bytes(), &[0x31; 16]].concat();
    let mut content = [MAGIC, &[width, u8::from(order == Order::Big)], &put(0x1100), &put(0x1140)].concat();
    content.resize(0x100, 0);
    content.extend([put(0x1200), put(8)].concat());
    content.resize(0x140, 0);
    content.extend([put(0x1220), put(u32::try_from(list.len()).expect("short"))].concat());
    content.resize(0x200, 0);
    content.extend(b"go1.16.4");
    content.resize(0x220, 0);
    [content, list].concat()
}

/// A 64-bit PE whose only section, `.data`, has this content.
pub(crate) fn pe(name: &[u8; 8], content: &[u8]) -> Vec<u8> {
    let words = |words: &[usize]| {
        words.iter().flat_map(|word| u32::try_from(*word).expect("short").to_le_bytes()).collect::<Vec<u8>>()
    };
    let mut file = b"MZ".to_vec();
    file.resize(0x3c, 0);
    file.extend(words(&[0x80]));
    file.resize(0x80, 0);
    // Machine and one section; no symbols; 112 bytes of optional header.
    file.extend(
        [b"PE\0\0\x64\x86\x01\x00".to_vec(), words(&[0, 0, 0]), vec![112, 0, 0x22, 0, 0x0b, 0x02]].concat(),
    );
    file.resize(0x80 + 24 + 112, 0);
    file.extend(
        [name.to_vec(), words(&[content.len(), 0x1000, content.len(), 0x200, 0, 0, 0, 0xc000_0040])].concat(),
    );
    file.resize(0x200, 0);
    [file, content.to_vec()].concat()
}

/// A 64-bit Mach-O whose only section, in `__DATA`, has this name and content.
pub(crate) fn mach_o(name: &str, content: &[u8]) -> Vec<u8> {
    let words = |words: &[usize]| {
        words.iter().flat_map(|word| u32::try_from(*word).expect("short").to_le_bytes()).collect::<Vec<u8>>()
    };
    let padded = |name: &str| {
        let mut name = name.as_bytes().to_vec();
        name.resize(16, 0);
        name
    };
    let mut file = [b"\xcf\xfa\xed\xfe".to_vec(), words(&[0x0100_000c, 0, 2, 2, 24 + 152, 0, 0])].concat();
    file.extend([words(&[0x1b, 24]), vec![0; 16]].concat()); // an identity, of no interest
    let len = content.len();
    file.extend(
        [words(&[0x19, 152]), padded("__DATA"), words(&[0x1000, 0, len, 0, 0x200, 0, len, 0, 3, 3, 1, 0])]
            .concat(),
    );
    file.extend(
        [padded(name), padded("__DATA"), words(&[0x1000, 0, len, 0, 0x200, 4, 0, 0, 0, 0, 0, 0])].concat(),
    );
    file.resize(0x200, 0);
    [file, content.to_vec()].concat()
}
