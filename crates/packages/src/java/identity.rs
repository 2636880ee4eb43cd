//! Which package an archive is that Maven did not mark: by the name of its file, its manifest, and the folder it lies in.

use super::{groups, manifest::Manifest, pom::Coordinates};

/// What stands after the version in the names of archives that have others in them.
const CLASSIFIERS: [&str; 5] = ["-jar-with-dependencies", "-all", "-shaded", "-standalone", "-uber"];

/// Artifact and version of `artifact-1.2.3.jar`; the version is empty where the name has none.
pub(super) fn of_file_name(path: &[u8]) -> (String, String) {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    for (at, _) in stem.match_indices('-') {
        let (artifact, version) = (stem.get(..at), stem.get(at.saturating_add(1)..));
        if let (Some(artifact), Some(version)) = (artifact, version)
            && version.starts_with(|c: char| c.is_ascii_digit())
            && !artifact.is_empty()
        {
            return (artifact.to_owned(), version.to_owned());
        }
    }
    (stem.to_owned(), String::new())
}

/// Whether one of the packages that Maven marked is the archive itself, and not one that was put into it.
///
/// `manifest` is that of the archive; it is only looked at where the name of the file has no version.
pub(super) fn is_marked(path: &[u8], marked: &[Coordinates], manifest: &Manifest) -> bool {
    let (artifact, version) = of_file_name(path);
    if version.is_empty() {
        // A file that was renamed: what Maven says is better than the name, unless the manifest has another version than
        // all of it.
        let mut told = vec![manifest.get("implementation-version"), manifest.get("bundle-version")];
        told.retain(|version| is_version(version));
        return marked.iter().any(|package| {
            // OSGi writes `1.2.0.SNAPSHOT` for `1.2-SNAPSHOT`: the numbers are the same.
            told.is_empty()
                || package.artifact == artifact
                || told.iter().any(|version| numbers(version) == numbers(&package.version))
        });
    }
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    marked.iter().any(|package| {
        let named = name.strip_prefix(package.artifact.as_bytes()).is_some_and(|rest| rest.starts_with(b"-"));
        named || version == package.version
    })
}

/// The package that an unmarked archive is; none when nothing tells its version. `is_there` says whether it has a folder of
/// classes; `path` is that of the file, or the name in the archive around it.
pub(super) fn guess(
    path: &[u8],
    manifest: &Manifest,
    is_there: impl Fn(&str) -> bool,
) -> Option<Coordinates> {
    let (mut artifact, mut version) = of_file_name(path);
    let implementation = manifest.get("implementation-version");
    if version.is_empty() {
        let title = manifest.get("implementation-title");
        if !title.is_empty() && !title.contains(|c: char| c.is_whitespace() || c == '$' || c == ':') {
            title.clone_into(&mut artifact);
        }
        let told = [implementation, manifest.get("bundle-version"), manifest.get("specification-version")];
        told.into_iter().find(|version| is_version(version))?.clone_into(&mut version);
    } else if is_version(implementation)
        && version.strip_prefix(implementation).is_some_and(|classifier| classifier.starts_with('-'))
    {
        // `a-1.2.3-linux-x86_64.jar` is version 1.2.3.
        implementation.clone_into(&mut version);
    } else if let Some(before) = CLASSIFIERS.iter().find_map(|classifier| version.strip_suffix(classifier)) {
        version.truncate(before.len());
    }
    let group = group(path, &artifact, &version, is_there).unwrap_or_default();
    Some(Coordinates { group, artifact, version })
}

/// The group, from where it can only be right. Manifests do not tell it: `Implementation-Vendor-Id` and the beginning of
/// `Bundle-SymbolicName` are it in some archives, and something near it in others (`org.objectweb.asm` for `org.ow2.asm`).
fn group(path: &[u8], artifact: &str, version: &str, is_there: impl Fn(&str) -> bool) -> Option<String> {
    of_repository(path, artifact, version).or_else(|| groups::known(artifact, is_there).map(str::to_owned))
}

/// The group of `…/repository/org/example/artifact/1.2.3/artifact-1.2.3.jar` (Maven) and of
/// `…/files-2.1/org.example/artifact/1.2.3/HASH/artifact-1.2.3.jar` (Gradle).
fn of_repository(path: &[u8], artifact: &str, version: &str) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let folders: Vec<&str> = path.rsplit('/').skip(1).take(32).collect();
    if let [_, of_version, of_artifact, group, "files-2.1", ..] = folders.as_slice()
        && *of_version == version
        && *of_artifact == artifact
    {
        return Some((*group).to_owned());
    }
    let [of_version, of_artifact, above @ ..] = folders.as_slice() else { return None };
    if *of_version != version || *of_artifact != artifact {
        return None;
    }
    let root = above.iter().position(|folder| *folder == "repository")?;
    let group = above.get(..root)?.iter().rev().copied().collect::<Vec<_>>().join(".");
    (!group.is_empty()).then_some(group)
}

