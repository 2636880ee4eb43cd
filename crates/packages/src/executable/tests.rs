use guardhouse_test_images::packages::program_with_section;

use super::*;
use crate::testing::programs::{LIST, elf, inline, mach_o, pe, pointers, zlib};
use crate::testing::{File, names};

const FORMAT: &Format = &FORMATS[0];

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
