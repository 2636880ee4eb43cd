//! One machine, one device: whoever installs it anew, copies it, changes it or lets it go.

use guardhouse_agent::{
    inventory,
    session::{Session, SessionError},
};
use guardhouse_contract::{
    automation::{Action, TaskRunStatus},
    devices::{Device, GetDeviceRequest, GetDeviceResponse, RenameDeviceRequest, RenameDeviceResponse},
    link::{DeviceState, Isolation, RunEnded, RunStarted, agent_frame, go_away::Reason, server_frame::Kind},
    management::{
        AnswerIdentityQuestionRequest, AnswerIdentityQuestionResponse, GetDeviceStateRequest,
        GetDeviceStateResponse, GetIdentityQuestionRequest, GetIdentityQuestionResponse, IdentityQuestion,
        ListIdentityQuestionsRequest, ListIdentityQuestionsResponse, identity_question,
    },
};
use reqwest::StatusCode;
use tonic::Code;

use crate::support::{Agent, Api, Firmware, Machine, Server, heard, of_devices, say, wait_for};

const ORIGINAL: Firmware = Firmware { uuid: 1, serial_number: 2, boot: 3 };
const COPY: Firmware = Firmware { uuid: 8, serial_number: 9, boot: 4 };

async fn device(api: &Api, uuid: &str) -> Option<Device> {
    let answer = api.call(&GetDeviceRequest { device_uuid: uuid.to_owned() }).await;
    answer.ok().and_then(|answer: GetDeviceResponse| answer.device)
}

async fn questions(api: &Api) -> Vec<IdentityQuestion> {
    let listed: Result<ListIdentityQuestionsResponse, _> =
        api.call(&ListIdentityQuestionsRequest::default()).await;
    listed.expect("the questions").identity_questions
}

async fn answer(api: &Api, question: &IdentityQuestion, answer: identity_question::Answer) {
    let request =
        AnswerIdentityQuestionRequest { question_uuid: question.uuid.clone(), answer: answer.into() };
    let answered: AnswerIdentityQuestionResponse = api.call(&request).await.expect("counts");
    let answered = answered.identity_question.expect("the question");
    assert_eq!((answered.answer(), answered.answered_by.as_str()), (answer, "admin"));
}

/// Waits for an order; answers its run.
async fn ordered(session: &mut Session) -> String {
    let order = |kind| if let Kind::Order(order) = kind { Some(order.run_uuid) } else { None };
    heard(session, order).await.expect("an order")
}

fn is_held(opened: &Result<Session, SessionError>) -> bool {
    matches!(opened, Err(SessionError::Dismissed(Reason::IdentityInQuestion)))
}

#[tokio::test]
async fn a_machine_that_is_installed_anew_is_the_device_it_was() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let before = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    let mut old_link = before.connect(ORIGINAL).await.expect("connected");
    let rename = RenameDeviceRequest { device_uuid: before.device(), display_name: "till 7".to_owned() };
    let _: RenameDeviceResponse = api.call(&rename).await.expect("renamed");
    let task = api.run_command(of_devices(&[&before.device()]), "true").await;
    let run_uuid = ordered(&mut old_link).await;
    say(&old_link, agent_frame::Kind::RunStarted(RunStarted { run_uuid })).await;

    // The same life of the kernel: it is this machine, however lately it was heard of.
    let anew = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    assert_eq!(anew.device(), before.device());
    assert_eq!(device(&api, &anew.device()).await.expect("is there").display_name, "till 7");
    let runs = api.ended_runs(&task, 1).await;
    assert_eq!(runs.0[0].status(), TaskRunStatus::Failed);
    assert!(heard(&mut old_link, |_| None::<()>).await.is_none(), "the old connection ends");
    let refused = before.connect(ORIGINAL).await.expect_err("its key is revoked");
    assert!(refused.is_not_managed(), "{refused}");
    anew.connect(ORIGINAL).await.expect("connected");
    assert_eq!(questions(&api).await, []);
}

