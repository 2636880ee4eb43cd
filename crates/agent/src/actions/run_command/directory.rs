//! Where a script runs.
//!
//! A name says where a directory is at the moment; links on the way to it may be set anew a moment later. So the
//! directory is held by a descriptor first, the kernel says where the held one really is, and the script runs in the
//! held one: in the directory that was judged, or nowhere.

use std::{
    fs, io,
    os::fd::{AsRawFd as _, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, open};

use crate::outcome::Failure;

/// Where a script runs that names no directory.
const DEFAULT: &str = "/tmp";

/// A directory in which a script may run.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

impl Directory {
    /// Holds the directory that a script names (empty: none), if it is in or below one of the `allowed` ones (empty:
    /// all are).
    pub(super) fn open(named: &str, allowed: &[PathBuf]) -> Result<Self, Failure> {
        let path = match named {
            "" => allowed.first().map_or(Path::new(DEFAULT), PathBuf::as_path),
            named => Path::new(named),
        };
        let missing = |error: io::Error| {
            let reason = format!("the working directory {path:?} cannot be used on the device: {error}");
            Failure::new("WORKING_DIRECTORY_MISSING", reason)
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let held = Self(open(path, flags, Mode::empty()).map_err(|error| missing(error.into()))?);
        if !allowed.is_empty() {
            let real = fs::read_link(held.path()).map_err(missing)?;
            // Those that do not exist allow nothing.
            let mut roots = allowed.iter().filter_map(|directory| fs::canonicalize(directory).ok());
            if !roots.any(|root| real.starts_with(root)) {
                return Err(Failure::forbidden(refusal(path, &real, allowed)));
            }
        }
        Ok(held)
    }

    /// A name by which this process, and what it starts before it executes another program, finds the directory.
    pub(super) fn path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}

fn refusal(path: &Path, real: &Path, allowed: &[PathBuf]) -> String {
    let place = if path == real { format!("{path:?}") } else { format!("{path:?}, which is {real:?}") };
    let allowed: Vec<String> = allowed.iter().map(|directory| format!("{directory:?}")).collect();
    format!(
        "the policy of the device allows scripts in and below {} only, not in {place} (runCommand.directories)",
        allowed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::outcome::FORBIDDEN_BY_POLICY;

    #[test]
    fn links_and_dots_do_not_lead_out() {
        let place = tempfile::tempdir().expect("a folder");
        let place = place.path().canonicalize().expect("a path");
        let at = |name: &str| place.join(name).to_str().expect("text").to_owned();
        for name in ["in/below", "inner", "out"] {
            fs::create_dir_all(at(name)).expect("made");
        }
        symlink(at("out"), at("in/leads-out")).expect("linked");
        symlink(at("in/below"), at("leads-in")).expect("linked");
        symlink(at("in"), at("alias")).expect("linked");
        fs::write(at("in/file"), "").expect("written");

        let (within, both) = (vec![at("in").into()], vec![at("missing").into(), at("alias").into()]);
        let table: [(&str, &Vec<PathBuf>, Result<&str, &str>); 12] = [
            (&at("in"), &within, Ok("in")),
            (&at("in/below"), &within, Ok("in/below")),
            (&at("out/../in/below"), &within, Ok("in/below")),
            (&at("leads-in"), &within, Ok("in/below")),
            ("", &within, Ok("in")),
            (&at("in/below"), &both, Ok("in/below")),
            (&at("inner"), &within, Err(FORBIDDEN_BY_POLICY)),
            (&at("in/.."), &within, Err(FORBIDDEN_BY_POLICY)),
            (&at("in/leads-out"), &within, Err(FORBIDDEN_BY_POLICY)),
            ("/", &within, Err(FORBIDDEN_BY_POLICY)),
            (&at("in/file"), &within, Err("WORKING_DIRECTORY_MISSING")),
            ("", &both, Err("WORKING_DIRECTORY_MISSING")),
        ];
        for (named, allowed, expected) in table {
            let found =
                Directory::open(named, allowed).map(|held| fs::read_link(held.path()).expect("a link"));
            let found = found.map_err(|failure| failure.code);
            assert_eq!(found, expected.map(|name| place.join(name)), "{named:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_allowed_and_where_a_link_leads() {
        let failure = Directory::open("/proc/self/cwd/..", &["/allowed".into()]).expect_err("elsewhere");
        assert!(failure.suppressed);
        for part in ["\"/allowed\"", "\"/proc/self/cwd/..\", which is", "runCommand.directories"] {
            assert!(failure.reason.contains(part), "{}", failure.reason);
        }
    }
}
