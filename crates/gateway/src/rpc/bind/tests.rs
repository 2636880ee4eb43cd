use guardhouse_contract::descriptors;
use proptest::prelude::*;
use serde_json::json as object;

use super::*;
use crate::fuzzing;

/// Binds a query to a message of the contract; the fields with these names are required.
fn bound(message: &str, required: &[&str], query: &str) -> Result<Json, Refusal> {
    let input = descriptors::pool().get_message_by_name(message).expect("is part of the contract");
    let field = |name: &&str| input.get_field_by_json_name(name).expect("is a field");
    let required: Vec<_> = required.iter().map(field).collect();
    let parameters = Parameters::read(Some(query), b"")?;
    let message = bind(&input, &required, &parameters)?;
    let json = json::write_with_numbers(&message).expect("JSON");
    Ok(serde_json::from_slice(&json).expect("JSON"))
}

const LIST: &str = "eset.connect.device_management.v1.ListDevicesRequest";
const TASK: &str = "eset.connect.automation.v1.CreateTaskRequest";
const RESULT: &str = "guardhouse.action.v1.RunCommandResult";
const PROFILES: &str = "guardhouse.policy.v1.ScanProfileList";

#[test]
fn lists_come_part_by_part_or_as_json() {
    for query in [
        "displayNames.1=a&displayNames.2=b+c",
        "displayNames.2=b+c&displayNames.1=a",
        "displayNames.7=a&displayNames.10=b+c",
        "displayNames=%5B%22a%22%2C+%22b+c%22%5D",
    ] {
        let message = bound(LIST, &[], query).unwrap_or_else(|refusal| panic!("{query}: {refusal:?}"));
        assert_eq!(message["displayNames"], object!(["a", "b c"]), "{query}");
    }
    assert_eq!(bound(LIST, &[], "displayNames=[]").expect("good")["displayNames"], object!([]));
    assert_eq!(bound(LIST, &[], "RegionId=x&a.b.c=d&.=1").expect("ignored")["displayNames"], object!([]));
}

#[test]
fn messages_nest() {
    let query = "task.targets.devicesUuids.1=0193a1b2-0000-7000-8000-000000000001&task.displayName=a\
        &task.triggers.1.manual.expireTime=2024-03-14T08:00:00Z&task.description=";
    let parts = bound(TASK, &[], query).expect("good");
    assert_eq!(parts["task"]["displayName"], "a");
    assert_eq!(parts["task"]["targets"]["devicesUuids"], object!(["0193a1b2-0000-7000-8000-000000000001"]));
    assert_eq!(parts["task"]["triggers"][0]["manual"]["expireTime"], "2024-03-14T08:00:00Z");
    let refusal = bound(TASK, &[], "task=a").expect_err("no object");
    assert_eq!(refusal.message(), "task: must be an object, not \"a\"");
    let json = "task=%7B%22displayName%22%3A%22a%22%7D";
    assert_eq!(bound(TASK, &[], json).expect("good")["task"]["displayName"], "a");
}

#[test]
fn values_have_the_types_of_their_fields() {
    for (text, value) in [("True", true), ("true", true), ("1", true), ("FALSE", false), ("0", false)] {
        let message = bound(LIST, &[], &format!("isMuted={text}")).expect(text);
        assert_eq!(message["isMuted"], value, "{text}");
    }
    for (query, code, named) in [
        ("isMuted=yes", "InvalidisMuted", "true or false"),
        ("isMuted=", "InvalidisMuted", "true or false"),
        ("pageSize=x", "InvalidpageSize", "integer"),
        ("pageSize=4294967296", "InvalidpageSize", "4294967295"),
        ("pageSize=-1", "InvalidpageSize", "from 0"),
        ("pageSize.1=1", "InvalidpageSize", "pageSize.1 is given"),
        ("displayNames=a", "InvaliddisplayNames", "displayNames.1"),
        ("displayNames=%7B%7D", "InvaliddisplayNames", "list"),
        ("displayNames=[1]", "InvaliddisplayNames", "displayNames.1"),
        ("displayNames.0=a", "InvaliddisplayNames", "number from 1"),
        ("displayNames.x=a", "InvaliddisplayNames", "number from 1"),
        ("displayNames.99999999999=a", "InvaliddisplayNames", "number from 1"),
        ("displayNames.1=a&displayNames.01=b", "InvaliddisplayNames", "twice"),
        ("displayNames.1=a&displayNames=[]", "InvaliddisplayNames", "as a whole"),
        ("displayNames.1.x=a", "InvaliddisplayNames", "single value"),
    ] {
        let refusal = bound(LIST, &[], query).expect_err(query);
        assert_eq!(refusal.code(), code, "{query}: {}", refusal.message());
        assert!(refusal.message().contains(named), "{query}: {}", refusal.message());
    }
    for (number, good) in
        [("2147483647", true), ("2147483648", false), ("-2147483648", true), ("-2147483649", false)]
    {
        let result = bound(RESULT, &[], &format!("exitCode={number}"));
        assert_eq!(result.is_ok(), good, "{number}: {result:?}");
    }
    let deep = format!("displayNames{}=a", ".1".repeat(100));
    assert!(bound(LIST, &[], &deep).expect_err("too deep").message().contains("too deep"));
}

#[test]
fn wide_integers_keep_every_digit() {
    for (text, value) in [("9007199254740993", 9_007_199_254_740_993_u64), ("18446744073709551615", u64::MAX)]
    {
        let query = format!("values.1.targets.1=a&values.1.largestFileBytes={text}");
        let message = bound(PROFILES, &[], &query).expect(text);
        assert_eq!(message["values"][0]["largestFileBytes"], object!(value));
    }
    let query = "values.2.largestFileBytes=18446744073709551616";
    let refusal = bound(PROFILES, &[], query).expect_err("beyond");
    assert_eq!(refusal.code(), "Invalidvalues");
    assert!(refusal.message().starts_with("values.1.largestFileBytes: must be"), "{refusal:?}");
}

#[test]
fn what_is_required_has_to_be_there() {
    let refusal = bound(LIST, &["pageToken", "pageSize"], "pageToken=").expect_err("no pageSize");
    assert_eq!(refusal.code(), "MissingpageSize");
    bound(LIST, &["displayNames"], "displayNames.1=a").expect("a list is there by its parts");
    let refusal = bound(LIST, &["displayNames"], "pageSize=1").expect_err("no list");
    assert_eq!(refusal.message(), "displayNames is mandatory for this action.");
}

proptest! {
    #[test]
    fn whatever_comes_is_bound_or_refused(query in "\\PC{0,80}", form in any::<Vec<u8>>(), authorization in "\\PC{0,60}") {
        fuzzing::parameters(&query, &form, authorization.as_bytes());
    }

    #[test]
    fn names_like_those_of_the_contract_are_bound_or_refused(
        names in prop::collection::vec(
            "(task|displayNames|pageSize|isMuted|policy|targets)((\\.(task|targets|triggers|[0-9]{1,3}|manual|features|)){0,5})",
            0..8,
        ),
        value in "(\\[|\\{|\"|1|true|a|,|:|\\]|\\}){0,9}",
    ) {
        let query = names.iter().map(|name| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        fuzzing::parameters(&query, b"", b"ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=00");
    }
}
