//! `guardhouse policy`

mod effective;
mod file;
mod target;

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;
use guardhouse_contract::policies::{
    AssignPolicyRequest, CreatePolicyRequest, DeletePolicyRequest, GetPolicyRequest,
    ListPolicyAssignmentsRequest, Policy, PolicyAssignment, UnassignPolicyRequest,
    UpdatePolicyAssignmentRankingRequest,
};
use uuid::Uuid;

use crate::{
    client::{Client, ConnectionArgs},
    output::{OutputFormat, policies, printable},
};

use target::{OptionalTargetArgs, TargetArgs};

/// Create policies, assign them, and see what comes of them. A policy is named by its uuid, or by a display name that
/// no other has.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List all policies.
    List,
    /// Show one policy with its settings.
    Get {
        /// The policy, by uuid or by name.
        policy: String,
    },
    /// Create a policy. It cannot be changed later: create its successor, assign that, delete the old one.
    Create {
        /// Its name.
        name: String,

        /// Where its settings are: a JSON file with a list of features, an object with the member `features`, or a
        /// whole policy as `policy get -o json` prints it; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        settings: PathBuf,

        /// Free text.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Delete a policy; it is taken away from everything it is assigned to.
    Delete {
        /// The policy, by uuid or by name.
        policy: String,
    },
    /// Assign a policy to a device or a group, as the last of its policies unless a rank is given.
    Assign {
        /// The policy, by uuid or by name.
        policy: String,

        /// What it is assigned to.
        #[command(flatten)]
        target: TargetArgs,

        /// Its place among the policies of the target; those behind it move back. 1 is merged first.
        #[arg(long, value_name = "RANK", value_parser = clap::value_parser!(u32).range(1..))]
        rank: Option<u32>,

        /// Assign nothing, and show what would change.
        #[arg(long)]
        dry_run: bool,

        /// With --dry-run and --group: show what would change for this device of the group.
        #[arg(long, value_name = "DEVICE", requires = "dry_run", conflicts_with = "device")]
        show_device: Option<String>,
    },
    /// Take a policy away from a device or a group.
    Unassign {
        /// The assignment, by uuid; `policy assignments` lists them.
        assignment: Uuid,
    },
    /// Give an assignment another rank.
    Rank {
        /// The assignment, by uuid; `policy assignments` lists them.
        assignment: Uuid,

        /// From 1, which is merged first, to the number of assignments of the target.
        rank: u32,
    },
    /// List assignments.
    Assignments {
        /// Only those of this policy, by uuid or by name; repeat it for several.
        #[arg(long = "policy", value_name = "POLICY")]
        policies: Vec<String>,

        /// Only those made to exactly this target.
        #[command(flatten)]
        target: OptionalTargetArgs,
    },
    /// Show what all policies of a device say together, and whether the device has it.
    Effective {
        /// The device, by uuid or by name.
        #[arg(long, value_name = "DEVICE")]
        device: String,

        /// Also say where each setting comes from and what it overrode.
        #[arg(long)]
        explain: bool,
    },
}

impl PolicyCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, a name is not that of one policy, device or group, or a file is not
    /// what it should be.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::List => {
                let answer = client.list_policies().await?;
                output.show(&answer, |answer| policies::policies(&answer.policies))?;
            }
            Self::Get { policy } => {
                let policy_uuid = client.resolve_policy(&policy).await?;
                let answer = client.get_policy(&GetPolicyRequest { policy_uuid }).await?;
                output.show(&answer, |answer| policies::policy(answer.policy.as_ref()))?;
            }
            Self::Create { name, settings, description } => {
                let features = file::features(&settings)?;
                let policy = Policy { display_name: name, description, features, ..Default::default() };
                let answer = client.create_policy(&CreatePolicyRequest { policy: Some(policy) }).await?;
                output.show(&answer, |answer| policies::policies(answer.policy.as_slice()))?;
            }
            Self::Delete { policy } => {
                let policy_uuid = client.resolve_policy(&policy).await?;
                let answer = client.delete_policy(&DeletePolicyRequest { policy_uuid }).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("deleted policy {}", printable(&policy));
            }
            Self::Assign { policy, target, rank, dry_run, show_device } => {
                let policy_uuid = client.resolve_policy(&policy).await?;
                let target = Some(target.resolve(&client).await?);
                let assignment = PolicyAssignment { policy_uuid, target, ..Default::default() };
                if dry_run {
                    return effective::preview(&client, assignment, rank, show_device, output).await;
                }
                assign(&client, assignment, rank, output).await?;
            }
            Self::Unassign { assignment } => {
                let request = UnassignPolicyRequest { assignment_uuid: assignment.to_string() };
                let answer = client.unassign_policy(&request).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("unassigned {assignment}");
            }
            Self::Rank { assignment, rank } => {
                let assignment_uuid = assignment.to_string();
                let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank };
                let answer = client.update_policy_assignment_ranking(&request).await?;
                output.show(&answer, |_| String::new())?;
                eprintln!("{assignment} has rank {rank}");
            }
            Self::Assignments { policies, target } => {
                let mut policy_uuids = Vec::new();
                for policy in policies {
                    policy_uuids.push(client.resolve_policy(&policy).await?);
                }
                let target = target.resolve(&client).await?;
                let filter = ListPolicyAssignmentsRequest { policy_uuids, target, ..Default::default() };
                let answer = client.list_policy_assignments(filter).await?;
                output.show(&answer, |answer| policies::assignments(&answer.assignments))?;
            }
            Self::Effective { device, explain } => {
                return effective::show(&client, &device, explain, output).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Assigns a policy, and then gives it its rank: the assignment stands even when the rank is refused.
async fn assign(
    client: &Client,
    assignment: PolicyAssignment,
    rank: Option<u32>,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let mut answer = client.assign_policy(&AssignPolicyRequest { assignment: Some(assignment) }).await?;
    let mut refused = None;
    if let (Some(rank), Some(made)) = (rank, &mut answer.assignment)
        && rank != made.rank
    {
        let assignment_uuid = made.uuid.clone();
        let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank };
        match client.update_policy_assignment_ranking(&request).await {
            Ok(_) => made.rank = rank,
            Err(error) => {
                refused = Some(error.context(format!(
                    "the policy is assigned with rank {}; it was not given rank {rank}",
                    made.rank
                )));
            }
        }
    }
    output.show(&answer, |answer| policies::assignments(answer.assignment.as_slice()))?;
    refused.map_or(Ok(()), Err)
}
