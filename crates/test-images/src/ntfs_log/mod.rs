//! A volume with a log (`$LogFile`) that has to be replayed. Nothing but Windows writes one, so that this does what
//! Windows does: programs change files, each change is logged, and some of it is on the disk when the machine stops.

use std::{fs, path::Path};

mod change;
mod edits;
mod log;
mod machine;
mod records;

pub use self::{
    log::{LastPage, PAGE, Version, mend, protect},
    machine::{CLUSTER, Layout, Machine, ROOT, Transaction},
};

/// A volume before anything is changed.
///
/// # Panics
/// When its files cannot be made.
#[must_use]
pub fn machine(layout: Layout) -> Machine {
    let source = tempfile::tempdir().expect("a temporary folder");
    for number in 0..8 {
        write(source.path(), &format!("file {number}"), format!("file number {number}").as_bytes());
    }
    for name in ["gone", "old name", "grows", "shrinks"] {
        write(source.path(), name, format!("the file {name}, before the change").as_bytes());
    }
    write(source.path(), "large", &[b'a'; 6000]);
    Machine::new(source.path(), layout)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::write(folder.join(name), bytes).expect("written");
}

/// Lets programs do everything that the log has an operation for, in transactions that come to their end. `pause` is
/// run between them.
pub fn work(machine: &mut Machine, mut pause: impl FnMut(&mut Machine)) {
    let mut first = machine.begin();
    machine.create(&mut first, 40, ROOT, "born", Some(b"what the new file holds"));
    machine.delete(&mut first, ROOT, "gone");
    machine.commit(first);
    pause(machine);
    let mut second = machine.begin();
    machine.rename(&mut second, ROOT, "old name", "renamed");
    pause(machine);
    let mut third = machine.begin();
    machine.create(&mut third, 41, ROOT, "folder", None);
    machine.create(&mut third, 42, 41, "one", Some(b"1"));
    machine.commit(second);
    machine.create(&mut third, 43, 41, "two", Some(b"22"));
    machine.create(&mut third, 44, 41, "three", Some(b"333"));
    pause(machine);
    machine.mark(&mut third, 41, "one");
    machine.delete(&mut third, 41, "two");
    machine.commit(third);
    let mut fourth = machine.begin();
    change_bytes(machine, &mut fourth);
    machine.commit(fourth);
    pause(machine);
    let mut fifth = machine.begin();
    grow_root(machine, &mut fifth);
    machine.commit(fifth);
    pause(machine);
}

/// Leaves all of it unfinished, in one transaction.
pub fn unfinished_work(machine: &mut Machine) {
    let mut transaction = machine.begin();
    machine.create(&mut transaction, 40, ROOT, "born", Some(b"what the new file holds"));
    machine.delete(&mut transaction, ROOT, "gone");
    machine.rename(&mut transaction, ROOT, "old name", "renamed");
    machine.create(&mut transaction, 41, ROOT, "folder", None);
    machine.create(&mut transaction, 42, 41, "one", Some(b"1"));
    machine.mark(&mut transaction, 41, "one");
    machine.delete(&mut transaction, 41, "one");
    change_bytes(machine, &mut transaction);
    grow_root(machine, &mut transaction);
}

fn change_bytes(machine: &mut Machine, transaction: &mut Transaction) {
    let grows = machine.number(ROOT, "grows");
    machine.write_small(transaction, grows, &[b'g'; 200]);
    // ntfsrecover moves what follows by the difference, which must be a multiple of eight.
    let shrinks = machine.number(ROOT, "shrinks");
    machine.write_small(transaction, shrinks, b"shorter by just eight bytes");
    let stays = machine.number(ROOT, "file 1");
    machine.write_small(transaction, stays, b"as many bytes");
    let large = machine.number(ROOT, "large");
    let places = [machine.places(large, 0x80), vec![5000, 5002]].concat();
    // The bytes of files are not logged: they are on the disk.
    machine.fill(5000, b'b');
    machine.fill(5002, b'b');
    machine.set_runs(transaction, large, 0x80, &places, 13_000);
    machine.write_logged(transaction, large, 5000, b"logged bytes");
}

fn grow_root(machine: &mut Machine, transaction: &mut Transaction) {
    machine.split_root(transaction, 5100);
    machine.create(transaction, 45, ROOT, "after the split", Some(b"left"));
    machine.create(transaction, 46, ROOT, "zebra", Some(b"right"));
    machine.mark(transaction, ROOT, "zebra");
}
