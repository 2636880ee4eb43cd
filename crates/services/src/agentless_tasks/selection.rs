//! Which assets a scan is of.

use std::collections::BTreeMap;

use guardhouse_contract::{
    Status,
    scans::{AssetSelection, TargetType},
};
use guardhouse_identity::Failure;
use guardhouse_model::{
    Environment,
    agentless::{
        pattern,
        snapshots::{self, DEVICES},
    },
};
use guardhouse_store::{NewAgentlessSubtask, SelectableAsset, Store};
use uuid::Uuid;

use super::devices;
use crate::fields::Checks;

/// Most assets that one task scans.
pub const MOST_ASSETS: usize = 10_000;

/// Most locations that a selection names.
const MOST_LOCATIONS: usize = 100;

/// Longest pattern, in characters.
const LONGEST_PATTERN: usize = 255;

/// Longest instance id that is looked for, in characters: none is longer.
const LONGEST_ID: usize = 64;

/// Assets that are read at a time.
const STEP: usize = 1_000;

/// What a selection picks.
#[derive(Debug, Default)]
pub struct Picked {
    /// The assets, each once, in the order of their instance ids.
    pub assets: BTreeMap<String, SelectableAsset>,
    /// Those that are named and cannot be scanned: the name, and why.
    pub missing: Vec<(String, &'static str)>,
    /// The type that was asked for; 0: any.
    asked_type: i32,
}

/// Whether a selection picks devices, where there are some. It has to say so: whoever means all images and snapshots means no
/// snapshots that devices have to take.
pub fn picks_devices(selection: &AssetSelection) -> bool {
    devices::is_type(selection.target_type)
        || selection.location_uuids.iter().any(|location| location.parse() == Ok(DEVICES))
        || selection.instance_ids.iter().any(|id| id.parse::<Uuid>().is_ok())
}

/// Checks a selection, as far as it can be checked without looking at assets.
pub fn check(checks: &mut Checks, field: &str, selection: &AssetSelection) {
    let AssetSelection { instance_ids, location_uuids, target_type, name_pattern, only_changed: _ } =
        selection;
    let says_nothing =
        instance_ids.is_empty() && location_uuids.is_empty() && *target_type == 0 && name_pattern.is_empty();
    if says_nothing {
        checks.fail(field, "says nothing of the assets; the namePattern * stands for all of them");
    }
    let mut most = |name: &str, count: usize, most: usize| {
        if count > most {
            checks.fail(
                format!("{field}.{name}"),
                format!("has {count} elements; at most {most} are possible"),
            );
        }
    };
    most("instanceIds", instance_ids.len(), MOST_ASSETS);
    most("locationUuids", location_uuids.len(), MOST_LOCATIONS);
    for (index, id) in instance_ids.iter().enumerate().take(MOST_ASSETS) {
        if id.is_empty() || id.len() > LONGEST_ID {
            let wrong = format!("is no instance id: those have 1 to {LONGEST_ID} characters");
            checks.fail(format!("{field}.instanceIds[{index}]"), wrong);
        }
    }
    for (index, location) in location_uuids.iter().enumerate().take(MOST_LOCATIONS) {
        checks.id::<Uuid>(format!("{field}.locationUuids[{index}]"), location);
    }
    if TargetType::try_from(*target_type).is_err() {
        checks.fail(format!("{field}.targetType"), "is no type of assets");
    }
    if name_pattern.chars().count() > LONGEST_PATTERN {
        checks.fail(
            format!("{field}.namePattern"),
            format!("is too long; at most {LONGEST_PATTERN} characters are possible"),
        );
    }
}

/// Looks which assets there are now that fit. Picks at most one more than [`MOST_ASSETS`].
///
/// # Errors
/// The store fails.
pub async fn pick(store: &Store, selection: &AssetSelection) -> Result<Picked, Failure> {
    let mut picked = Picked { asked_type: selection.target_type, ..Picked::default() };
    let locations: Vec<Uuid> = selection.location_uuids.iter().filter_map(|uuid| uuid.parse().ok()).collect();
    if !selection.instance_ids.is_empty() {
        for ids in selection.instance_ids.chunks(STEP) {
            let ids: Vec<String> = ids.iter().cloned().map(devices::canonical).collect();
            let found = store.agentless_assets_named(ids.clone()).await?;
            let is_there = |id: &String| found.iter().any(|found| found.asset.instance_id == *id);
            for id in ids.into_iter().filter(|id| !is_there(id)) {
                // Of the first one it is said.
                let why = match snapshots::device(&id).filter(|_| picked.missing.is_empty()) {
                    Some(device) => devices::why_missing(store, device).await?,
                    None => "is not there",
                };
                picked.missing.push((id, why));
            }
            picked.take(store, found, selection, &locations).await?;
        }
        return Ok(picked);
    }
    // No location means all of them.
    let ranges =
        if locations.is_empty() { vec![None] } else { locations.iter().copied().map(Some).collect() };
    for location in ranges {
        let mut after = String::new();
        while picked.assets.len() <= MOST_ASSETS {
            let found = store.agentless_assets_select(location, after, STEP).await?;
            let is_last = found.len() < STEP;
            after = found.last().map_or_else(String::new, |last| last.asset.instance_id.clone());
            picked.take(store, found, selection, &locations).await?;
            if is_last {
                break;
            }
        }
    }
    Ok(picked)
}

impl Picked {
    async fn take(
        &mut self,
        store: &Store,
        mut found: Vec<SelectableAsset>,
        selection: &AssetSelection,
        locations: &[Uuid],
    ) -> Result<(), Failure> {
        let picks_devices = picks_devices(selection);
        found.retain(|SelectableAsset { asset, is_changed }| {
            (picks_devices || !devices::is_type(asset.target_type))
                && (locations.is_empty() || locations.contains(&asset.location))
                && (selection.target_type == 0 || devices::fits(asset.target_type, selection.target_type))
                && (!selection.only_changed || *is_changed)
        });
        if !selection.name_pattern.is_empty() {
            // People know a device by its name.
            let ids = found.iter().map(|found| found.asset.instance_id.as_str());
            let names = devices::names(store, ids).await?;
            found.retain(|SelectableAsset { asset, .. }| {
                let name = names.get(&asset.instance_id).unwrap_or(&asset.name);
                pattern::fits(&selection.name_pattern, name)
            });
        }
        self.assets.extend(found.into_iter().map(|found| (found.asset.instance_id.clone(), found)));
        Ok(())
    }

