//! What Maven leaves in an archive, below `META-INF/maven/GROUP/ARTIFACT`: `pom.properties` and `pom.xml`.

use crate::{
    Found, Input, Kind, Origin, ParseError,
    collect::Collector,
    text,
    xml::{self, Node},
};

/// Group, artifact and version of a package; empty where they are not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
}

/// Group and artifact of a path that ends with `META-INF/maven/GROUP/ARTIFACT/FILE`.
pub(super) fn folder(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut folders = path.rsplit(|byte| *byte == b'/').skip(1);
    let (artifact, group) = (folders.next()?, folders.next()?);
    (folders.next()? == b"maven" && folders.next()? == b"META-INF").then_some((group, artifact))
}

impl Coordinates {
    /// Those of the folder's name, without a version.
    pub(super) fn of_folder(path: &[u8]) -> Option<Self> {
        let (group, artifact) = folder(path)?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Some(Self { group: text(group), artifact: text(artifact), version: String::new() })
    }

    /// Takes from `other` what is missing here.
    pub(super) fn or(mut self, other: Self) -> Self {
        for (mine, others) in [
            (&mut self.group, other.group),
            (&mut self.artifact, other.artifact),
            (&mut self.version, other.version),
        ] {
            if mine.is_empty() {
                *mine = others;
            }
        }
        self
    }

    /// The name as advisories write it.
    pub(super) fn name(&self) -> String {
        if self.group.is_empty() {
            self.artifact.clone()
        } else {
            format!("{}:{}", self.group, self.artifact)
        }
    }
}

/// Reads `pom.properties`. Values that Maven did not fill in (`${…}`) count as none.
pub(super) fn properties(text: &str) -> Coordinates {
    let mut coordinates = Coordinates::default();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!'])) {
        let Some((key, value)) = line.split_once(['=', ':']) else { continue };
        let target = match key.trim() {
            "groupId" => &mut coordinates.group,
            "artifactId" => &mut coordinates.artifact,
            "version" => &mut coordinates.version,
            _ => continue,
        };
        if !value.contains("${") {
            *target = value.trim().replace('\\', "");
        }
    }
    coordinates
}

/// Reads `pom.xml`: group and version may be those of the parent, and `${project.…}` is replaced. Other properties may come
/// from parents that are not here: such a value counts as none.
///
/// # Errors
/// `Malformed` when it is no XML.
pub(super) fn project(text: &str) -> Result<Coordinates, ParseError> {
    let (mut own, mut parent) = (Coordinates::default(), Coordinates::default());
    xml::walk(text, |path, node| {
        let Node::End(text) = node else { return };
        let (target, field) = match path {
            [project, field] if project == "project" => (&mut own, field),
            [project, above, field] if project == "project" && above == "parent" => (&mut parent, field),
            _ => return,
        };
        match field.as_str() {
            "groupId" => text.clone_into(&mut target.group),
            "artifactId" => text.clone_into(&mut target.artifact),
            "version" => text.clone_into(&mut target.version),
            _ => {}
        }
    })?;
    parent.artifact.clear();
    for value in [&mut own.group, &mut own.version] {
        *value = value
            .replace("${project.parent.groupId}", &parent.group)
            .replace("${parent.groupId}", &parent.group);
        *value = value
            .replace("${project.parent.version}", &parent.version)
            .replace("${parent.version}", &parent.version);
    }
    let mut coordinates = own.or(parent);
    let (group, version) = (coordinates.group.clone(), coordinates.version.clone());
    for value in [&mut coordinates.group, &mut coordinates.artifact, &mut coordinates.version] {
        for (property, replacement) in [
            ("${project.groupId}", &group),
            ("${pom.groupId}", &group),
            ("${project.version}", &version),
            ("${pom.version}", &version),
        ] {
            if value.contains(property) {
                *value = value.replace(property, replacement);
            }
        }
        if value.contains("${") {
            value.clear();
        }
    }
    Ok(coordinates)
}

/// Reads a `pom.properties` of an archive that was unpacked.
pub(super) fn read(input: &mut Input<'_>, found: &mut dyn FnMut(Found)) -> Result<(), ParseError> {
    let text = text::read(input, text::MANIFEST_AT_MOST)?;
    let coordinates = properties(&text).or(Coordinates::of_folder(input.path).unwrap_or_default());
    Collector::new(Kind::Maven, Origin::Installed, found).add(&coordinates.name(), &coordinates.version);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Coordinates, folder, project, properties};

    fn coordinates(group: &str, artifact: &str, version: &str) -> Coordinates {
        Coordinates { group: group.to_owned(), artifact: artifact.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn folders() {
        assert_eq!(folder(b"META-INF/maven/g.h/a/pom.properties"), Some((&b"g.h"[..], &b"a"[..])));
        assert_eq!(folder(b"/x/META-INF/maven/g/a/pom.xml"), Some((&b"g"[..], &b"a"[..])));
        assert_eq!(folder(b"META-INF/maven/pom.xml"), None);
        assert_eq!(folder(b"pom.xml"), None);
    }

    #[test]
    fn pom_properties() {
        let text = "#Generated by Maven\r\n#Sat Jan 01\r\nversion=2.14.1\r\ngroupId=org.apache.logging.log4j\r\nartifactId = log4j-core\r\n";
        assert_eq!(properties(text), coordinates("org.apache.logging.log4j", "log4j-core", "2.14.1"));
        assert_eq!(properties("version=${revision}\nartifactId=a"), coordinates("", "a", ""));
    }

    #[test]
    fn pom_xml() {
        for (inner, expected) in [
            ("<groupId>g</groupId><artifactId>a</artifactId><version>1</version>", ("g", "a", "1")),
            (
                "<parent><groupId>g</groupId><artifactId>p</artifactId><version>2</version></parent><artifactId>a</artifactId>",
                ("g", "a", "2"),
            ),
            (
                "<parent><groupId>g</groupId><version>2</version></parent><groupId>${project.parent.groupId}.x</groupId><artifactId>a</artifactId><version>${project.parent.version}</version>",
                ("g.x", "a", "2"),
            ),
            (
                "<groupId>g</groupId><artifactId>a-${project.version}</artifactId><version>3</version>",
                ("g", "a-3", "3"),
            ),
            ("<groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version>", ("g", "a", "")),
            ("<artifactId>a</artifactId><version>${project.version}</version>", ("", "a", "")),
            (
                "<artifactId>a</artifactId><dependencies><dependency><groupId>no</groupId><version>9</version></dependency></dependencies>",
                ("", "a", ""),
            ),
        ] {
            let text = format!(
                "<?xml version=\"1.0\"?><project xmlns=\"http://maven.apache.org/POM/4.0.0\">{inner}</project>"
            );
            let (group, artifact, version) = expected;
            assert_eq!(
                project(&text).expect("well-formed"),
                coordinates(group, artifact, version),
                "{inner}"
            );
        }
    }
}
