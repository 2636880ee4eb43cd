//! The header of an rpm as a database holds it: counts, an index of tags, and the values. Numbers are big-endian. See
//! "Header Structure" in rpm's manual, docs/manual/format_v4.md.

use crate::bytes::{Order, part, text};
use crate::format::ParseError;
use crate::package::{Kind, Package, SourcePackage};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const LICENCE: u32 = 1014;
const ARCHITECTURE: u32 = 1022;
const SOURCE_RPM: u32 = 1044;
const MODULE: u32 = 5096;

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const TRANSLATED: u32 = 9;

/// The package that a header describes; `None` for a key that was imported, which rpm keeps as a package.
///
/// # Errors
/// [`ParseError::Malformed`] when the header contradicts itself or lacks its name, version or release.
pub(super) fn package(blob: &[u8]) -> Result<Option<Package>, ParseError> {
    let header = Header::new(blob).ok_or_else(|| malformed("its index is longer than itself"))?;
    let name = header.text(NAME).ok_or_else(|| malformed("it has no name"))?;
    if name == "gpg-pubkey" {
        return Ok(None);
    }
    let told = |tag, what| {
        header.text(tag).ok_or_else(|| ParseError::Malformed(format!("{name}: it has no {what}")))
    };
    let (version, release) = (told(VERSION, "version")?, told(RELEASE, "release")?);
    let epoch = header.number(EPOCH).unwrap_or(0);
    let version = with_epoch(epoch, &format!("{version}-{release}"));
    let source = header.text(SOURCE_RPM).and_then(|file| source_of(&file, epoch));
    Ok(Some(Package {
        kind: Kind::Rpm,
        source: Some(
            source.unwrap_or_else(|| SourcePackage { name: name.clone(), version: version.clone() }),
        ),
        name,
        version,
        architecture: header.text(ARCHITECTURE).unwrap_or_default(),
        licences: header.text(LICENCE).into_iter().collect(),
        vendor: header.text(VENDOR).unwrap_or_default(),
        module: header.text(MODULE).unwrap_or_default(),
        ..Package::default()
    }))
}

fn with_epoch(epoch: u32, version: &str) -> String {
    match epoch {
        0 => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    }
}

/// Name and version out of `openssl-3.0.7-27.el9.src.rpm`. The name of that file has no epoch: it is that of the package,
/// as a specification gives one to all that it builds.
fn source_of(file: &str, epoch: u32) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage { name: name.to_owned(), version: with_epoch(epoch, &format!("{version}-{release}")) })
}

fn malformed(what: &str) -> ParseError {
    ParseError::Malformed(format!("the header of a package: {what}"))
}

/// A header whose index is known to be inside of it.
struct Header<'a> {
    index: &'a [u8],
    data: &'a [u8],
}

impl<'a> Header<'a> {
    /// Bytes of the two counts at the beginning, and of an entry of the index.
    const COUNTS: usize = 8;
    const ENTRY: usize = 16;

    fn new(blob: &'a [u8]) -> Option<Self> {
        let entries = usize::try_from(Order::Big.u32(blob, 0)?).ok()?;
        let data_len = usize::try_from(Order::Big.u32(blob, 4)?).ok()?;
        let index_len = entries.checked_mul(Self::ENTRY)?;
        let index = part(blob, Self::COUNTS, index_len)?;
        let data = part(blob, Self::COUNTS.checked_add(index_len)?, data_len)?;
        Some(Self { index, data })
    }

    /// The type of a tag's value, and the bytes from where it begins.
    fn find(&self, tag: u32) -> Option<(u32, &'a [u8])> {
        let entry =
            self.index.chunks_exact(Self::ENTRY).find(|entry| Order::Big.u32(entry, 0) == Some(tag))?;
        let offset = usize::try_from(Order::Big.u32(entry, 8)?).ok()?;
        Some((Order::Big.u32(entry, 4)?, self.data.get(offset..)?))
    }

    /// A text; the first of several.
    fn text(&self, tag: u32) -> Option<String> {
        let (kind, bytes) = self.find(tag)?;
        if !matches!(kind, STRING | STRING_ARRAY | TRANSLATED) {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(text(bytes.get(..end)?)).filter(|text| !text.is_empty())
    }

    fn number(&self, tag: u32) -> Option<u32> {
        let (kind, bytes) = self.find(tag)?;
        (kind == INT32).then(|| Order::Big.u32(bytes, 0))?
    }
}
