//! Partition tables.
//!
//! Which one counts where there are several follows Linux: a GPT when the MBR says so by an entry of type 0xee, the MBR
//! otherwise.

mod gpt;
mod mbr;

use std::io;

use super::{Reason, Refusal};
use crate::block::{BlockRead, read_up_to};

/// The sizes of sectors in use, in bytes.
const SECTORS: [u64; 2] = [512, 4096];

/// A partition table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// In the order of the table.
    pub(crate) partitions: Vec<Partition>,
    /// Things to tell: which copy was read, what was left out.
    pub(crate) notes: Vec<String>,
    /// Parts of it that cannot be read: what, and why.
    pub(crate) refused: Vec<(String, Refusal)>,
}

/// An entry of a partition table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Partition {
    /// What Linux calls it: 2 for `sda2`.
    pub(crate) number: u32,
    /// In bytes.
    pub(crate) start: u64,
    /// In bytes.
    pub(crate) length: u64,
    pub(crate) uuid: String,
    pub(crate) label: String,
    pub(crate) role: Role,
}

/// What an entry says that its partition is for, as far as that changes what is done with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whatever its bytes say.
    #[default]
    Any,
    /// It holds further partitions.
    Extended,
    /// It holds no files by its nature. The word for it.
    NoFiles(&'static str),
    /// It belongs to something that is not read. The word for it.
    NotRead(&'static str),
}

/// The table of a disk; `None` without one.
///
/// `knows` tells whether a file system or the like begins at a place of the disk. It decides in what sectors an MBR
/// counts, which it does not say itself, and whether the rest of an old table at the end of a disk still counts.
pub(crate) fn read(
    disk: &dyn BlockRead,
    knows: &dyn Fn(u64) -> bool,
) -> io::Result<Option<Result<Table, Refusal>>> {
    let first = read_up_to(disk, 0, 512)?;
    let mbr = mbr::entries(&first, disk.len());
    let is_protective =
        mbr.as_ref().is_some_and(|entries| entries.iter().any(|entry| entry.kind == mbr::PROTECTIVE));
    let primary = gpt::primary(disk);
    if let Some(entries) = mbr.filter(|_| !is_protective) {
        let mut table = mbr::read(disk, &first, &entries, knows)?;
        if primary.is_ok() {
            table.notes.push(
                "the disk has an MBR and a GPT; the MBR counts, because it does not mention the GPT"
                    .to_owned(),
            );
        }
        return Ok(Some(Ok(table)));
    }
    let detail = match primary {
        Ok(table) => return Ok(Some(Ok(table))),
        Err(detail) => detail,
    };
    // Without an MBR that says so, a table at the end may be left from before the disk was formatted as a whole.
    if !is_protective && knows(0) {
        return Ok(None);
    }
    Ok(match gpt::backup(disk) {
        Ok(mut table) => {
            table.notes.push(format!(
                "the GPT at the start of the disk is damaged ({detail}); its copy at the end was read"
            ));
            Some(Ok(table))
        }
        Err(_) if !is_protective => None,
        Err(second) => Some(Err(Refusal {
            reason: Reason::Damaged,
            what: "GPT".to_owned(),
            detail: format!("its MBR says that there is one; {detail}; at the end of the disk: {second}"),
        })),
    })
}
