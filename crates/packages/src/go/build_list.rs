//! The list of modules that a program of Go has in it, as text; `go version -m` shows it.

use crate::bytes::text;
use crate::format::Found;
use crate::package::{Kind, Origin, Package};

use super::{stamped, version};

/// Finds the modules of a list, and Go's library as the module `stdlib`, which is what Go's advisories call it. In Go's own
/// command, the module `toolchain`.
pub(crate) fn packages(go: &[u8], list: &[u8], found: &mut dyn FnMut(Found)) {
    let mut report = |name: String, version: String| {
        found(Found::Package(Package {
            kind: Kind::Golang,
            name,
            version,
            origin: Origin::Embedded,
            ..Package::default()
        }));
    };
    let go = text(go);
    if !go.is_empty() {
        let version = library_version(&go).unwrap_or_default();
        // The command `go` stands for the tools of Go, which have advisories of their own.
        if list.split(|byte| *byte == b'\n').any(|line| line == b"path\tcmd/go") {
            report("toolchain".to_owned(), version.clone());
        }
        report("stdlib".to_owned(), version);
    }
    let flags = list.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"build\t-ldflags="));
    let flags = flags.map(text).unwrap_or_default();
    let mut last: Option<(String, String)> = None;
    for line in list.split(|byte| *byte == b'\n') {
        let mut columns = line.split(|byte| *byte == b'\t').map(text);
        let (what, name) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
        let told = version(&columns.next().unwrap_or_default());
        match what.as_str() {
            "mod" | "dep" if !name.is_empty() => {
                let version = match told_version(told) {
                    version if version.is_empty() && what == "mod" => {
                        stamped::version(&name, &flags).unwrap_or_default()
                    }
                    version => version,
                };
                last.replace((name, version)).into_iter().for_each(|(name, version)| report(name, version));
            }
            // What was built instead of the module in the line before. A folder has no version: it is that module,
            // changed by somebody.
            "=>" if !name.is_empty() => {
                if let Some(replaced) = &mut last {
                    match told_version(told) {
                        version if version.is_empty() => replaced.1.clear(),
                        version => *replaced = (name, version),
                    }
                }
            }
            _ => {}
        }
    }
    last.into_iter().for_each(|(name, version)| report(name, version));
}

/// Go writes `(devel)` for what was not built from a version.
fn told_version(told: String) -> String {
    if told == "(devel)" { String::new() } else { told }
}

/// The version of Go as a semantic version, which is how advisories write it: `go1.21rc2` is `1.21.0-rc.2`. `None` for
/// what is not a version, `devel go1.22-1a2b3c`. What distributors add is left out.
fn library_version(go: &str) -> Option<String> {
    let numbers = go.strip_prefix("go")?;
    let end = numbers.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(numbers.len());
    let (numbers, rest) = numbers.split_at_checked(end)?;
    let mut parts = numbers.trim_end_matches('.').splitn(3, '.');
    let (major, minor, patch) = (parts.next()?, parts.next().unwrap_or("0"), parts.next().unwrap_or("0"));
    if major.is_empty() {
        return None;
    }
    let release = ["beta", "rc"].iter().find_map(|stage| {
        let after = rest.strip_prefix(stage)?;
        let digits = after.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(after.len());
        Some(format!("-{stage}.{}", after.get(..digits).filter(|digits| !digits.is_empty())?))
    });
    Some(format!("{major}.{minor}.{patch}{}", release.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
