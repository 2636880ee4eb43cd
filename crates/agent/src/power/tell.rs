//! What the users of the device are told, and how.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use guardhouse_model::Timestamp;
use jiff::tz::TimeZone;

use super::{desktop, rules::Scheduled};
use crate::logind::{Logind, LogindError, Session};

/// A moment as people at this device read it.
pub(crate) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// What is written to their terminals. `reason` says why the device restarts or is switched off, as a sentence.
pub(super) fn warning(scheduled: &Scheduled, reason: &str) -> String {
    let Scheduled { time, latest, may_cancel, .. } = scheduled;
    let verb = if scheduled.restart { "restarts" } else { "is switched off" };
    let mut lines = vec![format!("{reason} This computer {verb} at {}. Save your work.", moment(*time))];
    if latest > time {
        lines.push(format!(
            "To put it off, until {} at most: guardhouse-agent power postpone 1h",
            moment(*latest)
        ));
    }
    if *may_cancel {
        lines.push("To cancel it: guardhouse-agent power cancel".to_owned());
    }
    lines.join("\n")
}

/// Shows the warning on the desktops of all users; answers the names of those who were told, on a desktop or, when
/// terminals are `warned`, on a terminal. Somebody who cannot be told is no reason not to go on.
pub(super) async fn everybody(
    logind: &Logind,
    scheduled: &Scheduled,
    warning: &str,
    warned: bool,
) -> Result<Vec<String>, LogindError> {
    let mut sessions = logind.sessions().await?;
    sessions.retain(Session::is_of_a_person);
    let users: BTreeMap<u32, String> =
        sessions.iter().map(|session| (session.uid, session.user.clone())).collect();
    let verb = if scheduled.restart { "restarts" } else { "is switched off" };
    let summary = format!("This computer {verb} at {}", moment(scheduled.time));
    let shown = join_all(users.iter().map(async |(uid, name)| {
        let user = logind.user(*uid).await.ok()?;
        desktop::notify(&user, &summary, warning).await.then(|| name.clone())
    }));
    let mut told: BTreeSet<String> = shown.await.into_iter().flatten().collect();
    if warned {
        told.extend(sessions.into_iter().filter(has_terminal).map(|session| session.user));
    }
    Ok(told.into_iter().collect())
}

/// Whether the user sees what is written to the terminal of the session: behind a desktop nobody does.
fn has_terminal(session: &Session) -> bool {
    session.kind == "tty" && !session.terminal.is_empty()
}

#[cfg(test)]
mod tests {
    use guardhouse_contract::pb::era::common::data_definition::task::os::{Postpone, PowerActions};
    use guardhouse_model::RunId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_warning_says_what_may_be_done() {
        let warn = |postpone: Postpone, cancel_action| {
            let actions = PowerActions { cancel_action, postpone: postpone.into() };
            let noon = "2026-11-26T12:00:00Z".parse().expect("a moment");
            warning(&Scheduled::plan(RunId(Uuid::nil()), true, &actions, noon), "Updates were installed.")
        };
        let neither = warn(Postpone::Cannot, false);
        assert!(
            neither.starts_with("Updates were installed. This computer restarts at 2026-11-26 "),
            "{neither}"
        );
        assert_eq!(neither.lines().count(), 1);
        assert!(warn(Postpone::Cannot, true).ends_with("guardhouse-agent power cancel"));
        assert!(warn(Postpone::OneDay, false).ends_with(" at most: guardhouse-agent power postpone 1h"));
        assert_eq!(warn(Postpone::OneDay, true).lines().count(), 3);
    }

    #[test]
    fn nobody_sees_the_terminal_of_a_desktop() {
        let session = |kind: &str, terminal: &str| Session {
            kind: kind.to_owned(),
            terminal: terminal.to_owned(),
            ..Session::default()
        };
        assert!(has_terminal(&session("tty", "pts/0")));
        assert!(!has_terminal(&session("tty", "")), "a remote command");
        assert!(!has_terminal(&session("wayland", "tty2")));
        assert!(!has_terminal(&session("x11", "tty7")));
    }
}
