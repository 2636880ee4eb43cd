//! Rules that take files for good.

use guardhouse_model::Timestamp;

use super::{assets, count, texts};
use crate::{
    MaliciousRule, MaliciousRuleChange, MaliciousRuleRefusal, NewMaliciousRule, PageNumber, Paged, RuleScope,
    Store, StoreError,
    engine::{Gate, Row, Transaction, Value, values},
    verbs::agentless::{counters, results, selections},
};

const COLUMNS: &str = "id, md5, remark, selection_key, create_time, update_time";

impl Store {
    /// Makes rules and changes others: all of them, or none. Open files that a rule is about now are whitelisted; files
    /// that a rule has whitelisted and is not about any more are open again. Answers the rules as they are then.
    pub async fn agentless_malicious_rules_change(
        &self,
        changes: Vec<MaliciousRuleChange>,
        now: Timestamp,
    ) -> Result<Result<Vec<MaliciousRule>, MaliciousRuleRefusal>, StoreError> {
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::MaliciousWhitelist)?;
                if let Some(refusal) = refusal(transaction, &changes)? {
                    return Ok(Err(refusal));
                }
                let changed = changes.iter().map(|one| change(transaction, one, now));
                changed.collect::<Result<Vec<_>, _>>().map(Ok)
            })
            .await
    }

    /// A rule that takes files for good.
    pub async fn agentless_malicious_rule_get(&self, id: i64) -> Result<Option<MaliciousRule>, StoreError> {
        self.engine.read(move |transaction| get(transaction, id)).await
    }

    /// A page of the rules that take files for good, the newest first; of those only the one with this id, where it is
    /// given.
    pub async fn agentless_malicious_rules_list(
        &self,
        id: Option<i64>,
        page: PageNumber,
    ) -> Result<Paged<MaliciousRule>, StoreError> {
        self.engine
            .read(move |transaction| {
                if let Some(id) = id {
                    let found = get(transaction, id)?;
                    let total = u64::from(found.is_some());
                    let here = found.into_iter().filter(|_| page.skip == 0 && page.size > 0);
                    return Ok(Paged { rows: here.collect(), total });
                }
                let sql = "select count(*) from agentless_malicious_rules";
                let total = transaction.find(sql, &[], |row| row.get(0))?.unwrap_or(0);
                let sql = format!(
                    "select {COLUMNS} from agentless_malicious_rules order by id desc limit $1 offset $2"
                );
                let rows = transaction.list(&sql, values![page.size, page.skip], from_row)?;
                Ok(Paged { rows, total })
            })
            .await
    }

    /// Removes rules that take files for good: all of them, or none. What they have whitelisted is open again. Answers the
    /// ids for which there are no rules.
    pub async fn agentless_malicious_rules_remove(
        &self,
        mut ids: Vec<i64>,
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        ids.sort_unstable();
        ids.dedup();
        self.engine
            .write(move |transaction| {
                transaction.pass_alone(Gate::MaliciousWhitelist)?;
                let mut unknown = Vec::new();
                for &id in &ids {
                    if get(transaction, id)?.is_none() {
                        unknown.push(id);
                    }
                }
                if unknown.is_empty() {
                    for id in ids {
                        transaction
                            .execute("delete from agentless_malicious_rules where id = $1", values![id])?;
                        reopen(transaction, Rules::One(id), now)?;
                    }
                }
                Ok(unknown)
            })
            .await
    }
}

/// Why the changes cannot all be made; `None`: they can.
fn refusal(
    transaction: &Transaction<'_>,
    changes: &[MaliciousRuleChange],
) -> Result<Option<MaliciousRuleRefusal>, StoreError> {
    for (place, change) in changes.iter().enumerate() {
        if let Some(id) = change.id
            && get(transaction, id)?.is_none()
        {
            return Ok(Some(MaliciousRuleRefusal::NotFound(place)));
        }
        if let Some(RuleScope::Selection(key)) = change.scope
            && !selections::stays(transaction, key)?
        {
            return Ok(Some(MaliciousRuleRefusal::NoSelection(place)));
        }
        let Some(md5) = &change.md5 else { continue };
        let sql = "select id from agentless_malicious_rules where md5 = $1";
        let other: Option<i64> = transaction.find(sql, values![md5], |row| row.get(0))?;
        // A change before this one may have made room.
        let before = &changes[..place];
        let is_free = |other: &i64| before.iter().any(|one| one.id == Some(*other) && one.md5.is_some());
        let other = other.filter(|other| Some(*other) != change.id && !is_free(other));
        if other.is_some() || before.iter().any(|one| one.md5.as_ref() == Some(md5)) {
            return Ok(Some(MaliciousRuleRefusal::Taken(place, other)));
        }
    }
    Ok(None)
}

