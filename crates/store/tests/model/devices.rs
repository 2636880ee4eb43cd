//! Devices, their connections, and what they report of themselves.

use guardhouse_model::{DeviceId, GroupId, Timestamp};
use guardhouse_store::{Device, DeviceFilter, DeviceReport, NewDevice};
use proptest::{collection::vec, prelude::*};

use crate::{
    bench::{Bench, Model, Outcome, Refusal},
    dynamic_groups::facts_of,
    pools::{DEVICES, LIMITS, SECONDS, addresses, any_groups, at, attributes, device, group, groups, names},
};

impl Model {
    pub fn device_get(&self, device: DeviceId) -> Option<Device> {
        self.devices.get(&device).cloned()
    }

    pub fn devices_get_many(&self, devices: Vec<DeviceId>) -> Vec<Option<Device>> {
        devices.into_iter().map(|device| self.device_get(device)).collect()
    }

    pub fn devices_list(&self, filter: DeviceFilter, after: Option<DeviceId>, limit: usize) -> Vec<Device> {
        let shown = |device: &&Device| {
            (filter.display_names.is_empty() || filter.display_names.contains(&device.display_name))
                && filter.functionality_status.is_none_or(|status| device.functionality_status == status)
                && filter.is_muted.is_none_or(|is_muted| device.is_muted == is_muted)
                && Some(device.id) > after
        };
        self.devices.values().filter(shown).take(limit).cloned().collect()
    }

    pub fn devices_import(
        &mut self,
        group: GroupId,
        devices: Vec<NewDevice>,
    ) -> Result<Option<Vec<Device>>, Refusal> {
        if !self.groups.contains_key(&group) {
            return Ok(None);
        }
        let mut all = self.devices.clone();
        for NewDevice { device, .. } in &devices {
            if all.insert(device.id, device.clone()).is_some() {
                return Err(Refusal::Taken);
            }
        }
        self.devices = all;
        self.facts.extend(devices.iter().map(|new| (new.device.id, new.facts.clone())));
        let devices: Vec<Device> = devices.into_iter().map(|new| new.device).collect();
        self.settle(devices.iter().map(|device| device.id).collect(), None);
        Ok(Some(devices))
    }

    pub fn device_move(
        &mut self,
        device: DeviceId,
        group: GroupId,
        now: Timestamp,
    ) -> Option<Option<Device>> {
        let moved = self.devices.get_mut(&device)?;
        if !self.groups.contains_key(&group) {
            return Some(None);
        }
        if moved.group != group {
            moved.group = group;
            moved.version += 1;
            self.settle(vec![device], Some(now));
        }
        Some(self.device_get(device))
    }

    pub fn device_rename(
        &mut self,
        device: DeviceId,
        display_name: String,
        now: Timestamp,
    ) -> Option<Device> {
        let renamed = self.devices.get_mut(&device)?;
        if renamed.display_name != display_name {
            renamed.display_name = display_name;
            renamed.version += 1;
            self.settle(vec![device], Some(now));
        }
        self.device_get(device)
    }

    /// Only another address is a change of the device.
    pub fn device_connected(
        &mut self,
        device: DeviceId,
        public_ip_address: String,
        now: Timestamp,
    ) -> Option<u64> {
        let connected = self.devices.get_mut(&device)?;
        connected.last_sync_time = Some(now);
        if connected.public_ip_address != public_ip_address {
            connected.public_ip_address = public_ip_address;
            connected.version += 1;
        }
        let epoch = self.epochs.entry(device).or_insert(0);
        *epoch += 1;
        Some(*epoch)
    }

    pub fn devices_seen(&mut self, devices: Vec<DeviceId>, now: Timestamp) {
        for device in devices {
            if let Some(device) = self.devices.get_mut(&device) {
                device.last_sync_time = Some(now);
            }
        }
    }

