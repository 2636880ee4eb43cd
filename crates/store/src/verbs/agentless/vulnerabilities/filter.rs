//! Which vulnerabilities are meant, in SQL.

use crate::{VulnerabilityFilter, engine::Transaction, verbs::agentless::conditions::Conditions};

/// What a filter asks for, of `v`, a row of the vulnerabilities.
pub fn conditions<'a>(transaction: &Transaction<'_>, filter: &'a VulnerabilityFilter) -> Conditions<'a> {
    written(transaction, filter, is_of_assets(filter))
}

/// The same, for a look at one asset after the other.
pub fn of_asset<'a>(transaction: &Transaction<'_>, filter: &'a VulnerabilityFilter) -> Conditions<'a> {
    written(transaction, filter, is_of_assets(filter) || !filter.name.is_empty())
}

/// Whether it says which assets are meant.
fn is_of_assets(filter: &VulnerabilityFilter) -> bool {
    filter.instance_ids.is_some() || filter.task.is_some() || filter.subtask.is_some()
}

fn written<'a>(
    transaction: &Transaction<'_>,
    filter: &'a VulnerabilityFilter,
    is_by_asset: bool,
) -> Conditions<'a> {
    let mut which = Conditions::new(transaction);
    // With the plus it is no condition for an index: what is of few assets is looked up by these, and sorted.
    let plus = if is_by_asset { "+" } else { "" };
    which.compares(&format!("{plus}v.whitelisted ="), filter.is_whitelisted);
    match filter.kind {
        Some(kind) => which.compares("v.kind =", kind as i32),
        // From the first on, which is all of them: by that the databases find the order.
        None => which.compares("v.kind >=", 0),
    }
    which.equals("v.name", &filter.name);
    necessities(&mut which, filter);
    if let Some(ids) = &filter.instance_ids {
        which.one_of("v.instance_id", ids.iter().filter(|id| !id.contains('\0')));
    }
    if let Some(task) = filter.task {
        which.holds_with(task, |place| {
            format!(
                "v.instance_id in (select result.instance_id from agentless_subtasks s
                     join agentless_results result on result.subtask_uuid = s.uuid where s.task_uuid = {place})"
            )
        });
    }
    if let Some(subtask) = filter.subtask {
        which.holds_with(subtask, |place| {
            format!(
                "v.instance_id in (select result.instance_id from agentless_results result
                     where result.subtask_uuid = {place})"
            )
        });
    }
    if let Some(types) = &filter.target_types {
        which.one_of("v.target_type", types.iter().copied());
    }
    if filter.is_fixable {
        which.holds("v.fixable = 1");
    }
    which.contains("v.alias", &filter.alias);
    match filter.cve.as_str() {
        "" => {}
        cve if cve.contains('\0') => which.never(),
        cve => which.holds_with(cve, |place| {
            format!(
                "(v.name = {place} or ',' || v.related || ',' like '%,' || replace(replace(replace({place}, '\\', '\\\\'),
                     '%', '\\%'), '_', '\\_') || ',%' escape '\\')"
            )
        }),
    }
    which
}

/// As a range, in which the rows are in the order of the list; a set would be sorted.
fn necessities(which: &mut Conditions<'_>, filter: &VulnerabilityFilter) {
    let numbers = || filter.necessities.iter().map(|&necessity| necessity as i32);
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return };
    if first == last {
        return which.compares("v.necessity =", first);
    }
    which.compares("v.necessity >=", first);
    which.compares("v.necessity <=", last);
    if last - first > 1 && !numbers().any(|number| number == first + 1) {
        which.compares("v.necessity <>", first + 1);
    }
}
