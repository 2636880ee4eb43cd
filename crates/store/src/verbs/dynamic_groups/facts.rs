//! The facts of devices, in rows.

use std::collections::HashMap;

use guardhouse_model::{
    DeviceId,
    dynamic_groups::{Address, AttributeFacts, Component, Facts, Folded, VersionKey},
};
use uuid::Uuid;

use crate::{
    StoreError,
    engine::{Row, Transaction, Value, values},
};

const COLUMNS: &str = "device_uuid, display_name, original_display_name, operating_system, \
     operating_system_family, operating_system_edition, operating_system_version, agent_version, \
     primary_address, device_type, is_mobile, is_master";

/// What is written when the device has facts already.
const REPLACED: &str = "on conflict (device_uuid) do update set display_name = excluded.display_name,
     original_display_name = excluded.original_display_name, operating_system = excluded.operating_system,
     operating_system_family = excluded.operating_system_family,
     operating_system_edition = excluded.operating_system_edition,
     operating_system_version = excluded.operating_system_version, agent_version = excluded.agent_version,
     primary_address = excluded.primary_address, device_type = excluded.device_type,
     is_mobile = excluded.is_mobile, is_master = excluded.is_master";

/// A device whose facts are to be kept.
pub struct Kept<'a> {
    /// The device.
    pub device: DeviceId,
    /// Name given by the user.
    pub display_name: &'a str,
    /// Name as the device reports it.
    pub original_display_name: &'a str,
    /// What its attributes say.
    pub facts: &'a AttributeFacts,
}

/// Keeps facts of devices, in place of those that were kept before.
pub fn write(transaction: &Transaction<'_>, devices: &[Kept<'_>]) -> Result<(), StoreError> {
    if let Transaction::Postgres(_) = transaction {
        return write_as_arrays(transaction, devices);
    }
    let sql = format!(
        "insert into device_facts ({COLUMNS})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) {REPLACED}"
    );
    for kept in devices {
        let (display, original) = (Folded::new(kept.display_name), Folded::new(kept.original_display_name));
        let facts = kept.facts;
        transaction.execute(
            &sql,
            values![
                kept.device,
                display.as_str(),
                original.as_str(),
                facts.operating_system.as_str(),
                facts.operating_system_family,
                facts.operating_system_edition,
                facts.operating_system_version.as_bytes(),
                facts.agent_version.as_bytes(),
                facts.primary_address.as_bytes(),
                facts.device_type,
                facts.is_mobile,
                facts.is_master,
            ],
        )?;
        transaction.execute("delete from device_components where device_uuid = $1", values![kept.device])?;
        for (position, component) in facts.components.iter().enumerate() {
            transaction.execute(
                "insert into device_components (device_uuid, position, name, version)
                 values ($1, $2, $3, $4)",
                values![kept.device, position, component.name.as_str(), component.version.as_bytes()],
            )?;
        }
    }
    Ok(())
}

/// On PostgreSQL a statement costs a journey: all rows travel in one.
fn write_as_arrays(transaction: &Transaction<'_>, devices: &[Kept<'_>]) -> Result<(), StoreError> {
    fn column<'a, T>(devices: &'a [Kept<'a>], of: impl Fn(&'a Kept<'a>) -> T) -> Vec<T> {
        devices.iter().map(of).collect()
    }
    fn texts(folded: &[Folded]) -> Vec<&str> {
        folded.iter().map(Folded::as_str).collect()
    }
    let displays = column(devices, |kept| Folded::new(kept.display_name));
    let originals = column(devices, |kept| Folded::new(kept.original_display_name));
    let ids = column(devices, |kept| kept.device.0);
    let sql = format!(
        "insert into device_facts ({COLUMNS})
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
             $7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[], $11::bigint[], $12::bigint[]) {REPLACED}"
    );
    transaction.execute(
        &sql,
        &[
            Value::Ids(&ids),
            Value::Texts(&texts(&displays)),
            Value::Texts(&texts(&originals)),
            Value::Texts(&column(devices, |kept| kept.facts.operating_system.as_str())),
            Value::Integers(&column(devices, |kept| kept.facts.operating_system_family.into())),
            Value::Integers(&column(devices, |kept| kept.facts.operating_system_edition.into())),
            Value::OptionalBytes(&column(devices, |kept| {
                Some(kept.facts.operating_system_version.as_bytes())
            })),
            Value::OptionalBytes(&column(devices, |kept| Some(kept.facts.agent_version.as_bytes()))),
            Value::OptionalBytes(&column(devices, |kept| Some(kept.facts.primary_address.as_bytes()))),
            Value::Integers(&column(devices, |kept| kept.facts.device_type.into())),
            Value::Integers(&column(devices, |kept| kept.facts.is_mobile.into())),
            Value::Integers(&column(devices, |kept| kept.facts.is_master.into())),
        ],
    )?;
    transaction.execute("delete from device_components where device_uuid = any($1)", &[Value::Ids(&ids)])?;
    let components: Vec<(Uuid, i64, &Component)> = devices
        .iter()
        .flat_map(|kept| (0..).zip(&kept.facts.components).map(|(place, one)| (kept.device.0, place, one)))
        .collect();
    transaction.execute(
        "insert into device_components (device_uuid, position, name, version)
         select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])",
        &[
            Value::Ids(&components.iter().map(|(device, ..)| *device).collect::<Vec<_>>()),
            Value::Integers(&components.iter().map(|(_, place, _)| *place).collect::<Vec<_>>()),
            Value::Texts(&components.iter().map(|(.., one)| one.name.as_str()).collect::<Vec<_>>()),
            Value::OptionalBytes(
                &components.iter().map(|(.., one)| Some(one.version.as_bytes())).collect::<Vec<_>>(),
            ),
        ],
    )?;
    Ok(())
}

