//! Good files of the formats of languages.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

const NPM_1: &str = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"npm:c@2"}}}}}"#;
const NPM_3: &str =
    r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/@a/b":{"version":"1.0.0","license":"MIT"}}}"#;
const YARN_1: &str =
    "# yarn lockfile v1\n\n\"a@npm:b@1\", \"c@2\":\n  version \"1.0.0\"\n\nd@^1:\n  version \"1.0\"\n";
const YARN_2: &str =
    "__metadata:\n  version: 8\n\n\"a@npm:^1, a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n";
const PNPM_5: &str =
    "lockfileVersion: 5.4\npackages:\n  /@a/b/1.0.0_c@2:\n    resolution: {integrity: x}\n    dev: true\n";
const PNPM_9: &str = "lockfileVersion: '9.0'\npackages:\n  '@a/b@1.0.0(c@1)':\n    deprecated: |-\n      x: y\n  ? \"d@1\"\n  : name: e\n";
const BUN: &str = r#"{"packages":{"a":["a@1.0.0","",{},"x",],},}"#;
const PYTHON: &str = "Metadata-Version: 2.1\nName: A_b\nVersion: 1\nLicense: x\n y\nClassifier: License :: OSI Approved :: MIT\n\nz";
const REQUIREMENTS: &str = "a[b]==1.0; c \\\n --hash=d # e\nf===2\n-r g\n";
const POETRY: &str = "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { type = \"git\" }\n";
const PYLOCK: &str = "[[packages]]\nname = \"a\"\nversion = \"1\"\n";
const PIPFILE: &str = r#"{"_meta":{"sources":[]},"default":{"a":{"version":"==1"}},"develop":{}}"#;
const GEMFILE: &str = "GEM\n  specs:\n    a (1.0-java)\n      b (>= 1)\n\nPATH\n  specs:\n    c (1)\n";
const GEMSPEC: &str = "# stub: a 1 ruby lib\n s.version = \"1\".freeze\n s.licenses = ['x', 'y']\n";
const COMPOSER: &str =
    r#"{"packages":[{"name":"a/b","version":"v1","license":["x"],"dist":{"type":"zip"}}]}"#;
const NUGET: &str = r#"{"dependencies":{"net6.0":{"A":{"type":"Direct","resolved":"1"}}}}"#;
const LIBRARIES: &str =
    r#"{"libraries":{"a/1":{"type":"package"},"runtimepack.b/2":{"type":"runtimepack"}}}"#;
const PACKAGES_CONFIG: &str =
    "<?xml version=\"1.0\"?><packages><package id=\"a\" version=\"1\" /></packages>";
const PROJECT: &str =
    "<Project><PackageReference Include=\"a\"><Version>1</Version></PackageReference><!-- --></Project>";
const PROPERTIES: &str = "#Maven\nversion=1\ngroupId=g\nartifactId=a\n";
const POM: &str =
    "<project><parent><groupId>g</groupId><version>2</version></parent><artifactId>b</artifactId></project>";

/// The path and the bytes of a file of each kind.
pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let jar = archive(&[
        ("META-INF/MANIFEST.MF", b"Implementation-Title: c\nImplementation-Version: 1.0\n"),
        ("META-INF/maven/g/a/pom.properties", PROPERTIES.as_bytes()),
        ("META-INF/maven/g/b/pom.xml", POM.as_bytes()),
    ]);
    let texts = [
        ("/package-lock.json", NPM_1),
        ("/npm-shrinkwrap.json", NPM_3),
        ("/node_modules/.package-lock.json", NPM_3),
        ("/node_modules/a/package.json", r#"{"name":"a","version":"1","licenses":[{"type":"x"}]}"#),
        ("/1/yarn.lock", YARN_1),
        ("/2/yarn.lock", YARN_2),
        ("/5/pnpm-lock.yaml", PNPM_5),
        ("/9/pnpm-lock.yaml", PNPM_9),
        ("/bun.lock", BUN),
        ("/a.dist-info/METADATA", PYTHON),
        ("/requirements.txt", REQUIREMENTS),
        ("/poetry.lock", POETRY),
        ("/uv.lock", POETRY),
        ("/pdm.lock", POETRY),
        ("/pylock.toml", PYLOCK),
        ("/Pipfile.lock", PIPFILE),
        ("/META-INF/maven/g/a/pom.properties", PROPERTIES),
        ("/Gemfile.lock", GEMFILE),
        ("/specifications/a-1.gemspec", GEMSPEC),
        ("/composer.lock", COMPOSER),
        ("/composer/installed.json", COMPOSER),
        ("/packages.lock.json", NUGET),
        ("/a.deps.json", LIBRARIES),
        ("/project.assets.json", LIBRARIES),
        ("/packages.config", PACKAGES_CONFIG),
        ("/a.csproj", PROJECT),
    ];
    let mut seeds: Vec<_> = texts.into_iter().map(|(path, text)| (path, text.as_bytes().to_vec())).collect();
    seeds.push(("/a-1.0.war", archive(&[("lib/a.jar", &jar), ("b.class", b"\xca\xfe")])));
    seeds.push(("/d-1.0.jar", jar));
    seeds
}

/// An archive of these entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a new entry");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}
