//! Errors as people read them.

use std::fmt::Write as _;

use crate::{client::Refusal, output::printable};

/// Prints an error to standard error: what went wrong, each wrong field on a line of its own, how the server
/// knows the request, and what to do about it where that is known.
pub fn report(error: &anyhow::Error) {
    eprint!("{}", describe(error));
}

fn describe(error: &anyhow::Error) -> String {
    let mut text = printable(&format!("error: {error:#}\n"));
    let Some(refusal) = error.downcast_ref::<Refusal>() else { return text };
    for wrong in &refusal.violations {
        let line = format!("{}: {}", wrong.field, wrong.description);
        // The message of a refusal with one wrong field is that field.
        if line != refusal.message {
            let _ = writeln!(text, "  {}", printable(&line));
        }
    }
    let _ = write!(text, "  HTTP {}", refusal.http);
    for (name, value) in [("reason", &refusal.reason), ("request-id", &refusal.request_id)] {
        if !value.is_empty() {
            let _ = write!(text, ", {name} {}", printable(value));
        }
    }
    text.push('\n');
    if let Some(hint) = hint(refusal) {
        let _ = writeln!(text, "  {hint}");
    }
    text
}

fn hint(refusal: &Refusal) -> Option<&'static str> {
    match (refusal.http, refusal.reason.as_str()) {
        (401, _) => Some("sign in again with guardhouse login, or check GUARDHOUSE_TOKEN"),
        (400, "invalid_grant") => Some("sign in with guardhouse login, or check user name and password"),
        (403, _) => Some("sign in as an account that may do this; guardhouse user add --access decides"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use guardhouse_contract::FieldViolation;

    use super::*;

    fn refusal(http: u16, message: &str, reason: &str, violations: &[(&str, &str)]) -> anyhow::Error {
        let violations =
            violations.iter().map(|(field, description)| FieldViolation::new(*field, *description));
        let refusal = Refusal {
            http,
            message: message.to_owned(),
            reason: reason.to_owned(),
            violations: violations.collect(),
            request_id: "0193".to_owned(),
        };
        refusal.into()
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_to_do() {
        let table = [
            (anyhow!("no such file").context("cannot read x"), "error: cannot read x: no such file\n"),
            (
                refusal(400, "a: is empty", "INVALID_ARGUMENT", &[("a", "is empty")]),
                "error: a: is empty\n  HTTP 400, reason INVALID_ARGUMENT, request-id 0193\n",
            ),
            (
                refusal(
                    400,
                    "a: is empty (and 1 more)",
                    "INVALID_ARGUMENT",
                    &[("a", "is empty"), ("b", "is \u{7}")],
                )
                .context("cannot create the task"),
                "error: cannot create the task: a: is empty (and 1 more)\n  a: is empty\n  b: is \\u{7}\n  \
                 HTTP 400, reason INVALID_ARGUMENT, request-id 0193\n",
            ),
            (
                refusal(403, "may only read", "ACCESS_NOT_GRANTED", &[]),
                "error: may only read\n  HTTP 403, reason ACCESS_NOT_GRANTED, request-id 0193\n  \
                 sign in as an account that may do this; guardhouse user add --access decides\n",
            ),
            (
                refusal(401, "expired", "", &[]),
                "error: expired\n  HTTP 401, request-id 0193\n  \
                 sign in again with guardhouse login, or check GUARDHOUSE_TOKEN\n",
            ),
        ];
        for (error, expected) in table {
            assert_eq!(describe(&error), expected);
        }
    }
}
