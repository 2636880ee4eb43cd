//! `POST /guardhouse/v1/policy-assignments:preview`

use guardhouse_contract::{
    Status,
    management::{PreviewPolicyAssignmentRequest, PreviewPolicyAssignmentResponse},
};
use guardhouse_identity::Failure;
use guardhouse_model::{AssignmentId, DeviceId, GroupId};
use guardhouse_store::{Assignment, PolicyAssign, PolicyTarget, StackChange};
use uuid::Uuid;

use super::{library::Library, render};
use crate::{Context, fields, policy_assignments::Asked};

/// How many devices are looked at together.
const TOGETHER: usize = 250;

/// What the proposed assignment is called until it is made.
const PROPOSED: AssignmentId = AssignmentId(Uuid::nil());

/// Answers what an assignment would change.
///
/// # Errors
/// 400: the assignment could not be made, or the device to show is not one it reaches.
pub async fn run(
    context: &Context,
    request: PreviewPolicyAssignmentRequest,
) -> Result<PreviewPolicyAssignmentResponse, Status> {
    let asked = Asked::read(request.assignment)?;
    let named: Option<DeviceId> = match request.device_uuid.as_str() {
        "" => None,
        uuid => Some(fields::resource("deviceUuid", uuid)?),
    };
    let mut preview = Preview {
        context,
        proposed: proposed(context, &asked, request.rank).await?,
        library: Library::default(),
    };
    let counts = match asked.target {
        PolicyTarget::Device(device) => preview.count(vec![device]).await?,
        PolicyTarget::Group(group) => preview.count_group(group).await?,
    };
    let mut answer = PreviewPolicyAssignmentResponse {
        targeted_device_count: counts.targeted,
        changed_device_count: counts.changed,
        ..Default::default()
    };
    let shown = match asked.target {
        PolicyTarget::Device(device) => Some(named.unwrap_or(device)),
        PolicyTarget::Group(_) => named,
    };
    if let Some(device) = shown {
        let change = preview.changes(vec![device]).await?.pop();
        let reached = |change: &StackChange| change.then.iter().any(|assignment| assignment.id == PROPOSED);
        let change = change.filter(reached).ok_or_else(|| {
            Status::invalid_field("deviceUuid", "names a device that the target does not have")
        })?;
        let policy = |stack: &[Assignment]| {
            render::policy(device, &preview.library, stack, preview.library.effective(stack))
        };
        let (before, after) = (policy(&change.now)?, policy(&change.then)?);
        answer.changes = render::changes(&before, &after);
        answer.effective_policy = Some(after);
    }
    Ok(answer)
}

/// The assignment as it would be made.
async fn proposed(context: &Context, asked: &Asked, rank: u32) -> Result<Assignment, Status> {
    let judged = context.store.policy_assign_check(PROPOSED, asked.policy, asked.target).await;
    let last = match judged.map_err(Failure::from)? {
        PolicyAssign::Done(assignment) => assignment,
        PolicyAssign::NoSuchPolicy => return Err(asked.no_such_policy()),
        PolicyAssign::NoSuchTarget => return Err(asked.no_such_target()),
        PolicyAssign::Already(assignment) => return Err(asked.already(&assignment)),
    };
    match rank {
        0 => Ok(last),
        rank if rank <= last.rank => Ok(Assignment { rank, ..last }),
        _ => {
            let wrong = format!("is beyond the place behind the last policy of the target, {}", last.rank);
            Err(Status::invalid_field("rank", wrong))
        }
    }
}

/// Devices that an assignment reaches.
#[derive(Debug, Default)]
struct Counts {
    targeted: u32,
    /// For these something would change.
    changed: u32,
}

struct Preview<'a> {
    context: &'a Context,
    proposed: Assignment,
    library: Library,
}

impl Preview<'_> {
    /// Counts the devices of a group, those of its subgroups included. They may come and go meanwhile.
    async fn count_group(&mut self, group: GroupId) -> Result<Counts, Status> {
        let mut counts = Counts::default();
        let mut after = None;
        loop {
            let members = self.context.store.group_members_list(group, true, after, TOGETHER).await;
            let Some((_, members)) = members.map_err(Failure::from)? else { return Ok(counts) };
            let devices: Vec<DeviceId> = members.into_iter().map(|member| member.device).collect();
            let Some(&last) = devices.last() else { return Ok(counts) };
            let more = self.count(devices).await?;
            counts.targeted += more.targeted;
            counts.changed += more.changed;
            after = Some(last);
        }
    }

    async fn count(&mut self, devices: Vec<DeviceId>) -> Result<Counts, Status> {
        let mut counts = Counts::default();
        for change in self.changes(devices).await? {
            let (now, then) = (self.library.generation(&change.now), self.library.generation(&change.then));
            counts.targeted += 1;
            counts.changed += u32::from(now != then);
        }
        Ok(counts)
    }

    /// The stacks of devices with and without the proposed assignment; their policies are in the library then.
    async fn changes(&mut self, devices: Vec<DeviceId>) -> Result<Vec<StackChange>, Status> {
        let store = &self.context.store;
        let changes = store.policy_stacks_if(devices, self.proposed.clone()).await.map_err(Failure::from)?;
        self.library.fetch(store, changes.iter().flat_map(|change| &change.then)).await?;
        Ok(changes)
    }
}
