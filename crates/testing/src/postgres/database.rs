//! A database per test, as a copy of one that is prepared once.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{Server, admin};
use crate::Proxy;

/// A database of one test. It is dropped with the value, also when connections to it are still open.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// The URL for clients, over the unix socket.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url_of(&self.name)
    }

    /// The URL for clients that are to come through a proxy of the same server ([`Server::proxy`]).
    #[must_use]
    pub fn url_through(&self, proxy: &Proxy) -> String {
        self.server.url_at(proxy.address(), &self.name)
    }

    /// The name within its server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server of the test's own takes its databases along, and may be paused or stopped right now.
        if self.server.is_shared() {
            let dropped = admin::try_execute(&self.server, &[&drop_statement(&self.name)]);
            // A panic would hide the one of a test that fails just now.
            dropped.unwrap_or_else(|failed| eprintln!("the database of the test stays: {failed}"));
        }
    }
}

/// An empty database.
pub(super) fn empty(server: &Server) -> Database {
    create(server, "template0")
}

/// A copy of `template`, which `prepare` fills when there is none.
pub(super) fn clone_of(server: &Server, template: &str, prepare: impl FnOnce(&str)) -> Database {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    assert!(!template.is_empty() && template.chars().all(plain), "{template:?} is no name for a template");
    let template = format!("template_{template}");
    make_template(server, &template, prepare);
    create(server, &template)
}

/// Makes the template unless it is there. A file beside the socket says so; its lock keeps other threads and processes
/// waiting while one prepares it, and goes with a process that dies in the middle.
fn make_template(server: &Server, template: &str, prepare: impl FnOnce(&str)) {
    let path = server.folder().join(format!("{template}.lock"));
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.lock().expect("files can be locked");
    let mut mark = String::new();
    file.read_to_string(&mut mark).expect("it can be read");
    if !mark.is_empty() {
        return;
    }
    let create = format!("create database {template} template template0");
    admin::execute(server, &[&drop_statement(template), &create]);
    prepare(&server.url_of(template));
    admin::execute(
        server,
        &[
            // Nobody may be connected to a database while it is copied. The server notices the end of the connections
            // of `prepare` when it gets to it, so it is told, and waited for.
            &format!("alter database {template} allow_connections false"),
            &format!(
                "select pg_terminate_backend(pid, 60000) from pg_stat_activity where datname = '{template}'"
            ),
        ],
    );
    file.write_all(b"prepared\n").expect("it can be written");
}

/// Makes a database with a name that no other test uses.
fn create(server: &Server, template: &str) -> Database {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let create = format!("create database {name} template {template}");
    // A process that was killed leaves its databases behind, and its id may come again.
    admin::execute(server, &[&drop_statement(&name), &create]);
    Database { server: server.clone(), name }
}

fn drop_statement(name: &str) -> String {
    format!("drop database if exists {name} with (force)")
}
