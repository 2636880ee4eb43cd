//! What programs do to files, as changes of file records, index blocks and bitmaps.

use super::{
    change::{Change, operation as op},
    log::put,
    machine::{CLUSTER, Machine, ROOT, Transaction, attribute, u16_at, u32_at, u64_at},
    records::{add, entry, find, name_value, record_bytes, replace, replace_in_record, resident},
};

impl Machine {
    fn sequence(&self, number: u64) -> u16 {
        u16_at(&self.record(number), 16) as u16
    }

    fn set_bit(&mut self, transaction: &mut Transaction, number: u64, is_set: bool) {
        let ops = [op::CLEAR_BITS, op::SET_BITS];
        let mut change = Change::new(ops[usize::from(is_set)], ops[usize::from(!is_set)]);
        let range = [(number as u32).to_le_bytes(), 1_u32.to_le_bytes()].concat();
        change.redo.1 = range.clone();
        change.undo.1 = range;
        change.attribute = self.attribute(0xb0, 0);
        change.clusters = vec![self.places(0, 0xb0)[0]];
        self.write(transaction, &change);
        let byte = &mut self.memory[change.clusters[0] as usize * CLUSTER + number as usize / 8];
        *byte = *byte & !(1 << (number % 8)) | u8::from(is_set) << (number % 8);
    }

    /// Makes a file, or a folder when there are no bytes.
    pub fn create(
        &mut self,
        transaction: &mut Transaction,
        number: u64,
        folder: u64,
        name: &str,
        bytes: Option<&[u8]>,
    ) {
        let parent = (folder, self.sequence(folder));
        let size = bytes.map_or(0, |bytes| bytes.len() as u64);
        let value = name_value(parent, name, size, bytes.is_none());
        let content = bytes.map_or_else(
            || {
                let mut root = vec![0; 48];
                put(&mut root, 0, &[0x30, 0, 0, 0, 1]);
                put(&mut root, 8, &[0, 16, 0, 0, 1, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0, 32]);
                put(&mut root, 40, &[16, 0, 0, 0, 2]);
                resident(0x90, 2, "$I30", &root, false)
            },
            |bytes| resident(0x80, 2, "", bytes, false),
        );
        let attributes =
            [resident(0x10, 0, "", &[0; 48], false), resident(0x30, 1, "", &value, true), content];
        let record = record_bytes(number, &attributes, bytes.is_none());
        self.change_record(transaction, number, Change::new(op::NOOP, op::DEALLOCATE), |_| {});
        let mut change = Change::new(op::INITIALIZE, op::NOOP);
        change.redo.1 = record.clone();
        self.change_record(transaction, number, change, |bytes| put(bytes, 0, &record));
        self.set_bit(transaction, number, true);
        self.link(transaction, number, folder, name, size);
    }

    /// Adds a name to a folder.
    pub fn link(&mut self, transaction: &mut Transaction, number: u64, folder: u64, name: &str, size: u64) {
        let is_folder = self.record(number)[22] & 2 != 0;
        let value = name_value((folder, self.sequence(folder)), name, size, is_folder);
        let entry = entry((number, self.sequence(number)), &value, None);
        self.add_entry(transaction, folder, name, entry);
    }

    /// The leaf that a name belongs to: a block of the index, or its root.
    fn leaf(&self, folder: u64, name: &str) -> Option<u64> {
        let record = self.record(folder);
        let root = attribute(&record, 0x90);
        let head = root + u16_at(&record, root + 20) + 16;
        let (at, _) = find(&record, head, name);
        let length = u16_at(&record, at + 8);
        (record[at + 12] & 1 != 0).then(|| u64_at(&record, at + length - 8))
    }

    fn add_entry(&mut self, transaction: &mut Transaction, folder: u64, name: &str, entry: Vec<u8>) {
        let length = entry.len();
        if let Some(block) = self.leaf(folder, name) {
            let (at, _) = find(&self.block(folder, block), 24, name);
            let mut change = Change::new(op::ADD_BLOCK, op::DELETE_BLOCK);
            change.redo.1 = entry.clone();
            change.attribute_at = at;
            self.change_block(transaction, (folder, block), change, |bytes| {
                replace(bytes, at, 0, &entry);
                add(bytes, 28, length as isize);
            });
        } else {
            self.add_to_root(transaction, folder, name, entry);
        }
    }

