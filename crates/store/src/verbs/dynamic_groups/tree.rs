//! The dynamic groups and how they hang together.

use std::{collections::HashMap, sync::Arc};

use guardhouse_model::{
    GroupId, Timestamp,
    dynamic_groups::{Facts, Rule},
};

use super::rules::Rules;
use crate::{StoreError, engine::Transaction};

/// All dynamic groups.
pub struct Tree {
    /// By the group above, which is static or dynamic; siblings in the order of their ids.
    below: HashMap<GroupId, Vec<Node>>,
}

/// A dynamic group.
#[derive(Clone)]
pub struct Node {
    /// Identity.
    pub id: GroupId,
    /// The group above.
    pub parent: GroupId,
    /// The nearest static group above.
    pub base: GroupId,
    /// Which devices it has.
    pub rule: Arc<Rule>,
}

impl Tree {
    /// Reads it.
    pub fn load(transaction: &Transaction<'_>, rules: &Rules) -> Result<Self, StoreError> {
        let sql = "select uuid, parent, base, rule from dynamic_groups order by uuid";
        let nodes = transaction.list(sql, &[], |row| {
            let rule = rules.read(row.get(3)?)?;
            Ok(Node { id: row.get(0)?, parent: row.get(1)?, base: row.get(2)?, rule })
        })?;
        let mut below: HashMap<GroupId, Vec<Node>> = HashMap::new();
        for node in nodes {
            below.entry(node.parent).or_default().push(node);
        }
        Ok(Self { below })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    /// The groups directly below a group.
    pub fn children(&self, group: GroupId) -> &[Node] {
        self.below.get(&group).map(Vec::as_slice).unwrap_or_default()
    }

    /// One of them.
    pub fn find(&self, group: GroupId) -> Option<&Node> {
        self.below.values().flatten().find(|node| node.id == group)
    }

    /// A group and all below it, each after its parent.
    pub fn subtree<'a>(&'a self, node: &'a Node) -> Vec<&'a Node> {
        let mut found = vec![node];
        let mut next = 0;
        while let Some(node) = found.get(next) {
            found.extend(self.children(node.id));
            next += 1;
        }
        found
    }

    /// The groups that a device is in, in the order of their ids. `above` are the static groups that contain it.
    pub fn groups_of(&self, above: &[GroupId], facts: &Facts, now: Timestamp) -> Vec<GroupId> {
        let mut open: Vec<&Node> = above.iter().flat_map(|&group| self.children(group)).collect();
        let mut groups = Vec::new();
        while let Some(node) = open.pop() {
            if node.rule.holds(facts, now) {
                groups.push(node.id);
                open.extend(self.children(node.id));
            }
        }
        groups.sort_unstable();
        groups
    }
}
