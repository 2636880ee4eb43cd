//! Whose advisories fit what: the ecosystems of the OSV format, the names in them, and the systems that they are for.

use std::borrow::Cow;

use guardhouse_packages::Kind;

/// Ecosystems that are compared with, by the part of their name before the first colon.
const ECOSYSTEMS: [(&str, Kind); 29] = [
    ("Debian", Kind::Deb),
    ("Ubuntu", Kind::Deb),
    ("Echo", Kind::Deb),
    ("Alpine", Kind::Apk),
    ("Alpaquita", Kind::Apk),
    ("Chainguard", Kind::Apk),
    ("MinimOS", Kind::Apk),
    ("Wolfi", Kind::Apk),
    ("AlmaLinux", Kind::Rpm),
    ("Amazon Linux", Kind::Rpm),
    ("Azure Linux", Kind::Rpm),
    ("CentOS Stream", Kind::Rpm),
    ("Fedora", Kind::Rpm),
    ("Mageia", Kind::Rpm),
    ("Oracle Linux", Kind::Rpm),
    ("Photon OS", Kind::Rpm),
    ("Red Hat", Kind::Rpm),
    ("Rocky Linux", Kind::Rpm),
    ("SUSE", Kind::Rpm),
    ("openEuler", Kind::Rpm),
    ("openSUSE", Kind::Rpm),
    ("crates.io", Kind::Cargo),
    ("npm", Kind::Npm),
    ("PyPI", Kind::Pypi),
    ("Go", Kind::Golang),
    ("Maven", Kind::Maven),
    ("RubyGems", Kind::Gem),
    ("Packagist", Kind::Composer),
    ("NuGet", Kind::Nuget),
];

/// Debian's releases: the name of each, and what `Debian:` is followed by.
const DEBIAN: [(&str, &str); 11] = [
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", "sid"),
    ("experimental", "experimental"),
];

/// Ubuntu's long-term releases, for systems that are built on them and only tell the name.
const UBUNTU: [(&str, &str); 7] = [
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("noble", "24.04"),
    ("resolute", "26.04"),
];

/// Whose packages an ecosystem is about: the kind decides the order of versions. `None` for one that no package which
/// is recognised belongs to.
#[must_use]
pub fn kind(ecosystem: &str) -> Option<Kind> {
    let base = base(ecosystem);
    ECOSYSTEMS.iter().find(|(name, _)| *name == base).map(|(_, kind)| *kind)
}

/// The ecosystem of a language's packages; `None` for packages of a system, whose ecosystem is that of the system.
#[must_use]
pub fn of_language(kind: Kind) -> Option<&'static str> {
    let found = ECOSYSTEMS.iter().find(|(_, of)| *of == kind && !kind.is_system());
    found.map(|(name, _)| *name)
}

/// The part before the first colon: `Debian` of `Debian:12`.
#[must_use]
pub fn base(ecosystem: &str) -> &str {
    ecosystem.split(':').next().unwrap_or_default()
}

/// The form under which advisories are kept, where several names mean the packages of one system:
/// `Ubuntu:22.04:LTS` is `Ubuntu:22.04`, `Red Hat:enterprise_linux:9::baseos` is `Red Hat:enterprise_linux:9`, and
/// SUSE's products that are built from the same sources as the server are the server. `Ubuntu:Pro:…` stays apart: its
/// fixes are only for those who pay for them, and what is not fixed for the others, Ubuntu tells besides.
///
/// A language's packages are of one ecosystem, whichever server hands them out: `Packagist:https://packages.drupal.org/8`
/// is `Packagist`, as the name of a package does not tell where it came from.
#[must_use]
pub fn normalised(ecosystem: &str) -> Cow<'_, str> {
    let Some((base, rest)) = ecosystem.split_once(':') else { return Cow::Borrowed(ecosystem) };
    if kind(base).is_some_and(|kind| !kind.is_system()) {
        return Cow::Borrowed(base);
    }
    match base {
        "Ubuntu" => match rest.strip_suffix(":LTS") {
            Some(version) if !rest.starts_with("Pro:") => Cow::Owned(format!("Ubuntu:{version}")),
            _ => Cow::Borrowed(ecosystem),
        },
        "Red Hat" => match rest.strip_prefix("enterprise_linux:").and_then(major) {
            Some(major) => Cow::Owned(format!("Red Hat:enterprise_linux:{major}")),
            None => Cow::Borrowed(ecosystem),
        },
        "SUSE" => match suse_enterprise(rest) {
            Some(version) => Cow::Owned(format!("SUSE:Linux Enterprise Server {version}")),
            None => Cow::Borrowed(ecosystem),
        },
        _ => Cow::Borrowed(ecosystem),
    }
}

