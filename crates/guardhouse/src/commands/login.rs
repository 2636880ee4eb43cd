//! `guardhouse login`

use std::{io::Read as _, path, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use guardhouse_model::Environment;

use crate::client::{Http, Server, login::password_grant, session::SessionFile, without_line_end};

/// Sign in and stay signed in: later commands need no server, no account and no password.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Address of the server.
    #[arg(long, value_name = "URL", env = "GUARDHOUSE_SERVER", default_value_t = Server::standard())]
    server: Server,

    /// Certificate authorities to trust (PEM) instead of those of this machine.
    #[arg(long, value_name = "FILE", env = "GUARDHOUSE_CA")]
    ca: Option<path::PathBuf>,

    /// Account to sign in with.
    #[arg(long, value_name = "NAME", env = "GUARDHOUSE_USER")]
    user: String,

    /// Read the password from standard input; one line end after it does not count.
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl LoginArgs {
    /// Signs in and stores the session. The password is not stored.
    ///
    /// # Errors
    /// The server refuses, or the session cannot be stored.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self { server, ca, user, password_stdin: _ } = self;
        let file = SessionFile::standard().context("there is no home folder to store the session in")?;
        // Later commands may run in another folder.
        let ca = ca.map(path::absolute).transpose()?;
        let mut password = String::new();
        std::io::stdin().read_to_string(&mut password).context("cannot read the password")?;

        let environment = Environment::system();
        let http = Http::new(server.clone(), ca.as_deref(), environment.clone())?;
        let granted = password_grant(&http, &user, without_line_end(&password)).await?;
        let session =
            granted.into_session(server.to_string(), ca, user.clone(), environment.now().as_second());
        let lock = file.lock().await?;
        file.save(&session, &lock)?;
        eprintln!("signed in at {server} as {user}; {} holds the session", file.path().display());
        Ok(ExitCode::SUCCESS)
    }
}
