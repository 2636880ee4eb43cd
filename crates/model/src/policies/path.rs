//! Where a setting stands in the configuration of a feature.

use std::fmt;

/// The names that lead to a setting, outermost first. No name at all: the whole configuration is the setting.
///
/// Paths are in the order of their names, so that everything below a path follows it directly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SettingPath(Vec<String>);

impl SettingPath {
    /// The names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether this is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl From<Vec<String>> for SettingPath {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

/// The names joined by dots, as in a field mask.
impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}
