//! Commands that work on what the server keeps, beside a running server or without one.

pub mod access_key;
pub mod agent_release;
pub mod backup;
pub mod enrolment_token;
pub mod restore;
pub mod user;
