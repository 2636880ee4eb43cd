//! `formats`: does every kind give back every byte, and what does reading a disk cost?

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use guardhouse_test_images::file_systems;

use super::{
    super::{figure::Measured, median, setup::Setup},
    RUNS, done,
    fixtures::Fixtures,
    peers::Peers,
    run::processor_time,
    walk,
};

/// Containers, as qemu-img makes them: name, format, options.
const CONTAINERS: [(&str, &str, &[&str]); 8] = [
    ("qcow2", "qcow2", &[]),
    ("qcow2, zlib", "qcow2", &["-c", "-o", "compression_type=zlib"]),
    ("qcow2, zstd", "qcow2", &["-c", "-o", "compression_type=zstd"]),
    ("vmdk", "vmdk", &[]),
    ("vmdk, streamOptimized", "vmdk", &["-o", "subformat=streamOptimized"]),
    ("vhd", "vpc", &[]),
    ("vhdx", "vhdx", &[]),
    ("vdi", "vdi", &[]),
];

/// Reads the tree of a Debian out of every kind, compares, and measures the processor time of the first container.
///
/// # Errors
/// An image cannot be made.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let fixtures = Fixtures::new(setup)?;
    let (tree, disk) = (fixtures.debian_tree()?, fixtures.debian_disk()?);
    let expected = walk::digests(&tree)?;
    anyhow::ensure!(!expected.is_empty(), "the tree is empty");
    let mut images: Vec<(&str, PathBuf)> = vec![("raw, GPT, ext4", disk.clone())];
    for (number, (name, format, options)) in CONTAINERS.into_iter().enumerate() {
        let file = format!("debian-{number}.{format}");
        images.push((name, fixtures.converted(&disk, format, options, &file)?));
    }
    images.push((
        "btrfs",
        made(&fixtures, "debian.btrfs", "1200M", &["mkfs.btrfs", "-q", "--rootdir"], &tree)?,
    ));
    images.push(("squashfs", squashfs(&fixtures, &tree)?));
    // Its maker writes no names with spaces; there are none in this tree.
    let xfs = file_systems::xfs(&[], &tree, 1_200);
    images.push(("xfs", xfs.path.clone()));
    let mut wrong = Vec::new();
    for (name, image) in &images {
        match walk::digests(image) {
            Ok(found) if found == expected => {}
            Ok(found) => wrong.push(format!("{name}: {}", first_difference(&expected, &found))),
            Err(error) => wrong.push(format!("{name}: {error:#}")),
        }
    }
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let before = processor_time()?;
        walk::hash_all(&images[1].1)?;
        times.push(processor_time()? - before);
    }
    let note = format!(
        "Processor time to open a qcow2 and to read and hash every file in it, median of {RUNS}. {} kinds were compared \
         with the tree they were made of, {} files each: {}. In this run: {}.",
        images.len(),
        expected.len(),
        if wrong.is_empty() { "all equal".to_owned() } else { wrong.join("; ") },
        Peers::find(&fixtures).dissect(&images[1].1).await,
    );
    Ok(Measured { value: median(&mut times), limit: None, holds: wrong.is_empty(), note })
}

/// An image that a program makes of a tree.
fn made(
    fixtures: &Fixtures,
    name: &str,
    size: &str,
    command: &[&str],
    tree: &Path,
) -> anyhow::Result<PathBuf> {
    fixtures.once(name, |image| {
        done(Command::new("truncate").args(["-s", size]).arg(image))?;
        let (program, options) = command.split_first().ok_or_else(|| anyhow::anyhow!("no program"))?;
        done(Command::new(program).args(options).arg(tree).arg(image))
    })
}

fn squashfs(fixtures: &Fixtures, tree: &Path) -> anyhow::Result<PathBuf> {
    fixtures.once("debian.squashfs", |image| {
        done(Command::new("mksquashfs").arg(tree).arg(image).args(["-quiet", "-noappend", "-no-progress"]))
    })
}

fn first_difference(expected: &BTreeMap<String, [u8; 32]>, found: &BTreeMap<String, [u8; 32]>) -> String {
    let differs = |(path, digest): &(&String, &[u8; 32])| found.get(*path) != Some(*digest);
    match expected.iter().find(differs) {
        Some((path, _)) if found.contains_key(path) => format!("{path} differs"),
        Some((path, _)) => format!("{path} is missing"),
        None => format!("{} files too many", found.len() - expected.len()),
    }
}
