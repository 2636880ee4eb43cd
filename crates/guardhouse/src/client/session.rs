//! The stored session: what `guardhouse login` leaves for later commands.

use std::{
    env, fmt,
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use guardhouse_agent::durable;
use guardhouse_model::Timestamp;
use serde::{Deserialize, Serialize};

/// A server, and what proves to it who calls.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Address of the server.
    pub server: String,
    /// Certificate authorities of the server (PEM), where they are not those of the machine.
    pub ca: Option<PathBuf>,
    /// Who signed in.
    pub user: String,
    /// The last access token. It is kept so that not every command spends a refresh token.
    pub access_token: String,
    /// When it expires, in seconds since 1970.
    pub access_token_expires: i64,
    /// Good for one exchange.
    pub refresh_token: String,
}

impl Session {
    /// Whether the access token is still good for a while at `now`.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        const MARGIN: i64 = 30;
        self.access_token_expires - MARGIN > now.as_second()
    }
}

/// Shows no token.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("server", &self.server)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Where a session is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile(PathBuf);

/// Held while a session is exchanged. A refresh token that is spent twice ends the whole session, so commands
/// that run side by side must take turns.
#[derive(Debug)]
pub struct SessionLock {
    _file: File,
}

impl SessionFile {
    /// The session at `path`.
    #[cfg(test)]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The session of the user: `guardhouse/session.json` in `$XDG_CONFIG_HOME`, or else in `~/.config`.
    /// `None` when the user has no home.
    pub fn standard() -> Option<Self> {
        let folder = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(Self(config.join("guardhouse").join("session.json")))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The stored session, if there is one.
    ///
    /// # Errors
    /// The file cannot be read, or is not a session.
    pub fn load(&self) -> anyhow::Result<Option<Session>> {
        let shown = self.0.display();
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let session = serde_json::from_slice(&text);
        session.map(Some).with_context(|| format!("{shown} is damaged; sign in again with guardhouse login"))
    }

    /// Stores a session; only its owner can read it. After a crash there is the old one or the new one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, session: &Session, _lock: &SessionLock) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(session)?;
        durable::write(&self.0, &text).with_context(|| format!("cannot write {}", self.0.display()))
    }

    /// Waits until no other command exchanges the session.
    ///
    /// # Errors
    /// The folder or the lock file beside the session cannot be made.
    pub async fn lock(&self) -> anyhow::Result<SessionLock> {
        let path = self.0.with_extension("lock");
        let locked = tokio::task::spawn_blocking({
            let path = path.clone();
            move || {
                durable::create_folder(path.parent().unwrap_or(Path::new(".")))?;
                let file =
                    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
                file.lock()?;
                Ok::<_, std::io::Error>(file)
            }
        });
        let file = locked.await?.with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(SessionLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn session(refresh_token: &str) -> Session {
        Session {
            server: "https://127.0.0.1:7443".to_owned(),
            ca: Some("/etc/guardhouse/ca.pem".into()),
            user: "admin".to_owned(),
            access_token: "a".to_owned(),
            access_token_expires: 1_000,
            refresh_token: refresh_token.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_session_is_private_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SessionFile::new(folder.path().join("guardhouse/session.json"));
        assert_eq!(file.load().expect("nothing yet"), None);
        let lock = file.lock().await.expect("locked");
        for token in ["first", "second"] {
            file.save(&session(token), &lock).expect("saved");
            assert_eq!(file.load().expect("stored"), Some(session(token)));
        }
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(file.path().parent().expect("a folder")), 0o700);

        fs::write(file.path(), "{}").expect("written");
        let error = file.load().expect_err("damaged");
        assert!(error.to_string().contains("guardhouse login"), "{error}");
    }

    #[tokio::test]
    async fn commands_take_turns() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SessionFile::new(folder.path().join("session.json"));
        let first = file.lock().await.expect("locked");
        let other = OpenOptions::new().write(true).open(folder.path().join("session.lock")).expect("open");
        assert!(other.try_lock().is_err(), "the first command holds it");
        drop(first);
        other.try_lock().expect("free again");
    }

    #[test]
    fn a_token_is_fresh_until_shortly_before_it_expires() {
        for (now, fresh) in [(0, true), (969, true), (970, false), (1_000, false), (2_000, false)] {
            let now = Timestamp::from_second(now).expect("a time");
            assert_eq!(session("r").is_fresh(now), fresh, "{now}");
        }
    }

    #[test]
    fn tokens_are_not_shown() {
        let shown = format!("{:?}", session("secret"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