fn change(
    transaction: &Transaction<'_>,
    change: &MaliciousRuleChange,
    now: Timestamp,
) -> Result<MaliciousRule, StoreError> {
    let MaliciousRuleChange { id, md5, remark, scope } = change;
    let selection = match scope {
        Some(RuleScope::Selection(key)) => Some(*key),
        Some(RuleScope::All) | None => None,
    };
    let id = if let Some(id) = *id {
        transaction.execute(
            "update agentless_malicious_rules set md5 = coalesce($2, md5), remark = coalesce($3, remark),
                 update_time = $4, selection_key = case when $5 = 1 then $6 else selection_key end
             where id = $1",
            values![id, md5, remark, now, scope.is_some(), Value::Integer(selection)],
        )?;
        reopen(transaction, Rules::One(id), now)?;
        id
    } else {
        let id = counters::take(transaction, "malicious_rule", 1)?;
        transaction.execute(
            "insert into agentless_malicious_rules (id, md5, remark, create_time, update_time, selection_key)
             values ($1, coalesce($2, ''), coalesce($3, ''), $4, $4, $5)",
            values![id, md5, remark, now, Value::Integer(selection)],
        )?;
        id
    };
    apply(transaction, Rules::One(id), now)?;
    get(transaction, id)?
        .ok_or_else(|| StoreError::Inconsistent(format!("a rule was made and is not there: {id}")))
}

/// Applies the rules about a selection to the assets that it has now, behind the gate.
pub fn settle_selection(
    transaction: &Transaction<'_>,
    selection: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    reopen(transaction, Rules::About(selection), now)?;
    apply(transaction, Rules::About(selection), now)
}

/// That a rule takes a file for good. `rule` and `file` are what their rows are called.
pub fn takes(rule: &str, file: &str) -> String {
    format!(
        "{rule}.md5 = {file}.md5 and ({rule}.selection_key is null or {})",
        selections::has(&format!("{rule}.selection_key"), &format!("{file}.instance_id"))
    )
}

/// Some of the rules.
#[derive(Clone, Copy)]
enum Rules {
    /// The one with this id, which may be gone.
    One(i64),
    /// Those about the selection with this key.
    About(i64),
}

impl Rules {
    /// What `$1` is.
    fn key(self) -> i64 {
        match self {
            Self::One(key) | Self::About(key) => key,
        }
    }

    /// A column of theirs.
    fn all(self, column: &str) -> String {
        let by = match self {
            Self::One(_) => "id",
            Self::About(_) => "selection_key",
        };
        format!("select meant.{column} from agentless_malicious_rules meant where meant.{by} = $1")
    }
}

/// Whitelists the open files that rules are about.
fn apply(transaction: &Transaction<'_>, rules: Rules, now: Timestamp) -> Result<(), StoreError> {
    let rule =
        format!("select rule.id from agentless_malicious_rules rule where {}", takes("rule", "finding"));
    let which =
        format!(" where finding.handling = 0 and finding.md5 in ({}) and exists ({rule})", rules.all("md5"));
    let assets = assets(transaction, &which, values![rules.key()])?;
    results::lock(transaction, &texts(&assets))?;
    transaction.execute(
        &format!(
            "update agentless_malicious_files as finding set handling = 2, operation = 'addWhitelist',
                 operate_time = $2, rule_id = ({rule}){which}"
        ),
        values![rules.key(), now],
    )?;
    count(transaction, &assets)
}

/// Opens the files again that rules have whitelisted and are not about any more.
fn reopen(transaction: &Transaction<'_>, rules: Rules, now: Timestamp) -> Result<(), StoreError> {
    let by = match rules {
        Rules::One(_) => "= $1".to_owned(),
        Rules::About(_) => format!("in ({})", rules.all("id")),
    };
    let which = format!(
        " where finding.rule_id {by} and not exists (select 1 from agentless_malicious_rules rule
              where rule.id = finding.rule_id and {})",
        takes("rule", "finding")
    );
    let assets = assets(transaction, &which, values![rules.key()])?;
    results::lock(transaction, &texts(&assets))?;
    transaction.execute(
        &format!(
            "update agentless_malicious_files as finding set handling = 0, operation = 'offWhitelist',
                 operate_time = $2, rule_id = null{which}"
        ),
        values![rules.key(), now],
    )?;
    count(transaction, &assets)
}

fn get(transaction: &Transaction<'_>, id: i64) -> Result<Option<MaliciousRule>, StoreError> {
    let sql = format!("select {COLUMNS} from agentless_malicious_rules where id = $1");
    transaction.find(&sql, values![id], from_row)
}

fn from_row(row: &Row<'_>) -> Result<MaliciousRule, StoreError> {
    Ok(MaliciousRule {
        id: row.get(0)?,
        says: NewMaliciousRule {
            md5: row.get(1)?,
            remark: row.get(2)?,
            scope: row.get::<Option<i64>>(3)?.map_or(RuleScope::All, RuleScope::Selection),
        },
        create_time: row.get(4)?,
        update_time: row.get(5)?,
    })
}
