//! `guardhouse agentless`, as a person types it.

use std::{fs, os::unix::fs::symlink};

use guardhouse_model::agentless::{ReportStatus, TaskStatus};
use uuid::Uuid;

use crate::support::{UNKNOWN, scans::Scans, wait_for};

const IMAGE: &str = "web.tar";

#[tokio::test]
async fn a_location_is_looked_at_when_it_is_added() {
    let scans = Scans::new(&["--workers", "0"]).await;
    let folder = |name: &str| scans.path("images").join(name).display().to_string();
    fs::create_dir(folder("few")).expect("the folder is ours");
    fs::create_dir(folder("none")).expect("the folder is ours");
    scans.make_image("few/web.tar");
    let add = async |name| scans.types(&["location", "add", name, "--folder", &folder(name)]).await;
    let (code, shown, _) = add("few").await;
    assert!(code == 0 && shown.contains("assets       1"), "{shown}");
    let (code, shown, said) = add("none").await;
    assert!(code == 0 && shown.contains("assets       0") && said.contains("nothing in it"), "{shown}{said}");
    let (code, shown, said) = add("away").await;
    assert!(code == 0 && shown.contains("No such file") && said.contains("cannot be read"), "{shown}{said}");
    let found = scans.json(&["asset", "list", "--location", "few"]).await;
    assert_eq!(found["assets"][0]["name"], IMAGE, "{found}");
    let (code, shown, said) = add("few").await;
    assert!(code == 1 && said.contains("is the name of another location"), "{shown}{said}");
}

#[tokio::test]
async fn only_folders_that_the_server_allows_are_locations() {
    let folders = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folders.path().join(name).display().to_string();
    for name in ["in", "out"] {
        fs::create_dir(path(name)).expect("the folder is ours");
    }
    symlink(path("out"), path("in/link")).expect("the folder is ours");
    let scans = Scans::new(&["--workers", "1", "--location-folder", &path("in")]).await;
    scans.make_image(IMAGE);
    let add = async |name, path: &str| scans.types(&["location", "add", name, "--folder", path]).await;
    let (code, shown, said) = add("in", &path("in")).await;
    assert_eq!(code, 0, "{shown}{said}");
    for outside in [path("out"), path("in/../out"), path("in2"), "/proc/self/root".to_owned()] {
        let (code, _, said) = add("out", &outside).await;
        assert!(code == 1 && said.contains("location.address.folder.path"), "{outside}: {said}");
    }
    let (code, shown, _) = add("link", &path("in/link")).await;
    assert!(code == 0 && shown.contains("--location-folder"), "{shown}");

    // It was registered before it was allowed no more: its worker refuses it, too.
    let (_, subtasks) = scans.ask(&[IMAGE]).await;
    let over = scans.over(subtasks[0]).await;
    assert_eq!(over.status, TaskStatus::Failed, "{over:?}");
    assert!(over.reason.contains("--location-folder"), "{over:?}");
}

#[tokio::test]
async fn what_a_scan_found_is_listed_and_written_to_files() {
    let scans = Scans::new(&["--workers", "1"]).await;
    scans.make_image(IMAGE);
    let folder = scans.path("images").display().to_string();
    let (code, shown, said) = scans.types(&["location", "add", "here", "--folder", &folder]).await;
    assert!(code == 0 && shown.contains("assets       1"), "{shown}{said}");
    let scan = async || {
        let done = scans.json(&["scan", "--location", "here", "--wait"]).await;
        done["task"]["uuid"].as_str().expect("a uuid").to_owned()
    };
    let first = scan().await;
    let subtasks = scans.json(&["task", "subtasks", &first]).await;
    let subtask = subtasks["subtasks"][0]["uuid"].as_str().expect("a uuid");
    for of in [["--task", &first], ["--subtask", subtask]] {
        let (code, shown, said) = scans.types(&[&["findings"][..], &of].concat()).await;
        assert!(code == 0 && shown.contains("package-7") && !said.contains("not listed"), "{shown}{said}");
    }
    for of in ["--task", "--subtask"] {
        let (code, _, said) = scans.types(&["findings", of, UNKNOWN]).await;
        assert!(code == 1 && said.contains(UNKNOWN), "{said}");
    }
    let id: Uuid = subtask.parse().expect("a uuid");
    let is_made = async || (scans.subtask(id).await.report_status == ReportStatus::Success).then_some(());
    wait_for("the page is made", is_made).await;
    for (name, start) in [("report.html", "<!doctype html"), ("report.json", "{"), ("report", "{")] {
        let file = scans.path(name);
        let (code, _, said) = scans.types(&["report", subtask, "-O", &file.display().to_string()]).await;
        assert_eq!(code, 0, "{said}");
        let written = fs::read_to_string(file).expect("it was written");
        assert!(written.to_lowercase().trim_start().starts_with(start), "{name}: {written:.80}");
    }

    let second = scan().await;
    let (_, shown, said) = scans.types(&["findings", "--task", &first]).await;
    assert!(!shown.contains("package-7") && said.contains("1 asset with a newer scan"), "{shown}{said}");
    let (_, shown, _) = scans.types(&["findings", "--task", &second]).await;
    assert!(shown.contains("package-7"), "{shown}");
}
