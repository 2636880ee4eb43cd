use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
};

use guardhouse_image::{
    FileSystem,
    file_system::{Kind, open},
    volume::Reason,
};
use guardhouse_test_images::{
    disks::put,
    file_systems::{self as images, Source},
};

use crate::{
    compare::{Keeps, compare},
    disks::FileDisk,
};

#[test]
fn every_file_of_ext_is_read() {
    let source = images::source(Source { many: 3_000, unix: true, sparse: true });
    // mke2fs with inline data cuts the hole at the end of a file off.
    let dense = images::source(Source { many: 3_000, unix: true, sparse: false });
    let owner = fs::metadata(source.path()).expect("the source");
    let keeps = Keeps {
        modes: true,
        owner: Some((owner.uid(), owner.gid())),
        times: Some(0),
        hard_links: true,
        spaces: true,
    };
    for (program, arguments) in [
        ("mkfs.ext2", &["-b", "1024", "-N", "5000"][..]),
        ("mkfs.ext2", &["-b", "4096", "-O", "none,filetype", "-I", "128", "-N", "5000"]),
        ("mkfs.ext3", &["-b", "1024", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "1024", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "4096", "-N", "5000"]),
        ("mkfs.ext4", &["-b", "4096", "-O", "64bit,metadata_csum,inline_data", "-N", "5000"]),
        ("mkfs.ext4", &["-O", "^64bit,^metadata_csum,uninit_bg,meta_bg,^resize_inode", "-N", "5000"]),
        ("mkfs.ext4", &["-O", "bigalloc,ea_inode,large_dir,^has_journal", "-C", "16384", "-N", "5000"]),
    ] {
        let is_inline = arguments.iter().any(|argument| argument.contains("inline_data"));
        let source = if is_inline { &dense } else { &source };
        let image = images::ext(program, arguments, source.path(), 384);
        let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
        assert_eq!((file_system.kind(), file_system.label()), (&program[5..], "label"));
        assert_eq!(file_system.uuid(), images::UUID);
        assert_eq!(file_system.notes(), [""; 0]);
        compare(source.path(), file_system.as_ref(), keeps);
    }
}

#[test]
fn a_journal_is_replayed_in_memory() {
    let source = tempfile::tempdir().expect("a folder");
    fs::write(source.path().join("file"), [b'A'; 4096]).expect("written");
    // The block begins with what begins the journal's own blocks, which is written differently there.
    let newer = [&[0xc0, 0x3b, 0x39, 0x98][..], &[b'B'; 4092]].concat();
    for (features, open_journal) in [
        ("metadata_csum", "jo -c"),
        ("metadata_csum", "jo -c -v 2"),
        ("^metadata_csum", "jo"),
        ("^64bit", "jo"),
    ] {
        let image = images::ext("mkfs.ext4", &["-b", "4096", "-O", features], source.path(), 16);
        let block = images::run("e2fsprogs", "debugfs", &["-R", "blocks /file", image.name()]);
        let block = block.trim();
        let (data, commands) = (image.folder().join("data"), image.folder().join("commands"));
        fs::write(&data, &newer).expect("written");
        let write = format!("{open_journal}\njw -b {block} {}\njc\n", data.display());
        fs::write(&commands, write).expect("written");
        let run = |commands: &Path| {
            images::run(
                "e2fsprogs",
                "debugfs",
                &["-w", "-f", commands.to_str().expect("plain"), image.name()],
            );
        };
        run(&commands);
        let before = fs::read(&image.path).expect("the image");
        let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
        assert_eq!(file_system.notes(), ["the journal held 1 transaction; replayed in memory"]);
        assert!(read_file(file_system.as_ref()) == newer, "{features} {open_journal}");
        // A later transaction takes the block back.
        fs::write(&commands, format!("{open_journal}\njw -r {block}\njc\n")).expect("written");
        run(&commands);
        let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
        assert_eq!(file_system.notes(), ["the journal held 2 transactions; replayed in memory"]);
        assert!(read_file(file_system.as_ref()) == [b'A'; 4096], "{features} {open_journal}");
        assert_eq!(before.len() as u64, fs::metadata(&image.path).expect("the image").len());
    }
}

