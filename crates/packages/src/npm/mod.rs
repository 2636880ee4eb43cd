//! JavaScript: what npm, Yarn, pnpm and Bun wrote down, and what lies in `node_modules`.
//!
//! A package that is a folder of the project itself (a workspace, a link, `file:` with a folder) is left out: no registry
//! and no advisory knows it. One from Git or from a URL is told with the version of its own manifest, or with an empty
//! one where the lock file has none.

mod block_yaml;
mod bun;
mod package_json;
mod package_lock;
mod pnpm;
mod yarn;

use crate::{Class, Format};

/// The formats of JavaScript.
pub const FORMATS: &[Format] = &[
    Format {
        name: "package-lock.json",
        class: Class::Language,
        claims: |claim| {
            (claim.path.ends_with(b"/package-lock.json") || claim.path.ends_with(b"/npm-shrinkwrap.json"))
                && !in_installed_package(claim.path)
        },
        read: package_lock::read,
    },
    Format {
        name: "node-modules-lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/node_modules/.package-lock.json"),
        read: package_lock::read_installed,
    },
    Format {
        name: "package.json",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/package.json") && package_json::is_installed(claim.path),
        read: package_json::read,
    },
    Format {
        name: "yarn.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/yarn.lock") && !in_installed_package(claim.path),
        read: yarn::read,
    },
    Format {
        name: "pnpm-lock.yaml",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/pnpm-lock.yaml") && !in_installed_package(claim.path),
        read: pnpm::read,
    },
    Format {
        name: "bun.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/bun.lock") && !in_installed_package(claim.path),
        read: bun::read,
    },
];

/// A lock file that was published with a package says what its developers used. What a package really uses is installed
/// beside it and found there.
fn in_installed_package(path: &[u8]) -> bool {
    path.windows(b"/node_modules/".len()).any(|part| part == b"/node_modules/")
}

/// Name and range of `name@range`, where the name may begin with the `@` of a scope.
fn split_descriptor(text: &str) -> Option<(&str, &str)> {
    let at = text.char_indices().skip(1).find(|(_, character)| *character == '@')?.0;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What a lock file gives as the place of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    /// A version in a registry.
    Registry(&'a str),
    /// A version of a package in a registry, under another name: `npm:name@1.2.3`.
    Alias(&'a str, &'a str),
    /// A folder of the project.
    Folder,
    /// Git, a URL, an archive.
    Elsewhere,
}

/// What a version, range or protocol of a lock file says: `1.2.3`, `npm:a@1.2.3`, `file:../a`, `git+ssh://…`.
fn place(text: &str) -> Place<'_> {
    if let Some(rest) = text.strip_prefix("npm:") {
        return match split_descriptor(rest) {
            Some((name, version)) => Place::Alias(name, version),
            None => Place::Registry(rest),
        };
    }
    if text.starts_with("link:") || text.starts_with("portal:") || text.starts_with("workspace:") {
        return Place::Folder;
    }
    if let Some(file) = text.strip_prefix("file:") {
        let file = file.split(['#', ':']).next().unwrap_or_default();
        let archive = [".tgz", ".tar.gz", ".tar"].iter().any(|end| file.ends_with(end));
        return if archive { Place::Elsewhere } else { Place::Folder };
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains(['/', ':']) {
        return Place::Registry(text);
    }
    Place::Elsewhere
}

#[cfg(test)]
mod tests {
    use super::{Place, place, split_descriptor};

    #[test]
    fn places() {
        for (text, expected) in [
            ("1.2.3", Place::Registry("1.2.3")),
            ("npm:1.2.3", Place::Registry("1.2.3")),
            ("npm:a@1.2.3", Place::Alias("a", "1.2.3")),
            ("npm:@s/a@1.2.3-b", Place::Alias("@s/a", "1.2.3-b")),
            ("file:packages/a", Place::Folder),
            ("file:a-1.0.0.tgz", Place::Elsewhere),
            ("link:../a", Place::Folder),
            ("workspace:.", Place::Folder),
            ("portal:/a", Place::Folder),
            ("git+ssh://git@example.org/a.git#0123", Place::Elsewhere),
            ("github:a/b#0123", Place::Elsewhere),
            ("0123abc/def", Place::Elsewhere),
            ("", Place::Elsewhere),
        ] {
            assert_eq!(place(text), expected, "{text}");
        }
    }

    #[test]
    fn a_scope_is_part_of_the_name() {
        assert_eq!(split_descriptor("a@^1"), Some(("a", "^1")));
        assert_eq!(split_descriptor("@s/a@npm:^1"), Some(("@s/a", "npm:^1")));
        assert_eq!(split_descriptor("@s/a"), None);
        assert_eq!(split_descriptor(""), None);
        assert_eq!(split_descriptor("ä@1"), Some(("ä", "1")));
    }
}
