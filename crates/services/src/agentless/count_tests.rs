//! Counts, over a store that has what was found on two assets.

use guardhouse_store::Store;

use super::*;
use crate::{
    agentless_workers::findings,
    scanned::{IMAGE, SNAPSHOT, at, report, scanned},
};

const SCAN_TIME: i64 = 1_700_000_002_000;

async fn count(store: &Store, target_type: Option<i32>, target: &str) -> GetAgentlessTaskCountResponse {
    let request = GetAgentlessTaskCountRequest { target_type, target: target.to_owned() };
    get_agentless_task_count::run(store, at(10), request).await.expect("answers")
}

#[tokio::test]
async fn counts_are_those_of_the_report() {
    let store = scanned().await;
    let found = findings::counts(&findings::of(&report()).0);
    let [cve, sca] = [found.cve, found.sca].map(|number| i32::try_from(number).expect("few"));
    let shown = |answer: &GetAgentlessTaskCountResponse| {
        (
            answer.scan_machine,
            answer.risk_machine,
            answer.cve_vul_count,
            answer.sca_vul_count,
            answer.vulnerability,
        )
    };
    let all = count(&store, None, "").await;
    assert_eq!(shown(&all), (2, 2, 2 * cve, 2 * sca, 2 * (cve + sca)));
    assert_eq!((all.sys_vul_count.as_str(), all.last_task_time), ("0", SCAN_TIME));
    assert_eq!((all.baseline_check_count, all.malicious_file, all.sensitive_file_count), (0, 0, 0));
    let one = (1, 1, cve, sca, cve + sca);
    assert_eq!(shown(&count(&store, None, SNAPSHOT).await), one);
    assert_eq!(shown(&count(&store, Some(4), "").await), one);
    let none = count(&store, Some(4), SNAPSHOT).await;
    assert_eq!((shown(&none), none.last_task_time), ((0, 0, 0, 0, 0), 0));
    let late = get_agentless_task_count::run(&store, at(99_999), Default::default()).await.expect("answers");
    assert_eq!(late.scan_machine, 0, "what has expired does not count");
    let wrong = GetAgentlessTaskCountRequest { target_type: Some(8), ..Default::default() };
    let refused = get_agentless_task_count::run(&store, at(10), wrong).await.expect_err("is refused");
    assert_eq!(refused.violations()[0].field, "TargetType");
}

#[tokio::test]
async fn a_batch_counts_each_asset_once() {
    let store = scanned().await;
    let batch = async |ids: &[&str]| {
        let uuid_list = ids.iter().map(|&id| id.to_owned()).collect();
        let request = GetAgentlessTaskCountBatchRequest { target_type: None, uuid_list };
        get_agentless_task_count_batch::run(&store, at(10), request).await
    };
    let data = batch(&[SNAPSHOT, "s-unknown", SNAPSHOT]).await.expect("answers").data;
    let found = findings::counts(&findings::of(&report()).0);
    let (known, unknown) = (&data[SNAPSHOT], &data["s-unknown"]);
    assert_eq!(data.len(), 2);
    assert_eq!(u32::try_from(known.cve_vul_count).expect("few"), found.cve);
    assert_eq!(u32::try_from(known.vulnerability).expect("few"), found.cve + found.sca);
    assert_eq!((unknown.vulnerability, unknown.sys_vul_count), (0, 0));
    for counted in [known, unknown] {
        assert_eq!((counted.scan_machine, counted.risk_machine), (2, 2), "of all assets");
        assert_eq!((counted.last_task_time, counted.estimate_used_size), (SCAN_TIME, 0));
    }
    for wrong in [vec![], (0..101).map(|n| n.to_string()).collect::<Vec<_>>()] {
        let ids: Vec<&str> = wrong.iter().map(String::as_str).collect();
        let refused = batch(&ids).await.expect_err("is refused");
        assert_eq!(refused.violations()[0].field, "UuidList");
    }
    let same = vec![SNAPSHOT; 101];
    assert_eq!(batch(&same).await.expect("one is counted").data.len(), 1);
}

#[tokio::test]
async fn assets_at_risk_are_listed() {
    let store = scanned().await;
    let list = async |request| list_agentless_risk_uuid::run(&store, request).await.expect("answers");
    let answer = list(ListAgentlessRiskUuidRequest::default()).await;
    let info = answer.page_info.expect("is there");
    assert_eq!((info.current_page, info.page_size, info.total_count), (1, 20, 2));
    let ids: Vec<_> = answer.list.iter().map(|row| row.uuid.as_str()).collect();
    assert_eq!(ids, [IMAGE, SNAPSHOT]);
    let row = &answer.list[0];
    assert_eq!([&row.instance_id, &row.target_id], [IMAGE; 2]);
    assert_eq!((row.target_name.as_str(), row.instance_name.as_str()), ("disk.qcow2", "web-1"));
    assert_eq!((row.internet_ip.as_str(), row.intranet_ip.as_str()), ("192.0.2.1", "10.0.0.1"));
    let found = findings::counts(&findings::of(&report()).0);
    assert_eq!(u32::try_from(row.vul_count).expect("few"), found.cve + found.sca);
    assert_eq!((row.baseline_count, row.malicious_count, row.scan_time), (0, 0, SCAN_TIME));
    for (request, expected) in [
        (ListAgentlessRiskUuidRequest { risk: Some(false), ..Default::default() }, 0),
        (ListAgentlessRiskUuidRequest { risk: Some(true), ..Default::default() }, 2),
        (ListAgentlessRiskUuidRequest { target_type: Some(3), ..Default::default() }, 1),
        (ListAgentlessRiskUuidRequest { target_type: Some(7), ..Default::default() }, 0),
        (ListAgentlessRiskUuidRequest { machine_name: "WEB".to_owned(), ..Default::default() }, 2),
        (ListAgentlessRiskUuidRequest { instance_name: "db".to_owned(), ..Default::default() }, 0),
        (ListAgentlessRiskUuidRequest { target_name: "disk".to_owned(), ..Default::default() }, 2),
    ] {
        let found = list(request.clone()).await.page_info.expect("is there").total_count;
        assert_eq!(found, expected, "{request:?}");
    }
}
