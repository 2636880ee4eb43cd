//! The walk over trees that are right, wrong and hostile.

mod file;
mod memory;

use std::{
    collections::BTreeMap,
    panic,
    sync::{Mutex, atomic::AtomicU64},
};

use guardhouse_image::System;
use guardhouse_packages::Package;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::analyser::{Candidate, Found, Interest};
use memory::{Node, system};

/// Tells each file that it is shown as a package, with its SHA-256 as version.
struct Recorder;

impl Analyser for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn project(&self) -> Project {
        Project::Vul
    }

    fn interest(&self, _candidate: &Candidate<'_>) -> Interest {
        Interest::Reads
    }

    fn look(&self, file: &mut ScannedFile<'_>, found: &mut dyn FnMut(Found)) {
        match file.sha256() {
            Ok(sha256) => {
                let version = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                let package = Package { name: file.path().to_string(), version, ..Package::default() };
                found(Found::Package { format: "recorder", package: Box::new(package) });
            }
            Err(error) => found(Found::Trouble { kind: Trouble::Unreadable, message: error.to_string() }),
        }
    }
}

/// Fails at files of one name.
struct Fragile;

impl Analyser for Fragile {
    fn name(&self) -> &'static str {
        "fragile"
    }

    fn project(&self) -> Project {
        Project::ScaVul
    }

    fn interest(&self, candidate: &Candidate<'_>) -> Interest {
        if candidate.path.name() == b"bad" { Interest::Reads } else { Interest::None }
    }

    fn look(&self, _file: &mut ScannedFile<'_>, _found: &mut dyn FnMut(Found)) {
        panic!("no bad files please");
    }
}

/// How often each file was shown, what was not read, and what was counted.
struct Walked {
    shown: BTreeMap<String, usize>,
    problems: Vec<(Trouble, String, String)>,
    percents: Vec<u8>,
    totals: Totals,
}

fn walked(systems: &[System], plan: &Plan) -> Walked {
    walked_by(systems, plan, &[Box::new(Recorder)])
}

fn walked_by(systems: &[System], plan: &Plan, analysers: &[Box<dyn Analyser>]) -> Walked {
    let events = Mutex::new(Vec::new());
    let tell = |event| events.lock().expect("no panic").push(event);
    let totals = walk(systems, analysers, plan, &Positions::none(), &tell);
    let mut walked = Walked { shown: BTreeMap::new(), problems: Vec::new(), percents: Vec::new(), totals };
    for event in events.into_inner().expect("no panic") {
        match event {
            Event::Package { package, .. } => *walked.shown.entry(package.name).or_default() += 1,
            Event::Problem { kind, path, message, .. } => {
                let path = path.map(|path| path.to_string()).unwrap_or_default();
                walked.problems.push((kind, path, message));
            }
            Event::Progress { project: Project::Vul, percent } => walked.percents.push(percent),
            _ => {}
        }
    }
    walked
}

fn named(entries: &[(&str, u64)]) -> Vec<(String, u64)> {
    entries.iter().map(|(name, node)| ((*name).to_owned(), *node)).collect()
}

fn threads(threads: usize) -> Plan {
    Plan { threads, ..Plan::default() }
}

/// Without the text of a panic that a test wants.
fn quietly<T>(act: impl FnOnce() -> T) -> T {
    panic::set_hook(Box::new(|_| {}));
    let result = act();
    let _ = panic::take_hook();
    result
}

#[test]
fn a_cycle_is_told_and_not_followed() {
    let nodes = vec![
        Node::Folder(named(&[("a", 1), ("f", 2)])),
        Node::Folder(named(&[("up", 0), ("self", 1), ("f", 2)])),
        Node::File(b"x".to_vec()),
    ];
    let walked = walked(&[system(nodes)], &threads(2));
    assert_eq!(walked.shown.keys().collect::<Vec<_>>(), ["/a/f", "/f"]);
    let mut told: Vec<_> = walked.problems.iter().map(|(_, path, _)| path.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["/a/self", "/a/up"]);
}

#[test]
fn a_well_without_a_ground_is_left_at_the_limit() {
    let walked = walked(&[system(vec![Node::Folder(named(&[("well", 2_000_000)]))])], &threads(2));
    let [(Trouble::Limit, path, message)] = walked.problems.as_slice() else {
        panic!("{:?}", walked.problems)
    };
    assert_eq!(path.matches('/').count(), limits::DEPTH + 1);
    assert!(message.contains("128 folders"), "{message}");
}

