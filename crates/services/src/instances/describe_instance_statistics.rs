//! `DescribeInstanceStatistics`

use std::collections::{HashMap, HashSet};

use guardhouse_contract::{
    Status,
    agentless::{DescribeInstanceStatisticsRequest, DescribeInstanceStatisticsResponse, InstanceStatistics},
};
use guardhouse_identity::Failure;
use guardhouse_store::{AgentlessCounts, Store};

use crate::{fields::Checks, numbered_pages::count};

/// How many assets a request is about at most.
const MOST: usize = 100;

/// Counts what the newest scans of some assets found.
pub async fn run(
    store: &Store,
    request: DescribeInstanceStatisticsRequest,
) -> Result<DescribeInstanceStatisticsResponse, Status> {
    let mut checks = Checks::default();
    if request.from != "sas" {
        checks.fail("From", format!("is {:?}; sas is known", request.from));
    }
    let mut seen = HashSet::new();
    let ids = request.uuid.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: Vec<String> = ids.filter(|id| seen.insert(*id)).map(str::to_owned).collect();
    if !(1..=MOST).contains(&ids.len()) {
        let why = format!(
            "names {} assets; 1 to {MOST}, with commas between them, are counted at a time",
            ids.len()
        );
        checks.fail("Uuid", why);
    }
    checks.finish()?;
    let found = store.agentless_counts_of(ids.clone(), None).await.map_err(Failure::from)?;
    let found: HashMap<_, _> = found.into_iter().collect();
    let data = ids.into_iter().map(|id| row(found.get(&id).copied().unwrap_or_default(), id)).collect();
    Ok(DescribeInstanceStatisticsResponse { request_id: String::new(), data })
}

fn row(counts: AgentlessCounts, uuid: String) -> InstanceStatistics {
    let AgentlessCounts { cve, sys, sca, baseline, malicious, sensitive } = counts;
    let all = [cve, sys, sca, baseline, malicious, sensitive].map(u64::from);
    InstanceStatistics {
        uuid,
        agentless_malicious: count(malicious.into()),
        agentless_sensitive_file: count(sensitive.into()),
        agentless_baseline: count(baseline.into()),
        agentless_vul_cve: count(cve.into()),
        agentless_vul_sca: count(sca.into()),
        agentless_vul_sys: count(sys.into()),
        agentless_all: count(all.iter().sum()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agentless_workers::findings,
        scanned::{SNAPSHOT, report, scanned},
    };

    fn asked(from: &str, uuid: &str) -> DescribeInstanceStatisticsRequest {
        DescribeInstanceStatisticsRequest {
            from: from.to_owned(),
            uuid: uuid.to_owned(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn each_asset_is_counted_once() {
        let store = scanned().await;
        let answer = run(&store, asked("sas", &format!("s-unknown, {SNAPSHOT},s-unknown,"))).await;
        let data = answer.expect("answers").data;
        let [unknown, known] = &data[..] else { panic!("{data:?}") };
        let found = findings::counts(&findings::of(&report()).0);
        assert_eq!((unknown.uuid.as_str(), unknown.agentless_all), ("s-unknown", 0));
        assert_eq!(known.uuid, SNAPSHOT);
        assert_eq!(u32::try_from(known.agentless_vul_cve).expect("few"), found.cve);
        assert_eq!(u32::try_from(known.agentless_vul_sca).expect("few"), found.sca);
        assert_eq!(u32::try_from(known.agentless_all).expect("few"), found.cve + found.sca);
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let store = scanned().await;
        let many = (0..101).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        for (from, uuid, field) in [("", "s-1", "From"), ("sas", " ,", "Uuid"), ("sas", &many, "Uuid")] {
            let refused = run(&store, asked(from, uuid)).await.expect_err("is refused");
            assert_eq!(refused.violations()[0].field, field);
        }
    }
}
