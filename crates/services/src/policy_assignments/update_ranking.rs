//! `POST /v2/policy-assignments/{assignmentUuid}:updateRanking`

use std::num::NonZeroU32;

use guardhouse_contract::{
    Status,
    policies::{UpdatePolicyAssignmentRankingRequest, UpdatePolicyAssignmentRankingResponse},
};
use guardhouse_identity::Failure;
use guardhouse_store::RankChange;

use crate::{
    Context, fields,
    policy_assignments::{no_such, wake},
};

/// Gives an assignment another rank; the others shift. A rank beyond the last is 412, as the public API says of this
/// method alone.
pub async fn run(
    context: &Context,
    request: UpdatePolicyAssignmentRankingRequest,
) -> Result<UpdatePolicyAssignmentRankingResponse, Status> {
    let assignment = fields::resource("assignmentUuid", &request.assignment_uuid)?;
    let rank = NonZeroU32::new(request.rank)
        .ok_or_else(|| Status::invalid_field("rank", "must be a number from 1, which comes first"))?;
    match context.store.policy_assignment_rank(assignment, rank).await.map_err(Failure::from)? {
        RankChange::Done(target) => {
            wake(context, &[target]);
            Ok(UpdatePolicyAssignmentRankingResponse {})
        }
        RankChange::NoSuchAssignment => Err(no_such(assignment)),
        RankChange::Beyond(count) => {
            let message = format!("rank {rank} is beyond the last: the target has {count} assignments");
            Err(Status::failed_precondition("RANK_BEYOND_LAST", message).with_http(412))
        }
    }
}
