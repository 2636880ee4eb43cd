//! The lists, over a store that has what was found on two assets.

use guardhouse_contract::{
    Status,
    agentless::{
        AddImageVulWhiteListRequest, DeleteImageVulWhitelistRequest, DescribeCanFixVulListRequest,
        DescribeImageGroupedVulListRequest, DescribeImageVulListRequest, DescribeImageVulListResponse,
        DescribeImageVulWhiteListRequest, UpdateImageVulWhitelistTargetRequest, VulRecord,
    },
};
use guardhouse_report::view::rows;
use guardhouse_store::Store;

use super::*;
use crate::scanned::{IMAGE, SNAPSHOT, report, scanned};

fn cve() -> DescribeImageVulListRequest {
    DescribeImageVulListRequest { r#type: "cve".to_owned(), ..Default::default() }
}

async fn list(store: &Store, request: DescribeImageVulListRequest) -> DescribeImageVulListResponse {
    describe_image_vul_list::run(store, request).await.expect("answers")
}

fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("is refused");
    status.violations().iter().map(|violation| violation.field.clone()).collect()
}

#[tokio::test]
async fn the_lists_have_what_the_report_has() {
    let store = scanned().await;
    let report = report();
    let mut expected: Vec<(String, String, String)> = rows(&report)
        .into_iter()
        .filter(|row| row.finding.suppressed.is_none())
        .map(|row| {
            (row.package.package.name.clone(), row.package.package.version.clone(), row.package.evidence())
        })
        .collect();
    let mut shown = Vec::new();
    for kind in ["cve", "sca", "sys"] {
        let uuids = SNAPSHOT.to_owned();
        let request = DescribeImageVulListRequest { r#type: kind.to_owned(), uuids, ..Default::default() };
        for record in list(&store, request).await.vul_records {
            assert_eq!(record.r#type, kind);
            let packages = record.extend_content_json.expect("is there").rpm_entity_list;
            shown.extend(packages.into_iter().map(|package| (package.name, package.version, package.path)));
        }
    }
    expected.sort();
    shown.sort();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_row_says_what_the_public_api_says() {
    let store = scanned().await;
    let request = DescribeImageVulListRequest {
        name: "CVE-2023-5678".to_owned(),
        instance_id: SNAPSHOT.to_owned(),
        ..cve()
    };
    let answer = list(&store, request).await;
    assert_eq!((answer.current_page, answer.page_size), (1, 10));
    // The other one is of a volume without a system.
    let of_system =
        |row: &&VulRecord| row.extend_content_json.as_ref().is_some_and(|content| content.os == "debian");
    assert_eq!(answer.total_count, 2);
    let row = answer.vul_records.iter().find(of_system).expect("a row");
    assert!((1..1 << 53).contains(&row.primary_id));
    assert_eq!((row.r#type.as_str(), row.necessity.as_str(), row.status), ("cve", "later", 1));
    assert_eq!((row.can_fix.as_str(), row.can_update, row.agentless_can_fix), ("yes", false, false));
    assert_eq!((row.related.as_str(), row.alias_name.as_str()), ("CVE-2023-5678", "DSA-5678-1"));
    assert_eq!([&row.uuid, &row.target_id], [SNAPSHOT; 2]);
    assert_eq!((row.target_name.as_str(), row.target_type.as_str()), ("disk.qcow2", "ECS_SNAPSHOT"));
    assert_eq!((row.instance_name.as_str(), row.internet_ip.as_str()), ("web-1", "192.0.2.1"));
    let times = [row.first_ts, row.last_ts, row.modify_ts, row.scan_time];
    assert_eq!(times, [1_700_000_002_000; 4]);
    let content = row.extend_content_json.as_ref().expect("is there");
    assert_eq!((content.os.as_str(), content.os_release.as_str()), ("debian", "12"));
    let package = content.rpm_entity_list.first().expect("a package");
    assert_eq!(package.match_detail, "libssl3 version less than 3.0.13-1~deb12u1");
    assert_eq!(package.match_list, ["libssl3 version less than 3.0.13-1~deb12u1"]);
    assert_eq!(package.update_cmd, "apt-get update && apt-get install --only-upgrade libssl3");
}

#[tokio::test]
async fn filters_are_those_of_the_public_api() {
    let store = scanned().await;
    let text = |text: &str| text.to_owned();
    let count = async |request| list(&store, request).await.total_count;
    let all = count(cve()).await;
    assert!(all > 2 && all % 2 == 0, "{all} on two assets");
    let ranges = |words: &[&str]| DescribeImageVulListRequest {
        scan_range: words.iter().map(|&word| word.to_owned()).collect(),
        ..cve()
    };
    for (request, expected) in [
        (DescribeImageVulListRequest { uuids: text(" s-00000000000000000001,"), ..cve() }, all / 2),
        (DescribeImageVulListRequest { uuids: text(SNAPSHOT), instance_id: text(IMAGE), ..cve() }, 0),
        (DescribeImageVulListRequest { necessity: text("asap,later,nntf"), ..cve() }, all),
        (DescribeImageVulListRequest { dealed: text("N"), ..cve() }, all),
        (DescribeImageVulListRequest { dealed: text("y"), ..cve() }, 0),
        (DescribeImageVulListRequest { status_list: text("1,7"), ..cve() }, all),
        (DescribeImageVulListRequest { status_list: text("4,7"), ..cve() }, 0),
        (DescribeImageVulListRequest { group_by_asset: Some(true), ..cve() }, 2),
        (DescribeImageVulListRequest { group_by_asset: Some(false), ..cve() }, all),
        (DescribeImageVulListRequest { region_id: text("cn-shanghai"), lang: text("en"), ..cve() }, all),
        (DescribeImageVulListRequest { rule_tag: text("AI"), ..cve() }, 0),
        (DescribeImageVulListRequest { repo_name: text("a"), ..cve() }, 0),
        (ranges(&["agentless", "ecs_snapshot", "ecs_image"]), all),
        (ranges(&["ecs_snapshot"]), all / 2),
        (ranges(&["ecs_image", "image"]), all / 2),
        (ranges(&["agentless"]), 0),
        (ranges(&["image", "container"]), 0),
    ] {
        assert_eq!(count(request.clone()).await, expected, "{request:?}");
    }
    let wrong = DescribeImageVulListRequest {
        r#type: text("app"),
        necessity: text("high"),
        dealed: text("yes"),
        status_list: text("2"),
        scan_range: vec![text("disk")],
        current_page: Some(0),
        page_size: Some(101),
        ..Default::default()
    };
    let mut refused = fields(describe_image_vul_list::run(&store, wrong).await);
    refused.sort();
    let expected = ["CurrentPage", "Dealed", "Necessity", "PageSize", "ScanRange", "StatusList", "Type"];
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn groups_and_what_can_be_fixed() {
    let store = scanned().await;
    let grouped = async |request| {
        describe_image_grouped_vul_list::run(&store, request).await.expect("answers").grouped_vul_items
    };
    let items = grouped(DescribeImageGroupedVulListRequest {
        cve_id: "CVE-2021-44228".to_owned(),
        ..Default::default()
    })
    .await;
    let [item] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        (item.name.as_str(), item.r#type.as_str(), item.cve_score.as_str()),
        ("CVE-2021-44228", "sca", "10.0")
    );
    assert_eq!((item.asap_count, item.later_count, item.nntf_count, item.status), (2, 0, 0, 0));
    assert_eq!((item.can_fix.as_str(), item.agentless_can_fix.as_str()), ("yes", "false"));
    assert_eq!([item.gmt_last, item.last_scan_time], [1_700_000_002_000; 2]);
    for (request, is_empty) in [
        (DescribeImageGroupedVulListRequest::default(), false),
        (DescribeImageGroupedVulListRequest { agentless_can_fix: Some(false), ..Default::default() }, false),
        (DescribeImageGroupedVulListRequest { agentless_can_fix: Some(true), ..Default::default() }, true),
        (DescribeImageGroupedVulListRequest { patch_id: Some(1), ..Default::default() }, true),
        (DescribeImageGroupedVulListRequest { group_id: "1".to_owned(), ..Default::default() }, true),
        (DescribeImageGroupedVulListRequest { is_latest: Some(1), ..Default::default() }, false),
    ] {
        assert_eq!(grouped(request.clone()).await.is_empty(), is_empty, "{request:?}");
    }

    let request = DescribeCanFixVulListRequest { r#type: "sca".to_owned(), ..Default::default() };
    let fixable = describe_can_fix_vul_list::run(&store, request).await.expect("answers").vul_records;
    assert!(!fixable.is_empty() && fixable.iter().all(|record| record.can_fix == "yes"), "{fixable:?}");
}

#[tokio::test]
async fn the_whitelist_hides_what_is_on_it() {
    let store = scanned().await;
    let text = |text: &str| text.to_owned();
    let count = async |dealed: &str| {
        let request = DescribeImageVulListRequest { dealed: dealed.to_owned(), ..cve() };
        list(&store, request).await.total_count
    };
    let all = count("n").await;
    let entry = AddImageVulWhiteListRequest {
        whitelist: text(r#"[{"Type":"cve","Name":"CVE-2023-5678","AliasName":"DSA-5678-1"}]"#),
        source: text("agentless"),
        reason: text("not reachable"),
        ..Default::default()
    };
    let added = add_image_vul_white_list::run(&store, entry.clone()).await.expect("answers");
    assert_eq!(
        (added.code.as_str(), added.http_status_code, added.success, added.data),
        ("200", 200, true, true)
    );
    let (open, hidden) = (count("").await, count("y").await);
    assert!(hidden > 0 && open + hidden == all, "{open} and {hidden} of {all}");

    let shown = async |source: &str| {
        let request = DescribeImageVulWhiteListRequest { source: source.to_owned(), ..Default::default() };
        describe_image_vul_white_list::run(&store, request).await.expect("answers")
    };
    let listed = shown("").await;
    let info = listed.page_info.expect("is there");
    assert_eq!((info.current_page, info.page_size, info.total_count, info.count), (1, 20, 1, 1));
    let kept = listed.image_vul_whitelist.first().expect("an entry");
    assert_eq!(
        (kept.name.as_str(), kept.alias_name.as_str(), kept.reason.as_str()),
        ("CVE-2023-5678", "DSA-5678-1", "not reachable")
    );
    assert_eq!(shown("image").await.image_vul_whitelist, []);

    let target = Some(format!(r#"{{"type":"uuid","target":"{IMAGE}"}}"#));
    let update = UpdateImageVulWhitelistTargetRequest { id: Some(kept.id), target, ..Default::default() };
    update_image_vul_whitelist_target::run(&store, update.clone()).await.expect("answers");
    assert_eq!(count("y").await, hidden / 2);
    let unknown = UpdateImageVulWhitelistTargetRequest { id: Some(99), ..update };
    let refused = update_image_vul_whitelist_target::run(&store, unknown).await.expect_err("is unknown");
    assert_eq!(refused.http(), 404);
    let target = Some(text(r#"{"type":"SELECTION_KEY","target":"7"}"#));
    let nowhere = UpdateImageVulWhitelistTargetRequest { id: Some(kept.id), target, ..Default::default() };
    assert_eq!(fields(update_image_vul_whitelist_target::run(&store, nowhere).await), ["Target"]);

    let delete = async |ids: String| {
        let request = DeleteImageVulWhitelistRequest { ids, ..Default::default() };
        delete_image_vul_whitelist::run(&store, request).await
    };
    assert!(delete(format!("{}, 99", kept.id)).await.expect("answers").data);
    assert!(!delete(kept.id.to_string()).await.expect("answers").data, "it is gone already");
    assert_eq!((count("n").await, count("y").await), (all, 0));
    assert_eq!(fields(delete(text("a,b")).await), ["Ids", "Ids"]);
    assert_eq!(fields(delete(text(",")).await), ["Ids"]);

    let wrong = AddImageVulWhiteListRequest {
        whitelist: text("CVE-2023-5678"),
        source: text("image"),
        target: text(r#"{"type":"repo","target":"a/b"}"#),
        reason: "a".repeat(4_097),
        r#type: text("app"),
        ..entry
    };
    let mut refused = fields(add_image_vul_white_list::run(&store, wrong).await);
    refused.sort();
    assert_eq!(refused, ["Reason", "Source", "Target", "Type", "Whitelist"]);
}
