//! For tests: files as an attacker might write them, from the seeds of the fuzz targets.

use std::{fs, path::Path};

use proptest::prelude::*;

/// A seed of a fuzz target with some bytes changed, cut out or put in twice.
pub fn file(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).expect("the seeds of the target").flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a seed")).collect();
    let change = (any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), any::<u8>(), 0_u8..4);
    (proptest::sample::select(seeds), proptest::collection::vec(change, 0..6)).prop_map(
        |(mut file, changes)| {
            for (at, to, byte, how) in changes {
                if file.is_empty() {
                    break;
                }
                let (at, to) = (at.index(file.len()), to.index(file.len()));
                let (begin, end) = (at.min(to), at.max(to));
                match how {
                    0 => file[at] = byte,
                    1 => file.truncate(end),
                    2 => drop(file.drain(begin..end)),
                    _ => file.extend_from_within(begin..end),
                }
            }
            file
        },
    )
}
