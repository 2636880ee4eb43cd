//! A VHDX image that was not closed reads as it will when QEMU has replayed its log.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use crc32c::crc32c;
use guardhouse_image::{
    BlockRead,
    block::{
        Cache, FileDisk,
        container::{Allowed, Container, ContainerError, open},
    },
    fuzzing::Sparse,
};
use guardhouse_test_images::{bytes::noise, disks, run, seeds::keep};

const PAGE: usize = 4096;
const GUID: [u8; 16] = [7; 16];

/// What an entry changes.
enum Change {
    /// A page at a place of the file.
    Page(u64, Vec<u8>),
    /// Zeros from a place of the file on.
    Zeros(u64, u64),
}

fn sum(bytes: &mut [u8]) {
    bytes[4..8].fill(0);
    let sum = crc32c(bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
}

fn set(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

/// An entry of the log, as [MS-VHDX] 2.3.1 has it.
fn entry(sequence: u64, tail: usize, changes: &[Change], file: u64) -> Vec<u8> {
    let mut bytes = vec![0; PAGE];
    bytes[..4].copy_from_slice(b"loge");
    bytes[12..16].copy_from_slice(&(tail as u32).to_le_bytes());
    set(&mut bytes, 16, sequence);
    set(&mut bytes, 24, changes.len() as u64);
    bytes[32..48].copy_from_slice(&GUID);
    set(&mut bytes, 48, file);
    set(&mut bytes, 56, file);
    for (number, change) in changes.iter().enumerate() {
        let at = 64 + number * 32;
        match change {
            Change::Page(place, page) => {
                bytes[at..at + 4].copy_from_slice(b"desc");
                bytes[at + 4..at + 8].copy_from_slice(&page[PAGE - 4..]);
                bytes[at + 8..at + 16].copy_from_slice(&page[..8]);
                set(&mut bytes, at + 16, *place);
                let start = bytes.len();
                bytes.extend_from_slice(page);
                bytes[start..start + 4].copy_from_slice(b"data");
                bytes[start + 4..start + 8].copy_from_slice(&((sequence >> 32) as u32).to_le_bytes());
                bytes[start + PAGE - 4..].copy_from_slice(&(sequence as u32).to_le_bytes());
            }
            Change::Zeros(place, length) => {
                bytes[at..at + 4].copy_from_slice(b"zero");
                set(&mut bytes, at + 8, *length);
                set(&mut bytes, at + 16, *place);
            }
        }
        set(&mut bytes, at + 24, sequence);
    }
    let length = bytes.len() as u32;
    bytes[8..12].copy_from_slice(&length.to_le_bytes());
    sum(&mut bytes);
    bytes
}

/// Says in both heads that the log counts, and returns where it is and how long.
fn mark(image: &File) -> (u64, usize) {
    let mut place = (0, 0);
    for at in [64 << 10, 128 << 10] {
        let mut head = vec![0; PAGE];
        image.read_exact_at(&mut head, at).expect("reads");
        head[48..64].copy_from_slice(&GUID);
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        place = (number(72), (number(68) & 0xffff_ffff) as usize);
        sum(&mut head);
        image.write_all_at(&head, at).expect("writes");
    }
    place
}

fn opened(path: &Path) -> Result<Container, ContainerError> {
    open(Arc::new(FileDisk::open(path).expect("opens")), path, &Allowed::default(), &Cache::new(1 << 20))
}

fn bytes(disk: &dyn BlockRead) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(disk.len()).expect("fits")];
    for (number, part) in bytes.chunks_mut(50_001).enumerate() {
        disk.read_at(number as u64 * 50_001, part).expect("reads");
    }
    bytes
}

#[test]
fn the_log_is_replayed_in_memory() {
    replay(0);
    // QEMU 7.2 takes only the entries after the start of the ring for the row; [MS-VHDX] 2.3.2 begins at the tail.
    replay(2);
}

