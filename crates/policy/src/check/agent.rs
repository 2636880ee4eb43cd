//! How the agent behaves.

use guardhouse_contract::settings::{AgentPolicy, IsolationException, MaintenanceWindow, RunCommandLimits};

use super::{
    forms::{self, DAY, MINUTE},
    found::Found,
};

/// Most bytes that can be kept of an output stream.
const LARGEST_OUTPUT: u32 = 65_536;

/// Longest description of an exception, in characters.
const LONGEST_DESCRIPTION: usize = 255;

pub(super) fn check(found: &mut Found, settings: &AgentPolicy) {
    if let Some(interval) = &settings.connection_interval {
        found
            .member("connectionInterval", |found| found.judge(forms::duration(Some(interval), 10..=7 * DAY)));
    }
    found.texts("servers", settings.servers.as_ref(), forms::server);
    found.texts("allowedActions", settings.allowed_actions.as_ref(), forms::action);
    found.texts("forbiddenActions", settings.forbidden_actions.as_ref(), forms::forbidden_action);
    found.texts("delayedActions", settings.delayed_actions.as_ref(), forms::action);
    if let Some(windows) = &settings.maintenance_windows {
        found
            .list("maintenanceWindows", windows.merge, |found| found.each("values", &windows.values, window));
    }
    if let Some(limits) = &settings.run_command {
        found.member("runCommand", |found| run_command(found, limits));
    }
    if let Some(exceptions) = &settings.isolation_exceptions {
        found.list("isolationExceptions", exceptions.merge, |found| {
            found.each("values", &exceptions.values, exception);
        });
    }
}

fn window(found: &mut Found, window: &MaintenanceWindow) {
    found.each("days", &window.days, |found, &day| found.judge(forms::day(day)));
    found.member("start", |found| found.judge(forms::clock(&window.start)));
    found.member("duration", |found| found.judge(forms::duration(window.duration.as_ref(), MINUTE..=DAY)));
    found.member("timeZone", |found| found.judge(forms::time_zone(&window.time_zone)));
}

fn run_command(found: &mut Found, limits: &RunCommandLimits) {
    if let Some(limit) = &limits.time_limit {
        found.member("timeLimit", |found| found.judge(forms::duration(Some(limit), 1..=7 * DAY)));
    }
    if let Some(bytes) = limits.output_limit_bytes.filter(|bytes| *bytes > LARGEST_OUTPUT) {
        let wrong = format!("is {bytes}; at most {LARGEST_OUTPUT} bytes can be kept");
        found.member("outputLimitBytes", |found| found.wrong(wrong));
    }
    found.texts("directories", limits.directories.as_ref(), forms::path);
}

fn exception(found: &mut Found, exception: &IsolationException) {
    let length = exception.description.chars().count();
    if length > LONGEST_DESCRIPTION {
        let wrong = format!("has {length} characters; at most {LONGEST_DESCRIPTION} are allowed");
        found.member("description", |found| found.wrong(wrong));
    }
    found.member("remote", |found| found.judge(forms::remote(&exception.remote)));
    if let Some(port) = exception.port {
        found.member("port", |found| found.judge(forms::port(port)));
    }
}
