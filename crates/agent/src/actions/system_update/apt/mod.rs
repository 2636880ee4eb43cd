//! apt, with dpkg below it.
//!
//! Which updates close a hole is told by the release files of the repositories: those of Debian's and Ubuntu's security
//! archives say so. Updates that are not wanted are pinned to what is installed, for this one command: `apt-get install`
//! with the names of those that are wanted would mark them as installed by hand.

mod plan;
mod policy;

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
    path::Path,
    process::Command,
};

use rustix::io::{FdFlags, fcntl_setfd};

use super::{
    diagnosis::of_step,
    manager::{Installed, Offer, Selection, Versions},
};
use crate::{
    durable::PRIVATE_FILE,
    outcome::Failure,
    system::{Ended, Stop, System, Tools, command},
    workplace::Workplace,
};

/// Questions are not asked: configuration files that the administrator changed stay as they are, new ones come as the
/// package has them.
const ANSWERS: [&str; 2] = ["--force-confdef", "--force-confold"];

/// A program of apt or dpkg that asks nobody anything. Services that use replaced libraries are started again where
/// needrestart is installed.
fn program(tools: &Tools<'_>, name: &str) -> Command {
    let path = tools.system.program(name).unwrap_or_else(|| Path::new("/usr/bin").join(name));
    let mut command = command(tools.system, path);
    command.envs([
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("DEBIAN_PRIORITY", "critical"),
        ("APT_LISTCHANGES_FRONTEND", "none"),
        ("APT_LISTBUGS_FRONTEND", "none"),
        ("UCF_FORCE_CONFFOLD", "1"),
        ("NEEDRESTART_MODE", "a"),
    ]);
    command
}

fn apt_get(tools: &Tools<'_>) -> Command {
    let mut command = program(tools, "apt-get");
    command.args(["-q", "-y", "-o", "Dpkg::Use-Pty=0"]);
    command.args(ANSWERS.iter().flat_map(|answer| ["-o".to_owned(), format!("Dpkg::Options::={answer}")]));
    command
}

pub(super) fn is_busy(ended: &Ended) -> bool {
    let marks = ["Could not get lock", "Unable to lock", "Unable to acquire the dpkg frontend lock"];
    let dpkg = "was locked by another process";
    ended.code != 0 && (marks.iter().any(|mark| ended.said.contains(mark)) || ended.said.contains(dpkg))
}

/// Completes what an interrupted dpkg left, then asks all repositories.
pub(super) fn refresh(tools: &Tools<'_>) -> Result<i32, Failure> {
    let mut dpkg = program(tools, "dpkg");
    dpkg.args(ANSWERS).args(["--configure", "-a"]);
    // A package that cannot be configured is named by the installation, too: others may be updated beside it.
    tools.run_when_free(&mut dpkg, Stop::Never, is_busy, &mut || {})?;

    let mut update = apt_get(tools);
    // apt 2.1 and later; earlier ones only warn, and say so in lines of their own.
    update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
    let ended = tools.run_when_free(&mut update, Stop::AtAnyTime, is_busy, &mut || {})?;
    let unreachable = ended.said.lines().any(|line| line.starts_with("W: Failed to fetch"));
    match ended.code {
        0 if !unreachable => Ok(0),
        _ => Err(of_step("asking the repositories for updates", &ended)),
    }
}

/// What dpkg has.
pub(super) fn installed(tools: &Tools<'_>) -> Result<Installed, Failure> {
    let native = tools.query(program(tools, "dpkg").arg("--print-architecture"))?;
    let format = r"${Package}\t${Architecture}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\n";
    let ended = tools.query(program(tools, "dpkg-query").args(["-W", "-f", format]))?;
    match (ended.code, native.code) {
        (0, 0) => Ok(read_installed(&ended.said, native.said.trim())),
        _ => Err(of_step("reading what is installed", &ended)),
    }
}