/// `15 SP5` of a product that is built from the same sources as `Linux Enterprise Server 15 SP5`: what it is extended by,
/// what others are sold, and its longer support (LTSS, ESPOS), whose advisories are the only ones when the general one has
/// ended. `None` for others, and for builds of a single customer.
fn suse_enterprise(product: &str) -> Option<String> {
    const SAME_SOURCES: [&str; 7] = [
        "Server ",
        "Desktop ",
        "Workstation Extension ",
        "High Performance Computing ",
        "High Availability Extension ",
        "Software Development Kit ",
        "Module for ",
    ];
    let rest = product.strip_prefix("Linux Enterprise ")?;
    let rest = SAME_SOURCES.iter().find_map(|name| rest.strip_prefix(name))?;
    // The last number: there is a `Module for Python 3 15 SP5`, too.
    let words: Vec<&str> = rest.split(' ').collect();
    let at = words.iter().rposition(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
    let version = words.get(at..)?.join(" ");
    match version.split_once('-') {
        None => Some(version),
        Some((version, "LTSS" | "ESPOS")) => Some(version.to_owned()),
        Some(_) => None,
    }
}

/// The name under which a package's advisories are kept: PyPI's by PEP 503, NuGet's and Packagist's in small letters;
/// the others tell names apart exactly as they are written.
#[must_use]
pub fn normalised_name(kind: Kind, name: &str) -> Cow<'_, str> {
    match kind {
        Kind::Pypi => {
            let mut normal = String::with_capacity(name.len());
            for letter in name.chars() {
                match letter {
                    '-' | '_' | '.' if normal.ends_with('-') => {}
                    '-' | '_' | '.' => normal.push('-'),
                    letter => normal.extend(letter.to_lowercase()),
                }
            }
            Cow::Owned(normal)
        }
        Kind::Nuget | Kind::Composer => Cow::Owned(name.to_lowercase()),
        _ => Cow::Borrowed(name),
    }
}

/// The ecosystem of Debian's release with this name: `Debian:12` of `bookworm`.
#[must_use]
pub fn debian(codename: &str) -> Option<String> {
    lookup(&DEBIAN, codename).map(|version| format!("Debian:{version}"))
}

/// Which advisories fit a system, by the fields `ID`, `VERSION_ID`, `VERSION_CODENAME` and `ID_LIKE` of its os-release:
/// `Debian:12`, `Rocky Linux:9`. `None` for a system whose advisories are not known here; a system that is none of
/// these but says that it is built on Debian or Ubuntu, and on which release, has theirs.
#[must_use]
pub fn ecosystem(os_id: &str, os_version: &str, codename: &str, id_like: &str) -> Option<String> {
    let numbered = |name: &str| major(os_version).map(|major| format!("{name}:{major}"));
    let versioned = |name: &str| (!os_version.is_empty()).then(|| format!("{name}:{os_version}"));
    match os_id {
        // Before its release, a Debian has no version; its name tells. Sid calls itself `trixie/sid` or `sid`.
        "debian" | "raspbian" => numbered("Debian").or_else(|| debian(codename.split('/').next_back()?)),
        "ubuntu" => versioned("Ubuntu"),
        "alpine" => Some(alpine(os_version)),
        "alpaquita" => versioned("Alpaquita"),
        "wolfi" => Some("Wolfi".to_owned()),
        "chainguard" => Some("Chainguard".to_owned()),
        "minimos" => Some("MinimOS".to_owned()),
        "rocky" => numbered("Rocky Linux"),
        "almalinux" => numbered("AlmaLinux"),
        // CentOS was built from what Red Hat had released, under the same versions, and has no advisories of its own.
        "rhel" | "centos" => numbered("Red Hat:enterprise_linux"),
        "fedora" => numbered("Fedora"),
        "ol" => numbered("Oracle Linux"),
        "amzn" => versioned("Amazon Linux"),
        "azurelinux" | "mariner" => numbered("Azure Linux"),
        "photon" => versioned("Photon OS"),
        "mageia" => numbered("Mageia"),
        "openEuler" => openeuler(os_version),
        "opensuse-leap" => versioned("openSUSE").map(|text| text.replacen(':', ":Leap ", 1)),
        "opensuse-leap-micro" => versioned("openSUSE").map(|text| text.replacen(':', ":Leap Micro ", 1)),
        // MicroOS is put together from the packages of Tumbleweed.
        "opensuse-tumbleweed" | "opensuse-microos" => Some("openSUSE:Tumbleweed".to_owned()),
        "sles" | "sles_sap" | "sle_hpc" | "sled" => {
            Some(format!("SUSE:Linux Enterprise Server {}", suse(os_version)?))
        }
        "sle-micro" | "suse-microos" => {
            versioned("SUSE").map(|text| text.replacen(':', ":Linux Enterprise Micro ", 1))
        }
        "sl-micro" => versioned("SUSE").map(|text| text.replacen(':', ":Linux Micro ", 1)),
        _ => built_on(codename, id_like),
    }
}

