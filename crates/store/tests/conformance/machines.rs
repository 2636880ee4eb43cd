use guardhouse_model::{
    DeviceId, RunId,
    groups::LOST_AND_FOUND,
    machines::{DEVICE_ENROLLED_ANEW, DEVICE_RETIRED, Machine},
    tasks::RunStatus,
};
use guardhouse_store::{
    Claim, DeviceStateReport, EnrolDevice, EnrolOutcome, IdentityQuestion, MachineArrival, MachineMet,
    NewEnrolmentToken, PolicyTarget, QuestionAnswer, QuestionAnswered, QuestionReason, RunReport, Work,
};
use uuid::Uuid;

use crate::{
    enrolment::{GROUP, enrol, host, prepare, token},
    support::{Fixture, at},
};

/// Long after a host of [`host`] has enrolled.
const LATER: i64 = 90;

/// What a machine says; 0: nothing.
fn machine(uuid: u8, serial_number: u8, boot: u8) -> Machine {
    let digest = |number: u8| (number > 0).then_some([number; 32]);
    Machine { uuid: digest(uuid), serial_number: digest(serial_number), boot: digest(boot) }
}

/// A host with this machine and a key of its own.
fn host_on(machine: Machine, name: &str, key: u8) -> EnrolDevice {
    EnrolDevice { machine, ..host(name, key) }
}

async fn enrolled(f: &Fixture, host: EnrolDevice) -> DeviceId {
    match enrol(f, host).await {
        EnrolOutcome::Enrolled(device) => device,
        other => panic!("{other:?}"),
    }
}

/// A token for many, instead of the one of [`prepare`].
async fn prepare_for_many(f: &Fixture) {
    prepare(f).await;
    let many = NewEnrolmentToken { uses: 100, expire_time: at(100_000), ..token(2, GROUP) };
    assert!(f.store.enrolment_token_create(many).await.expect("writes"));
}

fn by_many(host: EnrolDevice) -> EnrolDevice {
    EnrolDevice { token_id: [2; 8], secret_digest: [2; 32], ..host }
}

fn arrival(f: &Fixture, device: DeviceId, machine: Machine, second: i64) -> MachineArrival {
    MachineArrival {
        device,
        machine,
        host_name: "copy".to_owned(),
        public_ip_address: "192.0.2.8".to_owned(),
        question_id: Uuid::from_u128(0x5000 + f.id().as_u128()),
        now: at(second),
    }
}

async fn meet(f: &Fixture, device: DeviceId, machine: Machine, second: i64) -> MachineMet {
    let met = f.store.device_meet(arrival(f, device, machine, second)).await;
    met.expect("works").expect("the device exists")
}

async fn open_questions(f: &Fixture) -> Vec<IdentityQuestion> {
    f.store.identity_questions_list(true, None, 10).await.expect("reads")
}

async fn answer(f: &Fixture, question: Uuid, answer: QuestionAnswer) -> Option<QuestionAnswered> {
    let answered = f.store.identity_question_answer(question, answer, "ada".to_owned(), at(LATER)).await;
    answered.expect("writes")
}

const KNOWN: MachineMet = MachineMet::Device { raised: false };

pub async fn a_machine_that_is_installed_anew_takes_its_device_over(f: &Fixture) {
    prepare_for_many(f).await;
    let first = by_many(host_on(machine(1, 2, 3), "alpha", 5));
    let device = enrolled(f, first).await;
    f.store.device_rename(device, "the printer server".to_owned(), at(51)).await.expect("writes");
    f.store.device_move(device, LOST_AND_FOUND, at(51)).await.expect("writes");
    f.assignment(PolicyTarget::Device(device)).await;
    let epoch = f.store.device_connected(device, String::new(), at(52)).await.expect("writes");
    let state = DeviceStateReport { report_time: at(52), state: vec![1], snapshot_bytes: None };
    let by = Claim { device, epoch: epoch.expect("exists") };
    f.store.device_state_report(by, state).await.expect("writes");
    let task = f.task(&[device], &[]).await;
    let run = f.claim(device).await[0].id;
    f.report(RunReport::Started { run, device, time: at(3) }).await;

    let anew = by_many(host_on(machine(1, 2, 4), "beta", 6));
    let anew = EnrolDevice { now: at(52 + 150), ..anew };
    assert_eq!(enrolled(f, anew).await, device);
    let kept = f.store.device_get(device).await.expect("reads").expect("is there");
    assert_eq!((kept.display_name.as_str(), kept.group), ("the printer server", LOST_AND_FOUND));
    assert_eq!((kept.original_display_name.as_str(), kept.device_token), ("beta", "06".repeat(32)));
    assert_eq!(f.stack(PolicyTarget::Device(device)).await.len(), 1);
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), None, "the old key");
    assert_eq!(f.store.device_of_key([6; 32]).await.expect("reads"), Some(device));
    assert_eq!(f.store.device_state_get(device).await.expect("reads"), None);
    let work = f.store.task_runs_claim(vec![by], at(300)).await.expect("works");
    assert_eq!(work, [Work::Superseded], "its old connection");
    let runs = f.store.task_runs_list(task, None, false, None, 10).await.expect("reads").expect("is known");
    let closure = runs[0].closure.as_ref().expect("was closed");
    assert_eq!((runs[0].status, closure.code.as_str()), (RunStatus::Failed, DEVICE_ENROLLED_ANEW));
    assert_eq!(meet(f, device, machine(1, 2, 4), 300).await, KNOWN, "it is known by its new life");
    assert_eq!(open_questions(f).await, []);
}