    fn add_to_root(&mut self, transaction: &mut Transaction, folder: u64, name: &str, entry: Vec<u8>) {
        let record = self.record(folder);
        let root = attribute(&record, 0x90);
        let value = u16_at(&record, root + 20);
        let (at, _) = find(&record, root + value + 16, name);
        let mut change = Change::new(op::ADD_ROOT, op::DELETE_ROOT);
        change.redo.1 = entry.clone();
        (change.record_at, change.attribute_at) = (root, at - root);
        self.change_record(transaction, folder, change, |bytes| {
            replace_in_record(bytes, at, 0, &entry);
            for place in [4, 16, value + 20, value + 24] {
                add(bytes, root + place, entry.len() as isize);
            }
        });
    }

    /// Takes a name out of a folder.
    pub fn unlink(&mut self, transaction: &mut Transaction, folder: u64, name: &str) {
        if let Some(block) = self.leaf(folder, name) {
            let old = self.block(folder, block);
            let (at, is_there) = find(&old, 24, name);
            assert!(is_there);
            let length = u16_at(&old, at + 8);
            let mut change = Change::new(op::DELETE_BLOCK, op::ADD_BLOCK);
            change.undo.1 = old[at..at + length].to_vec();
            change.attribute_at = at;
            self.change_block(transaction, (folder, block), change, |bytes| {
                replace(bytes, at, length, &[]);
                add(bytes, 28, -(length as isize));
            });
            return;
        }
        let old = self.record(folder);
        let root = attribute(&old, 0x90);
        let value = u16_at(&old, root + 20);
        let (at, is_there) = find(&old, root + value + 16, name);
        assert!(is_there);
        let length = u16_at(&old, at + 8);
        let mut change = Change::new(op::DELETE_ROOT, op::ADD_ROOT);
        change.undo.1 = old[at..at + length].to_vec();
        (change.record_at, change.attribute_at) = (root, at - root);
        self.change_record(transaction, folder, change, |bytes| {
            replace_in_record(bytes, at, length, &[]);
            for place in [4, 16, value + 20, value + 24] {
                add(bytes, root + place, -(length as isize));
            }
        });
    }

    /// The number of a file.
    pub fn number(&self, folder: u64, name: &str) -> u64 {
        let (bytes, head) = match self.leaf(folder, name) {
            Some(block) => (self.block(folder, block), 24),
            None => {
                let record = self.record(folder);
                let root = attribute(&record, 0x90);
                let head = root + u16_at(&record, root + 20) + 16;
                (record, head)
            }
        };
        let (at, is_there) = find(&bytes, head, name);
        assert!(is_there, "{name}");
        u64_at(&bytes, at) & ((1 << 48) - 1)
    }

    /// Deletes a file.
    pub fn delete(&mut self, transaction: &mut Transaction, folder: u64, name: &str) {
        let number = self.number(folder, name);
        self.unlink(transaction, folder, name);
        let mut change = Change::new(op::DEALLOCATE, op::INITIALIZE);
        change.undo.1 = self.record(number)[..24].to_vec();
        self.change_record(transaction, number, change, |bytes| {
            let sequence = u16_at(bytes, 16) as u16 + 1;
            put(bytes, 16, &sequence.to_le_bytes());
            bytes[22] &= !1;
        });
        self.set_bit(transaction, number, false);
    }

    /// Gives a file of a folder another name in it.
    pub fn rename(&mut self, transaction: &mut Transaction, folder: u64, old: &str, new: &str) {
        let number = self.number(folder, old);
        self.unlink(transaction, folder, old);
        let record = self.record(number);
        let at = attribute(&record, 0x30);
        let length = u32_at(&record, at + 4);
        let mut change = Change::new(op::DELETE_ATTRIBUTE, op::CREATE_ATTRIBUTE);
        change.undo.1 = record[at..at + length].to_vec();
        change.record_at = at;
        self.change_record(transaction, number, change, |bytes| {
            replace_in_record(bytes, at, length, &[]);
            bytes[18] -= 1;
        });
        let value = name_value((folder, self.sequence(folder)), new, 0, false);
        let next = u16_at(&record, 40) as u16;
        let name = resident(0x30, next, "", &value, true);
        let mut change = Change::new(op::CREATE_ATTRIBUTE, op::DELETE_ATTRIBUTE);
        change.redo.1 = name.clone();
        change.record_at = at;
        self.change_record(transaction, number, change, |bytes| {
            replace_in_record(bytes, at, 0, &name);
            bytes[18] += 1;
            put(bytes, 40, &(next + 1).to_le_bytes());
        });
        self.link(transaction, number, folder, new, 0);
    }

