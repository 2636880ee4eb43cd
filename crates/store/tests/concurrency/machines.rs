use guardhouse_model::{RunId, groups::ALL, machines::Machine};
use guardhouse_store::{EnrolDevice, EnrolOutcome, MachineArrival, MachineMet};

use crate::{
    arena::{Arena, ROUNDS, at_once},
    enrolment::{host, token},
    support::at,
};

/// A machine of its own for each number, in a life of its own for each other one.
fn machine(uuid: u8, boot: u8) -> Machine {
    Machine { uuid: Some([uuid; 32]), serial_number: None, boot: Some([boot; 32]) }
}

fn host_on(a: &Arena, machine: Machine, second: i64) -> EnrolDevice {
    EnrolDevice { machine, question_id: a.id(), now: at(second), ..host(a, 1, "host") }
}

pub async fn of_equal_machines_one_takes_the_device_over(a: &Arena) {
    token(a, 1, 10_000).await;
    for round in 0..ROUNDS {
        let uuid = u8::try_from(round).expect("a few");
        let first = host_on(a, machine(uuid, 0), -999);
        let device = first.new_id;
        assert_eq!(a.store.device_enrol(first).await.expect("writes"), EnrolOutcome::Enrolled(device));
        let enrolments = (1..8).map(|boot| {
            let (store, host) = (a.replica(boot.into()), host_on(a, machine(uuid, boot), 99));
            async move { store.device_enrol(host).await.expect("writes") }
        });
        let outcomes = at_once(enrolments).await;
        // The one that came first is at work when the others come.
        let takers = outcomes.iter().filter(|outcome| **outcome == EnrolOutcome::Enrolled(device)).count();
        let questions = a.store.identity_questions_list(true, None, 1_000).await.expect("reads");
        let questions = questions.iter().filter(|question| question.device == device).count();
        assert_eq!((takers, questions), (1, 1), "{outcomes:?}");
    }
}

pub async fn of_machines_that_meet_one_is_the_device(a: &Arena) {
    for _ in 0..ROUNDS {
        let device = a.member(ALL).await;
        let meetings = (1..8).map(|number| {
            let arrival = MachineArrival {
                device,
                machine: machine(number, number),
                host_name: "host".to_owned(),
                public_ip_address: String::new(),
                question_id: a.id(),
                now: at(1),
            };
            let store = a.replica(number.into());
            async move { store.device_meet(arrival).await.expect("works").expect("exists") }
        });
        let met = at_once(meetings).await;
        let known = met.iter().filter(|met| matches!(met, MachineMet::Device { .. })).count();
        assert_eq!(known, 1, "{met:?}");
    }
    let questions = a.store.identity_questions_list(true, None, 1_000).await.expect("reads");
    assert_eq!(questions.len(), ROUNDS, "one for each device");
}

pub async fn a_device_leaves_once(a: &Arena) {
    token(a, 1, 10_000).await;
    for _ in 0..ROUNDS {
        let host = host_on(a, Machine::default(), 0);
        let key = host.key_digest;
        // Whoever left in the round before left a placeholder with this name.
        let enrolled = a.store.device_enrol(host).await.expect("writes");
        let EnrolOutcome::Enrolled(device) = enrolled else { panic!("{enrolled:?}") };
        let run = RunId(a.id());
        let before = a.store.device_get(device).await.expect("reads").expect("is there").version;
        let leaving = (0..6).map(|n| {
            let store = a.replica(n);
            async move { store.device_retire(device, run, at(2)).await.expect("writes") }
        });
        assert!(at_once(leaving).await.into_iter().all(|left| left));
        let after = a.store.device_get(device).await.expect("reads").expect("is there").version;
        assert_eq!(after, before + 1);
        assert_eq!(a.store.device_of_retired_key(key).await.expect("reads"), Some(device));
    }
}
