//! `guardhouse-agent power`: what the person at the device sees and says.

use std::path::{Path, PathBuf};

use anyhow::bail;
use guardhouse_model::Timestamp;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::tell::moment;
use crate::{
    control::{
        self,
        client::ask,
        protocol::{Answer, PowerAction, Request},
    },
    state::DEFAULT_STATE_DIR,
};

/// Arguments of `power`.
#[derive(Debug, clap::Args)]
pub struct PowerArgs {
    /// State folder of the agent that is asked.
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_STATE_DIR)]
    state_dir: PathBuf,
    #[command(subcommand)]
    wish: Wish,
}

#[derive(Debug, clap::Subcommand)]
enum Wish {
    /// Show the restart or shutdown that is scheduled, and what may be done about it.
    Status,
    /// Put it off by this time, for example 30m, 1h or 1d.
    Postpone {
        /// How much later it is to happen.
        #[arg(value_name = "TIME", value_parser = parse)]
        time: u32,
    },
    /// Cancel it.
    Cancel,
}

/// Carries out `power`; answers what to print.
///
/// # Errors
/// The agent does not run, or does not allow it; says why.
pub async fn run(args: &PowerArgs, now: Timestamp) -> anyhow::Result<String> {
    let request = match args.wish {
        Wish::Status => Request::Power {},
        Wish::Postpone { time } => Request::PostponePower { seconds: time },
        Wish::Cancel => Request::CancelPower {},
    };
    let socket = control::socket(&std::path::absolute(&args.state_dir)?);
    speak(&socket, &request, now).await
}

async fn speak(socket: &Path, request: &Request, now: Timestamp) -> anyhow::Result<String> {
    match ask(socket, request).await? {
        Answer::Power(scheduled) => Ok(describe(scheduled.as_ref(), now)),
        Answer::Refused { reason, .. } => bail!(reason),
        Answer::Status(_) => bail!("the agent answered something else than it was asked"),
    }
}

fn describe(scheduled: Option<&PowerAction>, now: Timestamp) -> String {
    let Some(action) = scheduled else {
        return "No restart or shutdown is scheduled by a task.\n".to_owned();
    };
    let verb = if action.restart { "restarts" } else { "is switched off" };
    let seconds = SignedDuration::from_secs(now.duration_until(action.scheduled_time).as_secs().max(0));
    let later = match action.latest_time > action.scheduled_time {
        true => format!("may be put off until {} at most", moment(action.latest_time)),
        false => "may not be put off any further".to_owned(),
    };
    let cancel = if action.may_cancel { "may be cancelled" } else { "may not be cancelled" };
    format!(
        "This computer {verb} at {}, in {seconds:#}.\nThis {later}, and {cancel}.\n",
        moment(action.scheduled_time)
    )
}

fn parse(text: &str) -> Result<u32, String> {
    let advice = || format!("{text:?} is not a length of time; write for example 30m, 1h or 1d");
    let span: Span = text.parse().map_err(|_| advice())?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| advice())?;
    u32::try_from(time.as_secs()).ok().filter(|seconds| *seconds > 0).ok_or_else(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let table = [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("1h 30m", Some(5_400)),
            ("2d", Some(172_800)),
            ("0s", None),
            ("-1h", None),
            ("1mo", None),
            ("5", None),
            ("soon", None),
        ];
        for (text, seconds) in table {
            assert_eq!(parse(text).ok(), seconds, "{text}");
        }
    }

    #[test]
    fn what_people_read() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().expect("a moment");
        let hour = SignedDuration::from_hours(1);
        let action = PowerAction {
            restart: true,
            scheduled_time: now + hour,
            latest_time: now + hour,
            may_cancel: false,
        };
        let text = describe(Some(&action), now);
        assert!(text.starts_with("This computer restarts at 2026-11-26 "), "{text}");
        assert!(
            text.contains(", in 1h.\nThis may not be put off any further, and may not be cancelled."),
            "{text}"
        );
        let action =
            PowerAction { restart: false, latest_time: now + hour + hour, may_cancel: true, ..action };
        let text = describe(Some(&action), now);
        assert!(text.starts_with("This computer is switched off at"), "{text}");
        assert!(
            text.contains("may be put off until 2026-11-26 ") && text.contains("and may be cancelled"),
            "{text}"
        );
        assert!(describe(None, now).starts_with("No restart or shutdown"));
    }
}
