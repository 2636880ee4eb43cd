//! An image, as its manifest describes it.

use std::fmt;

use super::manifest::PlatformFields;
use crate::{
    file_system::layers::unpack::{Digest, Expected},
    volume::Refusal,
};

/// An image as its manifest describes it.
pub(super) struct Image {
    /// How it is shown: its platform, or its names.
    pub title: String,
    /// What tells it from others of that title.
    pub id: String,
    /// What people gave it: `app:1`, `docker.io/library/app:1`.
    pub names: Vec<String>,
    /// The digests of its manifest and its configuration, as far as there are any.
    pub digests: Vec<Digest>,
    pub platform: Platform,
    pub parts: Parts,
}

impl Image {
    /// Whether it is meant by a name, the end of a name behind a `/`, or the beginning of a digest.
    pub fn is_called(&self, wanted: &str) -> bool {
        let is_end =
            |name: &str| name.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let hex = wanted.strip_prefix("sha256:").unwrap_or(wanted);
        self.names.iter().any(|name| is_end(name))
            || hex.len() >= SHORT && self.digests.iter().any(|digest| digest.hex().starts_with(hex))
    }
}

/// How many digits of a digest are enough to ask for an image.
const SHORT: usize = 6;

/// What an image is made of.
pub(super) enum Parts {
    /// Layers, the lowest first.
    Layers(Vec<Layer>),
    /// It is no image of files by its nature.
    Nothing(&'static str),
    /// It cannot be read.
    Refused(Refusal),
}

/// A layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Where it is in the store.
    pub path: String,
    pub expected: Expected,
    /// Where else it is, when it is not in the store by its nature.
    pub urls: Vec<String>,
}

/// For which machines an image is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

impl Platform {
    /// `linux/arm64/v8`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next()?, parts.next()?);
        let (variant, rest) = (parts.next().unwrap_or_default(), parts.next());
        let is_whole = !os.is_empty() && !architecture.is_empty() && rest.is_none();
        is_whole.then_some(Self { os, architecture, variant })
    }

    /// Whether an image for `other` is meant. Without a variant, each is.
    pub fn takes(&self, other: &Self) -> bool {
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_empty() || self.variant == other.variant)
    }
}

impl From<PlatformFields> for Platform {
    fn from(fields: PlatformFields) -> Self {
        let PlatformFields { os, architecture, variant } = fields;
        Self { os, architecture, variant }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known =
            |text: &str| if text.is_empty() { "unknown".to_owned() } else { text.escape_debug().to_string() };
        write!(f, "{}/{}", known(&self.os), known(&self.architecture))?;
        match self.variant.as_str() {
            "" => Ok(()),
            variant => write!(f, "/{}", variant.escape_debug()),
        }
    }
}
