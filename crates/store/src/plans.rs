//! How SQLite goes about every statement that the verbs execute, kept as a golden file: a lost index fails
//! here, not in a house with a million devices.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path, sync::mpsc::Receiver};

use guardhouse_model::{
    DeviceId, TaskId, TemplateId,
    groups::{ALL, LOST_AND_FOUND},
    tasks::RunStatus,
};
use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    AccountRecord, DeviceFilter, DeviceReport, EnrolDevice, KeyRecord, NewEnrolmentToken, NewRefreshToken,
    RunEnd, RunPosition, StoreError, Targets,
    engine::{MIGRATIONS, tap},
};

#[path = "../tests/conformance/support.rs"]
mod support;

use support::{Fixture, at};

/// What may be read from its first row to its last: the results of `with`, literals, and tables that stay
/// small however many devices there are.
const SHORT: [&str; 6] = ["subtree", "above", "scope", "accounts", "device_groups", "CONSTANT"];

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let mut plans = Plans::new();
    let f = support::sqlite();
    plans.heard.try_iter().for_each(drop);
    devices(&mut plans, &f).await;
    groups(&mut plans, &f).await;
    tasks(&mut plans, &f).await;
    task_runs(&mut plans, &f).await;
    identity(&mut plans, &f).await;
    plans.compare();
}

async fn devices(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let a = plans.of("devices_import", store.devices_import(ALL, vec![f.device("a")])).await;
    let a = a.expect("the group exists")[0].id;
    plans.of("device_get", store.device_get(a)).await;
    plans.of("devices_get_many", store.devices_get_many(vec![a])).await;
    let any = DeviceFilter::default;
    for (what, filter) in [
        ("devices_list", any()),
        ("devices_list, by name", DeviceFilter { display_names: vec!["a".into(), "b".into()], ..any() }),
        ("devices_list, by status", DeviceFilter { functionality_status: Some(1), ..any() }),
        ("devices_list, muted", DeviceFilter { is_muted: Some(true), ..any() }),
        ("devices_list, not muted", DeviceFilter { is_muted: Some(false), ..any() }),
        (
            "devices_list, by everything",
            DeviceFilter {
                display_names: vec!["a".into()],
                functionality_status: Some(1),
                is_muted: Some(true),
            },
        ),
    ] {
        plans.of(what, store.devices_list(filter, Some(a), 10)).await;
    }
    plans.of("device_move", store.device_move(a, LOST_AND_FOUND)).await;
    plans.of("device_rename", store.device_rename(a, "new".to_owned())).await;
    plans.of("device_connected", store.device_connected(a, "192.0.2.1".to_owned(), at(1))).await;
    plans.of("devices_seen", store.devices_seen(vec![a], at(2))).await;
    let report = DeviceReport { host_name: "host".to_owned(), attributes: vec![9] };
    plans.of("device_reported", store.device_reported(a, report)).await;
}

async fn groups(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let group = f.group(ALL).await;
    let lower = f.group(group).await;
    let device = f.member(lower).await;
    plans.forget();
    plans.of("group_get", store.group_get(group)).await;
    plans.of("groups_list", store.groups_list(None, 10)).await;
    plans.of("group_members_list", store.group_members_list(group, false, Some(device), 10)).await;
    plans.of("group_members_list, recurse", store.group_members_list(group, true, Some(device), 10)).await;
    plans.of("group_move", store.group_move(lower, ALL)).await;
    plans.of("group_rename", store.group_rename(group, "new".to_owned())).await;
    plans.of("group_delete", store.group_delete(lower)).await;
}

async fn tasks(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member(ALL).await;
    plans.forget();
    let targets = Targets { devices: vec![device], groups: vec![ALL] };
    let task = f.new_task(targets.clone());
    let id = task.id;
    plans.of("task_create", store.task_create(task, TemplateId(f.id()))).await;
    plans.of("task_get", store.task_get(id)).await;
    plans.of("tasks_list", store.tasks_list(None, 10)).await;
    plans.of("task_set_targets", store.task_set_targets(id, targets, at(1))).await;
    plans.of("task_set_triggers", store.task_set_triggers(id, vec![f.trigger()], at(2))).await;
    plans.of("task_delete", store.task_delete(id, at(3))).await;
}