pub async fn a_machine_without_firmware_of_its_own_is_known_by_name_only(f: &Fixture) {
    prepare_for_many(f).await;
    let first = enrolled(f, by_many(host_on(machine(0, 0, 3), "alpha", 5))).await;
    let second =
        enrolled(f, EnrolDevice { now: at(500), ..by_many(host_on(machine(0, 0, 3), "alpha", 6)) }).await;
    assert_ne!(first, second);
    let other = EnrolDevice { now: at(500), ..by_many(host_on(machine(1, 2, 3), "alpha", 7)) };
    assert_ne!(enrolled(f, other).await, first);
}

pub async fn a_device_at_work_is_not_taken_over_but_asked_about(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    let beside = EnrolDevice { now: at(60), ..by_many(host_on(machine(1, 2, 4), "beta", 6)) };
    let newcomer = enrolled(f, beside.clone()).await;
    assert_ne!(newcomer, device);
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), Some(device), "its key counts");
    let questions = open_questions(f).await;
    let expected = IdentityQuestion {
        id: beside.question_id,
        device,
        reason: QuestionReason::EnrolledBeside,
        create_time: at(60),
        last_seen_time: at(60),
        host_name: "beta".to_owned(),
        public_ip_address: "192.0.2.7".to_owned(),
        newcomer: Some(newcomer),
        answer: None,
    };
    assert_eq!(questions, [expected]);
    // Both work meanwhile.
    assert_eq!(meet(f, device, machine(1, 2, 3), 61).await, KNOWN);
    assert_eq!(meet(f, newcomer, machine(1, 2, 4), 61).await, KNOWN);

    let Some(QuestionAnswered::Done(_)) = answer(f, beside.question_id, QuestionAnswer::AnotherDevice).await
    else {
        panic!("open");
    };
    assert_eq!(meet(f, newcomer, machine(1, 2, 4), 62).await, KNOWN, "it is one already");
    // The same life of the kernel is the same machine: only the agent is new.
    let again = EnrolDevice { now: at(63), ..by_many(host_on(machine(1, 2, 3), "alpha", 7)) };
    assert_eq!(enrolled(f, again).await, device);
}

pub async fn a_newcomer_that_is_the_device_becomes_it(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    let beside = EnrolDevice { now: at(60), ..by_many(host_on(machine(1, 2, 4), "beta", 6)) };
    let newcomer = enrolled(f, beside.clone()).await;
    let question = beside.question_id;
    answer(f, question, QuestionAnswer::SameDevice).await.expect("is there");
    assert_eq!(
        meet(f, newcomer, machine(1, 2, 4), 61).await,
        MachineMet::EnrolAnew { question, group: GROUP }
    );
    let invited = NewEnrolmentToken { question: Some(question), uses: 1, ..token(3, GROUP) };
    assert!(f.store.enrolment_token_create(invited).await.expect("writes"));
    let by_invitation = |key| EnrolDevice {
        token_id: [3; 8],
        secret_digest: [3; 32],
        now: at(62),
        ..host_on(machine(1, 2, 4), "beta", key)
    };
    assert_eq!(enrolled(f, by_invitation(7)).await, device);
    assert_eq!(enrolled(f, by_invitation(7)).await, device, "the answer was lost");
    assert_eq!(f.store.device_get(newcomer).await.expect("reads"), None, "there is one row");
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), None);
    assert_eq!(f.store.device_of_key([6; 32]).await.expect("reads"), None);
    assert_eq!(f.members(GROUP).await, [device]);
    assert_eq!(meet(f, device, machine(1, 2, 4), 63).await, KNOWN);
}

