//! What devices say of their policies.

use std::collections::BTreeMap;

use guardhouse_model::DeviceId;
use guardhouse_store::{Claim, DevicePolicy};
use proptest::{collection::vec, prelude::*};

use crate::{
    bench::{Bench, Model, Outcome},
    pools::{DEVICES, SECONDS, at, attributes, device},
};

impl Model {
    /// Only the latest connection of a device counts.
    pub fn device_policies_report(&mut self, reports: Vec<(Claim, DevicePolicy)>) {
        let mut last: BTreeMap<DeviceId, (u64, DevicePolicy)> = BTreeMap::new();
        for (by, said) in reports {
            if self.epochs.get(&by.device).is_some_and(|latest| *latest <= by.epoch)
                && last.get(&by.device).is_none_or(|(epoch, _)| *epoch <= by.epoch)
            {
                last.insert(by.device, (by.epoch, said));
            }
        }
        for (device, (_, said)) in last {
            let known = self.device_policies.entry(device).or_insert_with(|| said.clone());
            if (known.generation, &known.unapplied) != (said.generation, &said.unapplied) {
                *known = said;
            }
        }
    }

    pub fn device_policy_get(&self, device: DeviceId) -> Option<DevicePolicy> {
        self.device_policies.get(&device).cloned()
    }
}

#[derive(Debug, Clone)]
pub enum Command {
    Report { reports: Vec<Report> },
    Get { device: u8 },
}

/// What a device says over a connection.
#[derive(Debug, Clone)]
pub struct Report {
    device: u8,
    epoch: u64,
    generation: u8,
    now: u8,
    unapplied: &'static [u8],
}

impl Report {
    fn record(&self) -> (Claim, DevicePolicy) {
        let by = Claim { device: device(self.device), epoch: self.epoch };
        let generation = [self.generation; 32];
        (by, DevicePolicy { generation, report_time: at(self.now), unapplied: self.unapplied.to_vec() })
    }
}

pub fn commands() -> impl Strategy<Value = Command> {
    let reports = (DEVICES, 0..5_u64, 0..3_u8, SECONDS, attributes());
    let reports = reports.prop_map(|(device, epoch, generation, now, unapplied)| Report {
        device,
        epoch,
        generation,
        now,
        unapplied,
    });
    prop_oneof![
        4 => vec(reports, 0..6).prop_map(|reports| Command::Report { reports }),
        1 => DEVICES.prop_map(|device| Command::Get { device }),
    ]
}

pub async fn carry_out(bench: &mut Bench, command: Command) -> Outcome {
    match command {
        Command::Report { reports } => {
            let records = || reports.iter().map(Report::record).collect();
            agree!(bench.device_policies_report(records()));
        }
        Command::Get { device: number } => {
            agree!(bench.device_policy_get(device(number)));
        }
    }
    Ok(())
}
