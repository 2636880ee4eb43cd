//! The scanning process. Its standard input is a file in memory that it shares with its supervisor: what to do, and
//! where its threads are. Its standard output is one [`Event`] as JSON per line.

mod options;
mod output;

use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::fs::FileExt as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use guardhouse_image::{
    Content, FilePath, OpenError, Opened, System, Volume, limits,
    target::{self, TargetKind},
};

use crate::{
    analyser::Analyser,
    event::{Event, Project, Trouble},
    packages::PackageAnalyser,
    positions::{Positions, SLOTS_AT},
    sandbox::{Needs, Sandbox, SandboxError},
    walk::{self, Plan},
};
pub use options::ScanOptions;
pub(crate) use output::LINE;
use output::Output;

/// How long the options may be, in bytes: that much of the shared file is theirs.
const OPTIONS: usize = SLOTS_AT as usize;

/// The exit code of a process whose target cannot be opened. Why is its one line on standard error.
pub const NOT_OPENED: u8 = 3;

/// The exit code of a process that could not lock itself in.
const NOT_LOCKED_IN: u8 = 4;

/// What the process reads, from its arguments.
#[derive(Clone, Debug)]
pub struct Targets {
    /// What is scanned.
    pub target: PathBuf,
    /// Files besides it that it may refer to.
    pub also: Vec<PathBuf>,
    /// The folder for temporary files.
    pub scratch: Option<PathBuf>,
}

/// The analysers of some projects.
#[must_use]
pub fn analysers(projects: &[Project]) -> Vec<Box<dyn Analyser>> {
    projects.iter().map(|&project| Box::new(PackageAnalyser::new(project)) as Box<dyn Analyser>).collect()
}

/// Why the process ends before its work is done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the options on standard input cannot be read: {0}")]
    Options(io::Error),
    #[error("the scanner could not lock itself in: {0}")]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot tell what was found: {0}")]
    Output(io::Error),
}

/// The whole life of the process. To be called by a program's first thread, before there is any other.
///
/// # Panics
/// No: those of readers and analysers are caught.
#[must_use]
pub fn run(targets: &Targets, analysers: impl FnOnce(&[Project]) -> Vec<Box<dyn Analyser>>) -> ExitCode {
    // Panics are told as problems; their texts may quote the image, and standard error may be a terminal.
    std::panic::set_hook(Box::new(|_| {}));
    let Err(failure) = scan(targets, analysers) else { return ExitCode::SUCCESS };
    eprintln!("{failure}");
    match failure {
        Failure::Open(_) => ExitCode::from(NOT_OPENED),
        Failure::Sandbox(_) => ExitCode::from(NOT_LOCKED_IN),
        Failure::Options(_) | Failure::Output(_) => ExitCode::FAILURE,
    }
}

fn scan(
    targets: &Targets,
    analysers: impl FnOnce(&[Project]) -> Vec<Box<dyn Analyser>>,
) -> Result<(), Failure> {
    let input = Arc::new(File::from(io::stdin().as_fd().try_clone_to_owned().map_err(Failure::Options)?));
    let options = read_options(&input).map_err(Failure::Options)?;
    let analysers = analysers(&options.projects);
    let mut read = vec![targets.target.clone()];
    read.extend_from_slice(&targets.also);
    let needs = Needs { read, scratch: targets.scratch.clone(), resources: options.resources };
    let sandbox = Sandbox::enter(&needs)?;

    let output = Output::new(io::stdout());
    let tell = |event: Event| output.tell(&event);
    let positions = Positions::new(input);
    let mut slot = positions.slot(0);
    slot.set(None, &FilePath::root(), "opening the target");
    let opened = target::open(&targets.target, &open_options(targets, &options))?;
    tell_opened(&opened, sandbox.notes(), &tell);
    slot.set(None, &FilePath::root(), "putting the volumes together");
    let systems = opened.systems();
    tell_systems(&systems, &tell);
    if is_open_for_good(opened.kind) {
        sandbox.seal()?;
    }
    slot.clear();
    let totals = walk::walk(&systems, &analysers, &plan(options), &positions, &tell);
    tell(Event::Done { files: totals.files, bytes: totals.bytes, bytes_read: totals.bytes_read });
    output.finish().map_err(Failure::Output)
}

