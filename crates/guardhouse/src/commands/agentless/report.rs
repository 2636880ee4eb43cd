//! `guardhouse agentless report`

use std::{
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use guardhouse_contract::scans::{GetAgentlessReportPartRequest, get_agentless_report_part_request::Format};
use uuid::Uuid;

use crate::client::Client;

/// Fetch the report of a scan.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The scan, or one line of its subtasks, by uuid.
    task: Uuid,

    /// Its form.
    #[arg(long, value_enum, default_value_t)]
    format: FormatArg,

    /// Where to write it; - is standard output.
    #[arg(short = 'O', long = "to", value_name = "FILE", default_value = "-")]
    to: PathBuf,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For programs.
    #[default]
    Json,
    /// A page for people.
    Html,
}

impl ReportArgs {
    /// Fetches the report, and writes it once all of it is there.
    ///
    /// # Errors
    /// There is no report yet, the server cannot be reached, or the file cannot be written.
    pub async fn run(self, client: &Client) -> anyhow::Result<ExitCode> {
        let compressed = self.fetch(client).await?;
        let mut report = zstd::Decoder::new(compressed.as_slice()).context("the report is damaged")?;
        if self.to.as_os_str() == "-" {
            copy(&mut report, &mut io::stdout().lock())?;
        } else {
            let failed = || format!("cannot write {}", self.to.display());
            let mut file = File::create(&self.to).with_context(failed)?;
            copy(&mut report, &mut file).with_context(failed)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn fetch(&self, client: &Client) -> anyhow::Result<Vec<u8>> {
        let format = match self.format {
            FormatArg::Json => Format::Json,
            FormatArg::Html => Format::Html,
        };
        let mut request = GetAgentlessReportPartRequest {
            task_uuid: self.task.to_string(),
            format: format.into(),
            part: 0,
        };
        let mut whole = Vec::new();
        loop {
            let part = client.get_agentless_report_part(&request).await?;
            whole.extend_from_slice(&part.content);
            if !part.more {
                return Ok(whole);
            }
            request.part += 1;
        }
    }
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> anyhow::Result<()> {
    io::copy(from, to)?;
    Ok(to.flush()?)
}
