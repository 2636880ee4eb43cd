//! What could not be read: the first thousand of each kind by name, the others as a number.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use guardhouse_image::FilePath;

use crate::event::{Event, Trouble};

/// How many problems of a kind are told one by one.
pub const NAMED: u64 = 1000;

/// How long a message may be, in bytes: it may quote the image.
const MESSAGE: usize = 1000;

/// Tells problems, and counts them.
pub struct Problems<'a> {
    counts: Mutex<BTreeMap<Trouble, u64>>,
    tell: &'a (dyn Fn(Event) + Sync),
}

impl<'a> Problems<'a> {
    /// None so far.
    pub fn new(tell: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self { counts: Mutex::default(), tell }
    }

    /// Something about a file, or about a whole system.
    pub fn add(&self, kind: Trouble, system: usize, path: Option<&FilePath>, message: String) {
        let count = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(kind).or_default();
            *count += 1;
            *count
        };
        if count <= NAMED {
            let message = shortened(message);
            (self.tell)(Event::Problem { kind, system: Some(system), path: path.cloned(), message });
        }
    }

    /// Tells how many were not told.
    pub fn finish(&self) {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        for (kind, count) in counts {
            if let Some(more) = count.checked_sub(NAMED).filter(|&more| more > 0) {
                let message = format!("{more} more problems of this kind are not listed");
                (self.tell)(Event::Problem { kind, system: None, path: None, message });
            }
        }
    }
}

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE {
        message.truncate(message.floor_char_boundary(MESSAGE));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousand_are_named_and_the_rest_counted() {
        let told = Mutex::new(Vec::new());
        let tell = |event| told.lock().expect("no panic").push(event);
        let problems = Problems::new(&tell);
        for number in 0..NAMED + 7 {
            problems.add(Trouble::Unreadable, 0, Some(&FilePath::root()), format!("{number}"));
        }
        problems.add(Trouble::Limit, 0, None, "é".repeat(2000));
        problems.finish();
        let told = told.into_inner().expect("no panic");
        assert_eq!(told.len() as u64, NAMED + 2);
        let Some(Event::Problem { message, system: None, .. }) = told.last() else { panic!("{told:?}") };
        assert_eq!(message, "7 more problems of this kind are not listed");
    }
}
