//! What the package managers of systems have installed.

pub mod apk;
pub mod dpkg;
pub mod rpm;

use crate::format::Format;

/// The databases of dpkg, rpm and apk.
pub const FORMATS: &[Format] = &[dpkg::STATUS, dpkg::STATUS_FOLDER, rpm::DATABASE, apk::INSTALLED];
