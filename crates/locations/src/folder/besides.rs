//! Files that an image needs besides itself.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use guardhouse_image::target::probe;

use super::inside;
use crate::{Trouble, limits, name, trouble::missing};

/// The files that are needed to read the image at `parts`, which refers to `refers_to`: those that it names, and those that
/// these name. Each is looked for where it is said to be, or else beside the file that names it, for images that were
/// moved together.
///
/// # Errors
/// One of them is not in the location, or there are too many.
pub(super) fn all(root: &Path, parts: &[&str], refers_to: Vec<String>) -> Result<Vec<PathBuf>, Trouble> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let of = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    let mut open: Vec<(Vec<String>, String)> =
        refers_to.into_iter().map(|reference| (of(parts), reference)).collect();
    while let Some((from, reference)) = open.pop() {
        let parts = find(root, &from, &reference)?;
        if !seen.insert(parts.clone()) {
            continue;
        }
        if found.len() >= limits::BESIDES {
            let (name, limit) = (from.join("/"), limits::BESIDES);
            return Err(Trouble::lasting(format!("{name} needs more than {limit} other files")));
        }
        let path = root.join(parts.join("/"));
        let probed = probe(&path).map_err(|error| Trouble::system(path.display(), &error))?;
        let further = probed.map(|probed| probed.refers_to).unwrap_or_default();
        open.extend(further.into_iter().map(|reference| (parts.clone(), reference)));
        found.push(path);
    }
    found.sort();
    Ok(found)
}

/// Where a file lies that the one at `from` refers to.
fn find(root: &Path, from: &[String], reference: &str) -> Result<Vec<String>, Trouble> {
    let from: Vec<&str> = from.iter().map(String::as_str).collect();
    let last = reference.rsplit('/').next().unwrap_or_default();
    let candidates =
        [reference, last].map(|reference| name::resolve(&root.to_string_lossy(), &from, reference));
    for parts in candidates.into_iter().flatten() {
        let borrowed: Vec<&str> = parts.iter().map(String::as_str).collect();
        if inside(root, &borrowed).is_ok_and(|path| path.is_file()) {
            return Ok(parts);
        }
    }
    Err(Trouble::lasting(missing(&from.join("/"), reference)))
}

/// The names in its own folder of files that an image refers to, whether they are there or not.
pub(super) fn siblings(root: &Path, parts: &[&str], refers_to: &[String]) -> Vec<String> {
    let root = root.to_string_lossy();
    let resolved = refers_to.iter().filter_map(|reference| name::resolve(&root, parts, reference));
    resolved.map(|parts| parts.join("/")).collect()
}
