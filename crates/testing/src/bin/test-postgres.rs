//! A PostgreSQL for everything that a script runs: starts one, writes its URL to standard output and ends it when
//! standard input ends.

use std::io::{Write as _, copy, sink, stdin, stdout};

use guardhouse_testing::postgres::Server;

fn main() -> std::io::Result<()> {
    let server = Server::own();
    writeln!(stdout(), "{}", server.url())?;
    stdout().flush()?;
    copy(&mut stdin(), &mut sink())?;
    Ok(())
}
