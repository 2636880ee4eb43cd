//! Files that go too far: what is cut off is told. Random and damaged files are the business of `fuzzing`.

use crate::support::{found, refusal};

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

#[test]
fn what_is_written_in_another_way_is_told() {
    let flow = "lockfileVersion: '9.0'\npackages: {a@1.0.0: {resolution: {integrity: x}}}\n";
    assert!(refusal("/pnpm-lock.yaml", flow).contains("in braces"));
    let (packages, read) = found("/pnpm-lock.yaml", b"lockfileVersion: '9.0'\npackages: {}\n");
    assert!(packages.is_empty() && read.is_ok());
    let lock = "GEM\n  specs:\n    rack (2.0.1)\n    ((((\n    rake (13.0.0)\n";
    assert!(refusal("/Gemfile.lock", lock).contains("line 4"));
    assert_eq!(found("/Gemfile.lock", lock.as_bytes()).0.len(), 2);
}
