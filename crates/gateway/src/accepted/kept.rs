//! An answer as it lies in the store: protobuf, so that replicas of different versions can read it.

use bytes::Bytes;
use guardhouse_contract::{Status, rpc};
use prost::{Message, Oneof};

use crate::call::Answer;

#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(oneof = "End", tags = "1, 2")]
    end: Option<End>,
    /// The HTTP status of a failure: it is not always that of the code.
    #[prost(uint32, tag = "3")]
    http: u32,
}

#[derive(Clone, PartialEq, Oneof)]
enum End {
    #[prost(bytes = "bytes", tag = "1")]
    Response(Bytes),
    #[prost(message, tag = "2")]
    Failure(rpc::Status),
}

/// Everything of an answer that a client gets to see, and nothing else of a failure.
pub fn encode(answer: &Answer) -> Vec<u8> {
    let kept = match answer {
        Ok(response) => Kept { end: Some(End::Response(response.clone())), http: 0 },
        Err(status) => Kept { end: Some(End::Failure(status.to_proto())), http: status.http().into() },
    };
    kept.encode_to_vec()
}

/// Reads what [`encode`] wrote. `None`: it was something else.
pub fn decode(kept: Vec<u8>) -> Option<Answer> {
    let Kept { end, http } = Kept::decode(Bytes::from(kept)).ok()?;
    match end? {
        End::Response(response) => Some(Ok(response)),
        End::Failure(failure) => {
            let status = Status::from_proto(&failure)?;
            Some(Err(status.with_http(http.try_into().ok()?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use guardhouse_contract::{Code, FieldViolation};
    use proptest::prelude::*;

    use super::*;

    fn statuses() -> impl Strategy<Value = Status> {
        let violations = prop::collection::vec(any::<(String, String)>(), 1..3).prop_map(|violations| {
            let violations = violations.into_iter();
            Status::invalid_fields(violations.map(|(field, text)| FieldViolation::new(field, text)).collect())
        });
        let others = prop_oneof![
            any::<String>().prop_map(Status::not_found),
            any::<String>().prop_map(|text| Status::failed_precondition("GROUP_IN_USE", text)),
            any::<u32>().prop_map(|millis| {
                let wait = Duration::from_millis(millis.into());
                Status::new(Code::Unavailable, "DATABASE_UNAVAILABLE", "not now").retry_after(wait)
            }),
            (400..600_u16).prop_map(|http| Status::internal("a secret of the house").with_http(http)),
        ];
        prop_oneof![violations, others]
    }

    /// What a client sees of a failure.
    fn shown(failure: &Status) -> (u16, rpc::Status, Option<Duration>) {
        (failure.http(), failure.to_proto(), failure.wait())
    }

    proptest! {
        #[test]
        fn a_response_is_kept_as_it_is(response in any::<Vec<u8>>()) {
            let read = decode(encode(&Ok(Bytes::from(response.clone()))));
            prop_assert_eq!(read.expect("was encoded").expect("a response"), response);
        }

        #[test]
        fn of_a_failure_all_is_kept_that_a_client_sees(failure in statuses()) {
            let kept = encode(&Err(failure.clone()));
            prop_assert!(!kept.windows(6).any(|bytes| bytes == b"secret"), "its cause is for the log");
            let read = decode(kept).expect("was encoded").expect_err("a failure");
            prop_assert_eq!(shown(&read), shown(&failure));
        }

        #[test]
        fn anything_else_is_no_answer_or_one(kept in any::<Vec<u8>>()) {
            if let Some(answer) = decode(kept) {
                encode(&answer);
            }
        }
    }

    #[test]
    fn what_a_later_version_might_keep_is_no_answer() {
        for kept in [&[] as &[u8], &[0x20, 1], &[0x18, 200, 1]] {
            assert!(decode(kept.to_vec()).is_none(), "{kept:?}");
        }
    }
}
