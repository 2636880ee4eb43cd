//! What the records of NTFS say: a change, how it is made again, and how it is taken back.

use super::super::super::{ReadError, disk::Fields as _};

/// Makes the operations of their names and their numbers in the log, which are thus said once.
macro_rules! operations {
    ($($name:ident = $number:literal,)*) => {
        /// What can be done to a page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($name,)*
        }

        impl Operation {
            fn new(number: u16) -> Result<Self, ReadError> {
                match number {
                    $($number => Ok(Self::$name),)*
                    _ => Err(ReadError::Unsupported(format!("operation {number:#x}"))),
                }
            }
        }
    };
}

operations! {
    Noop = 0x00,
    Compensation = 0x01,
    InitializeFileRecord = 0x02,
    DeallocateFileRecord = 0x03,
    WriteEndOfFileRecord = 0x04,
    CreateAttribute = 0x05,
    DeleteAttribute = 0x06,
    UpdateResidentValue = 0x07,
    UpdateNonresidentValue = 0x08,
    UpdateMappingPairs = 0x09,
    DeleteDirtyClusters = 0x0a,
    SetNewAttributeSizes = 0x0b,
    AddIndexEntryRoot = 0x0c,
    DeleteIndexEntryRoot = 0x0d,
    AddIndexEntryAllocation = 0x0e,
    DeleteIndexEntryAllocation = 0x0f,
    WriteEndOfIndexBuffer = 0x10,
    SetIndexEntryVcnRoot = 0x11,
    SetIndexEntryVcnAllocation = 0x12,
    UpdateFileNameRoot = 0x13,
    UpdateFileNameAllocation = 0x14,
    SetBits = 0x15,
    ClearBits = 0x16,
    HotFix = 0x17,
    EndTopLevelAction = 0x18,
    PrepareTransaction = 0x19,
    CommitTransaction = 0x1a,
    ForgetTransaction = 0x1b,
    OpenNonresidentAttribute = 0x1c,
    OpenAttributeTable = 0x1d,
    AttributeNames = 0x1e,
    DirtyPageTable = 0x1f,
    TransactionTable = 0x20,
    UpdateRecordDataRoot = 0x21,
    UpdateRecordDataAllocation = 0x22,
    ZeroEndOfFileRecord = 0x25,
}

/// What an operation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// No page.
    Nothing,
    /// A record of the file table.
    FileRecord,
    /// A block of an index.
    IndexBlock,
    /// The bytes of an attribute.
    Bytes,
}

impl Operation {
    pub fn subject(self) -> Subject {
        use Operation::*;
        match self {
            InitializeFileRecord | DeallocateFileRecord | WriteEndOfFileRecord | CreateAttribute
            | DeleteAttribute | UpdateResidentValue | UpdateMappingPairs | SetNewAttributeSizes
            | AddIndexEntryRoot | DeleteIndexEntryRoot | SetIndexEntryVcnRoot | UpdateFileNameRoot
            | UpdateRecordDataRoot | ZeroEndOfFileRecord => Subject::FileRecord,
            AddIndexEntryAllocation
            | DeleteIndexEntryAllocation
            | WriteEndOfIndexBuffer
            | SetIndexEntryVcnAllocation
            | UpdateFileNameAllocation
            | UpdateRecordDataAllocation => Subject::IndexBlock,
            UpdateNonresidentValue | SetBits | ClearBits => Subject::Bytes,
            Noop
            | Compensation
            | DeleteDirtyClusters
            | HotFix
            | EndTopLevelAction
            | PrepareTransaction
            | CommitTransaction
            | ForgetTransaction
            | OpenNonresidentAttribute
            | OpenAttributeTable
            | AttributeNames
            | DirtyPageTable
            | TransactionTable => Subject::Nothing,
        }
    }
}

/// One direction of a change.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    pub operation: Operation,
    /// How long the data are.
    pub length: usize,
    /// `None` when they are zeros, which are not written into the log.
    pub data: Option<&'a [u8]>,
}

/// A change of a page, in both directions.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub redo: Action<'a>,
    pub undo: Action<'a>,
    /// The attribute, by its place in the table of open ones.
    pub attribute: u32,
    /// Where in the record or index block.
    pub record_at: usize,
    /// Where in the attribute.
    pub attribute_at: usize,
    /// The first cluster of the attribute that is concerned.
    pub cluster: u64,
    /// How many bytes into it the record or index block begins.
    pub within: u64,
    clusters: &'a [u8],
}

impl<'a> Change<'a> {
    /// Takes the data of a record.
    pub fn new(data: &'a [u8]) -> Result<Self, ReadError> {
        let count = usize::from(data.u16(14));
        let clusters = data.get(32..32 + count * 8).filter(|_| data.len() >= 32);
        let clusters = clusters.ok_or_else(|| ReadError::Damaged("it is cut off".into()))?;
        let action = |operation, place, length| {
            let (place, length) = (usize::from(data.u16(place)), usize::from(data.u16(length)));
            let operation = Operation::new(operation)?;
            Ok::<_, ReadError>(Action { operation, length, data: data.get(place..place + length) })
        };
        Ok(Self {
            redo: action(data.u16(0), 4, 6)?,
            undo: action(data.u16(2), 8, 10)?,
            attribute: data.u16(12).into(),
            record_at: data.u16(16).into(),
            attribute_at: data.u16(18).into(),
            cluster: data.u64(24),
            within: u64::from(data.u16(20)) * 512,
            clusters,
        })
    }

    /// Where the clusters of the attribute lay from [`Self::cluster`] on; 0 for one without a place.
    pub fn clusters(&self) -> impl ExactSizeIterator<Item = u64> + use<'a> {
        self.clusters.chunks_exact(8).map(|cluster| cluster.u64(0))
    }
}
