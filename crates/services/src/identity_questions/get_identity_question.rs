//! `GET /guardhouse/v1/identity-questions/{questionUuid}`

use guardhouse_contract::{
    Status,
    management::{GetIdentityQuestionRequest, GetIdentityQuestionResponse},
};
use guardhouse_identity::Failure;

use super::render;
use crate::{Context, fields};

/// Answers one question.
///
/// # Errors
/// 404: there is no such question.
pub async fn run(
    context: &Context,
    request: GetIdentityQuestionRequest,
) -> Result<GetIdentityQuestionResponse, Status> {
    let id = fields::resource("questionUuid", &request.question_uuid)?;
    let question = context.store.identity_question_get(id).await.map_err(Failure::from)?;
    let question = question.ok_or_else(|| Status::not_found(format!("identity question {id}")))?;
    Ok(GetIdentityQuestionResponse { identity_question: Some(render(question)) })
}
