use guardhouse_test_images::seeds::keep;
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json as object};

use super::*;
use crate::{registry::Registry, rest::routes::Routes, testing::every_method};

const DEVICE: &str = "0193a1b2-0000-7000-8000-000000000001";
const OTHER: &str = "0193a1b2-0000-7000-8000-000000000002";

fn routes() -> Routes {
    Routes::new(&Registry::new(every_method(vec![])).expect("complete")).expect("no conflict")
}

fn bound(verb: Method, path: &str, query: &str, body: &str) -> Result<Value, Status> {
    let routes = routes();
    let found = routes.find(&verb, path).expect("a route");
    let message = bind(&found, Some(query), body.as_bytes())?;
    Ok(serde_json::from_slice(&json::write(&message).expect("canonical")).expect("JSON"))
}

#[test]
fn queries_bind_in_both_spellings() {
    for query in
        ["pageSize=7&pageToken=t", "page_size=7&page_token=t", "page_size=7&pageToken=t&no_such=1&x.y=2"]
    {
        let message = bound(Method::GET, "/v1/devices", query, "").expect("valid");
        assert_eq!(message["pageSize"], 7, "{query}");
        assert_eq!(message["pageToken"], "t", "{query}");
    }
}

#[test]
fn queries_repeat() {
    let query = format!("devicesUuids={DEVICE}&devicesUuids={OTHER}");
    let message = bound(Method::GET, "/v1/devices:batchGet", &query, "").expect("valid");
    assert_eq!(message["devicesUuids"], object!([DEVICE, OTHER]));
}

#[test]
fn a_path_wins_over_the_body() {
    let path = format!("/v1/devices/{DEVICE}:rename");
    let body = object!({"deviceUuid": OTHER, "displayName": "desk"}).to_string();
    let message = bound(Method::POST, &path, "displayName=ignored", &body).expect("valid");
    assert_eq!(message["deviceUuid"], DEVICE);
    assert_eq!(message["displayName"], "desk");
}

#[test]
fn wrong_values_name_their_fields() {
    let status = bound(Method::GET, "/v1/device_groups/42/devices", "pageSize=x&recurseSubgroups=y", "")
        .expect_err("three wrong values");
    let fields: Vec<_> = status.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["pageSize", "recurseSubgroups", "groupUuid"]);

    let status =
        bound(Method::POST, "/v1/groups", "", r#"{"group": {"displayName": 7}}"#).expect_err("not text");
    assert_eq!(status.violations()[0].field, "group.displayName");
}

#[test]
fn a_body_that_is_not_json_is_refused() {
    for body in ["", " ", "{", "[]", "null", "\u{1F512}", "{}{}"] {
        assert_eq!(bound(Method::POST, "/v1/groups", "", body).expect_err(body).http(), 400, "{body}");
    }
}

/// Paths that look like those of the contract, so that most of them reach a method.
#[test]
fn seeds_are_bound() {
    let rename = format!("/v1/devices/{DEVICE}:rename");
    let run = r#"{"task":{"action":{"@type":"type.googleapis.com/guardhouse.action.v1.RunCommand","command":"true"}}}"#;
    let requests = [
        ("list", Method::GET, "/v1/devices", "pageSize=7&page_token=t".to_owned(), ""),
        (
            "get",
            Method::GET,
            "/v1/devices:batchGet",
            format!("devicesUuids={DEVICE}&devicesUuids={OTHER}"),
            "",
        ),
        ("rename", Method::POST, &rename, String::new(), r#"{"displayName": "desk"}"#),
        ("group", Method::POST, "/v1/groups", String::new(), r#"{"group": {"displayName": "g"}}"#),
        ("task", Method::POST, "/v1/device_tasks", String::new(), run),
    ];
    for (name, verb, path, query, body) in requests {
        let request = format!("{verb}\n{path}\n{query}\n{body}");
        if name != "task" {
            bound(verb.clone(), path, &query, body).expect(name);
        }
        crate::fuzzing::transcode(&verb, path, &query, body.as_bytes());
        keep("transcoder", name, request.as_bytes());
    }
}

fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        Just("v1"),
        Just("v2"),
        Just("devices"),
        Just("device_tasks"),
        Just("device_groups"),
        Just("groups"),
        Just("policies"),
        Just("runs"),
        Just(DEVICE),
        Just(":rename"),
        Just("%3Amove"),
        Just("devices:batchGet"),
        Just("%2F"),
        Just("%"),
        Just("%FF"),
        Just(""),
        Just("{0}"),
        Just("é"),
    ];
    prop_oneof![
        prop::collection::vec(segment, 0..6).prop_map(|segments| format!("/{}", segments.join("/"))),
        Just(format!("/v1/devices/{DEVICE}:rename")),
        Just("/v1/devices:batchImport".to_owned()),
        Just("/v1/device_tasks".to_owned()),
        Just("/v1/device_groups/x/devices".to_owned()),
        "/v1/devices/.*",
        ".*",
    ]
}

fn queries() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![Just("pageSize"), Just("page_size"), Just("filter"), Just("a.b"), Just("devicesUuids")];
    let pair = (name, "(=[0-9%+&a-zA-Z.-]{0,9})?").prop_map(|(name, value)| format!("{name}{value}"));
    prop_oneof![".*", prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![Just("task"), Just("action"), Just("@type"), Just("devices"), Just("group")];
    let value =
        prop_oneof![Just("7"), Just("null"), Just("\"x\""), Just("[]"), Just("{}"), Just("[{\"uuid\":1}]")];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (name, value).prop_map(|(name, value)| format!("{{\"{name}\":{value}}}").into_bytes()),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_bound_or_refused(
        verb in prop_oneof![Just(Method::GET), Just(Method::POST), Just(Method::DELETE), Just(Method::PUT)],
        path in paths(),
        query in queries(),
        body in bodies(),
    ) {
        crate::fuzzing::transcode(&verb, &path, &query, &body);
    }
}
