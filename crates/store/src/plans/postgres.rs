//! What PostgreSQL says of a statement.

use guardhouse_testing::postgres::Database;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::{Plan, support};
use crate::engine::tap::Heard;

/// What may be read from its first row to its last: tables that stay small however many devices there are, or are only
/// counted; lists of findings and of assets are filtered by anything, and counted as a whole.
const SHORT: [&str; 16] = [
    "accounts",
    "agent_releases",
    "agentless_assets",
    "agentless_check_items",
    "agentless_checks",
    "agentless_locations",
    "agentless_malicious_files",
    "agentless_malicious_rules",
    "agentless_sensitive_files",
    "agentless_vulnerability_whitelist",
    "agentless_webhooks",
    "device_groups",
    "dynamic_groups",
    "keys",
    "leases",
    "task_templates",
];

/// A database with rows, as its plans depend on how many there are. No table has more than the 30,000 of which the
/// statistics are made, so that these are the same every time.
pub struct Postgres {
    connection: PgConnection,
    /// Dropped with the value.
    _database: Database,
}

impl Postgres {
    pub async fn new() -> Self {
        let database = support::database();
        let mut connection = PgConnection::connect(&database.url()).await.expect("connects");
        run(&mut connection, include_str!("../../tests/plans/rows.sql")).await;
        run(&mut connection, "vacuum analyze").await;
        // The plan that a prepared statement keeps, which knows none of its values.
        run(&mut connection, "set plan_cache_mode = force_generic_plan").await;
        Self { connection, _database: database }
    }

    pub async fn plan(&mut self, statement: &Heard) -> Plan {
        let Heard { sql, types } = statement;
        let (types, values) = match types.len() {
            0 => (String::new(), String::new()),
            count => (format!(" ({})", types.join(", ")), format!("({})", vec!["null"; count].join(", "))),
        };
        run(&mut self.connection, &format!("prepare heard{types} as {sql}")).await;
        let explain = AssertSqlSafe(format!("explain (costs off) execute heard{values}"));
        let rows = self.connection.fetch_all(sqlx::raw_sql(explain)).await.expect("explains");
        run(&mut self.connection, "deallocate heard").await;
        let steps: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if steps == ["Result"] {
            return Plan { steps: Vec::new(), long_scans: Vec::new() };
        }
        let is_long = |step: &&String| {
            let table = step.split_once("Seq Scan on ").map(|(_, table)| table);
            table.is_some_and(|table| !table.split(' ').any(|word| SHORT.contains(&word)))
        };
        let long_scans = steps.iter().filter(is_long).cloned().collect();
        Plan { steps, long_scans }
    }
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    done.unwrap_or_else(|error| panic!("{error}: {sql}"));
}
