//! Images that are made here, and what is read of them.

mod archives;
mod layouts;
mod refusals;
mod saved;
mod tools;

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    ops::ControlFlow,
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use guardhouse_test_images::containers::{self, Layout, TAR};
use tempfile::TempDir;

use super::*;
use crate::{file_system::FileKind, path::FilePath, tree};

/// A tar archive of `path=content`.
fn archive(files: &[&str]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for file in files {
        let (path, content) = file.split_once('=').unwrap_or((file, ""));
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, content.as_bytes()).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).expect("memory takes it")
}

/// A layer as it is, in gzip and in zstd.
fn plain(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    (TAR, archive(files), archive(files))
}

fn gzipped(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&archive(files)), archive(files))
}

fn zstandard(files: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    ("application/vnd.oci.image.layer.v1.tar+zstd", zstd(&archive(files)), archive(files))
}

/// A folder for a layout, and one for what is made of it.
fn folders() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let layout = folder.path().join("layout");
    fs::create_dir(&layout).expect("the folder is ours");
    (folder, layout)
}

/// Each volume with its files, or why it has none.
fn brief(opened: &Opened) -> Vec<String> {
    opened
        .volumes
        .iter()
        .map(|volume| {
            let content = match &volume.content {
                Content::Files(_) => files(volume).into_iter().collect::<Vec<_>>().join(" "),
                Content::Nothing(what) | Content::Parts(what) => format!("nothing: {what}"),
                Content::Refused(refusal) => format!("{:?}", refusal.reason),
            };
            format!("{}: {content}", volume.place)
        })
        .collect()
}

/// The regular files of a volume, as `path=content`.
fn files(volume: &Volume) -> BTreeSet<String> {
    let tree = tree::systems(std::slice::from_ref(volume)).remove(0).tree;
    let mut reader = tree.reader().expect("it can be read");
    let (mut open, mut seen) = (vec![reader.root()], BTreeSet::new());
    while let Some(folder) = open.pop() {
        let mut places = Vec::new();
        reader
            .read_folder(&folder, &mut |_, place| {
                places.push(place);
                ControlFlow::Continue(())
            })
            .expect("it can be read");
        for place in places {
            match reader.metadata(&place).expect("it is there").kind {
                FileKind::Folder => open.push(place),
                FileKind::File => {
                    let content =
                        reader.read_head(&place.path, 1 << 20).expect("it can be read").expect("a file");
                    seen.insert(format!("{}={}", place.path, String::from_utf8_lossy(&content)));
                }
                FileKind::Symlink | FileKind::Other => {}
            }
        }
    }
    seen
}

fn refusal_of(result: Result<Opened, OpenError>) -> Refusal {
    match result {
        Err(OpenError::Refused { refusal, .. }) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn open_it(path: &Path) -> Opened {
    open(path, &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}
