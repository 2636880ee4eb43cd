//! Java: archives, and archives in them.
//!
//! A Maven package is `group:artifact`. Maven writes both into each archive it builds (`META-INF/maven`), and tools that put
//! several archives into one keep that: each is a package. Other tools (Gradle, Ant) write the artifact at best. Then the
//! group is taken from where it can only be right (`identity.rs`); where there is none, the name is the artifact alone,
//! which no advisory is about.
//!
//! Archives are known by the ends of their names, and opened five levels deep. Modules of the JDK
//! (`.jmod`) have no packages in them.

mod archive;
mod bytes;
mod groups;
mod identity;
mod manifest;
mod pom;
mod scan;

use crate::{Class, Format};

/// The formats of Java.
pub const FORMATS: &[Format] = &[
    Format {
        name: "java-archive",
        class: Class::Language,
        claims: |claim| is_archive(claim.path),
        read: scan::read,
    },
    Format {
        name: "pom.properties",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/pom.properties") && pom::folder(claim.path).is_some(),
        read: pom::read,
    },
];

/// Whether the name is that of an archive of Java classes: libraries, web and enterprise applications, plugins of servers.
fn is_archive(path: &[u8]) -> bool {
    let Some((stem, extension)) = path.len().checked_sub(4).and_then(|at| path.split_at_checked(at)) else {
        return false;
    };
    extension.starts_with(b".")
        && stem.last().is_some_and(|last| *last != b'/')
        && [b".jar", b".war", b".ear", b".par", b".sar", b".hpi", b".jpi", b".nar", b".kar"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(*known))
}
