//! Which vulnerabilities are meant, in SQL.

use crate::{VulnerabilityFilter, engine::Value, verbs::agentless::filters::Conditions};

/// What a filter asks for, of `v`, a row of the vulnerabilities; `None`: nothing can be that.
pub fn conditions(filter: &VulnerabilityFilter) -> Option<Conditions<'_>> {
    written(filter, is_of_assets(filter))
}

/// The same, for a look at one asset after the other.
pub fn of_asset(filter: &VulnerabilityFilter) -> Option<Conditions<'_>> {
    written(filter, is_of_assets(filter) || !filter.name.is_empty())
}

/// Whether it says which assets are meant.
fn is_of_assets(filter: &VulnerabilityFilter) -> bool {
    filter.instance_ids.is_some() || filter.task.is_some() || filter.subtask.is_some()
}

fn written(filter: &VulnerabilityFilter, is_by_asset: bool) -> Option<Conditions<'_>> {
    // PostgreSQL has no texts with a zero in them, and would call the question an error.
    let texts = [&filter.name, &filter.alias, &filter.cve].into_iter();
    if texts.chain(filter.instance_ids.iter().flatten()).any(|text| text.contains('\0')) {
        return None;
    }
    let mut conditions = Conditions::none();
    // With the plus it is no condition for an index: what is of few assets is looked up by these, and sorted.
    let plus = if is_by_asset { "+" } else { "" };
    conditions.add(&format!("{plus}v.whitelisted = "), filter.is_whitelisted);
    match filter.kind {
        Some(kind) => conditions.add("v.kind = ", kind as i32),
        // From the first on, which is all of them: by that the databases find the order.
        None => conditions.add("v.kind >= ", 0),
    }
    conditions.add_text("v.name", &filter.name);
    necessities(&mut conditions, filter);
    if let Some(ids) = &filter.instance_ids {
        conditions.add_any("v.instance_id", ids.iter().map(Value::from));
    }
    if let Some(task) = filter.task {
        let place = conditions.value(task);
        conditions.and(&format!(
            "v.instance_id in (select result.instance_id from agentless_subtasks s
                 join agentless_results result on result.subtask_uuid = s.uuid where s.task_uuid = {place})"
        ));
    }
    if let Some(subtask) = filter.subtask {
        let place = conditions.value(subtask);
        conditions.and(&format!(
            "v.instance_id in (select result.instance_id from agentless_results result where result.subtask_uuid = {place})"
        ));
    }
    if let Some(types) = &filter.target_types {
        conditions.add_any("v.target_type", types.iter().map(|&target_type| target_type.into()));
    }
    if filter.is_fixable {
        conditions.and("v.fixable = 1");
    }
    conditions.add_part("v.alias", &filter.alias);
    if !filter.cve.is_empty() {
        let place = conditions.value(&filter.cve);
        conditions.and(&format!(
            "(v.name = {place} or ',' || v.related || ',' like '%,' || replace(replace(replace({place}, '\\', '\\\\'),
                 '%', '\\%'), '_', '\\_') || ',%' escape '\\')"
        ));
    }
    Some(conditions)
}

/// As a range, in which the rows are in the order of the list; a set would be sorted.
fn necessities(conditions: &mut Conditions<'_>, filter: &VulnerabilityFilter) {
    let numbers = || filter.necessities.iter().map(|&necessity| necessity as i32);
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return };
    if first == last {
        return conditions.add("v.necessity = ", first);
    }
    conditions.add("v.necessity >= ", first);
    conditions.add("v.necessity <= ", last);
    if last - first > 1 && !numbers().any(|number| number == first + 1) {
        conditions.add("v.necessity <> ", first + 1);
    }
}
