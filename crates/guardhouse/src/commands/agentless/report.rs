//! `guardhouse agentless report`

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
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

    /// Its form; without it, what the ending of FILE says: html for .html and .htm, else json.
    #[arg(long, value_enum)]
    format: Option<FormatArg>,

    /// Where to write it; - is standard output.
    #[arg(short = 'O', long = "to", value_name = "FILE", default_value = "-")]
    to: PathBuf,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For programs.
    Json,
    /// A page for people.
    Html,
}

impl FormatArg {
    /// What a file with this name is for.
    fn of_file(path: &Path) -> Self {
        let is_page = |ending: &OsStr| ["html", "htm"].iter().any(|page| ending.eq_ignore_ascii_case(page));
        if path.extension().is_some_and(is_page) { Self::Html } else { Self::Json }
    }
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
        let format = match self.format.unwrap_or_else(|| FormatArg::of_file(&self.to)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_file_says_its_form() {
        use FormatArg::{Html, Json};
        let table = [
            ("x.html", Html),
            ("a/b.HTM", Html),
            ("x.json", Json),
            ("x.html.json", Json),
            ("x.txt", Json),
            ("html", Json),
            (".html", Json),
            ("-", Json),
        ];
        for (file, format) in table {
            assert_eq!(FormatArg::of_file(Path::new(file)), format, "{file}");
        }
    }
}
