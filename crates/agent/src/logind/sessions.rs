//! Sessions of users, as the login manager knows them.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};
use zbus::{OwnedObjectPath, OwnedVariant};

use super::{Logind, LogindError, proxy};

const SESSION: &str = "org.freedesktop.login1.Session";
const USER: &str = "org.freedesktop.login1.User";

/// A session of somebody or something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Id of the user.
    pub uid: u32,
    /// Name of the user.
    pub user: String,
    /// What it is for: `user`, `greeter`, `lock-screen`, `background`, `manager`… and variants of them.
    pub class: String,
    /// How it is displayed: `tty`, `x11`, `wayland`, `unspecified`…
    pub kind: String,
    /// Its terminal, without `/dev/`; empty when it has none.
    pub terminal: String,
    /// Its X display; empty when it has none.
    pub display: String,
    /// The host it comes from; empty when that is this one.
    pub remote_host: String,
}

/// Who a user is to the kernel, and where the user's own D-Bus may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserId {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The folder for sockets of the user, for example `/run/user/1000`.
    pub runtime_folder: PathBuf,
}

impl Session {
    /// Whether a person is logged in with it. Login screens, and services of users who are not logged in, are sessions
    /// too.
    #[must_use]
    pub fn is_of_a_person(&self) -> bool {
        // `user-early`, `user-incomplete` and `user-light` are a user's as well.
        self.class == "user" || self.class.starts_with("user-")
    }

    /// Where its user sits: the remote host, the display or the terminal; empty when it has none of these.
    #[must_use]
    pub fn place(&self) -> &str {
        [&self.remote_host, &self.display, &self.terminal]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("", |text| text)
    }
}

impl Logind {
    /// All sessions. One that ends meanwhile is left out.
    ///
    /// # Errors
    /// [`LogindError`].
    pub async fn sessions(&self) -> Result<Vec<Session>, LogindError> {
        let listed: Vec<(String, u32, String, String, OwnedObjectPath)> =
            self.manager.call("ListSessions", &()).await?;
        let mut sessions = Vec::new();
        for (id, uid, user, _, object) in listed {
            match self.session(id, uid, user, object).await {
                Ok(session) => sessions.push(session),
                Err(LogindError::Gone(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sessions)
    }

    async fn session(
        &self,
        id: String,
        uid: u32,
        user: String,
        object: OwnedObjectPath,
    ) -> Result<Session, LogindError> {
        let properties = self.properties(object, SESSION).await?;
        let text = |name: &str| {
            let text = properties.get(name).and_then(|value| <&str>::try_from(value).ok());
            text.unwrap_or_default().to_owned()
        };
        Ok(Session {
            id,
            uid,
            user,
            class: text("Class"),
            kind: text("Type"),
            terminal: text("TTY"),
            display: text("Display"),
            remote_host: text("RemoteHost"),
        })
    }

    async fn properties(
        &self,
        object: OwnedObjectPath,
        interface: &str,
    ) -> Result<HashMap<String, OwnedVariant>, LogindError> {
        let all = proxy(&self.connection, object, "org.freedesktop.DBus.Properties").await?;
        Ok(all.call("GetAll", &(interface)).await?)
    }

    /// Who the user of a session is.
    ///
    /// # Errors
    /// [`LogindError`].
    pub async fn user(&self, uid: u32) -> Result<UserId, LogindError> {
        let object: OwnedObjectPath = self.manager.call("GetUser", &(uid)).await?;
        let properties = self.properties(object, USER).await?;
        let gid = properties.get("GID").and_then(|value| u32::try_from(value).ok());
        let folder = properties.get("RuntimePath").and_then(|value| <&str>::try_from(value).ok());
        match (gid, folder) {
            (Some(gid), Some(folder)) => Ok(UserId { uid, gid, runtime_folder: folder.into() }),
            _ => Err(LogindError::Failed(format!("it does not say what it knows of the user {uid}"))),
        }
    }

    /// The session in which a process is; `None` when it is in none, as services are.
    ///
    /// # Errors
    /// [`LogindError`].
    pub async fn session_of(&self, process: u32) -> Result<Option<String>, LogindError> {
        let found: zbus::Result<OwnedObjectPath> = self.manager.call("GetSessionByPID", &(process)).await;
        let object = match found.map_err(LogindError::from) {
            Ok(object) => object,
            Err(LogindError::Gone(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let properties = self.properties(object, SESSION).await?;
        Ok(properties.get("Id").and_then(|value| <&str>::try_from(value).ok()).map(str::to_owned))
    }

    /// Terminates sessions and waits, at most so long, until they are gone. Answers what the login manager said of those
    /// that it does not terminate.
    ///
    /// # Errors
    /// [`LogindError`]: nothing was terminated.
    pub async fn terminate(
        &self,
        ids: &[String],
        patience: Duration,
    ) -> Result<HashMap<String, LogindError>, LogindError> {
        // Listened to before anything is done, so that nothing is missed.
        let mut removals = self.manager.receive_signal("SessionRemoved").await?;
        let (mut awaited, mut errors) = (HashSet::new(), HashMap::new());
        for id in ids {
            let asked: zbus::Result<()> = self.manager.call("TerminateSession", &(id)).await;
            match asked.map_err(LogindError::from) {
                Ok(()) => drop(awaited.insert(id.clone())),
                Err(LogindError::Gone(_)) => {}
                Err(error) => drop(errors.insert(id.clone(), error)),
            }
        }
        let deadline = Instant::now() + patience;
        while !awaited.is_empty() {
            let Ok(Some(signal)) = timeout_at(deadline, removals.next()).await else { break };
            if let Ok((id, _)) = signal.body().deserialize::<(String, OwnedObjectPath)>() {
                awaited.remove(&id);
            }
        }
        Ok(errors)
    }
}
