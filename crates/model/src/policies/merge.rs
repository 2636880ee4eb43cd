//! Merges the settings that policies have for one feature.
//!
//! Policies are merged one by one. A later setting overrides an earlier one at the same path; a list may instead be
//! put behind or before what is there. A setting with force stays as it is against everything later, later force
//! included: the first one wins.
//!
//! Settings at paths of which one lies below the other cannot both stand. They meet like settings at the same path:
//! the later one overrides all that stand in its way, unless one of those is there with force.

use std::{collections::BTreeMap, ops::Range};

use super::SettingPath;

/// What one policy says about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<V> {
    /// Which setting.
    pub path: SettingPath,
    /// Its value.
    pub value: SettingValue<V>,
    /// It stays, whatever later policies say.
    pub force: bool,
    /// The user of the device cannot override it.
    pub read_only: bool,
}

/// The value that a policy gives a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue<V> {
    /// A value that can only be overridden as a whole.
    Whole(V),
    /// A list that knows what to do with the list before it.
    List {
        /// What this policy has to say.
        elements: Vec<V>,
        /// Where it goes.
        merge: ListMerge,
    },
}

/// What a list does with what earlier policies have put into the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListMerge {
    /// Takes its place.
    Replace,
    /// Comes behind it.
    Append,
    /// Comes before it.
    Prepend,
}

/// A setting as all policies together have it, and how it came to that.
#[derive(Debug, Clone)]
pub struct Merged<'a, V> {
    history: Vec<Contribution<'a, V>>,
    /// Those of the history that make up the value; never empty. What comes before was overridden, what comes behind
    /// was ignored.
    in_force: Range<usize>,
}

/// What one policy said about a setting, and what became of it.
#[derive(Debug, Clone)]
pub struct Contribution<'a, V> {
    /// The policy.
    pub source: usize,
    /// What it said. Its path differs from that of the setting where one lies below the other.
    pub setting: &'a Setting<V>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a setting of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is the value, or a part of it when the value is a list.
    InForce,
    /// A later policy took its place.
    Overridden {
        /// The later policy.
        by: usize,
    },
    /// An earlier policy had set it with force.
    Ignored {
        /// The earlier policy.
        forced_by: usize,
    },
}

/// The value of a merged setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergedValue<'a, V> {
    /// A value that one policy gave.
    Whole(&'a V),
    /// A list, to which several policies may have contributed.
    List(Vec<&'a V>),
}

/// Merges policies, each a number by which the history names it, and what it says; in the order given. The answer is in
/// the order of paths.
///
/// A policy must not have two settings of which one is at or below the path of the other.
#[must_use]
pub fn merge<'a, V: 'a>(policies: impl IntoIterator<Item = (usize, &'a [Setting<V>])>) -> Vec<Merged<'a, V>> {
    let mut said = Vec::new();
    for (source, settings) in policies {
        for setting in settings {
            said.push(Turn { turn: said.len(), source, setting });
        }
    }
    // Settings that can meet then lie side by side; those at the same path stay in the order of the merge.
    said.sort_by_key(|said| &said.setting.path);

    let mut merged = Vec::new();
    let mut rest = said.as_mut_slice();
    while let Some(outermost) = rest.first() {
        let path = &outermost.setting.path;
        let count = rest.iter().take_while(|said| said.setting.path.is_within(path)).count();
        let (group, others) = rest.split_at_mut(count);
        rest = others;
        // Mostly they are all at the same path.
        if group.last().is_some_and(|innermost| innermost.setting.path != *path) {
            group.sort_by_key(|said| said.turn);
            merged.extend(merge_apart(group));
        } else {
            merged.extend(merge_together(group));
        }
    }
    merged
}

/// A setting on its way into the merge.
struct Turn<'a, V> {
    turn: usize,
    source: usize,
    setting: &'a Setting<V>,
}

/// Merges settings at the same path.
fn merge_together<'a, V>(group: &[Turn<'a, V>]) -> Option<Merged<'a, V>> {
    let (first, later) = group.split_first()?;
    let mut merged = Merged::new(Vec::with_capacity(group.len()), first.source, first.setting);
    for said in later {
        merged.meet(said.source, said.setting);
    }
    Some(merged)
}

/// Merges settings of which some lie below others.
fn merge_apart<'a, V>(group: &[Turn<'a, V>]) -> impl Iterator<Item = Merged<'a, V>> {
    let mut standing = BTreeMap::new();
    for &Turn { source, setting, .. } in group {
        match standing.get_mut(&setting.path) {
            Some(merged) => Merged::meet(merged, source, setting),
            None => stand(&mut standing, source, setting),
        }
    }
    standing.into_values()
}

