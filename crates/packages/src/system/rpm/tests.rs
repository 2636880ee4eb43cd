use guardhouse_test_images::packages;
use rusqlite::Connection;

use super::*;
use crate::testing::{File, Outcome, read, rpm_header};

/// A line for each package, as [`packages::rpm_list`] writes it.
fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome
        .packages
        .iter()
        .map(|package| {
            let or_none = |text: &str| if text.is_empty() { "(none)".to_owned() } else { text.to_owned() };
            let (epoch, version) = package.version.split_once(':').unwrap_or(("(none)", &package.version));
            let source = package.source.as_ref().expect("a source");
            let source_version = source.version.rsplit(':').next().unwrap_or_default();
            let file = format!("{}-{source_version}.src.rpm", source.name);
            let version = version.replace('-', "\t");
            format!(
                "{}\t{epoch}\t{version}\t{}\t{file}\t{}",
                package.name,
                package.architecture,
                or_none(&package.module)
            )
        })
        .collect();
    lines.sort();
    lines
}

fn sorted(list: &str) -> Vec<String> {
    let mut lines: Vec<String> = list.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn read_bytes(name: &str, bytes: &[u8]) -> Outcome {
    read(&DATABASE, &format!("/var/lib/rpm/{name}"), File { bytes, ..File::default() })
}

/// The headers of a database, by their numbers.
fn blobs(database: &Connection) -> Vec<(u32, Vec<u8>)> {
    let mut statement =
        database.prepare("select hnum, blob from Packages order by hnum").expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn all_forms_of_the_database_tell_what_rpm_tells() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = sorted(&packages::rpm_database(folder.path()));
    assert_eq!(expected.len(), 3);
    let file = folder.path().join("rpmdb.sqlite");
    let bytes = std::fs::read(&file).expect("the database");
    let database = Connection::open(&file).expect("the database");

    let sqlite = read_bytes("rpmdb.sqlite", &bytes);
    assert_eq!((lines(&sqlite), sqlite.error.as_str(), sqlite.limits.len()), (expected.clone(), "", 0));
    let headers = blobs(&database);
    let ndb = read_bytes("Packages.db", &packages::rpm_ndb(&headers));
    assert_eq!((lines(&ndb), ndb.error.as_str()), (expected.clone(), ""));
    for byte_order in [1234, 4321] {
        let berkeley = read_bytes("Packages", &packages::rpm_berkeley(&headers, byte_order));
        assert_eq!((lines(&berkeley), berkeley.error.as_str()), (expected.clone(), ""), "{byte_order}");
    }

    newest_packages_in_the_log(folder.path(), &database, expected);
}

/// As a snapshot of a running system has them: in the log, and the database not touched yet.
fn newest_packages_in_the_log(folder: &std::path::Path, database: &Connection, expected: Vec<String>) {
    // rpm's tables of names refer to the rows that are changed here.
    database.pragma_update(None, "foreign_keys", false).expect("a setting");
    database.pragma_update(None, "journal_mode", "wal").expect("a log");
    database.pragma_update(None, "wal_autocheckpoint", 0).expect("a log");
    database
        .execute("insert into Packages (blob) select blob from Packages where hnum = 1", [])
        .expect("a row");
    database.execute("delete from Packages where hnum = 2", []).expect("a row");
    let gone = read_bytes("rpmdb.sqlite", &std::fs::read(folder.join("rpmdb.sqlite")).expect("the database"));
    assert_eq!(lines(&gone), expected, "the file alone is as before");
    let list = sorted(&packages::rpm_list(folder));
    assert_ne!(list, expected);

    let bytes = std::fs::read(folder.join("rpmdb.sqlite")).expect("the database");
    let mut log = std::fs::read(folder.join("rpmdb.sqlite-wal")).expect("the log");
    let with_log = |log: &[u8]| {
        let siblings = [("rpmdb.sqlite-wal", log.to_vec())].into();
        read(&DATABASE, "/var/lib/rpm/rpmdb.sqlite", File { bytes: &bytes, siblings, ..File::default() })
    };
    let outcome = with_log(&log);
    assert_eq!((lines(&outcome), outcome.error.as_str()), (list.clone(), ""));
    // A transaction that was not written to its end does not count: the last page is damaged, or missing.
    let end = log.len();
    if let Some(last) = log.last_mut() {
        *last ^= 1;
    }
    let torn = with_log(&log);
    assert_eq!(torn.error, "");
    assert_ne!(lines(&torn), list);
    assert_eq!(lines(&with_log(log.get(..end - 1).expect("shorter"))), lines(&torn));
    // SQLite itself reads the same out of the files.
    let copy = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(copy.path().join("rpmdb.sqlite"), &bytes).expect("a copy");
    std::fs::write(copy.path().join("rpmdb.sqlite-wal"), &log).expect("a copy");
    assert_eq!(lines(&torn), sorted(&packages::rpm_list(copy.path())));
}

#[test]
fn what_a_header_tells() {
    let texts =
        [(1000, "a"), (1001, "1"), (1002, "2.el9"), (1044, "b-c-0.9-3.el9.src.rpm"), (1011, "Red Hat, Inc.")];
    let package = header::package(&rpm_header(&texts, 7)).expect("a header").expect("a package");
    assert_eq!((package.name.as_str(), package.version.as_str()), ("a", "7:1-2.el9"));
    assert_eq!(package.vendor, "Red Hat, Inc.");
    let source = package.source.expect("a source");
    assert_eq!((source.name.as_str(), source.version.as_str()), ("b-c", "7:0.9-3.el9"));

    let key = rpm_header(&[(1000, "gpg-pubkey"), (1001, "1"), (1002, "2")], 0);
    assert_eq!(header::package(&key).expect("a header"), None);
    let error = header::package(&rpm_header(&[(1000, "a"), (1001, "1")], 0)).expect_err("no release");
    assert_eq!(error.to_string(), "a: it has no release");
    let mut long = rpm_header(&texts, 0);
    if let Some(count) = long.first_mut() {
        *count = 0xff;
    }
    assert!(header::package(&long).is_err());
}

/// Each ends with an error, or without the damaged part; never in a circle.
#[test]
fn damaged_databases() {
    let one = rpm_header(&[(1000, "a"), (1001, "1"), (1002, "2")], 0);
    let large = rpm_header(&[(1000, "b"), (1001, "1"), (1002, "2"), (1005, &"x".repeat(9000))], 0);
    let berkeley = packages::rpm_berkeley(&[(1, one.clone()), (2, large.clone())], 1234);
    let ndb = packages::rpm_ndb(&[(1, one), (2, large)]);

    let cut = read_bytes("Packages", berkeley.get(..berkeley.len() - 4096).expect("shorter"));
    assert!(cut.error.contains("there is no such page"), "{}", cut.error);
    // Every overflow page is followed by itself.
    let mut circle = berkeley.clone();
    for (number, page) in (0_u32..).zip(circle.chunks_exact_mut(4096)) {
        if let (Some(7), Some(next)) = (page.get(25).copied(), page.get_mut(16..20)) {
            next.copy_from_slice(&number.to_le_bytes());
        }
        if let (Some(7), Some(len)) = (page.get(25).copied(), page.get_mut(22..24)) {
            len.copy_from_slice(&[1, 0]);
        }
    }
    assert!(read_bytes("Packages", &circle).error.contains("in a circle"));

    let cut = read_bytes("Packages.db", ndb.get(..ndb.len() - 4096).expect("shorter"));
    assert_eq!((cut.packages.len(), cut.error.contains("package number 2")), (1, true));
    let mut newer = ndb.clone();
    if let Some(version) = newer.get_mut(4) {
        *version = 1;
    }
    assert_eq!(read_bytes("Packages.db", &newer).error, "not supported: version 1 of ndb");

    assert_eq!(read_bytes("Packages", b"").error, "");
    assert!(read_bytes("Packages", &[0; 512]).error.contains("neither SQLite"));
    assert!(read_bytes("rpmdb.sqlite", &[0; 512]).error.contains("does not begin like a database of SQLite"));
}

#[test]
fn pages_of_sqlite_of_every_size() {
    let large = rpm_header(&[(1000, "b"), (1001, "1"), (1002, "2"), (1005, &"x".repeat(200_000))], 0);
    for page_size in [512, 1024, 4096, 65536] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rpmdb.sqlite");
        let database = Connection::open(&file).expect("a database");
        database.pragma_update(None, "page_size", page_size).expect("a size");
        database
            .execute_batch(
                "create table Other (a); create table Packages (hnum integer primary key, blob blob)",
            )
            .expect("tables");
        for number in 1..300 {
            let name = format!("package-{number:03}");
            let header = rpm_header(&[(1000, &name), (1001, "1"), (1002, &"2".repeat(number))], 0);
            database.execute("insert into Packages (blob) values (?)", [header]).expect("a row");
        }
        database.execute("insert into Packages (blob) values (?)", [&large]).expect("a row");
        drop(database);
        let outcome = read_bytes("rpmdb.sqlite", &std::fs::read(&file).expect("the database"));
        assert_eq!((outcome.packages.len(), outcome.error.as_str()), (300, ""), "{page_size}");
        assert!(outcome.packages.windows(2).take(298).all(|pair| matches!(pair, [a, b] if a.name < b.name)));
    }
}

#[test]
fn what_lies_beside_a_database_and_is_not_read_is_told() {
    let hot = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7].to_vec();
    for (journal, expected) in [(hot, 1), (vec![1; 2 << 20], 1), (vec![0; 512], 0), (vec![], 0)] {
        let siblings = [("rpmdb.sqlite-journal", journal)].into();
        let outcome = read(&DATABASE, "/var/lib/rpm/rpmdb.sqlite", File { siblings, ..File::default() });
        assert_eq!(outcome.limits.len(), expected, "{:?}", outcome.limits);
    }
    // A log that is none is passed over, as SQLite does.
    let siblings = [("rpmdb.sqlite-wal", vec![7; 5000])].into();
    let outcome = read(&DATABASE, "/var/lib/rpm/rpmdb.sqlite", File { siblings, ..File::default() });
    assert_eq!((outcome.packages.len(), outcome.limits.len(), outcome.error.as_str()), (0, 0, ""));
}
