//! The one port of Guardhouse.
//!
//! A request comes in through the `listener`, gets an id in `port`, and takes one of the faces: `rest`,
//! `rpc`, `grpc`, `oauth`, `documents` or `reports`. REST, RPC and gRPC only translate: every call of a method goes through `call`,
//! which finds out who calls (`authenticate`) and how often (`limits`), and runs the method that the
//! `registry` names. A REST call that takes long goes on as `accepted` says.

mod accepted;
mod answer;
mod authenticate;
mod body;
mod call;
mod documents;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gateway;
mod grpc;
mod limits;
mod listener;
mod oauth;
mod origin;
mod port;
mod registry;
mod reports;
mod rest;
mod rpc;
#[cfg(any(test, fuzzing))]
mod testing;

pub use accepted::KEPT;
pub use call::TIME_LIMIT;
pub use gateway::{Bound, Gateway, GatewayError, Parts, Settings};
pub use listener::SHUTDOWN_LIMIT;
pub use registry::{Registry, RegistryError};
pub use rest::MAX_BODY;
