//! Rows as each version kept them, and how they look through the verbs of today.

use guardhouse_model::{
    DeviceId, GroupId, TaskId, Timestamp, dynamic_groups::Rule, groups::ALL, tasks::RunStatus,
};
use guardhouse_store::{
    AssignmentFilter, Closure, DevicePolicy, KeyRecord, NewRefreshToken, PolicyTarget, RefreshOutcome,
    ResponseOutcome, Store,
};
use uuid::Uuid;

use super::{agentless, agentless_selections, agentless_snapshots, agents, findings, vulnerabilities};

const GROUP: u128 = 0x10;
const DEVICE: u128 = 0x20;
const TEMPLATE: u128 = 0x30;
const TASK: u128 = 0x31;
const TRIGGER: u128 = 0x32;
const RUN: u128 = 0x33;
const ACCOUNT: u128 = 0x40;
const RESPONSE: u128 = 0x60;
const POLICY: u128 = 0x70;
const ASSIGNMENT: u128 = 0x71;
const DYNAMIC_GROUP: u128 = 0x80;
/// The question of a device.
pub const QUESTION: u128 = 0x90;

/// How an engine writes what they do not write alike.
pub struct Dialect {
    pub id: fn(u128) -> String,
    pub bytes: fn(&[u8]) -> String,
}

