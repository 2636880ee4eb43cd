//! Rules as they are typed.

use std::path::Path;

use anyhow::Context as _;
use guardhouse_contract::{json, management::MembershipRule};

use super::input;

/// Reads a rule: JSON, or the file that holds it (`-`: standard input).
///
/// # Errors
/// The file cannot be read, or what it holds is no rule.
pub fn read(text: &str) -> anyhow::Result<MembershipRule> {
    let document = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        let file = Path::new(text);
        input::read(file).with_context(|| format!("the rule cannot be read from {}", input::name(file)))?
    };
    let value = serde_json::from_str(&document).context("the rule is not valid JSON")?;
    json::from_value(&value).context("the rule is wrong")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn rules_are_typed_or_in_a_file() {
        let typed = r#" {"condition": {"attribute": "IS_MUTED", "operator": "EQUALS", "value": "true"}}"#;
        let read_typed = read(typed).expect("is a rule");
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), typed).expect("writes");
        assert_eq!(read(&file.path().display().to_string()).expect("is a rule"), read_typed);
        for (text, said) in [
            ("/nowhere/at/all", "/nowhere/at/all"),
            ("{", "not valid JSON"),
            (r#"{"condition": {"attribute": "COLOUR"}}"#, "COLOUR"),
        ] {
            let error = format!("{:#}", read(text).expect_err(text));
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
