//! Disks, disk images and container images as read-only file trees: in user space, without root, without mounting.
//!
//! ```text
//! target            a file, a block device, an OCI layout, an archive, a folder
//!  └ container      raw, qcow2, vmdk, vhd, vhdx, vdi           → [`BlockRead`]
//!     └ volumes     MBR, GPT, LVM2, or the whole disk          → [`Volume`]
//!        └ file system   ext2/3/4, xfs, btrfs, ntfs, fat, squashfs; layers; a folder   → [`FileSystem`]
//!           └ trees      what the system saw: its volumes put together by its fstab    → [`Tree`]
//! ```
//!
//! Everything that is read here may have been written by an attacker. No symbolic link leaves its tree, paths are bytes,
//! every loop has a bound ([`limits`]), and what cannot be read is a [`Refusal`] or a [`ReadError`]: never a tree that
//! looks empty.

pub mod block;
pub mod file_system;
pub mod fuzzing;
pub mod limits;
pub mod path;
pub mod target;
pub mod tree;
pub mod volume;

pub use block::BlockRead;
pub use file_system::{Entry, FileKind, FileSystem, Metadata, Place, ReadError, Reader};
pub use path::FilePath;
pub use target::{OpenError, Opened, Options, open};
pub use tree::{System, Tree, TreeReader};
pub use volume::{Content, Refusal, Volume};
