use std::{collections::BTreeMap, ops::ControlFlow};

use guardhouse_test_images::seeds::keep;
use proptest::prelude::*;
use tar::{EntryType, Header};

use super::{fuzzing::Memory, *};
use crate::{
    file_system::{FileKind, Place},
    limits,
    path::FilePath,
};

/// A header with a path that is not looked at.
fn header(kind: EntryType, path: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory { 0o755 } else { 0o640 });
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_cksum();
    header
}

/// An archive of `path=content`, `folder/`, `link -> target`, `hard => target`, `pipe|`.
fn archive(entries: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let (kind, path, target, content) = match entry {
            _ if entry.contains(" -> ") => {
                let (path, target) = entry.split_once(" -> ").expect("it has one");
                (EntryType::Symlink, path, target, "")
            }
            _ if entry.contains(" => ") => {
                let (path, target) = entry.split_once(" => ").expect("it has one");
                (EntryType::Link, path, target, "")
            }
            _ if entry.ends_with('/') => (EntryType::Directory, *entry, "", ""),
            _ if entry.ends_with('|') => (EntryType::Fifo, entry.trim_end_matches('|'), "", ""),
            _ => {
                let (path, content) = entry.split_once('=').unwrap_or((entry, ""));
                (EntryType::Regular, path, "", content)
            }
        };
        let mut header = header(kind, path.as_bytes(), content.len() as u64);
        header.set_link_name_literal(target).expect("it is short");
        header.set_cksum();
        builder.append(&header, content.as_bytes()).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn merge(archives: impl IntoIterator<Item = Vec<u8>>) -> Result<Layers, LayerError> {
    let mut builder = Builder::new();
    for archive in archives {
        builder.add(Arc::new(Memory(archive)))?;
    }
    Ok(builder.finish())
}

/// All files: what they are, and what is in them.
fn files(layers: &Layers) -> BTreeMap<String, String> {
    let mut reader = layers.reader().expect("it can be read");
    let (mut open, mut seen) = (vec![reader.root()], BTreeMap::new());
    while let Some(folder) = open.pop() {
        let mut entries: Vec<Place> = Vec::new();
        reader
            .read_folder(&folder, &mut |entry| {
                entries.push(Place { path: folder.path.join(entry.name), node: entry.node });
                ControlFlow::Continue(())
            })
            .expect("it is a folder");
        for place in entries {
            let metadata = reader.metadata(&place).expect("it is there");
            assert_eq!(reader.lookup(&folder, place.path.name()).expect("a folder").as_ref(), Some(&place));
            let text = match metadata.kind {
                FileKind::Folder => "/".to_owned(),
                FileKind::Other => "other".to_owned(),
                FileKind::Symlink => {
                    let target = reader.read_link(&place).expect("it is a link");
                    format!("-> {}", String::from_utf8_lossy(&target))
                }
                FileKind::File => {
                    let mut buffer = vec![0; usize::try_from(metadata.size).expect("tests are small") + 1];
                    let count = reader.read_at(&place, 0, &mut buffer).expect("it can be read");
                    assert_eq!(count as u64, metadata.size);
                    String::from_utf8_lossy(&buffer[..count]).into_owned()
                }
            };
            if metadata.kind == FileKind::Folder {
                open.push(place.clone());
            }
            seen.insert(place.path.to_string(), text);
        }
    }
    seen
}

fn shown(layers: &Layers) -> Vec<String> {
    files(layers).into_iter().map(|(path, text)| format!("{path} {text}")).collect()
}

#[test]
fn layers_are_put_on_each_other() {
    for (below, above, merged) in [
        // Whiteouts, wherever in their layer, hide what is below it alone.
        (vec!["a=1", "b=1"], vec![".wh.a", "a=2", "b=2", ".wh.b"], vec!["/a 2", "/b 2"]),
        (vec!["d/x=1", "d/y/z=1"], vec!["d/.wh.y"], vec!["/d /", "/d/x 1"]),
        (vec!["d/x=1"], vec!["d/n=2", "d/.wh..wh..opq"], vec!["/d /", "/d/n 2"]),
        (vec!["d/x=1"], vec![".wh.d", "d/n=2"], vec!["/d /", "/d/n 2"]),
        (vec!["a=1"], vec![".wh.none", "n/.wh.x", ".wh.", ".wh..."], vec!["/a 1"]),
        (vec!["a=1", "d/b=1"], vec![".wh..wh..opq"], vec![]),
        (vec![".wh.a", "b=1"], vec!["c=1"], vec!["/b 1", "/c 1"]),
        // Folders, files and links take each other's place; a folder over a folder stays.
        (vec!["a=1"], vec!["a/b=2"], vec!["/a /", "/a/b 2"]),
        (vec!["a/b=1"], vec!["a=2"], vec!["/a 2"]),
        (vec!["a/b=1"], vec!["a/"], vec!["/a /", "/a/b 1"]),
        (vec!["a/b=1"], vec!["a=x", "a/", "a/c=2"], vec!["/a /", "/a/c 2"]),
        (vec!["a=1", "a=2", "a=3"], vec![], vec!["/a 3"]),
        (
            vec!["lib -> usr/lib", "usr/lib/x=1"],
            vec!["lib/"],
            vec!["/lib /", "/usr /", "/usr/lib /", "/usr/lib/x 1"],
        ),
        // Links on the way are followed inside the tree.
        (
            vec!["lib -> usr/lib", "usr/lib/x=1", "up -> ../../../etc", "etc/x=1"],
            vec!["lib/y=2", "lib/.wh.x", "up/z=2"],
            vec![
                "/etc /",
                "/etc/x 1",
                "/etc/z 2",
                "/lib -> usr/lib",
                "/up -> ../../../etc",
                "/usr /",
                "/usr/lib /",
                "/usr/lib/y 2",
            ],
        ),
        // Paths stay below the root.
        (vec!["/a=1", "../../b=1", "./c/../d=1", "./"], vec![], vec!["/a 1", "/b 1", "/d 1"]),
        (vec!["a=1", "b => a", "p|"], vec!["c => ./b", ".wh.a"], vec!["/b 1", "/c 1", "/p other"]),
    ] {
        let layers = merge([archive(&below), archive(&above)]).expect("the archives are right");
        assert_eq!(shown(&layers), merged, "{below:?} {above:?}");
    }
}

#[test]
fn hard_links_share_their_file() {
    let layers =
        merge([archive(&["a=1", "d/b => a", "gone => nothing", "f/", "folder => f"]), archive(&["a=2"])])
            .expect("the archives are right");
    assert_eq!(shown(&layers), ["/a 2", "/d /", "/d/b 1", "/f /"]);
    assert_eq!(
        layers.left_out(),
        [
            "gone is left out: a link to a file that is not there",
            "folder is left out: a link to a file that is not there",
        ]
    );
    let layers = merge([archive(&["a=1", "b => a"])]).expect("the archive is right");
    let mut reader = layers.reader().expect("it can be read");
    let root = reader.root();
    let [a, b] =
        [b"a", b"b"].map(|name| reader.lookup(&root, name).expect("a folder").expect("it is there").node);
    assert_eq!(a, b);
}

#[test]
fn what_is_known_about_files_is_read() {
    let layers = merge([archive(&["a=123"])]).expect("the archive is right");
    let mut reader = layers.reader().expect("it can be read");
    let root = reader.root();
    let place = reader.lookup(&root, b"a").expect("a folder").expect("it is there");
    let metadata = reader.metadata(&place).expect("it is there");
    assert_eq!((metadata.mode, metadata.uid, metadata.gid, metadata.modified), (0o640, 7, 8, 1_700_000_000));
    let mut buffer = [0; 9];
    assert_eq!(reader.read_at(&place, 1, &mut buffer).expect("it can be read"), 2);
    assert_eq!(&buffer[..2], b"23");
    assert_eq!(reader.read_at(&place, u64::MAX, &mut buffer).expect("it can be read"), 0);
}

/// What GNU tar makes of a folder, in each of its forms.
#[test]
fn archives_of_gnu_tar_are_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let tree = folder.path().join("tree");
    let long = "n".repeat(120);
    std::fs::create_dir_all(tree.join(&long).join("deeper")).expect("the folder is ours");
    std::fs::write(tree.join(&long).join("deeper").join(&long), "long").expect("the folder is ours");
    std::os::unix::fs::symlink(&long, tree.join("link")).expect("the folder is ours");
    let holes = std::fs::File::create(tree.join("holes")).expect("the folder is ours");
    let mut wanted = vec![0_u8; 5 << 20];
    for number in 0..40_usize {
        // More parts than the first header has room for, and than its second.
        let at = number * 131_072;
        wanted[at..at + 4].copy_from_slice(b"here");
        std::os::unix::fs::FileExt::write_all_at(&holes, b"here", at as u64).expect("the folder is ours");
    }
    holes.set_len(wanted.len() as u64).expect("the folder is ours");
    for form in [
        vec!["--format=gnu"],
        vec!["--format=gnu", "--sparse"],
        vec!["--format=posix"],
        vec!["--format=posix", "--sparse", "--sparse-version=0.0"],
        vec!["--format=posix", "--sparse", "--sparse-version=0.1"],
        vec!["--format=posix", "--sparse", "--sparse-version=1.0"],
    ] {
        let file = folder.path().join("layer.tar");
        let (file, tree) = (file.display().to_string(), tree.display().to_string());
        let arguments: Vec<&str> = form.iter().copied().chain(["-C", &tree, "-cf", &file, "."]).collect();
        guardhouse_test_images::run("tar", &arguments);
        let bytes = std::fs::read(&file).expect("tar wrote it");
        assert_eq!(bytes.len() < 1 << 20, form.contains(&"--sparse"), "{form:?}: {} bytes", bytes.len());
        let layers = merge([bytes]).expect("the archive is right");
        let mut seen = files(&layers);
        let holes = seen.remove("/holes").expect("it is there");
        assert!(holes.as_bytes() == wanted, "{form:?}");
        let paths: Vec<String> = seen.into_iter().map(|(path, text)| format!("{path} {text}")).collect();
        let deeper = format!("/{long}/deeper");
        assert_eq!(
            paths,
            [
                format!("/link -> {long}"),
                format!("/{long} /"),
                format!("{deeper} /"),
                format!("{deeper}/{long} long")
            ],
            "{form:?}"
        );
        // From the middle of a hole into the next part.
        let mut reader = layers.reader().expect("it can be read");
        let root = reader.root();
        let place = reader.lookup(&root, b"holes").expect("a folder").expect("it is there");
        let mut part = vec![1; 70_000];
        let count = reader.read_at(&place, 100_000, &mut part).expect("it can be read");
        assert!(part[..count] == wanted[100_000..100_000 + count], "{form:?}");
    }
}

