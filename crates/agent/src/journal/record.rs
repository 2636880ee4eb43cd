//! What the journal records.

use guardhouse_contract::{
    link::{Order, RunEnded},
    time,
};
use guardhouse_model::{RunId, Timestamp};

/// One thing that happened to a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// The agent took the order; from now on it answers for it.
    Accepted(RunId, Order),
    /// The run's folder is ready and its runner may be started.
    Started(RunId),
    /// The run is over; this is what the server is told.
    Ended(RunId, RunEnded),
    /// Nothing is left to do for the run. What is remembered until the given moment (of the server's clock) is
    /// that it must not be done again.
    Settled(RunId, Settled, Timestamp),
}

/// Why nothing is left to do for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The server stored its end.
    Acknowledged,
    /// The server withdrew it before it was started.
    Withdrawn,
}

/// The records of one append, as they lie in the file.
#[derive(Clone, PartialEq, prost::Message)]
struct StoredBatch {
    #[prost(message, repeated, tag = "1")]
    records: Vec<StoredRecord>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredRecord {
    #[prost(string, tag = "1")]
    run_uuid: String,
    #[prost(oneof = "StoredEvent", tags = "2, 3, 4, 5, 6")]
    event: Option<StoredEvent>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum StoredEvent {
    #[prost(message, tag = "2")]
    Accepted(Order),
    #[prost(message, tag = "3")]
    Started(()),
    #[prost(message, tag = "4")]
    Ended(RunEnded),
    #[prost(message, tag = "5")]
    Acknowledged(prost_types::Timestamp),
    #[prost(message, tag = "6")]
    Withdrawn(prost_types::Timestamp),
}

/// Encodes the records of one append.
pub(super) fn encode(records: &[Record]) -> Vec<u8> {
    let records = records.iter().map(|record| {
        let (run, event) = match record {
            Record::Accepted(run, order) => (run, StoredEvent::Accepted(order.clone())),
            Record::Started(run) => (run, StoredEvent::Started(())),
            Record::Ended(run, ended) => (run, StoredEvent::Ended(ended.clone())),
            Record::Settled(run, Settled::Acknowledged, until) => {
                (run, StoredEvent::Acknowledged(time::to_proto(*until)))
            }
            Record::Settled(run, Settled::Withdrawn, until) => {
                (run, StoredEvent::Withdrawn(time::to_proto(*until)))
            }
        };
        StoredRecord { run_uuid: run.to_string(), event: Some(event) }
    });
    prost::Message::encode_to_vec(&StoredBatch { records: records.collect() })
}

/// Decodes the records of one append; `None` when they are not what [`encode`] writes.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Record>> {
    let batch = <StoredBatch as prost::Message>::decode(bytes).ok()?;
    let records = batch.records.into_iter().map(|StoredRecord { run_uuid, event }| {
        let run: RunId = run_uuid.parse().ok()?;
        Some(match event? {
            StoredEvent::Accepted(order) => Record::Accepted(run, order),
            StoredEvent::Started(()) => Record::Started(run),
            StoredEvent::Ended(ended) => Record::Ended(run, ended),
            StoredEvent::Acknowledged(until) => {
                Record::Settled(run, Settled::Acknowledged, time::from_proto(&until)?)
            }
            StoredEvent::Withdrawn(until) => {
                Record::Settled(run, Settled::Withdrawn, time::from_proto(&until)?)
            }
        })
    });
    records.collect()
}
