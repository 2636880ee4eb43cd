//! What the scanning process tells its parent: one JSON object per line.

use guardhouse_image::{FilePath, tree::Os, volume::Refusal};
use guardhouse_packages::Package;
use serde::{Deserialize, Serialize};

/// Something the scanner tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The target is open.
    Opened {
        /// [`guardhouse_image::target::TargetKind`] as a word.
        kind: String,
        /// As the guest sees it, in bytes.
        size: u64,
        /// Things to tell.
        notes: Vec<String>,
    },
    /// A part of the target.
    Volume {
        /// See [`guardhouse_image::Volume::place`].
        place: String,
        /// In bytes.
        size: u64,
        /// `ext4`, `swap`, `lvm2`; what was refused.
        content: String,
        /// Why it is not scanned.
        refusal: Option<Refusal>,
        /// Things to tell.
        notes: Vec<String>,
    },
    /// A system. They are numbered from 0 in the order of these events.
    System {
        /// The volume of its root.
        place: String,
        /// Which operating system.
        os: Option<Os>,
        /// Things to tell.
        notes: Vec<String>,
    },
    /// A package of a system.
    Package {
        /// Which system.
        system: usize,
        /// The file that names it.
        path: FilePath,
        /// Which format was read.
        format: String,
        /// The package.
        package: Package,
    },
    /// Something was not read, or not wholly.
    Problem {
        /// Which kind.
        kind: Trouble,
        /// Which system; `None` when it is about the target.
        system: Option<usize>,
        /// Which file; `None` when it is about all of them.
        path: Option<FilePath>,
        /// What is the matter, in a sentence.
        message: String,
    },
    /// How far a project is.
    Progress {
        /// Which.
        project: Project,
        /// 0 to 100; never falls, and 100 only at its end.
        percent: u8,
    },
    /// Every file was offered, but for those that are suspected of having killed an earlier scanner: they come now.
    Walked {
        /// See [`Event::Done`].
        files: u64,
        /// See [`Event::Done`].
        bytes: u64,
        /// See [`Event::Done`].
        bytes_read: u64,
    },
    /// The walk is over, and everything was told. A scanner that ends without this has failed.
    Done {
        /// Files of every kind, folders included.
        files: u64,
        /// The sum of the lengths of regular files, in bytes.
        bytes: u64,
        /// How many of these bytes were read.
        bytes_read: u64,
    },
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// A file or folder cannot be read.
    Unreadable,
    /// A file is not what its name promises.
    Malformed,
    /// A bound was reached.
    Limit,
    /// An analyser or a reader failed in a way that its author did not foresee. What it would have said is missing.
    Panicked,
}

/// The projects of a scan, in the words of the agentless API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Project {
    /// Vulnerable packages of the system.
    Vul,
    /// Vulnerable packages of languages.
    ScaVul,
}

impl Project {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Vul, Self::ScaVul];

    /// Its name, as it is written everywhere: one of [`PROJECT_NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vul => "vul",
            Self::ScaVul => "scaVul",
        }
    }

    /// The project of a name; `None` for one that does not exist (yet).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|project| project.name() == name)
    }
}

/// The names of all projects that the agentless API has, in its order. Those without a [`Project`] are not built yet: a
/// report names them as not run, and the progress of a scan leaves them out.
pub const PROJECT_NAMES: [&str; 7] =
    ["scaVul", "binary", "baseline", "vul", "webshell", "script", "sensitiveInfo"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_project_has_one_of_the_names() -> Result<(), serde_json::Error> {
        for project in Project::ALL {
            assert!(PROJECT_NAMES.contains(&project.name()), "{project:?}");
            assert_eq!(Project::named(project.name()), Some(project));
            assert_eq!(serde_json::to_value(project)?, project.name());
        }
        assert_eq!(Project::named("binary"), None);
        Ok(())
    }
}
