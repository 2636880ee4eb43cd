//! Container images in a folder: layouts of the Open Container Initiative, and folders that skopeo writes for `dir:`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use guardhouse_image::target::{Listed, TargetKind, images};

use super::{inside, kind};
use crate::{Fetched, Found, Trouble, version::Version};

/// An image of a layout as an asset.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its name, which no other one there has.
    name: String,
    digest: String,
    size: u64,
}

impl Asset {
    pub(super) fn found(self) -> Found {
        let version = Version::default().add(&self.digest).finish();
        Found { name: self.name, size_bytes: self.size, version }
    }

    /// The same below a folder.
    pub(super) fn below(mut self, folder: &str) -> Self {
        self.name = format!("{folder}#{}", self.name);
        self
    }
}

/// The images of a layout. Each is called by its first name; where several platforms share one, with the platform; where
/// there is none, by its digest.
pub(super) fn assets(folder: &Path) -> Result<Vec<Asset>, Trouble> {
    let images = images(folder).map_err(|error| Trouble::lasting(error.to_string()))?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |name: String| *counts.entry(name).and_modify(|count| *count += 1).or_insert(1);
    for image in &images {
        if let Some(name) = image.names.first() {
            count(name.clone());
            count(with_platform(name, image));
        }
    }
    let is_single = |name: &String| counts.get(name) == Some(&1);
    let called = |image: &Listed| {
        let name = image.names.first()?;
        [name.clone(), with_platform(name, image)].into_iter().find(is_single)
    };
    let assets = images.iter().map(|image| Asset {
        name: called(image).unwrap_or_else(|| format!("sha256:{}", image.digest)),
        digest: image.digest.clone(),
        size: image.size,
    });
    // What has neither a name nor a sound digest cannot be asked for.
    Ok(assets.filter(|asset| !asset.digest.is_empty()).collect())
}

fn with_platform(name: &str, image: &Listed) -> String {
    format!("{name} ({})", image.platform)
}

/// The layout and the image of it that a name means: `PATH#IMAGE`. Images may have a `#` in their names, and folders too:
/// the shortest path that is a layout counts.
pub(super) fn split<'a>(root: &Path, name: &'a str) -> Result<Option<(PathBuf, &'a str)>, Trouble> {
    if is_layout(root)? {
        return Ok(Some((root.to_owned(), name)));
    }
    for (at, _) in name.match_indices('#') {
        let (path, image) = (&name[..at], &name[at + 1..]);
        let Ok(path) = crate::name::parts(path).and_then(|parts| inside(root, &parts)) else { continue };
        if path.is_dir() && is_layout(&path)? {
            return Ok(Some((path, image)));
        }
    }
    Ok(None)
}

fn is_layout(path: &Path) -> Result<bool, Trouble> {
    let kind = kind(path).map_err(|error| Trouble::system(path.display(), &error))?;
    Ok(kind == Some(TargetKind::Oci))
}

/// The image of a layout with this name. `name` is that of the asset, for what is told.
pub(super) fn fetch(folder: &Path, image: &str, name: &str) -> Result<Fetched, Trouble> {
    let asset = assets(folder)?.into_iter().find(|asset| asset.name == image);
    let asset = asset.ok_or_else(|| Trouble::lasting(format!("there is no image {name:?} any more")))?;
    Ok(fetched(folder, asset))
}

fn fetched(folder: &Path, asset: Asset) -> Fetched {
    let image = Some(asset.digest.clone());
    let Found { size_bytes, version, .. } = asset.found();
    Fetched { path: folder.to_owned(), also: Vec::new(), image, version, size_bytes, temporary: None }
}
