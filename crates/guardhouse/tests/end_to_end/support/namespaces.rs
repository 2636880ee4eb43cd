//! Networks of their own: namespaces of the kernel, joined by virtual cables.
//!
//! What a test does in there is real traffic, and nothing of it reaches this machine. It needs root, `ip` and `nft`.

use std::{
    fs::{self, File},
    io::Write as _,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where `ip` keeps the names of namespaces.
const NAMES: &str = "/run/netns";

/// What the names of tests begin with; the number of the process follows.
const PREFIX: &str = "guardhouse-test-";

/// Whether a test can have namespaces. Where it cannot, says so loudly: the test proves nothing then.
pub fn can_be_made(test: &str) -> bool {
    let Some(hindrance) = hindrance() else { return true };
    // Not by a macro: the output of tests that pass is not shown.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {hindrance}");
    false
}

fn hindrance() -> Option<String> {
    let missing = ["ip", "nft"].into_iter().find(|tool| !is_installed(tool));
    if let Some(tool) = missing {
        return Some(format!("{tool} is not installed; scripts/test installs it"));
    }
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces can only be made by root".to_owned());
    }
    let probe = Namespace::try_new("probe");
    probe.err().map(|error| format!("no network namespace can be made here: {error}"))
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).exists())
}

/// A network namespace. It goes when it is dropped and nothing runs in it any more.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A namespace with nothing but loopback.
    pub fn new(role: &str) -> Self {
        Self::try_new(role).unwrap_or_else(|error| panic!("no namespace for {role}: {error}"))
    }

    fn try_new(role: &str) -> Result<Self, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        remove_forgotten();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}-{role}", std::process::id());
        let made =
            Command::new("ip").args(["netns", "add", &name]).output().map_err(|error| error.to_string())?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).trim().to_owned());
        }
        let made = Self { name };
        made.ip("link set lo up");
        Ok(made)
    }

    /// Lays a cable to another namespace; both ends have this name there.
    pub fn join(&self, other: &Self, cable: &str) {
        self.ip(&format!("link add {cable} type veth peer name {cable} netns {}", other.name));
        for end in [self, other] {
            end.ip(&format!("link set {cable} up"));
        }
    }

    /// Runs `ip` in here; words are separated by spaces.
    pub fn ip(&self, words: &str) {
        succeed(Command::new("ip").args(["-n", &self.name]).args(words.split(' ')));
    }

    /// Runs a command in here; answers what it wrote.
    pub fn run(&self, words: &[&str]) -> String {
        succeed(Command::new("ip").args(["netns", "exec", &self.name]).args(words))
    }

    /// The words behind which a command runs in here, with files of `files` in place of those in `/etc`.
    pub fn place(&self, files: &[PathBuf]) -> Vec<String> {
        // `ip netns exec` gives the command mounts of its own.
        let mounts: Vec<String> = files
            .iter()
            .filter_map(|file| Some(format!("mount --bind {} /etc/{} && ", file.display(), name(file)?)))
            .collect();
        let script = format!("{}exec \"$@\"", mounts.concat());
        ["ip", "netns", "exec", &self.name, "sh", "-c", &script, "sh"].map(str::to_owned).to_vec()
    }

    /// Does something on a thread that is in here. What it starts is in here, too.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = self.open();
        let inside = || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("by root");
            work()
        };
        let done = thread::scope(|scope| scope.spawn(inside).join());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Starts a thread that is in here and goes on until the tests end.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let namespace = self.open();
        thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("by root");
            work();
        });
    }

    fn open(&self) -> File {
        File::open(Path::new(NAMES).join(&self.name)).expect("it is there")
    }

    /// Waits in here for what a future answers.
    pub fn block_on<T: Send>(&self, future: impl AsyncFnOnce() -> T + Send) -> T {
        self.within(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let done = runtime.block_on(future());
            runtime.shutdown_background();
            done
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let removed = Command::new("ip").args(["netns", "del", &self.name]).status();
        if !removed.is_ok_and(|status| status.success()) {
            eprintln!("the namespace {} could not be removed", self.name);
        }
    }
}

/// Removes the namespaces of test processes that were killed.
fn remove_forgotten() {
    for entry in fs::read_dir(NAMES).into_iter().flatten().flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let number = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if number.is_some_and(|number| !Path::new("/proc").join(number).exists()) {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

fn succeed(command: &mut Command) -> String {
    let ended = command.output().expect("the command starts");
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

fn name(file: &Path) -> Option<&str> {
    file.file_name()?.to_str()
}
