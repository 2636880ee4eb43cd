mod languages;

use std::path::Path;
use std::sync::LazyLock;

use guardhouse_test_images::{packages, seeds::keep};
use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::Connection;

use super::*;
use crate::bytes::Order;
use crate::testing::programs::{LIST, elf, inline, mach_o, pe, pointers, zlib};
use crate::testing::rpm_header;

const STATUS: &str = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (3.0.11-1)\n\
    Version: 3.0.11-1+b1\nDescription: a\n b\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";
const INSTALLED: &str =
    "P:libcrypto3\nV:3.3.1-r3\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nM:0:0:755\n\nP:musl\nV:1.2.5-r0\n\n";
const LOCK: &str = "version = 4\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
const MOD: &str =
    "module m\ngo 1.21\nrequire (\n\ta.b/c v1.0.0 // indirect\n)\nreplace a.b/c => d.e/f v1.1.0\n";
const SUM: &str = "a.b/c v1.0.0 h1:x=\nd.e/f v1.0.0 h1:x=\na.b/c v1.0.0/go.mod h1:x=\n";
const CRATES: &str =
    r#"{"packages":[{"name":"time","version":"0.1.43","source":"crates.io","kind":"runtime"}]}"#;

/// A path, the file beside it, and the file.
type Seed = (&'static str, Vec<u8>, Vec<u8>);

/// A good file of each kind. A new format adds its own.
fn seeds() -> Vec<Seed> {
    let header = |name: &str, filling: usize| {
        let texts =
            [(1000, name), (1001, "1"), (1002, "2"), (1044, "a-1-2.src.rpm"), (1005, &"x".repeat(filling))];
        rpm_header(&texts, 1)
    };
    let headers = [(1, header("a", 0)), (2, header("b", 5000))];
    let (sqlite, log) = rpm_sqlite(&headers);
    let alone = |path, bytes: &[u8]| (path, Vec::new(), bytes.to_vec());
    let mut seeds = vec![
        alone("/var/lib/dpkg/status", STATUS.as_bytes()),
        alone("/var/lib/dpkg/status.d/a", STATUS.as_bytes()),
        alone("/lib/apk/db/installed", INSTALLED.as_bytes()),
        ("/var/lib/rpm/rpmdb.sqlite", log, sqlite),
        alone("/var/lib/rpm/Packages.db", &packages::rpm_ndb(&headers)),
        alone("/var/lib/rpm/Packages", &packages::rpm_berkeley(&headers, 1234)),
        alone("/elf/bin", &packages::program_with_section(".dep-v0", &zlib(CRATES))),
        alone("/elf32/bin", &elf(Order::Big, false, &pointers(Order::Big, 4))),
        alone("/pe.exe", &pe(b".data\0\0\0", &inline("go1.20.3", LIST))),
        alone("/mach-o.dylib", &mach_o("__go_buildinfo", &inline("go1.20.3", LIST))),
        alone("/Cargo.lock", LOCK.as_bytes()),
        alone("/go.mod", MOD.as_bytes()),
        ("/go.sum", b"module m\ngo 1.12\nrequire a.b/c v1.0.0\n".to_vec(), SUM.as_bytes().to_vec()),
    ];
    seeds.extend(languages::seeds().into_iter().map(|(path, bytes)| (path, Vec::new(), bytes)));
    seeds
}

/// A database of small pages with these headers, and a log that removes the first of them.
fn rpm_sqlite(headers: &[(u32, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("rpmdb.sqlite");
    let database = Connection::open(&file).expect("a database");
    database.pragma_update(None, "page_size", 512).expect("a size");
    database.execute("create table Packages (hnum integer primary key, blob blob)", []).expect("a table");
    for row in headers {
        database
            .execute("insert into Packages values (?, ?)", [&row.0 as &dyn rusqlite::ToSql, &row.1])
            .expect("a row");
    }
    database.pragma_update(None, "journal_mode", "wal").expect("a log");
    database.execute("delete from Packages where hnum = 1", []).expect("a row");
    let read = |path: &Path| std::fs::read(path).expect("a file of the database");
    (read(&file), read(&folder.path().join("rpmdb.sqlite-wal")))
}

/// A file as [`read`] takes it.
fn encoded(path: &str, beside: &[u8], bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(beside.len()).expect("a short file");
    [path.as_bytes(), b"\n", &len.to_le_bytes(), beside, bytes].concat()
}

static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(seeds);

/// Each is claimed and read without an error.
#[test]
fn seeds_are_read() {
    for (index, (path, beside, bytes)) in SEEDS.iter().enumerate() {
        read(&encoded(path, beside, bytes));
        let claim =
            Claim { path: path.as_bytes(), size: bytes.len() as u64, executable: path.ends_with("bin") };
        let format = formats().find(|format| (format.claims)(&claim)).expect("a format that claims it");
        let mut found = 0;
        let mut source = File { bytes, beside };
        (format.read)(&mut Input { path: path.as_bytes(), source: &mut source }, &mut |_| found += 1)
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(found > 0, "{path}");
        keep("packages", &format!("good-{index}"), &encoded(path, beside, bytes));
    }
}

/// A file that says that it is enormous, and that goes on with zeros behind its bytes.
struct Enormous<'a> {
    bytes: &'a [u8],
    largest: usize,
    read: u64,
}

impl Source for Enormous<'_> {
    fn len(&self) -> u64 {
        1 << 60
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(0);
        self.bytes.read_at(offset, buffer)?;
        self.largest = self.largest.max(buffer.len());
        self.read += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn sibling(&mut self, _name: &[u8], _at_most: u64) -> io::Result<Option<Vec<u8>>> {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

#[test]
fn enormous_files_are_not_read_to_their_end() {
    for format in formats() {
        let claims = |path: &str| {
            (format.claims)(&Claim {
                path: path.as_bytes(),
                size: 1 << 60,
                executable: path.ends_with("bin"),
            })
        };
        let seeds =
            SEEDS.iter().filter(|seed| claims(seed.0)).map(|(path, _, bytes)| (*path, bytes.as_slice()));
        for (path, bytes) in seeds.chain([("/zeros", [].as_slice())]) {
            let mut source = Enormous { bytes, largest: 0, read: 0 };
            let _ = (format.read)(&mut Input { path: path.as_bytes(), source: &mut source }, &mut |_| ());
            assert!(
                source.largest <= 64 << 20,
                "{} of {path}: {} bytes at once",
                format.name,
                source.largest
            );
            assert!(source.read <= 320 << 20, "{} of {path}: {} bytes", format.name, source.read);
        }
    }
}

/// Bytes that are written over a file, at some place.
fn edits() -> impl Strategy<Value = Vec<(Index, Vec<u8>)>> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..5),
        Just(vec![0xff; 4]),
        Just(vec![0; 4]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
    ];
    prop::collection::vec((any::<Index>(), bytes), 1..6)
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_danger(path in prop::sample::select(SEEDS.iter().map(|seed| seed.0).collect::<Vec<_>>()), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read(&encoded(path, b"", &bytes));
        read(&bytes);
    }

    #[test]
    fn damaged_files_are_no_danger(seed in any::<Index>(), edits in edits(), len in any::<Index>(), cut in any::<bool>()) {
        let (path, beside, bytes) = seed.get(&SEEDS);
        let (mut beside, mut bytes) = (beside.clone(), bytes.clone());
        for (number, (at, edit)) in edits.iter().enumerate() {
            let file = if number % 3 == 2 && !beside.is_empty() { &mut beside } else { &mut bytes };
            // Half of them into the beginning, where the tables are.
            let places = if number % 2 == 0 { file.len() } else { file.len().min(256) };
            for (byte, new) in file.iter_mut().skip(at.index(places)).zip(edit) {
                *byte = *new;
            }
        }
        if cut {
            bytes.truncate(len.index(bytes.len()));
        }
        read(&encoded(path, &beside, &bytes));
    }
}
