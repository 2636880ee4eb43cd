//! Statements to a server, through PostgreSQL's own client: tests of a database driver must not need it already.

use std::process::Command;

use super::{Server, install};

/// Executes statements one after the other in the database for administration, each in a transaction of its own.
///
/// # Panics
///
/// When the server refuses one, with what it says.
pub(super) fn execute(server: &Server, statements: &[&str]) {
    try_execute(server, statements).unwrap_or_else(|failed| panic!("{failed}"));
}

/// As [`execute`]; answers what the server says against it.
pub(super) fn try_execute(server: &Server, statements: &[&str]) -> Result<(), String> {
    let mut psql = Command::new(install::psql());
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
    psql.arg("--dbname").arg(server.url());
    psql.args(statements.iter().flat_map(|statement| ["--command", statement]));
    // The URL says everything. A port from the environment would become part of the name of the socket.
    for name in ["PGPORT", "PGOPTIONS", "PGSERVICE", "PGSSLMODE"] {
        psql.env_remove(name);
    }
    install::try_run(psql).map(|_| ())
}