#[test]
fn a_copy_of_a_file_system_in_use_without_a_journal_is_told() {
    let source = tempfile::tempdir().expect("a folder");
    let image = images::ext("mkfs.ext2", &[], source.path(), 8);
    put(&image.path, 1024 + 0x3a, &[0]);
    let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
    assert!(file_system.notes()[0].starts_with("it was in use"), "{:?}", file_system.notes());
}

/// A tag of a fast commit.
fn tag(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("short").to_le_bytes();
    [&kind.to_le_bytes()[..], &length, value].concat()
}

#[test]
fn fast_commits_come_after_the_journal() {
    let source = tempfile::tempdir().expect("a folder");
    for (name, byte) in [("file", b'A'), ("gone", b'B'), ("other", b'C')] {
        fs::write(source.path().join(name), [byte; 4096]).expect("written");
    }
    let image = images::ext("mkfs.ext4", &["-b", "4096", "-O", "fast_commit"], source.path(), 32);
    let debugfs = |command: &str| images::run("e2fsprogs", "debugfs", &["-w", "-R", command, image.name()]);
    let number = |text: String| text.trim().parse::<u64>().expect("a number");
    let (data, commands) = (image.folder().join("data"), image.folder().join("commands"));
    fs::write(&data, [b'D'; 4096]).expect("written");
    let block = number(debugfs("blocks /file"));
    fs::write(&commands, format!("jo -c\njw -b {block} {}\njc\n", data.display())).expect("written");
    let name = commands.to_str().expect("plain");
    images::run("e2fsprogs", "debugfs", &["-w", "-f", name, image.name()]);

    let file = fs::OpenOptions::new().read(true).write(true).open(&image.path).expect("the image");
    let journal = number(debugfs("bmap <8> 0")) * 4096;
    let field = |at: u64| {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, journal + at).expect("read");
        u32::from_be_bytes(bytes)
    };
    // Linux sets the feature when it mounts the file system.
    file.write_all_at(&(field(40) | 0x20).to_be_bytes(), journal + 40).expect("written");
    let transaction = (field(24) + 1).to_le_bytes();
    let area = number(debugfs(&format!("bmap <8> {}", field(16) - field(84) + 1))) * 4096;
    let inode = |name: &str| {
        let text = debugfs(&format!("stat /{name}"));
        let number = text.split_ascii_whitespace().nth(1).expect("a number").to_owned();
        number.parse::<u32>().expect("a number").to_le_bytes()
    };
    let (root, other) = (2_u32.to_le_bytes(), inode("other"));
    let block_of_file = u32::try_from(block).expect("small").to_le_bytes();
    let mut first = [tag(9, &[[0; 4], transaction].concat()), tag(7, &[0; 9])].concat();
    first.extend(tag(5, &[&root[..], &inode("gone"), b"gone"].concat()));
    first.extend(tag(4, &[&root[..], &other, b"linked"].concat()));
    // The other file gets the block of the first.
    first.extend(tag(1, &[&other[..], &[0; 4], &[1, 0, 0, 0], &block_of_file].concat()));
    let mut second = tag(5, &[&root[..], &other, b"other"].concat());
    for (number, tags) in [&mut first, &mut second].into_iter().enumerate() {
        let rest = u16::try_from(4096 - tags.len() - 4).expect("short").to_le_bytes();
        tags.extend([&8_u16.to_le_bytes()[..], &rest, &transaction].concat());
        // That of the journal is not inverted at either end.
        let sum = !crc32c::crc32c_append(!0, tags);
        tags.extend(sum.to_le_bytes());
        file.write_all_at(tags, area + number as u64 * 4096).expect("written");
    }
    let names = |file_system: &dyn FileSystem| {
        let mut reader = file_system.reader().expect("a reader");
        let mut names = BTreeSet::new();
        let shown = reader.read_folder(&reader.root(), &mut |entry| {
            names.insert(String::from_utf8_lossy(entry.name).into_owned());
            ControlFlow::Continue(())
        });
        shown.expect("read");
        names.into_iter().collect::<Vec<_>>()
    };
    let opened = || open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
    let file_system = opened();
    let note = "the journal held 1 transaction and 2 fast commits; replayed in memory";
    assert_eq!(file_system.notes(), [note]);
    assert_eq!(names(file_system.as_ref()), ["file", "linked", "lost+found"]);
    assert!(read_named(file_system.as_ref(), b"linked") == [b'D'; 4096]);

    // A fast commit that did not get there whole does not count.
    file.write_all_at(b"x", area + 4096 + 12).expect("written");
    let file_system = opened();
    assert_eq!(file_system.notes(), [note.replace("2 fast commits", "1 fast commit")]);
    assert_eq!(names(file_system.as_ref()), ["file", "linked", "lost+found", "other"]);
    file.write_all_at(&[1], area + 4).expect("written");
    let file_system = opened();
    assert_eq!(names(file_system.as_ref()), ["file", "gone", "lost+found", "other"]);
    let expected = "the last changes may be missing: it has fast commits with unknown features";
    assert_eq!(file_system.left_out(), [expected]);
}

