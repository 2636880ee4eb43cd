//! How the methods of the contract are reached over HTTP, from their `google.api.http` options.

use ::http::Method;
use prost_reflect::MethodDescriptor;

use crate::{
    descriptors,
    pb::google::api::{HttpRule, http_rule::Pattern},
};

/// One verb and path that reaches a method.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The HTTP verb.
    pub verb: Method,
    /// The path, where `{name}` binds a field of the request by its name in the `.proto` file, for example
    /// `/v1/devices/{device_uuid}:rename`.
    pub template: String,
    /// The method.
    pub method: MethodDescriptor,
    /// Whether the fields that the path does not bind come from the body; otherwise they come from the query.
    pub has_body: bool,
    /// Whether the binding is part of the OpenAPI document. A second spelling of a call is served only.
    pub published: bool,
}

impl Binding {
    /// The fields that the path binds, in its order, by their names in the `.proto` file.
    pub fn path_fields(&self) -> impl Iterator<Item = &str> {
        self.template.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }
}

/// Every binding of the contract, in the order of its files, services and methods. A method without an option
/// (the agent link) has none.
#[must_use]
pub fn bindings() -> Vec<Binding> {
    let option = descriptors::extension("google.api.http");
    let mut bindings = Vec::new();
    for method in descriptors::pool().services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = method.options();
        let Some(rule) = options.has_extension(&option).then(|| options.get_extension(&option)) else {
            continue;
        };
        let rule = rule.as_message().and_then(|rule| rule.transcode_to::<HttpRule>().ok());
        let rule = rule.expect("google.api.http is an HttpRule");
        bindings.push(binding(&method, &rule, true));
        bindings.extend(rule.additional_bindings.iter().map(|rule| binding(&method, rule, false)));
    }
    bindings
}

fn binding(method: &MethodDescriptor, rule: &HttpRule, published: bool) -> Binding {
    let (verb, template) = match rule.pattern.as_ref().expect("a rule has a pattern") {
        Pattern::Get(template) => (Method::GET, template),
        Pattern::Put(template) => (Method::PUT, template),
        Pattern::Post(template) => (Method::POST, template),
        Pattern::Delete(template) => (Method::DELETE, template),
        Pattern::Patch(template) => (Method::PATCH, template),
    };
    let has_body = rule.body == "*";
    Binding { verb, template: template.clone(), method: method.clone(), has_body, published }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_published_method_is_bound_once() {
        let bindings = bindings();
        let published = |package: &str| {
            let of_package = |binding: &&Binding| {
                binding.published && binding.method.parent_service().package_name() == package
            };
            bindings.iter().filter(of_package).count()
        };
        assert_eq!(published("eset.connect.automation.v1"), 7);
        assert_eq!(published("eset.connect.device_management.v1"), 8);
        assert_eq!(published("eset.connect.asset_management.v1"), 4);
        assert_eq!(published("eset.connect.policy_management.v2"), 9);
        assert_eq!(published("guardhouse.management.v1"), 17);
        assert_eq!(published("guardhouse.agentless.v1"), 26);
        assert_eq!(bindings.iter().filter(|binding| binding.published).count(), 71);
    }

    #[test]
    fn no_two_bindings_share_verb_and_path() {
        let mut seen = HashSet::new();
        for binding in bindings() {
            assert!(seen.insert((binding.verb.clone(), binding.template.clone())), "{binding:?}");
        }
    }

    #[test]
    fn every_path_field_exists_in_the_request() {
        for binding in bindings() {
            for name in binding.path_fields() {
                let field = binding.method.input().get_field_by_name(name);
                assert!(field.is_some(), "{} binds {name}", binding.template);
            }
        }
    }

    /// The gateway knows a body of all fields or none, as the public API does.
    #[test]
    fn a_body_is_everything_or_nothing() {
        let option = descriptors::extension("google.api.http");
        for binding in bindings() {
            let rule = binding.method.options().get_extension(&option).into_owned();
            let rule = rule.as_message().expect("a rule").transcode_to::<HttpRule>().expect("a rule");
            let rules = [&rule].into_iter().chain(&rule.additional_bindings);
            assert!(rules.into_iter().all(|rule| rule.body.is_empty() || rule.body == "*"), "{rule:?}");
        }
    }

    #[test]
    fn second_spellings_are_served_but_not_published() {
        let bindings = bindings();
        let hidden: Vec<_> = bindings.iter().filter(|binding| !binding.published).collect();
        assert_eq!(hidden.len(), 1);
        assert_eq!(hidden[0].template, "/v1/devices/{device_uuid}:renameDevice");
        assert_eq!(hidden[0].path_fields().collect::<Vec<_>>(), ["device_uuid"]);
    }
}
