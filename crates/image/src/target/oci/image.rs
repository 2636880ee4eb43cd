//! An image: its layers on each other.

use std::{collections::HashMap, fmt, sync::Arc};

use super::{
    manifest::PlatformFields,
    refusal, refused,
    store::{Store, reading, unpacking},
};
use crate::{
    block::BlockRead,
    file_system::layers::{
        Builder,
        unpack::{Expected, Scratch},
    },
    limits,
    volume::{Content, Reason, Refusal},
};

/// An image as its manifest describes it.
pub(super) struct Image {
    /// How it is called: its platform, or its name and tag.
    pub name: String,
    /// What tells it from others of that name.
    pub id: String,
    pub platform: Platform,
    pub parts: Parts,
}

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

/// Reads images that may share layers: each layer is unpacked once.
pub(super) struct Images<'a> {
    store: &'a Store,
    scratch: Scratch,
    unpacked: HashMap<(String, Expected), Arc<dyn BlockRead>>,
}

impl<'a> Images<'a> {
    pub fn new(store: &'a Store, scratch: Scratch) -> Self {
        Self { store, scratch, unpacked: HashMap::new() }
    }

    /// What an image holds, and how long its layers are.
    pub fn read(&mut self, image: &Image) -> (Content, u64) {
        let layers = match &image.parts {
            Parts::Layers(layers) => layers,
            Parts::Nothing(what) => return (Content::Nothing(what), 0),
            Parts::Refused(refusal) => return (refused(refusal.clone()), 0),
        };
        if layers.len() > limits::LAYERS {
            let detail = format!("more than {} layers", limits::LAYERS);
            return (refused(refusal(Reason::Limit, "container image", detail)), 0);
        }
        let (mut builder, mut size) = (Builder::new(), 0_u64);
        for (index, layer) in layers.iter().enumerate() {
            let what = format!("layer {} of {}", index + 1, layers.len());
            let bytes = match self.layer(layer, &what) {
                Ok(bytes) => bytes,
                Err(refusal) => return (refused(refusal), size),
            };
            size = size.saturating_add(bytes.len());
            if let Err(error) = builder.add(bytes) {
                return (refused(reading(&what, &error)), size);
            }
        }
        (Content::Files(Arc::new(builder.finish())), size)
    }

    fn layer(&mut self, layer: &Layer, what: &str) -> Result<Arc<dyn BlockRead>, Refusal> {
        let key = (layer.path.clone(), layer.expected.clone());
        if let Some(bytes) = self.unpacked.get(&key) {
            return Ok(Arc::clone(bytes));
        }
        let path = layer.path.escape_debug();
        let packed = match self.store.blob(&layer.path) {
            Ok(Some(packed)) => packed,
            Ok(None) => {
                let elsewhere = match layer.urls.first() {
                    Some(url) => format!("; it is kept at {}", url.escape_debug()),
                    None => String::new(),
                };
                return Err(refusal(Reason::Incomplete, what, format!("{path} is not there{elsewhere}")));
            }
            Err(error) => {
                return Err(refusal(Reason::Damaged, what, format!("{path} cannot be read: {error}")));
            }
        };
        let unpacked = self.scratch.unpack(packed, &layer.expected);
        let unpacked = unpacked.map_err(|error| unpacking(&format!("{what} ({path})"), &error))?;
        self.unpacked.insert(key, Arc::clone(&unpacked));
        Ok(unpacked)
    }
}
