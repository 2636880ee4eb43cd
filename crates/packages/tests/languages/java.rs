//! Archives as Maven, Gradle and Spring Boot make them, written with the `zip` crate.

use std::io::{Cursor, Write};

use guardhouse_packages::{Found, Origin};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::support::{format, found, names, packages, refusal};

/// An archive of these entries, compressed.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    write(CompressionMethod::Deflated, false, entries)
}

/// An archive of these entries as they are, as Spring Boot keeps libraries.
fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    write(CompressionMethod::Stored, false, entries)
}

fn write(method: CompressionMethod, large: bool, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method).large_file(large);
        writer.start_file(*name, options).expect("a new entry");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn properties(group: &str, artifact: &str, version: &str) -> (String, String) {
    let name = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    (name, format!("#Created by Apache Maven\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"))
}

fn log4j() -> Vec<u8> {
    let (name, text) = properties("org.apache.logging.log4j", "log4j-core", "2.14.1");
    archive(&[
        ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n"),
        (&name, text.as_bytes()),
        ("org/A.class", b"\xca\xfe"),
    ])
}

const LOG4J: &str = "org.apache.logging.log4j:log4j-core 2.14.1";

#[test]
fn what_maven_marked() {
    for path in [
        "/lib/log4j-core-2.14.1.jar",
        "/lib/renamed.jar",
        "/lib/OTHER.JAR",
        "/lib/log4j-core-2.14.1-tests.hpi",
    ] {
        assert_eq!(names(path, log4j()), [LOG4J], "{path}");
    }
    let found = packages("/lib/a.jar", &log4j());
    assert_eq!((found[0].origin, found[0].inside.len()), (Origin::Installed, 0));
    for (path, claimed) in
        [("/a.war", true), ("/a.ear", true), ("/a.zip", false), ("/jar", false), ("/.jar", false)]
    {
        assert_eq!(format(path).is_some(), claimed, "{path}");
    }
}

#[test]
fn several_in_one() {
    let (a, a_text) = properties("g", "a", "1.0");
    let (b, b_text) = properties("g", "b", "2.0");
    let (c, c_text) = properties("g", "c", "3.0");
    let jar = archive(&[
        (&a, a_text.as_bytes()),
        (&b, b_text.as_bytes()),
        (&format!("BOOT-INF/classes/{c}"), c_text.as_bytes()),
    ]);
    assert_eq!(names("/app-1.0.jar", jar), ["g:a 1.0", "g:b 2.0", "g:c 3.0"]);
}

#[test]
fn a_project_file_without_properties() {
    let pom = "<project><parent><groupId>g</groupId><version>1.5</version></parent><artifactId>a</artifactId></project>";
    let jar = archive(&[("META-INF/maven/g/a/pom.xml", pom.as_bytes())]);
    assert_eq!(names("/a-1.5.jar", jar), ["g:a 1.5"]);
    let jar = archive(&[
        ("META-INF/maven/g/a/pom.properties", b"version=${revision}"),
        ("META-INF/maven/g/a/pom.xml", pom.as_bytes()),
    ]);
    assert_eq!(names("/a-1.5.jar", jar), ["g:a 1.5"]);
    assert_eq!(
        names("/x/META-INF/maven/g/a/pom.properties", "version=1\ngroupId=g\nartifactId=a\n"),
        ["g:a 1"]
    );
}

#[test]
fn archives_without_maven() {
    let manifest =
        b"Manifest-Version: 1.0\nImplementation-Title: spring-core\nImplementation-Version: 5.3.17\n";
    let jar = archive(&[("META-INF/MANIFEST.MF", manifest), ("org/springframework/core/A.class", b"")]);
    assert_eq!(names("/lib/spring-core-5.3.17.jar", &jar), ["org.springframework:spring-core 5.3.17"]);
    assert_eq!(names("/lib/spring.jar", &jar), ["org.springframework:spring-core 5.3.17"]);
    // Without the classes, only the artifact is known.
    assert_eq!(names("/lib/spring-core-5.3.17.jar", archive(&[])), ["spring-core 5.3.17"]);
    assert_eq!(names("/lib/unknown.jar", archive(&[])), [""; 0]);
    let (asm, asm_text) = properties("org.ow2.asm", "asm", "9.0");
    let shaded = archive(&[(&asm, asm_text.as_bytes()), ("org/springframework/core/A.class", b"")]);
    assert_eq!(
        names("/lib/spring-core-5.3.17.jar", shaded),
        ["org.ow2.asm:asm 9.0", "org.springframework:spring-core 5.3.17"]
    );
}

