//! Where the database is and how it is used: what a URL says.

use std::{num::NonZeroUsize, str::FromStr, thread, time::Duration};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use crate::StoreError;

/// Statements that a connection keeps prepared.
const STATEMENT_CACHE: usize = 256;

/// Parameters that may follow the name of the database.
const PARAMETERS: [&str; 11] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connections",
    "statement_limit",
];

/// Connections per core of this machine, and most of them: a statement mostly waits for the network and the disk of
/// the database, and a server of PostgreSQL bears a hundred connections of all replicas together.
const CONNECTIONS_PER_CORE: usize = 4;
const MOST_CONNECTIONS: usize = 16;

/// How long a statement may take. A database that answers no more is given up, and with it the connection: who
/// waits is told, and the next job connects anew.
const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// A URL, understood. Two of its parameters are ours: `connections` (how many) and `statement_limit` (milliseconds).
#[derive(Debug, Clone)]
pub struct Address {
    /// Where the database is.
    pub options: PgConnectOptions,
    /// Connections of this process.
    pub connections: NonZeroUsize,
    /// How long a statement may take.
    pub statement_limit: Duration,
}

impl Address {
    /// # Errors
    /// It cannot be understood.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let refused = |reason: &str| StoreError::Address { reason: reason.to_owned() };
        check(url).map_err(refused)?;
        let cores = thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let mut connections = NonZeroUsize::new((cores * CONNECTIONS_PER_CORE).min(MOST_CONNECTIONS))
            .unwrap_or(NonZeroUsize::MIN);
        let mut statement_limit = STATEMENT_LIMIT;
        let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("connections", count)) => connections = number("connections", count)?,
                Some(("statement_limit", limit)) => {
                    let limit: NonZeroUsize = number("statement_limit", limit)?;
                    statement_limit = Duration::from_millis(u64::try_from(limit.get()).unwrap_or(u64::MAX));
                }
                _ => others.push(parameter),
            }
        }
        let options: PgConnectOptions = format!("{place}?{}", others.join("&"))
            .parse()
            .map_err(|_: sqlx::Error| refused("the host, the port or a parameter is not one"))?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(refused("it does not name a database"));
        }
        let options = options
            .application_name("guardhouse")
            .statement_cache_capacity(STATEMENT_CACHE)
            .disable_statement_logging();
        Ok(Self { options, connections, statement_limit })
    }
}

/// Refuses what the driver would misunderstand: a password with `/`, `?` or `#` in it ends the host too early, and an
/// unknown parameter is logged with its value. No reason repeats a part of the URL: it may be of a password.
fn check(url: &str) -> Result<(), &'static str> {
    let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("it does not begin with postgres://")?;
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, name) = place.split_once('/').unwrap_or((place, ""));
    if rest.contains('#') || name.contains(['/', '@', ':']) {
        return Err("in a password, / is written %2F, ? %3F, # %23, @ %40 and % %25");
    }
    let known =
        |parameter: &str| parameter.split_once('=').is_some_and(|(name, _)| PARAMETERS.contains(&name));
    if !parameters.split('&').filter(|parameter| !parameter.is_empty()).all(known) {
        return Err(
            "after ? only host, port, user, password, dbname, sslmode, sslrootcert, sslcert, sslkey, \
                    connections and statement_limit may follow, as NAME=VALUE joined by &; a ? in a password is \
                    written %3F",
        );
    }
    Ok(())
}

/// Where the database is, for those who only need that.
///
/// # Errors
/// The URL cannot be understood.
pub fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Address::parse(url).map(|address| address.options)
}

/// The place of a database as messages name it: without account and password.
pub fn place(options: &PgConnectOptions) -> String {
    // Without a name, PostgreSQL takes that of the account.
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{database} at {}", socket.display()),
        None => format!("{database} at {}:{}", options.get_host(), options.get_port()),
    }
}

fn number<T: FromStr>(name: &str, text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Address { reason: format!("{name} is {text:?}, not a number above 0") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_parameters_are_taken_out_and_the_others_stay() {
        let url = "postgres://ada@db:5433/house?connections=3&sslmode=disable&statement_limit=250";
        let address = Address::parse(url).expect("is understood");
        assert_eq!((address.connections.get(), address.statement_limit), (3, Duration::from_millis(250)));
        assert_eq!((address.options.get_host(), address.options.get_port()), ("db", 5433));
        assert_eq!(address.options.get_database(), Some("house"));
        assert!(matches!(address.options.get_ssl_mode(), sqlx::postgres::PgSslMode::Disable));
        let plain = Address::parse("postgres:///house").expect("is understood");
        assert_eq!(plain.statement_limit, STATEMENT_LIMIT);
    }

    #[test]
    fn a_place_names_neither_account_nor_password() {
        for (url, expected) in [
            ("postgres://ada:secret@db:5433/house", "house at db:5433"),
            ("postgres:///house?host=/run/postgresql&user=ada&password=secret", "house at /run/postgresql"),
        ] {
            assert_eq!(place(&options(url).expect("is understood")), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (url, reason) in [
            ("postgres://db/house?connections=0", "connections is \"0\""),
            ("postgres://db/house?statement_limit=30s", "statement_limit is \"30s\""),
            ("db", "postgres://"),
            ("postgres://db", "does not name a database"),
        ] {
            let error = Address::parse(url).expect_err("is refused").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn nothing_of_a_password_is_repeated() {
        for url in [
            "secret",
            "mysql://ada:secret@host/house",
            "postgres://ada:sec/ret@host/house",
            "postgres://ada:12/secret@host/house",
            "postgres://ada:12?secret@host/house",
            "postgres://ada:12#secret@host/house",
            "postgres://ada:secret@host:port/house",
            "postgres://ada@host/house?pasword=secret",
            "postgres://ada@host/house?sslmode=secret",
        ] {
            let error = Address::parse(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