/// Notes the other name that a user gave a device.
pub fn rename(transaction: &Transaction<'_>, device: DeviceId, display_name: &str) -> Result<(), StoreError> {
    transaction.execute(
        "update device_facts set display_name = $1 where device_uuid = $2",
        values![Folded::new(display_name).as_str(), device],
    )?;
    Ok(())
}

/// Notes the other name that a device gave itself.
pub fn rename_original(
    transaction: &Transaction<'_>,
    device: DeviceId,
    host_name: &str,
) -> Result<(), StoreError> {
    transaction.execute(
        "update device_facts set original_display_name = $1 where device_uuid = $2",
        values![Folded::new(host_name).as_str(), device],
    )?;
    Ok(())
}

/// The facts of devices. Those that do not exist, or have none yet, are not in the answer.
pub fn read(
    transaction: &Transaction<'_>,
    devices: &[DeviceId],
) -> Result<HashMap<DeviceId, Facts>, StoreError> {
    let facts = "select device_uuid, facts.display_name, facts.original_display_name, enrolment_status,
            functionality_status, problem_count, is_muted, last_sync_time, operating_system,
            operating_system_family, operating_system_edition, operating_system_version, agent_version,
            primary_address, device_type, is_mobile, is_master
        from device_facts facts join devices on uuid = device_uuid where device_uuid";
    let components = "select device_uuid, name, version from device_components where device_uuid";
    let in_order = "order by device_uuid, position";
    let (mut found, mut installed) = (HashMap::new(), Vec::new());
    if let Transaction::Postgres(_) = transaction {
        let ids: Vec<Uuid> = devices.iter().map(|device| device.0).collect();
        let ids = [Value::Ids(&ids)];
        found.extend(transaction.list(&format!("{facts} = any($1)"), &ids, facts_of_row)?);
        let sql = format!("{components} = any($1) {in_order}");
        installed.extend(transaction.list(&sql, &ids, component_of_row)?);
    } else {
        let (facts, components) = (format!("{facts} = $1"), format!("{components} = $1 {in_order}"));
        for &device in devices {
            found.extend(transaction.find(&facts, values![device], facts_of_row)?);
            installed.extend(transaction.list(&components, values![device], component_of_row)?);
        }
    }
    for (device, component) in installed {
        if let Some(facts) = found.get_mut(&device) {
            facts.attributes.components.push(component);
        }
    }
    Ok(found)
}

fn facts_of_row(row: &Row<'_>) -> Result<(DeviceId, Facts), StoreError> {
    let facts = Facts {
        display_name: Folded::kept(row.get(1)?),
        original_display_name: Folded::kept(row.get(2)?),
        enrolment_status: row.get(3)?,
        functionality_status: row.get(4)?,
        problem_count: row.get(5)?,
        is_muted: row.get(6)?,
        last_seen: row.get(7)?,
        attributes: AttributeFacts {
            operating_system: Folded::kept(row.get(8)?),
            operating_system_family: row.get(9)?,
            operating_system_edition: row.get(10)?,
            operating_system_version: VersionKey::kept(row.get(11)?),
            agent_version: VersionKey::kept(row.get(12)?),
            primary_address: Address::kept(row.get(13)?),
            device_type: row.get(14)?,
            is_mobile: row.get(15)?,
            is_master: row.get(16)?,
            components: Vec::new(),
        },
    };
    Ok((row.get(0)?, facts))
}

fn component_of_row(row: &Row<'_>) -> Result<(DeviceId, Component), StoreError> {
    let component = Component { name: Folded::kept(row.get(1)?), version: VersionKey::kept(row.get(2)?) };
    Ok((row.get(0)?, component))
}
