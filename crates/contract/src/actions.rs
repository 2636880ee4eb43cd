//! The methods that are spoken RPC style: which action of which version reaches which of them.

use prost_reflect::{FieldDescriptor, MethodDescriptor};

use crate::descriptors;

/// The field of every answer that the gateway fills in, by its JSON name.
pub const REQUEST_ID: &str = "RequestId";

/// A method by its action.
#[derive(Debug, Clone)]
pub struct Action {
    /// The version of its service, for example `2018-12-03`.
    pub version: String,
    /// The method; its name is that of the action.
    pub method: MethodDescriptor,
    /// The fields that a request must have.
    pub required: Vec<FieldDescriptor>,
}

/// Every action of the contract, in the order of its files, services and methods.
#[must_use]
pub fn actions() -> Vec<Action> {
    let mut actions = Vec::new();
    for service in descriptors::pool().services() {
        let Some(version) = descriptors::rpc_version(&service) else { continue };
        actions.extend(service.methods().map(|method| Action {
            version: version.clone(),
            required: method.input().fields().filter(descriptors::is_required).collect(),
            method,
        }));
    }
    actions
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use prost_reflect::Kind;

    use super::*;

    #[test]
    fn no_two_methods_of_a_version_share_an_action() {
        let mut seen = HashSet::new();
        for action in actions() {
            assert!(seen.insert((action.version.clone(), action.method.name().to_owned())), "{action:?}");
        }
        assert!(seen.contains(&("2018-12-03".to_owned(), "ListAgentlessRegion".to_owned())));
    }

    #[test]
    fn every_answer_has_a_place_for_the_id_of_its_request() {
        for Action { method, .. } in actions() {
            let field = method.output().get_field_by_json_name(REQUEST_ID);
            assert_eq!(field.map(|field| field.kind()), Some(Kind::String), "{}", method.full_name());
        }
    }

    /// Clients know the names of that API, and no others.
    #[test]
    fn names_are_those_of_the_public_api() {
        for Action { method, .. } in actions() {
            for field in method.input().fields().chain(method.output().fields()) {
                let first = field.json_name().chars().next();
                assert!(first.is_some_and(char::is_uppercase), "{}", field.full_name());
            }
        }
    }
}
