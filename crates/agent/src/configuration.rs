//! The settings of the agent on its machine: `/etc/guardhouse-agent/agent.toml`.
//!
//! They belong to who owns the machine. A server cannot change them, and what they switch off no task and no policy
//! switches on again, the departure from the server (`StopManaging`) included.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use guardhouse_contract::settings::LogLevel;
use guardhouse_model::actions::Action;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::snapshots;

/// The settings. What is not set is as the command line says, or as the agent does it by itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Actions that are never carried out on this machine, by their names.
    #[serde(default, deserialize_with = "actions")]
    pub disabled_actions: BTreeSet<String>,
    /// How long a script may run.
    #[serde(default, deserialize_with = "time")]
    pub command_time_limit: Option<Duration>,
    /// How much is written to the log while no policy says so.
    #[serde(default, deserialize_with = "level")]
    pub log_level: Option<LogLevel>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the settings {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It says something that it cannot say. The text names the line and shows it.
    #[error("{}: {}", .path.display(), .source.to_string().trim_end())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
}

impl Configuration {
    /// Reads the settings of a file. One that does not exist says nothing, unless it `must_exist`.
    ///
    /// # Errors
    /// The file cannot be read, or says something that it cannot say.
    pub fn load(path: &Path, must_exist: bool) -> Result<Self, ConfigurationError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => String::new(),
            Err(source) => return Err(ConfigurationError::Io { path: path.to_owned(), source }),
        };
        toml::from_str(&text)
            .map_err(|source| ConfigurationError::Content { path: path.to_owned(), source: Box::new(source) })
    }
}

/// A length of time of at least a second.
///
/// # Errors
/// What would be one, for people.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let advice = || format!("{text:?} is not a length of time; write for example 90s, 30m or 1h");
    let time: SignedDuration = text.parse().map_err(|_| advice())?;
    let time = Duration::try_from(time).map_err(|_| advice())?;
    if time < Duration::from_secs(1) { Err(advice()) } else { Ok(time) }
}

fn actions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let names = BTreeSet::<String>::deserialize(deserializer)?;
    match names.iter().find(|name| Action::named(name).is_none() && *name != snapshots::ACTION) {
        None => Ok(names),
        Some(unknown) => {
            let (known, own) = (Action::names(), snapshots::ACTION);
            Err(D::Error::custom(format!("{unknown:?} is not an action; there are {known}, {own}")))
        }
    }
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parse_time(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LogLevel>, D::Error> {
    let level = match String::deserialize(deserializer)?.as_str() {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        other => {
            let reason = format!("{other:?} is not a level; there are error, warn, info, debug, trace");
            return Err(D::Error::custom(reason));
        }
    };
    Ok(Some(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Configuration, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.toml");
        fs::write(&path, text).expect("written");
        Configuration::load(&path, true).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read() {
        let text = "disabled_actions = [\"StopManaging\", \"RunCommand\"]\ncommand_time_limit = \"90s\"\n\
                    log_level = \"debug\"\n";
        let expected = Configuration {
            disabled_actions: ["RunCommand".to_owned(), "StopManaging".to_owned()].into(),
            command_time_limit: Some(Duration::from_secs(90)),
            log_level: Some(LogLevel::Debug),
        };
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(include_str!("../service/agent.toml")), Ok(Configuration::default()));
    }

    #[test]
    fn what_is_proposed_in_the_file_of_the_package_can_be_used() {
        let lines = include_str!("../service/agent.toml").lines();
        let proposed: Vec<&str> = lines.filter_map(|line| line.strip_prefix('#')).collect();
        let settings: Vec<&str> = proposed.into_iter().filter(|line| !line.starts_with(' ')).collect();
        let read = read(&settings.join("\n")).expect("usable");
        assert_eq!(read.command_time_limit, Some(Duration::from_secs(3600)));
        assert_eq!((read.disabled_actions.len(), read.log_level), (2, Some(LogLevel::Info)));
    }

    #[test]
    fn errors_name_the_line_and_the_key() {
        let table = [
            ("\ndisabled_action = []", ["line 2", "disabled_action", "disabled_actions"]),
            (
                "disabled_actions = [\"Reboot\"]",
                ["line 1", "\"Reboot\" is not an action", "ShutdownComputer"],
            ),
            ("disabled_actions = \"RunCommand\"", ["line 1", "disabled_actions", "sequence"]),
            ("\n\ncommand_time_limit = 90", ["line 3", "command_time_limit", "string"]),
            ("command_time_limit = \"soon\"", ["line 1", "command_time_limit", "90s, 30m or 1h"]),
            ("log_level = \"loud\"", ["line 1", "log_level", "error, warn, info"]),
            ("log_level = ", ["line 1", "log_level", "agent.toml"]),
        ];
        for (text, expected) in table {
            let error = read(text).expect_err(text);
            for part in expected {
                assert!(error.contains(part), "{text} is answered with {part}: {error}");
            }
        }
    }

    #[test]
    fn only_a_file_that_was_asked_for_must_exist() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.toml");
        assert_eq!(Configuration::load(&path, false).expect("nothing said"), Configuration::default());
        let error = Configuration::load(&path, true).expect_err("missing").to_string();
        assert!(error.contains("agent.toml"), "{error}");
        let error = Configuration::load(folder.path(), false).expect_err("a folder").to_string();
        assert!(error.contains("cannot read"), "{error}");
    }

    #[test]
    fn lengths_of_time() {
        let table = [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("1h", Some(3_600)),
            ("1h 30m", Some(5_400)),
            ("0s", None),
            ("5", None),
        ];
        for (text, seconds) in table {
            assert_eq!(parse_time(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
