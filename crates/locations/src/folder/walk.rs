//! The walk through a folder.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use guardhouse_image::target::{TargetKind, probe};

use super::{besides, layout, limited, measure};
use crate::{Found, Listing, Trouble, limits};

/// Lists what can be scanned in a folder and below it.
///
/// # Errors
/// The folder itself cannot be read. What is below it and cannot be is left out.
pub(super) fn list(root: &Path, stop: &AtomicBool) -> Result<Listing, Trouble> {
    let mut walk = Walk { root, ..Walk::default() };
    if probe(root).ok().flatten().is_some() {
        // As it lies there: names do not change when the location is registered as a layout.
        let assets = layout::assets(root)?;
        return Ok(limited(assets.into_iter().map(layout::Asset::found), Vec::new()));
    }
    let mut open = vec![Vec::new()];
    while let Some(folder) = open.pop() {
        if let Err(trouble) = walk.folder(&folder, &mut open, stop) {
            if folder.is_empty() {
                return Err(trouble);
            }
            walk.left_out.push(trouble.to_string());
        }
        if walk.entries >= limits::ENTRIES || stop.load(Ordering::Relaxed) {
            let limit = limits::ENTRIES;
            walk.left_out.insert(
                0,
                format!("there are more than {limit} files and folders, and the others were not looked at"),
            );
            break;
        }
    }
    if walk.links > 0 {
        let links = walk.links;
        walk.left_out.push(format!(
            "{links} symbolic links; what they lead to inside of the location has its own name"
        ));
    }
    let Walk { found, extents, left_out, .. } = walk;
    Ok(limited(found.into_iter().filter(|found| !extents.contains(&found.name)), left_out))
}

#[derive(Debug)]
struct Walk<'a> {
    root: &'a Path,
    found: Vec<Found>,
    /// Names of files that are parts of a disk and no disk themselves.
    extents: BTreeSet<String>,
    left_out: Vec<String>,
    /// How many entries were looked at.
    entries: usize,
    /// How many of them are symbolic links.
    links: usize,
}

impl Default for Walk<'_> {
    fn default() -> Self {
        Self {
            root: Path::new(""),
            found: Vec::new(),
            extents: BTreeSet::new(),
            left_out: Vec::new(),
            entries: 0,
            links: 0,
        }
    }
}

impl Walk<'_> {
    /// Looks at the files of a folder, and adds its sub-folders to those that are open.
    fn folder(
        &mut self,
        parts: &[String],
        open: &mut Vec<Vec<String>>,
        stop: &AtomicBool,
    ) -> Result<(), Trouble> {
        let path = self.root.join(parts.join("/"));
        let failed = |error| Trouble::system(path.display(), &error);
        for entry in fs::read_dir(&path).map_err(failed)? {
            self.entries += 1;
            if self.entries >= limits::ENTRIES || stop.load(Ordering::Relaxed) {
                break;
            }
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_symlink() {
                self.links += 1;
                continue;
            }
            let path = entry.path();
            let Ok(name) = entry.file_name().into_string() else {
                self.left_out.push(format!("{}: its name is not UTF-8; rename it", path.display()));
                continue;
            };
            let mut parts = parts.to_owned();
            parts.push(name);
            if kind.is_dir() && !self.images(&path, &parts)? {
                match parts.len() > limits::DEPTH {
                    true => self.left_out.push(format!(
                        "{}: it lies deeper than {} folders",
                        path.display(),
                        limits::DEPTH
                    )),
                    false => open.push(parts),
                }
            } else if kind.is_file()
                && let Err(trouble) = self.file(&path, &parts)
            {
                self.left_out.push(trouble.to_string());
            }
        }
        Ok(())
    }

    /// The images of a folder that is a layout; `false` when it is none.
    fn images(&mut self, path: &Path, parts: &[String]) -> Result<bool, Trouble> {
        // A folder that cannot be looked into is told of when its files are looked at.
        if probe(path).ok().flatten().is_none() {
            return Ok(false);
        }
        let name = parts.join("/");
        match layout::assets(path) {
            Ok(assets) => self.found.extend(assets.into_iter().map(|asset| asset.below(&name).found())),
            Err(trouble) => self.left_out.push(trouble.to_string()),
        }
        Ok(true)
    }

    fn file(&mut self, path: &Path, parts: &[String]) -> Result<(), Trouble> {
        let Some(probed) = probe(path).map_err(|error| Trouble::system(path.display(), &error))? else {
            return Ok(());
        };
        let borrowed: Vec<&str> = parts.iter().map(String::as_str).collect();
        crate::name::parts(&parts.join("/"))?;
        if probed.kind == TargetKind::Vmdk {
            self.extents.extend(besides::siblings(self.root, &borrowed, &probed.refers_to));
        }
        // Of files that are missing the scan says so.
        let also = besides::all(self.root, &borrowed, probed.refers_to).unwrap_or_default();
        let (size_bytes, version) = measure(path, &also)?;
        self.found.push(Found { name: parts.join("/"), size_bytes, version });
        Ok(())
    }
}
