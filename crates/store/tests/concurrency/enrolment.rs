use std::collections::BTreeSet;

use guardhouse_model::{DeviceId, groups::ALL, machines::Machine};
use guardhouse_store::{EnrolDevice, EnrolOutcome, NewEnrolmentToken};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    support::at,
};

pub async fn token(a: &Arena, number: u8, uses: u32) {
    let token = NewEnrolmentToken {
        id: [number; 8],
        secret_digest: [0; 32],
        group: ALL,
        uses,
        expire_time: at(100),
        question: None,
    };
    assert!(a.store.enrolment_token_create(token).await.expect("writes"));
}

/// A host with a key of its own.
pub fn host(a: &Arena, token: u8, name: &str) -> EnrolDevice {
    let id = a.id();
    let mut key_digest = [0; 32];
    // The gate of a key is told by its first bytes.
    key_digest[..16].copy_from_slice(&id.as_u128().to_le_bytes());
    EnrolDevice {
        token_id: [token; 8],
        secret_digest: [0; 32],
        key_digest,
        new_id: DeviceId(id),
        machine: Machine::default(),
        question_id: a.id(),
        host_name: name.to_owned(),
        attributes: vec![1],
        facts: a.facts(name),
        public_ip_address: String::new(),
        now: at(50),
    }
}

async fn enrol_at_once(a: &Arena, hosts: Vec<EnrolDevice>) -> Vec<EnrolOutcome> {
    let enrolments = hosts.into_iter().enumerate().map(|(n, host)| {
        let store = a.replica(n);
        async move { store.device_enrol(host).await.expect("writes") }
    });
    at_once(enrolments).await
}

fn device(outcome: EnrolOutcome) -> DeviceId {
    match outcome {
        EnrolOutcome::Enrolled(device) => device,
        other => panic!("{other:?}"),
    }
}

pub async fn uses_of_a_token_are_never_overspent(a: &Arena) {
    for round in 0..ROUNDS {
        let number = u8::try_from(round).expect("a few");
        token(a, number, 3).await;
        let outcomes = enrol_at_once(a, (0..12).map(|_| host(a, number, "host")).collect()).await;
        let used_up = outcomes.iter().filter(|outcome| **outcome == EnrolOutcome::UsedUp).count();
        assert_eq!(used_up, 9, "{outcomes:?}");
    }
    let members =
        a.store.group_members_list(ALL, false, None, 1_000).await.expect("reads").expect("is there");
    assert_eq!((members.0, members.1.len()), (3 * ROUNDS as u64, 3 * ROUNDS));
}

pub async fn a_placeholder_is_claimed_once(a: &Arena) {
    token(a, 1, 10_000).await;
    for round in 0..ROUNDS {
        let name = format!("host {round}");
        let placeholders: Vec<_> = (0..3).map(|_| a.device(&name)).collect();
        let expected: BTreeSet<_> = placeholders.iter().map(|device| device.id).collect();
        a.store.devices_import(ALL, placeholders).await.expect("writes").expect("is there");
        let outcomes = enrol_at_once(a, (0..8).map(|_| host(a, 1, &name)).collect()).await;
        let devices: BTreeSet<_> = outcomes.into_iter().map(device).collect();
        assert_eq!(devices.len(), 8, "each is a device of its own");
        assert!(devices.is_superset(&expected), "every placeholder was claimed");
    }
}

pub async fn a_placeholder_that_is_renamed_at_this_moment_is_claimed_all_the_same(a: &Arena) {
    token(a, 1, 10_000).await;
    for round in 0..ROUNDS {
        let name = format!("host {round}");
        let placeholder = a.device(&name);
        let (id, upper) = (placeholder.id, name.to_ascii_uppercase());
        a.store.devices_import(ALL, vec![placeholder]).await.expect("writes").expect("is there");
        // It has the name of the host all the time, in these letters or in others.
        let renames = (0..12).map(|n| {
            let (store, name) = (a.replica(n), if n % 2 == 0 { upper.clone() } else { name.clone() });
            async move { store.device_rename(id, name, at(0)).await.expect("writes").expect("is there") }
        });
        let enrolling = a.replica(1);
        let (_, enrolled) = tokio::join!(at_once(renames), enrolling.device_enrol(host(a, 1, &name)));
        assert_eq!(enrolled.expect("writes"), EnrolOutcome::Enrolled(id));
    }
}

pub async fn a_key_with_two_tokens_is_one_device(a: &Arena) {
    for number in 0..4 {
        token(a, number, 10_000).await;
    }
    for _ in 0..ROUNDS {
        let first = host(a, 0, "host");
        let hosts = (0..4).map(|token| EnrolDevice {
            token_id: [token; 8],
            new_id: DeviceId(a.id()),
            ..first.clone()
        });
        let outcomes = enrol_at_once(a, hosts.collect()).await;
        let devices: BTreeSet<_> = outcomes.into_iter().map(device).collect();
        let known = a.store.device_of_key(first.key_digest).await.expect("reads");
        assert_eq!(devices, known.into_iter().collect());
    }
}
