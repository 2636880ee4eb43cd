//! `guardhouse device import`

use std::{collections::HashMap, path::Path, process::ExitCode};

use anyhow::Context as _;
use guardhouse_contract::{
    devices::{Device, ImportDeviceBatchRequest, ImportDeviceBatchResponse},
    json,
};

use crate::{
    client::Client,
    commands::input,
    output::{OutputFormat, devices, printable},
};

/// Most devices of one call.
const LARGEST_BATCH: usize = 1_000;

/// Imports a file. What is imported goes to standard output, what is not to standard error.
pub async fn run(
    client: &Client,
    file: &Path,
    group: Option<&str>,
    output: OutputFormat,
) -> anyhow::Result<ExitCode> {
    let shown = input::name(file);
    let text = input::read(file).with_context(|| format!("cannot read {shown}"))?;
    let mut request = parse(&text).with_context(|| format!("cannot import {shown}"))?;
    if let Some(group) = group {
        request.parent_group_uuid = client.resolve_group(group).await?;
    }

    let mut imported = ImportDeviceBatchResponse::default();
    let mut refused = None;
    for (index, batch) in request.devices.chunks(LARGEST_BATCH).enumerate() {
        let request = ImportDeviceBatchRequest {
            devices: batch.to_vec(),
            parent_group_uuid: request.parent_group_uuid.clone(),
        };
        match client.import_device_batch(&request).await {
            Ok(answer) => {
                imported.devices.extend(answer.devices);
                imported.errors.extend(answer.errors);
            }
            // What was imported before is shown all the same.
            Err(error) => {
                let first = index * LARGEST_BATCH + 1;
                refused = Some(error.context(format!(
                    "devices {first} to {} of {} are not imported, nor are those after them",
                    first + batch.len() - 1,
                    request.devices.len()
                )));
                break;
            }
        }
    }

    output.show(&imported, |imported| devices::devices(&imported.devices))?;
    let mut errors: Vec<_> = imported.errors.iter().collect();
    errors.sort_by_key(|(name, _)| *name);
    for (name, status) in &errors {
        eprintln!("{}", printable(&format!("{name:?}: {}", status.message)));
    }
    eprintln!(
        "imported {}, not imported {}",
        imported.devices.len(),
        request.devices.len() - imported.devices.len()
    );
    match refused {
        Some(refused) => Err(refused),
        None if errors.is_empty() => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::FAILURE),
    }
}

/// Reads an import: a JSON document, or one name per line. A name may come once: the server checks that
/// within a batch, and a file may become several.
fn parse(text: &str) -> anyhow::Result<ImportDeviceBatchRequest> {
    let text = text.trim_start_matches('\u{feff}');
    let request = if text.trim_start().starts_with('{') {
        json::from_value(&serde_json::from_str(text).context("it is not valid JSON")?)?
    } else {
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
        let device = |name: &str| Device { display_name: name.to_owned(), ..Default::default() };
        ImportDeviceBatchRequest { devices: names.map(device).collect(), ..Default::default() }
    };
    anyhow::ensure!(!request.devices.is_empty(), "it names no device");

    let mut first = HashMap::new();
    for (index, device) in request.devices.iter().enumerate() {
        let name = device.display_name.as_str();
        if let Some(other) = first.insert(name, index) {
            anyhow::bail!(
                "devices {} and {} have the same name, {name:?}; names must be unique",
                other + 1,
                index + 1
            );
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_names_or_a_document() {
        let names = |text: &str| {
            let request = parse(text).expect("valid");
            let names = request.devices.into_iter().map(|device| device.display_name);
            (names.collect::<Vec<_>>(), request.parent_group_uuid)
        };
        let web = || vec!["web-1".to_owned(), "web 2".to_owned()];
        assert_eq!(names("\u{feff}web-1\r\n\n  web 2 "), (web(), String::new()));
        let document =
            r#" {"devices": [{"displayName": "web-1"}, {"display_name": "web 2"}], "parentGroupUuid": "g"}"#;
        assert_eq!(names(document), (web(), "g".to_owned()));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        for (text, said) in [
            ("", "no device"),
            (" \n\n", "no device"),
            ("{}", "no device"),
            ("{", "not valid JSON"),
            (r#"{"devices": [{"displayName": 7}]}"#, "devices[0].displayName"),
            ("a\nb\n\na", r#"devices 1 and 3 have the same name, "a""#),
        ] {
            let error = format!("{:#}", parse(text).expect_err("refused"));
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
