//! What scans look for, by the names of the public API.

use guardhouse_contract::{Status, scans::ScanOptions};
use guardhouse_scan::event::Project;
use prost::Message as _;

/// Everything that there is to look for. More follows; what does not exist yet is not named.
pub fn all() -> Vec<&'static str> {
    Project::ALL.into_iter().map(Project::name).collect()
}

/// What a task with these options, encoded, looks for.
///
/// # Errors
/// Internal: they cannot be read.
pub fn of(options: &[u8]) -> Result<Vec<&'static str>, Status> {
    let wanted = ScanOptions::decode(options).map_err(Status::internal)?.projects;
    let all = all().into_iter();
    Ok(all.filter(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_looks_for_what_was_wanted_or_for_everything() {
        let of = |projects: &[&str]| {
            let projects = projects.iter().map(|&name| name.to_owned()).collect();
            super::of(&ScanOptions { projects, ..ScanOptions::default() }.encode_to_vec())
                .expect("can be read")
        };
        assert_eq!(of(&[]), all());
        assert_eq!(of(&["scaVul"]), ["scaVul"]);
        assert_eq!(of(&["webshell"]), [""; 0], "nobody looks for that");
        super::of(&[0xff]).expect_err("no message");
    }
}
