//! What devices are in, and questions about what they are.

use guardhouse_contract::management::{
    AnswerIdentityQuestionRequest, AnswerIdentityQuestionResponse, GetDeviceStateRequest,
    GetDeviceStateResponse, ListIdentityQuestionsRequest, ListIdentityQuestionsResponse,
};

use crate::client::{Client, api::PAGE};

impl Client {
    /// Every identity question that passes the filter.
    pub async fn list_identity_questions(
        &self,
        filter: ListIdentityQuestionsRequest,
    ) -> anyhow::Result<ListIdentityQuestionsResponse> {
        let mut all = ListIdentityQuestionsResponse::default();
        let mut request = ListIdentityQuestionsRequest { page_size: PAGE, ..filter };
        loop {
            let page: ListIdentityQuestionsResponse = self
                .call("guardhouse.management.v1.IdentityQuestions.ListIdentityQuestions", &request)
                .await?;
            all.identity_questions.extend(page.identity_questions);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Answers an identity question.
    pub async fn answer_identity_question(
        &self,
        request: &AnswerIdentityQuestionRequest,
    ) -> anyhow::Result<AnswerIdentityQuestionResponse> {
        self.call("guardhouse.management.v1.IdentityQuestions.AnswerIdentityQuestion", request).await
    }

    /// What a device is in.
    pub async fn get_device_state(
        &self,
        request: &GetDeviceStateRequest,
    ) -> anyhow::Result<GetDeviceStateResponse> {
        self.call("guardhouse.management.v1.DeviceStates.GetDeviceState", request).await
    }
}
