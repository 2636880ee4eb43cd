//! Archives that somebody made in order to do harm.

use super::*;

#[test]
fn hostile_archives_end_with_an_error() {
    let file = |size| header(EntryType::Regular, b"a", size);
    let pax = |text: &str| header(EntryType::XHeader, b"x", text.len() as u64);
    let huge = record("size", "9223372036854775807");
    let map = record("GNU.sparse.major", "1")
        + &record("GNU.sparse.minor", "0")
        + &record("GNU.sparse.realsize", "99");
    let mut wrong_sum = archive(&["a=1"]);
    wrong_sum[0] = b'b';
    let mut lone_zeros = vec![0; 512];
    lone_zeros.extend(archive(&["a=1"]));
    let with = |text: &str, content: &[u8]| {
        raw(&[(pax(text), text.as_bytes()), (file(content.len() as u64), content)])
    };
    let mut endless = Vec::new();
    for _ in 0..20 {
        endless.push((pax("10 uid=99\n"), b"10 uid=99\n".as_slice()));
    }
    let many: String = (0..120_000).map(|_| "1,1,").collect();
    for (what, bytes) in [
        ("longer than the archive", raw(&[(file(1 << 40), b"x")])),
        ("longer than can be", with(&huge, b"x")),
        ("wrong sum", wrong_sum),
        ("a block of zeros", lone_zeros),
        ("half a header", archive(&["a=", "b="])[..700].to_vec()),
        ("half a file", archive(&["a=1"])[..512].to_vec()),
        ("a map without end", with(&map, &[b'1'; 1024])),
        ("a map of more than there is", with(&map, format!("{:<512}", "1\n0\n99\n").as_bytes())),
        ("a map of very much", with(&map, format!("{:<512}", "99999999999\n0\n1\n").as_bytes())),
        (
            "a map that overlaps",
            with(&(record("GNU.sparse.size", "9") + &record("GNU.sparse.map", "0,2,1,2")), b"1234"),
        ),
        ("a map in a header", with(&record("GNU.sparse.map", &many), b"1234")),
        ("a map of an unknown form", with(&record("GNU.sparse.major", "7"), b"1234")),
        ("wrong records", with("no record", b"x")),
        ("headers without end", raw(&endless)),
    ] {
        let error = merge([bytes]).expect_err(what);
        assert!(matches!(error, LayerError::Damaged(_)), "{what}: {error}");
    }
}

#[test]
fn odd_entries_are_left_out_and_told() {
    let deep = "d/".repeat(limits::DEPTH + 2);
    let zero = record("path", "a\0b");
    let long = record("path", &"n".repeat(5000));
    let deep = record("path", &deep);
    let pax = |text: &str| header(EntryType::XHeader, b"x", text.len() as u64);
    let file = || header(EntryType::Regular, b"a", 0);
    let loops = header(EntryType::Regular, b"loop/x", 0);
    let mut link = header(EntryType::Symlink, b"loop", 0);
    link.set_link_name_literal("loop").expect("it is short");
    link.set_cksum();
    let layers = merge([raw(&[
        (pax(&zero), zero.as_bytes()),
        (file(), b""),
        (pax(&long), long.as_bytes()),
        (file(), b""),
        (pax(&deep), deep.as_bytes()),
        (file(), b""),
        (link, b""),
        (loops, b""),
        (header(EntryType::new(b'Z'), b"odd", 0), b""),
        (header(EntryType::Regular, b"kept", 0), b""),
    ])])
    .expect("the archive is right");
    assert_eq!(shown(&layers), ["/kept ", "/loop -> loop"]);
    let told: Vec<&str> = layers.left_out().iter().filter_map(|note| note.rsplit(": ").next()).collect();
    assert_eq!(
        told,
        [
            "its path has a zero byte",
            "its path is too long",
            "it lies too deep",
            "the links on the way to it do not end",
            "an entry of unknown type",
        ]
    );
}
