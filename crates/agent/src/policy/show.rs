//! The policy for the person at the device.

use std::fmt::Write as _;

use guardhouse_contract::{link::UnappliedSetting, settings::Feature};
use guardhouse_model::maintenance::Window;
use jiff::{SignedDuration, fmt::friendly::SpanPrinter};

use super::{Policies, Rules};

impl Policies {
    /// What is in force and what is not, a line for each setting; settings that are not set are not named.
    #[must_use]
    pub fn show(&self) -> String {
        let Some(report) = self.report() else { return "This device has no policy.\n".to_owned() };
        let mut text = format!("policy {}\n\nIn force:\n", hex(&report.generation));
        let mut settings = settings(&self.rules);
        settings.extend(line("servers", self.kept.servers.clone()));
        list(&mut text, settings);
        text.push_str("\nNot in force:\n");
        list(&mut text, report.unapplied.iter().map(unapplied).collect());
        text
    }
}

fn list(text: &mut String, lines: Vec<String>) {
    if lines.is_empty() {
        text.push_str("  nothing\n");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// The settings of a policy that are in force, but for the servers.
fn settings(rules: &Rules) -> Vec<String> {
    let defaults = Rules::default();
    let names = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
    let length =
        |length: std::time::Duration| vec![friendly(length.try_into().unwrap_or(SignedDuration::MAX))];
    let run_command = &rules.run_command;
    let mut lines = Vec::new();
    lines.extend(rules.connection_interval.and_then(|interval| line("connectionInterval", length(interval))));
    // A list that is set and empty is a setting too.
    lines.extend(rules.allowed_actions.as_ref().map(|actions| set_line("allowedActions", names(actions))));
    lines.extend(line("forbiddenActions", names(&rules.forbidden_actions)));
    lines.extend(
        rules
            .maintenance_windows
            .as_ref()
            .map(|windows| set_line("maintenanceWindows", windows.iter().map(window).collect())),
    );
    if rules.delayed_actions != defaults.delayed_actions {
        lines.push(set_line("delayedActions", names(&rules.delayed_actions)));
    }
    lines.extend(run_command.time_limit.and_then(|limit| line("runCommand.timeLimit", length(limit))));
    lines.extend(run_command.output_limit.map(|bytes| format!("runCommand.outputLimitBytes: {bytes}")));
    lines.extend(run_command.directories.as_ref().map(|directories| {
        let paths = directories.iter().map(|path| path.display().to_string()).collect();
        set_line("runCommand.directories", paths)
    }));
    lines.extend(line(
        "isolationExceptions",
        rules.isolation_exceptions.iter().map(ToString::to_string).collect(),
    ));
    lines.extend((!rules.follows_releases).then(|| "agentAutomatic: false".to_owned()));
    lines.extend(rules.log_level.map(|level| format!("level: {}", level.as_str_name())));
    lines
}

fn line(name: &str, values: Vec<String>) -> Option<String> {
    (!values.is_empty()).then(|| set_line(name, values))
}

fn set_line(name: &str, values: Vec<String>) -> String {
    let values = if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    format!("{name}: {values}")
}

fn window(window: &Window) -> String {
    let days: Vec<String> = window.days.iter().map(|day| format!("{day:?}")).collect();
    let days = if days.is_empty() { "every day".to_owned() } else { days.join(" and ") };
    let zone = window.time_zone.as_ref().map_or("local time", |zone| zone.iana_name().unwrap_or("UTC"));
    format!("{days} at {} for {} ({zone})", window.start.strftime("%H:%M"), friendly(window.duration))
}

fn friendly(length: SignedDuration) -> String {
    SpanPrinter::new().duration_to_string(&length)
}

fn unapplied(setting: &UnappliedSetting) -> String {
    let feature = i32::try_from(setting.feature_id).ok().and_then(|number| Feature::try_from(number).ok());
    let feature = feature
        .map_or_else(|| format!("feature {}", setting.feature_id), |known| known.as_str_name().to_owned());
    let path = if setting.path.is_empty() { String::new() } else { format!(" {}", setting.path) };
    format!("{feature}{path}: {}: {}", setting.reason().as_str_name(), setting.detail)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::{
        link::{EffectiveFeature, Policy},
        settings::{
            AgentPolicy, IsolationException, IsolationExceptionList, MaintenanceWindow,
            MaintenanceWindowList, RunCommandLimits, StringList,
        },
        status::pack,
    };

    use super::*;
    use crate::kill_points::KillPoint;

    #[test]
    fn a_person_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut policies = Policies::open(folder.path().join("policy"), true, KillPoint::default());
        assert_eq!(policies.show(), "This device has no policy.\n");

        let strings = |values: &[&str]| {
            Some(StringList { values: values.iter().map(|&text| text.to_owned()).collect(), merge: 0 })
        };
        let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let windows = vec![
            MaintenanceWindow {
                days: vec![1, 7],
                start: "22:30".to_owned(),
                duration: seconds(5_400),
                time_zone: "UTC".to_owned(),
            },
            MaintenanceWindow { start: "03:00".to_owned(), duration: seconds(3_600), ..Default::default() },
        ];
        let exception = IsolationException {
            description: "name server".to_owned(),
            remote: "192.0.2.53/30".to_owned(),
            port: Some(53),
        };
        let settings = AgentPolicy {
            connection_interval: seconds(5_400),
            servers: strings(&["https://a.test"]),
            allowed_actions: strings(&["RunCommand", "SystemUpdate"]),
            maintenance_windows: Some(MaintenanceWindowList { values: windows, merge: 0 }),
            run_command: Some(RunCommandLimits {
                output_limit_bytes: Some(0),
                directories: strings(&[]),
                ..Default::default()
            }),
            isolation_exceptions: Some(IsolationExceptionList { values: vec![exception], merge: 0 }),
            ..Default::default()
        };
        let vendor = EffectiveFeature { feature_id: 42, ..Default::default() };
        let agent = EffectiveFeature {
            feature_id: i32::from(Feature::Agent).unsigned_abs(),
            configuration: Some(pack(&settings)),
            read_only_paths: Vec::new(),
        };
        let policy = Policy { generation: vec![0xa0, 0x0b], features: vec![agent, vendor] };
        policies.take(policy).expect("kept");
        let expected = "\
policy a00b

In force:
  connectionInterval: 1h 30m
  allowedActions: RunCommand, SystemUpdate
  maintenanceWindows: Monday and Sunday at 22:30 for 1h 30m (UTC), every day at 03:00 for 1h (local time)
  runCommand.outputLimitBytes: 0
  runCommand.directories: none
  isolationExceptions: 192.0.2.52/30 port 53

Not in force:
  feature 42: NOT_SUPPORTED: this agent version does not know the feature
  FEATURE_AGENT servers: ROLLED_BACK: none of the addresses has been reached yet
";
        assert_eq!(policies.show(), expected);
    }
}