/// A record of a PAX header.
/// Small archives of each form below a layer that takes some of their files away.
#[test]
fn seeds_of_layers_are_read() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let tree = folder.path().join("tree");
    let long = "n".repeat(90);
    std::fs::create_dir_all(tree.join("a").join(&long).join(&long)).expect("the folder is ours");
    std::fs::write(tree.join("a/file"), "text").expect("the folder is ours");
    std::fs::hard_link(tree.join("a/file"), tree.join("second")).expect("the folder is ours");
    std::os::unix::fs::symlink(long.repeat(2), tree.join("link")).expect("the folder is ours");
    let holes = std::fs::File::create(tree.join("holes")).expect("the folder is ours");
    for at in (0..6).map(|number| number * 65_536) {
        std::os::unix::fs::FileExt::write_all_at(&holes, b"here", at).expect("the folder is ours");
    }
    let above = archive(&["a/.wh..wh..opq", ".wh.link", "second=new", "b => second"]);
    for (name, form) in [
        ("v7", &["--format=v7", "--exclude=n*", "--exclude=link"][..]),
        ("ustar", &["--format=ustar", "--exclude=link"]),
        ("gnu", &["--format=gnu", "--sparse"]),
        ("pax", &["--format=posix", "--sparse", "--sparse-version=0.0"]),
        ("pax-0.1", &["--format=posix", "--sparse", "--sparse-version=0.1"]),
        ("pax-1.0", &["--format=posix", "--sparse", "--sparse-version=1.0"]),
    ] {
        let file = folder.path().join("layer.tar");
        let (file, tree) = (file.display().to_string(), tree.display().to_string());
        let arguments = [form, &["-b", "1", "-C", &tree, "-cf", &file, "."]].concat();
        guardhouse_test_images::run("tar", &arguments);
        let below = std::fs::read(&file).expect("tar wrote it");
        let blocks = u8::try_from(below.len() / 512).unwrap_or(u8::MAX);
        let seed = [&[blocks][..], &below, &above].concat();
        let layers = merge([below, above.clone()]).expect("the archives are right");
        assert!(files(&layers).contains_key("/b") && layers.left_out().is_empty(), "{name}");
        fuzzing::merge(&seed);
        keep("layers", name, &seed);
    }
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length = (1..8)
        .map(|digits| digits + rest.len())
        .find(|length| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.expect("some length fits"))
}

