//! What both ends of the agent link share.
//!
//! The messages of the link are part of the contract (`guardhouse.link.v1`). This crate holds what surrounds
//! them: who trusts whom ([`tls`]), how a client opens a connection ([`channel`]), how long it waits before the
//! next attempt ([`backoff`]), the text of an enrolment token ([`token`]), and how a server vouches for a version of the agent
//! ([`release`]).

pub mod backoff;
pub mod channel;
pub mod release;
pub mod tls;
pub mod token;

#[cfg(test)]
mod test_certificates;

pub use backoff::Backoff;
pub use token::EnrolmentToken;
