//! The products that are known, as `products.json` lists them.
//!
//! Products that need each other stand in the order in which they go. A product is recognised by a package of a name that is its own, or by a file of its own at an absolute path. What is
//! listed is what vendors document; `source` says where.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The list: read when it is used, so that an agent at rest does not keep it.
const PRODUCTS: &str = include_str!("products.json");

/// A product of others, and how it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    /// Its name.
    pub(super) name: String,
    /// Names of packages that are part of it and of nothing else, whatever the package manager.
    pub(super) packages: Vec<String>,
    /// Files by which it is recognised where it is no package. They are gone when it is.
    pub(super) paths: Vec<String>,
    /// Its own uninstaller. It comes before the package manager.
    pub(super) uninstaller: Option<Uninstaller>,
    /// Where its removal is documented.
    pub(super) source: String,
}

/// A program of a vendor that removes a product without asking.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Uninstaller {
    /// Its absolute path.
    pub(super) program: String,
    /// The arguments by which it asks nothing.
    pub(super) arguments: Vec<String>,
    /// Variables by which it asks nothing.
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
}

/// All products that are known.
pub(super) fn known() -> Vec<Product> {
    serde_json::from_str(PRODUCTS).expect("a test reads the list")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_in_order() {
        let products = known();
        let mut names = BTreeSet::new();
        let mut packages = BTreeSet::new();
        for product in &products {
            let name = &product.name;
            assert!(names.insert(name.to_lowercase()), "{name}: twice");
            assert!(
                !product.packages.is_empty() || product.uninstaller.is_some(),
                "{name}: cannot be removed"
            );
            assert!(!product.packages.is_empty() || !product.paths.is_empty(), "{name}: cannot be found");
            assert!(!product.source.is_empty(), "{name}: who says so?");
            for package in &product.packages {
                assert!(packages.insert(package), "{package}: in two products");
                let plain = |letter: char| letter.is_ascii_alphanumeric() || "+-._".contains(letter);
                let begins = package.starts_with(|letter: char| letter.is_ascii_alphanumeric());
                assert!(begins && package.chars().all(plain) && package.len() > 3, "{package}: not a name");
                assert!(!package.starts_with("lib"), "{package}: others may need a library");
            }
            let program = product.uninstaller.iter().map(|uninstaller| &uninstaller.program);
            for path in product.paths.iter().chain(program) {
                let parts = path.split('/').filter(|part| !part.is_empty()).count();
                assert!(path.starts_with('/') && parts >= 3, "{path}: too little of a path");
                assert!(
                    !path.contains("/.") && !path.contains(['*', '?', '~', ' ']),
                    "{path}: not a plain path"
                );
            }
        }
    }

    #[test]
    fn what_belongs_together_is_left_alone() {
        // ESET's own, the agent, and what systems are made of.
        let never = [
            "eea",
            "efs",
            "esets",
            "eraagent",
            "eset",
            "guardhouse",
            "systemd",
            "openssl",
            "nftables",
            "libclamav",
        ];
        for product in known() {
            let names = product.packages.iter().chain([&product.name]).chain(&product.paths);
            for name in names.map(|name| name.to_lowercase()) {
                let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric());
                assert!(!parts.clone().any(|part| never.contains(&part)), "{name}");
            }
        }
    }
}