#[tokio::test]
async fn a_copy_waits_and_becomes_a_device_of_its_own() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let machine = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    let mut link = machine.connect(ORIGINAL).await.expect("connected");
    for _ in 0..2 {
        assert!(is_held(&machine.connect(COPY).await), "it asks again from time to time");
    }
    let asked = questions(&api).await;
    let [question] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((question.device_uuid.as_str(), question.host_name.as_str()), (&*machine.device(), "alpha"));
    assert_eq!(question.reason(), identity_question::Reason::OtherHardware);
    // The device itself goes on over the same connection.
    api.run_command(of_devices(&[&machine.device()]), "true").await;
    ordered(&mut link).await;

    answer(&api, question, identity_question::Answer::AnotherDevice).await;
    let invitation = machine.invited(COPY).await;
    // Neither its name nor its firmware decides, and an invitation that was lost is followed by another.
    let second = machine.invited(COPY).await;
    assert_ne!(invitation, second);
    let copy = Machine::enrol(&server, &second, "alpha", COPY).await;
    assert_ne!(copy.device(), machine.device());
    copy.connect(COPY).await.expect("connected");
    assert_eq!(questions(&api).await, []);
    let all = ListIdentityQuestionsRequest { include_answered: true, ..Default::default() };
    let all: ListIdentityQuestionsResponse = api.call(&all).await.expect("the questions");
    assert_eq!(all.identity_questions[0].newcomer_uuid, copy.device());
    let late = AnswerIdentityQuestionRequest {
        question_uuid: question.uuid.clone(),
        answer: identity_question::Answer::SameDevice.into(),
    };
    let late = api.call::<_, AnswerIdentityQuestionResponse>(&late).await.expect_err("too late");
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert!(late.refusal().0.contains("admin has answered ANOTHER_DEVICE"), "{late:?}");
}

#[tokio::test]
async fn changed_hardware_goes_on_when_an_administrator_says_so() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let machine = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    assert!(is_held(&machine.connect(COPY).await));
    answer(&api, &questions(&api).await[0], identity_question::Answer::SameDevice).await;
    machine.connect(COPY).await.expect("it is the device");
    assert!(is_held(&machine.connect(ORIGINAL).await), "the earlier hardware is the newcomer now");
}

#[tokio::test]
async fn a_host_that_enrols_beside_its_equal_can_be_made_one_with_it() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let anew = Firmware { boot: 4, ..ORIGINAL };
    let machine = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    let beside = Machine::enrol(&server, &token, "alpha", anew).await;
    assert_ne!(beside.device(), machine.device(), "both seem to be at work");
    let mut link = beside.connect(anew).await.expect("connected");
    let asked = questions(&api).await;
    let [question] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(question.reason(), identity_question::Reason::EnrolledBeside);
    assert_eq!(question.newcomer_uuid, beside.device());

    answer(&api, question, identity_question::Answer::SameDevice).await;
    assert!(heard(&mut link, |_| None::<()>).await.is_none(), "its connection ends");
    let invitation = beside.invited(anew).await;
    let one = Machine::enrol(&server, &invitation, "alpha", anew).await;
    assert_eq!(one.device(), machine.device());
    one.connect(anew).await.expect("connected");
    assert_eq!(device(&api, &beside.device()).await, None);
    assert!(machine.connect(ORIGINAL).await.expect_err("its key is revoked").is_not_managed());
}

#[tokio::test]
async fn a_device_that_stops_being_managed_leaves_its_place_behind() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let machine = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    let other = Machine::enrol(&server, &token, "beta", COPY).await;
    let mut link = machine.connect(ORIGINAL).await.expect("connected");
    let waiting = api.run_command(of_devices(&[&machine.device()]), "true").await;
    let command = ordered(&mut link).await;
    let refused = machine.retire(&command).await.expect_err("that run asked for something else");
    assert!(refused.message().contains("RunCommand"), "{refused}");

    let stop = Action { name: "StopManaging".to_owned(), params: None };
    let stopping = api.create_task(of_devices(&[&machine.device()]), stop).await.expect("a task");
    let run_uuid = ordered(&mut link).await;
    let early = machine.retire(&run_uuid).await.expect_err("it has not ended");
    assert_eq!(early.code(), Code::InvalidArgument);
    let ended = RunEnded { run_uuid: run_uuid.clone(), succeeded: true, ..Default::default() };
    say(&link, agent_frame::Kind::RunEnded(ended)).await;
    let kept = |kind| matches!(kind, Kind::RunEndedAck(_)).then_some(());
    heard(&mut link, kept).await.expect("an acknowledgement");
    let foreign = other.retire(&run_uuid).await.expect_err("the run of another device");
    assert_eq!(foreign.code(), Code::InvalidArgument);

    machine.retire(&run_uuid).await.expect("retired");
    let farewell = |kind| if let Kind::GoAway(go) = kind { Some(go.reason()) } else { None };
    assert_eq!(heard(&mut link, farewell).await, Some(Reason::NotManaged));
    machine.retire(&run_uuid).await.expect("the answer was lost");
    assert_eq!(machine.renew().await.expect_err("all else is over").code(), Code::Unauthenticated);
    assert!(machine.connect(ORIGINAL).await.expect_err("all else is over").is_not_managed());

    let left = device(&api, &machine.device()).await.expect("stays");
    assert_eq!(left.enrollment_status().as_str_name(), "DEVICE_ENROLLMENT_STATUS_PENDING");
    assert_eq!(api.ended_runs(&stopping, 1).await.0[0].status(), TaskRunStatus::Finished);
    assert_eq!(api.ended_runs(&waiting, 1).await.0[0].status(), TaskRunStatus::Failed);
    let back = Machine::enrol(&server, &token, "alpha", Firmware { boot: 4, ..ORIGINAL }).await;
    assert_eq!(back.device(), machine.device(), "it comes back into its place");
}

