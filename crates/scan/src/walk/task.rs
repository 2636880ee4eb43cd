//! What a thread of the walk takes on at once.

use std::sync::Arc;

use guardhouse_image::tree::TreePlace;

/// Something to do.
#[derive(Debug)]
pub enum Task {
    /// Read a folder, and look at the files in it.
    Folder(Folder),
    /// Look at some files of a large folder.
    Files(Vec<TreePlace>),
}

/// A folder to read.
#[derive(Debug)]
pub struct Folder {
    /// Where.
    pub place: TreePlace,
    /// How much of the whole is done when it is, with everything below.
    pub share: u64,
    /// How many folders it lies in.
    pub depth: usize,
    /// The folders that it lies in.
    above: Option<Arc<Line>>,
}

/// A folder and those that it lies in: how a damaged file system that leads back into itself is noticed.
#[derive(Debug)]
pub struct Line {
    mount: usize,
    node: u64,
    above: Option<Arc<Self>>,
}

impl Folder {
    /// Where a walk begins.
    pub fn root(place: TreePlace, share: u64) -> Self {
        Self { place, share, depth: 0, above: None }
    }

    /// What folders in this one lie in.
    pub fn line(&self) -> Arc<Line> {
        Arc::new(Line { mount: self.place.mount, node: self.place.place.node, above: self.above.clone() })
    }

    /// A folder in this one.
    pub fn below(&self, line: &Arc<Line>, place: TreePlace, share: u64) -> Self {
        Self { place, share, depth: self.depth + 1, above: Some(Arc::clone(line)) }
    }
}

impl Line {
    /// Whether a folder lies in itself.
    pub fn leads_to(&self, place: &TreePlace) -> bool {
        let mut line = Some(self);
        while let Some(Self { mount, node, above }) = line {
            if (*mount, *node) == (place.mount, place.place.node) {
                return true;
            }
            line = above.as_deref();
        }
        false
    }
}