fn read_file(file_system: &dyn FileSystem) -> Vec<u8> {
    read_named(file_system, b"file")
}

fn read_named(file_system: &dyn FileSystem, name: &[u8]) -> Vec<u8> {
    let mut reader = file_system.reader().expect("a reader");
    let file = reader.lookup(&reader.root(), name).expect("read").expect("found");
    let mut bytes = vec![0; 5000];
    let length = reader.read_at(&file, 0, &mut bytes).expect("read");
    bytes.truncate(length);
    bytes
}

#[test]
fn folders_with_an_index_are_read() {
    let source = tempfile::tempdir().expect("a folder");
    for number in 0..5_000 {
        fs::write(source.path().join(format!("a name that is long enough {number}")), "").expect("written");
    }
    let image = images::ext("mkfs.ext4", &["-b", "1024", "-N", "6000"], source.path(), 48);
    // It answers 1 for what it has mended.
    let arguments = ["-c", "e2fsck -fyD \"$0\" > /dev/null 2>&1 || test $? -le 1", image.name()];
    images::run("e2fsprogs", "sh", &arguments);
    let file_system = open(Kind::Ext, FileDisk::open(&image.path)).expect("an ext");
    let mut reader = file_system.reader().expect("a reader");
    let mut names = BTreeSet::new();
    let result = reader.read_folder(&reader.root(), &mut |entry| {
        assert!(names.insert(entry.name.to_vec()), "shown twice");
        ControlFlow::Continue(())
    });
    result.expect("read");
    assert_eq!(names.len(), 5_001, "with lost+found");
}

#[test]
fn what_is_not_read_is_named() {
    let source = tempfile::tempdir().expect("a folder");
    let image = images::ext("mkfs.ext4", &["-O", "^metadata_csum"], source.path(), 8);
    let refusal = |at: u64, bytes: &[u8]| {
        let file = fs::OpenOptions::new().write(true).open(&image.path).expect("the image");
        file.write_all_at(bytes, 1024 + at).expect("written");
        open(Kind::Ext, FileDisk::open(&image.path)).expect_err("refused")
    };
    let unknown = refusal(0x60, &0x4000_0042_u32.to_le_bytes());
    assert_eq!(unknown.reason, Reason::Unsupported);
    assert_eq!(unknown.to_string(), "ext: not supported: unknown incompatible features 0x40000000");
    let compressed = refusal(0x60, &0x43_u32.to_le_bytes());
    assert_eq!(compressed.to_string(), "ext: not supported: compression");
    assert_eq!(refusal(0x38, &[0, 0]).reason, Reason::Damaged);
}