    /// Replaces the bytes of a file that are kept in its record.
    pub fn write_small(&mut self, transaction: &mut Transaction, number: u64, new: &[u8]) {
        let record = self.record(number);
        let at = attribute(&record, 0x80);
        assert_eq!(record[at + 8], 0);
        let (value, old) = (u16_at(&record, at + 20), u32_at(&record, at + 16));
        let mut change = Change::new(op::UPDATE_RESIDENT, op::UPDATE_RESIDENT);
        change.redo.1 = new.to_vec();
        change.undo.1 = record[at + value..at + value + old].to_vec();
        (change.record_at, change.attribute_at) = (at, value);
        self.change_record(transaction, number, change, |bytes| {
            let (length, wanted) = (u32_at(bytes, at + 4), (value + new.len()).next_multiple_of(8));
            let mut padded = new.to_vec();
            padded.resize(wanted - value, 0);
            replace_in_record(bytes, at + value, length - value, &padded);
            put(bytes, at + 4, &(wanted as u32).to_le_bytes());
            put(bytes, at + 16, &(new.len() as u32).to_le_bytes());
        });
    }

    /// Moves an attribute to other clusters, with a size.
    pub fn set_runs(
        &mut self,
        transaction: &mut Transaction,
        number: u64,
        kind: u32,
        places: &[u64],
        size: u64,
    ) {
        let record = self.record(number);
        let at = attribute(&record, kind);
        let (runs, length) = (u16_at(&record, at + 32), u32_at(&record, at + 4));
        let (mut new, mut last) = (Vec::new(), 0);
        for &place in places {
            new.extend([0x31, 1]);
            new.extend(&(place as i64 - last).to_le_bytes()[..3]);
            last = place as i64;
        }
        new.push(0);
        new.resize(new.len().next_multiple_of(8), 0);
        let allocated = (places.len() * CLUSTER) as u64;
        let sizes = [allocated.to_le_bytes(), size.to_le_bytes(), size.to_le_bytes()].concat();
        let mut change = Change::new(op::SIZES, op::SIZES);
        change.redo.1 = sizes.clone();
        change.undo.1 = record[at + 40..at + 64].to_vec();
        change.record_at = at;
        self.change_record(transaction, number, change, |bytes| put(bytes, at + 40, &sizes));
        let mut change = Change::new(op::MAPPING_PAIRS, op::MAPPING_PAIRS);
        change.redo.1 = new.clone();
        change.undo.1 = record[at + runs..at + length].to_vec();
        (change.record_at, change.attribute_at) = (at, runs);
        self.change_record(transaction, number, change, |bytes| {
            replace_in_record(bytes, at + runs, length - runs, &new);
            put(bytes, at + 4, &((runs + new.len()) as u32).to_le_bytes());
            put(bytes, at + 24, &(places.len() as u64 - 1).to_le_bytes());
        });
    }

    /// Changes bytes of a file in place, and the log has them: Windows does so with its own files only.
    pub fn write_logged(&mut self, transaction: &mut Transaction, number: u64, at: usize, new: &[u8]) {
        let place = self.places(number, 0x80)[at / CLUSTER];
        let start = place as usize * CLUSTER + at % CLUSTER;
        let mut change = Change::new(op::UPDATE_NONRESIDENT, op::UPDATE_NONRESIDENT);
        change.redo.1 = new.to_vec();
        change.undo.1 = self.memory[start..start + new.len()].to_vec();
        change.attribute = self.attribute(0x80, number);
        (change.cluster, change.clusters) = ((at / CLUSTER) as u64, vec![place]);
        change.record_at = at % CLUSTER;
        self.write(transaction, &change);
        put(&mut self.memory, start, new);
    }

