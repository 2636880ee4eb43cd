//! Lists what lies in a store.

use futures_util::TryStreamExt as _;
use object_store::{ObjectMeta, path::Path as ObjectPath};

use super::Remote;
use crate::{Found, Listing, ObjectStore, Trouble, endings, folder::limited, limits, name, version::Version};

/// Lists the objects that are called like disk images or archives.
pub(crate) async fn list(store: &ObjectStore) -> Result<Listing, Trouble> {
    look(&Remote::open(store)?).await
}

/// The same, of a store that is open.
pub(super) async fn look(remote: &Remote) -> Result<Listing, Trouble> {
    let mut seen = Seen { remote, found: Vec::new(), left_out: Vec::new(), entries: 0 };
    match remote.by_folder {
        true => seen.folders().await?,
        false => seen.all().await?,
    }
    Ok(limited(seen.found, seen.left_out))
}

/// What tells the content of an object: its tag, which S3 makes of the content, and when it was written.
pub(super) fn version(object: &ObjectMeta) -> String {
    let mut version = Version::default();
    // Some servers write it in quotes in one place, and without in another.
    let tag = object.e_tag.as_deref().unwrap_or_default();
    version.add(tag.trim_start_matches("W/").trim_matches('"'));
    version.add(object.version.as_deref().unwrap_or_default());
    version.add(&object.last_modified.timestamp_micros().to_string());
    version.add(&object.size.to_string()).finish()
}

struct Seen<'a> {
    remote: &'a Remote,
    found: Vec<Found>,
    left_out: Vec<String>,
    entries: usize,
}

impl Seen<'_> {
    /// Everything that begins with the prefix, as S3 lists it: page by page.
    async fn all(&mut self) -> Result<(), Trouble> {
        let start = self.start()?;
        let mut objects = self.remote.objects.list((!start.is_root()).then_some(&start));
        while let Some(object) =
            objects.try_next().await.map_err(|error| self.remote.trouble("its list", &error))?
        {
            if self.is_full() {
                break;
            }
            self.object(&object);
        }
        Ok(())
    }

    /// Where the location begins.
    fn start(&self) -> Result<ObjectPath, Trouble> {
        let path = ObjectPath::parse(&self.remote.prefix);
        path.map_err(|error| Trouble::lasting(format!("{}: {error}", self.remote.shown)))
    }

    /// Folder by folder.
    async fn folders(&mut self) -> Result<(), Trouble> {
        let mut open = vec![(self.start()?, 0)];
        while let Some((folder, depth)) = open.pop() {
            let asked = (!folder.is_root()).then_some(&folder);
            let listed = self.remote.objects.list_with_delimiter(asked).await;
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) if depth == 0 => return Err(self.remote.trouble("its list", &error)),
                Err(error) => {
                    self.left_out.push(self.remote.trouble(folder.as_ref(), &error).to_string());
                    continue;
                }
            };
            for object in &listed.objects {
                self.object(object);
            }
            // A server that names other folders than those of this one would send us round in circles.
            let below = listed.common_prefixes.into_iter().filter(|path| {
                path.parts_count() == folder.parts_count() + 1 && path.prefix_matches(&folder)
            });
            for path in below {
                self.entries += 1;
                match depth + 1 > limits::DEPTH {
                    true => {
                        self.left_out.push(format!("{path}: it lies deeper than {} folders", limits::DEPTH))
                    }
                    false => open.push((path, depth + 1)),
                }
            }
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn is_full(&mut self) -> bool {
        let limit = limits::ENTRIES;
        if self.entries < limit {
            return false;
        }
        self.left_out
            .insert(0, format!("there are more than {limit} objects, and the others were not looked at"));
        true
    }

    fn object(&mut self, object: &ObjectMeta) {
        self.entries += 1;
        let Some(name) = self.remote.name(&object.location) else { return };
        if object.size == 0 || !endings::is_image(name) {
            return;
        }
        match name::parts(name) {
            Ok(_) => self.found.push(Found {
                name: name.to_owned(),
                size_bytes: object.size,
                version: version(object),
            }),
            Err(trouble) => self.left_out.push(trouble.to_string()),
        }
    }
}