fn read_options(input: &File) -> io::Result<ScanOptions> {
    let mut text = vec![0; OPTIONS];
    input.read_exact_at(&mut text, 0)?;
    // Behind them are zeros.
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(serde_json::from_slice(text)?)
}

fn open_options(targets: &Targets, options: &ScanOptions) -> target::Options {
    // Half of the memory is for what is kept.
    let unpacking = options.resources.memory / limits::UNPACKING_MEMORY / 2;
    target::Options {
        also: targets.also.clone(),
        platform: options.platform.clone(),
        image: options.image.clone(),
        scratch: targets.scratch.clone(),
        threads: options.threads.min(usize::try_from(unpacking).unwrap_or(usize::MAX)),
    }
}

fn plan(options: ScanOptions) -> Plan {
    Plan {
        projects: options.projects,
        reach: options.reach,
        hashing: options.hashing,
        threads: options.threads,
        avoid: options.avoid,
        suspects: options.suspects,
        only_suspects: options.only_suspects,
        ..Plan::default()
    }
}

/// Whether no further file is opened once the target is open.
fn is_open_for_good(kind: TargetKind) -> bool {
    match kind {
        TargetKind::Raw
        | TargetKind::Qcow2
        | TargetKind::Vmdk
        | TargetKind::Vhd
        | TargetKind::Vhdx
        | TargetKind::Vdi
        | TargetKind::Ova
        | TargetKind::Oci
        | TargetKind::Docker
        | TargetKind::Archive => true,
        TargetKind::Folder => false,
    }
}

fn tell_opened(opened: &Opened, notes: &[String], tell: &dyn Fn(Event)) {
    let kind = serde_json::to_value(opened.kind).ok();
    let kind = kind.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let notes = opened.notes.iter().chain(notes).cloned().collect();
    tell(Event::Opened { kind, size: opened.size, notes });
    for volume in &opened.volumes {
        tell(told_volume(volume));
    }
    let left_out = |message| {
        tell(Event::Problem { kind: Trouble::Unreadable, system: None, path: None, message });
    };
    opened.left_out.iter().cloned().for_each(left_out);
    for volume in &opened.volumes {
        if let Content::Files(files) = &volume.content {
            files.left_out().iter().map(|what| format!("{}: {what}", volume.place)).for_each(left_out);
        }
    }
}

fn told_volume(volume: &Volume) -> Event {
    let (content, refusal, notes) = match &volume.content {
        Content::Files(files) => (files.kind().to_owned(), None, files.notes().to_vec()),
        Content::Parts(word) | Content::Nothing(word) => ((*word).to_owned(), None, Vec::new()),
        Content::Refused(refusal) => (refusal.what.clone(), Some(refusal.clone()), Vec::new()),
    };
    Event::Volume { place: volume.place.clone(), size: volume.size, content, refusal, notes }
}

fn tell_systems(systems: &[System], tell: &dyn Fn(Event)) {
    for (number, system) in systems.iter().enumerate() {
        let (place, os, notes) = (system.place.clone(), system.os.clone(), system.notes.clone());
        tell(Event::System { place, os, notes });
        for message in system.left_out.iter().cloned() {
            tell(Event::Problem { kind: Trouble::Unreadable, system: Some(number), path: None, message });
        }
        if let Err(error) = system.tree.reader() {
            let message = format!("nothing of this system can be read: {error}");
            tell(Event::Problem { kind: Trouble::Unreadable, system: Some(number), path: None, message });
        }
    }
}
