//! A schedule as somebody wants it, checked and made ready to be kept.

use guardhouse_contract::{
    Call, Status,
    scans::{AssetSelection, Cadence, ScanOptions},
};
use guardhouse_store::{AgentlessSchedule, Store};
use prost::Message as _;

use super::cadence;
use crate::{
    Context,
    agentless_tasks::{devices, options, selection},
    fields::Checks,
};

/// A schedule as somebody wants it.
#[derive(Debug)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// Which assets.
    pub selection: AssetSelection,
    /// They are chosen anew, and not as they were.
    pub selects_anew: bool,
    /// Those that appear later, too.
    pub takes_new_assets: bool,
    /// How.
    pub options: ScanOptions,
    /// When.
    pub cadence: Cadence,
    /// Whether it starts when it is due.
    pub is_enabled: bool,
}

impl Draft {
    /// Checks everything, and puts it into `schedule`; `prefix` stands before the names of fields.
    ///
    /// # Errors
    /// 400 for what is wrong. The store fails.
    pub async fn put(
        self,
        schedule: &mut AgentlessSchedule,
        context: &Context,
        call: &Call,
        prefix: &str,
    ) -> Result<(), Status> {
        let (store, now) = (&context.store, context.environment.now());
        let Self { name, selection, selects_anew, takes_new_assets, options, mut cadence, is_enabled } = self;
        let field = |name: &str| format!("{prefix}{name}");
        let mut checks = Checks::default();
        checks.name(&field("displayName"), &name);
        selection::check(&mut checks, &field("selection"), &selection);
        options::check(&mut checks, &field("options"), &options);
        let read =
            cadence::read(&mut cadence, &field("cadence"), now).map_err(|wrong| checks.fail_all(wrong));
        checks.finish()?;
        let Ok(read) = read else { return Err(Status::internal("a check failed and did not say so")) };

        if selection::picks_devices(&selection) {
            devices::may_scan(context, call, &field("selection"))?;
        }
        if selects_anew {
            let settled = settle(selection, takes_new_assets, store, &field("selection")).await?;
            schedule.selection = settled.encode_to_vec();
        }
        schedule.name = name;
        schedule.takes_new_assets = takes_new_assets;
        schedule.options = options.encode_to_vec();
        schedule.cadence = cadence.encode_to_vec();
        schedule.next_time = is_enabled.then(|| read.next(now)).flatten();
        Ok(())
    }
}

/// Looks what a selection picks now, and refuses what a task could not scan. Without new assets, these are all.
async fn settle(
    selection: AssetSelection,
    takes_new_assets: bool,
    store: &Store,
    field: &str,
) -> Result<AssetSelection, Status> {
    let picked = selection::pick(store, &selection).await?;
    // A location may be empty yet.
    if !takes_new_assets || !picked.assets.is_empty() || !picked.missing.is_empty() {
        selection::judge(&picked, field)?;
    }
    if takes_new_assets {
        return Ok(selection);
    }
    let instance_ids = picked.assets.into_keys().collect();
    Ok(AssetSelection { instance_ids, only_changed: selection.only_changed, ..Default::default() })
}