async fn task_runs(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let device = f.member(ALL).await;
    let task = f.task(&[device], &[ALL]).await;
    plans.forget();
    plans.of("task_runs_claim", store.task_runs_claim(device, at(1))).await;
    let run = f.claim(device).await[0].id;
    plans.forget();
    plans.of("task_run_started", store.task_run_started(run, device)).await;
    let end = RunEnd { run, device, status: RunStatus::Finished, end_time: at(2), result: None };
    plans.of("task_run_ended", store.task_run_ended(end)).await;
    plans.of("task_run_withdrawn", store.task_run_withdrawn(run, device)).await;
    let after = Some(RunPosition { start_time: at(9), id: run });
    for (what, device, only_last) in [
        ("task_runs_list", None, false),
        ("task_runs_list, of a device", Some(device), false),
        ("task_runs_list, only last", None, true),
        ("task_runs_list, only last of a device", Some(device), true),
    ] {
        plans.of(what, store.task_runs_list(task, device, only_last, after, 10)).await;
    }
    plans.of("task_runs_expire", store.task_runs_expire(at(2_000_000), None, 10)).await;
    let deleted = f.task(&[], &[]).await;
    assert!(store.task_delete(deleted, at(3)).await.expect("writes"));
    plans.forget();
    plans.of("tasks_expire", store.tasks_expire(at(4), 10)).await;
    let unknown = TaskId(f.id());
    plans.of("task_runs_list, unknown task", store.task_runs_list(unknown, None, false, None, 10)).await;
}

async fn identity(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let uuid = Uuid::from_u128(1);
    let (name, password_hash) = ("ada".to_owned(), "$argon2id$…".to_owned());
    let account = AccountRecord { uuid, name: name.clone(), password_hash, access: 2 };
    plans.of("account_add", store.account_add(account, at(0))).await;
    plans.of("account_find", store.account_find(name)).await;
    plans.of("account_get", store.account_get(uuid)).await;
    plans.of("accounts_list", store.accounts_list()).await;
    let key = KeyRecord { secret: vec![1], certificate: None };
    plans.of("key_settle", store.key_settle("key", key, at(0))).await;

    let token = |n| NewRefreshToken { digest: [n; 32], expire_time: at(100) };
    plans.of("refresh_token_add", store.refresh_token_add(token(1), uuid, uuid, at(0))).await;
    plans.of("refresh_token_rotate", store.refresh_token_rotate([1; 32], token(2), at(0))).await;
    plans.of("refresh_token_rotate, reuse", store.refresh_token_rotate([1; 32], token(3), at(0))).await;

    plans.of("account_set_password", store.account_set_password("ada".to_owned(), String::new())).await;
    plans.of("account_remove", store.account_remove("ada".to_owned())).await;

    let (token_id, secret_digest) = ([1; 8], [2; 32]);
    let token = NewEnrolmentToken { id: token_id, secret_digest, group: ALL, uses: 1, expire_time: at(100) };
    plans.of("enrolment_token_create", store.enrolment_token_create(token)).await;
    let host = EnrolDevice {
        token_id,
        secret_digest,
        key_digest: [3; 32],
        new_id: DeviceId(f.id()),
        host_name: "host".to_owned(),
        attributes: vec![1],
        public_ip_address: "192.0.2.1".to_owned(),
        now: at(1),
    };
    plans.of("device_enrol", store.device_enrol(host)).await;
    plans.of("device_of_key", store.device_of_key([3; 32])).await;
}

/// Listens to the store and explains what it hears.
struct Plans {
    heard: Receiver<String>,
    /// Without rows: there are no statistics on which a plan could depend.
    schema: Connection,
    text: String,
    long_scans: Vec<String>,
}

impl Plans {
    /// Hears the stores that are opened from now on.
    fn new() -> Self {
        let schema = Connection::open_in_memory().expect("opens");
        for migration in MIGRATIONS {
            schema.execute_batch(migration).expect("applies");
        }
        Self { heard: tap::listen(), schema, text: String::new(), long_scans: Vec::new() }
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
        for sql in heard {
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            if seen.insert(sql.clone()) {
                self.explain(what, &sql);
            }
        }
        self.text.push('\n');
        answer
    }

    fn explain(&mut self, what: &str, sql: &str) {
        let steps = steps(&self.schema, sql);
        // Savepoints and inserts look nothing up.
        if steps.is_empty() {
            return;
        }
        writeln!(self.text, "  {sql}").expect("memory");
        for (depth, step) in steps {
            writeln!(self.text, "{:indent$}{step}", "", indent = 4 + 2 * depth).expect("memory");
            if let Some(table) = step.strip_prefix("SCAN ")
                && !table.split(' ').any(|word| SHORT.contains(&word))
            {
                self.long_scans.push(format!("{what}: {step}"));
            }
        }
    }

    fn compare(self) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/sqlite.txt");
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

/// The steps of a plan, each with its depth.
fn steps(schema: &Connection, sql: &str) -> Vec<(usize, String)> {
    let mut statement = schema.prepare(&format!("explain query plan {sql}")).expect("a statement");
    let mut rows = statement.raw_query();
    let (mut path, mut steps) = (vec![0_i64], Vec::new());
    while let Some(row) = rows.next().expect("a step") {
        let (id, above): (i64, i64) = (row.get(0).expect("id"), row.get(1).expect("parent"));
        while path.last().is_some_and(|&last| last != above) {
            path.pop();
        }
        steps.push((path.len().saturating_sub(1), row.get(3).expect("detail")));
        path.push(id);
    }
    steps
}
