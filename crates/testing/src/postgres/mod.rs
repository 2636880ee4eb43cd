//! PostgreSQL for tests.
//!
//! [`Server::shared`] is for tests that need a database: [`Server::database_from`] clones one from a template that is
//! prepared once. The server is the one named by [`VARIABLE`], which `scripts/test` starts for everything it runs, or
//! else one that the test process starts for itself. [`Server::own`] is for tests that stop or pause the server.
//!
//! A server lives in a folder of its own and listens on a unix socket in it, never on a port. It ends when the process
//! that started it ends, however that happens, and its folder goes with it.
//!
//! PostgreSQL 15 or newer must be installed (Debian: `postgresql`); without them every test that asks for a server
//! fails. As PostgreSQL refuses to run as root, root runs it as the account `postgres`.

mod admin;
mod database;
mod install;
mod own;
mod processes;
mod server;

pub use database::Database;
pub use own::OwnServer;
pub use server::{Server, VARIABLE};