    pub fn device_reported(&mut self, device: DeviceId, report: DeviceReport) -> bool {
        let Some(known) = self.devices.get_mut(&device) else { return false };
        if known.original_display_name != report.host_name || known.attributes != report.attributes {
            known.original_display_name = report.host_name;
            known.attributes = report.attributes;
            known.version += 1;
            self.facts.insert(device, report.facts);
            self.settle(vec![device], None);
        }
        true
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Import {
        group: u8,
        devices: Vec<Placeholder>,
    },
    Move {
        device: u8,
        group: u8,
        now: u8,
    },
    Rename {
        device: u8,
        name: &'static str,
        now: u8,
    },
    List {
        names: Vec<&'static str>,
        status: Option<i32>,
        muted: Option<bool>,
        after: Option<u8>,
        limit: usize,
    },
    GetMany {
        devices: Vec<u8>,
    },
    Connected {
        device: u8,
        address: &'static str,
        now: u8,
    },
    Seen {
        devices: Vec<u8>,
        now: u8,
    },
    Reported {
        device: u8,
        name: &'static str,
        attributes: &'static [u8],
    },
}

/// A device to import.
#[derive(Debug, Clone)]
pub struct Placeholder {
    device: u8,
    name: &'static str,
    pending: bool,
    status: i32,
    muted: bool,
    attributes: &'static [u8],
}

impl Placeholder {
    fn record(&self, group: GroupId) -> NewDevice {
        let device = Device {
            description: "imported".to_owned(),
            enrolment_status: if self.pending { 1 } else { 0 },
            functionality_status: self.status,
            problem_count: u32::from(self.device),
            is_muted: self.muted,
            attributes: self.attributes.to_vec(),
            ..Device::placeholder(device(self.device), group, self.name.to_owned())
        };
        NewDevice { device, facts: facts_of(self.attributes) }
    }
}

pub fn creations() -> impl Strategy<Value = Command> {
    let placeholders = (DEVICES, names(), prop::bool::weighted(0.8), 0..3, any::<bool>(), attributes());
    let placeholders = placeholders.prop_map(|(device, name, pending, status, muted, attributes)| {
        Placeholder { device, name, pending, status, muted, attributes }
    });
    (groups(), vec(placeholders, 0..3)).prop_map(|(group, devices)| Command::Import { group, devices })
}

pub fn commands() -> impl Strategy<Value = Command> {
    let (statuses, muted) = (prop::option::of(0..3), prop::option::of(any::<bool>()));
    let after = prop::option::of(DEVICES);
    prop_oneof![
        4 => creations(),
        3 => (DEVICES, any_groups(), SECONDS)
            .prop_map(|(device, group, now)| Command::Move { device, group, now }),
        2 => (DEVICES, names(), SECONDS).prop_map(|(device, name, now)| Command::Rename { device, name, now }),
        2 => (vec(names(), 0..3), statuses, muted, after, LIMITS).prop_map(
            |(names, status, muted, after, limit)| Command::List { names, status, muted, after, limit }
        ),
        1 => vec(DEVICES, 0..5).prop_map(|devices| Command::GetMany { devices }),
        3 => (DEVICES, addresses(), SECONDS)
            .prop_map(|(device, address, now)| Command::Connected { device, address, now }),
        1 => (vec(DEVICES, 0..5), SECONDS).prop_map(|(devices, now)| Command::Seen { devices, now }),
        2 => (DEVICES, names(), attributes())
            .prop_map(|(device, name, attributes)| Command::Reported { device, name, attributes }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Import { group: number, devices } => {
            let group = group(number);
            let records = || devices.iter().map(|device| device.record(group)).collect();
            agree!(bench.devices_import(group, records())?);
        }
        Command::Move { device: number, group: other, now } => {
            agree!(bench.device_move(device(number), group(other), at(now)));
        }
        Command::Rename { device: number, name, now } => {
            agree!(bench.device_rename(device(number), name.to_owned(), at(now)));
        }
        Command::List { names, status, muted, after, limit } => {
            let filter = DeviceFilter {
                display_names: names.into_iter().map(str::to_owned).collect(),
                functionality_status: status,
                is_muted: muted,
            };
            agree!(bench.devices_list(filter.clone(), after.map(device), limit));
        }
        Command::GetMany { devices } => {
            let ids = || devices.iter().copied().map(device).collect();
            agree!(bench.devices_get_many(ids()));
        }
        Command::Connected { device: number, address, now } => {
            agree!(bench.device_connected(device(number), address.to_owned(), at(now)));
        }
        Command::Seen { devices, now } => {
            let ids = || devices.iter().copied().map(device).collect();
            agree!(bench.devices_seen(ids(), at(now)));
        }
        Command::Reported { device: number, name, attributes } => {
            let report = || DeviceReport {
                host_name: name.to_owned(),
                attributes: attributes.to_vec(),
                facts: facts_of(attributes),
            };
            agree!(bench.device_reported(device(number), report()));
        }
    }
    Ok(())
}
