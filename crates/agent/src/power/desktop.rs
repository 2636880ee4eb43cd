//! Notifications on the desktops of users.
//!
//! A desktop listens on the D-Bus of its user, which lets nobody else in, root included. So the call is made by a process
//! of the user: `busctl`, which comes with the login manager that knows the user. The agent gives it nothing but the
//! address and the text, and believes nothing but its exit code.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::logind::UserId;

/// Where the program is. Never looked for by `PATH`: that is not the agent's own.
const PROGRAM: &str = "/usr/bin/busctl";

/// How long a desktop may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows a notification that stays until the user has seen it; answers whether a desktop took it.
pub(super) async fn notify(user: &UserId, summary: &str, body: &str) -> bool {
    let bus = user.runtime_folder.join("bus");
    let is_own = |bus: &PathBuf| {
        let found = fs::symlink_metadata(bus);
        found.is_ok_and(|found| found.file_type().is_socket() && found.uid() == user.uid)
    };
    if !is_own(&bus) {
        return false;
    }
    let mut command = Command::new(PROGRAM);
    command
        .args(["--user", "--quiet", "call"])
        .args(["org.freedesktop.Notifications", "/org/freedesktop/Notifications"])
        .args(["org.freedesktop.Notifications", "Notify", "susssasa{sv}i"])
        // Name of the program, no notification to replace, icon, texts, no buttons, urgency, does not expire.
        .args(["Guardhouse", "0", "system-shutdown", summary, body, "0", "1", "urgency", "y", "2", "0"])
        .env_clear()
        .env("XDG_RUNTIME_DIR", &user.runtime_folder)
        .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display()))
        .current_dir("/")
        // Takes the agent's own groups away, too.
        .uid(user.uid)
        .gid(user.gid)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let shown = match timeout(PATIENCE, command.status()).await {
        Ok(Ok(status)) => status.success(),
        Ok(Err(_)) | Err(_) => false,
    };
    if !shown {
        tracing::info!(uid = user.uid, "no desktop of the user shows notifications");
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn nobody_is_told_where_there_is_no_desktop() {
        let folder = tempfile::tempdir().expect("a folder");
        let process = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let user = UserId { uid: process.0, gid: process.1, runtime_folder: folder.path().to_owned() };
        assert!(!notify(&user, "summary", "body").await, "no bus");

        let bus = folder.path().join("bus");
        fs::write(&bus, "").expect("written");
        assert!(!notify(&user, "summary", "body").await, "no socket");
        fs::remove_file(&bus).expect("removed");

        let listener = UnixListener::bind(&bus).expect("bound");
        let other = UserId { uid: user.uid + 1, ..user.clone() };
        assert!(!notify(&other, "summary", "body").await, "the socket of somebody else");
        drop(listener);
        assert!(!notify(&user, "summary", "body").await, "nobody listens any more");
    }
}
