//! The load generator against a real server.

use std::collections::HashMap;

use clap::Parser as _;
use guardhouse_contract::automation::{ListTasksRequest, ListTasksResponse};
use guardhouse_loadgen::{Cli, report::Report};
use serde_json::Value;

use crate::support::{ADMIN, PASSWORD, Server};

/// Runs the generator; answers its report by name, as its JSON has it.
async fn generate(server: &Server, words: &[&str]) -> HashMap<String, f64> {
    let (url, id) = (server.url("https"), server.id().to_string());
    let [command, further @ ..] = words else { panic!("no command") };
    let common = ["guardhouse-loadgen", command, "--server", &url, "--server-pid", &id, "--user", ADMIN];
    let words = [&common[..], &["--password", PASSWORD], further].concat();
    let mut report = Report::default();
    let cli = Cli::try_parse_from(&words).expect("good arguments");
    cli.run(&mut report).await.unwrap_or_else(|error| panic!("{words:?}: {error:#}"));
    let lines = report.json().expect("JSON");
    let figures = lines.lines().map(|line| {
        let figure: Value = serde_json::from_str(line).expect("one object per line");
        let name = figure["name"].as_str().expect("a name").to_owned();
        assert!(figure["unit"].is_string(), "{figure}");
        (name, figure["value"].as_f64().expect("a value"))
    });
    figures.collect()
}

#[tokio::test]
async fn simulated_agents_carry_tasks_out_take_policies_and_come_back_after_a_kill() {
    let server = Server::start(&[]).await;
    let (token, again) = (server.enrolment_token(None).await, server.start_command());
    let words =
        ["agents", "--agents", "5", "--tasks", "2", "--policies", "2", "--settle", "0", "--token", &token];
    let restarts = ["--restarts", "1", "--restart-with", &again];
    let found = generate(&server, &[&words[..], &restarts].concat()).await;
    assert_eq!((found["agents"], found["tasks"], found["restarts"]), (5.0, 2.0, 1.0));
    assert!(found["dispatch_p50"] > 0.0 && found["dispatch_p50"] <= found["dispatch_max"], "{found:?}");
    assert!(found["policy_p50"] <= found["policy_max"], "{found:?}");
    assert!(found["policy_total"] >= found["policy_p50"] && found["assign_call"] > 0.0, "{found:?}");
    assert!(found["reconnect_attempts"] >= 5.0, "{found:?}");
    assert!(found["reconnect_total"] >= found["reconnect_p50"], "{found:?}");
    for name in ["enrolment_rate", "connect_rate", "server_pss_connected", "dispatch_total", "create_call"] {
        assert!(found[name] > 0.0, "{name}: {found:?}");
    }
    assert!(found.contains_key("memory_per_agent") && found.contains_key("cpu_per_result"), "{found:?}");
}

#[tokio::test]
async fn the_public_api_is_called() {
    let server = Server::start(&[]).await;
    let ca = server.certificate_file();
    let rest = async |words: &[&str]| {
        let common = ["rest", "--ca", ca.to_str().expect("text"), "--concurrency", "2"];
        generate(&server, &[&common[..], words].concat()).await
    };
    let found = rest(&["import", "--devices", "25", "--batch", "10"]).await;
    assert_eq!(found["import_calls"], 3.0);
    assert!(found["imported_devices_rate"] > 0.0, "{found:?}");
    let found = rest(&["list", "--page-size", "10"]).await;
    assert_eq!(found["list_pages"], 3.0, "all 25 devices are there");
    assert!(found["list_first_p50"] > 0.0 && found["list_deep_p99"] > 0.0, "{found:?}");
    let found = rest(&["--rate", "100", "get", "--requests", "20"]).await;
    assert_eq!(found["get_calls"], 20.0);
    assert!(found["get_rate"] <= 110.0, "not faster than asked for: {found:?}");
    assert_eq!(rest(&["task", "--requests", "3"]).await["task_calls"], 3.0);
    let listed: Result<ListTasksResponse, _> = server.admin().await.call(&ListTasksRequest::default()).await;
    assert_eq!(listed.expect("a page").tasks.len(), 3);
}
