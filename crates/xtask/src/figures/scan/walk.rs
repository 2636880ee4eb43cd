//! Walks over images in this process, through the crates that the scanner is made of.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use guardhouse_scan::{
    Analyser, Candidate, Found, Interest, Project, ScannedFile,
    positions::Positions,
    walk::{self, Hashing, Plan},
};

use super::super::now;

/// What a walk found and took.
#[derive(Debug, Clone, Copy)]
pub struct Walked {
    /// Files of every kind.
    pub files: u64,
    /// Millions of bytes that were read.
    pub megabytes: f64,
    /// From opening to the end, in seconds.
    pub wall: f64,
    /// How many threads there were.
    pub threads: usize,
}

/// Reads and hashes every file.
///
/// # Errors
/// The image cannot be opened.
pub fn hash_all(image: &Path) -> anyhow::Result<Walked> {
    walk_with(image, &[])
}

/// Reads and hashes every file; answers the SHA-256 of each regular one in hexadecimal digits, by the text form of its
/// path.
///
/// # Errors
/// The image cannot be opened, or a file cannot be read.
pub fn digests(image: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let notes = Box::leak(Box::new(Notes::default()));
    walk_with(image, &[Box::new(&*notes)])?;
    let found = std::mem::take(&mut *notes.0.lock().unwrap_or_else(PoisonError::into_inner));
    found.into_iter().map(|(path, digest)| Ok((path, digest.map_err(anyhow::Error::msg)?))).collect()
}

fn walk_with(image: &Path, analysers: &[Box<dyn Analyser>]) -> anyhow::Result<Walked> {
    let begun = now();
    let opened = guardhouse_image::open(image, &guardhouse_image::Options::default())?;
    let systems = opened.systems();
    let threads = std::thread::available_parallelism()?.get();
    let plan = Plan { hashing: Hashing::All, threads, ..Plan::default() };
    let totals = walk::walk(&systems, analysers, &plan, &Positions::none(), &|_| {});
    #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
    let megabytes = totals.bytes_read as f64 / 1e6;
    Ok(Walked { files: totals.files, megabytes, wall: begun.elapsed().as_secs_f64(), threads })
}

/// The digest of every file, or why it could not be read.
#[derive(Default)]
struct Notes(Mutex<BTreeMap<String, Result<String, String>>>);

impl Analyser for &'static Notes {
    fn name(&self) -> &'static str {
        "digests"
    }

    fn project(&self) -> Project {
        Project::Vul
    }

    fn interest(&self, _: &Candidate<'_>) -> Interest {
        Interest::Reads
    }

    fn look(&self, file: &mut ScannedFile<'_>, _: &mut dyn FnMut(Found)) {
        let digest = file.sha256().map(|digest| digest.map(|byte| format!("{byte:02x}")).concat());
        let digest = digest.map_err(|error| format!("{}: {error}", file.path()));
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(file.path().to_string(), digest);
    }
}
