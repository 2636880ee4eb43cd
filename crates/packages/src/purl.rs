//! Package URLs: <https://packageurl.org>, with the rules of each type from its definition there.

use std::borrow::Cow;

use crate::package::{Kind, Package};

/// The URL of a package: `pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64&distro=debian-12`.
///
/// `os_id` and `os_version` are `ID` and `VERSION_ID` of the system's os-release, and say whose packages its package
/// manager has; either may be empty when that is not known. Packages of languages do not depend on them.
#[must_use]
pub fn purl(package: &Package, os_id: &str, os_version: &str) -> String {
    let (namespace, name) = name(package, os_id);
    let mut url = format!("pkg:{}", package.kind);
    // A parser would take such segments away.
    for segment in namespace.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")) {
        url.push('/');
        encode(segment, &mut url);
    }
    url.push('/');
    encode(&name, &mut url);
    let (epoch, version) = version(package);
    if !version.is_empty() {
        url.push('@');
        encode(&version, &mut url);
    }
    if package.kind.is_system() {
        let distribution =
            [os_id, os_version].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        // In the order of the alphabet; empty ones are left out.
        let qualifiers =
            [("arch", package.architecture.as_str()), ("distro", &distribution), ("epoch", epoch)];
        let mut separator = '?';
        for (key, value) in qualifiers.into_iter().filter(|(_, value)| !value.is_empty()) {
            url.push(separator);
            url.push_str(key);
            url.push('=');
            encode(value, &mut url);
            separator = '&';
        }
    }
    url
}

/// Namespace and name, as the type wants them.
fn name<'a>(package: &'a Package, os_id: &str) -> (Cow<'a, str>, Cow<'a, str>) {
    let name = package.name.as_str();
    match package.kind {
        Kind::Deb | Kind::Apk => (os_id.to_lowercase().into(), name.to_lowercase().into()),
        Kind::Rpm => (rpm_vendor(os_id).into(), name.into()),
        Kind::Cargo | Kind::Gem | Kind::Nuget => ("".into(), name.into()),
        Kind::Pypi => ("".into(), python_name(name).into()),
        // A scope is the namespace, with its @.
        Kind::Npm | Kind::Golang | Kind::Composer => match name.rsplit_once('/') {
            Some((namespace, name)) => (namespace.to_lowercase().into(), name.to_lowercase().into()),
            None => ("".into(), name.to_lowercase().into()),
        },
        Kind::Maven => match name.split_once(':') {
            Some((group, artifact)) => (group.into(), artifact.into()),
            None => ("".into(), name.into()),
        },
    }
}

/// Who makes the packages of a distribution, by its `ID`, where that is another name.
fn rpm_vendor(os_id: &str) -> String {
    let id = os_id.to_lowercase();
    match id.as_str() {
        "rhel" => "redhat".to_owned(),
        "sles" | "sled" | "sles_sap" | "suse" => "suse".to_owned(),
        _ if id.starts_with("opensuse") => "opensuse".to_owned(),
        _ => id,
    }
}

/// Small letters, and one hyphen for each run of hyphens, underscores and full stops.
fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for sign in name.chars() {
        match sign {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(sign.to_lowercase()),
        }
    }
    normal
}

/// Epoch and version: an rpm's epoch is a qualifier, a deb's is part of the version. Versions of Go have their `v` back,
/// but for those of Go's own library.
fn version(package: &Package) -> (&str, Cow<'_, str>) {
    let version = package.version.as_str();
    match package.kind {
        Kind::Rpm => match version.split_once(':') {
            Some((epoch, version)) => (if epoch == "0" { "" } else { epoch }, version.into()),
            None => ("", version.into()),
        },
        Kind::Golang
            if version.starts_with(|sign: char| sign.is_ascii_digit()) && package.name.contains('.') =>
        {
            ("", format!("v{version}").into())
        }
        _ => ("", version.into()),
    }
}

/// Appends a text with everything as %XX but letters and digits of ASCII and `.-_~:`, which stand for themselves
/// everywhere in a package URL.
fn encode(text: &str, url: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                url.push(char::from(byte))
            }
            _ => {
                url.push('%');
                url.extend(DIGITS.get(usize::from(byte >> 4)));
                url.extend(DIGITS.get(usize::from(byte & 15)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