#[test]
fn archives_in_archives() {
    let jar = log4j();
    for outer in [stored, archive] {
        let war = outer(&[("WEB-INF/lib/log4j-core-2.14.1.jar", &jar)]);
        let ear = outer(&[("web.war", &war)]);
        let found = packages("/app.ear", &ear);
        let [package] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(package.inside, ["web.war", "WEB-INF/lib/log4j-core-2.14.1.jar"]);
    }
}

#[test]
fn scripts_before_and_bytes_behind() {
    let mut jar = b"#!/bin/bash\nexec java -jar \"$0\"\nPK\x05\x06 PK\x01\x02\n".to_vec();
    jar.extend(stored(&[("BOOT-INF/lib/log4j-core-2.14.1.jar", &log4j())]));
    assert_eq!(names("/app.jar", &jar), [LOG4J]);
    jar.extend_from_slice(b"\nsignature PK\x05\x06");
    assert_eq!(names("/app.jar", &jar), [LOG4J]);
}

#[test]
fn more_than_32_bits_and_many_entries() {
    let (name, text) = properties("g", "a", "1.0");
    let large = write(CompressionMethod::Deflated, true, &[(&name, text.as_bytes())]);
    assert_eq!(names("/a.jar", large), ["g:a 1.0"]);
    // More than 65,535 entries need the 64-bit record of the end.
    let classes: Vec<String> = (0..70_000).map(|number| format!("c/{number}.class")).collect();
    let mut entries: Vec<(&str, &[u8])> = classes.iter().map(|name| (name.as_str(), &b""[..])).collect();
    entries.push((&name, text.as_bytes()));
    let mut jar = b"#!/bin/sh\n".to_vec();
    jar.extend(stored(&entries));
    assert_eq!(names("/a.jar", jar), ["g:a 1.0"]);
}

#[test]
fn depth_has_a_bound_that_is_told() {
    let mut jar = log4j();
    for level in 0..4 {
        jar = archive(&[(&format!("{level}.jar"), &jar)]);
    }
    assert_eq!(names("/a.jar", &jar), [LOG4J]);
    let (found, result) = found("/a.jar", &archive(&[("4.jar", &jar)]));
    assert!(result.is_ok());
    let [Found::Limit(what)] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        what.starts_with("in 4.jar in 3.jar in 2.jar in 1.jar: 0.jar was not read")
            && what.contains("5 levels"),
        "{what}"
    );
}

#[test]
fn bombs_are_told_and_the_rest_is_read() {
    let bomb = archive(&[("zeros.jar", &vec![0; 8 << 20]), ("good.jar", &log4j())]);
    let (found, result) = found("/a.jar", &bomb);
    assert!(result.is_ok());
    let [Found::Limit(what), Found::Package(package)] = found.as_slice() else { panic!("{found:?}") };
    assert!(what.contains("zeros.jar") && what.contains("200 times"), "{what}");
    assert_eq!(package.inside, ["good.jar"]);
}

#[test]
fn an_archive_that_is_its_own_library_ends() {
    // The entry's bytes are the whole file: an offset of 0 and the length of everything.
    let mut jar = stored(&[("self.jar", &[b'x'; 8]), ("self2.jar", &[b'x'; 8]), ("self3.jar", &[b'x'; 8])]);
    let length = u32::try_from(jar.len()).expect("short").to_le_bytes();
    let central: Vec<usize> = (0..jar.len() - 4).filter(|at| jar[*at..].starts_with(b"PK\x01\x02")).collect();
    let local = 30 + "self.jar".len();
    for at in central {
        let rest = u32::try_from(jar.len() - local - 8).expect("short").to_le_bytes();
        jar[at + 20..at + 24].copy_from_slice(&rest);
        jar[at + 24..at + 28].copy_from_slice(&length);
        jar[at + 42..at + 46].copy_from_slice(&0u32.to_le_bytes());
    }
    let (found, _) = found("/a.jar", &jar);
    assert!(found.iter().all(|found| matches!(found, Found::Limit(_))), "{found:?}");
}

#[test]
fn what_is_no_archive_is_told() {
    for bytes in [&b""[..], b"PK", b"hello", &[0; 100_000]] {
        assert!(refusal("/a.jar", bytes).contains("ZIP"), "{bytes:?}");
    }
    let jar = log4j();
    assert!(refusal("/a.jar", &jar[..jar.len() - 30]).contains("ZIP"));
    // A library that is damaged does not hide the others.
    let (found, result) = found("/a.jar", &archive(&[("bad.jar", b"hello"), ("good.jar", &jar)]));
    assert!(result.is_ok());
    assert!(
        matches!(&found[..], [Found::Limit(what), Found::Package(_)] if what.starts_with("bad.jar was not read")),
        "{found:?}"
    );
}
