//! What `apt-cache policy` says: which repositories there are, and which versions each has of a package.

use std::collections::BTreeMap;

use crate::actions::system_update::manager::{Available, Installed};

/// What the release file of a repository says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    suite: String,
    codename: String,
    label: String,
}

impl Source {
    /// Whether updates of this repository close holes. Debian labels its security archive; Ubuntu and its extended
    /// maintenance name the suite (`noble-security`, `jammy-infra-security`), as Debian has done since version 11.
    pub(super) fn is_security(&self) -> bool {
        let named = |name: &str| name.ends_with("-security");
        self.label == "Debian-Security" || named(&self.suite) || named(&self.codename)
    }
}

/// The repositories by the words with which the tables of packages name them.
pub(super) type Sources = BTreeMap<String, Source>;

/// Reads `apt-cache policy` without names of packages.
pub(super) fn sources(text: &str) -> Sources {
    let mut sources = Sources::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(release) = line.strip_prefix("release ") {
            let field = |key: &str| {
                let value = release.split(',').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
                value.unwrap_or_default().to_owned()
            };
            let source = Source { suite: field("a"), codename: field("n"), label: field("l") };
            sources.insert(current.clone(), source);
        } else if let Some((priority, place)) = line.split_once(' ')
            && priority.parse::<i64>().is_ok()
        {
            current = place.trim().to_owned();
        }
    }
    sources
}

/// Reads `apt-cache policy NAME…`: the packages for which apt has something newer than what is installed. An update
/// closes a hole when any version above the installed one comes from a security archive: newer ones contain it.
pub(super) fn updates(text: &str, sources: &Sources, installed: &Installed) -> Vec<Available> {
    let mut updates = Vec::new();
    let (mut name, mut candidate, mut security, mut newer, mut offered) = ("", "", false, false, false);
    for line in text.lines() {
        if !line.starts_with(' ') {
            name = line.trim_end_matches(':');
            (candidate, security, newer, offered) = ("", false, false, false);
        } else if let Some(version) = line.strip_prefix("  Candidate: ") {
            candidate = version;
        } else if line == "  Version table:" {
            // The table goes from the newest version to the oldest.
            newer = true;
        } else if line.starts_with(" *** ") {
            if newer && offered && installed.contains_key(name) {
                let (name, version) = (name.to_owned(), candidate.to_owned());
                updates.push(Available { name, version, security, kept_back: None });
            }
            newer = false;
        } else if newer {
            let line = line.trim();
            let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
            offered |= first == candidate;
            security |= sources.get(rest.trim()).is_some_and(Source::is_security);
        }
    }
    updates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::system_update::manager::Versions;

    /// As apt 2.6 wrote it, with addresses of Debian and of Ubuntu.
    const SOURCES: &str = "\
Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin deb.debian.org
 500 http://deb.debian.org/debian bookworm/main amd64 Packages
     release v=12.11,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64
     origin deb.debian.org
 510 https://esm.ubuntu.com/infra/ubuntu focal-infra-security/main amd64 Packages
     release v=20.04,o=UbuntuESM,a=focal-infra-security,n=focal,l=UbuntuESM,c=main,b=amd64
Pinned packages:
     libc6 -> 2.36-9 with priority 990
";

    const TABLES: &str = "\
both:
  Installed: 1
  Candidate: 3
  Version table:
     3 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
     2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 1 100
        100 /var/lib/dpkg/status
optional:
  Installed: 1
  Candidate: 2
  Version table:
     2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 1 100
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
        100 /var/lib/dpkg/status
pinned:
  Installed: 1
  Candidate: 1
  Version table:
     2 -1
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
 *** 1 100
        100 /var/lib/dpkg/status
esm:
  Installed: 1
  Candidate: 1+esm1
  Version table:
     1+esm1 510
        510 https://esm.ubuntu.com/infra/ubuntu focal-infra-security/main amd64 Packages
 *** 1 100
        100 /var/lib/dpkg/status
downgrade:
  Installed: 3
  Candidate: 2
  Version table:
 *** 3 100
        100 /var/lib/dpkg/status
     2 1001
       1001 http://deb.debian.org/debian bookworm/main amd64 Packages
libc6:i386:
  Installed: 1
  Candidate: 2
  Version table:
     2 500
        500 http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
 *** 1 100
        100 /var/lib/dpkg/status
not-here:
  Installed: (none)
  Candidate: 2
  Version table:
     2 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
";

    #[test]
    fn newer_versions_and_where_they_come_from() {
        let sources = sources(SOURCES);
        let security: Vec<_> = sources.iter().filter(|(_, source)| source.is_security()).collect();
        assert_eq!(security.len(), 2, "{security:?}");
        let names = ["both", "optional", "pinned", "esm", "downgrade", "libc6:i386"];
        let installed = names.iter().map(|name| ((*name).to_owned(), Versions::default())).collect();
        let found = updates(TABLES, &sources, &installed);
        let found: Vec<_> = found
            .iter()
            .map(|update| (update.name.as_str(), update.version.as_str(), update.security))
            .collect();
        let expected = [
            ("both", "3", true),
            ("optional", "2", false),
            ("esm", "1+esm1", true),
            ("libc6:i386", "2", true),
        ];
        assert_eq!(found, expected);
    }
}
