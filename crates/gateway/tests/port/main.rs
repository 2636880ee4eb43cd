//! The port as its clients see it: a real listener, real TLS, real tokens, and a small service behind it.

mod agent_link;
mod grpc;
mod pending;
mod reports;
mod rest;
mod rpc;
#[path = "../../src/rpc/signature/signer.rs"]
mod signer;
mod support;
#[path = "../../src/testing.rs"]
mod testing;
mod tokens;
mod transport;
