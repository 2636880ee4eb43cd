//! What a file is, its content tells; what it unpacks to is bounded.

use std::{
    fs,
    io::{Cursor, Write as _},
};

use flate2::{Compression, write::GzEncoder};
use guardhouse_advisories::import::{Content, ImportError};
use guardhouse_packages::Kind;
use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::{
    osv::advisory,
    support::{Place, package},
};

fn document(number: u32) -> String {
    let range = json!([{"type": "SEMVER", "events": [{"introduced": "0"}]}]);
    advisory(&format!("A-{number}"), "npm", &format!("p{number}"), range).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("packed");
    packed.finish().expect("packed")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default()).expect("a member");
        archive.write_all(bytes).expect("a member");
    }
    archive.finish().expect("an archive").into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).expect("a member");
    }
    archive.into_inner().expect("an archive")
}

#[test]
fn every_packing_is_recognised_by_its_content() {
    let (one, two) = (document(1), document(2));
    let members = [
        ("a/1.json", one.as_bytes()),
        ("a/2.JSON", two.as_bytes()),
        ("LICENSE.txt", b"words"),
        ("README.md", b"# w"),
    ];
    let lines = format!("\u{feff}{one}\n{two}\n");
    let list = format!(" [{one},{two}]");
    let answer = format!("{{\"vulns\": [{one}, {two}]}}");
    for (name, bytes) in [
        ("zip", zip(&members)),
        ("tar", tar(&members)),
        ("tar.gz", gzip(&tar(&members))),
        ("json lines", lines.clone().into_bytes()),
        ("json lines.gz", gzip(lines.as_bytes())),
        ("list", list.into_bytes()),
        ("answer of a server", answer.into_bytes()),
    ] {
        let place = Place::new();
        let summary = place.import(name, &bytes);
        assert_eq!(
            (summary.source.advisories, summary.source.skipped),
            (2, 0),
            "{name}: {:?}",
            summary.skipped
        );
        // The name of a file does not matter.
        let path = place.folder.path().join("file.bin");
        fs::write(&path, &bytes).expect("a file");
        assert_eq!(place.import_path(&path).source.advisories, 2, "{name}");
    }
}

#[test]
fn one_bad_member_is_named_and_the_rest_is_imported() {
    let one = document(1);
    let bytes = zip(&[("bad.json", b"{\"id\": \"X\", "), ("1.json", one.as_bytes()), ("empty.json", b"")]);
    let place = Place::new();
    let summary = place.import("mixed", &bytes);
    assert_eq!((summary.source.advisories, summary.source.skipped), (1, 2));
    let told: Vec<&str> = summary.skipped.iter().map(|skipped| skipped.place.as_str()).collect();
    assert_eq!(told, ["bad.json", "empty.json"]);
    assert!(!place.found(&package(Kind::Npm, "p1", "1.0.0"), "").is_empty());
}

#[test]
fn at_most_ten_are_named_and_all_are_counted() {
    let bad: Vec<String> = (0..50).map(|number| format!("{{\"id\": {number}}}")).collect();
    let text = format!("{}\n{}", bad.join("\n"), document(1));
    let summary = Place::new().import("mixed", text.as_bytes());
    assert_eq!((summary.source.skipped, summary.skipped.len()), (50, 10));
}

#[test]
fn what_holds_no_advisories_is_refused_and_nothing_changes() {
    let place = Place::new();
    place.import("test", document(1).as_bytes());
    let text = gzip(b"words");
    let torn = {
        let mut bytes = gzip(document(2).as_bytes());
        bytes.truncate(40);
        bytes
    };
    let vex = br#"{"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}"#;
    for (name, bytes, said) in [
        ("empty", &b""[..], "neither JSON"),
        ("words", b"words", "neither JSON"),
        ("packed words", &text, "neither JSON"),
        ("torn", &torn, "torn: "),
        ("no zip", b"PK\x03\x04", "no zip: "),
        ("an empty zip", &zip(&[]), "holds no advisories that can be read"),
        ("vex", vex, "guardhouse scan --vex"),
        ("other json", b"{\"a\": 1}", "missing field `id`"),
        ("deep", "[".repeat(200_000).as_bytes(), "recursion limit"),
    ] {
        let error =
            place.try_import("test", Content::Bytes(name.to_owned(), bytes.to_vec())).expect_err(name);
        assert!(
            matches!(error, ImportError::Nothing { .. }) && error.to_string().contains(said),
            "{name}: {error}"
        );
    }
    let missing =
        place.try_import("test", Content::Path(place.folder.path().join("no"))).expect_err("absent");
    assert!(matches!(missing, ImportError::Read { .. }), "{missing}");
    assert!(!place.found(&package(Kind::Npm, "p1", "1.0.0"), "").is_empty());
}

#[test]
fn a_bomb_ends() {
    // Blanks shrink to a thousandth; nobody waits for the end of them.
    let blanks = vec![b' '; 16 * 1024 * 1024];
    let place = Place::new();
    let bomb = gzip(&blanks);
    let error = place.try_import("bomb", Content::Bytes("bomb".to_owned(), bomb)).expect_err("refused");
    assert!(error.to_string().contains("bomb: "), "{error}");
}

#[test]
fn a_folder_is_read_in_order_and_says_what_it_does_not_open() {
    let place = Place::new();
    let folder = place.folder.path().join("folder");
    fs::create_dir_all(folder.join("deeper")).expect("a folder");
    fs::write(folder.join("deeper/1.json"), document(1)).expect("a file");
    fs::write(folder.join("2.json"), document(2)).expect("a file");
    fs::write(folder.join("notes.txt"), "words").expect("a file");
    fs::write(folder.join("more.zip"), zip(&[])).expect("a file");
    let summary = place.import_path(&folder);
    assert_eq!((summary.source.advisories, summary.source.skipped), (2, 1));
    let told: Vec<String> = summary.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["more.zip: an archive in a folder is not opened; import it by itself"]);
}
