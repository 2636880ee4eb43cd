//! The first pass: from the checkpoint to the end of the log, what was open, changed and unfinished at the end.

use super::{
    super::super::{ReadError, disk::Fields as _},
    Budget, damaged, in_record,
    operation::{Change, Operation, Subject},
    pages::{Pages, Record, kind},
    restart::Restart,
    tables::{Dirty, Opened, Tables, Transaction},
};

/// What was found.
#[derive(Debug, Default)]
pub struct Analysis {
    pub tables: Tables,
    /// The last record.
    pub last: u64,
    /// The first record after the checkpoint.
    pub first: Option<u64>,
}

/// Goes through the log.
pub fn analyse(pages: &mut Pages, restart: &Restart, budget: &mut Budget) -> Result<Analysis, ReadError> {
    let mut analysis = Analysis::default();
    if restart.checkpoint == 0 {
        return Ok(analysis);
    }
    let checkpoint = get(pages, restart.checkpoint)?;
    if checkpoint.kind != kind::CHECKPOINT {
        return Err(damaged("its checkpoint is none"));
    }
    let start = analysis.checkpoint(pages, &checkpoint)?;
    let mut record = get(pages, if start == 0 { checkpoint.number } else { start })?;
    while let Some(next) = pages.next(&record)? {
        record = next;
        budget.spend(record.data.len())?;
        if record.client != restart.client || record.kind != kind::CHANGE {
            continue;
        }
        analysis.first.get_or_insert(record.number);
        analysis.add(&record, budget).map_err(|error| in_record(&record, error))?;
    }
    if record.number < restart.current || !pages.ends_with(&record)? {
        return Err(damaged(&format!("it breaks off after record {:#x}", record.number)));
    }
    analysis.last = record.number;
    Ok(analysis)
}

/// A record that another one refers to.
pub fn get(pages: &mut Pages, number: u64) -> Result<Record, ReadError> {
    pages.record(number)?.ok_or_else(|| damaged(&format!("record {number:#x} is not there")))
}

impl Analysis {
    /// Reads the tables that belong to a checkpoint; returns the record after which the analysis begins, or 0.
    fn checkpoint(&mut self, pages: &mut Pages, checkpoint: &Record) -> Result<u64, ReadError> {
        let data = &checkpoint.data;
        let version = data.u32(0);
        if data.len() < 64 || version > 1 {
            return Err(ReadError::Unsupported(format!("checkpoints of version {version}")));
        }
        let mut table = |number: usize, length: usize| {
            if data.u32(length) == 0 {
                return Ok(None);
            }
            let record = get(pages, data.u64(number))?;
            // To the end of the record: what it says about its length does not hold more than 64 KiB.
            let table = record.data.get(usize::from(record.data.u16(4))..).map(<[u8]>::to_vec);
            table.ok_or_else(|| damaged("a table that leaves its record")).map(Some)
        };
        if let Some(table) = table(16, 48)? {
            self.tables.add_attributes(&table)?;
        }
        if let Some(table) = table(32, 56)? {
            self.tables.add_dirty(&table, version == 0)?;
        }
        if let Some(table) = table(40, 60)? {
            self.tables.add_transactions(&table)?;
        }
        Ok(data.u64(8))
    }

    /// Takes one more record into account.
    fn add(&mut self, record: &Record, budget: &mut Budget) -> Result<(), ReadError> {
        let change = Change::new(&record.data)?;
        let new = Transaction { first: record.number, undo_next: 0, is_active: true };
        let tables = &mut self.tables;
        let transaction = tables.transactions.entry(record.transaction).or_insert(new);
        transaction.undo_next = match (change.undo.operation, change.redo.operation) {
            (Operation::Compensation, _) | (_, Operation::EndTopLevelAction) => record.undo_next,
            _ => record.number,
        };
        match change.redo.operation {
            operation if operation.subject() != Subject::Nothing => {
                tables.change(change.attribute, change.cluster, change.clusters(), record.number)?;
            }
            Operation::DeleteDirtyClusters => {
                let ranges = change.redo.data.unwrap_or_default().chunks_exact(16);
                budget.spend(tables.dirty.len().saturating_mul(ranges.len()))?;
                let is_deleted =
                    |place: u64| ranges.clone().any(|range| place.wrapping_sub(range.u64(0)) < range.u64(8));
                for dirty in tables.dirty.values_mut() {
                    if is_deleted(dirty.place) {
                        dirty.place = 0;
                    }
                }
            }
            Operation::OpenNonresidentAttribute => {
                let opened = Opened::new(change.redo.data.unwrap_or_default())?;
                tables.attributes.insert(change.attribute, opened);
            }
            Operation::HotFix => {
                let key = (change.attribute, change.cluster);
                if let (Some(Dirty { place, .. }), Some(new)) =
                    (tables.dirty.get_mut(&key), change.clusters().next())
                    && *place != 0
                {
                    *place = new;
                }
            }
            Operation::PrepareTransaction | Operation::CommitTransaction => transaction.is_active = false,
            Operation::ForgetTransaction => {
                tables.transactions.remove(&record.transaction);
            }
            _ => {}
        }
        self.tables.check()
    }
}
