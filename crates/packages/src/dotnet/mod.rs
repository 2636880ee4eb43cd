//! .NET: what NuGet restored for a project, and what was published with a program.
//!
//! NuGet does not regard the case of names; they are told as they stand.

mod json_files;
mod xml_files;

use crate::{Class, Format};

/// The formats of .NET.
pub const FORMATS: &[Format] = &[
    Format {
        name: "packages.lock.json",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/packages.lock.json"),
        read: json_files::read_lock,
    },
    Format {
        name: "deps.json",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b".deps.json"),
        read: json_files::read_deps,
    },
    Format {
        name: "project.assets.json",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/project.assets.json"),
        read: json_files::read_assets,
    },
    Format {
        name: "packages.config",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b"/packages.config"),
        read: xml_files::read_packages_config,
    },
    Format {
        name: "dotnet-project",
        class: Class::Language,
        claims: |claim| {
            claim.path.ends_with(b"proj")
                && [b".csproj", b".fsproj", b".vbproj"].iter().any(|end| claim.path.ends_with(*end))
                || claim.path.ends_with(b"/Directory.Packages.props")
        },
        read: xml_files::read_project,
    },
];
