//! The package managers, and what all of them can be asked for.

use std::{collections::BTreeMap, process::Command};

use super::{apk, apt, dnf, pacman, zypper};
use crate::{
    outcome::Failure,
    system::{Ended, System, Tools, restart_pending},
};

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Debian, Ubuntu and what descends from them.
    Apt,
    /// Fedora, Red Hat Enterprise Linux 8 and later, and what descends from them; version 4 and version 5.
    Dnf,
    /// SUSE.
    Zypper,
    /// Arch Linux and what descends from it.
    Pacman,
    /// Alpine.
    Apk,
}

/// What is installed, by name.
pub(crate) type Installed = BTreeMap<String, Versions>;

/// The installed versions of a package: more than one of a kernel, where the package manager keeps some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The versions, as they are listed.
    pub(crate) versions: Vec<String>,
    /// It is there, but not whole: its installation failed on the way.
    pub(super) broken: bool,
    /// It is to stay as it is: the administrator of the device put it on hold.
    pub(super) held: bool,
}

/// An update of an installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Available {
    /// Name of the package, as in [`Installed`].
    pub(super) name: String,
    /// The newest version.
    pub(super) version: String,
    /// It closes a hole, as far as the package manager can tell.
    pub(super) security: bool,
    /// Why the package manager does not want to install it now.
    pub(super) kept_back: Option<String>,
}

/// What can be updated.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// The updates.
    pub(super) updates: Vec<Available>,
    /// The package manager knows of updates that close holes, so that those of which it does not say so do not.
    pub(super) tells_security: bool,
}

/// What is to be updated, and what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Only what closes a hole.
    pub(super) security_only: bool,
    /// To be installed.
    pub(super) wanted: Vec<Available>,
    /// To stay as they are.
    pub(super) unwanted: Vec<Available>,
}

impl Selection {
    /// Chooses from what can be updated.
    pub(super) fn new(updates: Vec<Available>, security_only: bool) -> Self {
        let is_wanted =
            |update: &Available| update.kept_back.is_none() && (update.security || !security_only);
        let (wanted, unwanted) = updates.into_iter().partition(is_wanted);
        Self { security_only, wanted, unwanted }
    }
}

/// Program, the distributions whose package manager it is, and the package manager.
const KNOWN: [(&str, &[&str], Manager); 6] = [
    ("apt-get", &["debian", "ubuntu"], Manager::Apt),
    ("dnf", &["fedora", "rhel", "centos"], Manager::Dnf),
    ("dnf5", &["fedora", "rhel", "centos"], Manager::Dnf),
    ("zypper", &["suse", "opensuse", "sles", "sled"], Manager::Zypper),
    ("pacman", &["arch", "archlinux"], Manager::Pacman),
    ("apk", &["alpine"], Manager::Apk),
];

/// Folders by which a system shows that its packages come as one image, with what updates such a system.
const IMAGES: [(&str, &str); 3] = [
    ("/run/ostree-booted", "rpm-ostree or bootc"),
    ("/usr/sbin/transactional-update", "transactional-update"),
    ("/run/current-system/nixos-version", "nixos-rebuild"),
];

impl Manager {
    /// The package manager of a system: its program is there, and the distribution is one of its own. A `dnf` or an `apt`
    /// on a distribution of another family does not keep that system.
    ///
    /// # Errors
    /// There is none that is known.
    pub(crate) fn detect(system: &System) -> Result<Self, Failure> {
        if let Some((_, what)) = IMAGES.iter().find(|(path, _)| system.exists(path)) {
            let reason = format!(
                "the packages of this system come as one image; update it with {what}, for example by RunCommand"
            );
            return Err(Failure::new("IMAGE_BASED_SYSTEM", reason));
        }
        let distributions = system.distributions();
        let of_family = |families: &[&str], id: &str| {
            families.contains(&id) || (id.starts_with("opensuse") && families.contains(&"opensuse"))
        };
        for id in &distributions {
            let mut fitting = KNOWN.iter().filter(|(_, families, _)| of_family(families, id));
            if let Some((_, _, manager)) = fitting.find(|(program, _, _)| system.program(program).is_some()) {
                return Ok(*manager);
            }
        }
        let known = "apt, dnf, zypper, pacman, apk";
        let reason = format!(
            "no package manager that this agent knows ({known}) keeps this system, {}",
            if distributions.is_empty() {
                "which does not say what it is".to_owned()
            } else {
                distributions.join(", ")
            }
        );
        Err(Failure::new("NO_PACKAGE_MANAGER", reason))
    }

