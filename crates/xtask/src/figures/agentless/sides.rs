//! Stores on both engines, each once with few subtasks and once with many.

use std::fmt::Write as _;

use guardhouse_model::Environment;
use guardhouse_store::{AgentlessTaskAdded, NewAgentlessSubtask, NewAgentlessTask, Store};
use tempfile::TempDir;
use uuid::Uuid;

use crate::figures::{figure::Measured, median, postgres::Database, setup::Setup};

/// How many subtasks a task has in one store.
pub const FEW: usize = 10;

/// How many one has in the other.
pub const MANY: usize = 10_000;

/// An engine with a store for few subtasks and one for many.
pub struct Sides {
    /// What the engine is called.
    pub engine: &'static str,
    /// The store for few.
    pub few: Store,
    /// The store for many.
    pub many: Store,
    folders: Option<[TempDir; 2]>,
    databases: Option<[Database; 2]>,
}

impl Sides {
    /// New stores on SQLite, and on PostgreSQL where one is named.
    ///
    /// # Errors
    /// The disk is full, or the database refuses.
    pub async fn of_all(setup: &Setup, database_url: Option<&str>) -> anyhow::Result<Vec<Self>> {
        let folders = [setup.folder()?, setup.folder()?];
        let mut sides = vec![Self {
            engine: "SQLite",
            few: Store::open(folders[0].path())?,
            many: Store::open(folders[1].path())?,
            folders: Some(folders),
            databases: None,
        }];
        if let Some(url) = database_url {
            let databases = [Database::create(url).await?, Database::create(url).await?];
            sides.push(Self {
                engine: "PostgreSQL",
                few: Store::connect(&databases[0].url).await?,
                many: Store::connect(&databases[1].url).await?,
                folders: None,
                databases: Some(databases),
            });
        }
        Ok(sides)
    }

    /// Removes what was made.
    ///
    /// # Errors
    /// Somebody uses it.
    pub async fn remove(self) -> anyhow::Result<()> {
        let Self { few, many, folders, databases, .. } = self;
        drop((few, many, folders));
        for database in databases.into_iter().flatten() {
            database.drop().await?;
        }
        Ok(())
    }
}

/// A task with that many subtasks that is queued.
///
/// # Errors
/// The store fails.
pub async fn queue(store: &Store, environment: &Environment, subtasks: usize) -> anyhow::Result<Uuid> {
    let target = |_| {
        let id = environment.uuid();
        NewAgentlessSubtask {
            id,
            instance_id: format!("s-{}", id.simple()),
            target_type: 3,
            target_name: format!("disk-{}.qcow2", id.simple()),
            size_bytes: 40 << 30,
            ..NewAgentlessSubtask::default()
        }
    };
    let task = NewAgentlessTask {
        id: environment.uuid(),
        name: "AGENTLESS_SCAN".to_owned(),
        target_type: 3,
        start_time: environment.now(),
        targets: (0..subtasks).map(target).collect(),
        ..NewAgentlessTask::default()
    };
    let id = task.id;
    let added = store.agentless_task_add(task).await?;
    anyhow::ensure!(added == AgentlessTaskAdded::Added, "the assets are new, and yet: {added:?}");
    Ok(id)
}

/// What was measured of one thing on one engine, in turns with few and with many subtasks; in ms.
#[derive(Debug)]
pub struct Times {
    /// What, and on which engine.
    pub what: String,
    /// With few.
    pub few: Vec<f64>,
    /// With many.
    pub many: Vec<f64>,
}

/// The worst of the ratios of the medians, and all of them in a note.
pub fn judged(times: Vec<Times>, rest: &str) -> Measured {
    let (mut worst, mut note) = (0.0_f64, String::new());
    for Times { what, mut few, mut many } in times {
        let (few, many) = (median(&mut few), median(&mut many));
        worst = worst.max(many / few);
        // Writing into a text cannot fail.
        let _ =
            write!(note, "{what}: {many:.3} ms with {MANY}, {few:.3} ms with {FEW}, {:.2} x. ", many / few);
    }
    Measured::new(worst, note + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_ratio_is_the_value() {
        let times =
            |what: &str, many| Times { what: what.to_owned(), few: vec![2.0], many: vec![many, 1e9, 0.0] };
        let measured = judged(vec![times("a", 2.5), times("b", 4.0), times("c", 1.0)], "End.");
        assert_eq!(measured.value, 2.0);
        assert!(
            measured.note.contains("b: 4.000 ms") && measured.note.ends_with("End."),
            "{}",
            measured.note
        );
    }
}
