//! Files that fuzzing begins with. Tests make good files anyway; here they hand them on.

use std::{env, fs, path::Path};

/// Names the folder for the corpora; `scripts/fuzz-seeds` sets it.
const FOLDER: &str = "FUZZ_CORPUS";

/// Keeps a good file for a fuzz target: as `name` in the folder `target` below the one that `FUZZ_CORPUS` names. Does
/// nothing without that variable.
///
/// # Panics
/// When the folder cannot be written to.
pub fn keep(target: &str, name: &str, bytes: &[u8]) {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder).join(target);
    fs::create_dir_all(&folder).expect("the folder of the corpora");
    fs::write(folder.join(name), bytes).expect("the folder of the corpora");
}
