//! Which vulnerabilities are meant, in SQL.

use crate::{
    VulnerabilityFilter,
    engine::Transaction,
    verbs::agentless::conditions::{Conditions, are_impossible},
};

/// What a filter asks for, of `v`, a row of the vulnerabilities; `None`: nothing can be that.
pub fn conditions<'a>(
    transaction: &Transaction<'_>,
    filter: &'a VulnerabilityFilter,
) -> Option<Conditions<'a>> {
    let ids = filter.instance_ids.iter().flatten();
    if filter.instance_ids.as_ref().is_some_and(Vec::is_empty)
        || filter.target_types.as_ref().is_some_and(Vec::is_empty)
        || are_impossible([&filter.name, &filter.alias, &filter.cve].into_iter().chain(ids))
    {
        return None;
    }
    let mut conditions = Conditions::new(transaction);
    match filter.kind {
        Some(kind) => conditions.equal("v.kind", kind as i32),
        None => conditions.and("v.kind in (1, 2, 3)"),
    }
    conditions.equal("v.whitelisted", filter.is_whitelisted);
    conditions.text("v.name", &filter.name);
    necessities(&mut conditions, filter);
    if let Some(ids) = &filter.instance_ids {
        conditions.one_of("v.instance_id", ids.iter().map(Into::into));
    }
    if let Some(types) = &filter.target_types {
        conditions.one_of("v.target_type", types.iter().map(|&target_type| target_type.into()));
    }
    if filter.is_fixable {
        conditions.and("v.fixable = 1");
    }
    conditions.part("v.alias", &filter.alias);
    if !filter.cve.is_empty() {
        conditions.listed("v.related", "v.name", &filter.cve);
    }
    Some(conditions)
}

/// As a range, in which the rows are in the order of the list; a set would be sorted.
fn necessities(conditions: &mut Conditions<'_>, filter: &VulnerabilityFilter) {
    let numbers = || filter.necessities.iter().map(|&necessity| necessity as i32);
    let (Some(first), Some(last)) = (numbers().min(), numbers().max()) else { return };
    if first == last {
        return conditions.equal("v.necessity", first);
    }
    let (from, to) = (conditions.place(first), conditions.place(last));
    conditions.and(&format!("v.necessity >= {from} and v.necessity <= {to}"));
    if last - first > 1 && !numbers().any(|number| number == first + 1) {
        let without = conditions.place(first + 1);
        conditions.and(&format!("v.necessity <> {without}"));
    }
}