/// A system that is built on another one, whose release its codename tells.
fn built_on(codename: &str, id_like: &str) -> Option<String> {
    let like = |os: &str| id_like.split_ascii_whitespace().any(|id| id == os);
    if like("ubuntu")
        && let Some(version) = lookup(&UBUNTU, codename)
    {
        return Some(format!("Ubuntu:{version}"));
    }
    if like("debian") || like("ubuntu") { debian(codename) } else { None }
}

/// `Alpine:v3.20` of `3.20.3`; a version that is not released yet is of the branch that is being worked on.
fn alpine(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next().and_then(number), parts.next().and_then(number)) {
        (Some(major), Some(minor)) if !version.contains("_alpha") => format!("Alpine:v{major}.{minor}"),
        _ => "Alpine:edge".to_owned(),
    }
}

/// `openEuler:22.03-LTS-SP3` of `22.03 (LTS-SP3)` or of `22.03`.
fn openeuler(version: &str) -> Option<String> {
    let mut words = version.split([' ', '(', ')']).filter(|word| !word.is_empty());
    let number = words.next()?;
    Some(words.fold(format!("openEuler:{number}"), |text, word| text + "-" + word))
}

/// `15 SP5` of `15.5`, `15` of `15`; from 16 on, there are no service packs.
fn suse(version: &str) -> Option<String> {
    let (major, pack) = version.split_once('.').unwrap_or((version, ""));
    if number(major)?.parse::<u32>().is_ok_and(|major| major >= 16) {
        return Some(version.to_owned());
    }
    Some(if pack.is_empty() { major.to_owned() } else { format!("{major} SP{pack}") })
}

fn major(version: &str) -> Option<&str> {
    version.split(['.', ':']).next().and_then(number)
}

