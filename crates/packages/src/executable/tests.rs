use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use guardhouse_test_images::packages::program_with_section;

use super::*;
use crate::testing::{File, names};

const FORMAT: &Format = &FORMATS[0];
const LIST: &str =
    "path\texample.com/app\nmod\texample.com/app\t(devel)\t\ndep\tgithub.com/a/b\tv1.2.3\th1:x=\n";

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// The information of Go 1.18 and newer, with a list between its marks.
fn inline(version: &str, list: &str) -> Vec<u8> {
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

const MAGIC: &[u8] = b"\xff Go buildinf:";

#[test]
fn crates_of_a_program_of_rust() {
    let json = r#"{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true},
        {"name":"openssl","version":"0.10.40","source":"crates.io","dependencies":[3]},
        {"name":"forked","version":"1.0.0","source":"git"},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"time","version":"0.1.43","source":"crates.io","kind":"runtime"}]}"#;
    let program = program_with_section(".dep-v0", &zlib(json));
    assert_eq!(
        names(FORMAT, &program),
        (vec!["openssl 0.10.40".into(), "time 0.1.43".into()], String::new())
    );

    for damaged in [zlib("[]"), zlib("{"), b"no zlib".to_vec(), Vec::new()] {
        let (found, error) = names(FORMAT, &program_with_section(".dep-v0", &damaged));
        assert!(found.is_empty() && error.starts_with("the list of crates cannot be read"), "{error}");
    }
}

#[test]
fn a_list_that_unpacks_to_too_much_is_not_read() {
    let bomb = zlib(&" ".repeat(33 << 20));
    let file = program_with_section(".dep-v0", &bomb);
    let outcome = crate::testing::read(FORMAT, "/x", File { bytes: &file, ..File::default() });
    assert_eq!((outcome.packages.len(), outcome.limits.len(), outcome.error.as_str()), (0, 1, ""));
}

#[test]
fn modules_of_a_program_of_go() {
    let expected = ["stdlib 1.20.3", "example.com/app", "github.com/a/b 1.2.3"].map(str::to_owned).to_vec();
    let info = inline("go1.20.3", LIST);
    assert_eq!(
        names(FORMAT, &program_with_section(".go.buildinfo", &info)),
        (expected.clone(), String::new())
    );
    // Behind something else, as linkers put it; then with a text that is cut off.
    let later = [vec![0; 48], info.clone()].concat();
    assert_eq!(names(FORMAT, &program_with_section(".go.buildinfo", &later)).0, expected);
    let cut = program_with_section(".go.buildinfo", info.get(..info.len() - 40).expect("shorter"));
    assert_eq!(names(FORMAT, &cut), (vec![], "the list of modules is outside of its section".to_owned()));
    let other = program_with_section(".go.buildinfo", b"something else");
    assert_eq!(names(FORMAT, &other), (vec![], String::new()));
}

/// An ELF without sections, whose only segment begins at the address 0x1000 and has this content.
fn elf(order: Order, wide: bool, content: &[u8]) -> Vec<u8> {
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
fn pointers(order: Order, width: u8) -> Vec<u8> {
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

#[test]
fn modules_of_an_older_go_without_sections() {
    let expected = ["stdlib 1.16.4", "example.com/app", "github.com/a/b 1.2.3"].map(str::to_owned).to_vec();
    for order in [Order::Little, Order::Big] {
        for (wide, width) in [(false, 4), (true, 8)] {
            let file = elf(order, wide, &pointers(order, width));
            assert_eq!(names(FORMAT, &file), (expected.clone(), String::new()), "{order:?} {width}");
        }
    }
    // An address that is nowhere.
    let mut nowhere = pointers(Order::Little, 8);
    nowhere.splice(16..24, [0xff; 8]);
    let found = names(FORMAT, &elf(Order::Little, true, &nowhere));
    assert_eq!(found, (vec!["example.com/app".to_owned(), "github.com/a/b 1.2.3".to_owned()], String::new()));
}

/// A 64-bit PE whose only section, `.data`, has this content.
fn pe(name: &[u8; 8], content: &[u8]) -> Vec<u8> {
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
fn mach_o(name: &str, content: &[u8]) -> Vec<u8> {
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

#[test]
fn programs_of_other_systems() {
    let crates = zlib(r#"{"packages":[{"name":"time","version":"0.1.43","source":"crates.io"}]}"#);
    let go = inline("go1.20.3", LIST);
    let expected = ["stdlib 1.20.3", "example.com/app", "github.com/a/b 1.2.3"].map(str::to_owned).to_vec();
    let rust = (vec!["time 0.1.43".to_owned()], String::new());
    assert_eq!(names(FORMAT, &pe(b".dep-v0\0", &crates)), rust);
    assert_eq!(names(FORMAT, &pe(b".data\0\0\0", &go)).0, expected);
    assert_eq!(names(FORMAT, &mach_o(".dep-v0", &crates)), rust);
    let thin = mach_o("__go_buildinfo", &go);
    assert_eq!(names(FORMAT, &thin).0, expected);

    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let len = u32::try_from(thin.len()).expect("short");
    let mut fat = words(&[0xcafe_babe, 1, 0x0100_000c, 0, 0x1000, len, 12]);
    fat.resize(0x1000, 0);
    assert_eq!(names(FORMAT, &[fat, thin].concat()).0, expected);
    // A class of Java, a program of DOS.
    assert_eq!(names(FORMAT, &words(&[0xcafe_babe, 61, 0, 0, 0, 0])), (vec![], String::new()));
    assert_eq!(names(FORMAT, &[b"MZ".as_slice(), &[0; 100]].concat()), (vec![], String::new()));
}

/// Of a program without such a section little is read, however large it is.
#[test]
fn little_is_read_of_other_programs() {
    let mut program = program_with_section(".note.other", &vec![7; 3_000_000]);
    program.resize(4_000_000, 0);
    let mut file = File { bytes: &program, ..File::default() };
    let result =
        (FORMAT.read)(&mut Input { path: b"/x", source: &mut file }, &mut |_| panic!("nothing is in it"));
    assert!(result.is_ok());
    assert!(file.read < 16 * 1024, "{}", file.read);
}

#[test]
fn claims_what_may_be_executed_or_loaded() {
    let claimed = |path: &str, executable, size| claims(&Claim { path: path.as_bytes(), size, executable });
    assert!(claimed("/usr/bin/app", true, 1000));
    assert!(!claimed("/usr/bin/app", true, 10));
    assert!(!claimed("/usr/share/doc/app", false, 1000));
    for name in ["libx.so", "libx.so.3", "app.exe", "x.dll", "libx.dylib", "x.node"] {
        assert!(claimed(&format!("/srv/{name}"), false, 1000), "{name}");
    }
}
