//! Who is who: accounts, tokens, the certificate authority, enrolment.
//!
//! An administrator or an automation has an account ([`accounts`]) with a password ([`password`]) and exchanges
//! it for an access token and a refresh token ([`tokens`], [`access_token`]), or signs each request with an access
//! key ([`access_keys`]). A host redeems an enrolment token ([`enrolment`]) with a signing request
//! ([`signing_request`]) and gets a client certificate of the server's own authority ([`authority`]), which it shows
//! with every connection ([`devices`]).
//!
//! Refusals are variants of their own, with texts fit for a client. Everything else is a [`Failure`], for the
//! log only.

pub mod access_keys;
pub mod access_token;
pub mod accounts;
pub mod authority;
pub mod devices;
mod digest;
pub mod enrolment;
mod failure;
pub mod password;
pub mod release_key;
pub mod report_links;
mod sealing;
pub mod signing_request;
pub mod tokens;

#[cfg(test)]
mod fixture;

pub use access_keys::AccessKeys;
pub use accounts::Accounts;
pub use authority::Authority;
pub use devices::Devices;
pub use digest::sha256;
pub use enrolment::EnrolmentTokens;
pub use failure::Failure;
pub use release_key::ReleaseKey;
pub use report_links::ReportLinks;
pub use sealing::Sealing;
pub use tokens::Tokens;