fn number(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn lookup(table: &[(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, version)| *version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_have_their_ecosystem() {
        for (id, version, codename, like, expected) in [
            ("debian", "12", "bookworm", "", Some("Debian:12")),
            ("debian", "", "forky", "", Some("Debian:14")),
            ("debian", "", "trixie/sid", "", Some("Debian:sid")),
            ("debian", "", "", "", None),
            ("raspbian", "11", "bullseye", "debian", Some("Debian:11")),
            ("ubuntu", "22.04", "jammy", "debian", Some("Ubuntu:22.04")),
            ("linuxmint", "21.3", "jammy", "ubuntu debian", Some("Ubuntu:22.04")),
            ("linuxmint", "6", "bookworm", "debian", Some("Debian:12")),
            ("kali", "2026.1", "kali-rolling", "debian", None),
            ("alpine", "3.20.3", "", "", Some("Alpine:v3.20")),
            ("alpine", "3.23_alpha20260101", "", "", Some("Alpine:edge")),
            ("wolfi", "20230201", "", "", Some("Wolfi")),
            ("chainguard", "20230214", "", "", Some("Chainguard")),
            ("rocky", "9.4", "", "rhel centos fedora", Some("Rocky Linux:9")),
            ("almalinux", "8.10", "", "rhel centos fedora", Some("AlmaLinux:8")),
            ("rhel", "9.4", "", "fedora", Some("Red Hat:enterprise_linux:9")),
            ("centos", "7", "", "rhel fedora", Some("Red Hat:enterprise_linux:7")),
            ("fedora", "42", "", "", Some("Fedora:42")),
            ("ol", "9.4", "", "fedora", Some("Oracle Linux:9")),
            ("amzn", "2023", "", "fedora", Some("Amazon Linux:2023")),
            ("mariner", "2.0.20240101", "", "", Some("Azure Linux:2")),
            ("azurelinux", "3.0", "", "", Some("Azure Linux:3")),
            ("photon", "5.0", "", "", Some("Photon OS:5.0")),
            ("mageia", "9", "", "", Some("Mageia:9")),
            ("openEuler", "22.03 (LTS-SP3)", "", "", Some("openEuler:22.03-LTS-SP3")),
            ("opensuse-leap", "15.6", "", "suse opensuse", Some("openSUSE:Leap 15.6")),
            ("opensuse-tumbleweed", "20260101", "", "opensuse suse", Some("openSUSE:Tumbleweed")),
            ("sles", "15.5", "", "suse", Some("SUSE:Linux Enterprise Server 15 SP5")),
            ("sles", "15", "", "suse", Some("SUSE:Linux Enterprise Server 15")),
            ("sled", "15.6", "", "suse", Some("SUSE:Linux Enterprise Server 15 SP6")),
            ("sles", "16.0", "", "suse", Some("SUSE:Linux Enterprise Server 16.0")),
            ("sle-micro", "5.5", "", "suse", Some("SUSE:Linux Enterprise Micro 5.5")),
            ("sl-micro", "6.1", "", "suse", Some("SUSE:Linux Micro 6.1")),
            ("opensuse-leap-micro", "5.5", "", "suse opensuse", Some("openSUSE:Leap Micro 5.5")),
            ("alpaquita", "23", "", "alpine", Some("Alpaquita:23")),
            ("arch", "", "", "", None),
            ("", "", "", "", None),
        ] {
            assert_eq!(
                ecosystem(id, version, codename, like).as_deref(),
                expected,
                "{id} {version} {codename}"
            );
        }
    }

    #[test]
    fn every_system_is_of_a_kind_that_is_compared() {
        for name in ["Debian:12", "Ubuntu:22.04", "Alpine:v3.20", "Red Hat:enterprise_linux:9", "npm", "Go"] {
            assert!(kind(name).is_some(), "{name}");
        }
        for name in ["OSS-Fuzz", "Android", "GIT", "", "debian"] {
            assert_eq!(kind(name), None, "{name}");
        }
        assert_eq!(of_language(Kind::Golang), Some("Go"));
        assert_eq!(of_language(Kind::Deb), None);
    }

    #[test]
    fn names_for_the_same_system_are_one() {
        for (name, expected) in [
            ("Ubuntu:22.04:LTS", "Ubuntu:22.04"),
            ("Ubuntu:23.10", "Ubuntu:23.10"),
            ("Ubuntu:Pro:18.04:LTS", "Ubuntu:Pro:18.04:LTS"),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat:enterprise_linux:9"),
            ("Red Hat:enterprise_linux:8.4::appstream", "Red Hat:enterprise_linux:8"),
            ("Red Hat:rhel_eus:8.4::appstream", "Red Hat:rhel_eus:8.4::appstream"),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"),
            ("SUSE:Linux Enterprise Module for Python 3 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"),
            ("SUSE:Linux Enterprise Server 15 SP4-LTSS", "SUSE:Linux Enterprise Server 15 SP4"),
            (
                "SUSE:Linux Enterprise High Performance Computing 15 SP4-ESPOS",
                "SUSE:Linux Enterprise Server 15 SP4",
            ),
            (
                "SUSE:Linux Enterprise Server for SAP Applications 15 SP4",
                "SUSE:Linux Enterprise Server 15 SP4",
            ),
            ("SUSE:Linux Enterprise Server 16.0", "SUSE:Linux Enterprise Server 16.0"),
            ("SUSE:Linux Enterprise Server 12 SP3-BCL", "SUSE:Linux Enterprise Server 12 SP3-BCL"),
            ("SUSE:Linux Enterprise Micro 5.5", "SUSE:Linux Enterprise Micro 5.5"),
            ("SUSE:Linux Micro 6.1", "SUSE:Linux Micro 6.1"),
            ("Packagist:https://packages.drupal.org/8", "Packagist"),
            ("Debian:12", "Debian:12"),
            ("npm", "npm"),
        ] {
            assert_eq!(normalised(name), expected);
        }
    }

    #[test]
    fn names_of_packages_are_as_their_registry_has_them() {
        for (kind, name, expected) in [
            (Kind::Pypi, "Zope._-Interface", "zope-interface"),
            (Kind::Npm, "JSONStream", "JSONStream"),
            (Kind::Nuget, "Newtonsoft.Json", "newtonsoft.json"),
            (Kind::Composer, "Symfony/Http-Kernel", "symfony/http-kernel"),
            (Kind::Golang, "github.com/Masterminds/goutils", "github.com/Masterminds/goutils"),
            (Kind::Maven, "org.A:b", "org.A:b"),
        ] {
            assert_eq!(normalised_name(kind, name), expected);
        }
    }
}
