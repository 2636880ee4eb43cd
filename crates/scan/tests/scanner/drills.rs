//! Files that kill the scanner.

use std::{path::Path, time::Duration};

use guardhouse_scan::{
    Event, Trouble,
    supervisor::{Death, Outcome},
};

use crate::scene::{Scene, Seen};

pub const TESTS: &[(&str, fn())] = &[
    ("everything_is_told_once", everything_is_told_once),
    ("a_poisonous_file_is_named_and_the_rest_is_scanned", a_poisonous_file),
    ("several_poisonous_files_are_told_apart_from_their_neighbours", several_poisonous_files),
    ("too_many_poisonous_files_end_the_scan", too_many_poisonous_files),
    ("memory_is_bounded", memory_is_bounded),
    ("processor_time_is_bounded", processor_time_is_bounded),
    ("a_file_that_hangs_is_left_out", a_file_that_hangs),
    ("a_scan_has_its_time", a_scan_has_its_time),
    ("a_scan_is_stopped", a_scan_is_stopped),
    ("a_panic_costs_one_file", a_panic_costs_one_file),
    ("a_target_that_is_not_there_is_named", a_target_that_is_not_there),
];

fn killers(seen: &Seen) -> Vec<String> {
    seen.ended.deaths.iter().filter_map(|death| Some(death.killer.as_ref()?.path.to_string())).collect()
}

fn cause(seen: &Seen) -> &str {
    let [Death { cause, .. }, ..] = seen.ended.deaths.as_slice() else { panic!("{:?}", seen.ended) };
    cause
}

fn everything_is_told_once() {
    let seen = Scene::new(&["a", "b/c", "b/d"]).scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{seen:?}");
    assert_eq!(seen.files.iter().collect::<Vec<_>>(), ["/a", "/b/c", "/b/d"]);
    let Some(Event::Done { files: 5, bytes: 7, bytes_read: 0 }) = seen.events.last() else {
        panic!("{:?}", seen.events)
    };
    assert!(seen.ended.deaths.is_empty(), "{:?}", seen.ended);
}

fn a_poisonous_file() {
    let mut scene = Scene::new(&["a", "b/abort", "b/c", "z"]);
    scene.options.threads = 1;
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{seen:?}");
    assert_eq!(seen.files.iter().collect::<Vec<_>>(), ["/a", "/b/c", "/z"]);
    assert_eq!(killers(&seen), ["/b/abort"]);
    assert!(cause(&seen).starts_with("SIGABRT"), "{}", cause(&seen));
    let doing = seen.ended.deaths[0].killer.as_ref().map(|spot| spot.doing.as_str());
    assert_eq!(doing, Some("trap"));
}

fn several_poisonous_files() {
    let names: Vec<_> = (0..40).map(|number| format!("d{number}/f")).collect();
    let mut all: Vec<_> = names.iter().map(String::as_str).collect();
    all.extend(["d3/abort", "d17/abort", "d30/recurse"]);
    let seen = Scene::new(&all).scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert_eq!(seen.files.len(), names.len());
    let mut killers = killers(&seen);
    killers.sort_unstable();
    assert_eq!(killers, ["/d17/abort", "/d3/abort", "/d30/recurse"]);
    let done = seen.events.iter().filter(|event| matches!(event, Event::Done { .. })).count();
    assert_eq!(done, 1);
}

fn too_many_poisonous_files() {
    let names: Vec<_> = (0..4).map(|number| format!("d{number}/abort")).collect();
    let mut scene = Scene::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    scene.options.threads = 1;
    scene.patience.restarts = 2;
    let seen = scene.scan();
    let Outcome::GivenUp(why) = &seen.ended.outcome else { panic!("{:?}", seen.ended) };
    assert!(why.contains("SIGABRT") && why.contains("too often"), "{why}");
    assert_eq!(seen.ended.deaths.len(), 2);
}

fn memory_is_bounded() {
    let mut scene = Scene::new(&["devour", "a"]);
    scene.options.resources.memory = 256 << 20;
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert_eq!(killers(&seen), ["/devour"]);
    assert!(cause(&seen).contains("memory allocation of"), "{}", cause(&seen));
    assert!(seen.files.contains("/a"), "{:?}", seen.files);
}

fn processor_time_is_bounded() {
    let mut scene = Scene::new(&["spin", "a"]);
    scene.options.resources.cpu = 1;
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert_eq!(killers(&seen), ["/spin"]);
    assert!(cause(&seen).starts_with("SIGXCPU"), "{}", cause(&seen));
}

fn a_file_that_hangs() {
    let mut scene = Scene::new(&["hang", "a"]);
    scene.patience.file = Duration::from_millis(300);
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert_eq!(killers(&seen), ["/hang"]);
    assert!(cause(&seen).contains("longer than 300ms for one file"), "{}", cause(&seen));
    assert!(seen.files.contains("/a"), "{:?}", seen.files);
}

fn a_scan_has_its_time() {
    // Each folder has one thread.
    let mut scene = Scene::new(&["d/hang", "e/a", "f/b"]);
    scene.patience.total = Some(Duration::from_secs(2));
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::OutOfTime(Duration::from_secs(2)));
    assert_eq!(seen.files.iter().collect::<Vec<_>>(), ["/e/a", "/f/b"], "what was found until then");
}

fn a_scan_is_stopped() {
    let mut scene = Scene::new(&["a", "d/hang"]);
    scene.stops_at_first = true;
    let seen = scene.scan();
    assert_eq!(seen.ended.outcome, Outcome::Stopped);
    assert_eq!(seen.files.iter().collect::<Vec<_>>(), ["/a"]);
    // What is stopped before it begins starts no process.
    assert_eq!(scene.scan().events, []);
}

fn a_panic_costs_one_file() {
    let seen = Scene::new(&["panic", "a"]).scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert!(seen.ended.deaths.is_empty(), "{:?}", seen.ended);
    let told = seen.events.iter().find_map(|event| match event {
        Event::Problem { kind: Trouble::Panicked, path: Some(path), message, .. } => {
            Some(format!("{path}: {message}"))
        }
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("/panic: trap failed: as its name says"));
}

fn a_target_that_is_not_there() {
    let seen = Scene::new(&[]).scan_at(Path::new("/nowhere/at/all"));
    let Outcome::NotOpened(why) = &seen.ended.outcome else { panic!("{:?}", seen.ended) };
    assert!(why.contains("/nowhere/at/all"), "{why}");
}
