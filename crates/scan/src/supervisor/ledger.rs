//! What was told so far, by all processes of one scan: each thing is shown once.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::event::{Event, Project};

/// How many events a scan may tell.
const EVENTS: u64 = 5_000_000;

/// How much a scan may tell, in bytes. All of it may be kept for a report; a million packages are a third of this.
const BYTES: u64 = 1 << 30;

/// What was told.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Events of all processes.
    events: u64,
    /// How long they were together.
    bytes: u64,
    /// How many events about target, volumes and systems this process has told, and how many were shown.
    head: (usize, usize),
    /// Packages and problems that were shown, as hashes: a process that is started again tells them once more.
    shown: HashSet<u64>,
    progress: BTreeMap<Project, u8>,
    /// What was counted when only suspects were left.
    walked: Option<[u64; 3]>,
    /// What this process has counted in the end.
    done: Option<[u64; 3]>,
    only_suspects: bool,
}

impl Ledger {
    /// A process starts.
    pub fn begin(&mut self, only_suspects: bool) {
        self.head.0 = 0;
        self.done = None;
        self.only_suspects = only_suspects;
    }

    /// Whether all is looked at but suspects.
    pub fn has_walked(&self) -> bool {
        self.walked.is_some()
    }

    /// Reads a line, and shows what is new.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn take(&mut self, line: &[u8], show: &mut dyn FnMut(Event)) -> Result<(), String> {
        self.events += 1;
        if self.events > EVENTS {
            return Err(format!("the scanner told more than {EVENTS} things"));
        }
        self.bytes = self.bytes.saturating_add(line.len() as u64);
        if self.bytes > BYTES {
            return Err(format!("the scanner told more than {BYTES} bytes"));
        }
        let event = serde_json::from_slice(line)
            .map_err(|error| format!("the scanner told what is no event: {error}"))?;
        match event {
            Event::Opened { .. } | Event::Volume { .. } | Event::System { .. } => {
                self.head.0 += 1;
                if self.head.0 > self.head.1 {
                    self.head.1 = self.head.0;
                    show(event);
                }
            }
            Event::Package { .. } | Event::Problem { .. } => {
                let mut hasher = DefaultHasher::new();
                line.hash(&mut hasher);
                if self.shown.insert(hasher.finish()) {
                    show(event);
                }
            }
            Event::Progress { project, percent } => {
                let told = self.progress.entry(project).or_default();
                // The end is shown when the scan has ended.
                if percent > *told && percent < 100 {
                    *told = percent;
                    show(event);
                }
            }
            Event::Walked { files, bytes, bytes_read } => self.walked = Some([files, bytes, bytes_read]),
            Event::Done { files, bytes, bytes_read } => self.done = Some([files, bytes, bytes_read]),
        }
        Ok(())
    }

    /// Shows the end, when the process has told it.
    pub fn finish(&mut self, show: &mut dyn FnMut(Event)) -> bool {
        let Some(mut done) = self.done else { return false };
        if let Some(walked) = self.walked.filter(|_| self.only_suspects) {
            for (done, walked) in done.iter_mut().zip(walked) {
                *done = done.saturating_add(walked);
            }
        }
        for &project in self.progress.keys() {
            show(Event::Progress { project, percent: 100 });
        }
        let [files, bytes, bytes_read] = done;
        show(Event::Done { files, bytes, bytes_read });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_bounded() {
        let line = br#"{"event":"progress","project":"vul","percent":1}"#;
        let left = line.len() as u64 * 2;
        for (mut ledger, why) in [
            (Ledger { events: EVENTS - 2, ..Ledger::default() }, "5000000 things"),
            (Ledger { bytes: BYTES - left, ..Ledger::default() }, "1073741824 bytes"),
        ] {
            for _ in 0..2 {
                ledger.take(line, &mut |_| ()).expect("not too much yet");
            }
            let told = ledger.take(line, &mut |_| ()).expect_err("too much");
            assert!(told.ends_with(why), "{told}");
        }
    }
}
