//! Package URLs (<https://github.com/package-url/purl-spec>), and whether a package is the one that is meant.

use std::collections::BTreeMap;

use guardhouse_packages::{Kind, Package};

use crate::ecosystem;

/// A package URL: `pkg:deb/debian/openssl@3.0.11-1?arch=amd64`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageUrl {
    kind: String,
    namespace: String,
    name: String,
    /// Empty: every version.
    version: String,
    qualifiers: BTreeMap<String, String>,
}

/// The namespaces of distributions, by the first part of their ecosystems.
const NAMESPACES: [(&str, &str); 21] = [
    ("debian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("alpine", "Alpine"),
    ("wolfi", "Wolfi"),
    ("chainguard", "Chainguard"),
    ("redhat", "Red Hat"),
    ("rhel", "Red Hat"),
    ("rocky", "Rocky Linux"),
    ("rocky-linux", "Rocky Linux"),
    ("rockylinux", "Rocky Linux"),
    ("almalinux", "AlmaLinux"),
    ("fedora", "Fedora"),
    ("oracle", "Oracle Linux"),
    ("oraclelinux", "Oracle Linux"),
    ("amazon", "Amazon Linux"),
    ("amzn", "Amazon Linux"),
    ("suse", "SUSE"),
    ("opensuse", "openSUSE"),
    ("azurelinux", "Azure Linux"),
    ("mageia", "Mageia"),
    ("openeuler", "openEuler"),
];

impl PackageUrl {
    /// Reads a package URL; `None` for what is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next()?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, path) = path.split_once('/')?;
        let (namespace, last) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        // A scope may stand there with its @ as it is.
        let (name, version) = match last.rfind('@') {
            Some(at) if at > 0 => (last.get(..at)?, last.get(at.saturating_add(1)..)?),
            _ => (last, ""),
        };
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_ascii_lowercase(), decoded(value)?))
        };
        let purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: decoded(namespace)?,
            name: decoded(name)?,
            version: decoded(version)?,
            qualifiers: qualifiers.split('&').filter_map(pair).collect(),
        };
        (!purl.kind.is_empty() && !purl.name.is_empty()).then_some(purl)
    }

    /// The same package in one version.
    #[must_use]
    pub fn with_version(self, version: &str) -> Self {
        Self { version: version.to_owned(), ..self }
    }

    /// Whether it is of a single version.
    #[must_use]
    pub fn has_version(&self) -> bool {
        !self.version.is_empty()
    }

    /// Whether it is a package of a system's package manager.
    #[must_use]
    pub fn is_of_a_system(&self) -> bool {
        matches!(self.kind.as_str(), "deb" | "rpm" | "apk")
    }

    /// Whether it means this package, or what it was built from: `built_from` is the name that an advisory is about
    /// where that is not the package's own, and `system` the ecosystem of the system that it is on. What the URL does
    /// not tell may be anything; what it tells has to be so.
    #[must_use]
    pub fn is(&self, package: &Package, built_from: &str, system: &str) -> bool {
        // A range of versions (`vers=…`) is narrower than what is compared here.
        if self.kind != package.kind.as_str() || !self.qualifier("vers").is_empty() {
            return false;
        }
        if !package.kind.is_system() {
            return self.is_name(package) && self.is_version(package.kind, &package.version);
        }
        if !self.is_system(system) {
            return false;
        }
        let architecture = self.qualifier("arch");
        let of_source = matches!(architecture, "source" | "src");
        let fits = of_source
            || matches!(architecture, "" | "all" | "any" | "noarch")
            || package.architecture.is_empty()
            || architecture == package.architecture;
        let is_own =
            !of_source && self.name == package.name && self.is_version(package.kind, &package.version);
        let source = package.source.as_ref();
        let source_name =
            source.map_or(if of_source { package.name.as_str() } else { built_from }, |source| &source.name);
        let source_version = source.map_or("", |source| source.version.as_str());
        let source_version =
            if source_version.is_empty() { package.version.as_str() } else { source_version };
        let is_source = self.name == source_name && self.is_version(package.kind, source_version);
        fits && (is_own || is_source)
    }

    fn is_name(&self, package: &Package) -> bool {
        let whole = match (package.kind, self.namespace.as_str()) {
            (_, "") => self.name.clone(),
            (Kind::Maven, namespace) => format!("{namespace}:{}", self.name),
            (_, namespace) => format!("{namespace}/{}", self.name),
        };
        // The specification has these in small letters.
        if package.kind == Kind::Golang {
            return whole.eq_ignore_ascii_case(&package.name);
        }
        let normal = |name| ecosystem::normalised_name(package.kind, name).into_owned();
        normal(whole.as_str()) == normal(package.name.as_str())
    }

    fn is_version(&self, kind: Kind, version: &str) -> bool {
        if self.version.is_empty() {
            return true;
        }
        match kind {
            Kind::Golang => self.version.trim_start_matches('v') == version.trim_start_matches('v'),
            // The epoch of an rpm is told apart from its version.
            Kind::Rpm if !self.version.contains(':') => {
                let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
                let told = self.qualifier("epoch");
                rest == self.version && (told.is_empty() || told == epoch)
            }
            _ => self.version == version,
        }
    }

    /// Whether the namespace and the distribution are those of a system.
    fn is_system(&self, system: &str) -> bool {
        let namespace = self.namespace.to_ascii_lowercase();
        let base = ecosystem::base(system);
        let known = NAMESPACES.iter().find(|(name, _)| *name == namespace);
        if !namespace.is_empty() && known.is_none_or(|(_, of)| *of != base) {
            return false;
        }
        let distro = self.qualifier("distro");
        if distro.is_empty() {
            return true;
        }
        if ecosystem::debian(distro).is_some_and(|of| of == system) {
            return true;
        }
        // `debian-12`, `alpine-3.20.1`, `el9`, `rocky-linux-9`: the number decides, as far as the ecosystem tells it.
        let release = |text: &str| {
            let begin = text.find(|letter: char| letter.is_ascii_digit())?;
            let digits = text.get(begin..)?;
            let end = digits.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
            digits.get(..end.unwrap_or(digits.len())).map(str::to_owned)
        };
        match (release(distro), release(system)) {
            (Some(told), Some(own)) => {
                told == own || told.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('.'))
            }
            (None, None) => true,
            _ => false,
        }
    }

    fn qualifier(&self, name: &str) -> &str {
        self.qualifiers.get(name).map_or("", String::as_str)
    }
}

