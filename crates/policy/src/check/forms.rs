//! The forms of single values. An error says what would be right.

use std::{net::IpAddr, ops::RangeInclusive};

use guardhouse_contract::settings::maintenance_window::Day;
use guardhouse_model::{Action, TAKE_SNAPSHOT, names};
use http::Uri;
use prost_types::Duration;

/// A minute, in seconds.
pub(super) const MINUTE: i64 = 60;

/// A day, in seconds.
pub(super) const DAY: i64 = 24 * 60 * MINUTE;

/// Longest path, in bytes, that Linux accepts.
const LONGEST_PATH: usize = 4_096;

/// Checks that a duration is there and lies between two numbers of seconds.
pub(super) fn duration(given: Option<&Duration>, seconds: RangeInclusive<i64>) -> Result<(), String> {
    const NANOS: i128 = 1_000_000_000;

    let (shortest, longest) = (*seconds.start(), *seconds.end());
    let expected = format!("a duration from {shortest}s to {longest}s is needed");
    let given = given.ok_or_else(|| format!("is missing; {expected}"))?;
    let nanos = i128::from(given.seconds) * NANOS + i128::from(given.nanos);
    let allowed = i128::from(shortest) * NANOS..=i128::from(longest) * NANOS;
    if allowed.contains(&nanos) { Ok(()) } else { Err(format!("is out of range; {expected}")) }
}

/// Checks `HH:MM` of a day of 24 hours.
pub(super) fn clock(text: &str) -> Result<(), String> {
    let number = |digits: &str, end: u8| {
        digits.len() == 2
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse::<u8>().is_ok_and(|number| number < end)
    };
    let is_clock =
        text.split_once(':').is_some_and(|(hours, minutes)| number(hours, 24) && number(minutes, 60));
    if is_clock { Ok(()) } else { Err(format!("is {text:?}; HH:MM from 00:00 to 23:59 is needed")) }
}

/// Checks the number of a day of the week.
pub(super) fn day(number: i32) -> Result<(), String> {
    match Day::try_from(number) {
        Ok(Day::Unspecified) | Err(_) => Err("is no day; DAY_MONDAY to DAY_SUNDAY are".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// Checks that a text has the form of a name of the IANA database. Which names there are, the database of each device
/// says.
pub(super) fn time_zone(text: &str) -> Result<(), String> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let good =
        text.is_empty() || (text.len() <= 64 && text.split('/').count() <= 3 && text.split('/').all(is_name));
    let wrong = || format!("is {text:?}; UTC or a name of the IANA database such as Europe/Vienna is needed");
    if good { Ok(()) } else { Err(wrong()) }
}

/// Checks the name of an action, as devices are given it.
pub(super) fn action(name: &str) -> Result<(), String> {
    if Action::named(name).is_some() || name == TAKE_SNAPSHOT {
        return Ok(());
    }
    let known = Action::names();
    Err(format!("is {name:?}, which is not an action; use one of {known}, {TAKE_SNAPSHOT}"))
}

/// Checks the name of an action that may be forbidden.
pub(super) fn forbidden_action(name: &str) -> Result<(), String> {
    if Action::named(name) == Some(Action::StopManaging) {
        return Err("is StopManaging, which cannot be forbidden: devices must remain removable".to_owned());
    }
    action(name)
}

/// Checks the address of a server.
pub(super) fn server(text: &str) -> Result<(), String> {
    let is_port = |text: &str| {
        text.is_empty()
            || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
    };
    let good = text.parse::<Uri>().is_ok_and(|uri| {
        // What is before or behind the host but a port is no part of a server's address.
        let host = uri.host().filter(|host| !host.is_empty());
        let behind = host.zip(uri.authority()).and_then(|(host, all)| all.as_str().strip_prefix(host));
        uri.scheme_str() == Some("https")
            && behind.is_some_and(is_port)
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
    });
    if good { Ok(()) } else { Err(format!("is {text:?}; https://HOST:PORT is needed")) }
}

/// Checks a port.
pub(super) fn port(port: u32) -> Result<(), String> {
    if (1..=65_535).contains(&port) { Ok(()) } else { Err(format!("is {port}; 1 to 65535 are ports")) }
}

/// Checks an address or a network.
pub(super) fn remote(text: &str) -> Result<(), String> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return Err(not_remote(text)),
    };
    let is_prefix = |bits: &str| {
        bits.bytes().all(|byte| byte.is_ascii_digit()) && bits.parse::<u8>().is_ok_and(|bits| bits <= longest)
    };
    if prefix.is_none_or(is_prefix) { Ok(()) } else { Err(not_remote(text)) }
}

