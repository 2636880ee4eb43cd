//! The calls that can be made many times.

use std::sync::Arc;

use anyhow::Context as _;
use guardhouse_model::Environment;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::caller::Caller;

/// How long a created task stays open.
const TASK_LIFE: std::time::Duration = std::time::Duration::from_secs(600);

/// The uuids of up to 1000 devices.
///
/// # Errors
/// There is none.
pub async fn device_ids(caller: &Caller) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Page {
        devices: Vec<Device>,
    }
    #[derive(Deserialize)]
    struct Device {
        uuid: String,
    }
    let page: Page = serde_json::from_slice(&caller.get("/v1/devices?pageSize=1000").await?.body)?;
    anyhow::ensure!(!page.devices.is_empty(), "the server has no devices; import some first");
    Ok(page.devices.into_iter().map(|device| device.uuid).collect())
}

/// Gets one device after the other.
#[derive(Debug, Clone)]
pub struct Get {
    /// Their uuids.
    pub devices: Arc<Vec<String>>,
}

impl Get {
    /// The call with this number.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn call(&self, caller: &Caller, number: usize) -> anyhow::Result<()> {
        let device = &self.devices[number % self.devices.len()];
        caller.get(&format!("/v1/devices/{device}")).await.map(drop)
    }
}

/// Imports devices in batches.
#[derive(Debug, Clone, Copy)]
pub struct Import {
    /// How many.
    pub devices: usize,
    /// How many of them in a call.
    pub batch: usize,
}

impl Import {
    /// The call with this number.
    ///
    /// # Errors
    /// The server refuses it, or one of its devices.
    pub async fn call(&self, caller: &Caller, number: usize) -> anyhow::Result<()> {
        let from = number * self.batch;
        let devices = (from..(from + self.batch).min(self.devices)).map(|device| {
            json!({"displayName": format!("load-{device:07}"), "description": "imported by the load generator"})
        });
        let body = json!({"devices": devices.collect::<Vec<_>>()}).to_string();
        let answer = caller.post("/v1/devices:batchImport", body).await?;
        refuse_errors(&answer.body)
    }
}

/// Creates tasks.
#[derive(Debug, Clone)]
pub struct Task {
    devices: Arc<Vec<String>>,
    expire_time: String,
}

impl Task {
    /// For these devices, by turns.
    ///
    /// # Errors
    /// None that a working clock could cause.
    pub fn new(devices: Arc<Vec<String>>) -> anyhow::Result<Self> {
        let expire_time = Environment::system().now().saturating_add(TASK_LIFE)?.to_string();
        Ok(Self { devices, expire_time })
    }

    /// The call with this number.
    ///
    /// # Errors
    /// The server refuses it.
    pub async fn call(&self, caller: &Caller, number: usize) -> anyhow::Result<()> {
        let body = json!({"task": {
            "displayName": format!("load {number}"),
            "action": {"name": "RunCommand", "params": {
                "@type": "type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand",
                "commandLine": "# guardhouse-loadgen",
            }},
            "targets": {"devicesUuids": [self.devices[number % self.devices.len()]]},
            "triggers": [{"manual": {"expireTime": self.expire_time}}],
        }});
        caller.post("/v1/device_tasks", body.to_string()).await.map(drop)
    }
}

/// A batch may be taken in part; the generator sends nothing that could be refused.
fn refuse_errors(body: &[u8]) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Imported {
        #[serde(default)]
        errors: Map<String, Value>,
    }
    let imported: Imported = serde_json::from_slice(body).context("the answer to an import is odd")?;
    match imported.errors.iter().next() {
        None => Ok(()),
        Some((name, error)) => anyhow::bail!("{name} was not imported: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_was_not_imported_is_an_error() {
        refuse_errors(br#"{"devices": [], "errors": {}}"#).expect("all imported");
        refuse_errors(b"{}").expect("all imported");
        let error =
            refuse_errors(br#"{"devices": [], "errors": {"x": {"code": 3}}}"#).expect_err("one was not");
        assert!(error.to_string().starts_with("x was not imported"), "{error}");
    }
}
