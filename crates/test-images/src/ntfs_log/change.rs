//! Changes, as the log has them.

use super::log::put;

/// Operations of the log.
pub(super) mod operation {
    pub const NOOP: u16 = 0;
    pub const INITIALIZE: u16 = 2;
    pub const DEALLOCATE: u16 = 3;
    pub const CREATE_ATTRIBUTE: u16 = 5;
    pub const DELETE_ATTRIBUTE: u16 = 6;
    pub const UPDATE_RESIDENT: u16 = 7;
    pub const UPDATE_NONRESIDENT: u16 = 8;
    pub const MAPPING_PAIRS: u16 = 9;
    pub const SIZES: u16 = 11;
    pub const ADD_ROOT: u16 = 12;
    pub const DELETE_ROOT: u16 = 13;
    pub const ADD_BLOCK: u16 = 14;
    pub const DELETE_BLOCK: u16 = 15;
    pub const WRITE_END_OF_BLOCK: u16 = 16;
    pub const SET_VCN_ROOT: u16 = 17;
    pub const FILE_NAME_ROOT: u16 = 19;
    pub const FILE_NAME_BLOCK: u16 = 20;
    pub const SET_BITS: u16 = 21;
    pub const CLEAR_BITS: u16 = 22;
    pub const FORGET: u16 = 27;
    pub const OPEN_ATTRIBUTE: u16 = 28;
}

/// A change: what the record says besides its two operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub redo: (u16, Vec<u8>),
    pub undo: (u16, Vec<u8>),
    pub attribute: u16,
    pub clusters: Vec<u64>,
    pub record_at: usize,
    pub attribute_at: usize,
    pub cluster: u64,
    pub sector: u16,
}

impl Change {
    pub(super) fn new(redo: u16, undo: u16) -> Self {
        Self { redo: (redo, Vec::new()), undo: (undo, Vec::new()), ..Self::default() }
    }

    /// The data of its record.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // There is room for one cluster at least.
        let head = 32 + 8 * self.clusters.len().max(1);
        let redo = head + self.redo.1.len().next_multiple_of(8);
        let mut bytes = vec![0; redo + self.undo.1.len().next_multiple_of(8)];
        let undo = if self.undo.1.is_empty() { head } else { redo };
        let fields = [
            self.redo.0.into(),
            self.undo.0.into(),
            head,
            self.redo.1.len(),
            undo,
            self.undo.1.len(),
            self.attribute.into(),
            self.clusters.len(),
            self.record_at,
            self.attribute_at,
            self.sector.into(),
        ];
        for (index, field) in fields.into_iter().enumerate() {
            put(&mut bytes, index * 2, &(field as u16).to_le_bytes());
        }
        put(&mut bytes, 24, &self.cluster.to_le_bytes());
        for (index, cluster) in self.clusters.iter().enumerate() {
            put(&mut bytes, 32 + index * 8, &cluster.to_le_bytes());
        }
        put(&mut bytes, head, &self.redo.1);
        put(&mut bytes, undo, &self.undo.1);
        bytes
    }
}