fn not_remote(text: &str) -> String {
    format!("is {text:?}; an address such as 192.0.2.1 or a network such as 192.0.2.0/24 is needed")
}

/// Checks an absolute path.
pub(super) fn path(text: &str) -> Result<(), String> {
    if !text.starts_with('/') || text.contains('\0') {
        return Err(format!("is {text:?}; an absolute path is needed"));
    }
    if text.len() > LONGEST_PATH {
        return Err(format!("has {} bytes; at most {LONGEST_PATH} are allowed", text.len()));
    }
    Ok(())
}

/// Checks a pattern of absolute paths.
pub(super) fn pattern(text: &str) -> Result<(), String> {
    path(text)?;
    if text.split('/').any(|name| name.contains("**") && name != "**") {
        return Err(format!("is {text:?}; ** stands for whole folders, alone between two slashes"));
    }
    Ok(())
}

/// Checks the name of a scan profile.
pub(super) fn profile(name: &str) -> Result<(), String> {
    names::check(name).map_err(|wrong| wrong.to_string())
}

/// Checks the name of a package. It becomes an argument of the package manager, so it must not look like an option.
pub(super) fn package(name: &str) -> Result<(), String> {
    names::check(name).map_err(|wrong| wrong.to_string())?;
    let good = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_:~".contains(&byte));
    if good { Ok(()) } else { Err(format!("is {name:?}, which cannot be the name of a package")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(check: fn(&str) -> Result<(), String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(check(text), Ok(()));
        }
        for text in bad {
            assert!(check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn texts() {
        judge(
            clock,
            &["00:00", "09:30", "23:59"],
            &["", "24:00", "12:60", "9:30", "09:3", "0930", "+9:30", "09:30:00", " 09:30", "12:-1"],
        );
        judge(
            time_zone,
            &["", "UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires", "Etc/GMT+1", "EST5EDT"],
            &["+02:00", "Europe/", "/", "Mitte l/Europa", "a/b/c/d", "../etc/passwd", "Europe/../UTC"],
        );
        judge(
            server,
            &["https://guard.example.com:7443", "https://guard.example.com", "https://[fd00::1]:1/"],
            &[
                "",
                "guard.example.com:7443",
                "http://guard.example.com",
                "https://",
                "https://u@h:1",
                "https://h:0",
                "https://h:70000",
                "https://h:",
                "https://h/v1",
                "https://h?x=1",
            ],
        );
        judge(
            remote,
            &["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::1", "2001:db8::/128"],
            &[
                "",
                "example.com",
                "192.0.2.0/33",
                "192.0.2.0/",
                "192.0.2.0/+8",
                "2001:db8::/129",
                "1.2.3",
                "1.2.3.4/8/8",
            ],
        );
        judge(path, &["/", "/srv/a b"], &["", "srv", "./a", "~", "/a\0", &"/a".repeat(2_049)]);
        judge(pattern, &["/a/*.o", "/**/b?", "/a/**"], &["a/*", "/a**", "/a/**b/c", "/***"]);
        judge(
            package,
            &["linux-image-6.1", "g++", "libc6:amd64", "0ad"],
            &["", "-y", "a b", "a;b", "$(x)", "ä"],
        );
        judge(action, &["RunCommand", "StopManaging"], &["", "runCommand", "Reboot"]);
        judge(forbidden_action, &["RunCommand"], &["StopManaging", "Reboot"]);
    }

    #[test]
    fn durations_have_a_range() {
        let of = |seconds, nanos| duration(Some(&Duration { seconds, nanos }), 10..=20);
        assert_eq!((of(10, 0), of(20, 0), of(15, 999_999_999)), (Ok(()), Ok(()), Ok(())));
        for (seconds, nanos) in [(9, 999_999_999), (20, 1), (10, -1), (0, 0), (-15, 0), (i64::MAX, i32::MAX)]
        {
            assert!(of(seconds, nanos).is_err(), "{seconds} s {nanos} ns");
        }
        assert!(duration(None, 0..=1).is_err());
    }
}