/// A text without its percent signs; `None` when what comes of them is not UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use guardhouse_packages::SourcePackage;

    use super::*;

    fn package(kind: Kind, name: &str, version: &str, source: Option<(&str, &str)>) -> Package {
        let source = source
            .map(|(name, version)| SourcePackage { name: name.to_owned(), version: version.to_owned() });
        let architecture = if kind.is_system() { "amd64" } else { "" }.to_owned();
        Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            architecture,
            source,
            ..Package::default()
        }
    }

    #[test]
    fn a_url_means_the_package_that_it_describes() {
        let libssl = package(Kind::Deb, "libssl3", "3.0.11-1~deb12u2", Some(("openssl", "3.0.11-1~deb12u2")));
        let kernel = package(Kind::Rpm, "kernel-core", "0:5.14.0-1.el9", Some(("kernel", "5.14.0-1.el9")));
        let core = package(Kind::Npm, "@babel/core", "7.0.0", None);
        let gin = package(Kind::Golang, "github.com/Gin-Gonic/gin", "1.9.0", None);
        let log4j = package(Kind::Maven, "org.apache.logging.log4j:log4j-core", "2.14.0", None);
        let zope = package(Kind::Pypi, "zope-interface", "5.0", None);
        let on = "Debian:12";
        let el = "Red Hat:enterprise_linux:9";
        for (url, package, system, expected) in [
            ("pkg:deb/debian/libssl3", &libssl, on, true),
            ("pkg:deb/debian/openssl", &libssl, on, true),
            ("pkg:deb/debian/openssl?arch=source", &libssl, on, true),
            ("pkg:deb/debian/libssl3?arch=source", &libssl, on, false),
            ("pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12", &libssl, on, true),
            ("pkg:deb/debian/libssl3@3.0.11-1%7Edeb12u2", &libssl, on, true),
            ("pkg:deb/debian/libssl3@3.0.9-1", &libssl, on, false),
            ("pkg:deb/debian/libssl3?arch=arm64", &libssl, on, false),
            ("pkg:deb/debian/libssl3?distro=bookworm", &libssl, on, true),
            ("pkg:deb/debian/libssl3?vers=vers:deb/%3C3", &libssl, on, false),
            ("pkg:deb/debian/libssl3?distro=debian-12.5", &libssl, on, true),
            ("pkg:deb/debian/libssl3?distro=debian-11", &libssl, on, false),
            ("pkg:deb/debian/libssl3?distro=trixie", &libssl, on, false),
            ("pkg:deb/ubuntu/libssl3", &libssl, on, false),
            ("pkg:deb/unheard-of/libssl3", &libssl, on, false),
            ("pkg:deb/libssl3", &libssl, on, true),
            ("pkg:rpm/redhat/kernel-core@5.14.0-1.el9?epoch=0", &kernel, el, true),
            ("pkg:rpm/redhat/kernel-core@5.14.0-1.el9?epoch=1", &kernel, el, false),
            ("pkg:rpm/redhat/kernel@5.14.0-1.el9?arch=src", &kernel, el, true),
            ("pkg:npm/%40babel/core@7.0.0", &core, on, true),
            ("pkg:npm/@babel/core@7.0.0", &core, "", true),
            ("pkg:npm/@babel/core", &core, "", true),
            ("pkg:npm/core", &core, "", false),
            ("pkg:golang/github.com/gin-gonic/gin@v1.9.0", &gin, "", true),
            ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0", &log4j, "", true),
            ("pkg:pypi/Zope.Interface", &zope, "", true),
        ] {
            let purl = PackageUrl::parse(url).expect(url);
            assert_eq!(purl.is(package, "", system), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_package_url_is_told_apart() {
        for text in [
            "",
            "pkg:",
            "pkg:deb",
            "pkg:deb/",
            "openssl",
            "https://example.com/a",
            "pkg:deb/a%fe%ff",
            "pkg:npm/a%4",
        ] {
            assert_eq!(PackageUrl::parse(text), None, "{text}");
        }
    }
}
