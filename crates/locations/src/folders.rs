//! Which folders of this machine may be locations.

use std::path::{Component, Path, PathBuf};

use crate::{Flaw, Trouble};

/// Where the kernel shows itself as files: what looks like an ordinary one there may never end, or do something when it is
/// read. Nothing in them is an image of a disk.
const KERNEL: [&str; 2] = ["/proc", "/sys"];

/// Which folders of this machine may be locations. By default all but those of the kernel, and the root of all, which has
/// those in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folders {
    allowed: Option<Vec<PathBuf>>,
}

impl Folders {
    /// Only these, and what lies below them; all when there are none.
    #[must_use]
    pub fn below(allowed: Vec<PathBuf>) -> Self {
        Self { allowed: (!allowed.is_empty()).then_some(allowed) }
    }

    /// The same, and one more: what the server itself chose needs nobody's permission.
    #[must_use]
    pub fn and(mut self, folder: &Path) -> Self {
        if let Some(allowed) = &mut self.allowed {
            allowed.push(folder.to_owned());
        }
        self
    }

    /// Whether a location may be at a path, as far as the path alone says: nothing is looked at, and nothing needs to be
    /// there. [`crate::list`] and [`crate::fetch`] see where it really leads.
    ///
    /// # Errors
    /// What would be right.
    pub fn check(&self, path: &Path) -> Result<(), Flaw> {
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(Flaw::new("path", "a path without .. is right"));
        }
        if is_of_kernel(path) {
            return Err(Flaw::new("path", format!("{} {OF_KERNEL}", path.display())));
        }
        let Some(allowed) = &self.allowed else { return Ok(()) };
        if allowed.iter().any(|folder| path.starts_with(folder)) {
            return Ok(());
        }
        let (path, allowed) = (path.display(), listed(allowed));
        let right = format!(
            "{path} is not allowed; {allowed} and folders below are (--location-folder of the server)"
        );
        Err(Flaw::new("path", right))
    }

    /// Whether a folder may be read whose path has no links in it.
    pub(crate) fn permit(&self, resolved: &Path) -> Result<(), Trouble> {
        let path = resolved.display();
        if is_of_kernel(resolved) {
            return Err(Trouble::lasting(format!("{path} {OF_KERNEL}")));
        }
        let Some(allowed) = &self.allowed else { return Ok(()) };
        // What is allowed may be a link itself, and may come and go with what is mounted.
        let is_below =
            |folder: &PathBuf| folder.canonicalize().is_ok_and(|folder| resolved.starts_with(folder));
        if allowed.iter().any(is_below) {
            return Ok(());
        }
        let allowed = listed(allowed);
        Err(Trouble::lasting(format!(
            "{path} may not be read by this machine: it is in none of the folders that it may read ({allowed}); \
             --location-folder names them where it serves or works"
        )))
    }
}

const OF_KERNEL: &str =
    "has files of the kernel in it, which are no images; a folder that has images is right";

fn is_of_kernel(path: &Path) -> bool {
    path.parent().is_none() || KERNEL.iter().any(|folder| path.starts_with(folder))
}

fn listed(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_judged_by_its_parts() {
        let some = Folders::below(vec!["/srv/images".into(), "/mnt/".into()]);
        let all = Folders::below(vec![]);
        assert_eq!(all, Folders::default());
        let table = [
            // path, with an allow-list, without
            ("/srv/images", true, true),
            ("/srv/images/", true, true),
            ("/srv//images/./a", true, true),
            ("/mnt/nfs/a", true, true),
            ("/srv/images2", false, true),
            ("/srv", false, true),
            ("/etc", false, true),
            ("/srv/images/../../etc", false, false),
            ("/", false, false),
            ("/proc", false, false),
            ("/proc/self/root/etc", false, false),
            ("/sys/kernel", false, false),
            ("/process", false, true),
        ];
        for (path, is_listed, is_sound) in table {
            let checked = |folders: &Folders| folders.check(Path::new(path)).is_ok();
            assert_eq!((checked(&some), checked(&all)), (is_listed, is_sound), "{path}");
        }
        let flaw = some.check(Path::new("/etc")).expect_err("it is not allowed");
        let said =
            "/etc is not allowed; /srv/images, /mnt/ and folders below are (--location-folder of the server)";
        assert_eq!((flaw.field, flaw.sentence.as_str()), ("path", said));
    }

    #[test]
    fn one_more_is_allowed() {
        let more = |folders: Folders| folders.and(Path::new("/var/lib/snapshots"));
        let some = more(Folders::below(vec!["/srv/images".into()]));
        some.check(Path::new("/var/lib/snapshots/a")).expect("it was added");
        some.check(Path::new("/srv/images")).expect("it was allowed before");
        some.check(Path::new("/var/lib")).expect_err("it is above");
        assert_eq!(more(Folders::default()), Folders::default(), "all are allowed anyhow");
    }

    #[test]
    fn a_folder_of_the_kernel_is_none_even_where_all_is_allowed() {
        let all = Folders::below(vec!["/".into()]);
        for path in ["/", "/proc/1/root", "/sys"] {
            all.check(Path::new(path)).expect_err(path);
            all.permit(Path::new(path)).expect_err(path);
        }
        all.check(Path::new("/srv")).expect("it is below");
        all.permit(Path::new("/srv")).expect("it is below");
    }
}