/// Makes an image with a log whose first entry begins some pages before the end of the ring, and reads it.
fn replay(before_end: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", 4 << 20);
    let container =
        disks::CONTAINERS.iter().find(|container| container.name == "fixed.vhdx").expect("is there");
    let path = disks::convert(&raw, container);
    let image = File::options().read(true).write(true).open(&path).expect("opens");
    let length = image.metadata().expect("a file").len();
    let (log, ring) = mark(&image);
    // Where the disk lies in the file: its beginning is `mixed`.
    let whole = fs::read(&path).expect("reads");
    let start =
        whole.windows(6).position(|bytes| bytes == b"\xfa mixed"[..6].as_ref()).expect("is there") as u64;
    let page = |seed| noise(seed, PAGE);
    // The newer entry overrides a page of the older one, and clears another.
    let first = [
        Change::Page(start + 8192, page(1)),
        Change::Page(start + 16384, page(2)),
        Change::Page(start + 65536, page(3)),
    ];
    let second = [
        Change::Page(start + 8192, page(4)),
        Change::Zeros(start + 61440, 16384),
        Change::Page(start + 69632, page(5)),
    ];
    let tail = (ring - before_end * PAGE) % ring;
    let first = entry(40, tail, &first, length);
    let second = entry(41, tail, &second, length);
    for (number, page) in [first, second].concat().chunks(PAGE).enumerate() {
        image.write_all_at(page, log + ((tail + number * PAGE) % ring) as u64).expect("writes");
    }

    let container = opened(&path).expect("opens");
    assert!(container.notes.iter().any(|note| note.contains("log")), "{:?}", container.notes);
    let read = bytes(container.disk.as_ref());
    assert_eq!(read[8192..12288], page(4));
    assert_eq!(read[16384..20480], page(2));
    assert!(read[61440..69632].iter().all(|&byte| byte == 0));
    assert_eq!(read[69632..73728], page(5));

    if before_end > 0 {
        return;
    }
    // QEMU writes the log to the file, and then says what is on the disk.
    run("qemu-img", &["check", "-q", "-r", "all", "-f", "vhdx", disks::text(&path)]);
    let replayed = folder.path().join("replayed.raw");
    run("qemu-img", &["convert", "-f", "vhdx", "-O", "raw", disks::text(&path), disks::text(&replayed)]);
    let expected = fs::read(replayed).expect("reads");
    let differs = (0..read.len()).step_by(PAGE).filter(|&at| read[at..at + PAGE] != expected[at..at + PAGE]);
    assert_eq!(differs.collect::<Vec<_>>(), Vec::<usize>::new());
}

/// A small image with a log for the fuzz target of containers.
#[test]
fn seeds_with_a_log_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = folder.path().join("disk.raw");
    fs::write(&raw, [&b"\xfa mixed"[..], &[0; (1 << 20) - 7]].concat()).expect("writes");
    let container =
        disks::CONTAINERS.iter().find(|container| container.name == "fixed.vhdx").expect("is there");
    let path = disks::convert(&raw, container);
    let image = File::options().read(true).write(true).open(&path).expect("opens");
    let length = image.metadata().expect("a file").len();
    let (log, _) = mark(&image);
    let page = noise(1, PAGE);
    let first = [Change::Page(length - 8192, page.clone()), Change::Zeros(length - 65536, 4096)];
    let second = [Change::Page(length - 16384, page.clone())];
    let entries = [entry(40, 0, &first, length), entry(41, 0, &second, length)].concat();
    image.write_all_at(&entries, log).expect("writes");
    let read = bytes(opened(&path).expect("opens").disk.as_ref());
    let end = read.len();
    assert!(read[end - 8192..end - 4096] == page && read[end - 16384..end - 12288] == page);
    keep("containers", "log.vhdx", &Sparse::encode(&fs::read(&path).expect("reads")));
}

#[test]
fn a_log_without_a_whole_row_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let raw = disks::mixed(folder.path(), "disk.raw", 1 << 20);
    let container =
        disks::CONTAINERS.iter().find(|container| container.name == "dynamic.vhdx").expect("is there");
    let path = disks::convert(&raw, container);
    let image = File::options().read(true).write(true).open(&path).expect("opens");
    let (log, ring) = mark(&image);
    opened(&path).expect_err("nothing to replay");
    // Its tail is not there; it leads to itself under another number; every page is the head of a long one.
    let change = [Change::Zeros(1 << 30, 1 << 40)];
    image.write_all_at(&entry(40, 8 * PAGE, &change, 1 << 40), log).expect("writes");
    opened(&path).expect_err("the tail is missing");
    let mut head = entry(40, 0, &change, 1 << 40);
    head[8..12].copy_from_slice(&(ring as u32).to_le_bytes());
    for at in (0..ring).step_by(PAGE) {
        image.write_all_at(&head, log + at as u64).expect("writes");
    }
    opened(&path).expect_err("no checksum is right");
    // A sound entry that asks for more than there is takes no memory.
    image.write_all_at(&vec![0; ring], log).expect("writes");
    image.write_all_at(&entry(40, 0, &change, u64::MAX), log).expect("writes");
    let container = opened(&path).expect("opens");
    assert_eq!(bytes(container.disk.as_ref()), fs::read(raw).expect("reads"));
}
