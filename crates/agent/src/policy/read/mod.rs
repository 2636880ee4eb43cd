//! Reads a policy: what of it this device obeys, and what it does not.
//!
//! What cannot be used must not open what it was to close: windows and directories that cannot be read never open and
//! allow nothing, while a number that makes no sense leaves its setting as if it were not set.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use guardhouse_contract::{
    link::{EffectiveFeature, Policy, UnappliedSetting, unapplied_setting::Reason},
    settings::{
        AgentPolicy, Feature, IsolationException, LogLevel, LoggingPolicy, MaintenanceWindow,
        RunCommandLimits, StringList, UpdatesPolicy, maintenance_window::Day,
    },
};
use guardhouse_model::maintenance::Window;
use http::Uri;
use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use prost::{Message, Name};

use super::{
    rules::Rules,
    shape::{self, Shape, unknown_fields},
};
use crate::{
    address,
    isolation::{kept::Exception, network::NetworkError},
    system::capture::CAP,
};

/// The path of the setting that names servers.
pub const SERVERS: &str = "servers";

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often a device may come.
const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(7 * 24 * 60 * 60);
/// How long scripts may be allowed to run.
const TIME_LIMITS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 60 * 60);
/// How long windows may stay open.
const WINDOWS: RangeInclusive<Duration> = MINUTE..=DAY;

/// What a device can do that not all can.
#[derive(Clone, Copy)]
pub struct Abilities<'a> {
    /// Looks a time zone up by its name.
    pub time_zone: &'a dyn Fn(&str) -> Option<TimeZone>,
    /// It can change how much it writes to its log.
    pub log_level: bool,
}

/// What a policy puts in force, and what of it is not.
#[must_use]
pub fn read(policy: &Policy, abilities: Abilities<'_>) -> (Rules, Vec<UnappliedSetting>) {
    let mut reading = Reading { feature: 0, abilities, rules: Rules::default(), unapplied: Vec::new() };
    for feature in &policy.features {
        reading.feature = feature.feature_id;
        let known = i32::try_from(feature.feature_id).ok().and_then(|number| Feature::try_from(number).ok());
        match known {
            Some(Feature::Agent) => reading.settings(feature, &shape::AGENT, Reading::agent),
            Some(Feature::Updates) => reading.settings(feature, &shape::UPDATES, Reading::updates),
            Some(Feature::Logging) if abilities.log_level => {
                reading.settings(feature, &shape::LOGGING, Reading::logging);
            }
            _ => reading.unsupported("", "this agent version does not know the feature"),
        }
    }
    (reading.rules, reading.unapplied)
}

struct Reading<'a> {
    /// The feature that is read.
    feature: u32,
    abilities: Abilities<'a>,
    rules: Rules,
    unapplied: Vec<UnappliedSetting>,
}

