//! `cargo xtask figures`

mod agent_rss;
mod agentless;
mod api;
mod bare_insert;
mod checkins;
mod dispatch;
mod figure;
mod fill;
mod generator;
mod house;
mod import;
mod list_depth;
mod memory;
mod policies;
mod postgres;
mod reconnect;
mod scan;
mod setup;
mod start;
mod targets;

use anyhow::Context as _;
use clap::{Args, ValueEnum as _};

use figure::{Figure, Measured};
use fill::Filled;
use setup::Setup;
use targets::Name;

/// What is measured, and how it is told.
#[derive(Debug, Args)]
pub struct FiguresArgs {
    /// Print one JSON object per figure: name, value, unit, target, met, and what was seen beside it.
    #[arg(long)]
    json: bool,

    /// Only these figures.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<Name>,

    /// A PostgreSQL, for import_rate_postgres, agentless_list and agentless_queue: postgres://USER:PASSWORD@HOST:PORT/DATABASE. The role must be allowed
    /// to create databases; new ones are used and dropped. Needs psql.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,

    /// Share of the agents, devices and runs, to see quickly that everything works; says nothing about the targets.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    scale: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    (share > 0.0 && share <= 1.0).then_some(share).ok_or_else(|| "must be above 0 and at most 1".to_owned())
}

/// Measures everything that is asked for. A figure that cannot be measured does not keep the others from it.
///
/// # Errors
/// The binaries cannot be built, or some figure could not be measured; those that could were printed.
pub async fn run(args: FiguresArgs) -> anyhow::Result<()> {
    let setup = Setup::new(args.scale)?;
    let mut teller = Teller { as_json: args.json, figures: Vec::new(), failed: Vec::new() };
    let is_wanted = |name: Name| match args.only.is_empty() {
        // Without a PostgreSQL there is nothing to say about it.
        true => name != Name::ImportRatePostgres || args.database_url.is_some(),
        false => args.only.contains(&name),
    };
    let mut filled: Option<Filled> = None;
    let mut costs = Vec::new();
    for &name in Name::value_variants().iter().filter(|&&name| is_wanted(name)) {
        eprintln!("==> {}", name.text());
        let outcome = match name {
            Name::Dispatch1k => dispatch::measure(&setup, 1_000, 10, &mut costs).await,
            Name::Dispatch10k => dispatch::measure(&setup, 10_000, 5, &mut costs).await,
            Name::CpuPerResult => dispatch::cost(&setup, &mut costs).await,
            Name::MemoryPerAgent => memory::measure(&setup).await,
            Name::AgentRss => agent_rss::measure(&setup).await,
            Name::Reconnect10k => reconnect::measure(&setup).await,
            Name::ImportRate => import::sqlite(&setup).await,
            Name::ImportRatePostgres => match &args.database_url {
                Some(url) => import::postgres(&setup, url).await,
                None => Err(anyhow::anyhow!("name a PostgreSQL with --database-url")),
            },
            Name::Checkins => checkins::measure(&setup).await,
            Name::ListDepth => match fill::once(&mut filled, &setup).await {
                Ok(filled) => list_depth::measure(&setup, filled).await,
                Err(error) => Err(error),
            },
            Name::Start1m => match fill::once(&mut filled, &setup).await {
                Ok(filled) => start::measure(filled).await,
                Err(error) => Err(error),
            },
            Name::PolicyMerge => policies::merge::measure(&setup),
            Name::PolicyAssignAll => policies::assign::measure(&setup).await,
            Name::PolicyLooks => policies::looks::measure(&setup).await,
            Name::PolicyReach => policies::reach::measure(&setup, 1, 20).await,
            Name::PolicyReach1k => policies::reach::measure(&setup, 1_000, 10).await,
            Name::PolicyReach10k => policies::reach::measure(&setup, 10_000, 5).await,
            Name::Formats => scan::formats(&setup).await,
            Name::VmPackages => scan::vm_packages(&setup).await,
            Name::ReadRate => scan::read_rate(&setup).await,
            Name::ManyFiles => scan::many_files(&setup).await,
            Name::AgentlessList => agentless::list::measure(&setup, args.database_url.as_deref()).await,
            Name::AgentlessQueue => agentless::queue::measure(&setup, args.database_url.as_deref()).await,
        };
        teller.tell(name, outcome)?;
    }
    teller.end()
}

/// Tells what was found.
struct Teller {
    as_json: bool,
    figures: Vec<Figure>,
    failed: Vec<String>,
}

impl Teller {
    fn tell(&mut self, name: Name, outcome: anyhow::Result<Measured>) -> anyhow::Result<()> {
        let outcome = outcome.map_err(|error| format!("{error:#}"));
        if let Err(error) = &outcome {
            eprintln!("error: {}: {error}", name.text());
            self.failed.push(name.text());
        }
        let figure = Figure::new(name, outcome);
        if self.as_json {
            println!("{}", figure.json().context("a figure cannot be written")?);
        }
        self.figures.push(figure);
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        if !self.as_json {
            print!("{}", figure::table(&self.figures));
        }
        anyhow::ensure!(self.failed.is_empty(), "not measured: {}", self.failed.join(", "));
        Ok(())
    }
}

/// The median; 0 of nothing.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The moment, for measuring.
#[allow(clippy::disallowed_methods, reason = "figures measure real time")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_shares() {
        assert_eq!(median(&mut []), 0.0);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(share("0.01"), Ok(0.01));
        for wrong in ["0", "1.1", "-1", "x", "NaN"] {
            share(wrong).expect_err(wrong);
        }
    }
}
