//! Machines that seem to be a device and are not the one that is known: list, get, answer.

mod answer_identity_question;
mod get_identity_question;
mod list_identity_questions;

use std::sync::Arc;

use guardhouse_contract::{
    Call, Status,
    management::{
        self, AnswerIdentityQuestionRequest, AnswerIdentityQuestionResponse, GetIdentityQuestionRequest,
        GetIdentityQuestionResponse, IdentityQuestions, ListIdentityQuestionsRequest,
        ListIdentityQuestionsResponse,
        identity_question::{Answer, Reason},
    },
    time::to_proto,
};
use guardhouse_store::{IdentityQuestion, QuestionAnswer, QuestionReason};

use crate::Context;

/// Implements the service `IdentityQuestions`.
#[derive(Debug)]
pub struct Service(pub Arc<Context>);

impl IdentityQuestions for Service {
    async fn list_identity_questions(
        &self,
        _: &Call,
        request: ListIdentityQuestionsRequest,
    ) -> Result<ListIdentityQuestionsResponse, Status> {
        list_identity_questions::run(&self.0, request).await
    }

    async fn get_identity_question(
        &self,
        _: &Call,
        request: GetIdentityQuestionRequest,
    ) -> Result<GetIdentityQuestionResponse, Status> {
        get_identity_question::run(&self.0, request).await
    }

    async fn answer_identity_question(
        &self,
        call: &Call,
        request: AnswerIdentityQuestionRequest,
    ) -> Result<AnswerIdentityQuestionResponse, Status> {
        answer_identity_question::run(&self.0, call, request).await
    }
}

/// A question as clients see it.
fn render(kept: IdentityQuestion) -> management::IdentityQuestion {
    let reason = match kept.reason {
        QuestionReason::OtherHardware => Reason::OtherHardware,
        QuestionReason::TwoAtOnce => Reason::TwoAtOnce,
        QuestionReason::EnrolledBeside => Reason::EnrolledBeside,
    };
    let (answer, answer_time, answered_by) = match kept.answer {
        None => (Answer::Unspecified, None, String::new()),
        Some((QuestionAnswer::SameDevice, time, by)) => (Answer::SameDevice, Some(time), by),
        Some((QuestionAnswer::AnotherDevice, time, by)) => (Answer::AnotherDevice, Some(time), by),
    };
    management::IdentityQuestion {
        uuid: kept.id.to_string(),
        device_uuid: kept.device.to_string(),
        reason: reason.into(),
        create_time: Some(to_proto(kept.create_time)),
        last_seen_time: Some(to_proto(kept.last_seen_time)),
        host_name: kept.host_name,
        public_ip_address: kept.public_ip_address,
        newcomer_uuid: kept.newcomer.map(|newcomer| newcomer.to_string()).unwrap_or_default(),
        answer: answer.into(),
        answer_time: answer_time.map(to_proto),
        answered_by,
    }
}
