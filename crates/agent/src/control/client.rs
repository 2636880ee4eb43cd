//! The end of a client.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::timeout,
};

use super::protocol::{Answer, LARGEST_ANSWER, Request};

/// How long the agent may take to answer: it may have to wait for the login manager.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("no agent is running with this state folder; start it first (systemctl start guardhouse-agent)")]
    NotRunning,
    /// The socket cannot be used.
    #[error("cannot talk to the agent")]
    Io(#[from] io::Error),
    /// The agent says nothing.
    #[error("the agent did not answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    /// The agent ends the connection.
    #[error("the agent does not answer so many questions of one user at a time; try again in a moment")]
    Busy,
    /// The agent says something that this program does not understand.
    #[error("the agent that runs is another version, which answers otherwise; restart it")]
    NotUnderstood(#[from] serde_json::Error),
}

/// Asks the agent that listens there.
///
/// # Errors
/// [`AskError`]: there is no answer. That a request is refused is one.
pub async fn ask(socket: &Path, request: &Request) -> Result<Answer, AskError> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let mut stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NotRunning,
        _ => AskError::Io(error),
    })?;
    let talk = async {
        let mut answer = Vec::new();
        let talked = match stream.write_all(&line).await {
            Ok(()) => stream.take(LARGEST_ANSWER as u64).read_to_end(&mut answer).await.map(drop),
            Err(error) => Err(error),
        };
        match talked {
            // It was ended while this end still spoke.
            Err(error)
                if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
            {
                Err(error)
            }
            _ => Ok(answer),
        }
    };
    let answer = timeout(PATIENCE, talk).await.map_err(|_| AskError::TimedOut)??;
    if answer.is_empty() {
        return Err(AskError::Busy);
    }
    Ok(serde_json::from_slice(&answer)?)
}
