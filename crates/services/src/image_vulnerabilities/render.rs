//! Vulnerabilities as the public API shows them.

use guardhouse_contract::agentless::{GroupedVulItem, VulExtendContent, VulPackage, VulRecord};
use guardhouse_model::agentless::vulnerabilities::target_word;
use guardhouse_store::{AgentlessVulnerability, NewVulnerability, VulnerabilityGroup};

use crate::numbered_pages::count;

/// `Status` of a row: not fixed. What is fixed is not found any more.
const NOT_FIXED: i32 = 1;

/// A row of a list.
pub fn record(vulnerability: AgentlessVulnerability) -> VulRecord {
    let AgentlessVulnerability { id, found, first_time, scan_time, asset, .. } = vulnerability;
    let scan_time = scan_time.as_millisecond();
    let package = package(&found);
    VulRecord {
        primary_id: id,
        r#type: found.kind.word().to_owned(),
        name: found.name,
        alias_name: found.alias,
        related: found.related,
        necessity: found.necessity.word().to_owned(),
        status: NOT_FIXED,
        can_fix: yes_or_no(!found.fixed.is_empty()),
        first_ts: first_time.as_millisecond(),
        last_ts: scan_time,
        modify_ts: scan_time,
        scan_time,
        uuid: asset.instance_id.clone(),
        target_id: asset.instance_id,
        target_name: asset.target_name,
        target_type: target_word(asset.target_type).to_owned(),
        instance_name: asset.instance_name,
        internet_ip: asset.internet_ip,
        intranet_ip: asset.intranet_ip,
        malicious_source: "agentless".to_owned(),
        extend_content_json: Some(VulExtendContent {
            os: found.os,
            os_release: found.os_release,
            rpm_entity_list: vec![package],
        }),
        ..VulRecord::default()
    }
}

fn package(found: &NewVulnerability) -> VulPackage {
    let why = if found.fixed.is_empty() {
        format!("{} {} is vulnerable, and no version is fixed", found.package, found.version)
    } else {
        format!("{} version less than {}", found.package, found.fixed)
    };
    VulPackage {
        name: found.package.clone(),
        version: found.version.clone(),
        full_version: found.version.clone(),
        path: found.path.clone(),
        match_detail: why.clone(),
        match_list: vec![why],
        update_cmd: update_command(found),
        layer: String::new(),
    }
}

/// The command that updates a package of a system. Names come out of images that an attacker may have made, and people paste
/// commands into a shell: what is more than a name gets none.
fn update_command(found: &NewVulnerability) -> String {
    let name = &found.package;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte))
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if found.fixed.is_empty() || !is_plain {
        return String::new();
    }
    let is_suse = found.os.starts_with("sle") || found.os.starts_with("opensuse");
    match found.package_kind.as_str() {
        "deb" => format!("apt-get update && apt-get install --only-upgrade {name}"),
        "rpm" if is_suse => format!("zypper update {name}"),
        "rpm" => format!("yum update {name}"),
        "apk" => format!("apk update && apk add --upgrade {name}"),
        _ => String::new(),
    }
}

/// A row of a list of groups.
pub fn group(group: VulnerabilityGroup) -> GroupedVulItem {
    let [asap, later, nntf] = group.counts.map(|number| count(number.into()));
    GroupedVulItem {
        r#type: group.kind.word().to_owned(),
        name: group.name,
        alias_name: group.alias,
        related: group.related,
        asap_count: asap,
        later_count: later,
        nntf_count: nntf,
        cve_score: group.score.map_or_else(String::new, |tenths| format!("{}.{}", tenths / 10, tenths % 10)),
        can_fix: yes_or_no(group.is_fixable),
        agentless_can_fix: "false".to_owned(),
        status: 0,
        gmt_last: group.first_time.as_millisecond(),
        last_scan_time: group.scan_time.as_millisecond(),
        rule_tag: String::new(),
        tags: String::new(),
    }
}

fn yes_or_no(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use guardhouse_model::agentless::{Necessity, VulnerabilityKind};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn commands_are_for_packages_of_systems_with_plain_names() {
        let table = [
            ("deb", "debian", "libssl3", "2", "apt-get update && apt-get install --only-upgrade libssl3"),
            ("rpm", "centos", "libstdc++", "2", "yum update libstdc++"),
            ("rpm", "opensuse-leap", "curl", "2", "zypper update curl"),
            ("rpm", "sles", "curl", "2", "zypper update curl"),
            ("apk", "alpine", "busybox", "2", "apk update && apk add --upgrade busybox"),
            ("npm", "debian", "lodash", "2", ""),
            ("deb", "debian", "libssl3", "", ""),
            ("deb", "debian", "a; rm -rf /", "2", ""),
            ("deb", "debian", "--yes", "2", ""),
            ("deb", "debian", "", "2", ""),
        ];
        for (kind, os, package, fixed, command) in table {
            let found = NewVulnerability {
                finding: Uuid::nil(),
                kind: VulnerabilityKind::Cve,
                name: "CVE-2024-1".to_owned(),
                alias: String::new(),
                related: String::new(),
                necessity: Necessity::Asap,
                score: None,
                package: package.to_owned(),
                package_kind: kind.to_owned(),
                version: "1".to_owned(),
                fixed: fixed.to_owned(),
                path: String::new(),
                os: os.to_owned(),
                os_release: String::new(),
            };
            assert_eq!(update_command(&found), command, "{package}");
        }
    }
}
