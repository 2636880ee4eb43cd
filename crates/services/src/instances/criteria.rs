//! What devices are asked for.

use std::net::IpAddr;

use guardhouse_contract::agentless::DescribeCloudCenterInstancesRequest;
use guardhouse_model::dynamic_groups::{Address, Folded};
use guardhouse_store::{DeviceCondition, DevicePageFilter};
use serde::Deserialize;

use super::render::{FLAG, IMPORTANCE, LINUX, SERVER, WINDOWS};
use crate::fields::Checks;

/// How many conditions a request has at most.
const MOST: usize = 100;

/// Longest value of a condition, in characters.
const LONGEST_VALUE: usize = 255;

/// A condition.
#[derive(Debug, Deserialize)]
struct Criterion {
    name: String,
    value: String,
}

/// Reads which devices are asked for.
pub fn read(checks: &mut Checks, request: &DescribeCloudCenterInstancesRequest) -> DevicePageFilter {
    let needs_all = match request.logical_exp.to_ascii_uppercase().as_str() {
        "" | "OR" => false,
        "AND" => true,
        _ => {
            checks.fail("LogicalExp", "is not known; OR and AND are");
            false
        }
    };
    let conditions = conditions(checks, &request.criteria);
    if !is_of_devices(checks, request) {
        return DevicePageFilter { conditions: vec![DeviceCondition::Never], needs_all };
    }
    DevicePageFilter { conditions, needs_all }
}

/// Whether the kind of machine that is asked for is that of devices.
fn is_of_devices(checks: &mut Checks, request: &DescribeCloudCenterInstancesRequest) -> bool {
    let has = |list: &str, one: &str| list.is_empty() || list.split(',').any(|part| part.trim() == one);
    if !request.flags.split(',').all(|part| part.trim().bytes().all(|byte| byte.is_ascii_digit())) {
        checks.fail("Flags", "must be numbers with commas between them, as 0,1");
    }
    let importance = request.importance.unwrap_or(IMPORTANCE);
    if !(0..=2).contains(&importance) {
        checks.fail("Importance", format!("is {importance}; 0, 1 and 2 are known"));
    }
    let is_server = has(&request.machine_types, SERVER);
    is_server && has(&request.flags, &FLAG.to_string()) && importance == IMPORTANCE
}

fn conditions(checks: &mut Checks, text: &str) -> Vec<DeviceCondition> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let Ok(criteria) = serde_json::from_str::<Vec<Criterion>>(text) else {
        checks.fail("Criteria", r#"must be a list of JSON, as [{"name":"internetIp","value":"192.0.2.1"}]"#);
        return Vec::new();
    };
    if criteria.len() > MOST {
        checks.fail("Criteria", format!("has {} conditions; at most {MOST} are looked at", criteria.len()));
        return Vec::new();
    }
    criteria.into_iter().filter_map(|criterion| condition(checks, criterion)).collect()
}

