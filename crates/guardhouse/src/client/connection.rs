//! Which server to call, and as whom: command line, environment and stored session in one.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;

use crate::client::{
    Credentials, Server,
    session::{Session, SessionFile},
};

/// Where the help shows these arguments: every client command has them.
const HEADING: &str = "Connection";

/// Which server to call, and as whom. What is left out comes from the session that `guardhouse login` stored.
///
/// A password or an access token may also stand in the environment, as `GUARDHOUSE_PASSWORD` or
/// `GUARDHOUSE_TOKEN`; there is no argument for them, because everybody on a machine can read arguments.
#[derive(Debug, Clone, Default, Args)]
pub struct ConnectionArgs {
    /// Address of the server [default: the server of the last login, else https://127.0.0.1:7443].
    #[arg(long, global = true, help_heading = HEADING, value_name = "URL", env = "GUARDHOUSE_SERVER")]
    pub server: Option<Server>,

    /// Certificate authorities to trust (PEM) instead of those of this machine.
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE", env = "GUARDHOUSE_CA")]
    pub ca: Option<PathBuf>,

    /// Account to sign in with; its password is read from --password-file or GUARDHOUSE_PASSWORD. An access
    /// token in GUARDHOUSE_TOKEN is used as it is instead.
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME", env = "GUARDHOUSE_USER")]
    pub user: Option<String>,

    /// File with the password; one line end after it does not count.
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// A server, and what proves to it who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The server.
    pub server: Server,
    /// Certificate authorities to trust (PEM) instead of those of this machine.
    pub ca: Option<PathBuf>,
    /// Who calls.
    pub credentials: Credentials,
}

/// Secrets that do not come as arguments.
struct Secrets {
    token: Option<String>,
    password: Option<String>,
}

impl ConnectionArgs {
    /// Reads environment, password file and stored session, and decides between them.
    ///
    /// # Errors
    /// A file cannot be read, or nothing says who calls.
    pub fn resolve(self) -> anyhow::Result<Connection> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let password = match &self.password_file {
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read the password from {}", path.display()))?;
                Some(without_line_end(&text).to_owned())
            }
            None => variable("GUARDHOUSE_PASSWORD"),
        };
        let secrets = Secrets { token: variable("GUARDHOUSE_TOKEN"), password };
        let stored = match SessionFile::standard() {
            Some(file) => file.load()?.map(|session| (file, session)),
            None => None,
        };
        decide(self, secrets, stored)
    }
}

/// The more explicit wins: an argument over the session, a token over a password over the session. A session
/// is good for its own server only: its tokens never go anywhere else.
fn decide(
    args: ConnectionArgs,
    secrets: Secrets,
    stored: Option<(SessionFile, Session)>,
) -> anyhow::Result<Connection> {
    let stored = stored
        .map(|(file, session)| Ok::<_, anyhow::Error>((file, session.server.parse::<Server>()?, session)));
    let stored =
        stored.transpose().context("the stored session is damaged; sign in again with guardhouse login")?;
    let server = args
        .server
        .unwrap_or_else(|| stored.as_ref().map_or_else(Server::standard, |(_, server, _)| server.clone()));
    let stored = stored.filter(|(_, at, _)| *at == server);
    let ca = args.ca.or_else(|| stored.as_ref().and_then(|(_, _, session)| session.ca.clone()));

    let credentials = match (secrets.token, args.user, secrets.password, stored) {
        (Some(token), ..) => Credentials::Token(token),
        (None, Some(user), Some(password), _) => Credentials::Password { user, password },
        (None, None, _, Some((file, ..))) => Credentials::Session(file),
        (None, Some(user), None, Some((file, _, session))) if session.user == user => {
            Credentials::Session(file)
        }
        (None, Some(user), None, _) => bail!(
            "the password of {user} is missing: name a file with --password-file, set GUARDHOUSE_PASSWORD, \
             or sign in with guardhouse login --server {server} --user {user} --password-stdin"
        ),
        (None, None, _, None) => bail!(
            "you are not signed in at {server}: use guardhouse login --server {server} --user NAME \
             --password-stdin, or name an account with --user and --password-file, or set GUARDHOUSE_TOKEN"
        ),
    };
    Ok(Connection { server, ca, credentials })
}

