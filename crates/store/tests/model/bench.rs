//! The model beside the two engines, and what compares them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use guardhouse_model::{
    AssignmentId, DeviceId, GroupId, PolicyId, RunId, TaskId, Timestamp, dynamic_groups::AttributeFacts,
    machines::KnownMachine,
};
use guardhouse_store::{
    AccessKeyRecord, AccountRecord, AgentRelease, Device, DevicePolicy, DeviceStateReport, DynamicGroup,
    Group, KeyRecord, NewEnrolmentToken, Policy, PolicyTarget, Store, StoreError,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    agentless::Scans, enrolment::DeviceKey, groups, identity::RefreshToken, machines::Question,
    postgres::Postgres, responses::KeptResponse, retention::KeptLease, runs::KeptRun, tasks::KeptTask,
};

/// What a comparison says.
pub type Outcome = Result<(), TestCaseError>;

/// Everything the store keeps. The verbs are in the file of their aggregate.
#[derive(Debug, Default)]
pub struct Model {
    pub groups: BTreeMap<GroupId, Group>,
    pub devices: BTreeMap<DeviceId, Device>,
    /// Of every device.
    pub facts: BTreeMap<DeviceId, AttributeFacts>,
    pub dynamic_groups: BTreeMap<GroupId, DynamicGroup>,
    pub dynamic_members: BTreeSet<(GroupId, DeviceId)>,
    /// Of the latest connection of devices that ever connected.
    pub epochs: BTreeMap<DeviceId, u64>,
    /// What devices said last of their policies.
    pub device_policies: BTreeMap<DeviceId, DevicePolicy>,
    /// By the digest of the key.
    pub device_keys: BTreeMap<[u8; 32], DeviceKey>,
    /// By their public part. `uses` is what is left.
    pub enrolment_tokens: BTreeMap<[u8; 8], NewEnrolmentToken>,
    /// With those that were deleted.
    pub tasks: BTreeMap<TaskId, KeptTask>,
    /// The digests of the templates.
    pub templates: Vec<[u8; 32]>,
    pub runs: BTreeMap<RunId, KeptRun>,
    pub policies: BTreeMap<PolicyId, Policy>,
    /// What is assigned to a target, by rank.
    pub stacks: BTreeMap<PolicyTarget, Vec<(AssignmentId, PolicyId)>>,
    pub leases: BTreeMap<&'static str, KeptLease>,
    /// By name.
    pub accounts: BTreeMap<String, AccountRecord>,
    /// By digest.
    pub refresh_tokens: BTreeMap<[u8; 32], RefreshToken>,
    pub keys: BTreeMap<&'static str, KeyRecord>,
    /// By their public parts. Of the account only its identity counts.
    pub access_keys: BTreeMap<String, AccessKeyRecord>,
    /// When they may be forgotten.
    pub nonces: BTreeMap<[u8; 32], Timestamp>,
    pub responses: BTreeMap<Uuid, KeptResponse>,
    /// Of the devices that have told.
    pub machines: BTreeMap<DeviceId, (KnownMachine, Timestamp)>,
    pub questions: BTreeMap<Uuid, Question>,
    /// The device of each key that is revoked, and the run by which it is.
    pub retired_keys: BTreeMap<[u8; 32], (DeviceId, RunId)>,
    pub states: BTreeMap<DeviceId, DeviceStateReport>,
    /// Agentless scans.
    pub scans: Scans,
    /// By platform and version, with their programs.
    pub agent_releases: BTreeMap<(String, String), (AgentRelease, Vec<u8>)>,
}

/// Why the store refuses with an error and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An id that is to be new is there already.
    Taken,
    /// Another process has the duty.
    LeaseLost,
}

/// Those that are compared.
pub struct Bench {
    pub model: Model,
    pub engines: [(&'static str, Store); 2],
    /// Ids that were used where nothing may ever repeat.
    pub last_fresh: u128,
    _folder: TempDir,
}

impl Bench {
    /// A model and two stores as they are from the start.
    pub async fn new(postgres: &Postgres) -> Self {
        postgres.empty().await;
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            model: Model { groups: groups::from_the_start(), ..Model::default() },
            engines: [
                ("SQLite", Store::open(folder.path()).expect("opens")),
                ("PostgreSQL", postgres.store.clone()),
            ],
            last_fresh: 0,
            _folder: folder,
        }
    }
}

/// Calls a verb of the model and of both engines, and answers what the model does once they agree.
///
/// With `?` the verb may refuse, which answers `None`; without, an error fails the test. What follows the verb is done
/// to the answers before they are compared.
macro_rules! agree {
    ($bench:ident.$verb:ident($($argument:expr),* $(,)?) $(, $arranged:expr)?) => {{
        let expected = Ok($bench.model.$verb($($argument),*));
        let expected = agree!(compare $bench, expected, $verb($($argument),*) $(, $arranged)?);
        expected.unwrap_or_else(|refusal: $crate::bench::Refusal| unreachable!("{refusal:?}"))
    }};
    ($bench:ident.$verb:ident($($argument:expr),* $(,)?)?) => {{
        let expected = $bench.model.$verb($($argument),*);
        agree!(compare $bench, expected, $verb($($argument),*)).ok()
    }};
    (compare $bench:ident, $expected:ident, $verb:ident($($argument:expr),*) $(, $arranged:expr)?) => {{
        for (engine, store) in &$bench.engines {
            let answer = $crate::bench::known(store.$verb($($argument),*).await)?;
            $(let answer = answer.map($arranged);)?
            $crate::bench::same(engine, stringify!($verb), &$expected, &answer)?;
        }
        $expected
    }};
}

/// The answer of an engine, or why it refused; what went wrong otherwise fails the test.
pub fn known<T>(answer: Result<T, StoreError>) -> Result<Result<T, Refusal>, TestCaseError> {
    // https://sqlite.org/rescode.html
    const PRIMARY_KEY: i32 = 1555;
    const UNIQUE: i32 = 2067;
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _)))
            if [PRIMARY_KEY, UNIQUE].contains(&error.extended_code) =>
        {
            Ok(Err(Refusal::Taken))
        }
        Err(StoreError::Postgres(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Ok(Err(Refusal::Taken))
        }
        Err(StoreError::LeaseLost(_)) => Ok(Err(Refusal::LeaseLost)),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

/// Fails when an engine answers otherwise than the model.
pub fn same<T: PartialEq + Debug>(engine: &str, verb: &str, expected: &T, answer: &T) -> Outcome {
    prop_assert!(
        expected == answer,
        "{verb}: {engine} answers\n{answer:#?}\nwhere the model answers\n{expected:#?}"
    );
    Ok(())
}
