//! Downloads an asset, and what it refers to.

use std::{
    collections::BTreeSet,
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::TryStreamExt as _;
use guardhouse_image::target::probe;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt as _};
use tempfile::TempDir;
use tokio::{fs::File, io::AsyncWriteExt as _};
use tracing::info;

use super::{Remote, list};
use crate::{Fetched, ObjectStore, Trouble, limits, name, trouble::missing};

/// The pause before a download is continued; it doubles while no byte comes, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause before a download is continued.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How much room is left in the folder for temporary files, in bytes.
const RESERVE: u64 = 256 << 20;

/// Downloads an asset with the files that it needs, into a folder of its own.
pub(crate) async fn fetch(store: &ObjectStore, name: &str, scratch: &Path) -> Result<Fetched, Trouble> {
    name::parts(name)?;
    let remote = Remote::open(store)?;
    let folder = TempDir::with_prefix_in("asset-", scratch).map_err(|error| {
        Trouble::system(format!("the folder for temporary files {}", scratch.display()), &error)
    })?;
    let download = Download { remote: &remote, folder: folder.path() };
    let asset = download.object(name).await?;
    let version = list::version(&asset.meta);
    let (mut size_bytes, mut also) = (asset.meta.size, Vec::new());
    let mut open = needs(&asset.path, name)?;
    let mut seen = BTreeSet::from([name.to_owned()]);
    while let Some((from, reference)) = open.pop() {
        let Some((name, beside)) = download.beside(&from, &reference, &mut seen).await? else { continue };
        size_bytes = size_bytes.saturating_add(beside.meta.size);
        open.extend(needs(&beside.path, &name)?);
        also.push(beside.path);
    }
    Ok(Fetched { path: asset.path, also, image: None, version, size_bytes, temporary: Some(folder) })
}

/// What an image that was downloaded refers to, each with the name of the one that does.
fn needs(path: &Path, name: &str) -> Result<Vec<(String, String)>, Trouble> {
    let probed = probe(path).map_err(|error| Trouble::system(path.display(), &error))?;
    let references = probed.map(|probed| probed.refers_to).unwrap_or_default();
    Ok(references.into_iter().map(|reference| (name.to_owned(), reference)).collect())
}

struct Download<'a> {
    remote: &'a Remote,
    folder: &'a Path,
}

/// An object that was downloaded.
struct Downloaded {
    path: PathBuf,
    meta: ObjectMeta,
}

/// How a part of a download ended.
enum Part {
    /// With the last byte.
    Whole,
    /// Before it: it can be continued.
    Broken(Trouble),
}