    /// Marks a file in the entry that its folder has of it.
    pub fn mark(&mut self, transaction: &mut Transaction, folder: u64, name: &str) {
        let block = self.leaf(folder, name);
        let (bytes, head, record_at) = match block {
            Some(block) => (self.block(folder, block), 24, 0),
            None => {
                let record = self.record(folder);
                let root = attribute(&record, 0x90);
                let head = root + u16_at(&record, root + 20) + 16;
                (record, head, root)
            }
        };
        let (at, _) = find(&bytes, head, name);
        let code = if block.is_some() { op::FILE_NAME_BLOCK } else { op::FILE_NAME_ROOT };
        let mut change = Change::new(code, code);
        change.undo.1 = bytes[at + 24..at + 80].to_vec();
        change.redo.1 = change.undo.1.clone();
        // As a reparse point.
        put(&mut change.redo.1, 48, &0x420_u32.to_le_bytes());
        (change.record_at, change.attribute_at) = (record_at, at - record_at);
        let new = change.redo.1.clone();
        match block {
            Some(block) => {
                self.change_block(transaction, (folder, block), change, |bytes| put(bytes, at + 24, &new));
            }
            None => self.change_record(transaction, folder, change, |bytes| put(bytes, at + 24, &new)),
        }
    }

    /// Splits the only block of the root's index: the second half goes to a cluster of its own.
    pub fn split_root(&mut self, transaction: &mut Transaction, cluster: u64) {
        let places = [self.places(ROOT, 0xa0), vec![cluster]].concat();
        self.set_runs(transaction, ROOT, 0xa0, &places, (places.len() * CLUSTER) as u64);
        let record = self.record(ROOT);
        let bits = attribute(&record, 0xb0);
        let value = u16_at(&record, bits + 20);
        let mut change = Change::new(op::UPDATE_RESIDENT, op::UPDATE_RESIDENT);
        change.redo.1 = vec![3, 0, 0, 0, 0, 0, 0, 0];
        change.undo.1 = vec![1, 0, 0, 0, 0, 0, 0, 0];
        (change.record_at, change.attribute_at) = (bits, value);
        self.change_record(transaction, ROOT, change, |bytes| bytes[bits + value] = 3);

        let old = self.block(ROOT, 0);
        let (first, used) = (24 + u32_at(&old, 24), 24 + u32_at(&old, 28));
        let mut middle = first;
        while middle < used / 2 {
            middle += u16_at(&old, middle + 8);
        }
        let median = old[middle..middle + u16_at(&old, middle + 8)].to_vec();
        let after = &old[middle + median.len()..used];
        let mut new = old[..first].to_vec();
        new.extend_from_slice(after);
        put(&mut new, 16, &1_u64.to_le_bytes());
        let length = new.len() as u32 - 24;
        put(&mut new, 28, &length.to_le_bytes());
        let mut change = Change::new(op::UPDATE_NONRESIDENT, op::NOOP);
        change.redo.1 = new.clone();
        self.change_block(transaction, (ROOT, 1), change, |bytes| put(bytes, 0, &new));

        let end = [0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 2, 0, 0, 0];
        let mut change = Change::new(op::WRITE_END_OF_BLOCK, op::WRITE_END_OF_BLOCK);
        change.redo.1 = end.to_vec();
        change.undo.1 = old[middle..used].to_vec();
        change.attribute_at = middle;
        self.change_block(transaction, (ROOT, 0), change, |bytes| {
            put(bytes, middle, &end);
            put(bytes, 28, &(middle as u32 + 16 - 24).to_le_bytes());
        });

        let file = u64_at(&median, 0);
        let length = u16_at(&median, 10);
        let name = median[82..16 + length].chunks_exact(2).map(|unit| u16_at(unit, 0) as u16);
        let name = String::from_utf16(&name.collect::<Vec<_>>()).expect("a name");
        let entry = entry((file & ((1 << 48) - 1), (file >> 48) as u16), &median[16..16 + length], Some(0));
        let moved = entry.len();
        self.add_to_root(transaction, ROOT, &name, entry);
        let root = attribute(&self.record(ROOT), 0x90);
        let end = u16_at(&self.record(ROOT), root + 20) + 32 + moved;
        let mut change = Change::new(op::SET_VCN_ROOT, op::SET_VCN_ROOT);
        change.redo.1 = 1_u64.to_le_bytes().to_vec();
        change.undo.1 = 0_u64.to_le_bytes().to_vec();
        (change.record_at, change.attribute_at) = (root, end);
        self.change_record(transaction, ROOT, change, |bytes| {
            put(bytes, root + end + 16, &1_u64.to_le_bytes())
        });
    }
}
