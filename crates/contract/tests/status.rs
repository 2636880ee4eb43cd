//! What of a status travels.

use std::time::Duration;

use guardhouse_contract::{
    Code, FieldViolation, Status,
    rpc::{self, ErrorInfo},
};
use proptest::prelude::*;
use prost::Message as _;

const CODES: [Code; 11] = [
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::Unauthenticated,
];

fn statuses() -> impl Strategy<Value = Status> {
    let reasons = prop::sample::select(&["NOT_FOUND", "NAME_TAKEN", ""][..]);
    let violations = prop::collection::vec(
        (any::<String>(), any::<String>())
            .prop_map(|(field, description)| FieldViolation::new(field, description)),
        1..4,
    );
    // As far as google.protobuf.Duration reaches.
    let waits = (0..315_576_000_000_u64, 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| Duration::new(seconds, nanos));
    let plain = (prop::sample::select(&CODES[..]), reasons, any::<String>())
        .prop_map(|(code, reason, message)| Status::new(code, reason, message));
    (prop_oneof![plain, violations.prop_map(Status::invalid_fields)], prop::option::of(waits)).prop_map(
        |(status, wait)| match wait {
            Some(wait) => status.retry_after(wait),
            None => status,
        },
    )
}

proptest! {
    #[test]
    fn the_public_half_arrives_whole(status in statuses()) {
        let bytes = status.to_proto().encode_to_vec();
        let arrived = Status::from_proto(&rpc::Status::decode(bytes.as_slice()).expect("was encoded"));
        // Every field, none of which has a public half of its own that differs.
        prop_assert_eq!(format!("{:?}", arrived.expect("a code of ours")), format!("{status:?}"));
    }
}

#[test]
fn the_cause_stays_inside() {
    let status = Status::internal("the secret of the house");
    let arrived = Status::from_proto(&status.to_proto()).expect("a code of ours");
    assert_eq!((arrived.reason(), arrived.message()), (status.reason(), status.message()));
    assert_eq!(arrived.cause(), None);
}

#[test]
fn what_others_add_is_passed_over() {
    let details = vec![prost_types::Any { type_url: "example.com/other.Detail".to_owned(), value: vec![1] }];
    let foreign = rpc::Status { code: 5, message: "gone".to_owned(), details };
    let arrived = Status::from_proto(&foreign).expect("a code of ours");
    assert_eq!((arrived.code(), arrived.reason(), arrived.message()), (Code::NotFound, "", "gone"));

    let info = ErrorInfo { reason: "WHY".to_owned(), ..ErrorInfo::default() };
    let details = vec![guardhouse_contract::status::pack(&info)];
    let unknown = rpc::Status { code: 6, message: String::new(), details };
    assert!(Status::from_proto(&unknown).is_none(), "ALREADY_EXISTS is none of ours");
}
