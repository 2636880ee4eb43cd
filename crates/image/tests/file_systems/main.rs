//! Every file system against real images: made by its own tools, compared file by file with the folder they hold.

mod compare;
mod disks;
mod xfs;