    /// Its name in results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Dnf => "dnf",
            Self::Zypper => "zypper",
            Self::Pacman => "pacman",
            Self::Apk => "apk",
        }
    }

    /// Repairs what an interrupted installation left, and asks all repositories; answers the exit code.
    pub(super) fn refresh(self, tools: &Tools<'_>) -> Result<i32, Failure> {
        match self {
            Self::Apt => apt::refresh(tools),
            Self::Dnf => dnf::refresh(tools),
            Self::Zypper => zypper::refresh(tools),
            Self::Pacman => pacman::refresh(tools),
            Self::Apk => apk::refresh(tools),
        }
    }

    /// What is installed.
    pub(crate) fn installed(self, tools: &Tools<'_>) -> Result<Installed, Failure> {
        match self {
            Self::Apt => apt::installed(tools),
            Self::Dnf | Self::Zypper => super::rpm::installed(tools),
            Self::Pacman => pacman::installed(tools),
            Self::Apk => apk::installed(tools),
        }
    }

    /// What can be updated.
    pub(super) fn offer(self, tools: &Tools<'_>, installed: &Installed) -> Result<Offer, Failure> {
        match self {
            Self::Apt => apt::offer(tools, installed),
            Self::Dnf => dnf::offer(tools),
            Self::Zypper => zypper::offer(tools),
            Self::Pacman => pacman::offer(tools),
            Self::Apk => apk::offer(tools),
        }
    }

    /// Fetches what is needed without changing the system; answers the exit code.
    pub(super) fn download(self, tools: &Tools<'_>, selection: &Selection) -> Result<i32, Failure> {
        match self {
            Self::Apt => apt::download(tools, selection),
            Self::Dnf => dnf::download(tools, selection),
            Self::Zypper => zypper::download(tools, selection),
            Self::Pacman => pacman::download(tools),
            Self::Apk => Ok(0),
        }
    }

    /// Installs. An error says that it is not known how that ended.
    pub(super) fn install(self, tools: &Tools<'_>, selection: &Selection) -> Result<Ended, Failure> {
        match self {
            Self::Apt => apt::install(tools, selection),
            Self::Dnf => dnf::install(tools, selection),
            Self::Zypper => zypper::install(tools, selection),
            Self::Pacman => pacman::install(tools),
            Self::Apk => apk::install(tools),
        }
    }

    /// The command that removes these packages and no others: it refuses where another one needs them.
    pub(crate) fn removal(self, tools: &Tools<'_>, packages: &[String]) -> Command {
        let mut command = match self {
            Self::Apt => apt::removal(tools),
            Self::Dnf | Self::Zypper => super::rpm::removal(tools),
            Self::Pacman => pacman::removal(tools),
            Self::Apk => apk::removal(tools),
        };
        command.args(packages);
        command
    }

    /// Whether a command ended because another one holds the lock of any of the package managers.
    pub(crate) fn is_busy(ended: &Ended) -> bool {
        [apt::is_busy, super::rpm::is_busy, pacman::is_busy, apk::is_busy]
            .iter()
            .any(|is_busy| is_busy(ended))
    }

    /// Whether an installation that ended with this exit code went well.
    pub(super) fn succeeded(self, code: i32) -> bool {
        match self {
            Self::Zypper => zypper::succeeded(code),
            _ => code == 0,
        }
    }

    /// Why the device should restart, if it should.
    pub(super) fn restart_pending(self, tools: &Tools<'_>) -> Option<String> {
        let asked = match self {
            Self::Apt => apt::restart_pending(tools.system),
            Self::Dnf => dnf::restart_pending(tools),
            Self::Zypper => zypper::restart_pending(tools),
            Self::Pacman | Self::Apk => None,
        };
        let running = rustix::system::uname();
        asked.or_else(|| restart_pending(tools.system, &running.release().to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn program_and_distribution_must_fit() {
        let ubuntu = "ID=ubuntu\nID_LIKE=debian\n";
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        let table: [(&str, &[&str], Result<Manager, &str>); 14] = [
            (ubuntu, &["usr/bin/apt-get"], Ok(Manager::Apt)),
            (mint, &["usr/bin/dnf", "usr/bin/apt-get"], Ok(Manager::Apt)),
            ("ID=debian\n", &["usr/bin/zypper", "usr/bin/dnf"], Err("NO_PACKAGE_MANAGER")),
            ("ID=fedora\n", &["usr/bin/dnf5"], Ok(Manager::Dnf)),
            (
                "ID=rocky\nID_LIKE=\"rhel centos fedora\"\n",
                &["usr/bin/dnf", "usr/bin/apt-get"],
                Ok(Manager::Dnf),
            ),
            ("ID=fedora\n", &["usr/bin/apt-get"], Err("NO_PACKAGE_MANAGER")),
            ("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\n", &["usr/bin/zypper"], Ok(Manager::Zypper)),
            ("ID=opensuse-tumbleweed\n", &["usr/bin/zypper"], Ok(Manager::Zypper)),
            ("ID=manjaro\nID_LIKE=arch\n", &["usr/bin/pacman"], Ok(Manager::Pacman)),
            ("ID=alpine\n", &["sbin/apk"], Ok(Manager::Apk)),
            ("ID=alpine\n", &["usr/local/bin/apk"], Err("NO_PACKAGE_MANAGER")),
            ("", &["usr/bin/apt-get"], Err("NO_PACKAGE_MANAGER")),
            ("ID=fedora\n", &["usr/bin/dnf", "run/ostree-booted"], Err("IMAGE_BASED_SYSTEM")),
            (
                "ID=opensuse-microos\n",
                &["usr/bin/zypper", "usr/sbin/transactional-update"],
                Err("IMAGE_BASED_SYSTEM"),
            ),
        ];
        for (release, files, expected) in table {
            let root = tempfile::tempdir().expect("a folder");
            let system = System::new(root.path());
            for file in [&["etc/os-release"], files].concat() {
                let path = system.path(file);
                fs::create_dir_all(path.parent().expect("a parent")).expect("made");
                fs::write(&path, release).expect("written");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
            }
            let found = Manager::detect(&system).map_err(|failure| failure.code);
            assert_eq!(found, expected, "{release} {files:?}");
        }
    }
}
