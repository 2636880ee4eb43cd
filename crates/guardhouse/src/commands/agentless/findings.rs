//! `guardhouse agentless findings`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use guardhouse_contract::scans::{ListAgentlessFindingsRequest, agentless_finding::Urgency};

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
            ..Default::default()
        };
        let answer = client.list_agentless_findings(filter).await?;
        output.show(&answer, |answer| agentless::findings(&answer.findings))?;
        Ok(ExitCode::SUCCESS)
    }
}
