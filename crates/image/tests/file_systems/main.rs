//! Every file system against real images: made by its own tools, compared file by file with the folder they hold.

mod btrfs;
mod compare;
mod damage;
mod devices;
mod disks;
mod ext;
mod fat;
mod log_tree;
mod mounted;
mod ntfs;
mod ntfs_log;
mod packed;
mod squashfs;
mod xfs;
