//! Why the login manager did not do what it was asked for.

use zbus::DBusError as _;

/// What went wrong, as far as it makes a difference.
#[derive(Debug, thiserror::Error)]
pub enum LogindError {
    /// This machine has no login manager, or no D-Bus.
    #[error("this device has no login manager that could be reached over D-Bus: {0}")]
    Absent(String),
    /// The agent may not do it.
    #[error(
        "the login manager does not let the agent do this ({0}); it must run as root, with CAP_SYS_BOOT and CAP_KILL"
    )]
    Denied(String),
    /// What it was asked about is not there, or not any more.
    #[error("the login manager does not know it: {0}")]
    Gone(String),
    /// Something else.
    #[error("the login manager failed: {0}")]
    Failed(String),
}

impl LogindError {
    /// The bus itself cannot be reached.
    pub(super) fn no_bus(error: zbus::Error) -> Self {
        Self::Absent(error.to_string())
    }
}

impl From<zbus::Error> for LogindError {
    fn from(error: zbus::Error) -> Self {
        let name = match &error {
            zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
            zbus::Error::FDO(error) => error.name().as_str().to_owned(),
            _ => return Self::Failed(error.to_string()),
        };
        classify(&name)(error.to_string())
    }
}

impl From<zbus::fdo::Error> for LogindError {
    fn from(error: zbus::fdo::Error) -> Self {
        Self::from(zbus::Error::from(error))
    }
}

/// What an error of this name means.
fn classify(name: &str) -> fn(String) -> LogindError {
    match name.strip_prefix("org.freedesktop.DBus.Error.") {
        Some("ServiceUnknown" | "NameHasNoOwner") => LogindError::Absent,
        // The bus was to start it, and could not.
        Some(name) if name.starts_with("Spawn.") => LogindError::Absent,
        Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired") => LogindError::Denied,
        Some("UnknownObject") => LogindError::Gone,
        Some(_) => LogindError::Failed,
        None if matches!(
            name,
            "org.freedesktop.login1.NoSuchSession" | "org.freedesktop.login1.NoSessionForPID"
        ) =>
        {
            LogindError::Gone
        }
        None if name.starts_with("org.freedesktop.PolicyKit1.Error.") => LogindError::Denied,
        None => LogindError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_errors_have_meanings() {
        let table = [
            ("org.freedesktop.DBus.Error.ServiceUnknown", "Absent"),
            ("org.freedesktop.DBus.Error.NameHasNoOwner", "Absent"),
            ("org.freedesktop.DBus.Error.Spawn.ChildExited", "Absent"),
            ("org.freedesktop.DBus.Error.Spawn.ServiceNotFound", "Absent"),
            ("org.freedesktop.DBus.Error.AccessDenied", "Denied"),
            ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "Denied"),
            ("org.freedesktop.PolicyKit1.Error.NotAuthorized", "Denied"),
            ("org.freedesktop.login1.NoSuchSession", "Gone"),
            ("org.freedesktop.login1.NoSessionForPID", "Gone"),
            ("org.freedesktop.DBus.Error.UnknownObject", "Gone"),
            ("org.freedesktop.DBus.Error.NoReply", "Failed"),
            ("org.freedesktop.login1.OperationInProgress", "Failed"),
        ];
        for (name, expected) in table {
            let found = format!("{:?}", classify(name)(String::new()));
            assert_eq!(found, format!("{expected}(\"\")"), "{name}");
        }
    }
}
