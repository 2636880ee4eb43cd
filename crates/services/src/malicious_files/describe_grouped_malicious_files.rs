//! `DescribeGroupedMaliciousFiles`

use guardhouse_contract::{
    Status,
    agentless::{
        DescribeGroupedMaliciousFilesRequest, DescribeGroupedMaliciousFilesResponse, GroupedMaliciousFile,
    },
};
use guardhouse_identity::Failure;
use guardhouse_store::{AssetFilter, MaliciousFileFilter, MaliciousSample, Paged};

use super::words;
use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// Lists malicious files, equal ones together, those that were found last before the others.
pub async fn run(
    context: &Context,
    request: DescribeGroupedMaliciousFilesRequest,
) -> Result<DescribeGroupedMaliciousFilesResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read_text(&mut checks, request.current_page, &request.page_size);
    let is_elsewhere = of_containers(&request);
    let range = request.scan_range.iter().map(String::as_str);
    let asset =
        AssetFilter { target_types: findings::scan_range(&mut checks, range), ..AssetFilter::default() };
    let filter = MaliciousFileFilter {
        name: request.fuzzy_malicious_name,
        md5: request.malicious_md5.to_ascii_lowercase(),
        levels: words::levels(&mut checks, &request.levels),
        asset,
        ..MaliciousFileFilter::default()
    };
    checks.finish()?;

    let found = if is_elsewhere {
        Paged { rows: Vec::new(), total: 0 }
    } else {
        let listed = context.store.agentless_malicious_samples_list(filter, page.number()).await;
        listed.map_err(Failure::from)?
    };
    let info = page.counted_info(found.rows.len(), found.total);
    let groups = found.rows.into_iter().map(shown).collect();
    Ok(DescribeGroupedMaliciousFilesResponse {
        request_id: String::new(),
        grouped_malicious_file_response: groups,
        page_info: Some(info),
    })
}

/// Whether files of container images in registries and clusters are wanted: there are none here.
fn of_containers(request: &DescribeGroupedMaliciousFilesRequest) -> bool {
    let DescribeGroupedMaliciousFilesRequest {
        cluster_id,
        image_digest,
        image_layer,
        image_tag,
        repo_id,
        repo_instance_id,
        repo_name,
        repo_namespace,
        repo_region_id,
        ..
    } = request;
    let wanted = [
        cluster_id,
        image_digest,
        image_layer,
        image_tag,
        repo_id,
        repo_instance_id,
        repo_name,
        repo_namespace,
        repo_region_id,
    ];
    wanted.iter().any(|parameter| !parameter.is_empty())
}

fn shown(sample: MaliciousSample) -> GroupedMaliciousFile {
    GroupedMaliciousFile {
        first_scan_timestamp: sample.first_time.as_millisecond(),
        image_count: i64::try_from(sample.assets).unwrap_or(i64::MAX),
        latest_scan_timestamp: sample.latest_time.as_millisecond(),
        level: sample.level.word().to_owned(),
        status: status(&sample),
        malicious_key: sample.sha256,
        malicious_md5: sample.md5,
        malicious_name: sample.name,
    }
}

/// 0: nothing was done about one of them; 3: all are whitelisted; 1: something was done about each.
fn status(sample: &MaliciousSample) -> i32 {
    match sample {
        MaliciousSample { open: 1.., .. } => 0,
        MaliciousSample { whitelisted, files, .. } if whitelisted == files => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_model::{Timestamp, agentless::MaliciousLevel};

    use super::*;

    #[test]
    fn a_group_is_as_its_files_are() {
        for (open, whitelisted, files, expected) in [(1, 2, 3, 0), (0, 3, 3, 3), (0, 2, 3, 1), (0, 0, 3, 1)] {
            let sample = MaliciousSample {
                md5: String::new(),
                sha256: "key".to_owned(),
                name: String::new(),
                level: MaliciousLevel::Serious,
                first_time: Timestamp::UNIX_EPOCH,
                latest_time: Timestamp::UNIX_EPOCH,
                assets: 2,
                open,
                whitelisted,
                files,
            };
            let shown = shown(sample);
            assert_eq!((shown.status, shown.malicious_key.as_str()), (expected, "key"));
        }
    }

    #[test]
    fn no_container_is_here() {
        let request = DescribeGroupedMaliciousFilesRequest::default();
        assert!(!of_containers(&request));
        let repo_namespace = "library".to_owned();
        assert!(of_containers(&DescribeGroupedMaliciousFilesRequest { repo_namespace, ..request }));
    }
}
