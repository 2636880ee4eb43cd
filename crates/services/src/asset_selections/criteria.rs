//! Conditions on assets.

use guardhouse_store::AgentlessAssetFilter;
use serde::Deserialize;

use crate::fields::Checks;

/// Longest value of a condition, in characters.
const LONGEST_VALUE: usize = 255;

/// A condition.
#[derive(Debug, Deserialize)]
struct Condition {
    name: String,
    value: String,
}

/// Reads conditions that all have to hold; `None`: there are none.
pub fn read(checks: &mut Checks, text: &str) -> Option<AgentlessAssetFilter> {
    if text.is_empty() {
        return None;
    }
    let Ok(conditions) = serde_json::from_str::<Vec<Condition>>(text) else {
        checks.fail("Criteria", r#"must be a list of JSON, as [{"name":"instanceName","value":"web"}]"#);
        return None;
    };
    if conditions.is_empty() {
        checks.fail("Criteria", "is an empty list; leave it out, or say which assets are meant");
    }
    let mut filter = AgentlessAssetFilter::default();
    for Condition { name, value } in conditions {
        if value.is_empty() || value.chars().count() > LONGEST_VALUE || value.contains('\0') {
            let why =
                format!("has a value for {name:?} that is empty or longer than {LONGEST_VALUE} characters");
            checks.fail("Criteria", why);
        }
        let is_new = match name.as_str() {
            "instanceId" => filter.ids.replace(vec![value]).is_none(),
            "instanceName" => std::mem::replace(&mut filter.name, value).is_empty(),
            "platform" => std::mem::replace(&mut filter.platform, value).is_empty(),
            _ => {
                let why =
                    format!("has the condition {name:?}; instanceId, instanceName and platform are known");
                checks.fail("Criteria", why);
                true
            }
        };
        if !is_new {
            checks.fail("Criteria", format!("has the condition {name:?} twice"));
        }
    }
    Some(filter)
}

/// Reads which system the assets of a selection are to be of, as the store keeps it.
pub fn platform(checks: &mut Checks, field: &str, text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if text.len() > LONGEST_VALUE || !is_plain {
        checks.fail(field, "is no system; all, linux, windows, and names as Debian are");
    }
    if text.is_empty() { "all".to_owned() } else { text.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Option<AgentlessAssetFilter>> {
        let mut checks = Checks::default();
        let read = super::read(&mut checks, text);
        checks.finish().is_ok().then_some(read)
    }

    #[test]
    fn conditions_become_a_filter() {
        assert_eq!(read(""), Some(None));
        let text = r#"[{"name":"instanceName","value":"web"},{"name":"platform","value":"Debian"},
            {"name":"instanceId","value":"m-1"}]"#;
        let filter = AgentlessAssetFilter {
            ids: Some(vec!["m-1".to_owned()]),
            target_type: None,
            without_devices: false,
            name: "web".to_owned(),
            platform: "Debian".to_owned(),
        };
        assert_eq!(read(text), Some(Some(filter)));
        for wrong in [
            "x",
            "{}",
            "[]",
            r#"[{"name":"riskStatus","value":"YES"}]"#,
            r#"[{"name":"instanceName","value":""}]"#,
            r#"[{"name":"instanceName","value":7}]"#,
            r#"[{"name":"platform","value":"a"},{"name":"platform","value":"b"}]"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_platform_is_kept_in_lower_case() {
        let read = |text| {
            let mut checks = Checks::default();
            let read = platform(&mut checks, "Platform", text);
            checks.finish().is_ok().then_some(read)
        };
        assert_eq!(read("").as_deref(), Some("all"));
        assert_eq!(read("Debian").as_deref(), Some("debian"));
        assert_eq!(read("a\nb"), None);
    }
}
