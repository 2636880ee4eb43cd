//! Lets a test see which statements the store executes.

use std::{
    cell::RefCell,
    sync::mpsc::{Receiver, Sender, channel},
};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

use crate::engine::Value;

/// A statement that was executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// Its text.
    pub sql: String,
    /// On PostgreSQL, the types of its values.
    pub types: Vec<&'static str>,
}

thread_local! {
    /// Who listens to the connections that this thread opens: tests beside each other do not hear each other.
    static LISTENER: RefCell<Option<Sender<Heard>>> = const { RefCell::new(None) };
}

/// The statements of every store that this thread opens from now on, in the order of their execution.
pub fn listen() -> Receiver<Heard> {
    let (sender, receiver) = channel();
    LISTENER.set(Some(sender));
    receiver
}

/// Lets the listener, if there is one, hear this connection.
pub fn attach(connection: &mut Connection) -> rusqlite::Result<()> {
    let Some(listener) = LISTENER.with_borrow(Clone::clone) else { return Ok(()) };
    let tell = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(_, sql) = event {
            // Nobody listens any more when the test is over.
            let _ = listener.send(Heard { sql: sql.to_owned(), types: Vec::new() });
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(tell))
}

/// Tells the listener of the thread that made it, if there is one.
#[derive(Debug)]
pub struct Tap(Option<Sender<Heard>>);

impl Tap {
    /// For the listener of this thread.
    pub fn new() -> Self {
        Self(LISTENER.with_borrow(Clone::clone))
    }

    /// Tells of a statement on PostgreSQL.
    pub fn tell(&self, sql: &str, values: &[Value<'_>]) {
        if let Some(listener) = &self.0 {
            // Nobody listens any more when the test is over.
            let _ = listener.send(Heard { sql: sql.to_owned(), types: values.iter().map(type_of).collect() });
        }
    }
}

fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Id(_) => "uuid",
        Value::Integer(_) => "bigint",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytea",
        Value::Ids(_) => "uuid[]",
        Value::Integers(_) | Value::OptionalIntegers(_) => "bigint[]",
        Value::Texts(_) => "text[]",
        Value::OptionalBytes(_) => "bytea[]",
    }
}