/// A secret as it was meant: editors and `echo` end a line, and that is not part of it.
pub fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "https://home.test:7443";
    const AWAY: &str = "https://away.test:7443";

    fn args(server: Option<&str>, user: Option<&str>) -> ConnectionArgs {
        let server = server.map(|server| server.parse().expect("an address"));
        ConnectionArgs { server, user: user.map(str::to_owned), ..Default::default() }
    }

    fn secrets(token: Option<&str>, password: Option<&str>) -> Secrets {
        Secrets { token: token.map(str::to_owned), password: password.map(str::to_owned) }
    }

    fn file() -> SessionFile {
        SessionFile::new("/home/ann/.config/guardhouse/session.json".into())
    }

    fn stored() -> Option<(SessionFile, Session)> {
        let session = Session {
            server: HOME.to_owned(),
            ca: Some("/home/ann/ca.pem".into()),
            user: "ann".to_owned(),
            access_token: "a".to_owned(),
            access_token_expires: 0,
            refresh_token: "r".to_owned(),
        };
        Some((file(), session))
    }

    #[test]
    fn the_more_explicit_wins() {
        let token = || Credentials::Token("t".to_owned());
        let password = |user: &str| Credentials::Password { user: user.to_owned(), password: "p".to_owned() };
        let ca = Some("/home/ann/ca.pem");
        let table = [
            // server, user, token, password, a session for HOME is stored → server, CA, credentials
            ((None, None, None, None, true), (HOME, ca, Credentials::Session(file()))),
            ((Some(HOME), None, None, None, true), (HOME, ca, Credentials::Session(file()))),
            ((None, Some("ann"), None, None, true), (HOME, ca, Credentials::Session(file()))),
            ((None, None, None, Some("p"), true), (HOME, ca, Credentials::Session(file()))),
            ((None, Some("ann"), None, Some("p"), true), (HOME, ca, password("ann"))),
            ((None, Some("bob"), None, Some("p"), true), (HOME, ca, password("bob"))),
            ((None, Some("bob"), Some("t"), Some("p"), true), (HOME, ca, token())),
            ((Some(AWAY), Some("ann"), None, Some("p"), true), (AWAY, None, password("ann"))),
            ((Some(AWAY), None, Some("t"), None, true), (AWAY, None, token())),
            ((None, None, Some("t"), None, false), ("https://127.0.0.1:7443", None, token())),
        ];
        for ((server, user, token, password, signed_in), (at, ca, credentials)) in table {
            let case = format!("{server:?} {user:?} {token:?} {password:?} {signed_in}");
            let stored = stored().filter(|_| signed_in);
            let found = decide(args(server, user), secrets(token, password), stored).expect(&case);
            let expected = Connection {
                server: at.parse().expect("an address"),
                ca: ca.map(PathBuf::from),
                credentials,
            };
            assert_eq!(found, expected, "{case}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (server, user, password, signed_in, said) in [
            (None, None, None, false, "not signed in at https://127.0.0.1:7443"),
            (None, None, Some("p"), false, "not signed in"),
            (Some(AWAY), None, None, true, "not signed in at https://away.test:7443"),
            (None, Some("bob"), None, true, "password of bob is missing"),
            (Some(AWAY), Some("ann"), None, true, "password of ann is missing"),
        ] {
            let stored = stored().filter(|_| signed_in);
            let error = decide(args(server, user), secrets(None, password), stored).expect_err("refused");
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn one_line_end_is_no_part_of_a_secret() {
        for (text, secret) in
            [("p", "p"), ("p\n", "p"), ("p\r\n", "p"), ("p\n\n", "p\n"), (" p ", " p "), ("", "")]
        {
            assert_eq!(without_line_end(text), secret, "{text:?}");
        }
    }
}
