//! This machine seen through an overlay, in namespaces of its own without a network: programs that change it change a
//! copy in memory, and no repository but those of the test can be reached. With `GUARDHOUSE_TEST_ROOT`, the system below
//! that folder takes the place of this machine.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use guardhouse_agent::runs::folder::{Facts, Folder};
use guardhouse_contract::link::{Order, RunEnded};
use tempfile::TempDir;

use crate::bench::AGENT;

/// Makes the overlay and carries a script out in it.
const ENTER: &str = include_str!("overlay.sh");

/// Runs that a script in an overlay carries out.
pub struct Overlay {
    place: TempDir,
}

impl Overlay {
    /// Ready for runs; `None` where a test cannot do what it needs to, which it says.
    pub fn new(programs: &[&str]) -> Option<Self> {
        let root = PathBuf::from(env::var_os("GUARDHOUSE_TEST_ROOT").unwrap_or_else(|| "/".into()));
        let missing =
            |name: &&&str| !["usr/bin", "usr/sbin"].iter().any(|at| root.join(at).join(name).exists());
        if let Some(name) = programs.iter().find(missing) {
            eprintln!("skipped: {name} is not installed");
            return None;
        }
        let overlay = Self { place: tempfile::tempdir().expect("a folder") };
        let made =
            overlay.command("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !made {
            eprintln!("skipped: overlays can be mounted by root only");
        }
        made.then_some(overlay)
    }

    /// The folder that the script finds under `$PLACE`: the only one that it shares with the test.
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// A run that the script begins with `run NAME`.
    pub fn order(&self, name: &str, order: &Order) -> Folder {
        let folder = Folder::at(self.place().join(name));
        folder.create(order).expect("made");
        folder
    }

    /// Gives an order that is cancelled as soon as it has begun: an earlier cancellation keeps the action from beginning.
    pub fn order_and_cancel(&self, name: &str, order: &Order) {
        let folder = self.order(name, order);
        symlink("begun", folder.path().join("cancel")).expect("made");
    }

    /// Carries a script out, which must end well.
    pub fn carry_out(&self, script: &str) {
        let output = self.command(script).output().expect("a shell");
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    }

    /// How a run ended.
    pub fn ended(&self, name: &str) -> RunEnded {
        match Folder::at(self.place().join(name)).facts().expect("facts") {
            Facts::Ended(ended) => ended,
            facts => panic!("{name}: {facts:?}"),
        }
    }

    fn command(&self, script: &str) -> Command {
        let file: PathBuf = self.place().join("script.sh");
        fs::write(&file, script).expect("written");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-eu", "-c", ENTER])
            .env("PLACE", self.place())
            .env("AGENT", AGENT)
            .stdin(Stdio::null());
        command
    }
}