/// One condition; `None`: it is wrong, which is noted.
fn condition(checks: &mut Checks, Criterion { name, value }: Criterion) -> Option<DeviceCondition> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > LONGEST_VALUE {
        let why = format!("has a value for {name:?} that is empty or longer than {LONGEST_VALUE} characters");
        checks.fail("Criteria", why);
        return None;
    }
    let address = |checks: &mut Checks| {
        let read = value.parse::<IpAddr>();
        if read.is_err() {
            checks
                .fail("Criteria", format!("has the condition {name:?} with {value:?}, which is no address"));
        }
        read.ok().map(|address| address.to_canonical().to_string())
    };
    Some(match name.as_str() {
        // As an asset, a device is called by its uuid. Nobody has what is none.
        "uuid" | "instanceId" => value.parse().map_or(DeviceCondition::Never, DeviceCondition::Is),
        "instanceName" => DeviceCondition::Named(Folded::new(value)),
        "internetIp" => DeviceCondition::PublicAddress(address(checks)?),
        "intranetIp" => DeviceCondition::OwnAddress(Address::new(&address(checks)?)),
        "osName" => DeviceCondition::System(Folded::new(value)),
        "os" => match value.to_ascii_lowercase().as_str() {
            "windows" => DeviceCondition::Family(WINDOWS),
            "linux" => DeviceCondition::Family(LINUX),
            _ => DeviceCondition::Never,
        },
        _ => {
            let why = format!(
                "has the condition {name:?}; instanceId, instanceName, internetIp, intranetIp, os, osName and uuid are known"
            );
            checks.fail("Criteria", why);
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use guardhouse_model::DeviceId;
    use uuid::Uuid;

    use super::*;

    fn read(request: DescribeCloudCenterInstancesRequest) -> Option<DevicePageFilter> {
        let mut checks = Checks::default();
        let filter = super::read(&mut checks, &request);
        checks.finish().is_ok().then_some(filter)
    }

    fn criteria(text: &str) -> DescribeCloudCenterInstancesRequest {
        DescribeCloudCenterInstancesRequest { criteria: text.to_owned(), ..Default::default() }
    }

    #[test]
    fn criteria_are_conditions() {
        let device = Uuid::from_u128(7);
        for (text, expected) in [
            ("", vec![]),
            ("[]", vec![]),
            (
                r#"[{"name":"instanceName","value":" Web "}]"#,
                vec![DeviceCondition::Named(Folded::new("web"))],
            ),
            (
                r#"[{"name":"internetIp","value":"::ffff:192.0.2.1"},{"name":"intranetIp","value":"10.0.0.1"}]"#,
                vec![
                    DeviceCondition::PublicAddress("192.0.2.1".to_owned()),
                    DeviceCondition::OwnAddress(Address::new("10.0.0.1")),
                ],
            ),
            (
                r#"[{"name":"uuid","value":"00000000-0000-0000-0000-000000000007"},{"name":"uuid","value":"x"}]"#,
                vec![DeviceCondition::Is(DeviceId(device)), DeviceCondition::Never],
            ),
            (
                r#"[{"name":"os","value":"Linux"},{"name":"osName","value":"debian"},{"name":"instanceId","value":"i-1"}]"#,
                vec![
                    DeviceCondition::Family(2),
                    DeviceCondition::System(Folded::new("debian")),
                    DeviceCondition::Never,
                ],
            ),
        ] {
            assert_eq!(read(criteria(text)).map(|filter| filter.conditions), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_condition_is_refused() {
        let many = format!("[{}]", vec![r#"{"name":"os","value":"linux"}"#; 101].join(","));
        for text in [
            "x",
            "{}",
            r#"["web"]"#,
            r#"[{"name":"riskStatus","value":"YES"}]"#,
            r#"[{"name":"instanceName","value":" "}]"#,
            r#"[{"name":"instanceName","value":7}]"#,
            r#"[{"name":"internetIp","value":"10.0."}]"#,
            &many,
        ] {
            assert_eq!(read(criteria(text)), None, "{text}");
        }
    }

    #[test]
    fn devices_are_servers_of_no_cloud() {
        let is_asked_for = |change: fn(&mut DescribeCloudCenterInstancesRequest)| {
            let mut request = DescribeCloudCenterInstancesRequest::default();
            change(&mut request);
            read(request).map(|filter| filter.conditions.is_empty())
        };
        assert_eq!(is_asked_for(|request| request.machine_types = "ecs,eci".to_owned()), Some(true));
        assert_eq!(is_asked_for(|request| request.machine_types = "cloud_product".to_owned()), Some(false));
        assert_eq!(is_asked_for(|request| request.flags = "0, 1".to_owned()), Some(true));
        assert_eq!(is_asked_for(|request| request.flags = "0".to_owned()), Some(false));
        assert_eq!(is_asked_for(|request| request.flags = "OUT".to_owned()), None);
        assert_eq!(is_asked_for(|request| request.importance = Some(1)), Some(true));
        assert_eq!(is_asked_for(|request| request.importance = Some(2)), Some(false));
        assert_eq!(is_asked_for(|request| request.importance = Some(3)), None);
        assert_eq!(is_asked_for(|request| request.logical_exp = "and".to_owned()), Some(true));
        assert_eq!(is_asked_for(|request| request.logical_exp = "XOR".to_owned()), None);
    }
}