/// The numbers that a version begins with, without zeros at the end.
fn numbers(version: &str) -> &str {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version.get(..end).unwrap_or_default().trim_end_matches(['.', '0'])
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(|c: char| c.is_whitespace() || c == '$')
}

#[cfg(test)]
mod tests {
    use super::{guess, is_marked, of_file_name};
    use crate::java::{manifest::Manifest, pom::Coordinates};

    #[test]
    fn names_of_files() {
        for (path, artifact, version) in [
            ("/lib/spring-core-5.3.18.jar", "spring-core", "5.3.18"),
            ("BOOT-INF/lib/a-b-1.0-rc-1.jar", "a-b", "1.0-rc-1"),
            ("/a/guava.jar", "guava", ""),
            ("/a/x-SNAPSHOT.war", "x-SNAPSHOT", ""),
            ("/a/-1.jar", "-1", ""),
        ] {
            assert_eq!(of_file_name(path.as_bytes()), (artifact.to_owned(), version.to_owned()), "{path}");
        }
    }

    #[test]
    fn guesses() {
        let table = [
            (
                "/l/spring-core-5.3.17.jar",
                "Implementation-Title: spring-core\nImplementation-Version: 5.3.17",
                "org.springframework:spring-core",
                "5.3.17",
            ),
            ("/l/a-1.0-linux.jar", "Implementation-Version: 1.0", "a", "1.0"),
            ("/l/a-1.0-jar-with-dependencies.jar", "", "a", "1.0"),
            ("/l/a-1.0-rc-1-all.jar", "", "a", "1.0-rc-1"),
            ("/l/a.jar", "Implementation-Title: b\nImplementation-Version: 2", "b", "2"),
            ("/l/a.jar", "Implementation-Title: B and C\nBundle-Version: 2.0.0", "a", "2.0.0"),
            ("/root/.m2/repository/org/example/a/1.0/a-1.0.jar", "", "org.example:a", "1.0"),
            ("/c/modules-2/files-2.1/org.example/a/1.0/0a1b/a-1.0.jar", "", "org.example:a", "1.0"),
        ];
        for (path, manifest, name, version) in table {
            let package = guess(path.as_bytes(), &Manifest::parse(manifest), |_| true).expect(path);
            assert_eq!((package.name().as_str(), package.version.as_str()), (name, version), "{path}");
        }
        for manifest in ["", "Implementation-Version: ${version}", "Implementation-Version: unknown"] {
            assert_eq!(guess(b"/l/a.jar", &Manifest::parse(manifest), |_| true), None, "{manifest}");
        }
    }

    #[test]
    fn an_archive_that_has_others_in_it() {
        let package = |artifact: &str, version: &str| Coordinates {
            group: "g".to_owned(),
            artifact: artifact.to_owned(),
            version: version.to_owned(),
        };
        let table = [
            ("/a-1.0.jar", "", Some(("a", "1.0")), true),
            ("/a-all-1.0.jar", "", Some(("a", "1.1")), true),
            ("/log4j-1.2-api-2.17.1.jar", "", Some(("log4j-1.2-api", "2.17.1")), true),
            ("/app.jar", "", Some(("a", "1.0")), true),
            ("/app.jar", "Implementation-Version: ${version}", Some(("a", "1.0")), true),
            ("/app.jar", "Implementation-Version: 1.0", Some(("a", "1.0")), true),
            ("/app.jar", "Bundle-Version: 1.0.0.SNAPSHOT", Some(("a", "1.0-SNAPSHOT")), true),
            ("/a.jar", "Implementation-Version: 7", Some(("a", "1.0")), true),
            ("/spring-core-5.3.18.jar", "", Some(("asm", "9.0")), false),
            // Debian's guice.jar has cglib in it.
            ("/guice.jar", "Bundle-Version: 4.2.3", Some(("cglib", "3.2.12")), false),
            ("/app.jar", "", None, false),
        ];
        for (path, manifest, marked, expected) in table {
            let marked: Vec<_> =
                marked.into_iter().map(|(artifact, version)| package(artifact, version)).collect();
            let is_marked = is_marked(path.as_bytes(), &marked, &Manifest::parse(manifest));
            assert_eq!(is_marked, expected, "{path}, {manifest}");
        }
    }
}
