//! The contract of Guardhouse.
//!
//! `proto/` defines every message and method; this crate holds what is derived from it: the generated types
//! and service traits, their canonical JSON, the tables of HTTP rules and of actions, and the OpenAPI document.
//!
//! A unary service `X` appears as a trait `X`, as a function `x_methods` that binds an implementation to its
//! method names, and as a tonic client. REST, gRPC and in-process callers all end in the same trait.

pub mod actions;
pub mod descriptors;
pub mod failure;
pub mod frames;
pub mod http;
pub mod json;
pub mod openapi;
pub mod service;
pub mod status;
pub mod time;

pub use service::{Access, Account, Call, Caller};
pub use status::{Code, FieldViolation, Status};

/// The generated code, nested by protobuf package.
#[allow(missing_docs, clippy::all, clippy::pedantic, rustdoc::all)]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

/// Agentless detection as a public API has it.
pub use pb::alibaba::sas::v20181203 as agentless;
/// Groups, their write side.
pub use pb::eset::connect::asset_management::v1 as assets;
/// Device tasks and their runs.
pub use pb::eset::connect::automation::v1 as automation;
/// Devices and the read side of groups.
pub use pb::eset::connect::device_management::v1 as devices;
/// Policies and their assignments.
pub use pb::eset::connect::policy_management::v2 as policies;
/// Errors as they travel.
pub use pb::google::rpc;
/// Results of actions.
pub use pb::guardhouse::action::v1 as action;
/// Agentless detection as Guardhouse has it of its own.
pub use pb::guardhouse::agentless::v1 as scans;
/// The agent link.
pub use pb::guardhouse::link::v1 as link;
/// What Guardhouse manages beyond the public API.
pub use pb::guardhouse::management::v1 as management;
/// What the contract says of its methods and fields beyond their types.
pub use pb::guardhouse::options::v1 as options;
/// Settings of Guardhouse's own agent.
pub use pb::guardhouse::policy::v1 as settings;

/// The encoded `FileDescriptorSet` of the whole contract, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
