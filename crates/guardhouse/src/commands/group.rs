//! `guardhouse group`

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::Subcommand;
use guardhouse_contract::{
    assets::{CreateGroupRequest, DeleteGroupRequest, Group, MoveGroupRequest, RenameGroupRequest},
    devices::ListMemberDevicesRequest,
    management::{
        CreateDynamicGroupRequest, DynamicGroup, GetDynamicGroupRequest, PreviewDynamicGroupRequest,
        UpdateDynamicGroupRequest,
    },
};

use crate::{
    client::{Client, ConnectionArgs, resolve},
    commands::rule,
    output::{OutputFormat, devices, dynamic_groups, groups, printable},
};

/// Show and change the tree of groups. A group is named by its uuid, or by a display name that no other has.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List the tree.
    List,
    /// List the devices in a group.
    Members {
        /// The group, by uuid or by name.
        group: String,

        /// Also the devices of all groups below.
        #[arg(long)]
        recurse: bool,
    },
    /// Create a group.
    Create {
        /// Its name.
        name: String,

        /// The group above; All when left out.
        #[arg(long, value_name = "GROUP")]
        parent: Option<String>,

        /// Free text.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Show one group; of a dynamic one, also its rule.
    Show {
        /// The group, by uuid or by name.
        group: String,
    },
    /// Create a group whose devices follow from a rule.
    CreateDynamic {
        /// Its name.
        name: String,

        /// The group, static or dynamic, among whose devices the rule picks; All when left out.
        #[arg(long, value_name = "GROUP")]
        parent: Option<String>,

        /// The rule: JSON, or the file that holds it; `-` for standard input.
        #[arg(long, value_name = "RULE")]
        rule: String,

        /// Free text.
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Give a dynamic group another rule.
    SetRule {
        /// The group, by uuid or by name.
        group: String,

        /// The rule: JSON, or the file that holds it; `-` for standard input.
        #[arg(long, value_name = "RULE")]
        rule: String,
    },
    /// Show which devices a rule would pick.
    Preview {
        /// The rule: JSON, or the file that holds it; `-` for standard input.
        #[arg(long, value_name = "RULE")]
        rule: String,

        /// The group, static or dynamic, among whose devices the rule picks; All when left out.
        #[arg(long, value_name = "GROUP")]
        parent: Option<String>,
    },
    /// Hang a group, with everything below it, under another one.
    Move {
        /// The group to move, by uuid or by name.
        group: String,

        /// The group that becomes its parent.
        #[arg(long, value_name = "GROUP")]
        parent: String,
    },
    /// Give a group a new name.
    Rename {
        /// The group, by uuid or by name.
        group: String,

        /// The new name.
        name: String,
    },
    /// Delete a group with everything below it, its devices included. Devices of a dynamic group stay.
    Delete {
        /// The group, by uuid or by name.
        group: String,

        /// Do not ask. Needed where nobody can be asked.
        #[arg(long)]
        yes: bool,
    },
}

impl GroupCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached, or a name is not that of one group.
    pub async fn run(self, connection: ConnectionArgs, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let client = Client::connect(connection)?;
        match self {
            Self::List => {
                let answer = client.list_groups().await?;
                output.show(&answer, |answer| groups::tree(&answer.device_groups))?;
            }
            Self::Members { group, recurse } => {
                let group_uuid = client.resolve_group(&group).await?;
                let request =
                    ListMemberDevicesRequest { group_uuid, recurse_subgroups: recurse, ..Default::default() };
                let answer = client.list_member_devices(request).await?;
                output.show(&answer, |answer| devices::members(&answer.devices))?;
            }
            Self::Create { name, parent, description } => {
                let parent_group_uuid = resolve_parent(&client, parent).await?;
                let group =
                    Group { display_name: name, description, parent_group_uuid, ..Default::default() };
                let answer = client.create_group(&CreateGroupRequest { group: Some(group) }).await?;
                output.show(&answer, |answer| groups::group(answer.group.as_ref()))?;
            }
            Self::Show { group } => show(&client, group, output).await?,
            Self::CreateDynamic { name, parent, rule, description } => {
                let dynamic_group = DynamicGroup {
                    display_name: name,
                    description,
                    rule: Some(rule::read(&rule)?),
                    parent_group_uuid: resolve_parent(&client, parent).await?,
                    ..Default::default()
                };
                let request = CreateDynamicGroupRequest { dynamic_group: Some(dynamic_group) };
                let answer = client.create_dynamic_group(&request).await?;
                output.show(&answer, |answer| dynamic_groups::group(answer.dynamic_group.as_ref()))?;
            }
            Self::SetRule { group, rule } => {
                let rule = Some(rule::read(&rule)?);
                let group_uuid = client.resolve_group(&group).await?;
                let request = UpdateDynamicGroupRequest { group_uuid, rule, ..Default::default() };
                let answer = client.update_dynamic_group(&request).await?;
                output.show(&answer, |answer| dynamic_groups::group(answer.dynamic_group.as_ref()))?;
            }
            Self::Preview { rule, parent } => {
                let rule = Some(rule::read(&rule)?);
                let parent_group_uuid = resolve_parent(&client, parent).await?;
                let request = PreviewDynamicGroupRequest { parent_group_uuid, rule };
                let answer = client.preview_dynamic_group(&request).await?;
                output.show(&answer, dynamic_groups::preview)?;
            }
            Self::Move { group, parent } => {
                let mut uuids = client.resolve_groups(&[group, parent]).await?.into_iter();
                let (group_uuid, new_parent_uuid) =
                    (uuids.next().unwrap_or_default(), uuids.next().unwrap_or_default());
                let answer = client.move_group(&MoveGroupRequest { group_uuid, new_parent_uuid }).await?;
                output.show(&answer, |answer| groups::group(answer.group.as_ref()))?;
            }
            Self::Rename { group, name } => {
                let group_uuid = client.resolve_group(&group).await?;
                let answer =
                    client.rename_group(&RenameGroupRequest { group_uuid, display_name: name }).await?;
                output.show(&answer, |answer| groups::group(answer.group.as_ref()))?;
            }
            Self::Delete { group, yes } => return delete(&client, group, yes, output).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The uuid of the group above; empty, which stands for All, when none is named.
async fn resolve_parent(client: &Client, parent: Option<String>) -> anyhow::Result<String> {
    match parent {
        Some(parent) => client.resolve_group(&parent).await,
        None => Ok(String::new()),
    }
}

async fn show(client: &Client, group: String, output: OutputFormat) -> anyhow::Result<()> {
    let all = client.list_groups().await?.device_groups;
    let group_uuid = resolve::pick_groups(std::slice::from_ref(&group), &all)?.remove(0);
    let listed = all.iter().find(|listed| listed.uuid == group_uuid);
    match listed.filter(|listed| listed.is_security_group) {
        Some(listed) => output.show(listed, groups::listed),
        // The server knows best whether a uuid that is not listed is that of a group.
        None => {
            let answer = client.get_dynamic_group(&GetDynamicGroupRequest { group_uuid }).await?;
            output.show(&answer, |answer| dynamic_groups::group(answer.dynamic_group.as_ref()))
        }
    }
}

/// Deletes a group after its owner has heard what goes with it.
async fn delete(client: &Client, group: String, yes: bool, output: OutputFormat) -> anyhow::Result<ExitCode> {
    let all = client.list_groups().await?.device_groups;
    let group_uuid = resolve::pick_groups(std::slice::from_ref(&group), &all)?.remove(0);
    let below = groups::count_below(&all, &group_uuid);
    let is_dynamic = all.iter().any(|listed| listed.uuid == group_uuid && !listed.is_security_group);
    let devices = if is_dynamic {
        // They stay.
        String::new()
    } else {
        format!(" and {}", count(client.count_member_devices(&group_uuid).await?.into(), "device"))
    };
    let what = printable(&format!("group {group:?} with {}{devices}", count(below as u64, "group")));
    if !yes {
        let ask = io::stdin().is_terminal() && io::stderr().is_terminal();
        anyhow::ensure!(ask, "{what} would be deleted; confirm it with --yes");
        eprint!("Delete {what}? [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            eprintln!("nothing was deleted");
            return Ok(ExitCode::FAILURE);
        }
    }
    let request = DeleteGroupRequest { group_uuid, ..Default::default() };
    let answer = client.delete_group(&request).await?;
    output.show(&answer, |_| String::new())?;
    eprintln!("deleted {what}");
    Ok(ExitCode::SUCCESS)
}

fn count(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
