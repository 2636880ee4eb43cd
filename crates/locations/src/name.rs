//! Names of assets: paths inside of their location, and nothing else.

use crate::{Trouble, limits};

/// Whether a text can be a name at all.
///
/// # Errors
/// It is too long, or has characters that no list shows.
pub(crate) fn check(name: &str) -> Result<(), Trouble> {
    let refuse = |why: &str| Err(Trouble::lasting(format!("{name:?} is no name of an asset: {why}")));
    if name.len() > limits::NAME_BYTES {
        return refuse(&format!("it has {} bytes; at most {} are right", name.len(), limits::NAME_BYTES));
    }
    match name.contains(char::is_control) {
        true => refuse("it has a control character"),
        false => Ok(()),
    }
}

/// The parts of a name that is a path.
///
/// # Errors
/// It could lead out of its location, or is no name.
pub(crate) fn parts(name: &str) -> Result<Vec<&str>, Trouble> {
    check(name)?;
    let refuse = |why: &str| Err(Trouble::lasting(format!("{name:?} is no name of an asset: {why}")));
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() > limits::DEPTH + 1 {
        return refuse(&format!("it lies deeper than {} folders", limits::DEPTH));
    }
    match parts.iter().find(|part| matches!(**part, "" | "." | "..")) {
        Some(part) => refuse(&format!("a part of it is {part:?}; names as they are listed are right")),
        None => Ok(parts),
    }
}

/// The parts of a path that something at `from` (parts) refers to, relative to the location; `None` when it leads out.
/// `root` is the path of the location, for references that are absolute.
pub(crate) fn resolve(root: &str, from: &[&str], reference: &str) -> Option<Vec<String>> {
    let reference = reference.strip_prefix("file:").unwrap_or(reference);
    if reference.contains('\0') {
        return None;
    }
    let (mut parts, rest): (Vec<String>, &str) = if reference.starts_with('/') {
        let below = reference.strip_prefix(root.trim_end_matches('/'))?;
        (Vec::new(), below.strip_prefix('/')?)
    } else {
        let folder = from.split_last().map_or(&[][..], |(_, folder)| folder);
        (folder.iter().map(|part| (*part).to_owned()).collect(), reference)
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part.to_owned()),
        }
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_inside() {
        for good in ["disk.qcow2", "a/b/c.img", "app#registry:5000", "...", "a b", "ä"] {
            assert!(parts(good).is_ok(), "{good}");
        }
        let long = "a".repeat(limits::NAME_BYTES + 1);
        let deep = "a/".repeat(limits::DEPTH + 1) + "a";
        for bad in ["", "/", "/etc/shadow", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\0b", &long, &deep]
        {
            parts(bad).expect_err(bad);
        }
    }

    #[test]
    fn references_stay_inside() {
        let table = [
            ("base.img", Some("a/base.img")),
            ("./base.img", Some("a/base.img")),
            ("file:base.img", Some("a/base.img")),
            ("../base.img", Some("base.img")),
            ("../b/../c/base.img", Some("c/base.img")),
            ("/images/c/base.img", Some("c/base.img")),
            ("../../base.img", None),
            ("/etc/shadow", None),
            ("/images2/base.img", None),
            ("/images/../etc/shadow", None),
            ("/images", None),
            ("..", None),
            ("", Some("a")),
        ];
        for (reference, expected) in table {
            let resolved = resolve("/images", &["a", "disk.qcow2"], reference).map(|parts| parts.join("/"));
            assert_eq!(resolved.as_deref(), expected, "{reference}");
        }
    }

    /// Whether a path stays below where it begins, in the words of the standard library.
    fn stays(path: &str) -> bool {
        let components: Vec<_> = Path::new(path).components().collect();
        !components.is_empty() && components.iter().all(|part| matches!(part, Component::Normal(_)))
    }

    proptest! {
        #[test]
        fn no_name_leads_out(name in "([a/.#\\\\\0]|\\.\\./|//){0,12}") {
            if let Ok(parts) = parts(&name) {
                prop_assert!(stays(&parts.join("/")), "{name:?}");
            }
        }

        #[test]
        fn no_reference_leads_out(reference in "(/images/|file:|[ab/.]|\\.\\./|//){0,12}") {
            if let Some(parts) = resolve("/images", &["a", "b", "c"], &reference) {
                prop_assert!(stays(&parts.join("/")), "{reference:?}");
            }
        }
    }
}
