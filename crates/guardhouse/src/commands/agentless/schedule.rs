//! `guardhouse agentless schedule`

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use guardhouse_contract::{
    scans::{
        AgentlessSchedule, Cadence, CreateAgentlessScheduleRequest, DeleteAgentlessScheduleRequest,
        GetAgentlessScheduleRequest, UpdateAgentlessScheduleRequest, cadence::Unit,
    },
    settings::maintenance_window::Day,
};
use uuid::Uuid;

use super::selection::{OptionArgs, SelectionArgs};
use crate::{
    client::Client,
    output::{OutputFormat, agentless},
};

/// Scans that start by themselves.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Add a schedule.
    Add(Box<AddArgs>),
    /// List the schedules.
    List,
    /// Show a schedule.
    Show {
        /// The schedule, by uuid.
        schedule: Uuid,
    },
    /// Start a schedule when it is due, from now on.
    Enable {
        /// The schedule, by uuid.
        schedule: Uuid,
    },
    /// Start a schedule no more.
    Disable {
        /// The schedule, by uuid.
        schedule: Uuid,
    },
    /// Remove a schedule. Scans that it started stay.
    Remove {
        /// The schedule, by uuid.
        schedule: Uuid,
    },
}

/// Add a schedule.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// What it and its scans are called.
    name: String,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    options: OptionArgs,

    /// How often: 12h, 1d or 2w, as hours, days or weeks.
    #[arg(long, value_name = "TIME", value_parser = every)]
    every: Every,

    /// When on a day, HH:MM.
    #[arg(long, value_name = "TIME", default_value = "03:00")]
    at: String,

    /// Of weeks: on this day; repeat it for several.
    #[arg(long = "day", value_enum, value_name = "DAY")]
    days: Vec<DayArg>,

    /// Whose clock --at is read on, as Europe/Vienna.
    #[arg(long, value_name = "NAME", default_value = "UTC")]
    time_zone: String,

    /// The first day, YYYY-MM-DD, from which the others are counted [default: today].
    #[arg(long, value_name = "DAY")]
    first_day: Option<String>,

    /// Only assets that there are now, and none that appear later.
    #[arg(long)]
    no_new_assets: bool,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Every {
    count: u32,
    unit: Unit,
}

/// Reads how often.
fn every(text: &str) -> Result<Every, String> {
    let wrong = || "say it as 12h, 1d or 2w".to_owned();
    let (count, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "h" => Unit::Hours,
        "d" => Unit::Days,
        "w" => Unit::Weeks,
        _ => return Err(wrong()),
    };
    let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(wrong)?;
    Ok(Every { count, unit })
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DayArg {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl DayArg {
    fn number(self) -> i32 {
        let day = match self {
            Self::Monday => Day::Monday,
            Self::Tuesday => Day::Tuesday,
            Self::Wednesday => Day::Wednesday,
            Self::Thursday => Day::Thursday,
            Self::Friday => Day::Friday,
            Self::Saturday => Day::Saturday,
            Self::Sunday => Day::Sunday,
        };
        day.into()
    }
}

impl AddArgs {
    async fn schedule(self, client: &Client) -> anyhow::Result<AgentlessSchedule> {
        Ok(AgentlessSchedule {
            display_name: self.name,
            selection: Some(self.selection.message(client, &self.options).await?),
            include_new_assets: Some(!self.no_new_assets),
            options: Some(self.options.message()),
            cadence: Some(Cadence {
                count: self.every.count,
                unit: self.every.unit.into(),
                days: self.days.into_iter().map(DayArg::number).collect(),
                start: self.at,
                time_zone: self.time_zone,
                first_day: self.first_day.unwrap_or_default(),
            }),
            ..Default::default()
        })
    }
}

impl ScheduleCommand {
    /// Carries out the command.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(args) => {
                let request = CreateAgentlessScheduleRequest { schedule: Some(args.schedule(client).await?) };
                let answer = client.create_agentless_schedule(&request).await?;
                output.show(&answer, |answer| agentless::schedule(answer.schedule.as_ref()))?;
            }
            Self::List => {
                let answer = client.list_agentless_schedules(Default::default()).await?;
                output.show(&answer, |answer| agentless::schedules(&answer.schedules))?;
            }
            Self::Show { schedule } => {
                let request = GetAgentlessScheduleRequest { schedule_uuid: schedule.to_string() };
                let answer = client.get_agentless_schedule(&request).await?;
                output.show(&answer, |answer| agentless::schedule(answer.schedule.as_ref()))?;
            }
            Self::Enable { schedule } => set_enabled(client, schedule, true, output).await?,
            Self::Disable { schedule } => set_enabled(client, schedule, false, output).await?,
            Self::Remove { schedule } => {
                let request = DeleteAgentlessScheduleRequest { schedule_uuid: schedule.to_string() };
                output.show(&client.delete_agentless_schedule(&request).await?, |_| String::new())?;
                eprintln!("removed {schedule}");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set_enabled(
    client: &Client,
    schedule: Uuid,
    is_enabled: bool,
    output: OutputFormat,
) -> anyhow::Result<()> {
    let request = UpdateAgentlessScheduleRequest {
        schedule_uuid: schedule.to_string(),
        enabled: Some(is_enabled),
        ..Default::default()
    };
    let answer = client.update_agentless_schedule(&request).await?;
    output.show(&answer, |answer| agentless::schedule(answer.schedule.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_is_a_number_and_a_unit() {
        for (text, count, unit) in [("12h", 12, Unit::Hours), ("1d", 1, Unit::Days), ("2w", 2, Unit::Weeks)] {
            assert_eq!(every(text), Ok(Every { count, unit }));
        }
        for wrong in ["", "h", "0d", "-1d", "1", "1y", "1.5h", "ü"] {
            assert!(every(wrong).is_err(), "{wrong:?}");
        }
    }
}
