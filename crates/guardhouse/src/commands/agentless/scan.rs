//! `guardhouse agentless scan`

use std::{process::ExitCode, time::Duration};

use clap::Args;
use guardhouse_contract::scans::CreateAgentlessTaskRequest;

use super::{
    selection::{OptionArgs, SelectionArgs},
    wait,
};
use crate::{
    client::Client,
    duration,
    output::{OutputFormat, agentless},
};

/// Start a scan, and follow it with --wait.
#[derive(Debug, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    options: OptionArgs,

    /// What the scan is called.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Leave out assets that are being scanned already, instead of refusing.
    #[arg(long)]
    skip_running: bool,

    /// Follow the scan until it is over. The exit code is 0 when everything was scanned, 1 when not, and 3 when the time
    /// was up.
    #[arg(long)]
    wait: bool,

    /// How long to follow it at most.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration::parse, requires = "wait")]
    timeout: Duration,
}

impl ScanArgs {
    /// Starts the scan.
    ///
    /// # Errors
    /// The server refuses or cannot be reached.
    pub async fn run(self, client: &Client, output: OutputFormat) -> anyhow::Result<ExitCode> {
        let request = CreateAgentlessTaskRequest {
            display_name: self.name.clone().unwrap_or_default(),
            selection: Some(self.selection.message(client, &self.options).await?),
            options: Some(self.options.message()),
            skip_running: self.skip_running,
            client_token: client.environment().uuid().to_string(),
        };
        let answer = client.create_agentless_task(&request).await?;
        if !self.wait {
            output.show(&answer, |answer| agentless::task(answer.task.as_ref()))?;
            return Ok(ExitCode::SUCCESS);
        }
        wait::run(client, answer.task.unwrap_or_default(), self.timeout, output).await
    }
}
