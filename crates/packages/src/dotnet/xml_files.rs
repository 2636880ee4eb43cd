//! `packages.config`, project files and `Directory.Packages.props`.

use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    text,
    xml::{self, Node, attribute},
};

/// Reads `packages.config`, which lists everything that was restored.
pub(super) fn read_packages_config(
    input: &mut Input<'_>,
    found: &mut dyn FnMut(Found),
) -> Result<(), ParseError> {
    let text = text::read(input, text::MANIFEST_AT_MOST)?;
    let mut collector = Collector::new(Kind::Nuget, Origin::Locked, found);
    xml::walk(&text, |path, node| {
        if let Node::Begin(element) = node
            && path.iter().map(String::as_str).eq(["packages", "package"])
            && let Some(name) = attribute(element, "id")
        {
            collector.add(&name, &attribute(element, "version").unwrap_or_default());
        }
    })
}

/// Reads the packages that a project refers to by an exact version. A bare `1.2.3` means "this or newer", and NuGet takes
/// this one as long as it is to be had.
pub(super) fn read_project(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::MANIFEST_AT_MOST)?;
    let mut collector = Collector::new(Kind::Nuget, Origin::Declared, found);
    let mut open: Option<String> = None;
    xml::walk(&text, |path, node| match (path, node) {
        ([.., last], Node::Begin(element)) if is_reference(last) => {
            // `Update` gives a version to what was included elsewhere.
            let name = attribute(element, "Include").or_else(|| attribute(element, "Update"));
            if let (Some(name), Some(version)) = (&name, attribute(element, "Version"))
                && let Some(version) = exact(&version)
            {
                collector.add(name, version);
            }
            open = name;
        }
        ([.., above, last], Node::End(version)) if last == "Version" && is_reference(above) => {
            if let (Some(name), Some(version)) = (&open, exact(version)) {
                collector.add(name, version);
            }
        }
        _ => {}
    })
}

fn is_reference(element: &str) -> bool {
    matches!(element, "PackageReference" | "PackageVersion" | "GlobalPackageReference")
}

/// The version of `1.2.3` or `[1.2.3]`; none of a range, of a floating version or of a property.
fn exact(version: &str) -> Option<&str> {
    let version = version.trim();
    let version = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(version).trim();
    let plain = version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
    (plain && version.starts_with(|c: char| c.is_ascii_digit())).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn exact_versions() {
        assert_eq!(exact(" 1.2.3-rc.1 "), Some("1.2.3-rc.1"));
        assert_eq!(exact("[1.2.3]"), Some("1.2.3"));
        for range in ["[1.0,2.0)", "(1.0,)", "1.*", "$(Version)", "*", "", "[1.0, 2.0]"] {
            assert_eq!(exact(range), None, "{range}");
        }
    }
}
