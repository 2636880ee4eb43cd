//! Language packages that the system's own package manager installed.
//!
//! A distribution mends such a package without a new upstream version: Debian's `python3-cryptography 38.0.4-3+deb12u1`
//! says `38.0.4` in its metadata, fixed or not. Compared with upstream's advisories, it would be found for good. The
//! advisories of the distribution know which build is fixed, and they are compared with the package of the system.

use guardhouse_packages::{Kind, Package};

use crate::finding::Suppression;

/// Folders that only dpkg writes to, by Debian's policies for the languages: pip, gem and npm have folders of their own
/// below `/usr/local` and `/var/lib/gems`. A `*` stands for one name or a part of it.
const DPKG: [&str; 19] = [
    "/usr/lib/python2*/dist-packages",
    "/usr/lib/python3*/dist-packages",
    "/usr/lib/pypy*/dist-packages",
    "/usr/share/python-wheels",
    "/usr/share/python3-wheels",
    "/usr/share/rubygems-integration",
    "/usr/lib/*/rubygems-integration",
    "/usr/lib/ruby/gems",
    "/usr/lib/ruby/vendor_ruby",
    "/usr/share/nodejs",
    "/usr/lib/nodejs",
    "/usr/lib/*/nodejs",
    "/usr/share/javascript",
    "/usr/share/php",
    "/usr/share/java",
    "/usr/share/maven",
    "/usr/share/maven-repo",
    "/usr/share/cargo/registry",
    "/usr/share/gocode",
];

/// Folders that only rpm writes to, by Fedora's guidelines: its pip, gem and npm write below `/usr/local`. Python 2's
/// folder and npm's are not among them: there, the tools of some systems wrote to the folder of the packages.
const RPM: [&str; 13] = [
    "/usr/lib/python3.*/site-packages",
    "/usr/lib64/python3.*/site-packages",
    "/usr/share/python-wheels",
    "/usr/share/python3-wheels",
    "/usr/share/gems",
    "/usr/lib64/gems",
    "/usr/share/php",
    "/usr/share/java",
    "/usr/lib/java",
    "/usr/share/maven-poms",
    "/usr/share/maven-metadata",
    "/usr/share/cargo/registry",
    "/usr/share/gocode",
];

/// Why upstream's advisories do not tell of a package: it is one of a language in a folder that only the package manager
/// of the system writes to. `None` when they do.
///
/// `path` is the file that names the package; `managers` are the kinds of the system's own packages. Alpine's has no
/// folders of its own: its pip installs to where its packages are.
#[must_use]
pub fn suppression(managers: &[Kind], package: &Package, path: &str) -> Option<Suppression> {
    if package.kind.is_system() {
        return None;
    }
    let (by, folder) = managers.iter().find_map(|manager| {
        let (by, folders): (_, &[&str]) = match manager {
            Kind::Deb => ("dpkg", &DPKG),
            Kind::Rpm => ("rpm", &RPM),
            _ => return None,
        };
        folders.iter().find_map(|folder| Some((by, within(path, folder)?)))
    })?;
    Some(Suppression {
        by: by.to_owned(),
        status: "not_affected".to_owned(),
        reason: format!(
            "{by} installs what is in {folder}: the distribution mends it without a new upstream version, and its \
             advisories about the system's package decide"
        ),
    })
}

