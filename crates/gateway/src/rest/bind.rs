//! Makes the request message of a method out of path, query and body.

use guardhouse_contract::{Status, json};
use prost_reflect::DynamicMessage;

use super::{query, routes::Found};

/// Binds a request. Fields of the path win over the body; query names that the method does not know are
/// ignored, as are all of them where the fields come from the body. A body is read as JSON whatever its
/// content type says: many scripts send none, or that of a form.
///
/// # Errors
/// A value that its field cannot take, with every such field named; a body that is not JSON.
pub fn bind(found: &Found<'_>, query: Option<&str>, body: &[u8]) -> Result<DynamicMessage, Status> {
    let input = found.route.unary.descriptor.input();
    let mut violations = Vec::new();
    let mut message = if found.route.has_body {
        json::read(input, body)?
    } else {
        let mut message = DynamicMessage::new(input);
        for parameter in query::parse(query.unwrap_or_default())? {
            let values: Vec<_> = parameter.values.iter().map(String::as_str).collect();
            let set = json::set_from_text(&mut message, &parameter.name, &values);
            violations.extend(set.err().into_iter().flatten());
        }
        message
    };
    for (field, value) in found.route.fields.iter().zip(&found.values) {
        let set = json::set_from_text(&mut message, field, &[value]);
        violations.extend(set.err().into_iter().flatten());
    }
    if violations.is_empty() { Ok(message) } else { Err(Status::invalid_fields(violations)) }
}

#[cfg(test)]
mod tests;