impl Download<'_> {
    /// Downloads what the object `from` refers to: from where it is said to be, or else from beside it, for images that
    /// were moved together. `None` when it is there already.
    async fn beside(
        &self,
        from: &str,
        reference: &str,
        seen: &mut BTreeSet<String>,
    ) -> Result<Option<(String, Downloaded)>, Trouble> {
        if seen.len() > limits::BESIDES {
            return Err(Trouble::lasting(format!("{from} needs more than {} other files", limits::BESIDES)));
        }
        let parts: Vec<&str> = from.split('/').collect();
        let last = reference.rsplit('/').next().unwrap_or_default();
        let candidates = [reference, last].map(|reference| name::resolve("/", &parts, reference));
        for name in candidates.into_iter().flatten().map(|parts| parts.join("/")) {
            if seen.contains(&name) {
                return Ok(None);
            }
            match self.object(&name).await {
                Ok(downloaded) => {
                    seen.insert(name.clone());
                    return Ok(Some((name, downloaded)));
                }
                Err(trouble) if trouble.is_passing() => return Err(trouble),
                Err(trouble) => info!(%trouble, "it is not where it is said to be"),
            }
        }
        Err(Trouble::lasting(missing(from, reference)))
    }

    /// Downloads one object, whatever breaks off meanwhile.
    async fn object(&self, name: &str) -> Result<Downloaded, Trouble> {
        let path = self.remote.path(name)?;
        let meta =
            self.remote.objects.head(&path).await.map_err(|error| self.remote.trouble(name, &error))?;
        // As deep as in the location: what lies there refers to each other by folders.
        let target = self.folder.join(name);
        let failed = |error| Trouble::system(target.display(), &error);
        if let Some(parent) = target.parent() {
            tokio::fs::create_dir_all(parent).await.map_err(failed)?;
        }
        let mut file = File::options().write(true).create_new(true).open(&target).await.map_err(failed)?;
        check_room(&file, meta.size)?;
        let (mut at, mut breaks) = (0, 0);
        while at < meta.size {
            let before = at;
            let Part::Broken(trouble) = self.part(&meta, &mut at, &mut file).await? else { break };
            breaks = if at > before { 1 } else { breaks + 1 };
            if breaks > limits::BREAKS {
                return Err(trouble);
            }
            info!(%trouble, name, at, of = meta.size, "a download broke off and is continued");
            tokio::time::sleep(LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(breaks))).await;
        }
        file.flush().await.map_err(failed)?;
        Ok(Downloaded { path: target, meta })
    }

    /// Downloads from `at` on until the end, or until it breaks off. `at` is where the file ends then.
    async fn part(&self, meta: &ObjectMeta, at: &mut u64, file: &mut File) -> Result<Part, Trouble> {
        let (shown, name) = (&self.remote.shown, self.remote.name(&meta.location).unwrap_or_default());
        let answer = match self.remote.objects.get_opts(&meta.location, options(meta, *at)).await {
            // A server that does not know ranges: from the beginning.
            Err(error @ object_store::Error::NotSupported { .. }) if *at > 0 => {
                restart(file).await?;
                *at = 0;
                return Ok(Part::Broken(self.remote.trouble(name, &error)));
            }
            Err(error) => return self.broken(name, &error),
            Ok(answer) => answer,
        };
        if answer.meta.size != meta.size || answer.meta.e_tag != meta.e_tag {
            return Err(Trouble::passing(format!(
                "{shown}: {name} changed while it was fetched; scan it again"
            )));
        }
        let mut pieces = answer.into_stream();
        loop {
            let piece = match pieces.try_next().await {
                Ok(Some(piece)) => piece,
                Ok(None) if *at == meta.size => return Ok(Part::Whole),
                Ok(None) => {
                    let sentence =
                        format!("{shown}: {name}: the download broke off after {at} of {} bytes", meta.size);
                    return Ok(Part::Broken(Trouble::passing(sentence)));
                }
                Err(error) => return self.broken(name, &error),
            };
            let length = piece.len() as u64;
            if at.saturating_add(length) > meta.size {
                return Err(Trouble::lasting(format!("{shown}: {name} is longer than the store says")));
            }
            file.write_all(&piece).await.map_err(|error| Trouble::system(name, &error))?;
            *at += length;
        }
    }

    /// Whether a download can be continued after an error.
    fn broken(&self, name: &str, error: &object_store::Error) -> Result<Part, Trouble> {
        let trouble = self.remote.trouble(name, error);
        let has_changed = matches!(error, object_store::Error::Precondition { .. });
        if trouble.is_passing() && !has_changed { Ok(Part::Broken(trouble)) } else { Err(trouble) }
    }
}

/// Asks for an object from a byte on, as long as it is still the same.
fn options(meta: &ObjectMeta, at: u64) -> GetOptions {
    // A weak tag matches nothing here (RFC 9110, 13.1.1).
    let tag = meta.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
    GetOptions {
        range: (at > 0).then_some(GetRange::Bounded(at..meta.size)),
        if_unmodified_since: tag.is_none().then_some(meta.last_modified),
        if_match: tag,
        ..GetOptions::default()
    }
}

async fn restart(file: &mut File) -> Result<(), Trouble> {
    use tokio::io::AsyncSeekExt as _;
    let failed = |error| Trouble::system("the folder for temporary files", &error);
    file.flush().await.map_err(failed)?;
    file.set_len(0).await.map_err(failed)?;
    file.rewind().await.map(|_| ()).map_err(failed)
}

/// Whether there is room for a file of this length.
fn check_room(file: &File, size: u64) -> Result<(), Trouble> {
    let space = rustix::fs::fstatvfs(file.as_fd());
    let space = space.map_err(|error| Trouble::system("the folder for temporary files", &error.into()))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    if size.saturating_add(RESERVE) <= free {
        return Ok(());
    }
    Err(Trouble::lasting(format!(
        "it has {} MiB, and the folder for temporary files has room for {} MiB; name a larger folder",
        size >> 20,
        free.saturating_sub(RESERVE) >> 20
    )))
}