fn read_installed(text: &str, native: &str) -> Installed {
    let mut installed = Installed::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, architecture, version, want, status] = fields[..] else { continue };
        // What is left of them is configuration, at most.
        if ["not-installed", "config-files"].contains(&status) {
            continue;
        }
        let is_native = architecture == native || architecture == "all";
        let name = if is_native { name.to_owned() } else { format!("{name}:{architecture}") };
        let whole = ["installed", "triggers-awaited", "triggers-pending"].contains(&status);
        let versions = Versions { versions: vec![version.to_owned()], broken: !whole, held: want == "hold" };
        installed.insert(name, versions);
    }
    installed
}

/// What can be updated.
pub(super) fn offer(tools: &Tools<'_>, installed: &Installed) -> Result<Offer, Failure> {
    let asked = |command: &mut Command| {
        let ended = tools.query(command)?;
        if ended.code == 0 { Ok(ended.said) } else { Err(of_step("asking for candidates", &ended)) }
    };
    let sources = policy::sources(&asked(program(tools, "apt-cache").arg("policy"))?);
    let tables = asked(program(tools, "apt-cache").args(["policy", "--"]).args(installed.keys()))?;
    let mut updates = policy::updates(&tables, &sources, installed);
    let phased = plan::phased(&plan::simulate(tools, None)?);
    for update in &mut updates {
        if installed.get(&update.name).is_some_and(|versions| versions.held) {
            update.kept_back = Some("it is on hold on the device (apt-mark hold)".to_owned());
        } else if phased.contains(&update.name) {
            update.kept_back = Some(
                "its distributor hands it out step by step; it is not yet this device's turn".to_owned(),
            );
        }
    }
    Ok(Offer { updates, tells_security: sources.values().any(policy::Source::is_security) })
}

/// Fetches what the installation will need.
pub(super) fn download(tools: &Tools<'_>, selection: &Selection) -> Result<i32, Failure> {
    plan::pin(tools, selection)?;
    let ended = upgrade(tools, selection, Step::Download)?;
    match ended.code {
        0 => Ok(0),
        _ => Err(of_step("downloading", &ended)),
    }
}

/// Installs.
pub(super) fn install(tools: &Tools<'_>, selection: &Selection) -> Result<Ended, Failure> {
    upgrade(tools, selection, Step::Install)
}

/// The two steps of an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Download,
    Install,
}

impl Step {
    fn phase(self) -> &'static str {
        match self {
            Self::Download => "DOWNLOADING",
            Self::Install => "INSTALLING",
        }
    }

    /// The kind of its lines on the status descriptor.
    fn kind(self) -> &'static str {
        match self {
            Self::Download => "dlstatus",
            Self::Install => "pmstatus",
        }
    }
}

fn upgrade(tools: &Tools<'_>, selection: &Selection, step: Step) -> Result<Ended, Failure> {
    let mut status = Status::open(tools.workplace).map_err(|error| {
        Failure::new("OUTPUT_LOST", format!("the folder of the run cannot be used: {error}"))
    })?;
    let mut command = apt_get(tools);
    command.args(["-o".to_owned(), format!("APT::Status-Fd={}", status.0.as_raw_fd())]);
    if selection.security_only {
        command.args(plan::pins(tools.workplace));
    }
    // Nothing is removed; what is new is installed where an update needs it.
    command.args(["upgrade", "--with-new-pkgs"]);
    let stop = match step {
        Step::Download => Stop::AtAnyTime,
        Step::Install => Stop::Never,
    };
    command.args((step == Step::Download).then_some("--download-only"));
    tools.run_when_free(&mut command, stop, is_busy, &mut || status.tell(tools.workplace, step))
}

/// dpkg removes what it is told, with its configuration, and nothing that depends on it.
pub(super) fn removal(tools: &Tools<'_>) -> Command {
    let mut command = program(tools, "dpkg");
    command.arg("--purge");
    command
}

