//! `ListCheckItemWarningSummary`

use guardhouse_contract::{
    Status,
    agentless::{
        CheckItemWarningSummary, ListCheckItemWarningSummaryRequest, ListCheckItemWarningSummaryResponse,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::{
    Timestamp,
    agentless::{CheckStatus, RiskLevel},
};
use guardhouse_store::{AssetFilter, CheckFilter, CheckSummary, Paged};

use super::source;
use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// Lists checks, each with the number of assets that are concerned, in the order of their ids.
pub async fn run(
    context: &Context,
    request: ListCheckItemWarningSummaryRequest,
) -> Result<ListCheckItemWarningSummaryResponse, Status> {
    let mut checks = Checks::default();
    source(&mut checks, &request.source);
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let statuses = statuses(&mut checks, request.check_warning_status, &request.check_warning_status_list);
    let is_elsewhere = request.group_id.is_some()
        || !request.container_field_name.is_empty()
        || !request.container_field_value.is_empty();
    let filter = CheckFilter {
        check_id: None,
        item: request.check_item_fuzzy,
        level: level(&mut checks, &request.check_level),
        kind: request.check_type,
        risk_type: request.risk_type,
        statuses,
        settled_since: request.start_time.and_then(|time| start_time(&mut checks, time)),
        asset: AssetFilter {
            instance_ids: findings::asset_ids(&mut checks, "UuidList", request.uuid_list),
            ..AssetFilter::default()
        },
    };
    checks.finish()?;

    let found = if is_elsewhere {
        Paged { rows: Vec::new(), total: 0 }
    } else {
        let listed = context.store.agentless_checks_summarize(filter, page.number()).await;
        listed.map_err(Failure::from)?
    };
    Ok(ListCheckItemWarningSummaryResponse {
        page_info: Some(page.counted_info(found.rows.len(), found.total)),
        list: found.rows.into_iter().map(row).collect(),
        request_id: String::new(),
    })
}

/// Reads `CheckWarningStatus`, or else `CheckWarningStatusList`; of none, all are wanted.
fn statuses(checks: &mut Checks, one: Option<i32>, several: &[i32]) -> Vec<CheckStatus> {
    if let Some(number) = one {
        return findings::statuses(checks, "CheckWarningStatus", number).into_iter().collect();
    }
    let several = several.iter().enumerate();
    several
        .filter_map(|(place, &number)| {
            findings::statuses(checks, &format!("CheckWarningStatusList[{place}]"), number)
        })
        .collect()
}

/// Reads `CheckLevel`; empty: it does not matter.
fn level(checks: &mut Checks, word: &str) -> Option<RiskLevel> {
    let level = RiskLevel::named(word);
    if level.is_none() && !word.is_empty() {
        checks.fail("CheckLevel", format!("is {word:?}; high, medium and low are known"));
    }
    level
}

/// Reads `StartTime`.
fn start_time(checks: &mut Checks, millis: i64) -> Option<Timestamp> {
    let time = Timestamp::from_millisecond(millis).ok();
    if time.is_none() {
        checks.fail("StartTime", format!("is {millis}; Unix milliseconds until the year 9999 are possible"));
    }
    time
}

fn row(summary: CheckSummary) -> CheckItemWarningSummary {
    let CheckSummary { item, statuses } = summary;
    let (status, count) = statuses.first().map_or((0, 0), |(status, count)| (*status as i32, *count));
    CheckItemWarningSummary {
        advice: item.advice,
        affiliated_risk_types: vec![item.risk_type.clone()],
        affiliated_risks: vec![item.risk_name.clone()],
        alias: item.alias,
        check_id: item.check_id,
        check_item: item.item,
        check_level: item.level.word().to_owned(),
        check_type: item.kind,
        container_check_item: false,
        description: item.description,
        enable_risks: vec![item.risk_name],
        risk_type: item.risk_type,
        status,
        warning_machine_count: i32::try_from(count).unwrap_or(i32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_status_counts_before_several() {
        let mut checks = Checks::default();
        assert_eq!(statuses(&mut checks, None, &[]), []);
        assert_eq!(statuses(&mut checks, None, &[1, 8]), [CheckStatus::Failed, CheckStatus::Fixed]);
        assert_eq!(statuses(&mut checks, Some(3), &[1, 99]), [CheckStatus::Passed]);
        checks.finish().expect("good");
        let mut checks = Checks::default();
        statuses(&mut checks, None, &[1, 99]);
        level(&mut checks, "HIGH");
        start_time(&mut checks, i64::MAX);
        let status = checks.finish().expect_err("three are wrong");
        let fields: Vec<_> = status.violations().iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["CheckWarningStatusList[1]", "CheckLevel", "StartTime"]);
    }
}
