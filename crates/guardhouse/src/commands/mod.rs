//! The commands that call a server through its API.

pub mod agentless;
pub mod device;
pub mod group;
pub mod identity;
mod import;
mod input;
pub mod login;
pub mod policy;
mod rule;
pub mod task;

use clap::Args;

use crate::{client::ConnectionArgs, output::OutputFormat};

/// What every command of the API client takes.
#[derive(Debug, Clone, Args)]
pub struct ApiArgs {
    /// How to print the answer.
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: OutputFormat,

    /// Which server to call, and as whom.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser, Subcommand};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Debug, Subcommand)]
    enum Command {
        Login(login::LoginArgs),
        Agentless {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: Box<agentless::AgentlessCommand>,
        },
        Device {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: device::DeviceCommand,
        },
        Group {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: group::GroupCommand,
        },
        Identity {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: identity::IdentityCommand,
        },
        Policy {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: policy::PolicyCommand,
        },
        Task {
            #[command(flatten)]
            api: ApiArgs,
            #[command(subcommand)]
            command: task::TaskCommand,
        },
    }

    const TASK: &str = "0193a1b2-0000-7000-8000-000000000001";

    fn parsed(line: &str) -> Result<Command, String> {
        let words = ["guardhouse"].into_iter().chain(line.split(' '));
        Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
    }

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn connection_and_format_stand_anywhere() {
        for line in
            ["device -o json --server http://[::1]:1 list", "device list --server http://[::1]:1 -o json"]
        {
            let Ok(Command::Device { api, .. }) = parsed(line) else { panic!("{line}") };
            assert_eq!(api.output, OutputFormat::Json);
            assert_eq!(
                api.connection.server.map(|server| server.to_string()).as_deref(),
                Some("http://[::1]:1")
            );
        }
    }

    #[test]
    fn lines_that_are_accepted() {
        for line in [
            "login --user ann --password-stdin",
            "agentless location add images --folder /srv/images",
            "agentless location add apps --oci-layout /srv/apps --type snapshot",
            "agentless location add store --url s3://images/a --endpoint https://minio.test --access-key-id a --secret-file f",
            "agentless location add dav --url https://dav.test/images --store-user a --secret-file f --store-ca ca.pem",
            "agentless location look images",
            "agentless asset list --location images --type image --gone",
            "device list --name a --name b --status attention-required --muted false",
            "device get a b",
            "device import -",
            "device import names.txt --group All",
            "device move a --group b",
            "device rename a b",
            "group list",
            "group members All --recurse",
            "group create a --parent b --description c",
            "group move a --parent b",
            "group rename a b",
            "group show a",
            "group create-dynamic a --parent b --rule {} --description c",
            "group set-rule a --rule rule.json",
            "group preview --rule - --parent b",
            "group delete a --yes",
            "policy list",
            "policy get baseline",
            "policy create baseline --settings - --description c",
            "policy delete baseline",
            "policy assign baseline --group All --rank 1",
            "policy assign baseline --group All --dry-run --show-device a",
            &format!("policy unassign {TASK}"),
            &format!("policy rank {TASK} 2"),
            "policy assignments --policy baseline --device a",
            "policy effective --device a --explain",
            "task create run-command --device a --group b --expires 24h --wait --timeout 5m -- uname -a",
            "task create kill-process --device a --pid 7 --sha1 x --sha256 y",
            "task create action SystemUpdate --group a --name n --params {}",
            "task list",
            &format!("task get {TASK}"),
            &format!("task runs {TASK} --device a --last --results"),
            &format!("task delete {TASK}"),
            &format!("task retarget {TASK} --device a"),
            &format!("task rerun {TASK} --expires 1h"),
            "agentless scan --asset m-1 --asset m-2 --project vul",
            "agentless scan --type device --name-pattern web-* --data-disks --keep-days 7 --release-clean",
            &format!(
                "agentless scan --location {TASK} --type image --only-changed --skip-running --wait --timeout 1h"
            ),
            "agentless task list --status failed --status timed-out",
            "agentless findings --asset m-1 --cve CVE-2026-1 --urgency high --fixable",
            &format!("agentless task subtasks {TASK}"),
            &format!("agentless task cancel {TASK}"),
            "agentless schedule add nightly --name-pattern *.qcow2 --every 1d --at 03:00 --time-zone Europe/Vienna",
            "agentless schedule add weekly --type snapshot --every 2w --day monday --day friday --no-new-assets",
            &format!("agentless schedule disable {TASK}"),
            "agentless webhook add https://hooks.example.com/guardhouse --event task-finished",
            &format!("agentless webhook deliveries {TASK}"),
            &format!("agentless report {TASK} --format html -O report.html -o json"),
        ] {
            parsed(line).expect(line);
        }
    }

    #[test]
    fn lines_that_are_refused() {
        for (line, said) in [
            ("login --user ann", "--password-stdin"),
            ("agentless location add images", "--folder"),
            ("agentless location add images --folder /a --oci-layout /b", "cannot be used with"),
            ("agentless location add images --folder /a --secret-file f", "cannot be used with"),
            ("agentless location add store --url s3://a --access-key-id a", "--secret-file"),
            ("agentless asset list --gone --all", "cannot be used with"),
            ("device list --server http://guardhouse.test", "http:// is for servers on this machine only"),
            ("device list --muted perhaps", "perhaps"),
            ("device get", "<DEVICE>"),
            ("device move a", "--group"),
            ("policy create baseline", "--settings"),
            ("policy assign baseline", "--device"),
            ("policy assign baseline --device a --group b", "cannot be used with"),
            ("policy assign baseline --group a --show-device b", "--dry-run"),
            ("policy assign baseline --group a --rank 0", "0 is not in 1.."),
            ("policy unassign baseline", "baseline"),
            ("group create-dynamic a", "--rule"),
            ("task create run-command -- true", "--device"),
            ("task create run-command --device a", "<COMMAND>"),
            ("task create run-command --device a --timeout 5m -- true", "--wait"),
            ("task create run-command --device a --expires soon -- true", "24h"),
            ("task create kill-process --device a --pid 7", "--sha256"),
            ("task create action SystemUpdate --device a --params {", "not valid JSON"),
            ("task get web-1", "web-1"),
            (&format!("task retarget {TASK}"), "--device"),
            ("agentless scan", "--asset"),
            ("agentless scan --type server", "device"),
            ("agentless scan --device web-1 --keep-days 0", "365"),
            ("agentless scan --device web-1 --release-clean", "--keep-days"),
            ("agentless scan --asset m-1 --timeout 1h", "--wait"),
            ("agentless schedule add nightly --type image --every day", "12h"),
            ("agentless schedule add nightly --every 1d", "--asset"),
            ("agentless task show nightly", "nightly"),
        ] {
            let error = parsed(line).expect_err(line);
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
