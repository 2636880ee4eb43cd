//! A folder to scan, the scanning process, and what came of it.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use guardhouse_scan::{
    Event,
    process::{self, ScanOptions, Targets},
    supervisor::{self, Ended, Launch, Patience, Stop},
};
use tempfile::TempDir;

use crate::trap::Trap;

/// The argument that makes this program the scanner.
pub const SCAN_PROCESS: &str = "scan-process";

/// The scanning process.
pub fn scanner(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut targets = Targets { target: PathBuf::new(), also: Vec::new(), scratch: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().map(PathBuf::from).expect("a value");
        match argument.to_str() {
            Some("--scratch") => targets.scratch = Some(value()),
            Some("--also") => targets.also.push(value()),
            Some("--") => targets.target = value(),
            _ => panic!("{}", argument.display()),
        }
    }
    process::run(&targets, |_| vec![Box::new(Trap)])
}

/// Some files, and a way to scan them.
pub struct Scene {
    pub folder: TempDir,
    pub scratch: TempDir,
    pub options: ScanOptions,
    pub patience: Patience,
    pub stop: Stop,
    /// Whether the first file that is told stops the scan.
    pub stops_at_first: bool,
}

/// What came of a scan.
#[derive(Debug)]
pub struct Seen {
    pub ended: Ended,
    /// Files that were looked at, and what was told of them.
    pub files: BTreeSet<String>,
    /// Everything.
    pub events: Vec<Event>,
}

impl Scene {
    /// Files with these names, each with its name in it.
    pub fn new(names: &[&str]) -> Self {
        let scene = Self {
            folder: TempDir::new().expect("a folder"),
            scratch: TempDir::new().expect("a folder"),
            options: ScanOptions { threads: 2, ..ScanOptions::default() },
            patience: Patience { total: Some(Duration::from_secs(60)), ..Patience::default() },
            stop: Stop::default(),
            stops_at_first: false,
        };
        for name in names {
            let path = scene.folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
            fs::write(path, name).expect("a file");
        }
        scene
    }

    /// Scans the folder.
    pub fn scan(&self) -> Seen {
        self.scan_at(self.folder.path())
    }

    /// Scans something.
    pub fn scan_at(&self, target: &Path) -> Seen {
        let launch = Launch {
            program: env::current_exe().expect("this program"),
            arguments: vec![SCAN_PROCESS.into()],
        };
        let targets = Targets {
            target: target.to_owned(),
            also: Vec::new(),
            scratch: Some(self.scratch.path().to_owned()),
        };
        let mut events = Vec::new();
        let show = &mut |event| {
            if matches!(event, Event::Package { .. }) && self.stops_at_first {
                self.stop.stop();
            }
            events.push(event);
        };
        let ended = supervisor::scan(&launch, &targets, &self.options, self.patience, &self.stop, show);
        let files = events.iter().filter_map(|event| match event {
            Event::Package { package, .. } => Some(format!("{} {}", package.name, package.version)),
            _ => None,
        });
        Seen {
            ended: ended.expect("the process starts"),
            files: files.map(|it| it.trim().to_owned()).collect(),
            events,
        }
    }
}
