//! `AgentlessWorkers.ReportProgress`

use std::collections::{BTreeMap, HashMap};

use guardhouse_contract::{
    Status,
    scans::{ReportProgressRequest, ReportProgressResponse},
};
use guardhouse_identity::Failure;
use guardhouse_report::Report;
use guardhouse_store::{SubtaskLease, SubtaskProgress};

use super::{Service, lease};
use crate::fields::Checks;

/// Most projects of a subtask: more than the public API has.
const MOST_PROJECTS: usize = 32;

/// Longest name of a project, in bytes.
const LONGEST_NAME: usize = 64;

/// Keeps how far subtasks are.
pub async fn run(
    service: &Service,
    request: ReportProgressRequest,
) -> Result<ReportProgressResponse, Status> {
    let mut checks = Checks::default();
    let subtasks = request.subtasks;
    if subtasks.len() > lease::MOST {
        let message = format!("has {} entries; at most {} are taken", subtasks.len(), lease::MOST);
        return Err(Status::invalid_field("subtasks", message));
    }
    let mut progress = Vec::with_capacity(subtasks.len());
    for (index, subtask) in subtasks.iter().enumerate() {
        let lease = lease::read(&mut checks, &format!("subtasks[{index}].lease"), subtask.lease.as_ref());
        if !are_sound(&subtask.projects) {
            let right = format!("at most {MOST_PROJECTS} words, each with a number from 0 to 100, are right");
            checks.fail(format!("subtasks[{index}].projects"), right);
        }
        progress.extend(lease.map(|lease| said(lease, &subtask.projects)));
    }
    checks.finish()?;
    let until = service.after(service.lease);
    let answers = service.store.agentless_subtasks_progress(progress, until).await.map_err(Failure::from)?;
    let leases = answers.into_iter().map(|answer| lease::state(answer).into()).collect();
    Ok(ReportProgressResponse { leases })
}

/// What is kept of how far a subtask is.
fn said(lease: SubtaskLease, projects: &HashMap<String, i32>) -> SubtaskProgress {
    SubtaskProgress { lease, progress: mean(projects), progress_by_project: written(projects) }
}

/// Of a subtask that is done: every project that was run is at its end, whether its worker came to say so or not.
pub fn done(lease: SubtaskLease, report: &Report) -> SubtaskProgress {
    let run = report.projects.iter().filter(|project| project.run);
    let projects = run.map(|project| (project.name.clone(), 100)).collect();
    if are_sound(&projects) { said(lease, &projects) } else { said(lease, &HashMap::new()) }
}

fn are_sound(projects: &HashMap<String, i32>) -> bool {
    let is_word = |name: &str| {
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    projects.len() <= MOST_PROJECTS
        && projects.iter().all(|(name, percent)| is_word(name) && (0..=100).contains(percent))
}

/// How far a subtask is: the mean of its projects, rounded down.
fn mean(projects: &HashMap<String, i32>) -> u8 {
    let sum: usize = projects.values().filter_map(|&percent| usize::try_from(percent).ok()).sum();
    u8::try_from(sum / projects.len().max(1)).unwrap_or(100).min(100)
}

/// As the public API has it: `{"scaVul":40,"vul":100}`.
fn written(projects: &HashMap<String, i32>) -> String {
    serde_json::to_string(&projects.iter().collect::<BTreeMap<_, _>>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects(projects: &[(&str, i32)]) -> HashMap<String, i32> {
        projects.iter().map(|(name, percent)| ((*name).to_owned(), *percent)).collect()
    }

    #[test]
    fn a_subtask_is_as_far_as_the_mean_of_its_projects() {
        let table = [
            (projects(&[]), 0, "{}"),
            (projects(&[("vul", 41)]), 41, r#"{"vul":41}"#),
            (projects(&[("vul", 100), ("scaVul", 1)]), 50, r#"{"scaVul":1,"vul":100}"#),
            (projects(&[("vul", 100), ("scaVul", 100)]), 100, r#"{"scaVul":100,"vul":100}"#),
        ];
        for (told, percent, text) in table {
            assert_eq!((mean(&told), written(&told).as_str()), (percent, text));
        }
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        assert!(are_sound(&projects(&[("sensitiveInfo", 0), ("vul", 100)])));
        for wrong in [("vul", 101), ("vul", -1), ("", 1), ("a\"b", 1), ("a b", 1)] {
            assert!(!are_sound(&projects(&[wrong])), "{wrong:?}");
        }
        let many: HashMap<_, _> = (0..33).map(|number| (format!("p{number}"), 1)).collect();
        assert!(!are_sound(&many));
    }
}
