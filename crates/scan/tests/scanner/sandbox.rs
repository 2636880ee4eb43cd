//! What the scanning process cannot do.

use guardhouse_scan::{Event, supervisor::Outcome};

use crate::scene::{Scene, Seen};

pub const TESTS: &[(&str, fn())] = &[
    ("programs_and_sockets_end_the_scanner", programs_and_sockets),
    ("files_of_this_machine_are_out_of_reach", files_of_this_machine),
    ("once_a_disk_is_open_nothing_else_is_opened", once_a_disk_is_open),
    ("temporary_files_go_to_the_scratch_folder", temporary_files),
];

fn programs_and_sockets() {
    for name in ["exec", "listen"] {
        let seen = Scene::new(&[name, "a"]).scan();
        assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
        assert!(seen.files.contains("/a"), "{:?}", seen.files);
        if name == "exec" && seen.files.iter().any(|file| file.starts_with("/exec ")) {
            // A process is a kind of clone that is refused before there is anything to start a program in.
            assert!(seen.files.contains("/exec permission denied"), "{:?}", seen.files);
            continue;
        }
        let [death] = seen.ended.deaths.as_slice() else { panic!("{:?}", seen.ended) };
        assert!(death.cause.starts_with("SIGSYS"), "{death:?}");
    }
}

fn files_of_this_machine() {
    let seen = Scene::new(&["read-passwd", "list-home", "write-outside", "write-target"]).scan();
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    if let Some(note) = landlock_note(&seen) {
        println!("SKIPPED reading: {note}");
    } else {
        assert!(seen.files.contains("/read-passwd permission denied"), "{:?}", seen.files);
        assert!(seen.files.contains("/list-home permission denied"), "{:?}", seen.files);
        assert!(seen.files.contains("/write-outside permission denied"), "{:?}", seen.files);
        assert!(seen.files.contains("/write-target permission denied"), "{:?}", seen.files);
    }
}

fn once_a_disk_is_open() {
    let scene = Scene::new(&["read-target", "new-temporary"]);
    assert!(scene.scan().files.contains("/read-target done"), "a folder stays open");
    let disk = guardhouse_test_images::file_systems::ext("mkfs.ext4", &[], scene.folder.path(), 8);
    let seen = scene.scan_at(&disk.path);
    assert_eq!(seen.ended.outcome, Outcome::Complete, "{:?}", seen.ended);
    assert!(seen.files.contains("/read-target permission denied"), "{:?}", seen.files);
    assert!(seen.files.contains("/new-temporary done"), "{:?}", seen.files);
}

fn temporary_files() {
    let scene = Scene::new(&["write-scratch"]);
    let seen = scene.scan();
    assert!(seen.files.contains("/write-scratch done"), "{:?}", seen.files);
    assert!(scene.scratch.path().join("file").exists());
}

fn landlock_note(seen: &Seen) -> Option<String> {
    seen.events.iter().find_map(|event| match event {
        Event::Opened { notes, .. } => notes.iter().find(|note| note.contains("landlock")).cloned(),
        _ => None,
    })
}