/// The folder that fits a pattern and has the file in it or below.
fn within<'a>(path: &'a str, pattern: &str) -> Option<&'a str> {
    let mut length = 0;
    let mut names = path.split('/');
    for wanted in pattern.split('/') {
        let name = names.next()?;
        let fits = match wanted.split_once('*') {
            Some((start, end)) => {
                !name.is_empty() && name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
            }
            None => name == wanted,
        };
        if !fits {
            return None;
        }
        length += name.len() + 1;
    }
    names.next()?;
    path.get(..length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(managers: &[Kind], kind: Kind, path: &str) -> Option<String> {
        let package = Package { kind, ..Package::default() };
        suppression(managers, &package, path).map(|suppression| suppression.by)
    }

    #[test]
    fn the_folders_of_the_package_manager_are_the_distributions() {
        for (manager, kind, path) in [
            (Kind::Deb, Kind::Pypi, "/usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO"),
            (Kind::Deb, Kind::Pypi, "/usr/lib/python3.11/dist-packages/a.dist-info/METADATA"),
            (Kind::Deb, Kind::Pypi, "/usr/lib/python2.7/dist-packages/six-1.16.0.egg-info"),
            (Kind::Deb, Kind::Pypi, "/usr/share/python-wheels/pip-23.0.1-py3-none-any.whl"),
            (Kind::Deb, Kind::Gem, "/usr/share/rubygems-integration/all/specifications/rake-13.0.6.gemspec"),
            (
                Kind::Deb,
                Kind::Gem,
                "/usr/lib/x86_64-linux-gnu/rubygems-integration/3.1.0/specifications/a.gemspec",
            ),
            (Kind::Deb, Kind::Gem, "/usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec"),
            (Kind::Deb, Kind::Npm, "/usr/share/nodejs/semver/package.json"),
            (Kind::Deb, Kind::Composer, "/usr/share/php/Composer/installed.json"),
            (Kind::Deb, Kind::Maven, "/usr/share/java/log4j-core.jar"),
            (Kind::Rpm, Kind::Pypi, "/usr/lib/python3.9/site-packages/idna-2.10.dist-info/METADATA"),
            (Kind::Rpm, Kind::Pypi, "/usr/lib64/python3.12/site-packages/PyYAML-6.0.egg-info/PKG-INFO"),
            (Kind::Rpm, Kind::Gem, "/usr/share/gems/specifications/default/json-2.6.1.gemspec"),
            (Kind::Rpm, Kind::Maven, "/usr/share/java/log4j/log4j-core.jar"),
        ] {
            let expected = if manager == Kind::Deb { "dpkg" } else { "rpm" };
            assert_eq!(by(&[manager], kind, path).as_deref(), Some(expected), "{path}");
            assert_eq!(by(&[], kind, path), None, "without a package database: {path}");
            assert_eq!(by(&[Kind::Apk], kind, path), None, "Alpine: {path}");
            assert_eq!(by(&[manager], kind, &format!("/srv/root{path}")), None, "elsewhere: {path}");
        }
    }

    #[test]
    fn other_folders_are_the_users() {
        for (kind, path) in [
            (Kind::Pypi, "/usr/local/lib/python3.11/dist-packages/six-1.16.0.dist-info/METADATA"),
            (Kind::Pypi, "/usr/local/lib/python3.9/site-packages/six-1.16.0.dist-info/METADATA"),
            (Kind::Pypi, "/usr/lib/python2.7/site-packages/six-1.16.0.dist-info/METADATA"),
            (Kind::Pypi, "/usr/lib/python3/dist-packages-of-mine/six-1.16.0.dist-info/METADATA"),
            (Kind::Pypi, "/usr/lib/python3/dist-packages"),
            (Kind::Pypi, "/opt/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA"),
            (Kind::Gem, "/var/lib/gems/3.1.0/specifications/rack-2.0.0.gemspec"),
            (Kind::Npm, "/usr/lib/node_modules/npm/package.json"),
            (Kind::Npm, "/usr/local/lib/node_modules/npm/package.json"),
            (Kind::Golang, "/usr/bin/containerd"),
            (Kind::Maven, "/srv/app.jar"),
            (Kind::Npm, ""),
        ] {
            assert_eq!(by(&[Kind::Deb, Kind::Rpm], kind, path), None, "{path}");
        }
    }

    #[test]
    fn the_packages_of_the_system_are_compared() {
        assert_eq!(by(&[Kind::Deb], Kind::Deb, "/usr/share/java/status"), None);
    }

    #[test]
    fn the_reason_names_the_folder() {
        let package = Package { kind: Kind::Pypi, ..Package::default() };
        let path = "/usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO";
        let suppression = suppression(&[Kind::Deb], &package, path).expect("it is Debian's");
        assert_eq!(suppression.status, "not_affected");
        assert!(suppression.reason.starts_with("dpkg installs what is in /usr/lib/python3/dist-packages: "));
    }
}
