//! Lets a test see which statements the store executes.

use std::{
    cell::RefCell,
    sync::mpsc::{Receiver, Sender, channel},
};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

thread_local! {
    /// Who listens to the connections that this thread opens: tests beside each other do not hear each other.
    static LISTENER: RefCell<Option<Sender<String>>> = const { RefCell::new(None) };
}

/// The statements of every connection that this thread opens from now on, in the order of their execution.
pub fn listen() -> Receiver<String> {
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
            let _ = listener.send(sql.to_owned());
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(tell))
}
