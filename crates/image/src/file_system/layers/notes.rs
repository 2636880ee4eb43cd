//! What is told about entries that were left out.

use crate::path::Escaped;

/// How many of them are named.
const NAMED: usize = 20;

/// How much of a path is shown, in bytes.
const SHOWN: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Notes {
    told: Vec<String>,
    more: u64,
}

impl Notes {
    pub fn left_out(&mut self, path: &[u8], why: &str) {
        if self.told.len() >= NAMED {
            self.more = self.more.saturating_add(1);
            return;
        }
        let (shown, cut) = path.get(..SHOWN).map_or((path, ""), |start| (start, "…"));
        self.told.push(format!("{}{cut} is left out: {why}", Escaped(shown)));
    }

    pub fn into_told(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{} more entries are left out", self.more));
        }
        self.told
    }
}