/// What fills the tables that were new in `version`.
pub fn of_version(version: usize, dialect: &Dialect) -> Vec<String> {
    let Dialect { id, bytes } = dialect;
    let (group, device, task) = (id(GROUP), id(DEVICE), id(TASK));
    match version {
        1 => vec![
            format!(
                "insert into device_groups (uuid, parent, display_name, description, external_reference,
                     external_type, version, device_count)
                 values ({group}, {}, 'Laptops', 'text', 'ref', 1, 5, 1)",
                id(ALL.0.as_u128())
            ),
            format!(
                "insert into devices (uuid, group_uuid, display_name, original_display_name, description,
                     enrolment_status, functionality_status, problem_count, is_muted, last_sync_time,
                     public_ip_address, device_token, attributes, version)
                 values ({device}, {group}, 'alpha', 'ALPHA', 'text', 2, 1, 3, 1, 1700000000000000,
                     '192.0.2.7', '05', {}, 9)",
                bytes(&[1, 2])
            ),
            format!(
                "insert into task_templates (uuid, digest, display_name, description, action)
                 values ({}, {}, 'scan', 'text', {})",
                id(TEMPLATE),
                bytes(&[1; 32]),
                bytes(b"action")
            ),
            format!(
                "insert into tasks (uuid, template_uuid, asset_group, source, create_time, update_time, version)
                 values ({task}, {}, 'assets', 1, 1700000000000000, 1700000001000000, 2)",
                id(TEMPLATE)
            ),
            format!(
                "insert into task_targets (task_uuid, kind, position, target)
                 values ({task}, 1, 0, {device}), ({task}, 2, 0, {group})"
            ),
            format!(
                "insert into task_triggers (uuid, task_uuid, position, create_time, expire_time)
                 values ({}, {task}, 0, 1700000000000000, 1800000000000000)",
                id(TRIGGER)
            ),
            format!(
                "insert into task_runs (uuid, task_uuid, trigger_uuid, template_uuid, device_uuid, status,
                     start_time, end_time, expire_time, withdrawn, result)
                 values ({}, {task}, {}, {}, {device}, 4, 1700000000000000, 1700000001000000,
                     1800000000000000, 0, {})",
                id(RUN),
                id(TRIGGER),
                id(TEMPLATE),
                bytes(&[7])
            ),
            format!(
                "insert into accounts (uuid, name, password_hash, access, create_time)
                 values ({}, 'ada', 'hash', 2, 1700000000000000)",
                id(ACCOUNT)
            ),
            format!(
                "insert into refresh_tokens (digest, family, account_uuid, expire_time, spent)
                 values ({}, {}, {}, 1800000000000000, 0)",
                bytes(&[2; 32]),
                id(0x41),
                id(ACCOUNT)
            ),
            format!(
                "insert into keys (name, secret, certificate, create_time) values ('authority', {}, {}, 0)",
                bytes(&[3]),
                bytes(&[4])
            ),
            format!(
                "insert into enrolment_tokens (id, secret_digest, group_uuid, uses_left, expire_time)
                 values ({}, {}, {group}, 1, 1800000000000000)",
                bytes(&[5; 8]),
                bytes(&[6; 32])
            ),
            format!(
                "insert into device_keys (digest, device_uuid, enrolment_token_id, create_time)
                 values ({}, {device}, {}, 0)",
                bytes(&[7; 32]),
                bytes(&[5; 8])
            ),
            format!("insert into device_links (device_uuid, epoch) values ({device}, 3)"),
        ],
        2 => vec![format!(
            "insert into leases (duty, holder, fence, expire_time) values ('retention', {}, 7, 0)",
            id(0x50)
        )],
        3 => vec![format!(
            "insert into responses (uuid, request, answer, expire_time)
             values ({}, {}, {}, 1800000000000000), ({}, {}, null, 1800000000000000)",
            id(RESPONSE),
            bytes(&[9; 32]),
            bytes(&[10]),
            id(RESPONSE + 1),
            bytes(&[9; 32])
        )],
        4 => vec![
            format!(
                "insert into policies (uuid, display_name, description, features)
                 values ({}, 'baseline', 'text', {})",
                id(POLICY),
                bytes(&[11, 0])
            ),
            format!(
                "insert into policy_assignments (uuid, policy_uuid, kind, target, rank)
                 values ({}, {policy}, 1, {device}, 1), ({}, {policy}, 2, {group}, 1)",
                id(ASSIGNMENT),
                id(ASSIGNMENT + 1),
                policy = id(POLICY),
            ),
        ],
        5 => vec![format!(
            "insert into device_policies (device_uuid, generation, report_time, unapplied)
             values ({device}, {}, 1700000002000000, {})",
            bytes(&[12; 32]),
            bytes(&[13])
        )],
        6 => vec![
            format!(
                "insert into device_facts (device_uuid, display_name, original_display_name, operating_system,
                     operating_system_family, operating_system_edition, operating_system_version, agent_version,
                     primary_address, device_type, is_mobile, is_master)
                 values ({device}, 'alpha', 'alpha', 'debian', 2, 1, {empty}, {empty}, {empty}, 0, 0, 0)",
                empty = bytes(&[])
            ),
            format!(
                "insert into device_components (device_uuid, position, name, version)
                 values ({device}, 0, 'agent', {})",
                bytes(&[4, 0, 1, b'1', 2])
            ),
            format!(
                "insert into dynamic_groups (uuid, parent, base, display_name, description, rule, depends_on_time,
                     version, evaluate_time, device_count)
                 values ({}, {group}, {group}, 'old agents', 'text', '{{\"all\":[]}}', 0, 3, 1700000000000000, 1)",
                id(DYNAMIC_GROUP)
            ),
            format!(
                "insert into dynamic_members (group_uuid, device_uuid) values ({}, {device})",
                id(DYNAMIC_GROUP)
            ),
        ],
        7 => vec![
            format!(
                "insert into task_runs (uuid, task_uuid, trigger_uuid, template_uuid, device_uuid, status,
                     start_time, end_time, expire_time, withdrawn, result, begin_time, heard_time, cancel_time,
                     reason_code, reason, supposed, progress)
                 values ({}, {task}, {}, {}, {device}, 4, 1700000003000000, 1700000004000000,
                     1800000000000000, 0, null, 1700000003000001, 1700000003000002, 1700000003000003,
                     'EXECUTION_TIMED_OUT', 'text', 1, {})",
                id(RUN + 1),
                id(TRIGGER + 1),
                id(TEMPLATE),
                bytes(&[14])
            ),
            format!("update task_triggers set cancel_time = 1700000005000000 where uuid = {}", id(TRIGGER)),
        ],
        8 => vec![
            format!(
                "insert into device_machines (device_uuid, uuid_digest, serial_number_digest, boot_digest,
                     earlier_boots, boot_time)
                 values ({device}, {}, null, {}, {}, 1700000003000000)",
                bytes(&[21; 32]),
                bytes(&[22; 32]),
                bytes(&[23; 32])
            ),
            format!(
                "insert into identity_questions (uuid, device_uuid, reason, create_time, last_seen_time, host_name,
                     public_ip_address, uuid_digest, serial_number_digest, boots, newcomer_uuid, answer, answer_time,
                     answered_by)
                 values ({}, {device}, 1, 1700000003000000, 1700000004000000, 'copy', '192.0.2.8', {}, null, {}, null,
                     0, null, '')",
                id(QUESTION),
                bytes(&[24; 32]),
                bytes(&[25; 32])
            ),
            format!(
                "insert into retired_keys (digest, device_uuid, run_uuid, retire_time)
                 values ({}, {device}, {}, 1700000003000000)",
                bytes(&[26; 32]),
                id(RUN)
            ),
            format!(
                "insert into device_states (device_uuid, report_time, state)
                 values ({device}, 1700000003000000, {})",
                bytes(&[27])
            ),
        ],
        9 => vec![
            format!(
                "insert into agent_releases (platform, version, size_bytes, sha256, signature, import_time, wanted)
                 values ('x86_64-linux', '1.2.3', 2, {}, {}, 1700000003000000, 2)",
                bytes(&[28; 32]),
                bytes(&[29; 64])
            ),
            format!(
                "insert into agent_release_parts (platform, version, position, content)
                 values ('x86_64-linux', '1.2.3', 0, {})",
                bytes(&[30, 31])
            ),
        ],
        10 => vec![
            format!(
                "insert into access_keys (id, account_uuid, sealed_secret, description, active, create_time, use_time,
                     token_digest, expire_time)
                 values ('STS.key', {}, {}, 'text', 0, 1700000003000000, 1700000004000000, {}, 1700000005000000)",
                id(ACCOUNT),
                bytes(&[32, 0]),
                bytes(&[33; 32])
            ),
            format!(
                "insert into request_nonces (digest, expire_time) values ({}, 1700000005000000)",
                bytes(&[34; 32])
            ),
        ],
        11 => agentless::rows(dialect),
        12 => vulnerabilities::rows(dialect),
        13 => findings::rows(),
        14 => agentless_selections::rows(dialect),
        agentless::SCHEDULES => agentless::schedule_rows(dialect),
        16 => agentless_snapshots::rows(dialect),
        17 => agentless_selections::whitelists(),
        other => panic!("version {other} of the schema has no rows here: add some"),
    }
}

