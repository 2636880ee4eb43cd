//! Whatever the bytes are: no panic, no packages without end.

use proptest::prelude::*;

use crate::{java::archive, support::found};

/// A path for each format of the languages.
const PATHS: &[&str] = &[
    "/package-lock.json",
    "/node_modules/.package-lock.json",
    "/node_modules/a/package.json",
    "/yarn.lock",
    "/pnpm-lock.yaml",
    "/bun.lock",
    "/a.dist-info/METADATA",
    "/requirements.txt",
    "/poetry.lock",
    "/pylock.toml",
    "/Pipfile.lock",
    "/a.jar",
    "/META-INF/maven/g/a/pom.properties",
    "/Gemfile.lock",
    "/specifications/a-1.gemspec",
    "/composer.lock",
    "/composer/installed.json",
    "/packages.lock.json",
    "/a.deps.json",
    "/project.assets.json",
    "/packages.config",
    "/a.csproj",
];

/// Good files, of which some bytes are changed.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    let jar = archive(&[
        ("META-INF/MANIFEST.MF", b"Implementation-Version: 1.0\n"),
        ("META-INF/maven/g/a/pom.properties", b"version=1\ngroupId=g\nartifactId=a\n"),
        ("META-INF/maven/g/b/pom.xml", b"<project><artifactId>b</artifactId><version>1</version></project>"),
    ]);
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("/a-1.0.war", archive(&[("lib/a.jar", &jar), ("b.class", b"\xca\xfe")])),
        ("/a-1.0.jar", jar),
        (
            "/package-lock.json",
            text(
                r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"2"}}}}}"#,
            ),
        ),
        ("/bun.lock", text(r#"{"packages":{"a":["a@1.0.0","",{},"x",],},}"#)),
        ("/yarn.lock", text("\"a@npm:b@1\", \"c@2\":\n  version \"1.0.0\"\n\nd@^1:\n  version \"1.0\"\n")),
        (
            "/pnpm-lock.yaml",
            text(
                "lockfileVersion: '9.0'\npackages:\n  '@a/b@1.0.0(c@1)':\n    resolution: {x: y}\n  ? \"d@1\"\n  : name: e\n",
            ),
        ),
        ("/requirements.txt", text("a[b]==1.0; c \\\n --hash=d # e\nf===2\n")),
        ("/poetry.lock", text("[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { type = \"git\" }\n")),
        ("/Gemfile.lock", text("GEM\n  specs:\n    a (1.0-java)\n      b (>= 1)\n")),
        (
            "/specifications/a-1.gemspec",
            text("# stub: a 1 ruby lib\n s.version = \"1\".freeze\n s.licenses = ['x', 'y']\n"),
        ),
        (
            "/composer.lock",
            text(r#"{"packages":[{"name":"a/b","version":"v1","license":["x"],"dist":{"type":"zip"}}]}"#),
        ),
        (
            "/a.csproj",
            text(
                "<Project><PackageReference Include=\"a\"><Version>1&amp;</Version></PackageReference></Project>",
            ),
        ),
        ("/a.deps.json", text(r#"{"libraries":{"a/1":{"type":"package"}}}"#)),
        ("/a.dist-info/METADATA", text("Name: a\nVersion: 1\nLicense: x\n y\n\nz")),
    ]
}

#[test]
fn nothing_nests_without_end() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    for path in PATHS {
        for text in [
            deep("[", "]"),
            deep(r#"{"dependencies":{"a":"#, "}}"),
            deep(r#"{"packages":"#, "}"),
            format!(r#"{{"license":{}}}"#, deep("[", "]")),
            format!("package = {}", deep("[", "]")),
            deep("<a>", "</a>"),
            deep("  a:\n", ""),
            deep("? ", ": "),
        ] {
            let (found, _) = found(path, text.as_bytes());
            assert!(found.len() < 10, "{path}");
        }
    }
}

#[test]
fn packages_have_a_bound_that_is_told() {
    let pins: String = (0..100_010).map(|number| format!("a{number}==1\n")).collect();
    let (found, _) = found("/requirements.txt", pins.as_bytes());
    assert_eq!(found.len(), 100_001);
    assert!(format!("{:?}", found.last()).contains("100000"));
}

#[test]
fn long_names_are_left_out_and_told() {
    let (found, _) = found("/requirements.txt", format!("{}==1\nb==1\n", "a".repeat(1000)).as_bytes());
    assert_eq!(found.len(), 2, "{found:?}");
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for path in PATHS {
            prop_assert!(found(path, &bytes).0.len() < 100);
        }
    }

    #[test]
    fn changed_files(which in 0usize..14, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>()) {
        let good = good();
        let (path, bytes) = good.get(which).expect("one for each number");
        let mut bytes = bytes.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert!(found(path, &bytes).0.len() < 100);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(found(path, &bytes).0.len() < 100);
    }
}
