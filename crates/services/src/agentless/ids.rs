//! Ids as the public API has them.

use uuid::Uuid;

use crate::fields::Checks;

/// Reads the id of a task or a subtask, with hyphens or without.
pub fn task(checks: &mut Checks, field: impl Into<String>, text: &str) -> Option<Uuid> {
    let read = read(text);
    if read.is_none() {
        checks.fail(
            field,
            "is no id of a task: 32 hexadecimal digits are needed, as ListAgentlessTask shows them",
        );
    }
    read
}

/// The same; `None`: no task is called so.
pub fn read(text: &str) -> Option<Uuid> {
    // Braces and urn: are no ids of that API.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_plain.then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_hyphens_or_not() {
        let id = Uuid::from_u128(0x5347_c7b6_c85c_4070_846a_3029_e08e_0001);
        for text in [
            "5347c7b6c85c4070846a3029e08e0001",
            "5347c7b6-c85c-4070-846a-3029e08e0001",
            "5347C7B6-C85C-4070-846A-3029E08E0001",
        ] {
            assert_eq!(read(text), Some(id), "{text}");
        }
        for text in
            ["", "1538****", "{5347c7b6-c85c-4070-846a-3029e08e0001}", "5347c7b6c85c4070846a3029e08e000"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
