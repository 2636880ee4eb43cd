use std::sync::Arc;

use guardhouse_contract::link::{Order, RunEnded};
use guardhouse_model::{
    RunId, Timestamp,
    environment::{ManualClock, SeededEntropy},
};
use guardhouse_test_images::seeds::keep;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const SALT: [u8; 8] = *b"saltsalt";

fn run(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + day * 86_400).expect("in range")
}

fn accepted(number: u128, expires: i64) -> Record {
    let order = Order {
        run_uuid: run(number).to_string(),
        action: None,
        expire_time: Some(guardhouse_contract::time::to_proto(at(expires))),
    };
    Record::Accepted(run(number), order)
}

fn ended(number: u128) -> Record {
    Record::Ended(
        run(number),
        RunEnded { run_uuid: run(number).to_string(), succeeded: true, ..Default::default() },
    )
}

fn settled(number: u128, until: i64) -> Record {
    Record::Settled(run(number), Settled::Acknowledged, at(until))
}

/// A journal in a folder of its own, with a clock that stands at `at(0)`.
struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    seed: std::cell::Cell<u64>,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: Arc::new(ManualClock::new(at(0))),
            seed: std::cell::Cell::new(0),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn open(&self) -> Result<Journal, JournalError> {
        self.seed.set(self.seed.get() + 1);
        let entropy = Arc::new(SeededEntropy::new(self.seed.get()));
        Journal::open(&self.path(), Environment::new(self.clock.clone(), entropy), KillPoint::default())
    }
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let bench = Bench::new();
    let mut journal = bench.open().expect("new");
    journal.append(vec![accepted(1, 30), accepted(2, 30)]).expect("appended");
    journal.append(vec![Record::Started(run(1))]).expect("appended");
    journal.append(vec![ended(1), settled(3, 30)]).expect("appended");
    let before = journal.ledger().clone();
    drop(journal);
    assert_eq!(bench.open().expect("again").ledger(), &before);
    assert_eq!(bench.open().expect("compacted").ledger(), &before);
}

#[test]
fn a_torn_end_is_cut_and_overwritten() {
    let bench = Bench::new();
    let mut journal = bench.open().expect("new");
    journal.append(vec![accepted(1, 30)]).expect("appended");
    let whole = std::fs::read(bench.path()).expect("read");
    journal.append(vec![accepted(2, 30), accepted(3, 30)]).expect("appended");
    let longer = std::fs::read(bench.path()).expect("read");
    drop(journal);

    for length in whole.len()..longer.len() {
        std::fs::write(bench.path(), &longer[..length]).expect("written");
        let mut journal = bench.open().expect("cut");
        let known: Vec<_> = journal.ledger().open().map(|(id, _)| id).collect();
        assert_eq!(known, [run(1)], "cut to {length} bytes");
        journal.append(vec![accepted(4, 30)]).expect("appended");
        drop(journal);
        assert_eq!(bench.open().expect("again").ledger().open().count(), 2);
    }
}

#[test]
fn damage_before_a_good_record_stops_and_changes_nothing() {
    let bench = Bench::new();
    let mut journal = bench.open().expect("new");
    journal.append(vec![accepted(1, 30)]).expect("appended");
    let first = std::fs::metadata(bench.path()).expect("metadata").len();
    journal.append(vec![accepted(2, 30)]).expect("appended");
    drop(journal);

    let mut bytes = std::fs::read(bench.path()).expect("read");
    bytes[20] ^= 1;
    std::fs::write(bench.path(), &bytes).expect("written");
    let error = bench.open().expect_err("damaged");
    let text = error.to_string();
    assert!(matches!(error, JournalError::Damaged { damage: Damage::Frame { at: 16 }, .. }), "{text}");
    assert!(text.contains("journal.damaged") && text.contains("does not start"), "{text}");
    assert_eq!(std::fs::read(bench.path()).expect("read"), bytes, "untouched");

    // The same damage in the last record looks like a torn append and costs only that record.
    bytes[20] ^= 1;
    let last = usize::try_from(first).expect("small") + 4;
    bytes[last] ^= 1;
    std::fs::write(bench.path(), &bytes).expect("written");
    assert_eq!(bench.open().expect("cut").ledger().open().count(), 1);
}

#[test]
fn another_file_is_not_taken_for_a_journal() {
    let bench = Bench::new();
    std::fs::write(bench.path(), "root:x:0:0:root:/root:/bin/sh\n").expect("written");
    let error = bench.open().expect_err("not a journal");
    assert!(matches!(error, JournalError::Damaged { damage: Damage::Header, .. }), "{error}");
}

#[test]
fn compaction_keeps_what_is_needed() {
    let bench = Bench::new();
    let mut journal = bench.open().expect("new");
    journal.append(vec![accepted(1, 10), settled(1, 11), accepted(2, 10), settled(3, 2)]).expect("appended");
    drop(journal);

    bench.clock.advance(5 * 86_400);
    let journal = bench.open().expect("after five days");
    assert!(
        matches!(journal.ledger().get(run(1)), Some(Entry::Settled(..))),
        "may still be handed out again"
    );
    assert!(matches!(journal.ledger().get(run(2)), Some(Entry::Open(_))), "is not settled");
    assert_eq!(journal.ledger().get(run(3)), None, "its time is over");
    drop(journal);

    bench.clock.advance(30 * 86_400);
    let journal = bench.open().expect("after a month");
    assert_eq!(journal.ledger().get(run(1)), None);
    assert!(matches!(journal.ledger().get(run(2)), Some(Entry::Open(_))));
}

