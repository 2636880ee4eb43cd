//! Figures of `guardhouse scan`.

mod advisories;
mod fixtures;
mod formats;
mod kinds;
mod peers;
mod run;
mod walk;

use std::{path::Path, process::Command};

use anyhow::Context as _;
use serde::Deserialize;

use self::{fixtures::Fixtures, peers::Peers, run::Cost};
use super::{figure::Measured, median, setup::Setup};

/// How often what takes less than a second is measured.
const RUNS: usize = 7;

/// Most memory of `vm_packages`, in MiB: half of what a peer takes to make the list alone.
const PACKAGES_MEMORY: f64 = 60.0;

/// How many empty files there are, and how few to compare with.
const MANY: usize = 3_000_000;
const FEW: usize = 3_000;

/// What is read of a report.
#[derive(Debug, Deserialize)]
struct Report {
    systems: Vec<System>,
    findings: Vec<serde_json::Value>,
    problems: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct System {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    kind: String,
}

/// `vm_packages`: the packages of a Debian disk, with those that are vulnerable.
///
/// # Errors
/// The disk cannot be made, or the scan fails.
pub async fn vm_packages(setup: &Setup) -> anyhow::Result<Measured> {
    let fixtures = Fixtures::new(setup)?;
    let (tree, disk) = (fixtures.debian_tree()?, fixtures.debian_disk()?);
    let status = std::fs::read_to_string(tree.join("var/lib/dpkg/status"))?;
    let installed = status.lines().filter(|line| *line == "Status: install ok installed").count();
    let folder = setup.folder()?;
    let store = advisories::store(setup, &status, folder.path())?;
    let file = folder.path().join("report.json");
    let costs = scans(setup, &disk, &store, &file).await?;
    let report: Report = serde_json::from_slice(&std::fs::read(&file)?)?;
    let packages: Vec<&Package> = report.systems.iter().flat_map(|system| &system.packages).collect();
    let deb = packages.iter().filter(|package| package.kind == "deb").count();
    let (wall, resident) = (wall(&costs), most_resident(&costs));
    let peer = Peers::find(&fixtures).trivy_packages(&disk).await;
    let note = format!(
        "Median of {RUNS} scans with the sandbox, the whole walk and a report as JSON: {deb} of {installed} packages of \
         dpkg, {} of languages, {} findings, {} problems; {:.2} s of processor time, {resident:.0} MiB resident in all \
         its processes. Trivy in this run, the list alone: {peer}.",
        packages.len() - deb,
        report.findings.len(),
        report.problems.len(),
        processor(&costs),
    );
    let holds = deb == installed && report.problems.is_empty() && resident <= PACKAGES_MEMORY;
    Ok(Measured { value: wall, limit: None, holds, note })
}

/// `many_files`: how much more memory three million files take than three thousand.
///
/// # Errors
/// The images cannot be made, or a scan fails.
pub async fn many_files(setup: &Setup) -> anyhow::Result<Measured> {
    let fixtures = Fixtures::new(setup)?;
    let many = setup.sized(MANY, FEW);
    let folder = setup.folder()?;
    let store = advisories::store(setup, "", folder.path())?;
    let file = folder.path().join("report.json");
    let mut found = Vec::new();
    for files in [FEW, many] {
        let image = fixtures.empty_files(files)?;
        found.push(run::run(scan(setup, &image, &store, &file).arg("--format=json")).await?);
    }
    let [few, many_cost] = found[..] else { anyhow::bail!("two scans were made") };
    let note = format!(
        "Resident in all processes: {:.0} MiB for {many} empty files in an ext4, {:.0} MiB for {FEW}; {:.1} s of \
         processor time.",
        many_cost.resident, few.resident, many_cost.processor,
    );
    Ok(Measured::new(many_cost.resident / few.resident, note))
}

/// `read_rate`: every file of an ext4, read and hashed.
///
/// # Errors
/// The image cannot be made or read.
pub async fn read_rate(setup: &Setup) -> anyhow::Result<Measured> {
    let fixtures = Fixtures::new(setup)?;
    let image = fixtures.many_bytes(setup)?;
    // Once for the cache of the system.
    let read = walk::hash_all(&image)?;
    let mut walls = Vec::new();
    for _ in 0..RUNS {
        walls.push(walk::hash_all(&image)?.wall);
    }
    let peers = Peers::find(&fixtures);
    let note = format!(
        "Median of {RUNS} walks with SHA-256 over {} files, {:.0} MB, in the cache of the system, with {} threads. In \
         this run: {}.",
        read.files,
        read.megabytes,
        read.threads,
        peers.sleuth_kit(&image).await,
    );
    Ok(Measured::new(median(&mut walls), note))
}

/// `formats`: every kind of disk and file system, bit by bit, and what the dearest reading of a tree costs.
///
/// # Errors
/// An image cannot be made.
pub async fn formats(setup: &Setup) -> anyhow::Result<Measured> {
    formats::measure(setup).await
}

/// Scans a disk again and again, after once for the cache of the system.
async fn scans(setup: &Setup, disk: &Path, store: &Path, file: &Path) -> anyhow::Result<Vec<Cost>> {
    let mut costs = Vec::new();
    for number in 0..=RUNS {
        let cost = run::run(scan(setup, disk, store, file).arg("--format=json")).await?;
        if number > 0 {
            costs.push(cost);
        }
    }
    Ok(costs)
}

fn scan(setup: &Setup, target: &Path, store: &Path, file: &Path) -> Command {
    let mut command = Command::new(&setup.server);
    command.arg("scan").arg(target).arg("--advisories").arg(store).arg("-o").arg(file);
    command
}

fn wall(costs: &[Cost]) -> f64 {
    median(&mut costs.iter().map(|cost| cost.wall).collect::<Vec<_>>())
}

fn processor(costs: &[Cost]) -> f64 {
    median(&mut costs.iter().map(|cost| cost.processor).collect::<Vec<_>>())
}

fn most_resident(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.resident).fold(0.0, f64::max)
}

/// Runs a program of the system that makes something.
///
/// # Errors
/// It is not installed, or it fails.
fn done(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_owned();
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    anyhow::ensure!(
        output.status.success(),
        "{} fails: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
