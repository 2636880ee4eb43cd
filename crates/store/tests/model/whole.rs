//! Everything that can be read, page by page. What no list shows is found out by verbs that depend on it.

use guardhouse_model::{dynamic_groups::AttributeFacts, machines::Machine};
use guardhouse_store::{AssignmentFilter, Claim, DeviceFilter, EnrolDevice, NewRefreshToken, RunPosition};
use uuid::Uuid;

use crate::{
    access_keys, agentless,
    bench::{Bench, Outcome},
    identity::{ACCOUNTS, KEYS, REFRESH_TOKENS},
    pools::{
        ASSIGNMENTS, DEVICES, DYNAMIC_GROUPS, GROUPS, POLICIES, TASKS, assignment, at, device, group, policy,
        spread, task,
    },
    responses::{REQUESTS, RESPONSES},
    retention::DUTIES,
};

/// Small, so that there are several pages.
const LIMIT: usize = 2;

/// Compares it.
pub async fn compare(bench: &mut Bench) -> Outcome {
    groups(bench).await?;
    dynamic_groups(bench).await?;
    devices(bench).await?;
    tasks(bench).await?;
    runs(bench).await?;
    policies(bench).await?;
    identity(bench).await?;
    agentless::compare(bench).await?;
    hidden(bench).await
}

async fn groups(bench: &mut Bench) -> Outcome {
    let mut after = None;
    while let Some(last) = agree!(bench.groups_list(after, LIMIT)).last() {
        after = Some(last.id);
    }
    for group in GROUPS.chain(DYNAMIC_GROUPS).map(group) {
        agree!(bench.group_get(group));
        for recurse in [false, true] {
            let mut after = None;
            while let Some((_, page)) = agree!(bench.group_members_list(group, recurse, after, LIMIT))
                && let Some(last) = page.last()
            {
                after = Some(last.device);
            }
        }
    }
    Ok(())
}

async fn dynamic_groups(bench: &mut Bench) -> Outcome {
    let mut after = None;
    while let Some(last) = agree!(bench.dynamic_groups_list(after, LIMIT)).last() {
        after = Some(last.id);
    }
    for group in DYNAMIC_GROUPS.map(group) {
        agree!(bench.dynamic_group_get(group));
    }
    agree!(bench.dynamic_groups_of(DEVICES.map(device).collect()));
    agree!(bench.devices_without_facts(None, LIMIT));
    Ok(())
}

async fn devices(bench: &mut Bench) -> Outcome {
    let any = DeviceFilter::default();
    let ok = DeviceFilter { functionality_status: Some(1), ..any.clone() };
    let muted = DeviceFilter { is_muted: Some(true), ..any.clone() };
    let named = DeviceFilter { display_names: vec!["web".to_owned(), "äpfel".to_owned()], ..any.clone() };
    for filter in [any, ok, muted, named] {
        let mut after = None;
        while let Some(last) = agree!(bench.devices_list(filter.clone(), after, LIMIT)).last() {
            after = Some(last.id);
        }
    }
    for device in DEVICES.map(device) {
        agree!(bench.device_get(device));
        agree!(bench.device_policy_get(device));
        agree!(bench.device_machine_get(device));
        agree!(bench.device_state_get(device));
    }
    agree!(bench.identity_questions_list(false, None, 1_000));
    Ok(())
}

async fn tasks(bench: &mut Bench) -> Outcome {
    let mut after = None;
    while let Some(last) = agree!(bench.tasks_list(after, LIMIT)).last() {
        after = Some(last.id);
    }
    for task in TASKS.map(task) {
        agree!(bench.task_get(task));
    }
    agree!(bench.task_templates_count());
    Ok(())
}

async fn runs(bench: &mut Bench) -> Outcome {
    for task in TASKS.map(task) {
        for (of, only_last) in
            [(None, false), (None, true), (Some(device(0)), false), (Some(device(1)), true)]
        {
            let mut after = None;
            while let Some(page) = agree!(bench.task_runs_list(task, of, only_last, after, LIMIT))
                && let Some(last) = page.last()
            {
                after = Some(RunPosition { start_time: last.start_time, id: last.id });
            }
        }
        let mut after = None;
        while let Some(page) = agree!(bench.device_runs_list(task, Vec::new(), after, LIMIT, at(12)))
            && let Some(next) = page.next
        {
            after = Some(next);
        }
        agree!(bench.device_runs_count(task, at(12)));
    }
    Ok(())
}

async fn policies(bench: &mut Bench) -> Outcome {
    let mut after = None;
    while let Some(last) = agree!(bench.policies_list(after, LIMIT)).last() {
        after = Some(last.id);
    }
    let mut after = None;
    while let Some(last) =
        agree!(bench.policy_assignments_list(AssignmentFilter::default(), after, LIMIT)).last()
    {
        after = Some(last.id);
    }
    for policy in POLICIES.map(policy) {
        agree!(bench.policy_get(policy));
    }
    agree!(bench.policies_get_many(POLICIES.map(policy).collect()));
    agree!(bench.policy_stacks(DEVICES.map(device).collect()));
    for assignment in ASSIGNMENTS.map(assignment) {
        agree!(bench.policy_assignment_get(assignment));
    }
    Ok(())
}

async fn identity(bench: &mut Bench) -> Outcome {
    for account in agree!(bench.accounts_list()) {
        agree!(bench.account_find(account.name.clone()));
    }
    for account in ACCOUNTS.map(spread) {
        agree!(bench.account_get(account));
    }
    for name in KEYS {
        agree!(bench.key_get(name));
    }
    agree!(bench.agent_releases_list());
    access_keys::compare(bench).await?;
    Ok(())
}

/// Epochs, open runs, keys of devices, what enrolment tokens are good for, refresh tokens, leases, responses.
async fn hidden(bench: &mut Bench) -> Outcome {
    let long_after = at(200);
    for duty in DUTIES {
        agree!(bench.lease_take(duty, spread(9), at(20), long_after));
    }
    for device in DEVICES.map(device) {
        let epoch = agree!(bench.device_connected(device, "2001:db8::2".to_owned(), long_after));
        let claim = Claim { device, epoch: epoch.unwrap_or(0) };
        // Every trigger has expired.
        agree!(bench.task_runs_claim(vec![claim], long_after));
    }
    for number in 0..3 {
        for key in 10..14 {
            let host = EnrolDevice {
                token_id: [number; 8],
                secret_digest: [number; 32],
                key_digest: [16 * number + key; 32],
                new_id: device(10 + number),
                machine: Machine::default(),
                question_id: Uuid::nil(),
                host_name: format!("host {number}-{key}"),
                attributes: Vec::new(),
                facts: AttributeFacts::default(),
                public_ip_address: String::new(),
                now: at(0),
            };
            agree!(bench.device_enrol(host.clone())?);
        }
        agree!(bench.device_of_key([number; 32]));
        agree!(bench.device_of_retired_key([number; 32]));
    }
    for number in REFRESH_TOKENS {
        let successor = NewRefreshToken { digest: [100 + number; 32], expire_time: long_after };
        agree!(bench.refresh_token_rotate([number; 32], successor.clone(), at(5))?);
    }
    for (response, request) in RESPONSES.flat_map(|response| REQUESTS.map(move |request| (response, request)))
    {
        agree!(bench.response_take(spread(response), [request; 32], at(0)));
    }
    Ok(())
}
