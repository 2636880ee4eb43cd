//! Where the store of advisories is: the same argument for every command that works on it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

/// Where the store of advisories is.
#[derive(Debug, Clone, Default, Args)]
pub struct StoreArgs {
    /// File with the known vulnerabilities. By default it is guardhouse/advisories.db in $XDG_DATA_HOME, or in
    /// ~/.local/share.
    #[arg(long, value_name = "FILE", env = "GUARDHOUSE_ADVISORIES")]
    advisories: Option<PathBuf>,
}

impl StoreArgs {
    /// Whether somebody named the file.
    pub fn is_named(&self) -> bool {
        self.advisories.is_some()
    }

    /// The file.
    ///
    /// # Errors
    /// It was not named, and there is no home folder to find it in.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        let standard = || standard(folder_in("XDG_DATA_HOME"), folder_in("HOME"));
        self.advisories
            .clone()
            .or_else(standard)
            .context("neither XDG_DATA_HOME nor HOME names a folder; name the store with --advisories FILE")
    }
}

/// The folder that an environment variable names; relative ones do not count, as the XDG specification says.
pub(super) fn folder_in(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn standard(data_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let data_home = data_home.or_else(|| Some(home?.join(".local/share")))?;
    Some(data_home.join("guardhouse/advisories.db"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_among_the_data_of_the_user() {
        let path = |text: &str| Some(PathBuf::from(text));
        for (data_home, home, expected) in [
            (path("/data"), path("/home/ann"), path("/data/guardhouse/advisories.db")),
            (None, path("/home/ann"), path("/home/ann/.local/share/guardhouse/advisories.db")),
            (None, None, None),
        ] {
            assert_eq!(standard(data_home, home), expected);
        }
    }
}
