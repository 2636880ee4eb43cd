//! The operating system as the actions meet it: what it is, which programs it has, and how they are run.

pub mod capture;
mod kernel;
mod tools;

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::ExitStatus,
};

pub use kernel::restart_pending;
pub use tools::{Ended, Stop, Tools, command};

use crate::inventory::system::os_release;

/// Where programs of the system are looked for, in this order. Not below `/usr/local`: what lies there is of no package,
/// and may bear the name of a package manager without being one.
const SEARCH_PATH: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// The files of an operating system: below `/` in life, below another folder in tests.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self::new("/")
    }
}

impl System {
    /// The system whose files are below `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where an absolute path of the system is.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether there is something at an absolute path of the system.
    #[must_use]
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// The text of a file; `None` when it cannot be read.
    #[must_use]
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        Some(String::from_utf8_lossy(&fs::read(self.path(path)).ok()?).into_owned())
    }

    /// The names in a folder, sorted; none when it cannot be read.
    #[must_use]
    pub fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The absolute path of a program of the system, if it has it.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let candidates = SEARCH_PATH.iter().map(|folder| Path::new(folder).join(name));
        candidates.into_iter().find(|path| {
            let metadata = fs::metadata(self.path(path));
            metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        })
    }

    /// Which distribution it is: its id, then those of the distributions it resembles (`ID`, `ID_LIKE` of os-release).
    #[must_use]
    pub fn distributions(&self) -> Vec<String> {
        let text = self.text("/etc/os-release").or_else(|| self.text("/usr/lib/os-release"));
        let text = text.unwrap_or_default();
        let release = os_release(&text);
        let value = |key| release.get(key).map_or("", String::as_str);
        let ids = value("ID").split_whitespace().chain(value("ID_LIKE").split_whitespace());
        ids.map(str::to_lowercase).collect()
    }
}

/// The exit code, or 128 and the number of the signal that ended the script, as shells say it.
#[must_use]
pub fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
