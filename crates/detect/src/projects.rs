//! What a scan looks for, out of what there is to look for.

use guardhouse_report::ProjectReport;
use guardhouse_scan::{PROJECT_NAMES, Project};

/// All projects, with those that a scan runs.
#[must_use]
pub fn projects(run: &[Project]) -> Vec<ProjectReport> {
    let runs = |name| run.iter().any(|project| project.name() == name);
    PROJECT_NAMES.into_iter().map(|name| ProjectReport { name: name.to_owned(), run: runs(name) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_yet_is_not_run() {
        let names = |run: &[Project], wanted| {
            let projects = projects(run).into_iter().filter(|project| project.run == wanted);
            projects.map(|project| project.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[Project::Vul], true), ["vul"]);
        assert_eq!(names(&Project::ALL, true), ["scaVul", "vul"]);
        assert_eq!(
            names(&Project::ALL, false),
            ["binary", "baseline", "webshell", "script", "sensitiveInfo"],
            "detectors that are new are added here"
        );
    }
}
