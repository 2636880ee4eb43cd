//! `guardhouse agentless findings`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use guardhouse_contract::scans::{
    ListAgentlessFindingsRequest, ListAgentlessFindingsResponse, agentless_finding::Urgency,
};
use uuid::Uuid;

use crate::{
    client::Client,
    output::{OutputFormat, agentless},
};

/// List what the newest scans found, the most urgent first.
#[derive(Debug, Args)]
pub struct FindingsArgs {
    /// Only of this asset, by its instance id; repeat it for several.
    #[arg(long = "asset", value_name = "ID")]
    assets: Vec<String>,

    /// Only what this scan found, by its uuid. What a later scan found of the same asset is under that one.
    #[arg(long, value_name = "UUID")]
    task: Option<Uuid>,

    /// Only what one line of the subtasks of a scan found, by its uuid.
    #[arg(long, value_name = "UUID")]
    subtask: Option<Uuid>,

    /// Only about this CVE.
    #[arg(long, value_name = "CVE")]
    cve: Option<String>,

    /// Only what is so urgent; repeat it for several.
    #[arg(long = "urgency", value_enum, value_name = "URGENCY")]
    urgencies: Vec<UrgencyArg>,

    /// Only what has a version without it.
    #[arg(long)]
    fixable: bool,

    /// What somebody lives with, instead of the rest.
    #[arg(long)]
    whitelisted: bool,
}

/// How soon a finding is to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UrgencyArg {
    /// As soon as possible.
    High,
    /// Later.
    Medium,
    /// It need not be.
    Low,
}

impl UrgencyArg {
    fn number(self) -> i32 {
        let urgency = match self {
            Self::High => Urgency::High,
            Self::Medium => Urgency::Medium,
            Self::Low => Urgency::Low,
        };
        urgency.into()
    }
}

impl FindingsArgs {
    /// Lists them.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let filter = ListAgentlessFindingsRequest {
            instance_ids: self.assets,
            cve: self.cve.unwrap_or_default(),
            urgencies: self.urgencies.into_iter().map(UrgencyArg::number).collect(),
            fixable: self.fixable,
            whitelisted: self.whitelisted,
            task_uuid: self.task.map(|task| task.to_string()).unwrap_or_default(),
            subtask_uuid: self.subtask.map(|subtask| subtask.to_string()).unwrap_or_default(),
            ..Default::default()
        };
        let answer = client.list_agentless_findings(filter).await?;
        output.show(&answer, |answer| agentless::findings(&answer.findings))?;
        for sentence in missing(&answer) {
            eprintln!("{sentence}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What the list leaves out, so that nobody takes an asset that was not looked at for one without findings.
fn missing(answer: &ListAgentlessFindingsResponse) -> Vec<String> {
    let assets = |count| if count == 1 { "1 asset".to_owned() } else { format!("{count} assets") };
    let mut sentences = Vec::new();
    if answer.unscanned_count > 0 {
        let assets = assets(answer.unscanned_count);
        sentences.push(format!(
            "not listed: {assets} without a result; guardhouse agentless task subtasks says how it stands"
        ));
    }
    if answer.superseded_count > 0 {
        let assets = assets(answer.superseded_count);
        sentences.push(format!(
            "not listed: {assets} with a newer scan, or whose result expired; without --task and --subtask the newest \
             is listed"
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_said() {
        let said = |unscanned_count, superseded_count| {
            missing(&ListAgentlessFindingsResponse {
                unscanned_count,
                superseded_count,
                ..Default::default()
            })
        };
        assert_eq!(said(0, 0), [""; 0]);
        let both = said(1, 2);
        assert!(both[0].starts_with("not listed: 1 asset without a result;"), "{both:?}");
        assert!(both[1].starts_with("not listed: 2 assets with a newer scan,"), "{both:?}");
    }
}
