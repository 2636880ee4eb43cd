//! `package.json` of a package that is installed.

use serde::Deserialize;

use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    json::{self, Licences, Text},
    text,
};

/// Whether `path` is `…/node_modules/NAME/package.json` or `…/node_modules/@SCOPE/NAME/package.json`. Other files of that
/// name describe a part of a package, or a project that is developed here.
pub(super) fn is_installed(path: &[u8]) -> bool {
    let mut folders = path.rsplit(|byte| *byte == b'/').skip(1);
    let (Some(name), Some(above)) = (folders.next(), folders.next()) else { return false };
    if name.starts_with(b"@") || name.starts_with(b".") {
        return false;
    }
    above == b"node_modules" || (above.starts_with(b"@") && folders.next() == Some(b"node_modules"))
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    version: Text,
    #[serde(default)]
    license: Licences,
    #[serde(default)]
    licenses: Licences,
}

/// Reads the manifest: without a name or a version it is no package of its own.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let bytes = input.bytes(text::MANIFEST_AT_MOST)?;
    let manifest: Manifest = serde_json::from_slice(text::without_mark(&bytes)).map_err(json::malformed)?;
    let (name, version) = (manifest.name.as_str(), manifest.version.as_str());
    if !name.is_empty() && !version.is_empty() {
        let mut licences = manifest.license.0;
        licences.extend(manifest.licenses.0);
        let version = version.trim().trim_start_matches(['v', '=']);
        Collector::new(Kind::Npm, Origin::Installed, found).add_with(name, version, licences, Vec::new());
    }
    Ok(())
}