/// Where apt says how far it is: a file, whose descriptor it inherits.
struct Status(File);

impl Status {
    fn open(workplace: &Workplace) -> std::io::Result<Self> {
        let path = workplace.folder.path().join("status");
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).mode(PRIVATE_FILE).open(path)?;
        fcntl_setfd(&file, FdFlags::empty())?;
        Ok(Self(file))
    }

    /// Passes the last word on.
    fn tell(&mut self, workplace: &Workplace, step: Step) {
        const TAIL: i64 = 1024;
        let mut text = Vec::new();
        let from = self.0.seek(SeekFrom::End(-TAIL)).or_else(|_| self.0.rewind().map(|()| 0));
        if from.and_then(|_| self.0.read_to_end(&mut text)).is_err() {
            return;
        }
        if let Some((percent, message)) = last_status(&String::from_utf8_lossy(&text), step) {
            workplace.progress(step.phase(), Some(percent), message);
        }
    }
}

/// The last whole line of this step in what apt says on its status descriptor (README.progress-reporting of apt): kind,
/// package, percentage of the step, text. Answers a percentage of both steps, as if each took half of the time.
fn last_status(text: &str, step: Step) -> Option<(u32, String)> {
    let whole = &text[..text.rfind('\n')?];
    whole.lines().rev().find_map(|line| {
        let mut fields = line.splitn(4, ':');
        if fields.next()? != step.kind() {
            return None;
        }
        let (_, percent, message) = (fields.next()?, fields.next()?, fields.next()?);
        let (percent, _) = percent.split_once('.').unwrap_or((percent, ""));
        let percent = percent.parse::<u32>().ok()?.min(100);
        let before = if step == Step::Install { 50 } else { 0 };
        Some((before + percent / 2, message.to_owned()))
    })
}

/// Packages of Debian and Ubuntu ask for a restart by a file.
pub(super) fn restart_pending(system: &System) -> Option<String> {
    let path =
        ["/run/reboot-required", "/var/run/reboot-required"].into_iter().find(|path| system.exists(path))?;
    let packages = system.text(format!("{path}.pkgs")).unwrap_or_default();
    let packages: Vec<&str> = packages.lines().collect();
    Some(match packages.is_empty() {
        true => format!("{path} is there"),
        false => format!("{path} is there, because of {}", packages.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dpkg_has() {
        let text = "bash\tamd64\t5.2.15-2+b8\tinstall\tinstalled\nlibc6\tamd64\t2.36-9\thold\tinstalled\n\
                    libc6\ti386\t2.36-9\tinstall\thalf-configured\ngone\tall\t1\tdeinstall\tconfig-files\n\
                    unknown\t\t\tunknown\tnot-installed\n";
        let installed = read_installed(text, "amd64");
        let versions =
            |version: &str, broken, held| Versions { versions: vec![version.to_owned()], broken, held };
        let expected = [
            ("bash".to_owned(), versions("5.2.15-2+b8", false, false)),
            ("libc6".to_owned(), versions("2.36-9", false, true)),
            ("libc6:i386".to_owned(), versions("2.36-9", true, false)),
        ];
        assert_eq!(installed, expected.into());
    }

    #[test]
    fn how_far_apt_is() {
        let text = "dlstatus:2:24.5310:Retrieving file 2 of 4\npmstatus:gh-a:5.8824:Unpacking gh-a (amd64)\n";
        let unpacking = Some((52, "Unpacking gh-a (amd64)".to_owned()));
        assert_eq!(last_status(text, Step::Install), unpacking);
        assert_eq!(last_status(text, Step::Download), Some((12, "Retrieving file 2 of 4".to_owned())));
        let later = format!("{text}pmerror:gh-a:9.1:bad\npmstatus:gh-b:9");
        assert_eq!(last_status(&later, Step::Install), unpacking);
        assert_eq!(last_status("pmstatus:gh", Step::Install), None);
    }
}
