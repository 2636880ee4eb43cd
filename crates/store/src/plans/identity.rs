//! The verbs of accounts, keys, enrolment and machines.

use guardhouse_model::{DeviceId, groups::ALL, machines::Machine, tasks::RunStatus};
use uuid::Uuid;

use super::{
    Plans,
    support::{Fixture, at},
};
use crate::{
    AccountRecord, Claim, DeviceStateReport, EnrolDevice, KeyRecord, MachineArrival, NewAccessKey,
    NewEnrolmentToken, NewRefreshToken, QuestionAnswer, RunEnd, SignedRequest, Temporary,
};

/// Carries all of them out.
pub async fn all(plans: &mut Plans, f: &Fixture) {
    let store = &f.store;
    let uuid = Uuid::from_u128(1);
    let (name, password_hash) = ("ada".to_owned(), "$argon2id$…".to_owned());
    let account = AccountRecord { uuid, name: name.clone(), password_hash, access: 2, actions: None };
    plans.of("account_add", store.account_add(account, at(0))).await;
    plans.of("account_find", store.account_find(name)).await;
    plans.of("account_get", store.account_get(uuid)).await;
    plans.of("accounts_list", store.accounts_list()).await;
    let key = KeyRecord { secret: vec![1], certificate: None };
    plans.of("key_settle", store.key_settle("key", key, at(0))).await;
    plans.of("key_get", store.key_get("key")).await;
    let lease = store.lease_take("duty", uuid, at(0), at(10));
    plans.of("lease_take", lease).await.expect("is free");
    plans.of("lease_release", store.lease_release("duty", uuid)).await;

    let token = |n| NewRefreshToken { digest: [n; 32], expire_time: at(100) };
    plans.of("refresh_token_add", store.refresh_token_add(token(1), uuid, uuid, at(0))).await;
    plans.of("refresh_token_rotate", store.refresh_token_rotate([1; 32], token(2), at(0))).await;
    plans.of("refresh_token_rotate, reuse", store.refresh_token_rotate([1; 32], token(3), at(0))).await;

    let key = NewAccessKey {
        id: "GHkey".to_owned(),
        account: uuid,
        sealed_secret: vec![1],
        description: String::new(),
        temporary: Some(Temporary { token_digest: [1; 32], expire_time: at(3) }),
    };
    let (owner, after) = (Some(uuid), Some("GH".to_owned()));
    plans.of("access_key_add", store.access_key_add(key.clone(), at(0))).await;
    plans.of("access_key_find", store.access_key_find(key.id.clone())).await;
    plans.of("access_keys_list", store.access_keys_list(None, after.clone(), 10)).await;
    plans.of("access_keys_list, of an account", store.access_keys_list(owner, after, 10)).await;
    plans.of("access_key_set_active", store.access_key_set_active(key.id.clone(), true)).await;
    let (access_key, expire_time) = (key.id.clone(), at(3));
    let request = SignedRequest { access_key, nonce_digest: [1; 32], expire_time, now: at(1) };
    plans.of("signed_request_accept", store.signed_request_accept(request)).await;
    let lease = f.lease().await;
    plans.forget();
    plans.of("request_nonces_expire", store.request_nonces_expire(lease, at(4), 10)).await;
    plans.of("access_keys_expire", store.access_keys_expire(lease, at(4), 10)).await;
    plans.of("access_key_remove", store.access_key_remove(key.id)).await;

    plans.of("account_set_actions", store.account_set_actions("ada".to_owned(), None)).await;
    plans.of("account_set_password", store.account_set_password("ada".to_owned(), String::new())).await;
    plans.of("account_remove", store.account_remove("ada".to_owned())).await;

    let (token_id, secret_digest) = ([1; 8], [2; 32]);
    let token = NewEnrolmentToken {
        id: token_id,
        secret_digest,
        group: ALL,
        uses: 1,
        expire_time: at(100),
        question: None,
    };
    plans.of("enrolment_token_create", store.enrolment_token_create(token)).await;
    let host = EnrolDevice {
        token_id,
        secret_digest,
        key_digest: [3; 32],
        new_id: DeviceId(f.id()),
        machine: machine(1),
        question_id: f.id(),
        host_name: "host".to_owned(),
        attributes: vec![1],
        facts: f.facts("host"),
        public_ip_address: "192.0.2.1".to_owned(),
        now: at(1),
    };
    let device = host.new_id;
    plans.of("device_enrol", store.device_enrol(host.clone())).await;
    plans.of("device_of_key", store.device_of_key([3; 32])).await;
    machines(plans, f, device, host).await;
}

fn machine(boot: u8) -> Machine {
    Machine { uuid: Some([1; 32]), serial_number: Some([2; 32]), boot: Some([boot; 32]) }
}

/// `host` has become `device`.
async fn machines(plans: &mut Plans, f: &Fixture, device: DeviceId, host: EnrolDevice) {
    let store = &f.store;
    plans.of("device_machine_get", store.device_machine_get(device)).await;
    let arrival = |machine, question_id, second| MachineArrival {
        device,
        machine,
        host_name: "host".to_owned(),
        public_ip_address: "192.0.2.1".to_owned(),
        question_id,
        now: at(second),
    };
    let nowhere = f.id();
    plans.of("device_meet, known", store.device_meet(arrival(machine(1), nowhere, 2))).await;
    plans.of("device_meet, another life", store.device_meet(arrival(machine(2), nowhere, 3))).await;
    let question = f.id();
    plans.of("device_meet, an earlier life", store.device_meet(arrival(machine(1), question, 4))).await;
    plans.of("device_meet, a newcomer", store.device_meet(arrival(machine(2), nowhere, 5))).await;
    plans.of("identity_questions_list", store.identity_questions_list(false, None, 10)).await;
    plans.of("identity_questions_list, open", store.identity_questions_list(true, None, 10)).await;
    plans.of("identity_question_get", store.identity_question_get(question)).await;
    let answer =
        store.identity_question_answer(question, QuestionAnswer::SameDevice, "ada".to_owned(), at(6));
    plans.of("identity_question_answer", answer).await;
    let invited = NewEnrolmentToken {
        id: [9; 8],
        secret_digest: [9; 32],
        group: ALL,
        uses: 9,
        expire_time: at(100),
        question: Some(question),
    };
    plans.of("enrolment_token_create, for a newcomer", store.enrolment_token_create(invited)).await;
    let anew =
        EnrolDevice { token_id: [9; 8], secret_digest: [9; 32], key_digest: [8; 32], now: at(7), ..host };
    plans.of("device_enrol, of a newcomer", store.device_enrol(anew)).await;

    let epoch = store.device_connected(device, String::new(), at(8)).await.expect("writes").expect("exists");
    plans.forget();
    let (by, report) = (
        Claim { device, epoch },
        DeviceStateReport { report_time: at(9), state: vec![1], snapshot_bytes: None },
    );
    plans.of("device_state_report", store.device_state_report(by, report)).await;
    plans.of("device_state_get", store.device_state_get(device)).await;
    f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    plans.forget();
    plans.of("task_run_get", store.task_run_get(run)).await;
    let status = RunStatus::Suppressed;
    let end = RunEnd { run, device, status, end_time: at(9), result: None, code: None };
    plans.of("task_run_suppress", store.task_run_suppress(end)).await;
    plans.of("device_retire", store.device_retire(device, run, at(9))).await;
    plans.of("device_of_retired_key", store.device_of_retired_key([8; 32])).await;
}
