//! The login manager (systemd-logind, or elogind) over D-Bus: sessions of users, restarts and shutdowns.
//!
//! Its interface is `org.freedesktop.login1` (see `man org.freedesktop.login1`). Only short-lived processes connect to
//! it, and the agent only when a person asks: a connection costs memory on every device.

mod error;
mod sessions;

use std::time::Duration;

use guardhouse_model::Timestamp;
use zbus::{Connection, Proxy, proxy::CacheProperties};

pub use error::LogindError;
pub use sessions::{Session, UserId};

const SERVICE: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

/// How long the login manager may take to answer. It answers at once, unless the machine is about to hang.
const PATIENCE: Duration = Duration::from_secs(15);

/// A connection to the login manager.
#[derive(Debug)]
pub struct Logind {
    connection: Connection,
    manager: Proxy<'static>,
}

/// What the login manager will do to the machine by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledShutdown {
    /// The kind, for example `reboot` or `poweroff`.
    pub kind: String,
    /// When; to the microsecond.
    pub time: Timestamp,
}

impl Logind {
    /// Connects to the system bus. Whether there is a login manager shows with the first call.
    ///
    /// # Errors
    /// [`LogindError::Absent`]: there is no system bus.
    pub async fn connect() -> Result<Self, LogindError> {
        let connect = async {
            let connection = zbus::connection::Builder::system().method_timeout(PATIENCE).build().await?;
            let manager = proxy(&connection, MANAGER_PATH, MANAGER).await?;
            Ok::<_, zbus::Error>(Self { connection, manager })
        };
        match tokio::time::timeout(PATIENCE, connect).await {
            Ok(connected) => connected.map_err(LogindError::no_bus),
            Err(_) => Err(LogindError::Absent("the system bus does not answer".to_owned())),
        }
    }

    /// What is scheduled.
    ///
    /// # Errors
    /// [`LogindError`].
    pub async fn scheduled(&self) -> Result<Option<ScheduledShutdown>, LogindError> {
        let (kind, micros): (String, u64) = self.manager.get_property("ScheduledShutdown").await?;
        let time = i64::try_from(micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        // Without one, it says the empty kind and 0, or the greatest number.
        Ok(time.filter(|_| !kind.is_empty() && micros != 0).map(|time| ScheduledShutdown { kind, time }))
    }

    /// Schedules a shutdown of this kind, in place of what was scheduled.
    ///
    /// # Errors
    /// [`LogindError`]; what was scheduled before still is.
    pub async fn schedule(&self, kind: &str, time: Timestamp) -> Result<(), LogindError> {
        let micros = u64::try_from(time.as_microsecond()).unwrap_or_default();
        Ok(self.manager.call("ScheduleShutdown", &(kind, micros)).await?)
    }

    /// Cancels what is scheduled; answers whether something was.
    ///
    /// # Errors
    /// [`LogindError`]; what was scheduled still is.
    pub async fn cancel(&self) -> Result<bool, LogindError> {
        Ok(self.manager.call("CancelScheduledShutdown", &()).await?)
    }

    /// Sets what is written to the terminals of all users with the warnings of the login manager itself.
    ///
    /// # Errors
    /// [`LogindError`]; nobody is warned then.
    pub async fn set_wall_message(&self, message: &str) -> Result<(), LogindError> {
        Ok(self.manager.call("SetWallMessage", &(message, true)).await?)
    }
}

/// Calls to an object. Properties are read when they are asked for: a cache would listen to changes all the time.
async fn proxy(
    connection: &Connection,
    path: impl TryInto<zbus::ObjectPath<'static>, Error: Into<zbus::Error>>,
    interface: &'static str,
) -> zbus::Result<Proxy<'static>> {
    zbus::proxy::Builder::new(connection)
        .destination(SERVICE)
        .path(path)
        .interface(interface)
        .cache_properties(CacheProperties::No)
        .build()
        .await
}
