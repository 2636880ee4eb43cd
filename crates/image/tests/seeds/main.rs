//! Good disks of all kinds that the fuzz targets begin with: made by real tools, small, and read without an error.

mod containers;
mod disks;
mod file_systems;
