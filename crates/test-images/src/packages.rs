//! Databases of packages and programs with lists of modules in them, made by the tools that make real ones.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// A package with an epoch and a part for all processors, and one of a module with so many files that its header fills
/// many pages of a database.
const SPECIFICATIONS: [(&str, &str); 2] = [
    (
        "openssl.spec",
        "Name: openssl\nEpoch: 1\nVersion: 3.0.7\nRelease: 27.el9\nSummary: Cryptography\nLicense: ASL 2.0\n\
         Vendor: Example\n%description\nCryptography\n%package libs\nSummary: Its libraries\nBuildArch: noarch\n\
         %description libs\nIts libraries\n%files\n%files libs\n",
    ),
    (
        "nodejs.spec",
        "Name: nodejs\nVersion: 18.20.4\nRelease: 1.module+el9\nSummary: JavaScript\nLicense: MIT\n\
         ModularityLabel: nodejs:18:9040020240807:rhel9\n%description\nJavaScript\n%install\n\
         mkdir -p %{buildroot}/usr/lib/node\nfor i in $(seq 1 1500); do\n\
         echo $i > %{buildroot}/usr/lib/node/a-rather-long-name-of-a-file-$i\ndone\n%files\n/usr/lib/node\n",
    ),
];

/// Makes a database of rpm, `rpmdb.sqlite`, in this folder, and returns what rpm says is in it: a line a package, with
/// name, epoch or `(none)`, version, release, architecture, source and module, with tabs between them.
///
/// # Panics
/// When rpm is not installed, or fails.
#[must_use]
pub fn rpm_database(folder: &Path) -> String {
    let work = tempfile::tempdir().expect("a temporary folder");
    let top = format!("_topdir {}", work.path().display());
    for (name, text) in SPECIFICATIONS {
        let specification = work.path().join(name);
        fs::write(&specification, text).expect("a temporary file");
        run("rpmbuild", "rpm", Command::new("rpmbuild").args(["--define", &top, "-bb"]).arg(specification));
    }
    let mut packages = Vec::new();
    for architecture in fs::read_dir(work.path().join("RPMS")).expect("rpmbuild's folder") {
        let architecture = architecture.expect("rpmbuild's folder").path();
        packages.extend(
            fs::read_dir(architecture).expect("rpmbuild's folder").map(|file| file.expect("a file").path()),
        );
    }
    packages.sort();
    let rpm = || {
        let mut command = Command::new("rpm");
        command.arg("--dbpath").arg(folder);
        command
    };
    run("rpm", "rpm", rpm().args(["-i", "--justdb", "--nodeps", "--ignorearch"]).args(packages));
    rpm_list(folder)
}

/// What rpm says is in a database; see [`rpm_database`].
///
/// # Panics
/// When rpm is not installed, or fails.
#[must_use]
pub fn rpm_list(folder: &Path) -> String {
    let columns = "%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%{MODULARITYLABEL}\n";
    run("rpm", "rpm", Command::new("rpm").arg("--dbpath").arg(folder).args(["-qa", "--qf", columns]))
}

/// A hash of Berkeley DB with these headers, as rpm had it, in the byte order 1234 or 4321.
///
/// # Panics
/// When db-util is not installed, or fails.
#[must_use]
pub fn rpm_berkeley(headers: &[(u32, Vec<u8>)], byte_order: u32) -> Vec<u8> {
    let work = tempfile::tempdir().expect("a temporary folder");
    let file = work.path().join("Packages");
    let mut dump = format!(
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={byte_order}\ndb_pagesize=4096\nHEADER=END\n"
    );
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let count = u32::try_from(headers.len()).expect("a few").to_le_bytes().to_vec();
    // Number 0 holds the highest number that was given.
    for (number, header) in headers.iter().map(|(number, header)| (*number, header)).chain([(0, &count)]) {
        let key = if byte_order == 4321 { number.to_be_bytes() } else { number.to_le_bytes() };
        dump += &format!(" {}\n {}\n", hex(&key), hex(header));
    }
    dump += "DATA=END\n";
    let mut child = Command::new("db_load")
        .arg(&file)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("db_load: {error}; the Debian package db-util has it"));
    child.stdin.take().expect("its input").write_all(dump.as_bytes()).expect("its input");
    assert!(child.wait().expect("its end").success(), "db_load failed");
    fs::read(file).expect("the database")
}

/// `Packages.db` of rpm's own format with these headers. Debian's rpm does not write it; this is the layout of
/// lib/backend/ndb/rpmpkg.c, with a slot that is free between others.
///
/// # Panics
/// When there are more than 200 headers.
#[must_use]
pub fn rpm_ndb(headers: &[(u32, Vec<u8>)]) -> Vec<u8> {
    const PAGE: usize = 4096;
    assert!(headers.len() <= 200, "one page of slots");
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut slots = [b"RpmP".to_vec(), words(&[0, 1, 1, 1000, 0, 0, 0])].concat();
    slots.extend([b"Slot".to_vec(), words(&[0, 0, 0])].concat());
    let mut blobs = Vec::new();
    for (number, header) in headers {
        let len = u32::try_from(header.len()).expect("not that long");
        let start = u32::try_from((PAGE + blobs.len()) / 16).expect("not that many");
        // The head, the header, zeros up to the next block, and the tail with a checksum.
        let mut blob = [b"BlbS".to_vec(), words(&[*number, 1, len]), header.clone()].concat();
        blob.resize(blob.len().next_multiple_of(16) + 4, 0);
        blob.extend([words(&[0, len]), b"BlbE".to_vec()].concat());
        let blocks = u32::try_from(blob.len() / 16).expect("not that long");
        slots.extend([b"Slot".to_vec(), words(&[*number, start, blocks])].concat());
        blobs.extend(blob);
    }
    while slots.len() < PAGE {
        slots.extend([b"Slot".to_vec(), words(&[0, 0, 0])].concat());
    }
    [slots, blobs].concat()
}

/// The smallest program that the compiler of C makes, with a section of this name and content added to it.
///
/// # Panics
/// When gcc or binutils is not installed, or fails.
#[must_use]
pub fn program_with_section(name: &str, content: &[u8]) -> Vec<u8> {
    let work = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| work.path().join(name);
    fs::write(path("main.c"), "int main(void) { return 0; }\n").expect("a temporary file");
    fs::write(path("section"), content).expect("a temporary file");
    run("gcc", "gcc", Command::new("gcc").arg("-o").arg(path("plain")).arg(path("main.c")));
    let section = format!("{name}={}", path("section").display());
    let mut command = Command::new("objcopy");
    run(
        "objcopy",
        "binutils",
        command.args(["--add-section", &section]).arg(path("plain")).arg(path("program")),
    );
    fs::read(path("program")).expect("the program")
}

/// Runs a program to its end and returns what it wrote.
fn run(program: &str, package: &str, command: &mut Command) -> String {
    let output = command.env("LC_ALL", "C").output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}; the Debian package {package} has it"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}: {text}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}
