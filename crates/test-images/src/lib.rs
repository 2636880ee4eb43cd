//! Disks and images for tests, made by the tools that make them everywhere.

pub mod file_systems;