    /// The type that all of them have; of devices, the one that was asked for. `None`: they have several, or there are none.
    pub fn target_type(&self) -> Option<i32> {
        let mut types = self.assets.values().map(|found| found.asset.target_type);
        let first = types.next()?;
        let is_one = types.all(|other| other == first);
        let asked = if devices::is_type(self.asked_type) { self.asked_type } else { first };
        is_one.then_some(if devices::is_type(first) { asked } else { first })
    }

    /// A subtask for each.
    pub fn subtasks(self, environment: &Environment) -> Vec<NewAgentlessSubtask> {
        let subtask = |found: SelectableAsset| NewAgentlessSubtask {
            id: environment.uuid(),
            instance_id: found.asset.instance_id,
            location: found.asset.location,
            target_type: found.asset.target_type,
            target_name: found.asset.name,
            instance_name: String::new(),
            internet_ip: String::new(),
            intranet_ip: String::new(),
            size_bytes: found.asset.size_bytes,
        };
        self.assets.into_values().map(subtask).collect()
    }
}

/// Why a task cannot scan what was picked, if it cannot.
///
/// # Errors
/// 400, for `field`: an asset that is named is not there, none fits, too many do, or they have several types.
pub fn judge(picked: &Picked, field: &str) -> Result<i32, Status> {
    if let Some((missing, why)) = picked.missing.first() {
        let wrong = format!("names the asset {missing}, which {why}");
        return Err(Status::invalid_field(format!("{field}.instanceIds"), wrong));
    }
    let count = picked.assets.len();
    if count == 0 {
        return Err(Status::invalid_field(field, "picks no asset; list the assets to see which there are"));
    }
    if count > MOST_ASSETS {
        let wrong = format!("picks more than {MOST_ASSETS} assets; scan them in several tasks");
        return Err(Status::invalid_field(field, wrong));
    }
    picked.target_type().ok_or_else(|| {
        let wrong = "is needed: the selection picks assets of several types, and a task scans one type";
        Status::invalid_field(format!("{field}.targetType"), wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(selection: &AssetSelection) -> Vec<String> {
        let mut checks = Checks::default();
        check(&mut checks, "selection", selection);
        let status = checks.finish().err();
        let violations = status.map(|status| status.violations().to_vec()).unwrap_or_default();
        violations.into_iter().map(|violation| violation.field).collect()
    }

    #[test]
    fn a_selection_says_something_that_can_be_looked_for() {
        let any = AssetSelection::default;
        let location = Uuid::from_u128(7).to_string();
        let table: [(AssetSelection, &[&str]); 8] = [
            (AssetSelection { name_pattern: "*".into(), ..any() }, &[]),
            (AssetSelection { location_uuids: vec![location], ..any() }, &[]),
            (AssetSelection { target_type: 4, ..any() }, &[]),
            (any(), &["selection"]),
            (AssetSelection { only_changed: true, ..any() }, &["selection"]),
            (
                AssetSelection { instance_ids: vec!["m-1".into(), String::new()], ..any() },
                &["selection.instanceIds[1]"],
            ),
            (
                AssetSelection { location_uuids: vec!["x".into()], target_type: 9, ..any() },
                &["selection.locationUuids[0]", "selection.targetType"],
            ),
            (AssetSelection { name_pattern: "x".repeat(256), ..any() }, &["selection.namePattern"]),
        ];
        for (selection, expected) in table {
            assert_eq!(violations(&selection), expected, "{selection:?}");
        }
    }
    #[test]
    fn devices_are_picked_where_that_is_said() {
        let any = AssetSelection::default;
        let device = "0193a1b2-0000-7000-8000-0000000000ff".to_owned();
        let table = [
            (AssetSelection { name_pattern: "*".into(), ..any() }, false),
            (AssetSelection { target_type: 4, name_pattern: "*".into(), ..any() }, false),
            (AssetSelection { instance_ids: vec!["m-1".into()], ..any() }, false),
            (AssetSelection { location_uuids: vec![Uuid::from_u128(7).to_string()], ..any() }, false),
            (AssetSelection { target_type: 1, ..any() }, true),
            (AssetSelection { target_type: 2, ..any() }, true),
            (AssetSelection { instance_ids: vec!["m-1".into(), device], ..any() }, true),
            (AssetSelection { location_uuids: vec![DEVICES.to_string()], ..any() }, true),
        ];
        for (selection, expected) in table {
            assert_eq!(picks_devices(&selection), expected, "{selection:?}");
        }
    }
}
