//! The endpoint agent.
//!
//! One process ([`agent`]) keeps the link to the server ([`session`]) and remembers what it was told
//! ([`journal`]). Each action ([`actions`]) is carried out by a process of its own ([`runs`]), once, whatever
//! is killed when, within what the device's [`policy`] allows. [`isolation`] lasts longer than the run that began it.
//! [`enrol`] turns a host into a device, [`identity`] is what it has from then on, [`inventory`] is what it says of
//! itself, and [`device_state`] what it is in for a while. [`snapshots`] can be taken of some devices. A run gets a [`workplace`] and ends with an [`outcome`].
//! [`command`] is the command line.

pub mod actions;
pub mod address;
pub mod agent;
mod causes;
pub mod command;
pub mod configuration;
pub mod control;
pub mod departure;
pub mod device_state;
pub mod durable;
pub mod enrol;
pub mod identity;
pub mod inventory;
pub mod isolation;
pub mod journal;
pub mod kill_points;
pub mod lock;
pub mod logging;
pub mod logind;
pub mod outcome;
pub mod policy;
pub mod power;
pub mod runs;
pub mod service;
pub mod session;
pub mod snapshots;
pub mod state;
pub mod status;
pub mod system;
mod timer;
pub mod update;
pub mod version;
pub mod workplace;
