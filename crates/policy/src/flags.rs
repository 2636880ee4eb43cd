//! Flags of settings, by paths into the configuration.

use std::collections::HashMap;

use guardhouse_contract::policies::SettingFlags;
use guardhouse_model::policies::SettingPath;

/// The flags of one feature of one policy.
pub(crate) struct Flags(Vec<(Vec<String>, SettingFlags)>);

impl Flags {
    /// Reads flags by their paths, whose names may be spelled in camelCase or snake_case.
    pub(crate) fn new(flags: &HashMap<String, SettingFlags>) -> Self {
        let read =
            |(path, flags): (&String, &SettingFlags)| (path.split('.').map(camel_case).collect(), *flags);
        Self(flags.iter().map(read).collect())
    }

    /// The flags of the setting at `path`: those that name it, and those that name something above it. What one of them
    /// demands, others do not take back. A flag that names something inside of a configuration that is one setting
    /// names that setting.
    pub(crate) fn of(&self, path: &SettingPath) -> SettingFlags {
        let names: Vec<_> = path.names().iter().map(|name| camel_case(name)).collect();
        let covers = |flag: &[String]| names.is_empty() || names.starts_with(flag);
        let covering = || self.0.iter().filter(|(flag, _)| covers(flag)).map(|(_, flags)| flags);
        SettingFlags {
            apply_forcefully: covering().any(|flags| flags.apply_forcefully),
            read_only: covering().any(|flags| flags.read_only),
        }
    }
}

/// The lowerCamelCase of a name, by protobuf's rule: an underscore makes the next letter a capital.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut capital = false;
    for letter in name.chars() {
        if letter == '_' {
            capital = true;
        } else if std::mem::take(&mut capital) {
            camel.push(letter.to_ascii_uppercase());
        } else {
            camel.push(letter);
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(paths: &[(&str, bool, bool)]) -> Flags {
        let flags = |&(path, apply_forcefully, read_only): &(&str, bool, bool)| {
            (path.to_owned(), SettingFlags { apply_forcefully, read_only })
        };
        Flags::new(&paths.iter().map(flags).collect())
    }

    fn of(flags: &Flags, path: &[&str]) -> (bool, bool) {
        let names: Vec<_> = path.iter().map(|&name| name.to_owned()).collect();
        let found = flags.of(&names.into());
        (found.apply_forcefully, found.read_only)
    }

    #[test]
    fn flags_cover_what_they_name_and_what_is_below() {
        let flags = flags(&[
            ("run_command", true, false),
            ("runCommand.timeLimit", false, true),
            ("scan", true, true),
        ]);
        assert_eq!(of(&flags, &["runCommand", "timeLimit"]), (true, true), "they add up");
        assert_eq!(of(&flags, &["runCommand", "directories"]), (true, false));
        assert_eq!(of(&flags, &["run_command"]), (true, false), "in either spelling");
        assert_eq!(of(&flags, &["runCommands"]), (false, false), "whole names");
        assert_eq!(of(&flags, &["scanner"]), (false, false));
        assert_eq!(of(&flags, &["x", "scan"]), (false, false), "from the outermost on");
        assert_eq!(of(&flags, &[]), (true, true), "a configuration that is one setting");
    }
}
