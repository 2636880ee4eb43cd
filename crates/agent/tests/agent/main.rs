//! The agent as a program: real processes, real sockets, real signals.

mod av_remove;
mod bench;
mod configuration;
mod control;
mod departure;
mod enrol;
mod isolation;
mod kill_process;
mod link;
mod overlay;
mod policy;
mod run_command;
mod runner;
mod server;
mod system_update;
mod update;