pub async fn other_hardware_has_to_wait_until_somebody_decides(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    let copy = machine(8, 9, 4);
    let raised = arrival(f, device, copy, 60);
    let question = raised.question_id;
    assert_eq!(f.store.device_meet(raised).await.expect("works"), Some(MachineMet::Held));
    assert_eq!(meet(f, device, machine(8, 9, 5), 61).await, MachineMet::Held, "it started anew");
    assert_eq!(meet(f, device, machine(7, 7, 7), 62).await, MachineMet::Held, "a third one");
    assert_eq!(meet(f, device, machine(1, 2, 3), 63).await, KNOWN, "the device goes on");
    let questions = open_questions(f).await;
    let [asked] = &questions[..] else { panic!("{questions:?}") };
    assert_eq!((asked.id, asked.device, asked.reason), (question, device, QuestionReason::OtherHardware));
    assert_eq!((asked.create_time, asked.last_seen_time), (at(60), at(61)));
    assert_eq!((asked.host_name.as_str(), asked.public_ip_address.as_str()), ("copy", "192.0.2.8"));

    let done = answer(f, question, QuestionAnswer::AnotherDevice).await;
    let Some(QuestionAnswered::Done(answered)) = done else { panic!("{done:?}") };
    assert_eq!(answered.answer, Some((QuestionAnswer::AnotherDevice, at(LATER), "ada".to_owned())));
    let late = answer(f, question, QuestionAnswer::SameDevice).await;
    assert_eq!(late, Some(QuestionAnswered::AnsweredBefore(answered.clone())));
    assert_eq!(answer(f, Uuid::nil(), QuestionAnswer::SameDevice).await, None);
    assert_eq!(f.store.identity_question_get(question).await.expect("reads"), Some(answered));
    assert_eq!(open_questions(f).await, []);
    assert_eq!(f.store.identity_questions_list(false, None, 10).await.expect("reads").len(), 1);

    // Whichever life it has: it is to enrol, and neither its name nor its firmware makes it another's device.
    assert_eq!(meet(f, device, machine(8, 9, 6), 70).await, MachineMet::EnrolAnew { question, group: GROUP });
    for number in [3, 4] {
        let invited = NewEnrolmentToken { question: Some(question), uses: 1, ..token(number, GROUP) };
        assert!(f.store.enrolment_token_create(invited).await.expect("writes"));
    }
    let by_token = |number: u8| EnrolDevice {
        token_id: [number; 8],
        secret_digest: [number; 32],
        now: at(71),
        ..host_on(machine(8, 9, 6), "alpha", 6)
    };
    assert_eq!(enrol(f, by_token(3)).await, EnrolOutcome::UnknownToken, "the later took its place");
    let another = enrolled(f, by_token(4)).await;
    assert_ne!(another, device);
    let asked = f.store.identity_question_get(question).await.expect("reads").expect("is there");
    assert_eq!(asked.newcomer, Some(another));
    assert_eq!(meet(f, another, machine(8, 9, 6), 72).await, KNOWN);
    assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), Some(device), "it goes on");
}

pub async fn changed_hardware_is_the_device_when_somebody_says_so(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    assert_eq!(meet(f, device, machine(8, 2, 4), 60).await, MachineMet::Held);
    let question = open_questions(f).await[0].id;
    answer(f, question, QuestionAnswer::SameDevice).await.expect("is there");
    assert_eq!(meet(f, device, machine(8, 2, 4), 61).await, KNOWN);
    assert_eq!(
        meet(f, device, machine(1, 2, 3), 62).await,
        MachineMet::Held,
        "the earlier one is asked about now"
    );
    assert_eq!(open_questions(f).await.len(), 1);
}

pub async fn two_lives_that_take_turns_are_two_machines(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    assert_eq!(meet(f, device, machine(1, 2, 4), 60).await, KNOWN, "a restart, as far as anybody can tell");
    f.store.device_connected(device, "192.0.2.9".to_owned(), at(60)).await.expect("writes");
    assert_eq!(meet(f, device, machine(1, 2, 3), 61).await, MachineMet::Device { raised: true });
    let questions = open_questions(f).await;
    let [asked] = &questions[..] else { panic!("{questions:?}") };
    assert_eq!((asked.reason, asked.public_ip_address.as_str()), (QuestionReason::TwoAtOnce, "192.0.2.9"));
    assert_eq!(meet(f, device, machine(1, 2, 4), 62).await, MachineMet::Held, "the copy");
    assert_eq!(meet(f, device, machine(1, 2, 3), 63).await, KNOWN, "the first goes on");
    assert_eq!(meet(f, device, machine(1, 2, 6), 64).await, KNOWN, "and may start anew");
    answer(f, asked.id, QuestionAnswer::AnotherDevice).await.expect("is there");
    let expected = MachineMet::EnrolAnew { question: asked.id, group: GROUP };
    assert_eq!(meet(f, device, machine(1, 2, 4), 65).await, expected);
    let known = f.store.device_machine_get(device).await.expect("reads").expect("is known");
    assert_eq!((known.machine, known.boot_time), (machine(1, 2, 6), at(64)));
}

