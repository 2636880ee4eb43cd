//! Any layers, and any bytes.

use proptest::prelude::*;

use super::*;

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
