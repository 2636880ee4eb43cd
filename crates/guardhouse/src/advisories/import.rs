//! `guardhouse advisories import`

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use clap::Args;
use guardhouse_advisories::{
    Origin, Store,
    import::{Content, Request, Summary, import},
};
use guardhouse_model::{Environment, Timestamp};

use crate::{
    advisories::{StoreArgs, WAIT},
    output,
};

/// The longest name of a source, in bytes.
const LONGEST_NAME: usize = 64;

/// What ends the names of files and says nothing of what is in them.
const ENDINGS: [&str; 9] = [".json", ".jsonl", ".ndjson", ".zip", ".tar", ".tgz", ".gz", ".md", ".db"];

/// Read advisories from files.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files and folders; each is a source. What they are, their content tells.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// What to call the source. One of the same name is replaced. By default it is the name of the file without its
    /// endings.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    #[command(flatten)]
    store: StoreArgs,
}

impl ImportArgs {
    /// Imports one path after the other. One that fails does not stop those after it.
    ///
    /// # Errors
    /// The arguments contradict each other, or the store cannot be opened.
    pub fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        ensure!(
            self.name.is_none() || self.paths.len() == 1,
            "--name is for one path; import the others by themselves"
        );
        let mut store = Store::open(&self.store.path()?, WAIT)?;
        let mut exit = ExitCode::SUCCESS;
        for path in &self.paths {
            let imported = self.name.clone().map_or_else(|| name_of(path), Ok).and_then(|name| {
                let location = path.canonicalize().unwrap_or_else(|_| path.clone()).display().to_string();
                let origin = Origin { location, ..Origin::default() };
                let request = request(name, origin, environment.now())?;
                Ok(import(&mut store, &request, Content::Path(path.clone()))?)
            });
            match imported {
                Ok(summary) => show(&summary)?,
                Err(error) => {
                    output::report(&error.context(format!("{} was not imported", path.display())));
                    exit = ExitCode::FAILURE;
                }
            }
        }
        Ok(exit)
    }
}

/// What is to be imported, under a name that is fit for one.
///
/// # Errors
/// The name is empty, too long, or has other letters than a name may have.
pub fn request(name: String, origin: Origin, now: Timestamp) -> anyhow::Result<Request> {
    let is_fit = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    ensure!(
        !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_fit),
        "{name:?} is no name for a source; take 1 to {LONGEST_NAME} letters, digits, dots, hyphens and underscores (--name)"
    );
    Ok(Request { name, origin, now })
}

/// The name of a file without its endings.
fn name_of(path: &Path) -> anyhow::Result<String> {
    let whole = path.canonicalize().ok();
    let name = whole.as_deref().unwrap_or(path).file_name().and_then(|name| name.to_str());
    let mut name = name.context("it has no name that could be that of the source; give one with --name")?;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) {
        name = shorter;
    }
    Ok(name.to_owned())
}

/// Prints what was imported to standard output, and what could not be read to standard error.
///
/// # Errors
/// Standard output cannot be written.
pub fn show(summary: &Summary) -> anyhow::Result<()> {
    let source = &summary.source;
    let left_out: Vec<String> =
        summary.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    output::print(&output::sheet([
        ("source", source.name.clone()),
        ("format", source.format.clone()),
        ("advisories", source.advisories.to_string()),
        ("packages", source.packages.to_string()),
        ("ecosystems", source.ecosystems.join(", ")),
        ("left out", left_out.join("; ")),
        ("not readable", source.skipped.to_string()),
        ("newest change", source.newest.map(|time| time.to_string()).unwrap_or_default()),
    ]))?;
    for skipped in &summary.skipped {
        eprintln!("warning: left out: {}", output::printable(&skipped.to_string()));
    }
    let more = source.skipped.saturating_sub(summary.skipped.len() as u64);
    if more > 0 {
        eprintln!("warning: left out: {more} more");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_called_as_its_file() {
        for (path, expected) in [
            ("/mirror/go-osv.zip", "go-osv"),
            ("advisory-db.tar.gz", "advisory-db"),
            ("v3.20/main.json", "main"),
            ("/mirror/advisory-db/", "advisory-db"),
        ] {
            assert_eq!(name_of(Path::new(path)).expect(path), expected);
        }
        assert!(name_of(Path::new("/")).is_err());
    }

    #[test]
    fn names_are_plain() {
        let request = |name: &str| request(name.to_owned(), Origin::default(), Timestamp::UNIX_EPOCH);
        for name in ["debian", "go-osv", "v3.20_main"] {
            assert_eq!(request(name).expect(name).name, name);
        }
        for name in ["", "a b", "a\u{1b}", "../a", &"a".repeat(65)] {
            assert!(request(name).is_err(), "{name:?}");
        }
    }
}
