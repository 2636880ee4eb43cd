//! `LogOffComputerUser`: ends the sessions of all users.
//!
//! The login manager ends a session with all processes in it, those that ignore to be asked included. Services stay,
//! also those of users. What a user has not stored is lost.

use std::{
    collections::{HashMap, HashSet},
    process,
    time::Duration,
};

use guardhouse_contract::{
    action::{ActionFailure, LogOffComputerUserResult, log_off_computer_user_result},
    status::pack,
};

use crate::{
    logind::{Logind, LogindError, Session},
    outcome::{Failure, Outcome},
    workplace::Workplace,
};

/// How long sessions may take to be over. systemd kills what ignores its signals after 90 seconds, unless it is
/// configured otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// The action, ready to begin.
#[derive(Debug)]
pub struct LogOff(());

/// There is nothing to check without an effect.
///
/// # Errors
/// None: whether there is a login manager shows when it is asked.
pub fn prepare(_workplace: &Workplace) -> Result<LogOff, Failure> {
    Ok(LogOff(()))
}

impl LogOff {
    /// Does it.
    pub async fn perform(self, workplace: &Workplace) -> Outcome {
        match log_off(workplace).await {
            Ok(result) => {
                Outcome { succeeded: result.failure.is_none(), suppressed: false, result: pack(&result) }
            }
            Err(failure) => failure.into(),
        }
    }
}

async fn log_off(workplace: &Workplace) -> Result<LogOffComputerUserResult, Failure> {
    let logind = Logind::connect().await.map_err(unavailable)?;
    let mut sessions = logind.sessions().await.map_err(unavailable)?;
    sessions.retain(Session::is_of_a_person);
    let own = logind.session_of(process::id()).await.map_err(unavailable)?;
    if let Some(own) = sessions.iter().find(|session| Some(&session.id) == own.as_ref()) {
        let reason = format!(
            "the agent itself runs in session {} of {}, and would end with it; run it as a service. No session was ended",
            own.id, own.user
        );
        return Err(Failure::new("AGENT_IN_SESSION", reason));
    }
    if sessions.is_empty() {
        return Ok(LogOffComputerUserResult::default());
    }
    if workplace.is_cancelled() {
        return Err(Failure::new("CANCELLED", "the run was stopped before any session was ended"));
    }
    workplace.progress("ENDING_SESSIONS", None, format!("ending {} sessions", sessions.len()));
    let ids: Vec<String> = sessions.iter().map(|session| session.id.clone()).collect();
    let errors = logind.terminate(&ids, PATIENCE).await.map_err(unavailable)?;
    // Signals told what is over; what the login manager lists now is what counts.
    let there = logind.sessions().await.map_err(unavailable)?;
    let there: HashSet<String> = there.into_iter().map(|session| session.id).collect();
    Ok(judge(&sessions, &there, &errors))
}

/// What became of the sessions: `there` are still there, `errors` is what the login manager said of some when it was
/// asked to end them.
fn judge(
    sessions: &[Session],
    there: &HashSet<String>,
    errors: &HashMap<String, LogindError>,
) -> LogOffComputerUserResult {
    let (remaining, _): (Vec<_>, Vec<_>) = sessions.iter().partition(|session| there.contains(&session.id));
    let named = |session: &&Session| {
        let why = errors.get(&session.id).map(|error| format!(" ({error})")).unwrap_or_default();
        format!("{} of {}{why}", session.id, session.user)
    };
    let failure = (!remaining.is_empty()).then(|| ActionFailure {
        code: "SESSIONS_REMAIN".to_owned(),
        reason: format!(
            "these sessions did not end within {} seconds: {}; look at what runs in them with: loginctl session-status",
            PATIENCE.as_secs(),
            remaining.iter().map(named).collect::<Vec<_>>().join(", ")
        ),
    });
    let sessions = sessions.iter().map(|session| log_off_computer_user_result::Session {
        id: session.id.clone(),
        user: session.user.clone(),
        place: session.place().to_owned(),
        ended: !there.contains(&session.id),
    });
    LogOffComputerUserResult { sessions: sessions.collect(), failure }
}

fn unavailable(error: LogindError) -> Failure {
    let code = match error {
        LogindError::Absent(_) => "LOGIND_UNAVAILABLE",
        LogindError::Denied(_) => "NOT_PERMITTED",
        LogindError::Gone(_) | LogindError::Failed(_) => "LOGIND_FAILED",
    };
    Failure::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: &str, class: &str) -> Session {
        Session { id: id.to_owned(), user: "ada".to_owned(), class: class.to_owned(), ..Default::default() }
    }

    #[test]
    fn only_people_are_logged_off() {
        let table = [
            ("user", true),
            ("user-early", true),
            ("user-light", true),
            ("greeter", false),
            ("lock-screen", false),
            ("background", false),
            ("background-light", false),
            ("manager", false),
            ("manager-early", false),
            ("none", false),
            ("", false),
        ];
        for (class, expected) in table {
            assert_eq!(session("1", class).is_of_a_person(), expected, "{class}");
        }
    }

    #[test]
    fn where_a_user_sits() {
        let terminal = Session { terminal: "tty2".to_owned(), ..session("1", "user") };
        let display = Session { display: ":0".to_owned(), ..terminal.clone() };
        let remote =
            Session { remote_host: "192.0.2.7".to_owned(), terminal: "pts/3".to_owned(), ..display.clone() };
        let places =
            [session("1", "user"), terminal, display, remote].map(|session| session.place().to_owned());
        assert_eq!(places, ["", "tty2", ":0", "192.0.2.7"]);
    }

    #[test]
    fn a_run_fails_when_a_session_is_left() {
        let sessions = [session("1", "user"), session("2", "user")];
        let judged = |there: &[&str], errors| {
            let there = there.iter().map(|&id| id.to_owned()).collect();
            let result = judge(&sessions, &there, &errors);
            let ended: Vec<bool> = result.sessions.iter().map(|session| session.ended).collect();
            (ended, result.failure.map(|failure| (failure.code, failure.reason)))
        };
        assert_eq!(judged(&[], HashMap::new()), (vec![true, true], None));
        // Sessions that began meanwhile are not those that were to end.
        assert_eq!(judged(&["3"], HashMap::new()), (vec![true, true], None));

        let errors = HashMap::from([("2".to_owned(), LogindError::Failed("it hangs".to_owned()))]);
        let (ended, failure) = judged(&["2", "3"], errors);
        assert_eq!(ended, [true, false]);
        let (code, reason) = failure.expect("one is left");
        assert_eq!(code, "SESSIONS_REMAIN");
        assert!(reason.contains("2 of ada") && reason.contains("it hangs"), "{reason}");
    }
}
