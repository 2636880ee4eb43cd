//! PHP: `composer.lock`, and `vendor/composer/installed.json`, in which Composer notes what it installed.
//!
//! Names are lower case, as Packagist compares them; versions are without the `v` that tags often begin with.

use serde::Deserialize;

use crate::{
    Class, Format, Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, Licences, Step, Text},
    text,
};

/// The formats of PHP.
pub const FORMATS: &[Format] = &[
    Format {
        name: "composer.lock",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/composer.lock") && !in_installed_package(claim.path),
        read: read_lock,
    },
    Format {
        name: "composer-installed",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/composer/installed.json"),
        read: read_installed,
    },
];

/// Whether `path` is `…/vendor/VENDOR/PACKAGE/composer.lock`: what the developers of that package used.
fn in_installed_package(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').nth(3) == Some(b"vendor")
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    license: Licences,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(rename = "type", default)]
    kind: Text,
}

impl Entry {
    fn tell(self, collector: &mut Collector<'_>) {
        // A folder of the project itself.
        if self.dist.is_some_and(|dist| dist.kind.as_str() == "path") {
            return;
        }
        let version = self.version.as_str();
        let number =
            version.strip_prefix(['v', 'V']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let name = self.name.as_str().to_ascii_lowercase();
        collector.add_with(&name, number.unwrap_or(version), self.license.0, Vec::new());
    }
}

/// Reads `packages` and `packages-dev`.
fn read_lock(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let bytes = text::without_mark(&bytes);
    let mut collector = Collector::new(Kind::Composer, Origin::Locked, found);
    let mut reached = false;
    for list in ["packages", "packages-dev"] {
        reached |= json::entries(bytes, &[Step::Key(list)], |_, entry: Entry| entry.tell(&mut collector))?;
    }
    if reached { Ok(()) } else { Err(no_packages()) }
}

/// Reads the array that Composer 1 wrote, or `packages` of Composer 2.
fn read_installed(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::LOCK_AT_MOST)?;
    let bytes = text::without_mark(&bytes);
    let mut collector = Collector::new(Kind::Composer, Origin::Installed, found);
    let path: &[Step] =
        if bytes.trim_ascii_start().starts_with(b"[") { &[] } else { &[Step::Key("packages")] };
    let reached = json::entries(bytes, path, |_, entry: Entry| entry.tell(&mut collector))?;
    if reached { Ok(()) } else { Err(no_packages()) }
}

fn no_packages() -> ParseError {
    ParseError::Malformed("Composer writes an array `packages`, and there is none".to_owned())
}
