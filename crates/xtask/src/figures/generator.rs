//! The load generator, as a process of its own: it has its own limits, and its memory is not that of this one.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::Context as _;
use serde::Deserialize;
use tokio::process::Command;

use super::{
    house::{House, USER},
    setup::Setup,
};

/// What a run of the generator found, by name.
#[derive(Debug)]
pub struct Found(BTreeMap<String, f64>);

#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    value: f64,
}

impl Found {
    /// The value of a figure.
    ///
    /// # Errors
    /// The generator did not measure it.
    pub fn get(&self, name: &str) -> anyhow::Result<f64> {
        self.0.get(name).copied().with_context(|| format!("the generator did not measure {name}"))
    }
}

/// Simulates `agents` agents, with further arguments.
///
/// # Errors
/// The generator fails; its own words are on standard error.
pub async fn agents(setup: &Setup, house: &House, agents: usize, further: &[&str]) -> anyhow::Result<Found> {
    let (count, token) = (agents.to_string(), house.token(agents).await?);
    let words = ["agents", "--agents", &count, "--token", &token, "--concurrency", "64"];
    run(setup, house, &[&words[..], further].concat()).await
}

/// Calls the public API: `load` says how, `call` what.
///
/// # Errors
/// The generator fails; its own words are on standard error.
pub async fn rest(setup: &Setup, house: &House, load: &[&str], call: &[&str]) -> anyhow::Result<Found> {
    let ca = house.ca();
    let ca = ca.to_str().context("an odd folder")?;
    run(setup, house, &[&["rest", "--ca", ca], load, call].concat()).await
}

async fn run(setup: &Setup, house: &House, words: &[&str]) -> anyhow::Result<Found> {
    let [command, further @ ..] = words else { anyhow::bail!("no command") };
    let mut child = Command::new(&setup.generator);
    child.arg(command).args(["--json", "--user", USER, "--server", &house.url()]);
    child.arg("--password-file").arg(house.password_file()).args(["--server-pid", &house.id()?.to_string()]);
    child.args(further).env("GUARDHOUSE_LOG", "warn").env_remove("RUST_BACKTRACE");
    let ended = child.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).output().await?;
    anyhow::ensure!(ended.status.success(), "guardhouse-loadgen {command} failed; it said why above");
    read(&String::from_utf8(ended.stdout)?)
}

fn read(lines: &str) -> anyhow::Result<Found> {
    let lines = lines.lines().map(|line| Ok(serde_json::from_str(line)?));
    let lines: Vec<Line> = lines.collect::<anyhow::Result<_>>().context("odd words of the generator")?;
    Ok(Found(lines.into_iter().map(|line| (line.name, line.value)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_read() {
        let found = read(
            "{\"name\":\"a\",\"value\":1.5,\"unit\":\"ms\"}\n{\"name\":\"b\",\"value\":2,\"unit\":\"\"}\n",
        );
        let found = found.expect("good lines");
        assert_eq!((found.get("a").expect("there"), found.get("b").expect("there")), (1.5, 2.0));
        assert!(found.get("c").expect_err("not there").to_string().contains("did not measure c"));
        read("warning: x\n").expect_err("not a figure");
    }
}
