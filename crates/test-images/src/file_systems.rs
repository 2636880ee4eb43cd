//! A folder with all that is awkward in a file system, and images of it, made without root.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use crate::bytes::noise;

/// Runs a program, and panics with what it said when it fails, or with the Debian package that has it.
pub fn run(package: &str, program: &str, arguments: &[&str]) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("env")
        .arg(format!("PATH={path}"))
        .arg(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("env: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() != Some(127), "no {program}: install the Debian package {package}");
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An image, and the folder that it is in.
pub struct Image {
    /// The file.
    pub path: PathBuf,
    folder: TempDir,
}

impl Image {
    /// A file of zeros.
    #[must_use]
    pub fn empty(bytes: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("image");
        File::create(&path).and_then(|file| file.set_len(bytes)).expect("a file of that length");
        Self { path, folder }
    }

    /// The path as text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.to_str().expect("temporary folders have plain names")
    }

    /// The folder that the image is in, for files that its making needs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// What the files of [`source`] are for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source {
    /// Entries of the folder `many`.
    pub many: usize,
    /// Symbolic links, hard links, modes, names that only Unix has.
    pub unix: bool,
    /// A file with holes, `sparse`.
    pub sparse: bool,
}

/// Makes a folder with files of all lengths around the sizes of blocks, deep and large folders, links and odd names.
/// The same each time.
///
/// # Panics
/// When the folder cannot be written.
#[must_use]
pub fn source(what: Source) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    for length in [0, 1, 59, 60, 61, 155, 511, 512, 700, 1023, 1024, 1025, 4095, 4096, 4097, 65_536, 131_073]
    {
        write(root, &format!("size-{length}"), &noise(length as u64, length));
    }
    write(root, "large", &noise(1, 3_000_001));
    write(root, "text", "the quick brown fox jumps over the lazy dog\n".repeat(9000).as_bytes());
    write(root, "etc/os-release", b"ID=debian\nVERSION_ID=12\n");
    let deep = (0..20).fold(String::from("deep"), |path, level| format!("{path}/level-{level}"));
    write(root, &format!("{deep}/bottom"), b"here");
    write(root, "Gr\u{fc}\u{df}e \u{65e5}\u{672c}\u{8a9e}.txt", b"names");
    fs::create_dir(root.join("empty")).expect("a folder");
    fs::create_dir(root.join("many")).expect("a folder");
    for number in 0..what.many {
        write(root, &format!("many/a file with the number {number:06}"), number.to_string().as_bytes());
    }
    if what.sparse {
        let file = File::create(root.join("sparse")).expect("a file");
        file.write_all_at(b"begin", 0).expect("written");
        file.write_all_at(&noise(2, 10_000), 1_000_000).expect("written");
        file.set_len(5_000_000).expect("a length");
    }
    if what.unix {
        write(root, "\u{1f600}", b"beyond 16 bits");
        write(root, &"n".repeat(255), b"a long name");
        symlink("etc/os-release", root.join("short-link")).expect("a link");
        symlink(format!("/{}", "long/".repeat(40)), root.join("long-link")).expect("a link");
        symlink(format!("/{}", "l".repeat(900)), root.join("longer-link")).expect("a link");
        fs::hard_link(root.join("size-4097"), root.join("etc/second-name")).expect("a link");
        mode(&root.join("size-512"), 0o4755);
        mode(&root.join("size-1"), 0o600);
        mode(&root.join("empty"), 0o2771);
        run("coreutils", "mkfifo", &[root.join("pipe").to_str().expect("plain")]);
    }
    folder
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn write(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap_or(root)).expect("a folder");
    let mut file = File::create(&path).expect("a file");
    file.write_all(bytes).expect("written");
    let seconds = 1_600_000_000 + bytes.len() as u64 * 2;
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
}

/// ext2, ext3 or ext4 (`program` is `mkfs.ext2` and so on), with further arguments for it.
#[must_use]
pub fn ext(program: &str, arguments: &[&str], source: &Path, megabytes: u64) -> Image {
    let image = Image::empty(megabytes << 20);
    let source = source.to_str().expect("plain");
    let all = [&["-q", "-F", "-L", "label", "-U", UUID, "-d", source], arguments, &[image.name()]].concat();
    run("e2fsprogs", program, &all);
    image
}