impl Reading<'_> {
    fn unsupported(&mut self, path: &str, detail: &str) {
        self.say(path, Reason::NotSupported, detail.to_owned());
    }

    fn unusable(&mut self, path: &str, detail: String) {
        self.say(path, Reason::NotUsable, detail);
    }

    fn say(&mut self, path: &str, reason: Reason, detail: String) {
        let (feature_id, path, reason) = (self.feature, path.to_owned(), reason.into());
        self.unapplied.push(UnappliedSetting { feature_id, path, reason, detail });
    }

    /// Reads the settings of a feature, which must be a message of this type.
    fn settings<M: Message + Name + Default>(
        &mut self,
        feature: &EffectiveFeature,
        shape: &Shape,
        take: fn(&mut Self, M),
    ) {
        let any = feature.configuration.as_ref();
        let (type_url, bytes) = any.map_or(("", &[][..]), |any| (&any.type_url, &any.value));
        if type_url.rsplit('/').next() != Some(M::full_name().as_str()) {
            return self
                .unusable("", format!("its settings are of type {type_url:?}, not {}", M::full_name()));
        }
        match M::decode(bytes) {
            Ok(settings) => {
                take(self, settings);
                for path in unknown_fields(bytes, shape) {
                    self.unsupported(&path, "this agent version does not know the setting");
                }
            }
            Err(error) => self.unusable("", format!("its settings cannot be read: {error}")),
        }
    }

    fn agent(&mut self, settings: AgentPolicy) {
        self.rules.connection_interval =
            self.length("connectionInterval", settings.connection_interval.as_ref(), INTERVALS);
        if let Some(servers) = settings.servers {
            self.rules.servers = self.servers(servers);
        }
        self.rules.allowed_actions = settings.allowed_actions.map(|list| list.values.into_iter().collect());
        self.rules.forbidden_actions =
            settings.forbidden_actions.map(|list| list.values.into_iter().collect()).unwrap_or_default();
        if let Some(windows) = settings.maintenance_windows
            && !windows.values.is_empty()
        {
            self.rules.maintenance_windows = Some(self.windows(&windows.values));
        }
        if let Some(delayed) = settings.delayed_actions {
            self.rules.delayed_actions = delayed.values.into_iter().collect();
        }
        if let Some(limits) = settings.run_command {
            self.run_command(limits);
        }
        if let Some(exceptions) = settings.isolation_exceptions {
            self.rules.isolation_exceptions = self.exceptions(&exceptions.values);
        }
    }

    fn updates(&mut self, settings: UpdatesPolicy) {
        self.rules.follows_releases = settings.agent_automatic.unwrap_or(true);
        let not_yet = "this agent version updates packages only when a task says so";
        if settings.system_security_automatic == Some(true) {
            self.unsupported("systemSecurityAutomatic", not_yet);
        }
        if settings.excluded_packages.is_some_and(|list| !list.values.is_empty()) {
            self.unsupported("excludedPackages", "this agent version leaves no packages out");
        }
    }

    fn logging(&mut self, settings: LoggingPolicy) {
        let Some(number) = settings.level else { return };
        match LogLevel::try_from(number) {
            Ok(level) if level != LogLevel::Unspecified => self.rules.log_level = Some(level),
            _ => self.unusable("level", format!("{number} is not a level that this agent version knows")),
        }
    }

    fn servers(&mut self, servers: StringList) -> Vec<Uri> {
        let mut usable = Vec::new();
        for text in servers.values {
            match address::parse(&text) {
                Ok(server) if usable.contains(&server) => {}
                Ok(server) => usable.push(server),
                Err(error) => self.unusable(SERVERS, error.to_string()),
            }
        }
        usable
    }

    fn exceptions(&mut self, exceptions: &[IsolationException]) -> Vec<Exception> {
        let mut usable = Vec::new();
        for exception in exceptions {
            match read_exception(exception) {
                Ok(exception) if usable.contains(&exception) => {}
                Ok(exception) => usable.push(exception),
                Err(detail) => self.unusable("isolationExceptions", detail),
            }
        }
        usable
    }

    fn windows(&mut self, windows: &[MaintenanceWindow]) -> Vec<Window> {
        let mut usable = Vec::new();
        for (number, window) in (1..).zip(windows) {
            match self.window(window) {
                Ok(window) => usable.push(window),
                Err(detail) => {
                    let detail = format!("window {number} never opens on this device: {detail}");
                    self.unusable("maintenanceWindows", detail);
                }
            }
        }
        usable
    }

    fn window(&self, window: &MaintenanceWindow) -> Result<Window, String> {
        let days =
            window.days.iter().map(|&day| weekday(day).ok_or_else(|| format!("{day} is no day of the week")));
        let duration = window.duration.as_ref().map(|duration| length(duration, WINDOWS)).transpose()?;
        Ok(Window {
            days: days.collect::<Result<_, _>>()?,
            start: start(&window.start)
                .ok_or_else(|| format!("{:?} is no time of the day; write it as HH:MM", window.start))?,
            duration: duration
                .and_then(|duration| SignedDuration::try_from(duration).ok())
                .ok_or("it has no duration")?,
            time_zone: match window.time_zone.as_str() {
                "" => None,
                "UTC" => Some(TimeZone::UTC),
                name => Some((self.abilities.time_zone)(name).ok_or_else(|| {
                    format!("its time zone database (the package tzdata) does not know {name:?}")
                })?),
            },
        })
    }

    fn run_command(&mut self, limits: RunCommandLimits) {
        let time_limit = self.length("runCommand.timeLimit", limits.time_limit.as_ref(), TIME_LIMITS);
        let output_limit = limits.output_limit_bytes.and_then(|bytes| {
            let limit = usize::try_from(bytes).ok().filter(|bytes| *bytes <= CAP);
            if limit.is_none() {
                self.unusable("runCommand.outputLimitBytes", format!("{bytes} is more than {CAP} bytes"));
            }
            limit
        });
        let directories = limits.directories.map(|list| {
            let (usable, others): (Vec<PathBuf>, Vec<PathBuf>) =
                list.values.into_iter().map(PathBuf::from).partition(|path| path.is_absolute());
            for path in others {
                self.unusable("runCommand.directories", format!("{path:?} is not an absolute path"));
            }
            usable
        });
        let rules = &mut self.rules.run_command;
        (rules.time_limit, rules.output_limit, rules.directories) = (time_limit, output_limit, directories);
    }

    fn length(
        &mut self,
        path: &str,
        given: Option<&prost_types::Duration>,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        match length(given?, range) {
            Ok(length) => Some(length),
            Err(detail) => {
                self.unusable(path, detail);
                None
            }
        }
    }
}

/// An exception whose port makes no sense must not open all ports.
fn read_exception(exception: &IsolationException) -> Result<Exception, String> {
    let network = exception.remote.parse().map_err(|error: NetworkError| error.to_string())?;
    let port = exception.port.map(|port| {
        let usable = u16::try_from(port).ok().filter(|port| *port != 0);
        usable.ok_or_else(|| format!("{port} is no port; ports are 1 to {}", u16::MAX))
    });
    Ok(Exception { network, port: port.transpose()? })
}

/// A length of time that must lie in a range.
fn length(given: &prost_types::Duration, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    Duration::try_from(*given)
        .ok()
        .filter(|length| range.contains(length))
        .ok_or_else(|| format!("{given} is not between {:?} and {:?}", range.start(), range.end()))
}

fn weekday(day: i32) -> Option<Weekday> {
    // Both count from Monday as 1.
    let day = Day::try_from(day).ok().filter(|day| *day != Day::Unspecified)?;
    Weekday::from_monday_one_offset(i8::try_from(i32::from(day)).ok()?).ok()
}

/// `HH:MM`.
fn start(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        let digits_only = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits_only.then(|| digits.parse::<i8>().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests;