#[test]
fn a_crowd_is_walked_through_by_several_threads() {
    for count in 1..4 {
        let nodes = vec![Node::Folder(named(&[("crowd", 1)])), Node::Crowd(10_000)];
        let walked = walked(&[system(nodes)], &threads(count));
        assert_eq!(walked.shown.len(), 10_000, "{count} threads");
        assert!(walked.shown.values().all(|&times| times == 1), "{count} threads");
        assert_eq!(walked.totals.files, 10_002);
    }
}

#[test]
fn more_files_than_the_limit_are_told() {
    let plan = Plan { files: 500, threads: 2, ..Plan::default() };
    let nodes = vec![Node::Folder(named(&[("a", 1), ("b", 2)])), Node::Crowd(10_000), Node::Crowd(10_000)];
    let walked = walked(&[system(nodes)], &plan);
    assert_eq!(walked.totals.files, 500);
    let [(Trouble::Limit, _, message)] = walked.problems.as_slice() else { panic!("{:?}", walked.problems) };
    assert!(message.contains("more than 500 files"), "{message}");
}

#[test]
fn what_is_damaged_is_told_and_the_rest_is_shown() {
    let nodes = vec![
        Node::Folder(named(&[("torn", 1), ("file", 2), ("good", 3), ("buggy", 4)])),
        Node::TornFolder(named(&[("good", 3)])),
        Node::TornFile,
        Node::File(Vec::new()),
        Node::BuggyFolder,
    ];
    let walked = quietly(|| walked(&[system(nodes)], &threads(1)));
    assert_eq!(walked.shown.keys().collect::<Vec<_>>(), ["/good", "/torn/good"]);
    let mut told: Vec<_> = walked.problems.iter().map(|(kind, path, _)| (*kind, path.as_str())).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [(Trouble::Unreadable, "/file"), (Trouble::Unreadable, "/torn"), (Trouble::Panicked, "/buggy")]
    );
}

#[test]
fn an_analyser_that_fails_is_named_and_the_others_go_on() {
    let nodes = vec![Node::Folder(named(&[("bad", 1), ("good", 2)])), Node::File(b"1".to_vec())];
    let analysers: [Box<dyn Analyser>; 2] = [Box::new(Fragile), Box::new(Recorder)];
    let walked = quietly(|| walked_by(&[system(nodes)], &threads(1), &analysers));
    assert_eq!(walked.shown.keys().collect::<Vec<_>>(), ["/bad", "/good"]);
    let message = "fragile failed: no bad files please".to_owned();
    assert_eq!(walked.problems, [(Trouble::Panicked, "/bad".to_owned(), message)]);
}

#[test]
fn a_sparse_file_is_hashed_with_a_small_window() {
    let size = super::file::WHOLE as u64 * 5 + 17;
    let nodes = vec![Node::Folder(named(&[("sparse", 1)])), Node::Sparse(size)];
    let plan = Plan { hashing: Hashing::All, ..Plan::default() };
    let events = Mutex::new(Vec::new());
    let tell = |event| events.lock().expect("no panic").push(event);
    let totals = walk(&[system(nodes)], &[Box::new(Recorder)], &plan, &Positions::none(), &tell);
    assert_eq!(totals, Totals { files: 2, bytes: size, bytes_read: size });
    let zeros = vec![0; usize::try_from(size).expect("64 bits")];
    let expected: String = Sha256::digest(&zeros).iter().map(|byte| format!("{byte:02x}")).collect();
    let told = events.into_inner().expect("no panic");
    let is_expected =
        |event: &Event| matches!(event, Event::Package { package, .. } if package.version == expected);
    assert!(told.iter().any(is_expected), "{told:?}");
}

