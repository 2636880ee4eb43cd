//! The progress of a scan, on a terminal.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
};

use guardhouse_scan::Project;

/// How wide the bar is, in characters.
const WIDTH: usize = 30;

/// A line on standard error that shows how far a scan is; nothing where that is no terminal.
#[derive(Debug)]
pub struct Bar {
    is_terminal: bool,
    percents: BTreeMap<Project, u8>,
    shown: Option<u8>,
}

impl Bar {
    /// Shows nothing yet.
    pub fn new(projects: &[Project]) -> Self {
        let percents = projects.iter().map(|&project| (project, 0)).collect();
        Self { is_terminal: io::stderr().is_terminal(), percents, shown: None }
    }

    /// A project got further.
    pub fn set(&mut self, project: Project, percent: u8) {
        self.percents.insert(project, percent);
        let mean = mean(&self.percents);
        if self.is_terminal && self.shown != Some(mean) {
            self.shown = Some(mean);
            let _ = write!(io::stderr(), "\r{}", line(mean));
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}

fn mean(percents: &BTreeMap<Project, u8>) -> u8 {
    let sum: usize = percents.values().map(|&percent| usize::from(percent)).sum();
    u8::try_from(sum / percents.len().max(1)).unwrap_or(100)
}

/// A bar and a number.
pub fn line(percent: u8) -> String {
    let done = (usize::from(percent) * WIDTH / 100).min(WIDTH);
    format!("scanning [{}{}] {percent:3} %", "#".repeat(done), " ".repeat(WIDTH - done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_the_mean_of_all_projects() {
        let percents = BTreeMap::from([(Project::Vul, 100), (Project::ScaVul, 1)]);
        assert_eq!(mean(&percents), 50);
        assert_eq!(line(50), format!("scanning [{}{}]  50 %", "#".repeat(15), " ".repeat(15)));
        assert_eq!(line(100), format!("scanning [{}] 100 %", "#".repeat(30)));
    }
}
