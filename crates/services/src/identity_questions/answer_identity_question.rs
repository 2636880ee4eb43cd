//! `POST /guardhouse/v1/identity-questions/{questionUuid}:answer`

use guardhouse_contract::{
    Call, Caller, Status,
    management::{AnswerIdentityQuestionRequest, AnswerIdentityQuestionResponse, identity_question::Answer},
};
use guardhouse_identity::Failure;
use guardhouse_store::{QuestionAnswer, QuestionAnswered};

use super::render;
use crate::{Context, fields};

/// Decides what the other machine is. It learns that when it asks again; one that is connected asks at once.
///
/// # Errors
/// 404: there is no such question. 400: it was answered otherwise before.
pub async fn run(
    context: &Context,
    call: &Call,
    request: AnswerIdentityQuestionRequest,
) -> Result<AnswerIdentityQuestionResponse, Status> {
    let id = fields::resource("questionUuid", &request.question_uuid)?;
    let answer = match request.answer() {
        Answer::SameDevice => QuestionAnswer::SameDevice,
        Answer::AnotherDevice => QuestionAnswer::AnotherDevice,
        Answer::Unspecified => {
            return Err(Status::invalid_field("answer", "is missing; answer SAME_DEVICE or ANOTHER_DEVICE"));
        }
    };
    let account = match &call.caller {
        Caller::Account(account) => account.name.clone(),
        Caller::Anonymous | Caller::Device(_) => String::new(),
    };
    let now = context.environment.now();
    let answered = context.store.identity_question_answer(id, answer, account, now).await;
    let question = match answered.map_err(Failure::from)? {
        None => return Err(Status::not_found(format!("identity question {id}"))),
        Some(QuestionAnswered::Done(question)) => {
            let concerned: Vec<_> = [question.device].into_iter().chain(question.newcomer).collect();
            context.dispatcher.wake(&concerned);
            question
        }
        Some(QuestionAnswered::AnsweredBefore(question)) => {
            if let Some((before, _, by)) = question.answer.as_ref().filter(|(before, ..)| *before != answer) {
                let wrong = format!("comes too late: {by} has answered {}", name(*before));
                return Err(Status::invalid_field("answer", wrong));
            }
            question
        }
    };
    Ok(AnswerIdentityQuestionResponse { identity_question: Some(render(question)) })
}

fn name(answer: QuestionAnswer) -> &'static str {
    match answer {
        QuestionAnswer::SameDevice => Answer::SameDevice.as_str_name(),
        QuestionAnswer::AnotherDevice => Answer::AnotherDevice.as_str_name(),
    }
}
