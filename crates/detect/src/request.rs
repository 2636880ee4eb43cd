//! What is scanned, and how.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use guardhouse_scan::{
    Project,
    process::{ScanOptions, Targets},
    sandbox::Resources,
    walk::Reach,
};

/// One scan.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is read.
    pub target: PathBuf,
    /// What the report calls it.
    pub name: String,
    /// Files besides it that it may refer to.
    pub also: Vec<PathBuf>,
    /// Which of several container images, by platform: `linux/amd64`; all of them without.
    pub platform: Option<String>,
    /// Which of several container images, by name or by the beginning of its digest; all of them without.
    pub image: Option<String>,
    /// What is looked for.
    pub projects: Vec<Project>,
    /// What is compared with.
    pub knowledge: Knowledge,
    /// Sentences for whoever reads the report.
    pub notes: Vec<String>,
    /// How long the scanning process may take; without a bound when there is none.
    pub timeout: Option<Duration>,
    /// How many threads read; one per processor without.
    pub threads: Option<usize>,
    /// How much memory the scanning process may have, in bytes.
    pub max_memory: u64,
    /// A folder for temporary files, which the caller has made and will remove.
    pub scratch: PathBuf,
}

/// What packages are compared with.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// The store of advisories.
    pub store: PathBuf,
    /// Whether it is an error when there is no store; otherwise nothing is compared, and the report says so.
    pub is_required: bool,
    /// VEX documents whose statements suppress findings.
    pub vex: Vec<PathBuf>,
    /// A file with rules by which findings are ignored.
    pub ignore: Option<PathBuf>,
}

impl Request {
    /// What the scanning process reads. Absolute, so that it is the same file whatever that process's folder is.
    pub(crate) fn targets(&self) -> Targets {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Targets {
            target: absolute(&self.target),
            also: self.also.iter().map(absolute).collect(),
            scratch: Some(absolute(&self.scratch)),
        }
    }

    /// What the scanning process is told.
    pub(crate) fn options(&self) -> ScanOptions {
        // Each once, whatever the order and the repetitions of the request.
        let projects: Vec<_> =
            Project::ALL.into_iter().filter(|project| self.projects.contains(project)).collect();
        let reach = if projects == [Project::Vul] { Reach::KnownPaths } else { Reach::Everything };
        let threads =
            self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get));
        ScanOptions {
            platform: self.platform.clone(),
            image: self.image.clone(),
            projects,
            reach,
            threads,
            resources: Resources {
                memory: self.max_memory,
                cpu: cpu_seconds(length(&self.target), self.timeout),
                ..Resources::default()
            },
            ..ScanOptions::default()
        }
    }
}

fn length(target: &Path) -> u64 {
    fs::metadata(target).map_or(0, |metadata| metadata.len())
}

/// How much processor time a target of this length in bytes may cost, in seconds: a hundred times of what it does, and never
/// less than the time that it may take.
fn cpu_seconds(length: u64, timeout: Option<Duration>) -> u64 {
    let by_size = Resources::default().cpu.saturating_add((length >> 30).saturating_mul(120));
    by_size.max(timeout.map_or(0, |timeout| timeout.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_the_system_alone_are_looked_for_where_they_are() {
        let mut request = Request {
            target: "disk.img".into(),
            name: "disk.img".into(),
            also: Vec::new(),
            platform: None,
            image: None,
            projects: vec![Project::Vul, Project::Vul],
            knowledge: Knowledge::default(),
            notes: Vec::new(),
            timeout: None,
            threads: Some(3),
            max_memory: 1 << 30,
            scratch: "scratch".into(),
        };
        let options = request.options();
        assert_eq!((options.projects.as_slice(), options.reach), (&[Project::Vul][..], Reach::KnownPaths));
        assert_eq!((options.threads, options.resources.memory), (3, 1 << 30));
        assert!(request.targets().target.is_absolute());
        request.projects = vec![Project::ScaVul, Project::Vul];
        let options = request.options();
        assert_eq!((options.projects.as_slice(), options.reach), (&Project::ALL[..], Reach::Everything));
    }

    #[test]
    fn time_grows_with_the_target() {
        let least = Resources::default().cpu;
        let seconds = [0, (1 << 30) - 1, 10 << 30].map(|length| cpu_seconds(length, None));
        assert_eq!(seconds, [least, least, least + 1200]);
        for (limit, expected) in [(1, least), (least + 7, least + 7)] {
            assert_eq!(cpu_seconds(0, Some(Duration::from_secs(limit))), expected, "{limit}");
        }
    }
}
