use super::*;

const ONE: &str = "00000000000000000000000000000001";
const OTHER: &str = "00000000000000000000000000000002";

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn read(request: ListAgentlessTaskRequest) -> Result<Wanted, Vec<String>> {
    let mut checks = Checks::default();
    let wanted = super::read(&mut checks, request);
    let fields = |status: Status| status.violations().iter().map(|wrong| wrong.field.clone()).collect();
    checks.finish().map(|()| wanted).map_err(fields)
}

fn subtasks(filter: AgentlessSubtaskFilter) -> Result<Wanted, Vec<String>> {
    Ok(Wanted::Subtasks(filter))
}

fn tasks(common: AgentlessTaskFilter) -> Result<Wanted, Vec<String>> {
    Ok(Wanted::Tasks(common))
}

fn at(micros: i64) -> Option<Timestamp> {
    Some(Timestamp::from_microsecond(micros).expect("in range"))
}

#[test]
fn without_parameters_all_subtasks_are_listed() {
    assert_eq!(read(ListAgentlessTaskRequest::default()), subtasks(AgentlessSubtaskFilter::default()));
}

#[test]
fn both_names_of_the_task_mean_the_root() {
    let of = |root_task, root: &str, task: &str| {
        read(ListAgentlessTaskRequest {
            root_task,
            root_task_id: root.to_owned(),
            task_id: task.to_owned(),
            ..Default::default()
        })
    };
    let children = subtasks(AgentlessSubtaskFilter { task: Some(id(1)), ..Default::default() });
    for (root, task) in [(ONE, ""), ("", ONE), (ONE, ONE), ("", "00000000-0000-0000-0000-000000000001")] {
        assert_eq!(of(None, root, task), children);
        assert_eq!(of(Some(false), root, task), children);
        let itself = AgentlessTaskFilter { ids: Some(vec![id(1)]), ..Default::default() };
        assert_eq!(of(Some(true), root, task), tasks(itself));
    }
    assert_eq!(of(None, ONE, OTHER), Ok(Wanted::Nothing), "nothing is in both");
    for (root, task) in [("1538****", ""), ("", "1538****"), (ONE, "x")] {
        assert_eq!(of(Some(true), root, task), Ok(Wanted::Nothing), "no task is called so");
    }
}

#[test]
fn rows_are_asked_for_by_their_ids() {
    let of = |root_task, root: &str, ids: Vec<&str>| {
        read(ListAgentlessTaskRequest {
            root_task,
            root_task_id: root.to_owned(),
            task_id_list: ids.into_iter().map(str::to_owned).collect(),
            ..Default::default()
        })
    };
    let common = |ids: &[u128]| AgentlessTaskFilter {
        ids: Some(ids.iter().map(|&number| id(number)).collect()),
        ..Default::default()
    };
    assert_eq!(of(Some(true), "", vec![ONE, OTHER]), tasks(common(&[1, 2])));
    assert_eq!(of(Some(true), OTHER, vec![ONE, OTHER]), tasks(common(&[2])));
    assert_eq!(of(Some(true), OTHER, vec![ONE]), Ok(Wanted::Nothing));
    let both = AgentlessSubtaskFilter { task: Some(id(2)), common: common(&[1]), ..Default::default() };
    assert_eq!(of(Some(false), OTHER, vec![ONE]), subtasks(both));
    assert_eq!(of(None, "", vec![ONE]), Err(vec!["RootTask".to_owned()]));
    assert_eq!(of(Some(true), "", vec![ONE, "x"]), tasks(common(&[1])));
    assert_eq!(of(Some(true), "", vec!["1538****"]), tasks(common(&[])));
    assert_eq!(of(Some(true), "", vec![ONE; 101]), Err(vec!["TaskIdList".to_owned()]));
    let mixed = ListAgentlessTaskRequest {
        root_task: Some(true),
        task_id: ONE.to_owned(),
        task_id_list: vec![ONE.to_owned()],
        ..Default::default()
    };
    assert_eq!(read(mixed), Err(vec!["TaskId".to_owned()]));
}

#[test]
fn times_are_whole_milliseconds_and_may_exclude_everything() {
    let of = |start_time, end_time| {
        read(ListAgentlessTaskRequest { root_task: Some(true), start_time, end_time, ..Default::default() })
    };
    let both = AgentlessTaskFilter { from: at(5_000), until: at(5_999), ..Default::default() };
    assert_eq!(of(Some(5), Some(5)), tasks(both));
    // As in the documented example.
    assert_eq!(of(Some(1_651_290_987_000), Some(1_635_575_219_000)), Ok(Wanted::Nothing));
    let wrong = vec!["StartTime".to_owned(), "EndTime".to_owned()];
    assert_eq!(of(Some(i64::MAX), Some(i64::MIN)), Err(wrong));
}

#[test]
fn what_was_ended_is_found_among_what_failed() {
    let of = |status| {
        read(ListAgentlessTaskRequest { root_task: Some(true), status: Some(status), ..Default::default() })
    };
    for (number, statuses) in [
        (1, vec![TaskStatus::Running]),
        (2, vec![TaskStatus::Done]),
        (3, vec![TaskStatus::Failed, TaskStatus::Cancelled]),
        (4, vec![TaskStatus::TimedOut]),
    ] {
        assert_eq!(of(number), tasks(AgentlessTaskFilter { statuses, ..Default::default() }));
    }
    for number in [0, 5, -1] {
        assert_eq!(of(number), Err(vec!["Status".to_owned()]));
    }
}

#[test]
fn a_task_has_no_device_and_no_asset() {
    let asked = |root_task| ListAgentlessTaskRequest {
        root_task,
        machine_name: "web".to_owned(),
        internet_ip: "192.0.2.1".to_owned(),
        intranet_ip: "10.0.0.1".to_owned(),
        uuid: "m-1".to_owned(),
        target_name: "disk".to_owned(),
        target_type: Some(4),
        lang: "zh".to_owned(),
        ..Default::default()
    };
    assert_eq!(read(asked(Some(true))), Ok(Wanted::Nothing));
    let filter = AgentlessSubtaskFilter {
        common: AgentlessTaskFilter { target_type: Some(4), ..Default::default() },
        machine_name: "web".to_owned(),
        internet_ip: "192.0.2.1".to_owned(),
        intranet_ip: "10.0.0.1".to_owned(),
        instance_id: "m-1".to_owned(),
        target_name: "disk".to_owned(),
        ..Default::default()
    };
    assert_eq!(read(asked(None)), subtasks(filter));
    let wrong =
        ListAgentlessTaskRequest { target_type: Some(8), lang: "fr".to_owned(), ..Default::default() };
    assert_eq!(read(wrong), Err(vec!["TargetType".to_owned(), "Lang".to_owned()]));
}
