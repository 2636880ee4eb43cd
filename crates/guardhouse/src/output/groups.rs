//! Groups as a tree.

use std::collections::{HashMap, HashSet};

use guardhouse_contract::{assets::Group, devices::DeviceGroup};

use crate::output::{sheet, table};

/// Every group on a line of its own, below its parent and indented.
pub fn tree(groups: &[DeviceGroup]) -> String {
    let rows = labels(groups).into_iter().map(|(label, group)| [label, group.uuid.clone(), kind(group)]);
    table(["GROUP", "UUID", "KIND"], rows)
}

/// One group as the write side answers it.
pub fn group(group: Option<&Group>) -> String {
    let row = |group: &Group| {
        [
            group.display_name.clone(),
            group.uuid.clone(),
            group.parent_group_uuid.clone(),
            group.description.clone(),
        ]
    };
    table(["GROUP", "UUID", "PARENT", "DESCRIPTION"], group.map(row))
}

/// One group as a list has it.
pub fn listed(group: &DeviceGroup) -> String {
    sheet([
        ("name", group.display_name.clone()),
        ("uuid", group.uuid.clone()),
        ("kind", kind(group)),
        ("parent", group.parent_group_uuid.clone()),
    ])
}

fn kind(group: &DeviceGroup) -> String {
    if group.is_security_group { "static".to_owned() } else { "dynamic".to_owned() }
}

/// How many groups hang below a group, directly or not.
pub fn count_below(groups: &[DeviceGroup], uuid: &str) -> usize {
    let children = children(groups);
    let mut below = HashSet::new();
    let mut open = vec![uuid];
    while let Some(parent) = open.pop() {
        let new =
            children.get(parent).into_iter().flatten().filter(|child| below.insert(child.uuid.as_str()));
        open.extend(new.map(|child| child.uuid.as_str()));
    }
    below.len()
}

/// The groups in the order of the tree, siblings by name. A list that is read while groups move may lack a
/// parent or show a circle for a moment: a group without a parent in the list begins a tree of its own.
fn labels(groups: &[DeviceGroup]) -> Vec<(String, &DeviceGroup)> {
    let children = children(groups);
    let known: HashSet<_> = groups.iter().map(|group| group.uuid.as_str()).collect();
    let is_root = |group: &&DeviceGroup| !known.contains(group.parent_group_uuid.as_str());
    let mut tree = Tree { children: &children, seen: HashSet::new(), lines: Vec::new() };
    for root in sorted(groups.iter().filter(is_root)).into_iter().chain(sorted(groups.iter())) {
        tree.add(root, "", "");
    }
    tree.lines
}

type Children<'a> = HashMap<&'a str, Vec<&'a DeviceGroup>>;

fn children(groups: &[DeviceGroup]) -> Children<'_> {
    let mut children: Children<'_> = HashMap::new();
    for group in sorted(groups.iter()) {
        children.entry(&group.parent_group_uuid).or_default().push(group);
    }
    children
}

fn sorted<'a>(groups: impl Iterator<Item = &'a DeviceGroup>) -> Vec<&'a DeviceGroup> {
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by_key(|group| (&group.display_name, &group.uuid));
    groups
}

struct Tree<'t, 'a> {
    children: &'t Children<'a>,
    seen: HashSet<&'a str>,
    lines: Vec<(String, &'a DeviceGroup)>,
}

impl<'a> Tree<'_, 'a> {
    /// Adds a group and all below it. `first` stands before its own line, `rest` before those below.
    fn add(&mut self, group: &'a DeviceGroup, first: &str, rest: &str) {
        if !self.seen.insert(&group.uuid) {
            return;
        }
        self.lines.push((format!("{first}{}", group.display_name), group));
        let children = self.children.get(group.uuid.as_str()).map(Vec::as_slice).unwrap_or_default();
        for (index, child) in children.iter().enumerate() {
            let (own, below) =
                if index + 1 == children.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.add(child, &format!("{rest}{own}"), &format!("{rest}{below}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(uuid: &str, parent: &str, name: &str) -> DeviceGroup {
        DeviceGroup {
            uuid: uuid.to_owned(),
            parent_group_uuid: parent.to_owned(),
            display_name: name.to_owned(),
            is_security_group: uuid != "6",
            ..Default::default()
        }
    }

    fn names(groups: &[DeviceGroup]) -> Vec<String> {
        labels(groups).into_iter().map(|(label, _)| label).collect()
    }

    #[test]
    fn groups_hang_below_their_parents() {
        let groups = [
            group("4", "3", "Racks"),
            group("2", "1", "Lost & found"),
            group("5", "3", "Laptops"),
            group("1", "", "All"),
            group("3", "1", "Bratislava"),
            group("6", "5", "Sales"),
        ];
        let expected = "\
            GROUP            UUID  KIND\n\
            All              1     static\n\
            ├─ Bratislava    3     static\n\
            │  ├─ Laptops    5     static\n\
            │  │  └─ Sales   6     dynamic\n\
            │  └─ Racks      4     static\n\
            └─ Lost & found  2     static";
        assert_eq!(tree(&groups), expected);
        assert_eq!(count_below(&groups, "1"), 5);
        assert_eq!(count_below(&groups, "3"), 3);
        assert_eq!(count_below(&groups, "6"), 0);
    }

    #[test]
    fn a_list_in_motion_is_shown_whole() {
        assert_eq!(names(&[group("2", "gone", "b"), group("3", "2", "c")]), ["b", "└─ c"]);
        let circle = [group("1", "2", "a"), group("2", "1", "b"), group("9", "", "root")];
        assert_eq!(names(&circle), ["root", "a", "└─ b"]);
        assert_eq!(count_below(&circle, "1"), 2);
        assert_eq!(names(&[group("1", "1", "own parent")]), ["own parent"]);
        assert_eq!(names(&[]), Vec::<String>::new());
    }
}