#[test]
fn avoided_files_are_not_touched_and_suspects_come_last() {
    let nodes = vec![
        Node::Folder(named(&[("a", 1), ("b", 2), ("c", 2), ("poison", 4)])),
        Node::Folder(named(&[("x", 2), ("y", 2)])),
        Node::File(b"1".to_vec()),
    ];
    let spot = |path: &str| Spot {
        system: Some(0),
        path: FilePath::new(path.as_bytes()),
        doing: "recorder".to_owned(),
    };
    let systems = [system(nodes)];
    let mut plan =
        Plan { avoid: vec![spot("/poison")], suspects: vec![spot("/a"), spot("/b")], ..Plan::default() };
    let all = walked(&systems, &plan);
    assert_eq!(
        all.shown.into_iter().collect::<Vec<_>>(),
        ["/a/x", "/a/y", "/b", "/c"].map(|path| (path.into(), 1))
    );
    plan.only_suspects = true;
    let rest = walked(&systems, &plan);
    assert_eq!(
        rest.shown.into_iter().collect::<Vec<_>>(),
        ["/a/x", "/a/y", "/b"].map(|path| (path.into(), 1))
    );
}

#[test]
fn known_paths_are_found_without_a_walk() {
    let folder = |entries: &[(&str, u64)]| Node::Folder(named(entries));
    let nodes = vec![
        folder(&[("var", 1), ("home", 6)]),
        folder(&[("lib", 2)]),
        folder(&[("dpkg", 3)]),
        folder(&[("status", 4), ("status.d", 5)]),
        Node::File(b"1".to_vec()),
        folder(&[("base", 4), ("tzdata", 8)]),
        Node::Crowd(1000),
    ];
    let plan = Plan { reach: Reach::KnownPaths, ..Plan::default() };
    let walked = walked(&[system(nodes)], &plan);
    let shown: Vec<_> = walked.shown.keys().collect();
    assert_eq!(
        shown,
        ["/var/lib/dpkg/status", "/var/lib/dpkg/status.d/base", "/var/lib/dpkg/status.d/tzdata"]
    );
    assert_eq!(walked.percents, [100]);
    assert!(walked.problems.is_empty(), "{:?}", walked.problems);
}

/// Trees of at most a few hundred files, as nodes.
fn trees() -> impl Strategy<Value = Vec<Node>> {
    // For each node but the root: in which earlier folder it lies, and whether it is a folder.
    prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..300).prop_map(|nodes| {
        let mut folders = vec![0];
        let mut tree = vec![Node::Folder(Vec::new())];
        for (number, (parent, is_folder)) in nodes.into_iter().enumerate() {
            let number = number + 1;
            let parent: usize = folders[parent.index(folders.len())];
            let Node::Folder(entries) = &mut tree[parent] else { unreachable!("only folders are listed") };
            entries.push((format!("n{number}"), number as u64));
            if is_folder {
                folders.push(number);
            }
            tree.push(if is_folder { Node::Folder(Vec::new()) } else { Node::File(vec![b'x'; number]) });
        }
        tree
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_file_is_shown_once_whatever_the_number_of_threads(nodes in trees(), count in 1_usize..5) {
        let files = nodes.iter().filter(|node| matches!(node, Node::File(_))).count();
        let total = nodes.len() as u64;
        let plan = Plan { threads: count, ..Plan::default() };
        let walked = walked(&[system(nodes)], &plan);
        prop_assert_eq!(walked.shown.len(), files);
        prop_assert!(walked.shown.values().all(|&times| times == 1));
        prop_assert_eq!(walked.totals.files, total);
        prop_assert_eq!(walked.totals.bytes, walked.totals.bytes_read);
        prop_assert!(walked.percents.is_sorted());
        prop_assert_eq!(walked.percents.last(), Some(&100));
        prop_assert!(walked.problems.is_empty(), "{:?}", walked.problems);
    }
}

#[test]
fn nothing_is_kept_for_a_file_that_was_visited() {
    /// Sees how many tasks wait while the crowd is read.
    struct Witness(AtomicU64);
    impl Analyser for Witness {
        fn name(&self) -> &'static str {
            "witness"
        }
        fn project(&self) -> Project {
            Project::Vul
        }
        fn interest(&self, _candidate: &Candidate<'_>) -> Interest {
            self.0.fetch_add(1, Ordering::Relaxed);
            Interest::None
        }
        fn look(&self, _file: &mut ScannedFile<'_>, _found: &mut dyn FnMut(Found)) {}
    }
    let before = resident();
    let nodes = vec![Node::Folder(named(&[("crowd", 1)])), Node::Crowd(500_000)];
    let walked = walked_by(&[system(nodes)], &threads(2), &[Box::new(Witness(AtomicU64::new(0)))]);
    assert_eq!(walked.totals.files, 500_002);
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for 500,000 empty files");
}

/// How much memory this process has, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}