/// The UUID of the images whose maker takes one.
pub const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// XFS, at least 300 MiB, with further arguments for its maker. Spaces in names become underscores, all files belong to 7 and 8.
#[must_use]
pub fn xfs(arguments: &[&str], source: &Path, megabytes: u64) -> Image {
    let image = Image::empty(megabytes << 20);
    let mut prototype = String::from("/\n0 0\nd--755 0 0\n");
    prototype_folder(source, image.folder(), &mut prototype);
    prototype.push_str("$\n");
    let file = image.folder().join("prototype");
    fs::write(&file, prototype).expect("written");
    let uuid = format!("uuid={UUID}");
    let all = [
        &["-q", "-L", "label", "-m", &uuid, "-p", file.to_str().expect("plain")],
        arguments,
        &[image.name()],
    ];
    run("xfsprogs", "mkfs.xfs", &all.concat());
    image
}

/// The lines of one folder. The format separates by spaces and cannot write names with spaces, hard links or times;
/// files whose path has a space get a link in `links`.
fn prototype_folder(folder: &Path, links: &Path, lines: &mut String) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let shown = entry.file_name().to_string_lossy().replace(' ', "_");
        let found = fs::symlink_metadata(&path).expect("metadata");
        let mode = found.mode();
        let bit = |bit: u32, letter: char| if mode & bit != 0 { letter } else { '-' };
        let attributes = format!("{}{}{:03o} 7 8", bit(0o4000, 'u'), bit(0o2000, 'g'), mode & 0o777);
        let kind = found.file_type();
        if kind.is_dir() {
            writeln!(lines, "{shown} d{attributes}").expect("a string");
            prototype_folder(&path, links, lines);
            lines.push_str("$\n");
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).expect("a link");
            writeln!(lines, "{shown} l{attributes} {}", target.display()).expect("a string");
        } else if kind.is_file() {
            let mut plain = path;
            if plain.to_string_lossy().contains(' ') {
                let link = links.join(lines.len().to_string());
                symlink(&plain, &link).expect("a link");
                plain = link;
            }
            writeln!(lines, "{shown} -{attributes} {}", plain.display()).expect("a string");
        } else {
            writeln!(lines, "{shown} p{attributes}").expect("a string");
        }
    }
}

/// btrfs, with further arguments for its maker.
#[must_use]
pub fn btrfs(arguments: &[&str], source: &Path) -> Image {
    let image = Image::empty(256 << 20);
    let source = source.to_str().expect("plain");
    let all = [&["-q", "-L", "label", "-U", UUID, "--rootdir", source], arguments, &[image.name()]];
    run("btrfs-progs", "mkfs.btrfs", &all.concat());
    image
}

/// squashfs, with further arguments for its maker.
#[must_use]
pub fn squashfs(arguments: &[&str], source: &Path) -> Image {
    let image = Image::empty(0);
    let all =
        [&[source.to_str().expect("plain"), image.name(), "-noappend", "-quiet", "-no-progress"], arguments];
    run("squashfs-tools", "mksquashfs", &all.concat());
    image
}

/// FAT or exFAT: the maker's name and further arguments for it; empty when `source` is `None`.
#[must_use]
pub fn fat(arguments: &[&str], source: &Path, megabytes: u64) -> Image {
    let image = Image::empty(megabytes << 20);
    run(
        "dosfstools",
        "mkfs.vfat",
        &[&["-n", "LABEL", "-i", "1234abcd"], arguments, &[image.name()]].concat(),
    );
    let mut entries: Vec<_> = fs::read_dir(source)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path().to_str().expect("plain").to_owned())
        .collect();
    entries.sort();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let all = [
        &["LC_ALL=C.UTF-8", "MTOOLS_SKIP_CHECK=1", "mcopy", "-s", "-m", "-Q", "-i", image.name()],
        &*entries,
        &["::"],
    ];
    run("mtools", "env", &all.concat());
    image
}

/// NTFS with the files of `source`'s first level: `ntfscp` makes no folders.
#[must_use]
pub fn ntfs(arguments: &[&str], source: &Path, megabytes: u64) -> Image {
    let image = Image::empty(megabytes << 20);
    run("ntfs-3g", "mkfs.ntfs", &[&["-q", "-F", "-f", "-L", "label"], arguments, &[image.name()]].concat());
    for entry in fs::read_dir(source).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            let (path, name) = (entry.path(), entry.file_name());
            let (path, name) = (path.to_str().expect("plain"), name.to_str().expect("plain"));
            run("ntfs-3g", "env", &["LC_ALL=C.UTF-8", "ntfscp", "-q", "-f", image.name(), path, name]);
        }
    }
    image
}