fn raw(parts: &[(Header, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (header, content) in parts {
        builder.append(header, *content).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

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

/// What would take hours if each of these went through all files again.
#[test]
fn repeated_whiteouts_and_replacements_stay_cheap() {
    let many: Vec<String> = (0..20_000).map(|number| format!("d/{number}=x")).collect();
    let below: Vec<&str> = many.iter().map(String::as_str).collect();
    let turns = ["d=x", "d/", "d/1=x", ".wh.d", "d/.wh..wh..opq"];
    let above: Vec<&str> = turns.iter().copied().cycle().take(50_000).collect();
    let layers = merge([archive(&below), archive(&above)]).expect("the archives are right");
    assert_eq!(shown(&layers), ["/d /", "/d/1 x"]);
}

#[derive(Clone, Debug)]
enum Step {
    File(Vec<u8>, u8),
    Folder(Vec<u8>),
    Whiteout(Vec<u8>),
    Opaque(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let path = || prop::collection::vec(0..3_u8, 1..4);
    let step = prop_oneof![
        4 => (path(), any::<u8>()).prop_map(|(path, content)| Step::File(path, content)),
        2 => path().prop_map(Step::Folder),
        2 => path().prop_map(Step::Whiteout),
        1 => path().prop_map(Step::Opaque),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..8), 1..5)
}

fn path_text(path: &[u8]) -> String {
    path.iter().map(|name| format!("/{}", char::from(b'a' + name))).collect()
}

/// The same on a map from paths to contents; `/` for a folder.
fn model(layers: &[Vec<Step>]) -> BTreeMap<String, String> {
    let mut map: BTreeMap<String, String> = BTreeMap::new();
    let below =
        |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    for layer in layers {
        for step in layer {
            match step {
                Step::Whiteout(path) => {
                    let hidden = path_text(path);
                    map.retain(|path, _| *path != hidden && !below(path, &hidden));
                }
                Step::Opaque(path) => {
                    let folder = path_text(path);
                    map.retain(|path, _| !below(path, &folder));
                }
                _ => {}
            }
        }
        for step in layer {
            let (path, content) = match step {
                Step::File(path, content) => (path, content.to_string()),
                Step::Folder(path) => (path, "/".to_owned()),
                _ => continue,
            };
            for length in 1..path.len() {
                map.entry(path_text(&path[..length]))
                    .and_modify(|content| *content = "/".to_owned())
                    .or_insert_with(|| "/".to_owned());
            }
            let text = path_text(path);
            if content != "/" {
                map.retain(|path, _| !below(path, &text));
            }
            map.insert(text, content);
        }
    }
    map
}

proptest! {
    #[test]
    fn merged_layers_are_what_a_map_of_paths_becomes(layers in steps()) {
        let archives = layers.iter().map(|layer| {
            let entries: Vec<String> = layer.iter().map(|step| match step {
                Step::File(path, content) => format!("{}={content}", path_text(path)),
                Step::Folder(path) => format!("{}/", path_text(path)),
                Step::Whiteout(path) => {
                    let text = path_text(path);
                    let (folder, name) = text.rsplit_once('/').expect("it begins with one");
                    format!("{folder}/.wh.{name}")
                }
                Step::Opaque(path) => format!("{}/.wh..wh..opq", path_text(path)),
            }).collect();
            archive(&entries.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let merged = merge(archives).expect("the archives are right");
        prop_assert_eq!(files(&merged), model(&layers));
        prop_assert!(merged.left_out().is_empty());
    }

    #[test]
    fn changed_archives_are_no_danger(at in 0..4096_usize, byte in any::<u8>(), length in 0..6000_usize) {
        let mut bytes = archive(&["a/b=12", "c -> a", "d => a/b", ".wh.x", "e="]);
        let at = at % bytes.len();
        bytes[at] = byte;
        // The sum of the block is made right again, so that what follows is looked at.
        let block = at / 512 * 512;
        if let Some(header) = bytes.get_mut(block..block + 512) {
            let mut right = Header::new_old();
            right.as_mut_bytes().copy_from_slice(header);
            right.set_cksum();
            header.copy_from_slice(right.as_bytes());
        }
        bytes.truncate(length.max(512));
        let blocks = u8::try_from(bytes.len() / 512).unwrap_or(0);
        fuzzing::merge(&[&[blocks][..], &bytes, &bytes].concat());
    }

    #[test]
    fn any_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        fuzzing::merge(&bytes);
    }
}

#[test]
fn a_path_of_the_root_is_the_root() {
    let layers = merge([archive(&["./", "/", "x/..", "..="])]).expect("the archive is right");
    assert_eq!(shown(&layers), [""; 0]);
    assert_eq!(FilePath::new(b"x/.."), FilePath::root());
}
