//! How rows of agents, of their machines and of access keys look through the verbs of today.

use guardhouse_model::{DeviceId, Timestamp, machines::Machine};
use guardhouse_store::{
    AgentRelease, DeviceMachine, DeviceStateReport, QuestionReason, SignedRequest, Store, Temporary, Wanted,
};
use uuid::Uuid;

use super::rows::QUESTION;

/// Looks at access keys, which came with version 10.
pub async fn access_keys(store: &Store, version: usize) {
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let keys = store.access_keys_list(None, None, 10).await.expect("reads");
    let request = SignedRequest {
        access_key: "STS.key".to_owned(),
        nonce_digest: [34; 32],
        expire_time: at(9),
        now: at(9),
    };
    let is_new = store.signed_request_accept(request).await.expect("writes");
    assert_eq!((keys.len(), is_new), (usize::from(version >= 10), version < 10));
    for key in keys {
        assert_eq!((key.id.as_str(), key.account.name.as_str(), key.is_active), ("STS.key", "ada", false));
        assert_eq!((key.sealed_secret.as_slice(), key.description.as_str()), ([32, 0].as_slice(), "text"));
        assert_eq!((key.create_time, key.use_time), (at(3), Some(at(4))));
        assert_eq!(key.temporary, Some(Temporary { token_digest: [33; 32], expire_time: at(5) }));
    }
}

/// Looks at versions of the agent, which came with version 9.
pub async fn agent_releases(store: &Store, version: usize) {
    let wanted = store.agent_releases_wanted().await.expect("reads");
    let part = store.agent_release_part("x86_64-linux".to_owned(), "1.2.3".to_owned(), 0).await;
    let kept = AgentRelease {
        version: "1.2.3".to_owned(),
        platform: "x86_64-linux".to_owned(),
        size_bytes: 2,
        sha256: vec![28; 32],
        signature: vec![29; 64],
        import_time: Timestamp::from_second(1_700_000_003).expect("in range"),
        wanted: Wanted::Everywhere,
    };
    let (kept, program) = if version >= 9 { (vec![kept], Some(vec![30, 31])) } else { (vec![], None) };
    assert_eq!((wanted, part.expect("reads")), (kept, program));
}

/// Looks at what tells machines apart, which came with version 8.
pub async fn identity(store: &Store, version: usize, device: DeviceId) {
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).expect("in range");
    let machine = store.device_machine_get(device).await.expect("reads");
    let questions = store.identity_questions_list(true, None, 10).await.expect("reads");
    let retired = store.device_of_retired_key([26; 32]).await.expect("reads");
    let state = store.device_state_get(device).await.expect("reads");
    if version < 8 {
        assert_eq!((machine, questions, retired, state), (None, vec![], None, None));
        return;
    }
    let known = Machine { uuid: Some([21; 32]), serial_number: None, boot: Some([22; 32]) };
    assert_eq!(machine, Some(DeviceMachine { machine: known, boot_time: at(3) }));
    let [question] = &questions[..] else { panic!("{questions:?}") };
    assert_eq!((question.id, question.device, &question.answer), (Uuid::from_u128(QUESTION), device, &None));
    assert_eq!((question.reason, question.host_name.as_str()), (QuestionReason::OtherHardware, "copy"));
    assert_eq!(retired, Some(device));
    assert_eq!(state, Some(DeviceStateReport { report_time: at(3), state: vec![27], snapshot_bytes: None }));
}