pub async fn a_device_that_leaves_is_a_placeholder_again(f: &Fixture) {
    prepare_for_many(f).await;
    let device = enrolled(f, by_many(host_on(machine(1, 2, 3), "alpha", 5))).await;
    let epoch =
        f.store.device_connected(device, String::new(), at(51)).await.expect("writes").expect("exists");
    let (task, other_task) = (f.task(&[device], &[]).await, f.task(&[device], &[]).await);
    let runs = f.claim(device).await;
    let run = runs[0].id;
    let (of, status, action) = f.store.task_run_get(run).await.expect("reads").expect("is there");
    assert_eq!((of, status, action.as_slice()), (device, RunStatus::Queued as i32, b"action".as_slice()));
    assert_eq!(f.store.task_run_get(RunId(Uuid::nil())).await.expect("reads"), None);

    for second in [60, 70] {
        assert!(f.store.device_retire(device, run, at(second)).await.expect("writes"), "said again");
        assert_eq!(f.store.device_of_key([5; 32]).await.expect("reads"), None);
        assert_eq!(f.store.device_of_retired_key([5; 32]).await.expect("reads"), Some(device));
        let kept = f.store.device_get(device).await.expect("reads").expect("is there");
        assert_eq!((kept.enrolment_status, kept.functionality_status), (1, 0));
        assert_eq!(
            (kept.group, kept.display_name.as_str(), kept.device_token.as_str()),
            (GROUP, "alpha", "")
        );
    }
    let work = f.store.task_runs_claim(vec![Claim { device, epoch }], at(80)).await.expect("works");
    assert_eq!(work, [Work::Superseded]);
    for task in [task, other_task] {
        let runs =
            f.store.task_runs_list(task, None, false, None, 10).await.expect("reads").expect("is known");
        let closure = runs[0].closure.as_ref().expect("was closed");
        assert_eq!((runs[0].status, closure.code.as_str()), (RunStatus::Failed, DEVICE_RETIRED));
        assert_eq!(runs[0].end_time.expect("is over"), at(60).max(runs[0].start_time));
    }
    assert!(
        !f.store.device_retire(DeviceId(Uuid::nil()), run, at(60)).await.expect("writes"),
        "no such device"
    );

    // The machine comes back, at once and under another name.
    let again = EnrolDevice { now: at(81), ..by_many(host_on(machine(1, 2, 3), "beta", 6)) };
    assert_eq!(enrolled(f, again).await, device);
    assert!(f.store.device_retire(device, run, at(82)).await.expect("writes"));
    assert_eq!(f.store.device_of_key([6; 32]).await.expect("reads"), Some(device), "that run is long over");
    // So does the key, if it ever does.
    let back = EnrolDevice { now: at(83), ..by_many(host_on(machine(1, 2, 3), "beta", 5)) };
    assert_eq!(enrolled(f, back).await, device);
    assert_eq!(f.store.device_of_retired_key([5; 32]).await.expect("reads"), None);
}

pub async fn a_state_counts_over_the_latest_connection(f: &Fixture) {
    let device = f.member(LOST_AND_FOUND).await;
    let report = |second, state: u8| DeviceStateReport {
        report_time: at(second),
        state: vec![state],
        snapshot_bytes: None,
    };
    let by = |epoch| Claim { device, epoch };
    let say = async |epoch, said| f.store.device_state_report(by(epoch), said).await.expect("writes");
    let kept = async || f.store.device_state_get(device).await.expect("reads");
    say(1, report(1, 1)).await;
    assert_eq!(kept().await, None, "it was never connected");
    for _ in 0..2 {
        f.store.device_connected(device, String::new(), at(1)).await.expect("writes");
    }
    say(1, report(1, 1)).await;
    assert_eq!(kept().await, None, "an earlier connection");
    say(2, report(2, 1)).await;
    say(2, report(3, 1)).await;
    assert_eq!(kept().await, Some(report(2, 1)), "no news");
    say(2, report(4, 2)).await;
    assert_eq!(kept().await, Some(report(4, 2)));
    let nobody = Claim { device: DeviceId(Uuid::nil()), epoch: 9 };
    f.store.device_state_report(nobody, report(5, 3)).await.expect("is dropped");
}
