//! What a scanning process says when a file has taken it over, for the fuzz target and for the property that does the
//! same within bounds.

use std::sync::mpsc;

use crate::{
    event::{Event, Project},
    positions,
    supervisor::{Ledger, Message, forward},
};

/// Takes bytes for the standard output of two scanners, one started after the other died, and for the place where a
/// thread says that it is. The first byte says how the first line of the second is found.
///
/// # Panics
/// Something is shown that its reader was promised not to see.
pub fn events(bytes: &[u8]) {
    let _ = positions::parse(bytes);
    let Some((&split, told)) = bytes.split_first() else { return };
    let (first, second) = told.split_at(told.len() * usize::from(split) / 256);
    let (mut ledger, mut percent, mut done) = (Ledger::default(), [0; Project::ALL.len()], 0);
    let mut show = |event: Event| {
        serde_json::to_vec(&event).expect("what was read can be written");
        match event {
            Event::Progress { project, percent: told } => {
                let index = Project::ALL.iter().position(|known| *known == project).expect("all are known");
                assert!(told > percent[index] && told <= 100, "{told} after {}", percent[index]);
                percent[index] = told;
            }
            Event::Done { .. } => done += 1,
            Event::Walked { .. } => panic!("is not shown"),
            _ => assert_eq!(done, 0, "after the end"),
        }
    };
    for (told, only_suspects) in [(first, false), (second, true)] {
        ledger.begin(only_suspects);
        let (sender, lines) = mpsc::sync_channel(told.len() + 1);
        forward(told, &sender);
        drop(sender);
        for message in lines {
            match message {
                Message::Line(line) if ledger.take(&line, &mut show).is_ok() => {}
                _ => return,
            }
        }
    }
    ledger.finish(&mut show);
    assert!(done <= 1);
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use guardhouse_image::{
        FilePath,
        tree::Os,
        volume::{Reason, Refusal},
    };
    use guardhouse_packages::{Kind, Package, SourcePackage};
    use guardhouse_test_images::seeds::keep;
    use proptest::{prelude::*, sample::Index};

    use super::*;
    use crate::event::Trouble;

    /// What a scanner tells, each kind of event once.
    fn told() -> Vec<u8> {
        let notes = vec!["a note".to_owned()];
        let os = Os { id: "debian".to_owned(), version: "12".to_owned(), ..Os::default() };
        let refusal = Refusal {
            reason: Reason::Encrypted,
            what: "LUKS2".to_owned(),
            detail: "its key is not there".to_owned(),
        };
        let package = Package {
            kind: Kind::Deb,
            name: "libssl3".to_owned(),
            version: "3.0.11-1".to_owned(),
            source: Some(SourcePackage { name: "openssl".to_owned(), version: "3.0.11-1".to_owned() }),
            licences: vec!["MIT".to_owned()],
            inside: vec!["a.jar".to_owned()],
            ..Package::default()
        };
        let path = FilePath::new(b"/var/lib/dpkg/status\xff");
        let place = "partition 1".to_owned();
        let events = [
            Event::Opened { kind: "raw".to_owned(), size: 1 << 30, notes: notes.clone() },
            Event::Volume {
                place: place.clone(),
                size: 1 << 20,
                content: "LUKS2".to_owned(),
                refusal: Some(refusal),
                notes: Vec::new(),
            },
            Event::System { place, os: Some(os), notes },
            Event::Package { system: 0, path: path.clone(), format: "dpkg-status".to_owned(), package },
            Event::Problem {
                kind: Trouble::Malformed,
                system: Some(0),
                path: Some(path),
                message: "no package".to_owned(),
            },
            Event::Progress { project: Project::Vul, percent: 50 },
            Event::Walked { files: 3, bytes: 4, bytes_read: 5 },
            Event::Progress { project: Project::Vul, percent: 100 },
            Event::Done { files: 3, bytes: 4, bytes_read: 5 },
        ];
        let mut lines = Vec::new();
        for event in &events {
            serde_json::to_writer(&mut lines, event).expect("JSON");
            lines.write_all(b"\n").expect("memory");
        }
        lines
    }

    fn shown(bytes: &[u8]) -> usize {
        let (mut ledger, mut shown) = (Ledger::default(), 0);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            ledger.take(line, &mut |_| shown += 1).expect("an event");
        }
        ledger.finish(&mut |_| shown += 1);
        shown
    }

    #[test]
    fn seeds_are_shown() {
        let told = told();
        // Progress of 100 and the end once more, but not what was walked.
        assert_eq!(shown(&told), 8);
        for (name, split, bytes) in [("once", 255, told.clone()), ("twice", 128, [&*told, &*told].concat())] {
            let seed = [&[split], &*bytes].concat();
            events(&seed);
            keep("scan_events", name, &seed);
        }
    }

    proptest! {
        #[test]
        fn changed_lines_are_no_danger(
            split: u8,
            changes in prop::collection::vec((any::<Index>(), prop::sample::select(b"{}[]\",:0-9e.\n\\u\xff".to_vec())), 0..6),
        ) {
            let told = told();
            let mut bytes = [&[split], &*told, &*told].concat();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            events(&bytes);
        }

        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            events(&bytes);
        }
    }
}