#[test]
fn a_long_life_does_not_grow_the_file() {
    let bench = Bench::new();
    let mut journal = bench.open().expect("new");
    let result = prost_types::Any { type_url: "x".to_owned(), value: vec![7; 100_000] };
    for number in 0..60 {
        let end = RunEnded { result: Some(result.clone()), ..Default::default() };
        let records =
            vec![accepted(number, 0), Record::Started(run(number)), Record::Ended(run(number), end)];
        journal.append(records).expect("appended");
        journal.append(vec![settled(number, 1)]).expect("appended");
    }
    let length = std::fs::metadata(bench.path()).expect("metadata").len();
    assert!(length < 2 * COMPACT_AFTER, "{length}");
    let before = journal.ledger().clone();
    drop(journal);
    assert_eq!(bench.open().expect("again").ledger(), &before);
}

#[test]
fn settled_runs_are_remembered_beyond_their_expiry() {
    let Record::Accepted(_, order) = accepted(1, 10) else { unreachable!("made above") };
    assert_eq!(keep_until(Some(&order), at(0)), at(11));
    assert_eq!(keep_until(Some(&order), at(20)), at(21), "acknowledged late");
    assert_eq!(keep_until(None, at(0)), at(185), "never seen");
}

#[test]
fn a_withdrawn_run_may_be_ordered_again_but_not_one_that_was_carried_out() {
    let mut ledger = Ledger::default();
    for (how, opens) in [(Settled::Withdrawn, true), (Settled::Acknowledged, false)] {
        ledger.apply(&accepted(1, 10));
        ledger.apply(&Record::Settled(run(1), how, at(11)));
        ledger.apply(&accepted(1, 10));
        assert_eq!(matches!(ledger.get(run(1)), Some(Entry::Open(_))), opens, "{how:?}");
    }
}

#[test]
fn seeds_are_journals() {
    let appends = [
        vec![accepted(1, 30), accepted(2, 30)],
        vec![Record::Started(run(1)), ended(1)],
        vec![settled(1, 30), Record::Settled(run(2), Settled::Withdrawn, at(3))],
    ];
    let mut bytes = header(SALT);
    for (number, append) in appends.iter().enumerate() {
        keep("journal", &number.to_string(), &bytes);
        bytes.extend(encode(SALT, append));
    }
    assert_eq!(parse(&bytes).expect("a journal").records, appends.concat());
    keep("journal", "whole", &bytes);
    keep("journal", "torn", &bytes[..bytes.len() - 3]);
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let one = (0..6_u8, 0..5_u128, 0..40_i64).prop_map(|(kind, number, day)| match kind {
        0 | 1 => accepted(number, day),
        2 => Record::Started(run(number)),
        3 => ended(number),
        4 => settled(number, day),
        _ => Record::Settled(run(number), Settled::Withdrawn, at(day)),
    });
    prop::collection::vec(one, 1..5)
}

proptest! {
    #[test]
    fn a_cut_journal_gives_whole_appends(appends in prop::collection::vec(records(), 0..6), cut: prop::sample::Index) {
        let mut bytes = header(SALT);
        let mut ends = vec![(bytes.len(), 0)];
        for append in &appends {
            bytes.extend(encode(SALT, append));
            ends.push((bytes.len(), ends[ends.len() - 1].1 + append.len()));
        }
        let length = cut.index(bytes.len() + 1);
        let parsed = parse(&bytes[..length]).expect("the beginning of a journal");
        let whole = ends.iter().rev().find(|(end, _)| *end <= length).map_or(0, |(_, records)| *records);
        prop_assert_eq!(parsed.records, &appends.concat()[..whole]);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), salted: bool) {
        let bytes = if salted { [header(SALT), bytes].concat() } else { bytes };
        let _ = parse(&bytes);
    }

    #[test]
    fn a_flipped_bit_never_invents_a_record(appends in prop::collection::vec(records(), 1..4), bit: prop::sample::Index) {
        let mut bytes = header(SALT);
        appends.iter().for_each(|append| bytes.extend(encode(SALT, append)));
        let bit = bit.index((bytes.len() - 16) * 8) + 16 * 8;
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(parsed) = parse(&bytes) {
            prop_assert!(appends.concat().starts_with(&parsed.records));
            prop_assert!(parsed.torn > 0);
        }
    }

    #[test]
    fn a_compacted_ledger_is_the_same(appends in prop::collection::vec(records(), 0..10), day in 0..40_i64) {
        let mut ledger = Ledger::default();
        appends.iter().flatten().for_each(|record| ledger.apply(record));
        ledger.forget(at(day));
        let mut again = Ledger::default();
        ledger.records(at(day)).iter().for_each(|record| again.apply(record));
        prop_assert_eq!(ledger, again);
    }
}
