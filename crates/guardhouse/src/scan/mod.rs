//! `guardhouse scan`: what is installed on a disk or in an image, and which of it is vulnerable.

pub mod bar;
pub mod child;
mod interrupt;
mod outputs;
mod rules;
pub mod size;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use guardhouse_advisories::SeverityLevel;
use guardhouse_detect::{Error, Knowledge, Request};
use guardhouse_model::Environment;
use guardhouse_report::{decide, outcome, text::printable};
use guardhouse_scan::{Project, supervisor::Stop};

use crate::{advisories::StoreArgs, duration, output};
use bar::Bar;
use interrupt::{Leftover, Leftovers};
use outputs::Output;

/// The exit code for arguments that contradict each other; the one that clap has.
const WRONG_USE: u8 = 2;

/// The exit code when the target cannot be opened or scanned.
const NOT_SCANNED: u8 = 3;

/// Scan a disk, a disk image, a container image or a folder: which packages are installed, and which are vulnerable.
/// The target is only read, without mounting it, in a process that can do nothing else.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A disk or an image of one (raw, qcow2, vmdk, vhd, vhdx, vdi), a container image (OCI layout, docker save), or the
    /// root of a system as a tar archive or a folder.
    target: PathBuf,

    /// A file that the target refers to: a backing file, an extent, another disk of a volume group or of a btrfs.
    /// Others are not read.
    #[arg(long, value_name = "FILE")]
    also: Vec<PathBuf>,

    /// Which of several container images, by platform: os/architecture, as linux/amd64; all of them without.
    #[arg(long)]
    platform: Option<String>,

    /// Which of several container images, by its name, as app:1, or the beginning of its digest; all of them without.
    #[arg(long, value_name = "NAME")]
    image: Option<String>,

    /// What is looked for: vul (packages of the system), scaVul (packages of languages). With vul alone, only the
    /// places of package databases are read.
    #[arg(long, value_delimiter = ',', value_name = "PROJECT", default_value = "vul,scaVul")]
    projects: Vec<ProjectName>,

    #[command(flatten)]
    store: StoreArgs,

    /// A VEX document (OpenVEX, CSAF, CycloneDX) whose statements suppress findings.
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,

    /// A file with rules by which findings are ignored; without, .guardhouse-ignore.toml in the current folder, if it is
    /// there and no part of the target.
    #[arg(long, value_name = "FILE")]
    ignore: Option<PathBuf>,

    /// table, json, sarif, cyclonedx, spdx or html; with =FILE, into that file. May be given more than once.
    #[arg(short, long, value_name = "FORMAT[=FILE]")]
    format: Vec<Output>,

    /// Where the format without a file of its own goes; standard output without.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// End with 1 when there is a finding of this level or above.
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    fail_on: Option<SeverityLevel>,

    /// End with 4 when a part was not scanned or not compared.
    #[arg(long)]
    fail_on_incomplete: bool,

    /// How long the scan may take, as 30s or 2h; what was found until then is reported.
    #[arg(long, value_parser = duration::parse)]
    timeout: Option<Duration>,

    /// How many threads read; one per processor without.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,

    /// How much memory the scanning process may have, as 512M or 4G.
    #[arg(long, value_parser = size::parse, default_value = "2G")]
    max_memory: u64,
}

/// A project, in the words of the agentless API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProjectName {
    /// Packages of the system.
    Vul,
    /// Packages of languages.
    #[value(name = "scaVul", alias = "scavul")]
    ScaVul,
}

impl From<ProjectName> for Project {
    fn from(name: ProjectName) -> Self {
        match name {
            ProjectName::Vul => Self::Vul,
            ProjectName::ScaVul => Self::ScaVul,
        }
    }
}

/// The words for levels of severity.
fn levels() -> impl TypedValueParser<Value = SeverityLevel> {
    let words = SeverityLevel::ALL.map(SeverityLevel::word);
    PossibleValuesParser::new(words).try_map(|word| word.parse::<SeverityLevel>())
}

/// Carries out the command. Whatever goes wrong has an exit code of its own: 1 is for findings alone.
pub fn run(args: &ScanArgs, environment: &Environment) -> ExitCode {
    let failed = |error: &anyhow::Error, code| {
        output::report(error);
        ExitCode::from(code)
    };
    if args.target == Path::new("-") {
        let error = anyhow::anyhow!(
            "standard input cannot be scanned, for it cannot be read from anywhere: write it to a file first"
        );
        return failed(&error, WRONG_USE);
    }
    match outputs::plan(&args.format, args.output.as_deref()) {
        Ok(plan) => report(args, &plan, environment).unwrap_or_else(|error| failed(&error, NOT_SCANNED)),
        Err(error) => failed(&error, WRONG_USE),
    }
}

fn report(args: &ScanArgs, plan: &[Output], environment: &Environment) -> anyhow::Result<ExitCode> {
    let rules = rules::rules(args.ignore.as_deref(), &args.target);
    let leftovers = Leftovers::default();
    leftovers.remove_at_signals().context("cannot listen for signals")?;
    let (scratch, _leftover) = scratch(environment, &leftovers)?;
    let request = request(args, rules.file, rules.note.iter().cloned().collect(), scratch);
    let mut bar = Bar::new(&request.projects);
    // Signals end the whole program, so nothing else stops the scan.
    let detected = guardhouse_detect::scan(
        &request,
        &child::launch()?,
        environment,
        &Stop::default(),
        &mut |progress| {
            bar.set(progress.project, progress.percent);
        },
    );
    bar.clear();
    let detected = match detected {
        Err(Error::NotScanned(why)) => {
            eprintln!("error: {}", printable(&why));
            return Ok(ExitCode::from(NOT_SCANNED));
        }
        detected => detected?,
    };
    for note in rules.note.iter().chain(&detected.notes) {
        eprintln!("note: {}", printable(note));
    }
    for output in plan {
        outputs::write(output, &detected.report, environment, &leftovers)?;
    }
    let decided: decide::Outcome = outcome(&detected.report, args.fail_on, args.fail_on_incomplete);
    Ok(ExitCode::from(decided.exit_code()))
}

fn request(args: &ScanArgs, ignore: Option<PathBuf>, notes: Vec<String>, scratch: PathBuf) -> Request {
    Request {
        target: args.target.clone(),
        name: args.target.display().to_string(),
        also: args.also.clone(),
        platform: args.platform.clone(),
        image: args.image.clone(),
        projects: args.projects.iter().copied().map(Project::from).collect(),
        knowledge: Knowledge {
            // Without a home folder there is no store that nobody named: then nothing is compared, and the report says so.
            store: args.store.path().unwrap_or_default(),
            is_required: args.store.is_named(),
            vex: args.vex.clone(),
            ignore,
        },
        notes,
        timeout: args.timeout,
        threads: args.threads.map(usize::from),
        max_memory: args.max_memory,
        scratch,
    }
}

/// Makes the folder for temporary files of one scan, which goes with the guard.
fn scratch(environment: &Environment, leftovers: &Leftovers) -> anyhow::Result<(PathBuf, Leftover)> {
    let parent = std::env::temp_dir();
    let folder = parent.join(format!("guardhouse-scan-{}", environment.uuid()));
    let leftover = leftovers.keep(&folder);
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(&folder);
    made.with_context(|| {
        format!(
            "cannot make a folder for temporary files in {}; TMPDIR names another place",
            parent.display()
        )
    })?;
    Ok((folder, leftover))
}
