//! `formats`: does every kind give back every byte, and what does reading all of them cost?

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use super::{
    super::{figure::Measured, median, setup::Setup},
    RUNS,
    fixtures::Fixtures,
    kinds::{Kind, Kinds, Part},
    peers::Peers,
    run::processor_time,
    walk,
};

/// The digests of files by path, in hexadecimal digits.
type Digests = BTreeMap<String, String>;

/// Reads the tree out of every kind, compares, and measures the processor time of all of them together.
///
/// # Errors
/// An image cannot be made.
pub async fn measure(setup: &Setup) -> anyhow::Result<Measured> {
    let fixtures = Fixtures::new(setup)?;
    let kinds = Kinds::make(&fixtures)?;
    let tree = digests_of(&kinds.tree)?;
    let all = kinds.measured.iter().chain(&kinds.further);
    let wrong: Vec<String> = all.filter_map(|kind| wrong(kind, &tree)).collect();
    let paths = |kinds: &[Kind]| -> Vec<PathBuf> { kinds.iter().map(|kind| kind.path.clone()).collect() };
    let (measured, further) = (paths(&kinds.measured), paths(&kinds.further));
    let debian = fixtures.converted(&fixtures.debian_disk()?, "qcow2", &[], "debian.qcow2")?;
    let debian = [debian];
    let peers = Peers::find(&fixtures);
    let digests =
        kinds.measured.iter().map(|kind| (kind.path.as_path(), expected(&tree, kind.part).into_values()));
    let digests = digests.map(|(path, all)| (path, all.collect())).collect();
    let note = format!(
        "Processor time to open {} images of a tree of {} files one after the other, and to read and hash every file; \
         median of {RUNS}. {} further kinds: {:.2} s. A qcow2 with a Debian, 350 MB: {:.2} s. Compared with the tree by \
         sha256sum: {}.{} In this run, the same images: {}; {}. The Debian: {}.",
        measured.len(),
        tree.len(),
        further.len(),
        cost(&further)?,
        cost(&debian)?,
        if wrong.is_empty() { "all equal".to_owned() } else { wrong.join("; ") },
        left_out(&kinds.left_out),
        peers.dissect(&digests).await,
        peers.trivy(&measured).await,
        peers.dissect(&BTreeMap::from([(debian[0].as_path(), Vec::new())])).await,
    );
    Ok(Measured { value: cost(&measured)?, limit: None, holds: wrong.is_empty(), note })
}

/// What is wrong with the files of an image.
fn wrong(kind: &Kind, tree: &Digests) -> Option<String> {
    let difference = match walk::digests(&kind.path) {
        Ok(found) => first_difference(&expected(tree, kind.part), &found)?,
        Err(error) => format!("{error:#}"),
    };
    Some(format!("{}: {difference}", kind.name))
}

fn left_out(kinds: &[&str]) -> String {
    match kinds {
        [] => String::new(),
        kinds => format!(" Left out, as only root can make them: {}.", kinds.join(", ")),
    }
}

/// Processor time to open images and to read and hash every file, in seconds.
fn cost(images: &[PathBuf]) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let before = processor_time()?;
        for image in images {
            walk::hash_all(image)?;
        }
        times.push(processor_time()? - before);
    }
    Ok(median(&mut times))
}

/// What an independent program says of the files of a folder.
fn digests_of(tree: &Path) -> anyhow::Result<Digests> {
    let mut find = Command::new("find");
    let output =
        find.current_dir(tree).args([".", "-type", "f", "-exec", "sha256sum", "{}", "+"]).output()?;
    anyhow::ensure!(output.status.success(), "sha256sum fails");
    let lines = String::from_utf8(output.stdout)?;
    let digest = |line: &str| line.split_once("  .").map(|(digest, path)| (path.into(), digest.into()));
    lines.lines().map(|line| digest(line).context("an odd line of sha256sum")).collect()
}

fn expected(tree: &Digests, part: Part) -> Digests {
    let first_level = || tree.iter().filter(|(path, _)| path.rfind('/') == Some(0));
    let mut expected: Digests = match part {
        Part::Whole | Part::WithBoot => tree.clone(),
        Part::FirstLevel => first_level().map(|(path, digest)| (path.clone(), digest.clone())).collect(),
    };
    if part == Part::WithBoot {
        expected.extend(first_level().map(|(path, digest)| (format!("/boot/efi{path}"), digest.clone())));
    }
    expected
}

fn first_difference(expected: &Digests, found: &Digests) -> Option<String> {
    let differs = |(path, digest): &(&String, &String)| found.get(*path) != Some(*digest);
    match expected.iter().find(differs) {
        Some((path, _)) if found.contains_key(path) => Some(format!("{path} differs")),
        Some((path, _)) => Some(format!("{path} is missing")),
        None if found.len() > expected.len() => {
            Some(format!("{} files too many", found.len() - expected.len()))
        }
        None => None,
    }
}
