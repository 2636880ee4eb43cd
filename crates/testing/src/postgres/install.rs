//! Where PostgreSQL's programs are, and the account that they run as.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::geteuid;

/// Where Debian keeps the programs: a folder per major version, so that several can be installed.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The account that runs the server for root; the package makes it.
const ACCOUNT: &str = "postgres";

/// What to do when something is missing.
const ADVICE: &str =
    "install PostgreSQL 15 or newer (on Debian: apt-get install postgresql; scripts/test does it)";

/// The folder with `initdb` and `postgres`: Debian's newest, else that of the `initdb` in the search path.
///
/// # Panics
///
/// When PostgreSQL's server is not installed.
pub(super) fn programs() -> PathBuf {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let versions = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let newest = versions.filter(|(_, bin)| is_complete(bin)).max().map(|(_, bin)| bin);
    newest.or_else(in_search_path).unwrap_or_else(|| panic!("PostgreSQL's server is not installed: {ADVICE}"))
}

/// PostgreSQL's command-line client: the one beside the server where there is one, else that of the search path.
pub(super) fn psql() -> PathBuf {
    let beside = programs().join("psql");
    if beside.exists() { beside } else { PathBuf::from("psql") }
}

fn in_search_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let initdb = env::split_paths(&path).map(|folder| folder.join("initdb")).find(|file| file.exists())?;
    let bin = fs::canonicalize(initdb).ok()?.parent()?.to_owned();
    is_complete(&bin).then_some(bin)
}

fn is_complete(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("postgres").exists()
}

/// A command that runs `program` as the account of the server.
pub(super) fn as_account(program: impl AsRef<Path>) -> Command {
    let program = program.as_ref();
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // The other account may not see the folder that the tests run in, and the server would complain about it.
    command.current_dir("/");
    command
}

/// Runs a command to its end and answers what it wrote.
///
/// # Panics
///
/// When it fails.
pub(super) fn run(command: Command) -> String {
    try_run(command).unwrap_or_else(|failed| panic!("{failed}"))
}

/// Runs a command to its end and answers what it wrote, or how it failed.
pub(super) fn try_run(mut command: Command) -> Result<String, String> {
    let ended = command.output().map_err(|error| format!("{command:?} does not start: {error}; {ADVICE}"))?;
    if ended.status.success() {
        Ok(String::from_utf8_lossy(&ended.stdout).trim_end().to_owned())
    } else {
        let errors = String::from_utf8_lossy(&ended.stderr);
        Err(format!("{command:?} failed, {}: {errors}", ended.status))
    }
}
