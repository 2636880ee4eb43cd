//! Ruby: `Gemfile.lock` of Bundler, and the specifications that RubyGems writes for what it installs.

mod gemfile_lock;
mod gemspec;

use crate::{Class, Format};

/// The formats of Ruby.
pub const FORMATS: &[Format] = &[
    Format {
        name: "Gemfile.lock",
        class: Class::Language,
        claims: |claim| {
            (claim.path.ends_with(b"/Gemfile.lock") || claim.path.ends_with(b"/gems.locked"))
                && !gemfile_lock::in_installed_gem(claim.path)
        },
        read: gemfile_lock::read,
    },
    Format {
        name: "gemspec",
        class: Class::Language,
        claims: |claim| claim.path.ends_with(b".gemspec") && gemspec::is_installed(claim.path),
        read: gemspec::read,
    },
];
