//! Which assets a scan is of.

use std::collections::BTreeMap;

use guardhouse_contract::{
    Status,
    scans::{AssetSelection, TargetType},
};
use guardhouse_identity::Failure;
use guardhouse_model::{Environment, agentless::pattern};
use guardhouse_store::{NewAgentlessSubtask, SelectableAsset, Store};
use uuid::Uuid;

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
    /// Those that are named and are not there.
    pub missing: Vec<String>,
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
    let mut picked = Picked::default();
    let locations: Vec<Uuid> = selection.location_uuids.iter().filter_map(|uuid| uuid.parse().ok()).collect();
    if !selection.instance_ids.is_empty() {
        for ids in selection.instance_ids.chunks(STEP) {
            let found = store.agentless_assets_named(ids.to_vec()).await?;
            let is_there = |id: &&String| found.iter().any(|found| found.asset.instance_id == **id);
            picked.missing.extend(ids.iter().filter(|id| !is_there(id)).cloned());
            picked.take(found, selection, &locations);
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
            picked.take(found, selection, &locations);
            if is_last {
                break;
            }
        }
    }
    Ok(picked)
}

impl Picked {
    fn take(&mut self, found: Vec<SelectableAsset>, selection: &AssetSelection, locations: &[Uuid]) {
        let fits = |found: &SelectableAsset| {
            let asset = &found.asset;
            (locations.is_empty() || locations.contains(&asset.location))
                && (selection.target_type == 0 || selection.target_type == asset.target_type)
                && (selection.name_pattern.is_empty() || pattern::fits(&selection.name_pattern, &asset.name))
                && (!selection.only_changed || found.is_changed)
        };
        let fitting = found.into_iter().filter(fits);
        self.assets.extend(fitting.map(|found| (found.asset.instance_id.clone(), found)));
    }

    /// The type that all of them have. `None`: they have several, or there are none.
    pub fn target_type(&self) -> Option<i32> {
        let mut types = self.assets.values().map(|found| found.asset.target_type);
        let first = types.next()?;
        types.all(|other| other == first).then_some(first)
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
    if let Some(missing) = picked.missing.first() {
        let wrong = format!("names the asset {missing}, which is not there");
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
}
