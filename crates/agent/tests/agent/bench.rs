//! What the tests with real processes share.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use guardhouse_agent::runs::folder::{Facts, Folder};
use guardhouse_contract::{
    action::{ActionFailure, RunCommandResult},
    automation::Action,
    link::{Order, RunEnded},
    pb::era::common::data_definition::task::os::RunCommand,
    status::pack,
};
use prost::{Message, Name};
use tempfile::TempDir;

/// The binary under test.
pub const AGENT: &str = env!("CARGO_BIN_EXE_guardhouse-agent");

pub const RUN: &str = "01890000-0000-7000-8000-000000000001";

/// An action that no agent knows. Tests order no other one that they do not mean: this machine would obey.
pub const OF_LATER: &str = "ActionOfLater";

/// An order to run a script.
pub fn script(run: &str, text: &str, directory: &str) -> Order {
    let command = RunCommand { command_line: text.to_owned(), current_directory: directory.to_owned() };
    order(run, "RunCommand", &command)
}

pub fn order<M: Message + Name>(run: &str, name: &str, params: &M) -> Order {
    let action = Action { name: name.to_owned(), params: Some(pack(params)) };
    Order { run_uuid: run.to_owned(), action: Some(action), expire_time: None }
}

/// A folder with an order, and runners for it.
pub struct Bench {
    _temp: TempDir,
    pub folder: Folder,
}

impl Bench {
    pub fn new(order: &Order) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temp.path().join("run"));
        folder.create(order).expect("made");
        Self { _temp: temp, folder }
    }

    /// Starts a runner.
    pub fn start(&self, time_limit: &str) -> Child {
        Command::new(AGENT)
            .args(["runner", "--time-limit", time_limit, "--run-dir"])
            .arg(self.folder.path())
            .env("A_SECRET_OF_THE_AGENT", "hidden")
            .stdin(Stdio::null())
            .spawn()
            .expect("a runner")
    }

    /// Lets a runner do its work.
    pub fn finish(&self, time_limit: &str) -> RunEnded {
        let status = self.start(time_limit).wait().expect("a status");
        assert!(status.success(), "{status}");
        self.ended()
    }

    /// How the run ended.
    pub fn ended(&self) -> RunEnded {
        match self.folder.facts().expect("facts") {
            Facts::Ended(ended) => ended,
            facts => panic!("{facts:?}"),
        }
    }
}

pub fn run_script(text: &str) -> (bool, RunCommandResult) {
    let ended = Bench::new(&script(RUN, text, "")).finish("1h");
    (ended.succeeded, result(&ended))
}

/// The result of a run, which must be of this type.
pub fn result<M: Message + Name + Default>(ended: &RunEnded) -> M {
    let any = ended.result.as_ref().expect("a result");
    assert_eq!(any.type_url, format!("type.googleapis.com/{}", M::full_name()), "{}", failure_text(ended));
    M::decode(any.value.as_slice()).expect("decodable")
}

/// The code of a failed run.
pub fn failure(ended: &RunEnded) -> String {
    assert!(!ended.succeeded);
    result::<ActionFailure>(ended).code
}

fn failure_text(ended: &RunEnded) -> String {
    let value = ended.result.as_ref().map(|any| any.value.as_slice()).unwrap_or_default();
    format!("{:?}", ActionFailure::decode(value))
}

/// Whether a process is dead: gone, or waiting to be reaped.
pub fn is_dead(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
