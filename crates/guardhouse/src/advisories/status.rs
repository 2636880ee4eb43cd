//! `guardhouse advisories status`

use std::process::ExitCode;

use clap::Args;
use guardhouse_advisories::{Source, store};
use guardhouse_model::{Environment, Timestamp};

use crate::{advisories::StoreArgs, output};

/// How many ecosystems of a source are named in the table.
const MOST_NAMED: usize = 3;

/// Say what is there.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// For programs: JSON, with everything that is known of each source.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    store: StoreArgs,
}

impl StatusArgs {
    /// Prints the sources.
    ///
    /// # Errors
    /// There is no store, or it cannot be read.
    pub fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        let sources = store::sources(&self.store.path()?)?;
        let text = if self.json {
            serde_json::to_string_pretty(&serde_json::json!({ "sources": sources }))?
        } else {
            table(&sources, environment.now())
        };
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn table(sources: &[Source], now: Timestamp) -> String {
    let header =
        ["NAME", "FORMAT", "ADVISORIES", "PACKAGES", "ECOSYSTEMS", "NEWEST CHANGE", "CHECKED", "FROM"];
    let row = |source: &Source| {
        let mut ecosystems =
            source.ecosystems.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = source.ecosystems.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            ecosystems.push_str(&format!(" and {more} more"));
        }
        [
            source.name.clone(),
            source.format.clone(),
            source.advisories.to_string(),
            source.packages.to_string(),
            ecosystems,
            source.newest.map(|time| ago(time, now)).unwrap_or_default(),
            ago(source.checked, now),
            source.origin.location.clone(),
        ]
    };
    output::table(header, sources.iter().map(row))
}

/// How long ago something was, in its largest unit.
fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(time.as_second());
    let told = |count: i64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match seconds {
        86_400.. => told(seconds / 86_400, "day"),
        3_600.. => told(seconds / 3_600, "hour"),
        60.. => told(seconds / 60, "minute"),
        _ => "just now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use guardhouse_advisories::Origin;

    use super::*;

    #[test]
    fn a_source_is_a_line_that_tells_its_age() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a moment");
        let source = Source {
            name: "debian".to_owned(),
            format: "debian-tracker".to_owned(),
            origin: Origin { location: "https://mirror.test/debian.json".to_owned(), ..Origin::default() },
            checked: "2026-11-22T10:30:00Z".parse().expect("a moment"),
            newest: "2026-11-01T00:00:00Z".parse().ok(),
            advisories: 40_000,
            packages: 3_000,
            ecosystems: ["Debian:10", "Debian:11", "Debian:12", "Debian:13"].map(str::to_owned).to_vec(),
            ..Source::default()
        };
        let expected = "\
            NAME    FORMAT          ADVISORIES  PACKAGES  ECOSYSTEMS                                  NEWEST CHANGE  CHECKED     FROM\n\
            debian  debian-tracker  40000       3000      Debian:10, Debian:11, Debian:12 and 1 more  21 days ago    1 hour ago  https://mirror.test/debian.json";
        assert_eq!(table(&[source], now), expected);
        for (time, expected) in
            [("2026-11-22T12:00:01Z", "just now"), ("2026-11-22T11:58:59Z", "1 minute ago")]
        {
            assert_eq!(ago(time.parse().expect("a moment"), now), expected);
        }
    }
}