/// Adds a setting that is not there yet.
fn stand<'a, V>(
    standing: &mut BTreeMap<&'a SettingPath, Merged<'a, V>>,
    source: usize,
    setting: &'a Setting<V>,
) {
    let path = &setting.path;
    // There can be one above it at most, and nothing can be between the two.
    let above = standing.range::<SettingPath, _>(..path).next_back().map(|(&other, _)| other);
    let above = above.filter(|other| path.is_within(other));
    let below = standing
        .range::<SettingPath, _>(path..)
        .map(|(&other, _)| other)
        .take_while(|other| other.is_within(path));
    let in_the_way: Vec<_> = above.into_iter().chain(below).collect();

    for other in &in_the_way {
        if let Some(other) = standing.get_mut(other)
            && let Some(forced_by) = other.forced_by()
        {
            return other.ignore(source, setting, forced_by);
        }
    }
    let mut history = Vec::new();
    for mut overridden in in_the_way.iter().filter_map(|other| standing.remove(other)) {
        overridden.override_by(source);
        history.append(&mut overridden.history);
    }
    history.sort_by_key(|contribution| contribution.source);
    standing.insert(path, Merged::new(history, source, setting));
}

impl<'a, V> Merged<'a, V> {
    /// The setting as `source` has it, after what was overridden by it.
    fn new(history: Vec<Contribution<'a, V>>, source: usize, setting: &'a Setting<V>) -> Self {
        let mut merged = Self { in_force: history.len()..history.len(), history };
        merged.take(source, setting);
        merged
    }

    /// Which setting it is.
    #[must_use]
    pub fn path(&self) -> &'a SettingPath {
        &self.history[self.in_force.start].setting.path
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> MergedValue<'a, V> {
        let mut list = Vec::new();
        for contribution in &self.history[self.in_force.clone()] {
            match &contribution.setting.value {
                SettingValue::Whole(value) => return MergedValue::Whole(value),
                SettingValue::List { elements, merge: ListMerge::Prepend } => {
                    list.splice(..0, elements);
                }
                // Where it replaces, it is the first of those in force.
                SettingValue::List { elements, .. } => list.extend(elements),
            }
        }
        MergedValue::List(list)
    }

    /// Whether the user of the device must not override it: one of the policies that make up its value says so.
    #[must_use]
    pub fn read_only(&self) -> bool {
        self.history[self.in_force.clone()].iter().any(|contribution| contribution.setting.read_only)
    }

    /// Whether it would stay as it is against any further policy.
    #[must_use]
    pub fn forced(&self) -> bool {
        self.forced_by().is_some()
    }

    /// Everything that policies said about it, in the order of the merge. A setting that stood in the way of several
    /// ones below it is in the history of the first of them.
    #[must_use]
    pub fn history(&self) -> &[Contribution<'a, V>] {
        &self.history
    }

    /// Nothing comes into force behind a setting with force, so it is the last one.
    fn forced_by(&self) -> Option<usize> {
        let last = &self.history[self.in_force.end - 1];
        last.setting.force.then_some(last.source)
    }

    fn meet(&mut self, source: usize, setting: &'a Setting<V>) {
        if let Some(forced_by) = self.forced_by() {
            return self.ignore(source, setting, forced_by);
        }
        let was_list = matches!(self.history[self.in_force.start].setting.value, SettingValue::List { .. });
        let extends =
            matches!(setting.value, SettingValue::List { merge: ListMerge::Append | ListMerge::Prepend, .. });
        if !(was_list && extends) {
            self.override_by(source);
        }
        self.take(source, setting);
    }

    fn ignore(&mut self, source: usize, setting: &'a Setting<V>, forced_by: usize) {
        self.history.push(Contribution { source, setting, fate: Fate::Ignored { forced_by } });
    }

    fn override_by(&mut self, source: usize) {
        for contribution in &mut self.history[self.in_force.clone()] {
            contribution.fate = Fate::Overridden { by: source };
        }
        self.in_force.start = self.in_force.end;
    }

    fn take(&mut self, source: usize, setting: &'a Setting<V>) {
        self.history.push(Contribution { source, setting, fate: Fate::InForce });
        self.in_force.end = self.history.len();
    }
}

#[cfg(test)]
mod tests;
