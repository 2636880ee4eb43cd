//! How far a walk is: each folder has a share of the whole, and hands it on to the folders in it.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::event::{Event, Project};

/// The share of the whole target.
pub const WHOLE: u64 = 1 << 50;

/// Counts shares, and tells whenever that makes another per cent. At most a hundred events per project.
pub struct Progress<'a> {
    projects: &'a [Project],
    done: AtomicU64,
    told: Mutex<u8>,
    tell: &'a (dyn Fn(Event) + Sync),
}

impl<'a> Progress<'a> {
    /// Nothing is done.
    pub fn new(projects: &'a [Project], tell: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self { projects, done: AtomicU64::new(0), told: Mutex::new(0), tell }
    }

    /// A share is done.
    pub fn add(&self, share: u64) {
        if share == 0 {
            return;
        }
        let before = self.done.fetch_add(share, Ordering::Relaxed);
        let (before, now) = (percent(before), percent(before.saturating_add(share)));
        // 100 is said at the end only.
        if now > before && now < 100 {
            self.tell(now);
        }
    }

    /// Everything is done.
    pub fn finish(&self) {
        self.tell(100);
    }

    fn tell(&self, percent: u8) {
        // Under the lock, so that no thread tells less than another one just did.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if percent > *told {
            *told = percent;
            for &project in self.projects {
                (self.tell)(Event::Progress { project, percent });
            }
        }
    }
}

fn percent(done: u64) -> u8 {
    u8::try_from(done / (WHOLE / 100)).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_falls_and_ends_at_a_hundred() {
        let told = Mutex::new(Vec::new());
        let tell = |event| {
            let Event::Progress { percent, .. } = event else { panic!("{event:?}") };
            told.lock().expect("no panic").push(percent);
        };
        let projects = [Project::Vul];
        let progress = Progress::new(&projects, &tell);
        for _ in 0..8 {
            progress.add(WHOLE / 8);
        }
        progress.add(WHOLE / 8);
        progress.finish();
        progress.finish();
        assert_eq!(*told.lock().expect("no panic"), [12, 25, 37, 50, 62, 75, 87, 100]);
    }
}
