//! The images of a folder, without opening them: for lists of what can be scanned.

use std::path::Path;

use super::{
    OpenError,
    image::{Image, Parts},
    layout,
    store::Store,
};
use crate::{file_system::layers::unpack::Scratch, limits};

/// An image of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What people gave it: `app:1`, `docker.io/library/app:1`.
    pub names: Vec<String>,
    /// The digits of the digest of its manifest, in a folder that skopeo wrote of its configuration. It decides all that
    /// is in the image, and [`crate::Options::image`] takes it. Empty where the index has none that is sound.
    pub digest: String,
    /// For which machines it is: `linux/arm64/v8`.
    pub platform: String,
    /// How long its layers are as they lie there, in bytes.
    pub size: u64,
}

/// The images of a layout, or of a folder that skopeo wrote for `dir:`, each once. Attestations are left out; images that
/// cannot be read are not, so that a scan says so.
///
/// # Errors
/// [`OpenError`]: the index is not there, or damaged.
pub fn images(folder: &Path) -> Result<Vec<Listed>, OpenError> {
    let store = Store::open(folder, &Scratch::new(None))?;
    let named =
        layout::images(&store).map_err(|refusal| OpenError::Refused { path: folder.to_owned(), refusal })?;
    let images = named.images.iter().filter(|image| !matches!(image.parts, Parts::Nothing(_)));
    Ok(images.take(limits::VOLUMES).map(|image| listed(image, &store)).collect())
}

fn listed(image: &Image, store: &Store) -> Listed {
    let size = match &image.parts {
        Parts::Layers(layers) => layers
            .iter()
            .filter_map(|layer| store.blob(&layer.path).ok().flatten())
            .fold(0, |sum: u64, blob| sum.saturating_add(blob.len())),
        Parts::Nothing(_) | Parts::Refused(_) => 0,
    };
    let digest = image.digests.first().map(|digest| digest.hex().to_owned()).unwrap_or_default();
    Listed { names: image.names.clone(), digest, platform: image.platform.to_string(), size }
}
