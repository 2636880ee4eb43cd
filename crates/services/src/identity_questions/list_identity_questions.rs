//! `GET /guardhouse/v1/identity-questions`

use guardhouse_contract::{
    Status,
    management::{ListIdentityQuestionsRequest, ListIdentityQuestionsResponse},
};
use guardhouse_identity::Failure;

use super::render;
use crate::{Context, page::Scan};

/// Lists questions in the order of their ids, which is the order of their creation.
pub async fn run(
    context: &Context,
    request: ListIdentityQuestionsRequest,
) -> Result<ListIdentityQuestionsResponse, Status> {
    let scan = Scan::new("ListIdentityQuestions").with(request.include_answered.to_string());
    let page = context.pages.open(scan, request.page_size, &request.page_token)?;
    let after = page.after_id()?;
    let found = context.store.identity_questions_list(!request.include_answered, after, page.fetch()).await;
    let mut questions = found.map_err(Failure::from)?;
    let next_page_token = page.close(&mut questions, |question| question.id.into_bytes().into());
    Ok(ListIdentityQuestionsResponse {
        identity_questions: questions.into_iter().map(render).collect(),
        next_page_token,
    })
}
