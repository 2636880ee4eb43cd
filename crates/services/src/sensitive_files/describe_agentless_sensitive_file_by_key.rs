//! `DescribeAgentlessSensitiveFileByKey`

use guardhouse_contract::{
    Status,
    agentless::{
        DescribeAgentlessSensitiveFileByKeyRequest, DescribeAgentlessSensitiveFileByKeyResponse,
        SensitiveFileRow,
    },
};
use guardhouse_identity::Failure;
use guardhouse_model::agentless::SensitiveStatus;
use guardhouse_store::{AssetFilter, Paged, SensitiveFile, SensitiveFileFilter};

use crate::{
    Context,
    fields::Checks,
    findings::{self, Page},
};

/// Lists sensitive files, the one that was found last for the first time before the others.
pub async fn run(
    context: &Context,
    request: DescribeAgentlessSensitiveFileByKeyRequest,
) -> Result<DescribeAgentlessSensitiveFileByKeyResponse, Status> {
    let mut checks = Checks::default();
    let page = Page::read(&mut checks, request.current_page, request.page_size);
    let range = request.scan_range.iter().map(String::as_str);
    let target_types = findings::scan_range(&mut checks, range);
    let status = status(&mut checks, &request.status);
    checks.finish()?;

    // Two names for one thing: where they differ, nothing is both.
    let ids = [request.image_uuid, request.instance_id];
    let mut instance_ids: Vec<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    instance_ids.dedup();
    let found = if instance_ids.len() > 1 {
        Paged { rows: Vec::new(), total: 0 }
    } else {
        let asset = AssetFilter { instance_ids, remark: request.remark, target_types };
        let filter = SensitiveFileFilter { rule_key: request.sensitive_file_key, status, asset };
        let listed = context.store.agentless_sensitive_files_list(filter, page.number()).await;
        listed.map_err(Failure::from)?
    };
    Ok(DescribeAgentlessSensitiveFileByKeyResponse {
        page_info: Some(page.counted_info(found.rows.len(), found.total)),
        request_id: String::new(),
        sensitive_file_list: found.rows.into_iter().map(row).collect(),
        success: true,
    })
}

/// Reads `Status`; empty: it does not matter.
fn status(checks: &mut Checks, text: &str) -> Option<SensitiveStatus> {
    let status = text.parse().ok().and_then(SensitiveStatus::numbered);
    if status.is_none() && !text.is_empty() {
        checks.fail("Status", format!("is {text:?}; known are 0 open, 1 ignored and 2 misjudged"));
    }
    status
}

fn row(file: SensitiveFile) -> SensitiveFileRow {
    let SensitiveFile { id, found, asset, status, first_time, latest_time } = file;
    SensitiveFileRow {
        file_path: found.path,
        first_scan_time: first_time.as_millisecond(),
        id,
        instance_name: asset.instance_name,
        internet_ip: asset.internet_ip,
        intranet_ip: asset.intranet_ip,
        last_scan_time: latest_time.as_millisecond(),
        md5: found.md5,
        prompt: found.prompt,
        risk_level: found.risk_level.word().to_owned(),
        sensitive_file_key: found.rule_key,
        status: status as i32,
        target_name: asset.target_name,
        uuid: asset.instance_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number() {
        for (text, expected) in [
            ("", Ok(None)),
            ("0", Ok(Some(SensitiveStatus::Open))),
            ("2", Ok(Some(SensitiveStatus::Misjudged))),
            ("3", Err("Status")),
            ("open", Err("Status")),
        ] {
            let mut checks = Checks::default();
            let read = status(&mut checks, text);
            let read = checks.finish().map(|()| read);
            let wrong = |status: Status| status.violations()[0].field.clone();
            assert_eq!(read.map_err(wrong), expected.map_err(str::to_owned), "{text:?}");
        }
    }
}
