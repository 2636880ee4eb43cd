//! Every file system against real images: made by its own tools, compared file by file with the folder they hold.

mod btrfs;
mod compare;
mod damage;
mod disks;
mod ext;
mod fat;
mod log_tree;
mod mounted;
mod ntfs;
mod squashfs;
mod xfs;
