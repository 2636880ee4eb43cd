//! The layers of images: unpacked by several threads, and put on each other.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    image::{Image, Layer, Parts},
    refusal,
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

/// What a layer became. Images share it.
type Unpacked = Result<Arc<dyn BlockRead>, Refusal>;

/// Which layer: the same bytes may be expected to be something else by another image.
type Key = (String, Expected);

/// All layers of some images, each unpacked once.
pub(super) struct Layers {
    unpacked: HashMap<Key, Unpacked>,
}

impl Layers {
    /// Unpacks the layers of images, so many at once.
    pub fn unpack(images: &[Image], store: &Store, scratch: &Scratch, threads: usize) -> Self {
        let mut unpacked = HashMap::new();
        let mut wanted: Vec<&Layer> = Vec::new();
        for layer in images.iter().filter_map(layers).flatten() {
            // A place for what will become of it, so that it is wanted once.
            let nothing_yet = || Err(refusal(Reason::Damaged, "layer", "it was not unpacked"));
            unpacked.entry(key(layer)).or_insert_with(|| {
                wanted.push(layer);
                nothing_yet()
            });
        }
        let (next, done) = (AtomicUsize::new(0), Mutex::new(unpacked));
        let work = || {
            while let Some(layer) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = unpack(layer, store, scratch);
                done.lock().unwrap_or_else(PoisonError::into_inner).insert(key(layer), result);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads.min(wanted.len()) {
                // Without a further thread, the work takes longer and is done all the same.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        Self { unpacked: done.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    /// What an image holds, and how long its layers are.
    pub fn merge(&self, image: &Image) -> (Content, u64) {
        let layers = match &image.parts {
            Parts::Layers(layers) => layers,
            Parts::Nothing(what) => return (Content::Nothing(what), 0),
            Parts::Refused(refusal) => return (Content::Refused(refusal.clone()), 0),
        };
        if layers.len() > limits::LAYERS {
            let detail = format!("more than {} layers", limits::LAYERS);
            return (Content::Refused(refusal(Reason::Limit, "container image", detail)), 0);
        }
        let (mut builder, mut size) = (Builder::new(), 0_u64);
        for (index, layer) in layers.iter().enumerate() {
            let what = format!("layer {} of {}", index + 1, layers.len());
            let bytes = match self.unpacked.get(&key(layer)) {
                Some(Ok(bytes)) => Arc::clone(bytes),
                Some(Err(refusal)) => {
                    let what = format!("{what} ({})", layer.path.escape_debug());
                    return (Content::Refused(Refusal { what, ..refusal.clone() }), size);
                }
                None => {
                    return (Content::Refused(refusal(Reason::Incomplete, what, "it is not there")), size);
                }
            };
            size = size.saturating_add(bytes.len());
            if let Err(error) = builder.add(bytes) {
                return (Content::Refused(reading(&what, &error)), size);
            }
        }
        (Content::Files(Arc::new(builder.finish())), size)
    }
}

/// The layers of an image that has some, and not too many.
fn layers(image: &Image) -> Option<&[Layer]> {
    match &image.parts {
        Parts::Layers(layers) if layers.len() <= limits::LAYERS => Some(layers),
        _ => None,
    }
}

fn key(layer: &Layer) -> Key {
    (layer.path.clone(), layer.expected.clone())
}

fn unpack(layer: &Layer, store: &Store, scratch: &Scratch) -> Unpacked {
    let packed = match store.blob(&layer.path) {
        Ok(Some(packed)) => packed,
        Ok(None) => {
            let elsewhere = match layer.urls.first() {
                Some(url) => format!("; it is kept at {}", url.escape_debug()),
                None => String::new(),
            };
            return Err(refusal(Reason::Incomplete, "layer", format!("it is not there{elsewhere}")));
        }
        Err(error) => return Err(refusal(Reason::Damaged, "layer", format!("it cannot be read: {error}"))),
    };
    scratch.unpack(packed, &layer.expected).map_err(|error| unpacking("layer", &error))
}
