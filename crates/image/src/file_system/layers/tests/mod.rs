//! Layers and archives that are made in memory, and what they become.

mod archives;
mod hostile;
mod merging;
mod properties;
mod seeds;

use std::{collections::BTreeMap, ops::ControlFlow};

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

/// A record of a PAX header.
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
