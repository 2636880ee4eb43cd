//! How the databases go about every statement that the verbs execute, kept as golden files: a lost index fails here,
//! not in a house with a million devices.

mod agentless;
mod agentless_schedules;
mod agentless_selections;
mod agentless_snapshots;
mod dynamic_groups;
mod findings;
mod identity;
mod postgres;
mod sqlite;
mod verbs;
mod vulnerabilities;

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path, sync::mpsc::Receiver};

use crate::{
    StoreError,
    engine::tap::{self, Heard},
};

#[expect(dead_code, reason = "the conformance suite needs more of it")]
#[path = "../../tests/conformance/support.rs"]
mod support;

use self::{postgres::Postgres, sqlite::Sqlite};

#[tokio::test]
async fn sqlite_finds_every_row_by_an_index() {
    let mut plans = Plans::new(Explain::Sqlite(Sqlite::new()));
    let f = support::sqlite();
    verbs::all(&mut plans, &f).await;
    plans.compare("sqlite.txt");
}

#[tokio::test]
async fn postgres_finds_every_row_by_an_index() {
    let mut plans = Plans::new(Explain::Postgres(Postgres::new().await));
    let f = support::postgres().await;
    verbs::all(&mut plans, &f).await;
    plans.compare("postgres.txt");
}

/// Who says how a statement is carried out.
enum Explain {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// How a statement is carried out.
struct Plan {
    /// One line each, indented by its depth.
    steps: Vec<String>,
    /// Of the steps, those that read a long table from its first row to its last.
    long_scans: Vec<String>,
}

/// Listens to a store and explains what it hears.
pub struct Plans {
    heard: Receiver<Heard>,
    explain: Explain,
    text: String,
    long_scans: Vec<String>,
}

impl Plans {
    /// Hears the stores that are opened from now on.
    fn new(explain: Explain) -> Self {
        Self { heard: tap::listen(), explain, text: String::new(), long_scans: Vec::new() }
    }

    /// Leaves out what was heard up to now.
    fn forget(&mut self) {
        self.heard.try_iter().for_each(drop);
    }

    /// Carries out a verb and notes the plans of its statements, each once.
    async fn of<T>(&mut self, what: &str, verb: impl Future<Output = Result<T, StoreError>>) -> T {
        let answer = verb.await.unwrap_or_else(|error| panic!("{what}: {error}"));
        writeln!(self.text, "{what}").expect("memory");
        let mut seen = BTreeSet::new();
        let heard: Vec<_> = self.heard.try_iter().collect();
        for mut statement in heard {
            statement.sql = statement.sql.split_whitespace().collect::<Vec<_>>().join(" ");
            if seen.insert(statement.clone()) {
                self.note(what, &statement).await;
            }
        }
        self.text.push('\n');
        answer
    }

    async fn note(&mut self, what: &str, statement: &Heard) {
        let plan = match &mut self.explain {
            Explain::Sqlite(sqlite) => sqlite.plan(&statement.sql),
            Explain::Postgres(postgres) => postgres.plan(statement).await,
        };
        // What looks nothing up, as savepoints and locks, has no steps.
        if plan.steps.is_empty() {
            return;
        }
        writeln!(self.text, "  {}", statement.sql).expect("memory");
        for step in plan.steps {
            writeln!(self.text, "    {step}").expect("memory");
        }
        self.long_scans.extend(plan.long_scans.into_iter().map(|step| format!("{what}: {}", step.trim())));
    }

    fn compare(self, file: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans").join(file);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &self.text).expect("writes");
        }
        let kept = fs::read_to_string(&file).expect("the golden file");
        assert!(
            kept == self.text,
            "plans changed; UPDATE_GOLDEN=1 cargo test -p guardhouse-store writes {} anew, compare them:\n{}",
            file.display(),
            self.text
        );
        assert!(self.long_scans.is_empty(), "reads whole tables: {:#?}", self.long_scans);
    }
}
