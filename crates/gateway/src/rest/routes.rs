//! Which method a verb and a path reach.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use guardhouse_contract::http::{Binding, bindings};
use http::Method;

use super::query::decode_segment;
use crate::registry::{Registry, Unary};

/// The table of all paths.
#[derive(Debug)]
pub struct Routes {
    paths: matchit::Router<Vec<Route>>,
}

/// One verb of a path.
#[derive(Debug)]
pub struct Route {
    /// The verb.
    pub verb: Method,
    /// The fields that the path binds, in its order, by their JSON names.
    pub fields: Vec<String>,
    /// Whether all other fields come from the body; otherwise from the query.
    pub has_body: bool,
    /// The method.
    pub unary: Arc<Unary>,
}

/// What a request line reaches.
#[derive(Debug)]
pub struct Found<'a> {
    /// The route.
    pub route: &'a Route,
    /// The values of its `fields`, decoded.
    pub values: Vec<String>,
}

/// Why a request line reaches nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Miss {
    /// No such path.
    Path,
    /// The path has other verbs: the value of an `Allow` header.
    Verb(String),
}

impl Routes {
    /// The table of the contract. The methods come from `registry`, which has checked that all of them are
    /// there.
    ///
    /// # Errors
    /// Two paths of the contract cannot be told apart.
    pub fn new(registry: &Registry) -> Result<Self, matchit::InsertError> {
        // Verbs of one path share an entry, however each of them names its parameters.
        let mut by_path: BTreeMap<String, Vec<Route>> = BTreeMap::new();
        for binding in bindings() {
            if let Some(unary) = registry.unary(&binding.method) {
                by_path.entry(anonymous(&binding)).or_default().push(Route {
                    verb: binding.verb.clone(),
                    fields: binding.path_fields().map(|name| json_name(&binding, name)).collect(),
                    has_body: binding.has_body,
                    unary: Arc::clone(unary),
                });
            }
        }
        let mut paths = matchit::Router::new();
        for (path, routes) in by_path {
            paths.insert(path, routes)?;
        }
        Ok(Self { paths })
    }

    /// Finds the route of a request line. The colon before a custom verb may come as `%3A`.
    ///
    /// # Errors
    /// The path is unknown, or known with other verbs only.
    pub fn find(&self, verb: &Method, path: &str) -> Result<Found<'_>, Miss> {
        let path = with_colons(path);
        let matched = self.paths.at(&path).map_err(|_| Miss::Path)?;
        // `{device_uuid}` also matches `x:paint`, which names an unknown verb, not a device.
        let values: Option<Vec<_>> = matched
            .params
            .iter()
            .map(|(_, value)| decode_segment(value).filter(|v| !v.contains([':', '/'])))
            .collect();
        let values = values.ok_or(Miss::Path)?;
        match matched.value.iter().find(|route| route.verb == *verb) {
            Some(route) => Ok(Found { route, values }),
            None => {
                let verbs: Vec<_> = matched.value.iter().map(|route| route.verb.as_str()).collect();
                Err(Miss::Verb(verbs.join(", ")))
            }
        }
    }
}

/// The template with its parameters numbered: the router takes parameters with different names for a
/// conflict.
fn anonymous(binding: &Binding) -> String {
    let mut path = binding.template.clone();
    for (index, field) in binding.path_fields().enumerate() {
        path = path.replacen(&format!("{{{field}}}"), &format!("{{{index}}}"), 1);
    }
    path
}

fn json_name(binding: &Binding, name: &str) -> String {
    let field = binding.method.input().get_field_by_name(name);
    field.map_or_else(|| name.to_owned(), |field| field.json_name().to_owned())
}

fn with_colons(path: &str) -> Cow<'_, str> {
    if path.contains('%') { path.replace("%3A", ":").replace("%3a", ":").into() } else { path.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::every_method;

    fn routes() -> Routes {
        Routes::new(&Registry::new(every_method(vec![])).expect("complete")).expect("no conflict")
    }

    fn find(verb: Method, path: &str) -> Result<(String, Vec<String>), Miss> {
        routes().find(&verb, path).map(|found| (found.route.unary.descriptor.name().to_owned(), found.values))
    }

    #[test]
    fn request_lines_reach_their_methods() {
        for (verb, path, method, values) in [
            (Method::GET, "/v1/devices", "ListDevices", vec![]),
            (Method::GET, "/v1/devices/abc", "GetDevice", vec!["abc"]),
            (Method::GET, "/v1/devices:batchGet", "BatchGetDevices", vec![]),
            (Method::GET, "/v1/devices%3AbatchGet", "BatchGetDevices", vec![]),
            (Method::POST, "/v1/devices/abc:rename", "RenameDevice", vec!["abc"]),
            (Method::POST, "/v1/devices/abc:renameDevice", "RenameDevice", vec!["abc"]),
            (Method::POST, "/v1/devices/a%20c%3amove", "MoveDevice", vec!["a c"]),
            (Method::POST, "/v1/device_tasks/abc:updateTaskTargets", "UpdateTaskTargets", vec!["abc"]),
            (Method::GET, "/v1/device_tasks/abc/runs", "ListTaskRuns", vec!["abc"]),
            (Method::DELETE, "/v1/groups/abc", "DeleteGroup", vec!["abc"]),
            (Method::GET, "/v1/device_groups/abc/devices", "ListMemberDevices", vec!["abc"]),
        ] {
            let values = values.into_iter().map(str::to_owned).collect();
            assert_eq!(find(verb, path), Ok((method.to_owned(), values)), "{path}");
        }
    }

    #[test]
    fn every_binding_is_reached() {
        let routes = routes();
        for binding in bindings() {
            let path = binding.path_fields().fold(binding.template.clone(), |path, field| {
                path.replace(&format!("{{{field}}}"), "018f-x")
            });
            let found = routes.find(&binding.verb, &path).expect("a route");
            assert_eq!(found.route.unary.descriptor, binding.method, "{path}");
            assert_eq!(found.values.len(), found.route.fields.len());
        }
    }

    #[test]
    fn unknown_paths_and_verbs_are_told_apart() {
        for path in [
            "/",
            "",
            "*",
            "/v1",
            "/v1/devices/",
            "/v1/devices/a/b",
            "/v1/devices/a:paint",
            "/v1/devices/a%3Apaint",
            "/v1/devices/a%2Fb",
            "/v1/devices/%FF",
            "/v1/devices:paint",
            "/V1/devices",
            "/v1/devices/a:rename:rename",
        ] {
            assert_eq!(find(Method::POST, path), Err(Miss::Path), "{path}");
        }
        assert_eq!(find(Method::PUT, "/v1/devices/abc"), Err(Miss::Verb("GET".to_owned())));
        assert_eq!(find(Method::HEAD, "/v1/devices"), Err(Miss::Verb("GET".to_owned())));
        assert_eq!(find(Method::GET, "/v1/devices/abc:rename"), Err(Miss::Verb("POST".to_owned())));
        assert_eq!(find(Method::PATCH, "/v1/device_tasks"), Err(Miss::Verb("GET, POST".to_owned())));
    }
}
