//! A server, seen by those who need a database.

use std::{
    env, mem,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use super::{Database, OwnServer, database};
use crate::Proxy;

/// The environment variable that names a server for all tests of a run: a URL of the form
/// `postgres:///postgres?host=/folder/of/its/socket&user=guardhouse`. The account must be a superuser who needs no
/// password. The server must not outlive the run: templates stay in it as they were first prepared.
pub const VARIABLE: &str = "GUARDHOUSE_TEST_POSTGRES";

/// The name of the file of the socket: the port is part of it, even if there is none.
const SOCKET: &str = ".s.PGSQL.5432";

/// A server that listens on a unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    folder: PathBuf,
    user: String,
    /// Whether it serves other tests, too, so that each has to clean up.
    shared: bool,
}

impl Server {
    /// The server for tests that only need a database. Where [`VARIABLE`] names none, the process starts one of its
    /// own with the first call.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start, or [`VARIABLE`] is not understood.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| match env::var(VARIABLE) {
            Ok(url) => Self::parse(&url).unwrap_or_else(|| {
                panic!("{VARIABLE} is {url:?}, which is not postgres:///postgres?host=/FOLDER&user=NAME")
            }),
            Err(_) => {
                let own = OwnServer::make();
                let server = Self { shared: true, ..(*own).clone() };
                // It ends when the process does: whoever watches over it waits for that.
                mem::forget(own);
                server
            }
        })
    }

    /// Makes and starts a server for one test, which takes a second or two.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed or does not start.
    #[must_use]
    pub fn own() -> OwnServer {
        OwnServer::make()
    }

    pub(super) fn own_at(folder: PathBuf, user: &str) -> Self {
        Self { folder, user: user.to_owned(), shared: false }
    }

    fn parse(url: &str) -> Option<Self> {
        let (folder, user) = url.strip_prefix("postgres:///postgres?host=")?.split_once("&user=")?;
        let plain = |text: &str| !text.is_empty() && !text.contains(['%', '&', '?', '#']);
        let understood = folder.starts_with('/') && plain(folder) && plain(user);
        understood.then(|| Self { folder: folder.into(), user: user.to_owned(), shared: true })
    }

    /// The URL of the database for administration; the form of [`VARIABLE`].
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The folder of the socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// A proxy on loopback in front of this server; see [`Database::url_through`].
    #[must_use]
    pub fn proxy(&self) -> Proxy {
        Proxy::to_unix(self.socket())
    }

    /// A database of the test's own, made as a copy of the database `template`. When there is no such template,
    /// `prepare` makes one: it gets the URL of an empty database. It runs once per server, whatever the number of tests
    /// and processes; when it panics, the next one tries again.
    ///
    /// # Panics
    ///
    /// When `template` is not made of small letters, digits and `_`, or the server refuses.
    pub fn database_from(&self, template: &str, prepare: impl FnOnce(&str)) -> Database {
        database::clone_of(self, template, prepare)
    }

    /// An empty database of the test's own.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    #[must_use]
    pub fn empty_database(&self) -> Database {
        database::empty(self)
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    pub(super) fn url_of(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={}", self.folder.display(), self.user)
    }

    pub(super) fn url_at(&self, address: SocketAddr, database: &str) -> String {
        format!("postgres://{}@{address}/{database}?sslmode=disable", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_the_url_of_a_server() {
        let server = Server { folder: "/tmp/x".into(), user: "guardhouse".to_owned(), shared: true };
        assert_eq!(Server::parse(&server.url()), Some(server));
    }

    #[test]
    fn what_is_not_a_unix_socket_with_an_account_is_not_understood() {
        for url in [
            "",
            "postgres://localhost/postgres",
            "postgres:///postgres?host=/tmp/x",
            "postgres:///postgres?host=/tmp/x&user=",
            "postgres:///postgres?host=tmp/x&user=a",
            "postgres:///postgres?host=/tmp/%78&user=a",
            "postgres:///other?host=/tmp/x&user=a",
            "postgres:///postgres?host=/tmp/x&user=a&password=b",
        ] {
            assert_eq!(Server::parse(url), None, "{url}");
        }
    }
}