#[tokio::test]
async fn what_a_device_is_in_is_shown() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let machine = Machine::enrol(&server, &token, "alpha", ORIGINAL).await;
    let request = GetDeviceStateRequest { device_uuid: machine.device() };
    let state = async || api.call::<_, GetDeviceStateResponse>(&request).await.expect("the state");
    let unknown = state().await;
    assert_eq!((unknown.connected, unknown.isolation, unknown.report_time), (false, None, None));

    let isolated = DeviceState {
        isolation: Some(Isolation { isolation_time: Some(Default::default()), run_uuid: "r".to_owned() }),
        disabled_actions: vec!["RunCommand".to_owned(), "PaintTheWall".to_owned()],
        ..Default::default()
    };
    let link = machine.connect_in(ORIGINAL, isolated).await.expect("connected");
    let shown =
        wait_for("the state is kept", async || Some(state().await).filter(|s| s.report_time.is_some())).await;
    assert!(shown.connected && shown.isolation.is_some() && shown.boot_contact_time.is_some(), "{shown:?}");
    assert_eq!(shown.disabled_actions, ["RunCommand"]);
    say(&link, agent_frame::Kind::State(DeviceState::default())).await;
    wait_for("the state changes", async || Some(state().await).filter(|state| state.isolation.is_none()))
        .await;
    drop(link);
    wait_for("the device is gone", async || Some(state().await).filter(|state| !state.connected)).await;
}

#[tokio::test]
async fn an_agent_that_is_told_to_enrols_anew_by_itself() {
    let server = Server::start(&[]).await;
    let (api, token) = (server.admin().await, server.enrolment_token(None).await);
    let mut agent = Agent::enrol(&server, "alpha", &token).await;
    // Whoever has its key has been seen in so many lives that the one of this machine is new, and then in an earlier one
    // again: so this machine is the copy.
    let machine = agent.machine();
    for boot in 10..=18 {
        machine.connect(Firmware { uuid: 0, serial_number: 0, boot }).await.expect("a restart");
    }
    machine.connect_as(inventory::machine(Some("alpha"))).await.expect("a restart");
    machine.connect(Firmware { uuid: 0, serial_number: 0, boot: 18 }).await.expect("was there first");
    assert!(is_held(&machine.connect_as(inventory::machine(Some("alpha"))).await));
    let asked = questions(&api).await;
    assert_eq!(asked[0].reason(), identity_question::Reason::TwoAtOnce);
    answer(&api, &asked[0], identity_question::Answer::AnotherDevice).await;

    agent.start();
    let request = GetIdentityQuestionRequest { question_uuid: asked[0].uuid.clone() };
    let enrolled = wait_for("the agent enrols", async || {
        let question: GetIdentityQuestionResponse = api.call(&request).await.expect("the question");
        let newcomer = question.identity_question.expect("is there").newcomer_uuid;
        (!newcomer.is_empty()).then_some(newcomer)
    });
    let enrolled = enrolled.await;
    assert_ne!(enrolled, machine.device());
    let task = api.run_command(of_devices(&[&enrolled]), "true").await;
    assert_eq!(api.ended_runs(&task, 1).await.0[0].status(), TaskRunStatus::Finished);
    agent.kill().await;
    agent.start();
    let task = api.run_command(of_devices(&[&enrolled]), "true").await;
    assert_eq!(
        api.ended_runs(&task, 1).await.0[0].status(),
        TaskRunStatus::Finished,
        "it is that device now"
    );
}
