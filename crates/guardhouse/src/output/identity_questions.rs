//! Identity questions, for people.

use guardhouse_contract::management::IdentityQuestion;

use crate::output::{constant, table, time};

/// One line per question.
pub fn questions<'a>(questions: impl IntoIterator<Item = &'a IdentityQuestion>) -> String {
    let header = ["UUID", "DEVICE", "REASON", "HOST", "ADDRESS", "LAST SEEN", "ANSWER", "BY"];
    let row = |question: &IdentityQuestion| {
        [
            question.uuid.clone(),
            question.device_uuid.clone(),
            constant(question.reason().as_str_name(), "REASON_"),
            question.host_name.clone(),
            question.public_ip_address.clone(),
            time(question.last_seen_time.as_ref()),
            constant(question.answer().as_str_name(), "ANSWER_"),
            question.answered_by.clone(),
        ]
    };
    table(header, questions.into_iter().map(row))
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::management::identity_question::{Answer, Reason};

    use super::*;

    #[test]
    fn a_question_is_a_line() {
        let open = IdentityQuestion {
            uuid: "0193-a".to_owned(),
            device_uuid: "0193-d".to_owned(),
            reason: Reason::OtherHardware.into(),
            host_name: "web-1".to_owned(),
            public_ip_address: "192.0.2.7".to_owned(),
            last_seen_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Default::default()
        };
        let answered = IdentityQuestion {
            answer: Answer::AnotherDevice.into(),
            answered_by: "ada".to_owned(),
            reason: Reason::TwoAtOnce.into(),
            ..open.clone()
        };
        let expected = "\
            UUID    DEVICE  REASON          HOST   ADDRESS    LAST SEEN             ANSWER          BY\n\
            0193-a  0193-d  OTHER_HARDWARE  web-1  192.0.2.7  2023-11-14T22:13:20Z  -               -\n\
            0193-a  0193-d  TWO_AT_ONCE     web-1  192.0.2.7  2023-11-14T22:13:20Z  ANOTHER_DEVICE  ada";
        assert_eq!(questions([&open, &answered]), expected);
    }
}