/// Looks at everything that was written for versions up to `version`.
pub async fn check(store: &Store, version: usize) {
    let now = Timestamp::from_second(1_750_000_000).expect("in range");
    let group = store.group_get(GroupId(Uuid::from_u128(GROUP))).await.expect("reads").expect("is there");
    assert_eq!((group.parent, group.display_name.as_str(), group.version), (Some(ALL), "Laptops", 5));
    assert_eq!((group.external_reference.as_str(), group.external_type), ("ref", 1));

    let id = DeviceId(Uuid::from_u128(DEVICE));
    let device = store.device_get(id).await.expect("reads").expect("is there");
    assert_eq!((device.group, device.version, device.is_muted), (group.id, 9, true));
    assert_eq!((device.display_name.as_str(), device.original_display_name.as_str()), ("alpha", "ALPHA"));
    assert_eq!((device.attributes.as_slice(), device.problem_count), ([1, 2].as_slice(), 3));
    let members = store.group_members_list(group.id, false, None, 10).await.expect("reads");
    assert_eq!(members.map(|(count, members)| (count, members.len())), Some((1, 1)));
    assert_eq!(store.device_of_key([7; 32]).await.expect("reads"), Some(id));
    let epoch = store.device_connected(id, String::new(), now).await.expect("writes");
    assert_eq!(epoch, Some(4));

    let task = TaskId(Uuid::from_u128(TASK));
    let runs = store.task_runs_list(task, None, false, None, 10).await.expect("reads").expect("is known");
    let first = runs.last().expect("is there");
    assert_eq!(
        (runs.len(), first.device, first.status),
        (1 + usize::from(version >= 7), id, RunStatus::Failed)
    );
    assert_eq!((first.result.as_deref(), &first.closure), (Some([7].as_slice()), &None));
    if version >= 7 {
        let closure = Closure { code: "EXECUTION_TIMED_OUT".to_owned(), reason: "text".to_owned() };
        assert_eq!((&runs[0].closure, &runs[0].result), (&Some(closure), &None));
    }
    let task = store.task_get(task).await.expect("reads").expect("is there");
    assert_eq!((task.action.as_slice(), task.source, task.version), (b"action".as_slice(), 1, 2));
    assert_eq!((task.targets.devices, task.targets.groups), (vec![id], vec![group.id]));
    assert_eq!(task.triggers.len(), 1);

    let account = store.account_find("ada".to_owned()).await.expect("reads").expect("is there");
    assert_eq!((account.uuid, account.access, &account.actions), (Uuid::from_u128(ACCOUNT), 2, &None));
    let successor = NewRefreshToken { digest: [8; 32], expire_time: Timestamp::MAX };
    let rotated = store.refresh_token_rotate([2; 32], successor, now).await.expect("writes");
    assert_eq!(rotated, RefreshOutcome::Rotated(account));
    let key = store.key_get("authority").await.expect("reads");
    assert_eq!(key, Some(KeyRecord { secret: vec![3], certificate: Some(vec![4]) }));

    let lease = store.lease_take("retention", Uuid::from_u128(0x51), now, Timestamp::MAX).await;
    let fence = if version >= 2 { 8 } else { 1 };
    assert_eq!(lease.expect("writes").map(|lease| lease.fence), Some(fence));

    let take = async |id| store.response_take(Uuid::from_u128(id), [9; 32], now).await.expect("works");
    let (ended, running) = (take(RESPONSE).await, take(RESPONSE + 1).await);
    let kept = (ResponseOutcome::Answer(vec![10]), ResponseOutcome::Running);
    let none = (ResponseOutcome::Unknown, ResponseOutcome::Unknown);
    assert_eq!((ended, running), if version >= 3 { kept } else { none });
    let policies = store.policies_list(None, 10).await.expect("reads");
    let assignments =
        store.policy_assignments_list(AssignmentFilter::default(), None, 10).await.expect("reads");
    let without_facts = store.devices_without_facts(None, 10).await.expect("reads");
    let dynamic = store.dynamic_group_get(GroupId(Uuid::from_u128(DYNAMIC_GROUP))).await.expect("reads");
    if version >= 6 {
        assert_eq!(without_facts.len(), 0);
        let dynamic = dynamic.expect("is there");
        assert_eq!((dynamic.parent, dynamic.version, dynamic.device_count), (group.id, 3, 1));
        assert_eq!((dynamic.display_name.as_str(), dynamic.rule), ("old agents", Rule::All(vec![])));
        let members = store.group_members_list(dynamic.id, false, None, 10).await.expect("reads");
        assert_eq!(members.map(|(total, members)| (total, members[0].device)), Some((1, id)));
    } else {
        assert_eq!(without_facts.iter().map(|device| device.id).collect::<Vec<_>>(), [id]);
        assert_eq!(dynamic, None);
    }
    if version >= 4 {
        let policy = &policies[0];
        assert_eq!(
            (policy.display_name.as_str(), policy.features.as_slice()),
            ("baseline", [11, 0].as_slice())
        );
        let targets: Vec<_> = assignments.iter().map(|kept| (kept.policy, kept.target, kept.rank)).collect();
        let (device, group) = (PolicyTarget::Device(id), PolicyTarget::Group(group.id));
        assert_eq!(targets, [(policy.id, device, 1), (policy.id, group, 1)]);
    } else {
        assert_eq!((policies.len(), assignments.len()), (0, 0));
    }
    let reported = DevicePolicy {
        generation: [12; 32],
        report_time: Timestamp::from_second(1_700_000_002).expect("in range"),
        unapplied: vec![13],
    };
    let kept = store.device_policy_get(id).await.expect("reads");
    assert_eq!(kept, (version >= 5).then_some(reported));
    agents::identity(store, version, id).await;
    agents::agent_releases(store, version).await;
    agents::access_keys(store, version).await;
    agentless::check(store, version).await;
    vulnerabilities::check(store, version).await;
    findings::check(store, version).await;
    agentless_selections::check(store, version).await;
    agentless::check_schedules(store, version).await;
    agentless_snapshots::check(store, version).await;
}
