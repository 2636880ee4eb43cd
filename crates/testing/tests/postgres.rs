//! The servers and databases of tests, with a real PostgreSQL.

mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::{Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
};

use guardhouse_testing::postgres::{OwnServer, Server};
use support::{Session, eventually, query};

/// A table with one row.
fn prepare(url: &str) {
    query(url, "create table t (x int); insert into t values (1)").expect("an empty database");
}

#[test]
fn a_change_in_one_database_is_not_seen_in_another() {
    let server = Server::shared();
    let one = server.database_from("isolation", prepare);
    let other = server.database_from("isolation", prepare);
    query(&one.url(), "insert into t values (2)").expect("the table is there");
    assert_eq!(query(&one.url(), "select count(*) from t").expect("it is there"), "2");
    assert_eq!(query(&other.url(), "select count(*) from t").expect("it is there"), "1");
}

#[test]
fn a_template_is_prepared_once_however_many_ask_for_it() {
    let (server, prepared) = (Server::own(), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let database = server.database_from("once", |url| {
                    prepared.fetch_add(1, Ordering::Relaxed);
                    prepare(url);
                });
                assert_eq!(query(&database.url(), "select x from t").expect("it is there"), "1");
            });
        }
    });
    assert_eq!(prepared.into_inner(), 1);
}

#[test]
fn a_template_whose_preparation_failed_is_made_anew() {
    let server = Server::shared();
    let failed = catch_unwind(AssertUnwindSafe(|| {
        server.database_from("retried", |url| {
            query(url, "create table half ()").expect("an empty database");
            panic!("in the middle");
        })
    }));
    assert!(failed.is_err());
    let database = server.database_from("retried", prepare);
    assert_eq!(query(&database.url(), "select to_regclass('half') is null").expect("it answers"), "t");
}

#[test]
fn a_template_is_copied_even_when_its_preparation_left_a_connection_open() {
    let (server, mut left) = (Server::shared(), None);
    let database = server.database_from("left_open", |url| {
        prepare(url);
        left = Some(Session::start(url));
    });
    assert_eq!(query(&database.url(), "select x from t").expect("it is there"), "1");
}

#[test]
fn a_database_goes_with_its_value_even_when_somebody_is_connected() {
    let server = Server::shared();
    let database = server.empty_database();
    let (name, mut session) = (database.name().to_owned(), Session::start(&database.url()));
    drop(database);
    let count = format!("select count(*) from pg_database where datname = '{name}'");
    assert_eq!(query(&server.url(), &count).expect("it answers"), "0");
    assert!(session.query("select 1").is_none(), "the session was ended");
}

#[test]
fn databases_do_not_sort_by_bytes() {
    let database = Server::shared().empty_database();
    assert_eq!(query(&database.url(), "select 'a' < 'B' and 'B' < 'c'").expect("it answers"), "t");
}

#[test]
fn a_paused_server_answers_when_it_goes_on() {
    let server = Server::own();
    let mut session = Session::start(&server.url());
    assert_eq!(session.query("select 1").as_deref(), Some("1"));
    server.pause();
    assert!(states(&server).iter().all(|state| state == "T"), "{:?}", states(&server));
    let (said, heard) = mpsc::channel();
    let url = server.url();
    thread::scope(|scope| {
        scope.spawn(|| said.send(session.query("select 2")));
        scope.spawn(|| said.send(query(&url, "select 2").ok()));
        assert!(heard.try_recv().is_err(), "nothing answers");
        server.resume();
        for _ in 0..2 {
            assert_eq!(heard.recv_timeout(support::PATIENCE).expect("an answer").as_deref(), Some("2"));
        }
    });
}

/// The states of the processes of a server, the main process and all others.
fn states(server: &OwnServer) -> Vec<String> {
    let main = server.main_process().as_raw_nonzero().to_string();
    let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).expect("it runs");
    let all = children.split_whitespace().chain([main.as_str()]);
    let stats = all.map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs"));
    stats.map(|stat| stat.rsplit(") ").next().expect("a state")[..1].to_owned()).collect()
}

#[test]
fn what_was_committed_survives_a_crash() {
    let mut server = Server::own();
    query(&server.url(), "create table t (x int)").expect("it answers");
    let mut session = Session::start(&server.url());
    session.query("begin; insert into t values (2)");
    query(&server.url(), "insert into t values (1)").expect("it answers");
    server.stop_immediately();
    assert!(query(&server.url(), "select 1").is_err(), "nobody listens");
    assert!(session.query("commit").is_none(), "the session was cut off");
    server.start();
    assert_eq!(query(&server.url(), "select x from t").expect("it answers"), "1");
}

#[test]
fn a_server_goes_with_its_value_in_whatever_state_it_is() {
    let mut stopped = Server::own();
    stopped.stop_immediately();
    let paused = Server::own();
    let mut session = Session::start(&paused.url());
    paused.pause();
    for server in [stopped, paused] {
        let folder = server.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
    assert!(session.query("select 1").is_none(), "the session was ended");
}

#[test]
fn a_server_ends_with_the_process_that_started_it_even_when_that_is_killed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-postgres"));
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut url = String::new();
    BufReader::new(process.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
    let url = url.trim_end();
    let folder = url.strip_prefix("postgres:///postgres?host=").and_then(|rest| rest.split_once('&'));
    let folder = Path::new(folder.expect("a URL with a folder").0);
    let mut session = Session::start(url);
    process.kill().expect("it runs");
    process.wait().expect("it is our child");
    assert!(session.query("select pg_sleep(3600)").is_none(), "the session was cut off");
    eventually("the folder of the server is removed", || !folder.exists());
}
