//! What is told about entries that were left out.

use crate::path::Escaped;

/// How many of them are named.
const NAMED: usize = 20;

#[derive(Debug, Default)]
pub(super) struct Notes {
    told: Vec<String>,
    more: u64,
}

impl Notes {
    pub fn left_out(&mut self, path: &[u8], why: &str) {
        match self.told.len() < NAMED {
            true => self.told.push(format!("{} is left out: {why}", Escaped(path))),
            false => self.more = self.more.saturating_add(1),
        }
    }

    pub fn into_told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{} more entries are left out", self.more));
        }
        self.told
    }
}
